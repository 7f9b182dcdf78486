"""Wall time against length: of the layers of Table 1, and of a training step of every
contestant."""

import statistics
import time

import numpy as np

from ..data.batching import make_batch
from ..data.tasks import make_task
from ..data.vocabulary import PAD
from ..layers.cross_entropy import CrossEntropy
from ..runs import configure, find_model
from ..training.optimizers import Adam
from .plan import equal_sizes
from .table1 import GATED, LAYERS, crossing

BATCH = 8


def measure(plan, advance):
    """Medians in seconds, the contestants alternating: {"layers": {...}, "models": {...}}, each
    {title: [seconds]}.

    A layer's time is one forward and backward at width `clock_width`. A model's is one training
    step (forward, loss, backward, Adam), all models with as many parameters as the Transformer of
    that width. Sequences a batch: 8.
    """
    lengths = list(plan.clock_lengths)
    layers, models = {}, {}
    for n in lengths:
        for title, seconds in medians(layer_steps(plan, n)).items():
            layers.setdefault(title, []).append(seconds)
        advance(1)
        for title, seconds in medians(model_steps(plan, n)).items():
            models.setdefault(title, []).append(seconds)
        advance(1)
    first = LAYERS["attention"].title
    recurrent = {t: layers[t] for t in (LAYERS["recurrent"].title, GATED.title)}
    crossings = {
        f"{first} against {title}": crossing(lengths, layers[first], times)
        for title, times in recurrent.items()
    }
    return {"lengths": lengths, "batch": BATCH, "width": plan.clock_width, "layers": layers,
            "models": models, "crossings": crossings}  # fmt: skip


def steps_of(plan):
    return 2 * len(plan.clock_lengths)


def medians(steps, budget=0.6, least=3, most=30):
    """{name: median seconds} of calling each step in turn, again and again, for about `budget`
    seconds a step."""
    seconds = {name: [] for name in steps}
    for step in steps.values():
        step()  # fills the caches
    began = time.perf_counter()
    while len(next(iter(seconds.values()))) < least or (
        time.perf_counter() - began < budget * len(steps)
        and len(next(iter(seconds.values()))) < most
    ):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def layer_steps(plan, n):
    """{title: a function that runs one forward and backward} of the layers of Table 1."""
    x = np.random.default_rng(0).standard_normal((BATCH, n, plan.clock_width)).astype(np.float32)
    return {
        layer.title: layer_step(layer.make(plan.clock_width, layer.size, 0), x)
        for layer in (*LAYERS.values(), GATED)
    }


def layer_step(layer, x):
    def step():
        layer.backward(layer.forward(x))

    return step


def model_steps(plan, n):
    """{title: a function that makes one training step} of the contestants, on reversing sequences
    of n symbols."""
    task = make_task("reverse", min_length=n, max_length=n)
    batch = make_batch(*task.sample(np.random.default_rng(0), BATCH))
    from_data = {"source_vocabulary": len(task.vocabulary), "max_length": 2 * n + 2}
    options = equal_sizes(plan, plan.clock_width, **from_data)
    steps = {}
    for contestant in plan.contestants():
        config = configure(contestant.model, "toy", options[contestant.model], **from_data)
        steps[contestant.title] = model_step(find_model(contestant.model).model(config, 0), batch)
    return steps


def model_step(model, batch):
    loss, optimizer = CrossEntropy(padding=PAD), Adam(model, 1e-4)

    def step():
        model.zero_grad()
        loss(model(batch.source, batch.target_in), batch.target_out)
        model.backward(loss.backward())
        optimizer.step()

    return step
