"""Pictures: what is drawn is what the model computed, every label stands where it belongs, nothing
leaves the page."""

import itertools
import os
import subprocess
import sys
import threading
import types
import warnings

import numpy as np
import pytest
from common import central_differences, refusal
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.patches import FancyArrowPatch

from minitransformer import LanguageModel, Module, Transformer, TransformerConfig, no_grad
from minitransformer.attention import attention_maps, keep_weights
from minitransformer.cli.pictures import figures
from minitransformer.errors import InputError
from minitransformer.grading.comparison import plot_comparison
from minitransformer.inspection import attention_gradients
from minitransformer.layers import FeedForward
from minitransformer.layers.positional_encoding import sinusoids
from minitransformer.plotting import (
    GRADIENT,
    KEY,
    QUERY,
    VALUE,
    attention_weights,
    draw_bars,
    draw_lines,
    plot_architecture,
    plot_attention,
    plot_attention_and_gradient,
    plot_attention_architecture,
    plot_attention_strip,
    plot_influence,
    plot_loss_curve,
    plot_matrices,
    plot_positional_encoding,
)
from minitransformer.plotting.curves import series, smoothed
from minitransformer.plotting.fonts import font_for, has
from minitransformer.plotting.labels import AxisLabels
from minitransformer.plotting.maps import FINEST, MOST, label_axes, lay_out
from minitransformer.plotting.panels import panels as plain_panels
from minitransformer.plotting.style import INK
from minitransformer.runs import MODELS, configure, find_model
from minitransformer.runs.run import Run, make_config

# S = 5, T = 4, the target with EOS
SOURCE, TARGET = np.array([7, 5, 9, 6, 11]), np.array([8, 12, 4, 2])
SOURCE_TOKENS, TARGET_TOKENS = ["neunundsiebzig", "b", "c", "d", "e"], ["w", "x", "y", "<eos>"]
SIZES = dict(
    source_vocabulary=20, d_model=12, heads=3, d_ff=14, encoder_layers=2, decoder_layers=4,
    max_length=32,
)


def make(model=Transformer, **changes):
    return model(TransformerConfig(**{**SIZES, **changes}), 0)


def panels(figure):
    """The axes with a map in them, row by row; the colour bar's own axes left out."""
    return [axes for axes in figure.axes if axes.images]


def colour_bars(figure):
    return [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]


def shape(figure):
    """(rows, columns) of the panels, from where they stand."""
    corners = [axes.get_position() for axes in panels(figure)]
    return len({round(c.y0, 4) for c in corners}), len({round(c.x0, 4) for c in corners})


def texts(figure):
    """All texts of a figure, its axes' titles, names and ticks included."""
    return [t.get_text() for t in all_texts(figure) if t.get_text()]


def all_texts(figure):
    return [
        t for t in figure.findobj(lambda artist: hasattr(artist, "get_text")) if t.get_visible()
    ]


def labels(axis):
    return [tick.get_text() for tick in axis.get_ticklabels()]


def text_boxes(figure):
    """[(text, its box in pixels)] of a drawn figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [
        (text.get_text(), text.get_window_extent(canvas.get_renderer()))
        for text in all_texts(figure)
    ]
    return [(text, box) for text, box in boxes if text and box.width > 1]


def assert_on_the_page(figure):
    """All that is drawn, texts included, lies within the page."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn, (width, height) = figure.get_tightbbox(canvas.get_renderer()), figure.get_size_inches()
    hair = 0.005  # axes that fill the page may round beyond it
    inside = (
        min(drawn.x0, drawn.y0) >= -hair and drawn.x1 <= width + hair and drawn.y1 <= height + hair
    )
    assert inside, (
        f"what is drawn reaches from {drawn.min} to {drawn.max} on a page of {width} × {height} "
        "inches"
    )


def overlaps(figure):
    """Pairs of texts that cover each other."""
    boxes = text_boxes(figure)
    return [
        (a, b)
        for i, (a, x) in enumerate(boxes)
        for b, y in boxes[i + 1 :]
        if x.shrunk(0.9, 0.9).overlaps(y)
    ]


# -- the numbers -----------------------------------------------------------------------------------


def test_attention_weights_are_those_of_a_forward_with_the_shifted_target():
    model = make(decoder_layers=2).eval()
    weights = attention_weights(model, SOURCE, TARGET)
    with keep_weights(model):
        model(SOURCE[None], np.array([[1, 8, 12, 4]]))
    kept = attention_maps(model)
    assert list(weights) == ["encoder", "decoder", "cross"]
    for kind, path in [("encoder", "encoder.layers.{}.self_attention.attention"),
                       ("decoder", "decoder.layers.{}.self_attention.attention"),
                       ("cross", "decoder.layers.{}.cross_attention.attention")]:  # fmt: skip
        for layer in range(2):
            np.testing.assert_array_equal(weights[kind][layer], kept[path.format(layer)][0])


def test_attention_weights_have_layers_heads_queries_keys():
    weights = attention_weights(make(), SOURCE, TARGET)
    assert {kind: w.shape for kind, w in weights.items()} == {
        "encoder": (2, 3, 5, 5), "decoder": (4, 3, 4, 4), "cross": (4, 3, 4, 5)
    }  # fmt: skip
    np.testing.assert_allclose(weights["cross"].sum(axis=-1), 1, rtol=1e-5)


def test_a_language_model_has_one_kind_over_source_and_target():
    model = make(LanguageModel).eval()
    weights = attention_weights(model, SOURCE, TARGET)
    assert {kind: w.shape for kind, w in weights.items()} == {"self": (4, 3, 9, 9)}
    with keep_weights(model):
        model(SOURCE[None], np.array([[1, 8, 12, 4]]))
    kept = attention_maps(model)["layers.layers.1.self_attention.attention"]
    np.testing.assert_array_equal(weights["self"][1], kept[0])
    assert attention_weights(model, None, TARGET)["self"].shape == (4, 3, 4, 4)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training):
    model = make(dropout=0.5)
    model.train(training)
    model.encoder.eval()
    modes = [m.training for _, m in model.named_modules()]
    random = model.generators()[0].bit_generator.state
    attention = model.decoder.layers[0].cross_attention.attention
    with keep_weights(model):
        model(SOURCE[None], SOURCE[None])
        before = attention.weights
        attention_weights(model, SOURCE, TARGET)
        assert attention.keep and attention.weights is before
    assert [m.training for _, m in model.named_modules()] == modes
    model.clear_saves()
    attention_weights(model, SOURCE, TARGET)
    assert not model.leftover_saves()
    if not training:
        assert model.generators()[0].bit_generator.state == random


def test_the_weights_are_those_without_dropout():
    model = make(dropout=0.5)
    np.testing.assert_array_equal(
        *(attention_weights(model, SOURCE, TARGET)["cross"] for _ in range(2))
    )


# -- attention -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, rows, queries, keys", [
    ("cross", 4, TARGET_TOKENS, SOURCE_TOKENS),
    ("decoder", 4, TARGET_TOKENS, ["<bos>", "w", "x", "y"]),
    ("encoder", 2, SOURCE_TOKENS, SOURCE_TOKENS),
])  # fmt: skip
def test_attention_panels_show_the_weights_under_their_labels(kind, rows, queries, keys):
    model = make()
    figure = plot_attention(model, SOURCE, TARGET, SOURCE_TOKENS, TARGET_TOKENS, kind)
    assert shape(figure) == (rows, 3) and len(panels(figure)) == rows * 3
    weights = attention_weights(model, SOURCE, TARGET)[kind]
    for i, axes in enumerate(panels(figure)):
        layer, head = divmod(i, 3)
        assert axes.get_title() == f"layer {layer + 1}, head {head + 1}"
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), weights[layer, head])
    left, bottom = panels(figure)[0], panels(figure)[-1]
    assert labels(left.yaxis) == queries
    assert labels(bottom.xaxis) == keys
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the first query at the top


