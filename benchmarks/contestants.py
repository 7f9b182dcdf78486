"""Our Transformer, and what holds the others to it: the same loss, gradients and step, before
anything is timed.

A contestant has `step()`, a training step; `evaluation()`, which returns a function that returns
the batch's logits in eval mode; and, to be compared, `gradients()`, `named_gradients()`,
`weights()`, `take_weights(ours)`, `translated(ours)` and `double()`.
"""

import contextlib
import importlib

import numpy as np
from command import Unequal
from workload import BETAS, EPSILON, LABEL_SMOOTHING, RATE, SIZES, batch_of

from minitransformer import Transformer, TransformerConfig, no_grad
from minitransformer.backend import as_numpy, keep_freed_memory
from minitransformer.data.batching import Batch
from minitransformer.gpu import Replays, accelerated
from minitransformer.layers import CrossEntropy
from minitransformer.testing import gradient_error
from minitransformer.training import Adam, in_shares
from minitransformer.training.options import TrainingOptions

TOLERANCE = 1e-8  # in float64, as ‖a − n‖ / max(‖a‖, ‖n‖)
PEERS = {  # name: (what it needs, where it is written, its class)
    "PyTorch": ("torch", "torch_contestant", "Torch"),
    "JAX": ("jax", "jax_contestant", "Jax"),
}


class Ours:
    """minitransformer, as its training loop runs it: a batch in two shares, side by side where
    there are two cores.

    On a GPU ("gpu") the batch is one share, and with `replay` its step is replayed; kernels compute
    inside `by_kernels()`.
    """

    def __init__(self, config, batch, device="cpu", replay=True):
        keep_freed_memory()  # for the whole process, so the others have it too
        self.batch, self.device, self.replay = Batch(*batch), device, replay
        self.model = Transformer(config, 0).to(device)
        self.strategy, self.started = self.chosen(), False

    def chosen(self):
        """As a run computes its batches."""
        strategy = in_shares(
            TrainingOptions().shares if self.device == "cpu" else 1, skip_padding=True
        )
        if self.device == "gpu" and self.replay:
            strategy = Replays
        return strategy(
            self.model,
            CrossEntropy(LABEL_SMOOTHING, padding=0),
            Adam(self.model, RATE, *BETAS, EPSILON),
        )

    def by_kernels(self):
        """The block in which a GPU computes by kernels; on the CPU there are none."""
        if self.device == "cpu":
            return contextlib.nullcontext()
        return accelerated(self.model, self.strategy.loss)

    def start(self):
        """Fork the second process, which ends with this one."""
        self.strategy.__enter__()
        self.started = True

    def end(self):
        """End that process, or give back the memory of what is replayed."""
        self.strategy.__exit__(None, None, None)
        self.started = False

    def gradients(self):
        """Forward and backward; the loss."""
        if not self.started:
            self.start()
        return self.strategy.compute(self.batch)

    def step(self):
        self.gradients()
        self.strategy.update()

    def evaluation(self):
        self.model.eval()

        @no_grad()
        def logits():
            return self.model(self.batch.source, self.batch.target_in)

        return logits

    def weights(self):
        return {path: as_numpy(array) for path, array in self.model.state_dict().items()}

    def named_gradients(self):
        return {path: as_numpy(p.grad) for path, p in self.model.named_parameters().items()}

    def double(self):
        self.model.to("float64")
        self.strategy, self.started = self.chosen(), False


def configuration(size, dropout, sizes=SIZES):
    """The sizes of `size`, and everything else as nn.Transformer has it."""
    preset, changes, _, _ = sizes[size]
    everywhere = {"dropout": dropout, "attention_dropout": dropout, "activation_dropout": dropout}
    return TransformerConfig.preset(
        preset, bias=True, final_norm=True, tie_embeddings=False, **everywhere, **changes
    )


def find(name):
    """The class of that contestant; None where its library is not installed."""
    library, module, kind = PEERS[name]
    try:
        importlib.import_module(library)
    except ImportError:
        return None
    return getattr(importlib.import_module(module), kind)


def peers(names):
    """({name: class} of those whose library is installed, the names of the others)."""
    found = {name: find(name) for name in names}
    return {name: peer for name, peer in found.items() if peer}, [
        name for name in names if not found[name]
    ]


def pair(size, peer, **options):
    """Ours and one of `peer`'s with equal weights, without dropout, in float64.

    In float32 a ReLU next to its kink may be open in one and shut in the other.
    """
    config = configuration(size, dropout=0.0)
    batch = batch_of(size, config.source_vocabulary)
    ours, theirs = Ours(config, batch, options.get("device", "cpu")), peer(config, batch, **options)
    ours.double()
    theirs.double()
    theirs.take_weights(ours.weights())
    return ours, theirs


def check(size, peer, **options):
    """Raise Unequal unless a training step of both is the same; return the largest error."""
    ours, theirs = pair(size, peer, **options)
    return max(expect_equal_gradients(ours, theirs), expect_equal_step(ours, theirs))


def expect_equal_gradients(ours, theirs):
    """Raise Unequal unless loss and all gradients are the same; return the largest error. Without
    dropout only."""
    losses = np.array([ours.gradients(), theirs.gradients()])
    a, b = theirs.translated(ours.named_gradients()), theirs.named_gradients()
    return expect_equal({"loss": losses[0], **a}, {"loss": losses[1], **b}, "the gradient of ")


def expect_equal_step(ours, theirs):
    """Raise Unequal unless one step moves every weight alike; return the largest error. Without
    dropout only."""
    before = theirs.translated(ours.weights())
    ours.step()
    theirs.step()
    after, others = theirs.translated(ours.weights()), theirs.weights()
    moved = [{name: values[name] - before[name] for name in before} for values in (after, others)]
    return expect_equal(*moved, "the step of ")


def expect_equal_logits(ours, theirs):
    """Raise Unequal unless the logits are the same where there is a target; return the largest
    error.

    At padding neither says anything: what PyTorch's fast path leaves there is not what its slow one
    does.
    """
    real = ours.batch.target_in != 0
    a, b = (contestant.evaluation()()[real] for contestant in (ours, theirs))
    return expect_equal({"logits": a}, {"logits": b})


def expect_equal(ours, theirs, what=""):
    """Raise Unequal unless all arrays of the two {name: array} are the same; return the largest
    error."""
    errors = {name: gradient_error(ours[name], theirs[name]) for name in ours}
    name = max(errors, key=lambda name: (np.isnan(errors[name]), errors[name]))
    if not errors[name] <= TOLERANCE:  # NaN does not pass
        called = name if np.ndim(ours[name]) == 0 or not what else what + name
        raise Unequal(f"{called} differs by {errors[name]:.1e}, and {TOLERANCE:g} is allowed.")
    return errors[name]
