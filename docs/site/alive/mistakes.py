"""What each mistake does to a small model: computed here, shown by the page of mistakes.

    python docs/site/alive/mistakes.py [NAME …]

trains the right model and one with each mistake (or with those named), and writes mistakes.json
beside this file: loss, exact match, attention and gradient check of each. A mistake is planted in a
copy of the package, as tests/mutants.py does it; most are its own entries. Everything comes from
one seed, in float64.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILE = Path(__file__).with_suffix(".json")
sys.path.insert(0, str(ROOT / "tests"))

from mutants import MUTANTS, Mutant  # noqa: E402

SEED, STEPS, EVERY = 7, 800, 5  # the loss is the mean of so many steps
MOMENTS = (0, 25, 50, 100, 150, 200, 300, 400, 600, 800)
BATCH, ASKED = 48, 200  # sequences of a step, and of an evaluation
SIZES = {
    "d_model": 32, "heads": 2, "d_ff": 64, "encoder_layers": 1, "decoder_layers": 1,
    "max_length": 12, "dropout": 0.1, "tie_embeddings": True,
}
WARMUP, FACTOR = 100, 0.6
SOURCES = [[8, 5, 2, 9, 6, 4, 7], [5, 12, 8, 10]]  # ids; the second, padded, is shown
CHECKED = """Softmax ScaledDotProductAttention SplitHeads MergeHeads MultiHeadAttention Linear
LayerNorm FeedForward Dropout Residual Embedding Unembedding SinusoidalPositionalEncoding
CrossEntropy EncoderLayer DecoderLayer Transformer""".split()
ENTRIES = 12  # of each array, and two directions in which all its entries move


def own(name, file, before, after):
    """A mistake that tests/mutants.py does not have."""
    return Mutant(name, "", file, before, after, judge="", select="")


BY_ID = {mutant.id: mutant for mutant in MUTANTS}
MISTAKES = {
    "softmax-backward": BY_ID["7"],
    "softmax-axis": BY_ID["3"],
    "no-scale": BY_ID["63"],
    "scale-backward": BY_ID["66"],
    "mask-after-softmax": BY_ID["76"],
    "future-visible": BY_ID["x74"],
    "padding-visible": BY_ID["36"],
    "not-shifted": BY_ID["24"],
    "heads-merged": BY_ID["87"],
    "layer-norm-backward": BY_ID["44"],
    "skip-backward": BY_ID["99"],
    "bias-averaged": BY_ID["27b"],
    "tied-output": BY_ID["123"],
    "embedding-scale": own(
        "embedding-scale", "layers/embedding.py", "features**0.5 if scale else 1.0", "1.0"
    ),
    "positions": BY_ID["97"],
    "softmax-twice": BY_ID["20"],
    "loss-averaged": BY_ID["15a"],
    "dropout-scale": BY_ID["57"],
    "bias-correction": BY_ID["112a"],
    "not-zeroed": BY_ID["118b"],
    "no-warm-up": own(
        "no-warm-up", "training/schedules.py",
        "min(max(t, 1) ** -0.5, t * self.warmup**-1.5)", "max(t, 1) ** -0.5",
    ),
    "skip-missing": own(
        "skip-missing", "layers/residual.py",
        "self.norm(x + self.dropout(self.sublayer(x, *others, **options)))",
        "self.norm(self.dropout(self.sublayer(x, *others, **options)))",
    ),
    "skip-missing-both": dataclasses.replace(
        BY_ID["99"], more=((
        "self.norm(x + self.dropout(self.sublayer(x, *others, **options)))",
        "self.norm(self.dropout(self.sublayer(x, *others, **options)))",
    ),)),
    "targets-averaged": BY_ID["17"],
    "warm-up-adam": BY_ID["117"],
    "adam-square": BY_ID["116"],
}


def planted(name, folder):
    """A copy of the package in the folder, with this mistake; None: the package as it is."""
    copy = folder / "minitransformer"
    shutil.copytree(
        ROOT / "minitransformer", copy, ignore=shutil.ignore_patterns("__pycache__", "shipped")
    )
    if name:
        file = copy / MISTAKES[name].file
        file.write_text(MISTAKES[name].plant(file.read_text(encoding="utf-8")), encoding="utf-8")


def result(name):
    """What `measured` finds in a process of its own, which has the mistake."""
    with tempfile.TemporaryDirectory() as folder:
        planted(name, Path(folder))
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
        done = subprocess.run(
            [sys.executable, __file__, "--measured"], check=True, stdout=subprocess.PIPE,
            env={**os.environ, **threads, "PYTHONPATH": folder}, cwd=folder,
        )
    return json.loads(done.stdout)


# -- in that process -------------------------------------------------------------------------------


def short(number):
    """Three digits, as many as a picture shows."""
    return float(f"{number:.3g}")


def measured():
    """Train the model of the package that is imported here; everything that the page shows."""
    import numpy as np

    from minitransformer import Transformer, TransformerConfig
    from minitransformer.attention import attention_maps, keep_weights
    from minitransformer.core.evaluating import evaluating
    from minitransformer.data.batching import make_batch
    from minitransformer.data.stream import BatchStream
    from minitransformer.data.tasks import make_task
    from minitransformer.data.vocabulary import PAD
    from minitransformer.decoding import greedy
    from minitransformer.errors import NonFiniteError
    from minitransformer.layers import CrossEntropy
    from minitransformer.training import Adam, Noam, train

    task = make_task("reverse", symbols=10, min_length=3, max_length=7)
    config = TransformerConfig(source_vocabulary=len(task.vocabulary), **SIZES)
    model = Transformer(config, np.random.default_rng([SEED, 0])).to("float64")
    optimizer = Adam(model, Noam(config.d_model, WARMUP, FACTOR))
    batches = BatchStream(task, np.random.default_rng([SEED, 1]), BATCH)
    asked = task.sample(np.random.default_rng([SEED, 2]), ASKED, "validation")
    longest = max(map(len, SOURCES))
    sources = np.array([ids + [PAD] * (longest - len(ids)) for ids in SOURCES])
    shown = make_batch(sources, task.solve(sources))
    rows = len(SOURCES[1]) + 1                                           # its tokens, and EOS
    found = {"loss": [], "matched": [], "attention": {}}
    losses = []

    def look(step):
        answers = greedy(model, asked[0], max_tokens=longest + 1)
        found["matched"].append(matching(answers, asked[1], np))
        with evaluating(model), keep_weights(model):
            model(shown.source, shown.target_in)
            maps = attention_maps(model)
        for path, weights in maps.items():
            kind = "cross" if "cross" in path else path.split(".")[0]
            size = len(SOURCES[1]) if False else weights.shape[2] if kind == "encoder" else rows
            width = rows if kind == "decoder" else longest
            percent = np.rint(100 * weights[1, :, :size, :width]).astype(int)  # (H, T, S)
            found["attention"].setdefault(kind, []).append(percent.tolist())

    def note(progress):
        losses.append(progress.loss)
        if len(losses) == EVERY:
            found["loss"].append(short(sum(losses) / EVERY))
            losses.clear()
        if progress.step in MOMENTS:
            look(progress.step)

    look(0)
    try:
        train(
            model, CrossEntropy(padding=PAD), optimizer, batches, STEPS, hooks=[note], bar=False
        )
    except NonFiniteError:
        pass  # the curves end here
    return {**found, "check": checks()}


def matching(answers, targets, np):
    """The percentage of answers that are the target, token by token, with EOS at its end."""
    from minitransformer.data.vocabulary import EOS, PAD

    right = 0
    for answer, target in zip(answers.tolist(), targets.tolist()):
        expected = [token for token in target if token != PAD] + [EOS]
        right += [token for token in answer if token != PAD] == expected
    return round(100 * right / len(targets))


def checks():
    """{component: (the largest error of its gradients, whether all are right)}."""
    from minitransformer.testing import all_components
    from minitransformer.testing.conformance import check_gradients

    components = {component.__name__: component for component in all_components()}
    found = {}
    for name in CHECKED:
        report = check_gradients(components[name], SEED, ENTRIES)
        found[name] = [float(f"{report.worst.error:.1e}"), report.passed]
    return found


def main(names):
    results = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for name in names or [None, *MISTAKES]:
        results[name or "right"] = result(name)
        print(name or "right", file=sys.stderr, flush=True)
    about = {"steps": STEPS, "every": EVERY, "moments": MOMENTS}
    text = json.dumps({**results, "about": about}, separators=(",", ":"))
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--measured"]:
        print(json.dumps(measured()))
    else:
        main(sys.argv[1:])