@pytest.mark.parametrize("kind, key, query", [
    ("cross", "key (source)", "query (token produced)"),
    ("encoder", "key (source)", "query (source)"),
    ("decoder", "key (target so far, as read)", "query (token produced)"),
])  # fmt: skip
def test_attention_axes_say_what_they_are(kind, key, query):
    figure = plot_attention(make(), SOURCE, TARGET, kind=kind)
    assert [t.get_text() for t in figure.texts if t.get_rotation() == 90] == [query]
    assert key in [t.get_text() for t in figure.texts if t.get_rotation() == 0]


def test_all_panels_share_one_colour_scale_and_one_bar():
    model = make()
    cross = plot_attention(model, SOURCE, TARGET)
    images = [axes.images[0] for axes in panels(cross)]
    largest = attention_weights(model, SOURCE, TARGET)["cross"].max()
    assert {image.get_clim() for image in images} == {(0, 1 if largest >= 0.5 else largest)}
    assert len(colour_bars(cross)) == 1
    assert colour_bars(cross)[0].get_ylabel() == "attention weight"
    strip = plot_attention_strip([(0, np.ones((2, 3, 4, 5)))], SOURCE_TOKENS, TARGET_TOKENS)
    assert len({image.get_cmap().name for image in [*images, strip.axes[0].images[0]]}) == 1
    luminance = images[0].get_cmap()(np.linspace(0, 1, 11))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()  # brighter is higher


def test_weights_that_are_all_small_are_not_all_dark():
    for largest, end in ((0.125, 0.125), (0.6, 1), (0.0, 1)):
        weights = np.full((1, 1, 4, 5), largest)
        strip = plot_attention_strip([(0, weights)], SOURCE_TOKENS, TARGET_TOKENS)
        assert panels(strip)[0].images[0].get_clim() == (0, end)


@pytest.mark.parametrize("kind, hidden", [
    ("cross", np.tile([False, False, False, False, True], (4, 1))),
    ("encoder", np.tile([False, False, False, False, True], (5, 1))),
    ("decoder", ~np.tri(4, dtype=bool)),
])  # fmt: skip
def test_what_the_mask_forbids_is_hatched_and_what_is_only_zero_is_not(kind, hidden):
    padded = np.append(SOURCE[:4], 0)
    figure = plot_attention(make(), padded, TARGET, kind=kind)
    for axes in panels(figure):
        np.testing.assert_array_equal(np.ma.getmaskarray(axes.images[0].get_array()), hidden)
        assert axes.patch.get_hatch()
    assert any("hatched" in text for text in texts(figure))
    assert_on_the_page(figure)


def test_where_nothing_is_forbidden_nothing_is_hatched():
    figure = plot_attention(make(), SOURCE, TARGET)
    assert not any(np.ma.is_masked(axes.images[0].get_array()) for axes in panels(figure))
    assert not any("hatched" in text for text in texts(figure))


def test_a_word_is_hidden_where_all_of_its_tokens_are():
    figure = plot_attention(
        make(), SOURCE, TARGET, ["a", "b"], ["c", "d", "e"], "decoder", sizes=([2, 3], [1, 2, 1])
    )
    hidden = np.ma.getmaskarray(panels(figure)[0].images[0].get_array())
    # "d" are tokens 1 and 2 of what is written; as read they stand at 2 and 3, and 2 may see 2
    np.testing.assert_array_equal(
        hidden, [[False, True, True], [False, False, False], [False, False, False]]
    )


def test_the_mean_over_heads_is_one_more_column():
    model = make()
    figure = plot_attention(model, SOURCE, TARGET, mean=True)
    assert shape(figure) == (4, 4)
    last = panels(figure)[3]
    assert last.get_title() == "layer 1, mean"
    expected = attention_weights(model, SOURCE, TARGET)["cross"][0].mean(axis=0)
    np.testing.assert_array_equal(np.asarray(last.images[0].get_array()), expected)


def test_layers_and_heads_are_chosen_by_their_numbers():
    model = make()
    figure = plot_attention(model, SOURCE, TARGET, layers=[3, 1], heads=2)
    assert [axes.get_title() for axes in panels(figure)] == ["layer 3, head 2", "layer 1, head 2"]
    weights = attention_weights(model, SOURCE, TARGET)["cross"]
    np.testing.assert_array_equal(
        np.asarray(panels(figure)[0].images[0].get_array()), weights[2, 1]
    )


def test_a_language_model_labels_source_then_target():
    figure = plot_attention(make(LanguageModel), SOURCE, TARGET, SOURCE_TOKENS, TARGET_TOKENS)
    assert labels(panels(figure)[0].yaxis) == SOURCE_TOKENS + TARGET_TOKENS
    assert labels(panels(figure)[-1].xaxis) == [*SOURCE_TOKENS, "<bos>", "w", "x", "y"]
    # after the source's five rows
    assert [line.get_ydata()[0] for line in panels(figure)[0].lines][0] == 4.5
    alone = plot_attention(make(LanguageModel), None, TARGET, None, TARGET_TOKENS)
    assert labels(panels(alone)[0].yaxis) == TARGET_TOKENS and not panels(alone)[0].lines


def test_without_tokens_the_ids_are_the_labels():
    figure = plot_attention(make(), SOURCE, TARGET)
    assert labels(panels(figure)[-1].xaxis) == ["7", "5", "9", "6", "11"]
    assert labels(panels(figure)[0].yaxis) == ["8", "12", "4", "<eos>"]


def test_long_keys_stand_upright_and_short_ones_lie():
    figure = plot_attention(make(), SOURCE, TARGET, SOURCE_TOKENS, TARGET_TOKENS)
    assert [tick.get_rotation() for tick in panels(figure)[-1].get_xticklabels()] == [
        90, 0, 0, 0, 0,
    ]
    figure = plot_attention(make(), SOURCE, TARGET, list("abcde"), TARGET_TOKENS)
    assert {tick.get_rotation() for tick in panels(figure)[-1].get_xticklabels()} == {0}


def test_a_single_sign_lies_however_small_its_cell_is():
    """An upright m would be read as an E."""
    axes = Figure().subplots()
    layout = types.SimpleNamespace(font=12, cell=0.05, every=1, upright=True)
    named = types.SimpleNamespace(keys=["m", "mm", "and"], queries=[], boundary=0)
    label_axes(axes, named, layout, False, True)
    assert [tick.get_rotation() for tick in axes.get_xticklabels()] == [0, 90, 90]


def test_tokens_are_shown_as_they_are():
    figure = plot_attention(make(), SOURCE, TARGET, ["$a", "b$", " ", "_", "{"], TARGET_TOKENS)
    ticks = panels(figure)[-1].get_xticklabels()
    assert [t.get_text() for t in ticks] == ["$a", "b$", "␣", "_", "{"]
    assert not any(t.get_parse_math() for t in ticks)


