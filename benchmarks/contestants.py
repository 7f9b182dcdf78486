"""Two models that do the same: our `Transformer` and its twin around PyTorch's nn.Transformer, with one batch for both.

`expect_equal_gradients` shows that they do the same before anything is timed.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from minitransformer import Transformer, TransformerConfig
from minitransformer.backend import keep_freed_memory
from minitransformer.gradient_check import gradient_error
from minitransformer.losses import CrossEntropy
from minitransformer.optim import Adam

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from references import twins  # noqa: E402

SIZES = {  # preset, changes, B, T
    "toy": ("toy", {}, 64, 16),
    "small": ("small", {}, 32, 32),
    "base": ("base", {"source_vocabulary": 8000}, 8, 64),
}
LABEL_SMOOTHING = 0.1
RATE, BETAS, EPSILON = 1e-4, (0.9, 0.98), 1e-9
TOLERANCE = 1e-6  # of a float64 gradient, as ‖a − n‖ / max(‖a‖, ‖n‖); the tables of positions are float32
TURN = 0.5  # seconds of one contestant's turn, or one step if that takes longer
PAUSE = 0.2  # seconds between turns: a library's idle threads spin for a while before they leave the core to the other


def configuration(size, dropout):
    """The sizes of `size`, and everything else as nn.Transformer has it."""
    preset, changes, _, _ = SIZES[size]
    everywhere = {"dropout": dropout, "attention_dropout": dropout, "activation_dropout": dropout}
    return TransformerConfig.preset(preset, bias=True, final_norm=True, tie_embeddings=False, **everywhere, **changes)


def batch_of(size, vocabulary, seed=0):
    """(source, target_in, target_out), (B, T) ids each, with sequences between T/2 and T long."""
    _, _, batch, length = SIZES[size]
    rng = np.random.default_rng(seed)
    place = np.arange(length + 1)
    source_lengths, target_lengths = rng.integers(length // 2, length, size=(2, batch, 1), endpoint=True)
    source = np.where(place[:-1] < source_lengths, rng.integers(4, vocabulary, size=(batch, length)), 0)
    target = np.where(place < target_lengths, rng.integers(4, vocabulary, size=(batch, length + 1)), 0)
    target[:, 0] = 1                                                     # BOS
    np.put_along_axis(target, target_lengths, 2, axis=1)                 # EOS
    return source, target[:, :-1], target[:, 1:]


class Ours:
    """minitransformer, as its training loop runs it."""

    def __init__(self, config, batch):
        keep_freed_memory()  # for the whole process, so theirs has it too
        self.source, self.target_in, self.target_out = batch
        self.model = Transformer(config, 0)
        self.loss = CrossEntropy(LABEL_SMOOTHING)
        self.optimizer = Adam(self.model, RATE, *BETAS, EPSILON)

    def gradients(self):
        """Forward and backward; the loss."""
        self.model.zero_grad()
        loss = self.loss(self.model(self.source, self.target_in), self.target_out)
        self.model.backward(self.loss.backward())
        return float(loss)

    def step(self):
        self.gradients()
        self.optimizer.step()


class Theirs:
    """PyTorch, eager. `fused_adam` takes the optimizer that does its work in one pass, not the default one."""

    def __init__(self, config, batch, fused_adam=False):
        self.source, self.target_in, self.target_out = (torch.tensor(ids) for ids in batch)
        self.model = twins.TransformerTwin(config)
        options = {"fused": True} if fused_adam else {}
        self.optimizer = torch.optim.Adam(self.model.parameters(), RATE, BETAS, EPSILON, **options)

    def gradients(self):
        """Forward and backward; the loss."""
        self.optimizer.zero_grad()
        logits = self.model(self.source, self.target_in)
        loss = F.cross_entropy(
            logits.flatten(0, 1), self.target_out.flatten(), ignore_index=0, label_smoothing=LABEL_SMOOTHING
        )
        loss.backward()
        return loss.item()

    def step(self):
        self.gradients()
        self.optimizer.step()

    def take_weights(self, ours):
        tensors = {path: torch.from_numpy(p.data) for path, p in ours.model.named_parameters().items()}
        self.model.load_state_dict(twins.transformer(tensors))


class Unequal(Exception):
    """The two do not compute the same, so their times cannot be compared."""


def expect_equal_gradients(ours, theirs):
    """Raise Unequal unless loss and all gradients are the same; return the largest error. Without dropout only."""
    losses = ours.gradients(), theirs.gradients()
    d_ours = {path: torch.from_numpy(p.grad) for path, p in ours.model.named_parameters().items()}
    d_ours = twins.transformer(d_ours)
    errors = {"loss": gradient_error(*losses)}
    for name, p in theirs.model.named_parameters():
        errors[f"gradient of {name}"] = gradient_error(d_ours[name].numpy(), p.grad.numpy())
    name = max(errors, key=errors.get)
    if not all(error <= TOLERANCE for error in errors.values()):  # NaN does not pass
        losses = "losses {} and {}".format(*losses)
        raise Unequal(f"{name} differs by {errors[name]:.1e}, more than {TOLERANCE:g}; {losses}.")
    return errors[name]


def check(size):
    """Build both without dropout, with equal weights, in float64, and `expect_equal_gradients`."""
    config = configuration(size, dropout=0.0)
    batch = batch_of(size, config.source_vocabulary)
    ours, theirs = Ours(config, batch), Theirs(config, batch)
    ours.model.to("float64")  # in float32 a ReLU next to its kink may be open in one and shut in the other
    theirs.model.double()
    theirs.take_weights(ours)
    return expect_equal_gradients(ours, theirs)


def race(size, dropout, seconds, repeats=None, fused_adam=False):
    """{name: seconds of each training step} of both, taking turns, after a warm-up.

    With `repeats`, that many steps each; else as many as fit into `seconds`, at least 5 each.
    """
    config = configuration(size, dropout)
    batch = batch_of(size, config.source_vocabulary)
    ours, theirs = Ours(config, batch), Theirs(config, batch, fused_adam)
    theirs.take_weights(ours)
    times = {"ours": [], "theirs": []}
    contestants = {"ours": ours, "theirs": theirs}
    for contestant in contestants.values():
        contestant.step()
    warm = max(timed(contestant.step) for contestant in contestants.values())
    turn = max(1, int(TURN / warm))
    start = time.perf_counter()
    while not finished(times, repeats, time.perf_counter() - start > seconds):
        for name, contestant in contestants.items():
            time.sleep(PAUSE)
            steps = turn if repeats is None else min(turn, repeats - len(times[name]))
            times[name] += [timed(contestant.step) for _ in range(steps)]
    return times


def finished(times, repeats, out_of_time):
    done = min(len(t) for t in times.values())
    return done >= repeats if repeats is not None else out_of_time and done >= 5


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
