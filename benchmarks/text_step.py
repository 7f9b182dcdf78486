"""Time a training step of our language model against PyTorch's: python benchmarks/text_step.py

The sizes are those of `train shakespeare`: windows of 64 characters, 12 in a batch. A step is
forward, loss, backward, the clipping of the gradients' norm and AdamW, in float32 on the CPU. The
opponent is the same model as a PyTorch user writes it, eager: one product for queries, keys and
values, and PyTorch's own scaled dot-product attention. Both take turns in one process, with the
same number of threads and cores. Before they are timed, both must give the same loss and gradients
from the same weights, and move every weight alike.
"""

import sys

import command
import turns

BATCH, LENGTH, VOCABULARY = 12, 64, 69  # the 65 characters of Tiny Shakespeare, 4 special tokens
RATE, BETAS, EPSILON, DECAY, MAX_NORM = 1e-3, (0.9, 0.99), 1e-8, 0.1, 1.0
COLUMNS = {"model": lambda row: row["model"]}


def configuration():
    """That of the task."""
    from minitransformer.data import make_task
    from minitransformer.runs import configure

    recipe = make_task("shakespeare").recipe
    sizes = {"source_vocabulary": VOCABULARY, "max_length": LENGTH}
    return configure(recipe.kind, recipe.preset, recipe.model, **sizes)


def batch_of(seed=0):
    """(None, target_in, target_out): windows without padding."""
    import numpy as np

    windows = np.random.default_rng(seed).integers(4, VOCABULARY, (BATCH, LENGTH + 1))
    return None, windows[:, :-1], windows[:, 1:]


def ours_and_theirs():
    """(ours, the class of the opponent or None where PyTorch is not installed)."""
    import contestants

    from minitransformer import LanguageModel
    from minitransformer.backend import keep_freed_memory
    from minitransformer.data.batching import Batch
    from minitransformer.layers import CrossEntropy
    from minitransformer.training import AdamW, clip_by_global_norm, in_shares
    from minitransformer.training.options import TrainingOptions

    class Ours(contestants.Ours):
        def __init__(self):
            keep_freed_memory()
            self.batch, self.device = Batch(*batch_of()), "cpu"
            self.model = LanguageModel(configuration(), 0)
            self.strategy, self.started = self.chosen(), False

        def chosen(self):
            optimizer = AdamW(self.model, RATE, *BETAS, EPSILON, DECAY)
            shares = in_shares(TrainingOptions().shares, skip_padding=True)
            return shares(self.model, CrossEntropy(), optimizer)

        def step(self):
            self.gradients()
            clip_by_global_norm(self.model, MAX_NORM)
            self.strategy.update()

    try:
        from torch_text import TorchText
    except ImportError:
        TorchText = None
    return Ours, TorchText


def rows(options):
    import contestants

    Ours, Theirs = ours_and_theirs()
    ours = Ours()
    ours.start()  # its second process, before PyTorch has threads
    racing = {"ours": ours.step}
    if Theirs:
        equal, twin = Ours(), Theirs(configuration(), batch_of())
        equal.double()
        twin.double()
        twin.take_weights(equal.weights())
        contestants.expect_equal_gradients(equal, twin)
        contestants.expect_equal_step(equal, twin)
        equal.end()
        theirs = Theirs(configuration(), batch_of())
        theirs.take_weights(ours.weights())
        racing["PyTorch"] = theirs.step
    row = {"model": "nano", **turns.measured(racing, options)}
    ours.end()
    yield {**row, "not_installed": [] if Theirs else ["PyTorch"]}


def main(argv=None):
    options = command.parsed(command.parser(__doc__), argv)
    return command.report(
        options, rows(options), command.race_columns(COLUMNS, ["PyTorch"]), command.RACE_NOTES
    )


if __name__ == "__main__":
    sys.exit(main())