@pytest.mark.slow
@pytest.mark.parametrize(
    "length, heads, layers", [(1, 2, 2), (5, 3, 2), (10, 3, 2), (10, 8, 6), (30, 3, 1)]
)
def test_every_text_has_its_place(length, heads, layers):
    model = make(heads=heads, d_k=4, encoder_layers=layers, decoder_layers=layers)
    tokens = ["neunundsiebzig", "a", "tausend", "ab"] * 8
    ids = np.arange(length) % 9 + 4
    figure = plot_attention(
        model, ids, np.append(ids, 2), tokens[:length], [*tokens[:length], "<eos>"], mean=True
    )
    assert_on_the_page(figure)
    assert overlaps(figure) == []


@pytest.mark.parametrize("kind", ["cross", "decoder", "encoder"])
def test_the_smallest_picture_has_room_for_its_names(kind):
    figure = plot_attention(make(), [7], [2], kind=kind, layers=1, heads=1)
    assert_on_the_page(figure)
    assert overlaps(figure) == []


# -- the strip -------------------------------------------------------------------------------------


def snapshots(count=21, rng=None):
    rng = rng or np.random.default_rng(0)
    return [(100 * i, rng.dirichlet(np.ones(5), size=(2, 3, 4))) for i in range(count)]


def test_the_strip_shows_first_last_and_even_steps_between():
    film = snapshots()
    figure = plot_attention_strip(film, SOURCE_TOKENS, TARGET_TOKENS, columns=5)
    assert shape(figure) == (1, 5)
    steps = [axes.get_title() for axes in panels(figure)]
    assert steps == ["step 0", "step 500", "step 1,000", "step 1,500", "step 2,000"]
    for axes, place in zip(panels(figure), (0, 5, 10, 15, 20)):
        np.testing.assert_array_equal(
            np.asarray(axes.images[0].get_array()), film[place][1][-1].mean(axis=0)
        )
    assert labels(panels(figure)[0].yaxis) == TARGET_TOKENS
    assert labels(panels(figure)[0].xaxis) == SOURCE_TOKENS
    assert len(panels(plot_attention_strip(film, SOURCE_TOKENS, TARGET_TOKENS))) == 8
    assert len(panels(plot_attention_strip(film[:3], SOURCE_TOKENS, TARGET_TOKENS))) == 3


def test_the_strip_shows_chosen_heads_of_a_chosen_layer():
    film = snapshots(2)
    figure = plot_attention_strip(
        film, SOURCE_TOKENS, TARGET_TOKENS, layer=1, heads=[3, 1], mean=False
    )
    assert shape(figure) == (2, 2)
    for row, head in enumerate((2, 0)):
        np.testing.assert_array_equal(
            np.asarray(panels(figure)[2 * row].images[0].get_array()), film[0][1][0, head]
        )
    assert {"head 3", "head 1", "Cross-attention of layer 1, while training"} <= set(texts(figure))
    assert "mean of heads" not in texts(figure)
    assert_on_the_page(figure)


def test_the_strip_of_a_language_model():
    film = [(0, attention_weights(make(LanguageModel), SOURCE, TARGET)["self"])]
    figure = plot_attention_strip(film, SOURCE_TOKENS, TARGET_TOKENS, kind="self")
    assert labels(panels(figure)[0].yaxis) == SOURCE_TOKENS + TARGET_TOKENS


# -- curves ----------------------------------------------------------------------------------------


def metrics(count=100):
    lines = []
    for step in range(1, count + 1):
        lines.append({"step": step, "loss": 3 / step, "learning_rate": 1e-3, "gradient_norm": 1.0})
        if step % 25 == 0:
            lines.append({"step": step, "validation_loss": 4 / step})
            lines[-1].update(exact_match=step / 200, token_accuracy=step / 100)
    return lines


def curves(axes):
    return {line.get_label(): line for line in axes.lines}


def test_the_loss_curve_shows_loss_matches_and_learning_rate():
    figure = plot_loss_curve(metrics(), title="copy")
    loss, share, rate = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "share right", "learning rate"]
    assert rate.get_xlabel() == "step" and figure.get_suptitle() == "copy"
    drawn = curves(loss)
    assert set(drawn) == {"training", "training, smoothed", "validation"}
    np.testing.assert_array_equal(drawn["training"].get_ydata(), 3 / np.arange(1, 101))
    np.testing.assert_array_equal(drawn["validation"].get_xdata(), [25, 50, 75, 100])
    np.testing.assert_array_equal(
        drawn["validation"].get_ydata(), [4 / 25, 4 / 50, 4 / 75, 4 / 100]
    )
    assert drawn["training"].get_alpha() < 0.5
    np.testing.assert_array_equal(curves(share)["exact match"].get_ydata(), [12.5, 25, 37.5, 50])
    np.testing.assert_array_equal(curves(share)["token accuracy"].get_ydata(), [25, 50, 75, 100])
    assert share.get_ylim()[0] <= 0 and share.get_ylim()[1] >= 100
    np.testing.assert_array_equal(rate.lines[0].get_ydata(), np.full(100, 1e-3))
    assert_on_the_page(figure)


def test_a_short_run_is_drawn_with_dots():
    figure = plot_loss_curve([{"step": 1, "loss": 2.5}])
    (line,) = figure.axes[0].lines
    assert len(figure.axes) == 1 and line.get_marker() == "o" and line.get_ydata() == [2.5]


def test_values_that_are_not_finite_leave_a_gap_and_a_cross():
    lines = metrics(40)
    lines[4]["loss"], lines[7]["loss"], lines[9]["loss"] = float("nan"), None, float("inf")
    drawn = curves(plot_loss_curve(lines).axes[0])
    np.testing.assert_array_equal(drawn["not finite"].get_xdata(), [5, 8, 10])
    for name in ("training", "training, smoothed"):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(drawn[name].get_ydata())), [4, 7, 9])
    assert_on_the_page(plot_loss_curve([{"step": i, "loss": float("nan")} for i in range(30)]))


def test_smoothing_is_a_mean_over_a_window_without_the_missing():
    values = np.arange(100.0)
    # the mean of a straight line is the line
    np.testing.assert_allclose(smoothed(values)[:90], values[:90])
    values[50] = np.nan
    assert np.isnan(smoothed(values)[50]) and smoothed(values)[49] == pytest.approx(
        (46 + 47 + 48 + 49 + 51 + 52) / 6
    )
    assert smoothed(values[:19]) is None
    noisy = np.random.default_rng(0).standard_normal(2000)
    assert smoothed(noisy)[100:].std() < 0.2


def test_of_two_lines_for_one_step_the_later_counts():
    steps, values = series(
        [{"step": 2, "loss": 5}, {"step": 1, "loss": 6}, {"step": 2, "loss": 4}], "loss"
    )
    assert steps.tolist() == [1, 2] and values.tolist() == [6, 4]


# -- positions -------------------------------------------------------------------------------------


def test_positions_show_the_table_and_all_dot_products():
    table = sinusoids(9, 6)
    figure = plot_positional_encoding(table)
    first, second = panels(figure)
    np.testing.assert_array_equal(np.asarray(first.images[0].get_array()), table)
    np.testing.assert_allclose(np.asarray(second.images[0].get_array()), table @ table.T)
    assert first.images[0].get_clim() == (-1, 1)
    assert [first.get_xlabel(), first.get_ylabel()] == ["channel", "position"]
    assert [second.get_xlabel(), second.get_ylabel()] == ["position q", "position p"]
    assert len(colour_bars(figure)) == 2
    assert_on_the_page(figure)


# -- architecture ----------------------------------------------------------------------------------


