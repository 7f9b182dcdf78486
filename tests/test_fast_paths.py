"""The fast ways are really taken. The slow ones give the same numbers, so no other test would
notice.

A training step, and a step of decoding, of a small Transformer: what is called how often, on how
many rows, in which memory.
"""

import sys

import numpy as np
import pytest

from minitransformer import Transformer, TransformerConfig, no_grad
from minitransformer.core import observe
from minitransformer.data.batching import Batch
from minitransformer.layers import CrossEntropy, Dropout, Embedding, LayerNorm, Linear, Softmax
from minitransformer.training import Adam, gradients

SOURCE = np.array([[4, 5, 6, 7], [8, 9, 0, 0], [4, 6, 0, 0]])
TARGET = np.array([[1, 5, 6, 7, 2, 0], [1, 9, 2, 0, 0, 0], [1, 6, 4, 2, 0, 0]])
BATCH = Batch(SOURCE, TARGET[:, :-1], TARGET[:, 1:])
REAL = [int((ids != 0).sum()) for ids in (SOURCE, TARGET[:, :-1])]


@pytest.fixture
def model():
    config = TransformerConfig(
        source_vocabulary=11, d_model=8, heads=2, d_ff=12, encoder_layers=1, decoder_layers=1,
        max_length=8, dropout=0.1,
    )
    return Transformer(config, 0)


@pytest.fixture
def calls(monkeypatch):
    """`calls(name)`: a list that gets (arguments, options) of each call of this helper of
    `backend`, by whichever module."""

    def record(name):
        import minitransformer.backend

        helper, found = getattr(minitransformer.backend, name), []

        def recorded(*arguments, **options):
            found.append((arguments, options))
            return helper(*arguments, **options)

        for module in [m for path, m in sys.modules.items() if path.startswith("minitransformer.")]:
            if vars(module).get(name) is helper:
                monkeypatch.setattr(module, name, recorded)
        return found

    return record


def step(model, **options):
    return gradients(model, CrossEntropy(0.1, padding=0), BATCH, **options)


def count(model, kind):
    return sum(isinstance(module, kind) for _, module in model.named_modules())


def test_an_embeddings_gradient_is_added_by_sorted_rows(model, calls):
    added = calls("add_rows")
    step(model)
    assert len(added) == count(model, Embedding) == 2


def test_a_norm_centres_once_and_takes_its_means_by_products(model, calls):
    centred, means, sums = calls("centre"), calls("feature_mean"), calls("position_sum")
    step(model)
    norms = count(model, LayerNorm)
    assert len(centred) == norms == 5 and len(means) == 4 * norms  # one inside centre, and three
    assert len(sums) == 2 * norms + sum(
        module.bias is not None for _, module in model.named_modules() if isinstance(module, Linear)
    )


def test_after_zero_grad_a_weights_gradient_is_written_where_it_belongs(model, calls):
    """And not first made elsewhere, and then added to zeros."""
    made = calls("position_product")
    weights = count(model, Linear)
    model.zero_grad()
    step(model)
    memories = [options.get("out") for _, options in made]
    assert len(memories) == weights == 17
    assert {id(memory) for memory in memories} == {
        id(m.weight.grad) for _, m in model.named_modules() if isinstance(m, Linear)
    }
    step(model)  # now there is something to add to
    assert len(made) == 2 * weights and not any(options for _, options in made[weights:])


def test_nothing_is_computed_at_padding(model):
    rows = {}

    def note(path, component, inputs, output):
        if isinstance(component, (Linear, LayerNorm)):
            rows[path] = inputs[0].shape[:-1]

    for skips in (True, False):
        with observe(model, on_forward=note):
            step(model, skip_padding=skips)
        source, target = [(n,) for n in REAL] if skips else (SOURCE.shape, BATCH.target_in.shape)
        for path, shape in rows.items():
            of_source = (
                path.startswith("encoder")
                or ".cross_attention.key" in path
                or ".cross_attention.value" in path
            )
            assert shape == (source if of_source else target), path


def test_scores_reach_softmax_with_the_key_axis_outermost_in_memory(model):
    """In all three attentions, masked, forward and backward: softmax then reduces over long
    contiguous pieces."""
    strides = []

    def note(path, component, inputs, output):
        if isinstance(component, Softmax):
            strides.append((path, inputs[0].strides, output.strides))

    with observe(model, on_forward=note, on_backward=note):
        step(model)
    assert len(strides) == 2 * 3
    for path, *both in strides:
        assert all(max(walk) == walk[-1] for walk in both), path


def test_dropout_draws_its_coins_from_raw_bits(model, calls):
    masks = calls("keep_mask")
    step(model)
    assert (
        len(masks)
        == sum(module.p > 0 for _, module in model.named_modules() if isinstance(module, Dropout))
        == 7
    )


def test_adam_goes_through_all_parameters_at_once_in_blocks(model, calls):
    blocks = calls("in_blocks")
    optimizer = Adam(model, 1e-3)
    step(model)
    optimizer.step()
    assert len(blocks) == 1
    ((_, data, grad, *_), _) = blocks[0]
    assert data.size == grad.size == model.parameter_count()


def test_a_step_of_decoding_reads_one_token(model):
    rows = []

    def note(path, component, inputs, output):
        if isinstance(component, (Linear, LayerNorm)):
            rows.append(inputs[0].shape[:-1])

    with no_grad():
        state = model.eval().start(SOURCE)
        for t in range(3):
            rows.clear()
            with observe(model, on_forward=note):
                _, state = model.step(TARGET[:, t], state)
            others = [shape for shape in rows if shape != (3, 1)]
            # the source's keys and values, once
            assert others == ([SOURCE.shape] * 2 if t == 0 else [])
