"""On a real card: everything of `test_device.py`, `test_replays.py` and `test_kernels.py` once
more, and what only a card can show. By `make test-gpu`.

Float32 there is held to 1e-4 and float64 to 1e-10 of the CPU's, for each component, forward and
backward.
"""

import contextlib

import numpy as np
import pytest
import test_device
import test_kernels
import test_replays
from on_a_device import close, kernels, on_device  # noqa: F401 - a fixture
from test_device import batch_of, pair
from test_kernels import block, by_kernels  # noqa: F401 - fixtures
from test_replays import RECORDED, as_long_as_it_is  # noqa: F401 - a fixture

from minitransformer.backend import arrays
from minitransformer.backend.arrays import gpu_problem
from minitransformer.gpu import accelerated
from minitransformer.gpu.graphs import Recorder, Recording
from minitransformer.layers import CrossEntropy
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.training import Adam, train
from minitransformer.training.gradients import forward_and_backward

if problem := gpu_problem():
    pytest.skip(problem, allow_module_level=True)

pytestmark = pytest.mark.gpu
for module in (test_device, test_replays, test_kernels):
    globals().update(
        {
            name: test
            for name, test in vars(module).items()
            if name.startswith("test_") and "stand_in" not in name
        }
    )


@pytest.mark.parametrize("name", RECORDED)
def test_nothing_inside_a_step_waits_for_the_card(name):
    """A stream that is captured refuses whatever would have to wait: what can be recorded, the
    optimizer included, waits for nothing."""
    model = pair(name, "float32")[1]
    loss, optimizer = CrossEntropy(0.1, padding=0), Adam(model, 0.01)
    optimizer.t = 1

    def step(*batch):
        optimizer.flat.zero_grad()
        value = forward_and_backward(model, loss, *batch)
        optimizer.update(0.01, optimizer.flat.grad)
        return value

    batch = [on_device(ids) for ids in batch_of()]
    with accelerated(model, loss):
        float(step(*batch))  # compiles the kernels
        recording = Recording(Recorder(arrays._cupy()), step, *batch)
    losses = [float(recording.launch()) for _ in range(30)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kernels_too", [False, True])
def test_a_hundred_steps_follow_the_cpu(kernels_too):
    config = TransformerConfig.preset("toy", source_vocabulary=17, dropout=0.0)
    curves = []
    for device in ("cpu", "gpu"):
        model, loss, seen = Transformer(config, 1).to(device), CrossEntropy(0.1, padding=0), []
        with (
            accelerated(model, loss)
            if kernels_too and device == "gpu"
            else contextlib.nullcontext()
        ):
            train(model, loss, Adam(model, 1e-3), batch_of, 100, 1.0, [seen.append])
        curves.append(np.array([step.loss for step in seen]))
    assert curves[0][-1] < 0.5 * curves[0][0]
    close([curves[1]], [curves[0]], 1e-3)


def test_too_little_memory_is_a_memory_error():
    with pytest.raises(MemoryError):
        on_device(np.zeros(1)).repeat(1 << 40)