def test_the_architecture_is_read_from_the_model():
    drawn = texts(plot_architecture(make(dropout=0.3)))
    assert (
        drawn.count("Multi-head\nattention") == 2
        and drawn.count("Masked multi-head\nattention") == 1
    )
    assert drawn.count("Add & norm") == 5 and drawn.count("Feed forward") == 2
    assert "2 ×" in drawn and "4 ×" in drawn
    assert drawn.count("3 heads, width 4") == 3
    assert drawn.count("12 → 14 → 12, ReLU") == 2
    assert drawn.count("dropout 0.3 on the branch") == 5
    assert drawn.count("20 tokens × 12, times √12") == 2
    assert {
        "Linear", "Softmax", "Output probabilities", "12 → 20, no bias", "memory (B, S, D)",
    } <= set(drawn)
    assert {
        "self_attention", "cross_attention", "feed_forward", "add_norm_3", "source_input.position",
    } <= set(drawn)


def test_the_architecture_changes_with_the_model():
    drawn = texts(plot_architecture(make(
        norm="pre", tie_embeddings=True, positions="learned", activation="gelu", heads=2, d_k=5,
        d_v=7, bias=True, attention_dropout=0.2, activation_dropout=0.1, max_length=50, dropout=0.0,
    )))  # fmt: skip
    # 5, and two final ones
    assert "Add & norm" not in drawn and drawn.count("Add") == 5 and drawn.count("Norm") == 7
    assert {
        "encoder.final_norm", "decoder.final_norm", "the embedding's own table", "no dropout",
    } <= set(drawn)
    assert drawn.count("one table for both inputs") == 2
    assert drawn.count("positional encoding, learned") == 2 and drawn.count("up to 50 tokens") == 2
    assert drawn.count("2 heads, width 5, values 7") == 3
    assert drawn.count("bias, dropout 0.2 on the weights") == 3
    assert (
        drawn.count("12 → 14 → 12, GELU") == 2
        and drawn.count("dropout 0.1 on the hidden layer") == 2
    )


def test_sizes_come_from_the_components_and_not_from_the_configuration():
    model = make()
    for layer in model.encoder.layers:
        layer.feed_forward = layer.add_norm_2.sublayer = FeedForward(
            12, 99, np.random.default_rng(0)
        )
    del model.decoder.layers[1:]
    drawn = texts(plot_architecture(model))
    assert "12 → 99 → 12, ReLU" in drawn and "1 ×" in drawn and "4 ×" not in drawn
    assert f"post-norm, {model.parameter_count():,} parameters" in drawn


def test_each_side_has_its_own_vocabulary_and_dropout():
    model = make(target_vocabulary=30)
    model.source_input.dropout.p = 0.4
    drawn = texts(plot_architecture(model))
    assert {
        "20 tokens × 12, times √12", "30 tokens × 12, times √12", "V = 30 tokens in the vocabulary",
    } <= set(drawn)
    assert (
        drawn.count("up to 32 tokens, dropout 0.4") == 1
        and drawn.count("up to 32 tokens, dropout 0.1") == 1
    )


@pytest.mark.parametrize("changes", [{}, {"norm": "pre"}, {"encoder_layers": 0}])
def test_the_encoder_feeds_keys_and_values_of_the_cross_attention(changes):
    axes = plot_architecture(make(**changes)).axes[0]
    place = {
        t.get_text(): t.get_position()
        for t in sorted(axes.texts, key=lambda t: t.get_position()[0])
    }
    encoder, cross = place["Inputs"][0], place["Multi-head\nattention"]
    arrows = [p.get_path().vertices for p in axes.patches if isinstance(p, FancyArrowPatch)]
    (crossing,) = [
        a for a in arrows if abs(a[0, 0] - encoder) < 0.01 and a[:, 0].max() > encoder + 3
    ]
    shaft = crossing[:6]  # the rest is the arrow's head
    # up into the box from below
    assert cross[0] - 1 < shaft[-1, 0] < cross[0] and 0.3 < cross[1] - shaft[-1, 1] < 0.6
    # over the top of the encoder, then down
    assert shaft[0, 1] < shaft[1, 1] and shaft[2, 1] > shaft[3, 1]


def heights(figure):
    """{box text: heights of the boxes with it}, from the bottom up."""
    found = {}
    for text in sorted(figure.axes[0].texts, key=lambda t: t.get_position()[1]):
        found.setdefault(text.get_text(), []).append(text.get_position()[1])
    return found


def test_post_norm_stands_above_its_sublayer_and_pre_norm_below():
    models = [make(LanguageModel, norm=norm, final_norm=False) for norm in ("post", "pre")]
    post, pre = (heights(plot_architecture(model)) for model in models)
    attention = "Masked multi-head\nattention"
    assert (
        post[attention][0] < post["Add & norm"][0] < post["Feed forward"][0] < post["Add & norm"][1]
    )
    assert (
        pre["Norm"][0]
        < pre[attention][0]
        < pre["Add"][0]
        < pre["Norm"][1]
        < pre["Feed forward"][0]
        < pre["Add"][1]
    )


def test_a_language_model_has_one_stack_without_cross_attention():
    drawn = texts(plot_architecture(make(LanguageModel)))
    assert drawn.count("Masked multi-head\nattention") == 1 and "Multi-head\nattention" not in drawn
    assert "cross_attention" not in drawn and "memory (B, S, D)" not in drawn
    assert [t for t in drawn if t.endswith(" ×")] == ["4 ×"]


def test_kinds_of_components_have_one_colour_each():
    figures = plot_architecture(make()), plot_attention_architecture(make())
    colours = [colour_behind(figure, text) for figure, text in [
        (figures[0], "Multi-head\nattention"), (figures[0], "Add & norm"),
        (figures[0], "Feed forward"), (figures[0], "Linear"), (figures[0], "Embedding"),
        (figures[0], "Softmax"),
    ]]  # fmt: skip
    assert len(set(colours)) == 6
    assert colour_behind(figures[0], "Masked multi-head\nattention") == colours[0]
    assert colour_behind(figures[1], "Scaled dot-product attention") == colours[0]
    assert colour_behind(figures[1], "Linear") == colours[3]
    assert colour_behind(figures[1], "SoftMax") == colours[5]


def colour_behind(figure, text):
    axes = figure.axes[0]
    x, y = next(
        t.get_position() for t in axes.texts if t.get_text() == text and t.get_ha() == "center"
    )
    behind = [
        p for p in axes.patches if p.get_path().get_extents(p.get_patch_transform()).contains(x, y)
    ]
    return max(behind, key=lambda p: p.get_zorder()).get_facecolor()


def test_attention_architecture_has_the_steps_and_sizes_of_the_model():
    drawn = texts(plot_attention_architecture(make(d_k=5, d_v=7)))
    assert drawn.count("MatMul") == 2 and {"Scale", "Mask (opt.)", "SoftMax", "Concat"} <= set(
        drawn
    )
    assert drawn.count("Linear") == 4 and "Dropout" not in drawn
    assert {
        "÷ √K = √5", "12 → 3 × 5, value 3 × 7", "3 × 7 → 21", "21 → 12", "3 heads side by side",
    } <= set(drawn)
    assert "encoder.layers.0.self_attention" in drawn
    assert "Dropout" in texts(plot_attention_architecture(make(attention_dropout=0.1)))
    assert "layers.layers.0.self_attention" in texts(
        plot_attention_architecture(make(LanguageModel))
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", [
    lambda: make(),
    lambda: make(norm="pre", tie_embeddings=True, bias=True, attention_dropout=0.1,
                 activation_dropout=0.1, d_v=7),
    lambda: make(source_vocabulary=37000, d_model=24, d_ff=2048, d_k=64, dropout=0.1,
                 decoder_layers=12),
    lambda: make(encoder_layers=0),
    lambda: make(LanguageModel),
    lambda: make(LanguageModel, norm="pre", decoder_layers=48),
])  # fmt: skip
def test_the_drawings_fit_their_pages(model):
    for draw in (plot_architecture, plot_attention_architecture):
        figure = draw(model())
        assert_on_the_page(figure)
        assert overlaps(figure) == []


@pytest.mark.parametrize("name", MODELS)
def test_influence_is_drawn_for_every_model(name):
    model = find_model(name).model(
        configure(name, "toy", {"d_model": 12}, source_vocabulary=20, max_length=32), 0
    )
    figure = plot_influence(model, SOURCE, TARGET, SOURCE_TOKENS, TARGET_TOKENS)
    (axes,) = panels(figure)
    shares = axes.images[0].get_array()
    assert shares.shape == (4, 5) and "share of the gradient" in texts(figure)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert [t.get_text() for t in axes.get_xticklabels()] == SOURCE_TOKENS
    assert [t.get_text() for t in axes.get_yticklabels()] == TARGET_TOKENS
    assert_on_the_page(figure)


def test_a_comparison_shows_yours_expected_and_their_difference():
    yours, expected = np.linspace(-1, 3, 20).reshape(4, 5), np.linspace(-1, 1, 20).reshape(4, 5)
    figure = plot_comparison("d_x", yours, expected)
    (first, second, third) = panels(figure)
    np.testing.assert_array_equal(third.images[0].get_array(), yours - expected)
    assert first.images[0].get_clim() == second.images[0].get_clim() == (-3, 3) and third.images[
        0
    ].get_clim() == (-2, 2)
    assert [a.get_title() for a in (first, second, third)] == [
        "d_x, yours", "d_x, expected", "difference",
    ]
    assert_on_the_page(figure)
    assert overlaps(figure) == []


@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 48), (48, 1), (48, 48)])
def test_a_comparison_of_any_size_stays_on_its_page_also_without_a_difference(rows, columns):
    yours, expected = np.full((rows, columns), np.nan), np.zeros((rows + 1, columns))
    figure = plot_comparison("d_x", yours, expected)
    assert len(panels(figure)) == 2
    assert_on_the_page(figure)
    assert overlaps(figure) == []


@pytest.mark.parametrize(
    "name, word",
    [("conv", "Causal\nconvolution"), ("local-attention", "Local multi-head\nattention")],
)
def test_the_architecture_of_the_older_stacks_names_what_mixes(name, word):
    model = find_model(name).model(configure(name, "toy", source_vocabulary=20, max_length=32), 0)
    figure = plot_architecture(model)
    assert texts(figure).count(word) == 1 and "Feed forward" in texts(figure)
    wanted = (
        ["width 3: 3 × 64 → 64", "dilation 3^i in layer i"]
        if name == "conv"
        else ["4 heads, width 16", "window 16"]
    )
    assert set(wanted) <= {line for text in texts(figure) for line in text.split("\n")}
    assert_on_the_page(figure)
    assert overlaps(figure) == []


def test_the_gradient_stands_beside_the_attention_it_belongs_to():
    model = make()
    figure = plot_attention_and_gradient(
        model, SOURCE, TARGET, SOURCE_TOKENS, TARGET_TOKENS, layer=2, head=3
    )
    weights, gradient, influence = (axes.images[0] for axes in panels(figure))
    np.testing.assert_array_equal(
        weights.get_array(), attention_weights(model, SOURCE, TARGET)["cross"][1, 2]
    )
    expected = attention_gradients(model, SOURCE, TARGET)["cross"][1, 2]
    np.testing.assert_array_equal(gradient.get_array(), expected)
    assert gradient.get_clim() == (-np.abs(expected).max(), np.abs(expected).max())
    np.testing.assert_allclose(influence.get_array().max(axis=1), 1, rtol=1e-6)
    end = weights.get_clim()[1]
    assert [a.get_title() for a in panels(figure)] == [
        f"attention, 0 to {end:.2g}", "gradient of the scores", "influence",
    ]
    assert end == (weights.get_array().max() if weights.get_array().max() < 0.5 else 1)
    assert (
        "layer 2, head 3" in " ".join(texts(figure))
        and labels(panels(figure)[0].yaxis) == TARGET_TOKENS
    )
    assert_on_the_page(figure)
    assert overlaps(figure) == []


def test_the_gradient_of_all_heads_is_their_sum_in_the_last_layer_and_words_are_summed():
    model = make()
    figure = plot_attention_and_gradient(
        model, SOURCE, TARGET, ["a", "b"], ["w", "x"], sizes=([2, 3], [3, 1])
    )
    weights, gradient, influence = (axes.images[0].get_array() for axes in panels(figure))
    assert weights.shape == gradient.shape == influence.shape == (2, 2)
    whole = attention_gradients(model, SOURCE, TARGET)["cross"][-1].sum(axis=0)
    np.testing.assert_allclose(gradient[1], [whole[3, :2].sum(), whole[3, 2:].sum()], rtol=1e-5)
    assert "layer 4, all heads" in " ".join(texts(figure))


def test_attention_gradients_are_what_a_moved_score_does_to_the_log_probability():
    model = make(decoder_layers=2).to("float64").eval()
    gradients = attention_gradients(model, SOURCE, TARGET)
    assert {kind: g.shape for kind, g in gradients.items()} == {
        "encoder": (2, 3, 5, 5), "decoder": (2, 3, 4, 4), "cross": (2, 3, 4, 5),
    }
    for gradient in gradients.values():
        np.testing.assert_allclose(gradient.sum(axis=-1), 0, atol=1e-12)
    attentions = {
        "encoder": model.encoder.layers[1].self_attention,
        "cross": model.decoder.layers[0].cross_attention,
    }
    for (kind, attention), layer in zip(attentions.items(), (1, 0)):
        masking = attention.attention.masking
        move, plain = np.zeros((1, 3, 4 if kind == "cross" else 5, 5)), masking.forward
        masking.forward = lambda scores, mask=None, move=move, plain=plain: plain(
            scores + move, mask
        )
        numeric = central_differences(lambda: log_probability(model), move, step=1e-5)
        masking.forward = plain
        np.testing.assert_allclose(gradients[kind][layer], numeric[0], atol=1e-8)
    assert not model.leftover_saves() and not hasattr(attention.attention, "d_weights")


def log_probability(model):
    """Σ_t log p(y_t) of the one sequence of these tests."""
    with no_grad():
        logits = model(SOURCE[None], np.array([[1, *TARGET[:-1]]]))[0]
    return float((logits[range(4), TARGET] - np.log(np.exp(logits).sum(axis=-1))).sum())


@pytest.mark.parametrize("matrices, options", [
    ({"P": np.full((1, 1), 0.5)}, {}),
    ({"P": np.eye(5), "d_P": -np.eye(5), "d_scores": np.ones((5, 5))},
     {"rows": "query", "columns": "key", "heading": "Three"}),
    ({"Q": np.ones((20, 64)), "K": np.ones((30, 64)),
      "scores, a rather long name": np.ones((20, 3))}, {}),
    ({"x": np.arange(12.0).reshape(3, 4)},
     {"row_labels": list("abc"), "column_labels": ["long", "w", "x", "y"],
      "heading": "A heading"}),
    ({"one": np.ones((40, 200)), "other": np.ones((2, 200))}, {"heading": "Large"}),
])  # fmt: skip
def test_matrices_of_any_size_stay_on_their_page(matrices, options):
    figure = plot_matrices(matrices, **options)
    assert [axes.images[0].get_array().shape for axes in panels(figure)] == [
        m.shape for m in matrices.values()
    ]
    for name, m in matrices.items():
        assert f"{name}  {m.shape}" in texts(figure)
    assert_on_the_page(figure)
    assert overlaps(figure) == []


def test_matrices_show_signs_around_white_and_each_has_its_own_scale_unless_shared():
    m = {
        "P": np.array([[0.25, 0.75]]), "d_P": np.array([[-2.0, 1.0]]),
        "masked": np.array([[-np.inf, 0.5]]),
    }
    own = [axes.images[0].get_clim() for axes in panels(plot_matrices(m))]
    assert own == [(0, 0.75), (-2, 2), (0, 0.5)]
    assert {axes.images[0].get_clim() for axes in panels(plot_matrices(m, shared=True))} == {
        (-2, 2)
    }
    written = texts(plot_matrices(m))
    assert {"0.25", "0.75", "-2.00", "1.00", "-∞"} <= set(written)
    assert not {"0.25"} & set(texts(plot_matrices(m, numbers=False)))
    assert {"P", "d_P"} <= set(texts(plot_matrices(m, shapes=False)))


def test_queries_keys_values_and_gradients_have_their_colours_everywhere():
    m = {name: np.eye(2) for name in ("Q", "key", "V", "d_Q", "P", "d_k")}
    colours = {
        t.get_text().split()[0]: t.get_color()
        for t in all_texts(plot_matrices(m))
        if t.get_text().split()[:1]
    }
    assert [colours[name] for name in m] == [QUERY, KEY, VALUE, GRADIENT, INK, INK]
    _, axes = plain_panels()
    draw_lines(
        axes, [1, 2, 4], {"query": [1, 2, 3], "rnn": [1, 1, 1], "d_P": [0, 0, 0], "gru": [2, 2, 2]},
        log="x", x_name="n",
    )
    drawn = {line.get_label(): line.get_color() for line in axes.lines}
    assert (drawn["query"], drawn["d_P"]) == (QUERY, GRADIENT) and len(set(drawn.values())) == 4
    assert labels(axes.xaxis) == ["1", "2", "4"] and axes.get_xlabel() == "n"


@pytest.mark.parametrize("marker", ["o", ""])
def test_lines_can_be_told_apart_without_their_colours(marker):
    _, axes = plain_panels()
    names = list("abcdefgh")
    draw_lines(axes, range(100), {name: np.full(100, 1.0) for name in names}, marker=marker)
    markers = [line.get_marker() for line in axes.lines]
    dashes = [line._unscaled_dash_pattern for line in axes.lines]
    assert len(set(markers)) == 8 and len({str(dash) for dash in dashes}) == 5
    assert all(one != other for one, other in itertools.pairwise(dashes))
    everywhere = [line.get_markevery() is None for line in axes.lines]
    assert all(everywhere) if marker else not any(everywhere)


def test_a_line_that_is_alone_is_solid_and_has_the_marker_that_was_asked_for():
    for marker in ("o", "", "x"):
        _, axes = plain_panels()
        draw_lines(axes, [1, 2], {"a": [1, 2]}, marker=marker)
        (line,) = axes.lines
        assert (line.get_linestyle(), line.get_marker()) == ("-", marker)


def test_bars_stand_under_their_numbers():
    figure, axes = plain_panels(1, 2, heading="Two")
    draw_bars(axes[0], {"a": 1, "value": 2.5}, y_name="size")
    assert [bar.get_height() for bar in axes[0].patches] == [1, 2.5] and {
        "1", "2.5", "a", "value", "Two",
    } <= set(texts(figure))
    assert labels(axes[0].xaxis) == ["a", "value"]
    assert_on_the_page(figure)


class NoAttention(FeedForward):
    """A model of two sequences that attends to nothing."""

    def __init__(self):
        super().__init__(3, 4, np.random.default_rng(0))

    def forward(self, source, target_in):
        return target_in


# -- odd texts -------------------------------------------------------------------------------------

ODD = [
    "\u200b", "\ud800", "\udce9", "\ufeff", "\u0301", "\x00", "\t", "\u202e", "\u2028", "", "a\nb",
    "$x$", "語", "x" * 3000,
]


@pytest.mark.filterwarnings("error:Glyph", "ignore:constrained_layout not applied")
@pytest.mark.parametrize("text", ODD, ids=ascii)
@pytest.mark.parametrize("draw", [
    lambda t: plot_attention(make(), SOURCE, TARGET, [t] * 5, [t] * 4, layers=1),
    lambda t: plot_influence(make(), SOURCE, TARGET, [t] * 5, [t] * 4),
    lambda t: plot_attention_and_gradient(make(), SOURCE, TARGET, [t] * 5, [t] * 4),
    lambda t: plot_attention_strip(snapshots(2), [t] * 5, [t] * 4),
    lambda t: plot_matrices({t: np.eye(2)}, heading=t, rows=t, columns=t, row_labels=[t, t],
                            column_labels=[t, t]),
    lambda t: plot_comparison(t, np.eye(2), np.eye(2)),
    lambda t: plot_loss_curve(metrics(3), title=t),
    lambda t: plot_positional_encoding(sinusoids(3, 4), title=t),
    lambda t: draw_lines(plain_panels(heading=t)[1], [1, 2], {t: [1, 2], "b": [2, 3]}, title=t,
                         x_name=t, y_name=t).figure,
    lambda t: draw_bars(plain_panels()[1], {t: 1.0, "b": 2}, title=t, x_name=t, y_name=t).figure,
], ids="""attention influence gradient strip matrices comparison loss positions lines
bars""".split())  # fmt: skip
@pytest.mark.slow
def test_any_text_can_stand_in_a_picture(draw, text):
    try:
        figure = draw(text)
        FigureCanvasAgg(figure).draw()
    except (TypeError, ValueError, ArithmeticError) as problem:
        pytest.fail(f"{problem!r} while it was drawn")
    assert not any(c in "\ud800\udce9\u200b\x00" for c in "".join(texts(figure)))


def test_what_has_no_form_is_written_as_python_writes_it_and_long_labels_are_cut():
    figure = plot_attention(
        make(), SOURCE, TARGET, ["\u200b", "a\udce9", " b\n", "", "x" * 3000], TARGET_TOKENS
    )
    assert labels(panels(figure)[-1].xaxis) == ["\\u200b", "a\\udce9", "␣b⏎", "·", "x" * 39 + "…"]
    assert_on_the_page(figure)


@pytest.fixture
def fonts_of_matplotlib(monkeypatch):
    """No others are installed."""
    own = [font for font in fontManager.ttflist if "mpl-data" in font.fname]
    monkeypatch.setattr(fontManager, "ttflist", own)
    font_for.cache_clear()
    yield
    font_for.cache_clear()


def test_what_the_usual_font_lacks_is_drawn_in_another_or_written_as_python_writes_it(
    fonts_of_matplotlib,
):
    figure = plot_attention(
        make(), SOURCE, TARGET, ["é", "ᶁ", "語", "🦉", "x\n語"], TARGET_TOKENS
    )
    with warnings.catch_warnings(record=True) as said:
        FigureCanvasAgg(figure).draw()
    assert not said
    shown = {text.get_text(): text.get_fontfamily() for text in all_texts(figure)}
    usual = FontProperties().get_family()
    assert shown["é"] == shown[TARGET_TOKENS[0]] == usual
    assert shown["ᶁ"][:-1] == usual and has(findfont(shown["ᶁ"][-1]), "ᶁ")
    assert labels(panels(figure)[-1].xaxis)[2:] == ["\\u8a9e", "\\U0001f989", "x⏎\\u8a9e"]
    assert_on_the_page(figure)


def test_a_font_that_cannot_be_read_has_no_characters(tmp_path):
    (tmp_path / "x.ttf").write_bytes(b"no font")
    assert not has(str(tmp_path / "x.ttf"), "a") and not has(str(tmp_path / "y.ttf"), "a")


# -- how large a picture may become ----------------------------------------------------------------


def looks_at(count, layers, heads, monkeypatch, keys=None):
    """(source, target) of `count` tokens; the attention between them is drawn without a model."""
    keys = keys or count
    weights = np.broadcast_to(np.eye(count, keys), (layers, heads, count, keys))
    monkeypatch.setattr(
        "minitransformer.plotting.attention.attention_weights", lambda *_: {"cross": weights}
    )
    return np.arange(keys) % 9 + 4, np.append(np.arange(count - 1) % 9 + 4, 2)


@pytest.mark.slow
@pytest.mark.parametrize("tokens, layers, heads, shown, note", [
    pytest.param(
        300, 6, 8, (5, 5),
        "Left out, because it is too much for a page: layers 6; heads 5 to 8. Choose which",
        marks=pytest.mark.slow),
    (30, 6, 8, (6, 9), ""),
    pytest.param(
        2500, 1, 1, (1, 1),
        "Left out, because it is too much for a page: heads 1; rows from 1,701 on; "
        "columns from 1,701 on.", marks=pytest.mark.slow),
    (20, 100, 2, (44, 3), "layers 45 to 100."),
    (1, 1, 500, (1, 23), "heads 23 to 500."),
])  # fmt: skip
def test_a_picture_of_attention_has_a_bound_and_says_what_it_leaves_out(
    tokens, layers, heads, shown, note, monkeypatch
):
    source, target = looks_at(tokens, layers, heads, monkeypatch)
    figure = plot_attention(Module(), source, target, mean=True)
    assert max(figure.get_size_inches()) <= MOST
    assert (shape(figure), [t for t in texts(figure) if "Left out" in t] != []) == (
        shown,
        bool(note),
    ), texts(figure)[-5:]
    assert note in " ".join(texts(figure))
    titles = [axes.get_title() for axes in panels(figure)]
    assert titles[: shown[1]] == [
        *(f"layer 1, head {n}" for n in range(1, shown[1])),
        "layer 1, mean",
    ]
    assert_on_the_page(figure)
    first = panels(figure)[0]
    dots = (
        first.get_position().width
        * figure.get_size_inches()[0]
        * 100
        / first.images[0].get_array().shape[1]
    )
    assert dots >= 1.99, "a cell is smaller than two dots"


@pytest.mark.slow
def test_where_not_every_token_has_room_for_its_label_the_axis_says_so_and_labels_stand_in_place(
    monkeypatch,
):
    source, target = looks_at(300, 2, 4, monkeypatch)
    tokens = [f"t{n}" for n in range(300)]
    figure = plot_attention(Module(), source, target, tokens, tokens)
    last = panels(figure)[-1]
    (name,) = [t for t in texts(figure) if t.startswith("key (source)")]
    assert "one label in" in name
    every = int(name.rsplit(" ", 1)[1])
    assert (
        every > 1
        and labels(last.xaxis) == tokens[::every]
        and labels(panels(figure)[0].yaxis) == tokens[::every]
    )
    assert [tick for tick in last.get_xticks()] == list(range(0, 300, every))
    assert overlaps(figure) == []


@pytest.mark.slow
def test_no_cell_is_smaller_than_the_finest():
    many = AxisLabels(["a"] * 2500, ["a"] * 2500, "key", "query")
    assert lay_out(1, 1, [[""]], many, "Too many tokens, which nobody cut off", 0.45).cell == FINEST


def test_a_strip_and_chosen_heads_have_the_bound_too():
    weights = np.broadcast_to(np.eye(400, 400), (1, 3, 400, 400))
    tokens = [str(n) for n in range(400)]
    figure = plot_attention_strip([(n, weights) for n in range(9)], tokens, tokens, heads=[1, 2, 3])
    assert max(figure.get_size_inches()) <= MOST and shape(figure) == (4, 4)
    assert [axes.get_title() for axes in panels(figure)][:4] == [
        "step 0", "step 3", "step 5", "step 8",
    ]


def test_influence_of_a_long_sequence_is_drawn_of_its_first_rows_which_are_the_same(monkeypatch):
    model = make().to("float64")
    source, target = np.arange(20) % 9 + 4, np.append(np.arange(11) % 9 + 4, 2)
    whole = np.asarray(panels(plot_influence(model, source, target))[0].images[0].get_array())
    config = model.config
    maps = (config.encoder_layers + 2 * config.decoder_layers) * config.heads
    row = 32 * (model.parameter_count() + 50 * maps * 32)
    monkeypatch.setattr("minitransformer.plotting.attention.WORK", 5.9 * row)
    figure = plot_influence(model, source, target)
    part = np.asarray(panels(figure)[0].images[0].get_array())
    assert part.shape == (5, 20) and "rows from 6 on" in " ".join(texts(figure))
    np.testing.assert_allclose(part, whole[:5], atol=1e-12)
    words = plot_influence(
        model, source, target, ["a", "b"], ["c", "d", "e"], sizes=([10, 10], [4, 7, 1])
    )
    assert panels(words)[0].images[0].get_array().shape == (1, 2) and "rows from 2 on" in " ".join(
        texts(words)
    )


def test_a_picture_has_no_more_maps_than_can_be_drawn_in_seconds(monkeypatch):
    source, target = looks_at(2, 30, 9, monkeypatch)
    for most, layers, heads, note in (
        (60, 6, 10, "Left out, because it is too much for a page: layers 7 to 30."),
        (7, 1, 7, "Left out, because it is too much for a page: layers 2 to 30; heads 7 to 9."),
    ):
        monkeypatch.setattr("minitransformer.plotting.attention.PANELS", most)
        figure = plot_attention(Module(), source, target, mean=True)
        assert shape(figure) == (layers, heads) and note in " ".join(texts(figure))


@pytest.mark.slow
@pytest.mark.parametrize("model, count", [("transformer", 200), ("language-model", 1)])
def test_pictures_of_many_layers_heads_and_tokens_have_a_bound(tmp_path, model, count):
    sizes = {"d_model": 32, "heads": 16, "d_ff": 32, "decoder_layers": 12}
    sizes |= {"encoder_layers": 1} if model == "transformer" else {}
    run = Run(tmp_path, make_config("reverse", {"max_length": 300}, model, model_options=sizes))
    source = np.arange(count) % 10 + 4
    for _, figure in figures(run, source, np.append(source[::-1], 2)):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        assert max(canvas.get_width_height()) <= 4000


def test_a_sequence_whose_attention_does_not_fit_into_memory_is_refused_before_it_is_computed(
    monkeypatch,
):
    model = make()
    source, target = np.arange(20) % 9 + 4, np.append(np.arange(11) % 9 + 4, 2)
    needed = sum(
        weights.size for weights in attention_weights(model, source, target).values()
    )
    monkeypatch.setattr("minitransformer.plotting.attention.WEIGHTS", needed)
    plot_attention(model, source, target)
    monkeypatch.setattr("minitransformer.plotting.attention.WEIGHTS", needed - 1)
    said = refusal(plot_attention, model, source, target)
    assert f"32 tokens has {needed:,} attention weights" in said and "shorter" in said


def test_of_matrices_that_are_too_large_the_first_cells_are_drawn_and_the_title_says_so():
    large, small = np.arange(2e6).reshape(1000, 2000), np.eye(3)
    figure = plot_matrices({"a": large, "b": small}, row_labels=range(1000))
    assert [axes.images[0].get_array().shape for axes in panels(figure)] == [(600, 300), (3, 3)]
    np.testing.assert_array_equal(panels(figure)[0].images[0].get_array(), large[:600, :300])
    assert "a  (1000, 2000)  only the first 600 × 300" in texts(figure) and "b  (3, 3)" in texts(
        figure
    )
    assert max(figure.get_size_inches()) <= MOST


# -- numbers in cells ------------------------------------------------------------------------------


def luminance(colour):
    """Relative luminance as WCAG 2.1 defines it."""
    return np.where(
        (c := np.array(colour[:3])) <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4
    ) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(
    "matrix",
    [
        np.linspace(0, 1, 40).reshape(4, 10), np.linspace(-1, 1, 40).reshape(4, 10),
        np.full((1, 2), np.nan),
    ],
    ids=["shares", "signed", "NaN"],
)
def test_a_number_can_be_read_on_its_cell_dark_or_pale(matrix):
    (axes,) = panels(plot_matrices({"P": matrix}))
    image = axes.images[0]
    assert len(axes.texts) == matrix.size
    for text in axes.texts:
        j, i = text.get_position()
        value = matrix[int(i), int(j)]
        behind = (
            image.cmap(image.norm(value)) if np.isfinite(value) else to_rgba(axes.get_facecolor())
        )
        light, dark = sorted(
            [luminance(behind), luminance(to_rgba(text.get_color()))], reverse=True
        )
        assert (light + 0.05) / (dark + 0.05) > 3.5, (value, text.get_color())


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call, sentence", [
    (lambda m: plot_attention(m, SOURCE, TARGET, kind="cros"),
     "in a Transformer 'cros'. Did you mean 'cross'"),
    (lambda m: plot_attention(make(LanguageModel), SOURCE, TARGET, kind="cross"),
     "There are: self"),
    (lambda m: plot_attention(m, SOURCE, TARGET, SOURCE_TOKENS[:4]),
     "source has 5 ids and 4 labels"),
    (lambda m: plot_attention(m, SOURCE, TARGET, None, TARGET_TOKENS[:3]),
     "4 ids and 3 labels .* <eos> included"),
    (lambda m: plot_attention(m, SOURCE[None], TARGET),
     r"source must be .* one sequence, .*\(1, 5\)"),
    (lambda m: plot_attention(m, SOURCE, [1, 8, 2]), "target begins with BOS"),
    (lambda m: plot_attention(m, SOURCE, []), "target is one sequence"),
    (lambda m: plot_attention(m, None, TARGET), "attends to a source"),
    (lambda m: plot_attention(m, SOURCE, TARGET, heads=[4]), "no head '4'"),
    (lambda m: plot_attention(m, SOURCE, TARGET, layers=[0]), "no layer '0'"),
    (lambda m: plot_attention(m, SOURCE, TARGET, heads=[]), "nothing to draw"),
    (lambda m: attention_weights(NoAttention(), SOURCE, TARGET), "NoAttention has no attention"),
    (lambda m: plot_attention_and_gradient(make(LanguageModel), SOURCE, TARGET),
     "LanguageModel has no cross-attention"),
    (lambda m: plot_attention_and_gradient(m, SOURCE, TARGET, layer=5), "no layer '5'"),
    (lambda m: attention_gradients(NoAttention(), SOURCE, TARGET), "NoAttention has no attention"),
    (lambda m: attention_gradients(m, None, TARGET), "attends to a source"),
    (lambda m: plot_attention_strip([], SOURCE_TOKENS, TARGET_TOKENS), "no snapshots"),
    (lambda m: plot_attention_strip(snapshots(2), SOURCE_TOKENS, TARGET_TOKENS[:3]),
     "query axis has 4 ids and 3 labels"),
    (lambda m: plot_attention_strip(snapshots(2), SOURCE_TOKENS[:2], TARGET_TOKENS),
     "key axis has 5 ids and 2 labels"),
    (lambda m: plot_attention_strip([(0, np.ones((4, 5)))], SOURCE_TOKENS, TARGET_TOKENS),
     "one shape"),
    (lambda m: plot_attention_strip(snapshots(2), SOURCE_TOKENS, TARGET_TOKENS, layer=3),
     "no layer '3'"),
    (lambda m: plot_attention_strip(snapshots(2), SOURCE_TOKENS, TARGET_TOKENS, mean=False),
     "needs a row"),
    (lambda m: plot_attention_strip(snapshots(2), SOURCE_TOKENS, TARGET_TOKENS, kind="corss"),
     "Did you mean 'cross'"),
    (lambda m: plot_loss_curve([]), "no loss to draw"),
    (lambda m: plot_loss_curve([{"step": 3, "exact_match": 0.5}]), "no loss to draw"),
    (lambda m: plot_loss_curve([{"loss": 3.0}]), 'no "step"'),
    (lambda m: plot_positional_encoding(np.ones(5)), r"shape \(T, D\), .*shape \(5,\)"),
    (lambda m: plot_positional_encoding(np.full((2, 2), np.nan)), "not finite"),
    (lambda m: plot_architecture(m.encoder), "of type Encoder"),
    (lambda m: plot_attention_architecture(m.source_input), "no multi-head attention"),
])  # fmt: skip
def test_bad_input_gets_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call(make())


# -- manners ---------------------------------------------------------------------------------------


def test_matplotlib_is_imported_only_by_those_who_draw():
    code = (
        "import sys, minitransformer, minitransformer.runs.run, minitransformer.training.hooks, "
        "minitransformer.decoding.evaluation;assert 'matplotlib' not in sys.modules, 'too early';"
        "import minitransformer.plotting; assert 'matplotlib' in sys.modules;assert "
        "'matplotlib.pyplot' not in sys.modules, 'pyplot'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_drawing_changes_no_global_state():
    code = (
        "import numpy as np, matplotlib; before = dict(matplotlib.rcParams);"
        "from minitransformer.plotting import plot_loss_curve;"
        "png = plot_loss_curve([dict(step=1, loss=2.0)])._repr_png_();"
        "assert png[:4] == b'\\x89PNG'; import sys; assert 'matplotlib.pyplot' not in sys.modules;"
        "assert dict(matplotlib.rcParams) == before"
    )
    # else the first look at rcParams chooses a backend
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_threads_draw_what_one_draws():
    def draw(results, i):
        results[i] = plot_attention(
            make(), SOURCE, TARGET, SOURCE_TOKENS, TARGET_TOKENS
        )._repr_png_()

    results = [None] * 3
    draw(results, 0)
    threads = [threading.Thread(target=draw, args=(results, i)) for i in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == results[2]
