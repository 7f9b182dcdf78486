"""The explorer: a model, its vocabulary and a page that runs it, in one file without any request.

The page's own mathematics is in `mathematics.js`, its reading of texts in `vocabulary.js`, what it
shows in `page.js` with `drawing.js`, `page.html` and `page.css`. Weights are numbers in it and
nothing else.
"""

import html
import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from ..backend import as_numpy
from ..backend.normal import SERIES, power_coefficients
from ..boundary import (
    Dictionary,
    FilePath,
    Natural,
    OneOf,
    Positive,
    Text,
    Texts,
    checked,
    expect,
)
from ..data.pieces import MORPHEMES, TYPEWRITER, Pieces
from ..data.vocabulary import Vocabulary
from ..errors import InputError, reading, shortened
from ..layers.layer_norm import LayerNorm
from ..models.language_model import LanguageModel
from ..models.transformer import Transformer
from ..runs.writing import write_file
from .beforehand import READ, base64_of, computed, in_bytes

FORMATS = ("float16", "float32")
SHOWN = (Transformer, LanguageModel)  # these, and no subclass: mathematics.js has no other
BYTES = {"float16": 2, "float32": 4}
LARGEST = 20e6  # bytes of a model's weights in a page; of a larger one it has what they compute,
COMPUTED = 20e6  # in at most so many bytes
MARK = b'<meta name="generator" content="minitransformer explorer">'  # in the first 200 bytes
ROOM = 1000  # bytes for a page's sentence on its moments
# the kinds of vocabulary whose reading is written in vocabulary.js, too
TYPED = ("symbols", "pieces", "characters", "words", "exact-characters")
Format = Annotated[str, OneOf("weights", FORMATS)]


class Page:
    """The page as a text, `html`, and a sentence on the moments of the training in it, `note`. A
    notebook shows the page; `save(path)` writes it into a file."""

    def __init__(self, text: str, note: str):
        self.html, self.note = text, note

    def save(self, path: FilePath) -> None:
        """Write the page into a file, whole or not at all. Raises InputError for a file that is
        there, unless it is a page of the explorer: that is replaced."""
        if os.path.lexists(path) and not is_page(path):
            raise InputError(
                f"{path} exists already, and is no page of the explorer. Choose another name, or "
                "remove it first."
            )
        write_file(path, self.html.encode("utf-8"))

    def _repr_html_(self):
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="explorer" '
            'style="width: 100%; height: 900px; border: 0"></iframe>'
        )


def is_page(path):
    """Whether a file is one that `save` has written."""
    with reading(path), open(path, "rb") as file:
        beginning = file.read(200)
    return beginning.startswith(b"<!doctype html>") and MARK in beginning


@checked
def explore(
    model: Any, vocabulary: Vocabulary, texts: Texts, weights: Format = "float16",
    continues: bool = False, title: Text = "A Transformer at work",
    earlier: Dictionary | None = None, megabytes: Positive = 1.5,
) -> Page:
    """The page of a `Transformer` or `LanguageModel` that begins with the first of these texts, and
    offers the others in a menu.

    It has the model's parameters as float16, half the size, or float32. A language model answers,
    as after a source and BOS; with `continues=True` it continues a text, as `generate` does. If the
    vocabulary's way of reading is not written in JavaScript (subwords, pairs of bytes), only these
    texts can be chosen, and the page says so.

    `earlier` is {step: the model's `state_dict()` after that step of its training}: the reader
    goes through these moments with a slider. Their weights are whole numbers of 8 bits, with a
    scale for each parameter. If the file would be larger than `megabytes`, moments are left out,
    evenly, and the page says how many.

    If the weights would take more than 20 MB, the page has what the model computes for these texts
    in place of them: scores, attention and gradients for each written token, and the tokens that
    are the most likely after each layer. It then takes texts of at most 32 tokens.

    Raises InputError for another model, for a text that cannot be read or is too long for the
    model, for another number of tokens than the model has, for parameters that are too large for
    float16 or not finite, for earlier weights of another model, for texts that make the page too
    large, and for half of a surrogate pair in the title.
    """
    if type(model) not in SHOWN:
        raise InputError(
            f"The page can show a Transformer or a LanguageModel; this is a {type(model).__name__}."
        )
    if continues and isinstance(model, Transformer):
        raise InputError(
            "A Transformer answers a source; only a LanguageModel continues a text. Leave "
            "continues=True out."
        )
    sides = ["target", "source"] if isinstance(model, Transformer) else ["target"]
    for side in sides:
        if (tokens := getattr(model.config, f"{side}_vocabulary")) != len(vocabulary):
            raise InputError(
                f"The model has {tokens} {side} tokens, and the vocabulary {len(vocabulary)}. Pass "
                "the vocabulary that the model was trained with."
            )
    expect_characters(title)
    expect_finite(model)
    is_large = model.parameter_count() * BYTES[weights] * 4 / 3 > LARGEST
    if is_large and earlier:
        raise InputError(
            f"A page has no weights of a model as large as this one ({model.parameter_count():,} "
            "parameters), so none of earlier moments. Leave earlier=… out."
        )
    shapes, numbers = ([], "") if is_large else packed(model, weights)
    moments = [moment_of(model, step, state) for step, state in (earlier or {}).items()]
    moments.sort(key=lambda moment: moment["step"])
    types = vocabulary.kind in TYPED and not is_large
    facts = {
        "model": type(model).__name__, "config": config_of(model), "continues": continues,
        "vocabulary": described(vocabulary), "types": types, "format": weights, "shapes": shapes,
        "computed": is_large,
        "texts": [{"text": text, "ids": ids_of(model, vocabulary, text)} for text in texts],
    }  # fmt: skip
    if not facts["texts"]:
        raise InputError("The page begins with a text: pass at least one.")
    if is_large:
        add_computed(facts, model, vocabulary, continues)
    page = filled(facts, numbers, title, about(model, weights, types, is_large))
    kept = evenly(moments, megabytes * 1e6 - len(page.encode()))
    facts["moments"] = kept
    note = about_moments(len(kept), len(moments), megabytes)
    return Page(filled(facts, numbers, title, about(model, weights, types, is_large), note), note)


def add_computed(facts, model, vocabulary, continues):
    """Add what the model computes for the texts, and leave only the tokens that occur. Raises
    InputError if it is more than a page should hold."""
    for entry in facts["texts"]:
        if len(entry["ids"]) > READ:
            raise InputError(
                f"{shortened(entry['text'])} has {len(entry['ids'])} tokens. Of a model as large "
                f"as this one, a page has texts of at most {READ}. Pass a shorter text."
            )
        entry |= computed(model, vocabulary, entry["ids"], continues)
    if (size := len(json.dumps(facts["texts"]))) > COMPUTED:
        raise InputError(
            f"A page of these texts would have {size / 1e6:.0f} MB; at most {COMPUTED / 1e6:.0f} "
            "are written. Pass fewer texts, or shorter ones."
        )
    tokens = set()
    for entry in facts["texts"]:
        tokens.update(entry["ids"], entry["read"], entry["next"])
        for one in entry["passes"]:
            tokens.update(token for row in [one["likely"], *one["lens"]] for token, _ in row)
    facts["vocabulary"] = {
        "kind": vocabulary.kind, "tokens": {i: vocabulary.tokens[i] for i in sorted(tokens)},
    }  # fmt: skip


def filled(facts, numbers, title, about, note=""):
    """The page as a text, with these contents."""
    here = Path(__file__).parent
    parts = {
        "title": html.escape(title), "about": html.escape(about), "moments": html.escape(note),
        "style": (here / "page.css").read_text(encoding="utf-8"),
        "script": "".join(
            (here / f"{name}.js").read_text(encoding="utf-8")
            for name in ("mathematics", "vocabulary", "drawing", "page")
        ),
        "facts": in_script(facts), "numbers": numbers,
    }  # fmt: skip
    template = (here / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def in_script(facts):
    """JSON that may stand inside <script>: without a "<", no tag ends it or begins a comment."""
    return json.dumps(facts, allow_nan=False).replace("<", "\\u003c")


def ids_of(model, vocabulary, text):
    ids = vocabulary.encode(text).tolist()
    most = model.config.max_length - (not isinstance(model, Transformer))
    if not 0 < len(ids) <= most:
        raise InputError(
            f"{shortened(text)} has {len(ids)} tokens; the page needs at least 1, and the model "
            f"reads at most {most}. Pass a shorter text, or one that is not empty."
        )
    return ids


def expect_characters(title):
    """Raise InputError for half of a surrogate pair, which UTF-8 cannot hold."""
    if any("\ud800" <= c <= "\udfff" for c in title):
        raise InputError(
            f"title has half of a surrogate pair, which is no character: {shortened(title)}. Leave "
            "it out."
        )


def expect_finite(model):
    """Raise InputError if a parameter is infinite or NaN."""
    for name, parameter in model.named_parameters().items():
        if not np.isfinite(as_numpy(parameter.data)).all():
            raise InputError(f"The parameter {name} is not finite: this model cannot be used.")


def packed(model, weights):
    """([name, rows, columns] of each parameter, all numbers in base64, little-endian)."""
    arrays = {name: as_numpy(p.data) for name, p in model.named_parameters().items()}
    with np.errstate(over="ignore"):
        numbers = np.concatenate([a.reshape(-1) for a in arrays.values()]).astype(
            {"float16": "<f2", "float32": "<f4"}[weights]
        )
    if not np.isfinite(numbers).all():
        raise InputError(
            "The model has parameters above 65,504, the largest float16. Use --weights float32 "
            '(in Python: weights="float32").'
        )
    shapes = [[name, *np.atleast_2d(array).shape] for name, array in arrays.items()]
    return shapes, base64_of(numbers)


def moment_of(model, step, state):
    """The weights after a step, as the page has them."""
    expect(step, Natural, "A step of earlier")
    return {"step": int(step), **in_bytes(expect_state(model, step, state))}


def expect_state(model, step, state):
    """The arrays of a state, in the order of the model's parameters, in float64. Raises InputError
    if it is no state of this model, or not finite."""
    shapes = {name: p.shape for name, p in model.named_parameters().items()}
    own = {name: np.shape(array) for name, array in expect(state, Dictionary, "A state").items()}
    if own != shapes:
        name = next(n for n in [*shapes, *own] if own.get(n) != shapes.get(n))
        raise InputError(
            f"The weights after step {step} are not of this model: {name} has shape "
            f"{own.get(name, 'none')} there, and {shapes.get(name, 'none')} in the model. Pass "
            "what model.state_dict() returned then."
        )
    arrays = [as_numpy(state[name]) for name in shapes]
    if not all(array.dtype.kind in "fiu" for array in arrays):
        raise InputError(
            f"The weights after step {step} are no real numbers. Pass what model.state_dict() "
            "returned then."
        )
    arrays = [array.astype(np.float64) for array in arrays]
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(f"The weights after step {step} are not finite. Leave that step out.")
    return arrays


def evenly(moments, room):
    """As many of these as there is room for (in bytes), and evenly spread: behind the last of them
    comes the model itself."""
    largest = max((len(json.dumps(moment)) + 2 for moment in moments), default=1)
    count = int(min(len(moments), max(0, (room - ROOM) / largest)))  # room may be infinite
    places = np.linspace(0, len(moments), count + 1).round().astype(int)[:-1]
    return [moments[place] for place in places]


def about_moments(kept, all_of_them, megabytes):
    if not all_of_them:
        return (
            "The page has no earlier moments of the training. The command train keeps some, if the "
            "model is small and the training longer than 10 steps."
        )
    said = (
        f"Earlier moments of the training in the page: {kept} of {all_of_them}, with weights "
        "rounded to 8 bits."
    )
    if kept < all_of_them:
        said += (
            f" With all of them it would be larger than {megabytes:g} MB. To have more, use "
            "--megabytes (in Python: megabytes=…)."
        )
    return said


def config_of(model):
    """The configuration, and two facts of the package that JavaScript needs, too."""
    degree, edge = SERIES["float32"]
    epsilon = {
        path: part.epsilon for path, part in model.named_modules() if isinstance(part, LayerNorm)
    }
    normal = {"edge": edge, "coefficients": power_coefficients(degree, edge).tolist()}
    return {**model.config.to_dict(), "epsilon": epsilon, "normal": normal}


def described(vocabulary):
    """What the page must know to read as this vocabulary does."""
    facts = {"kind": vocabulary.kind, "tokens": vocabulary.tokens}
    if isinstance(vocabulary, Pieces):
        facts |= {
            "cut": vocabulary.cut, "small": vocabulary.small, "quotes": vocabulary.quotes,
            "stops": vocabulary.stops, "typewriter": {chr(c): to for c, to in TYPEWRITER.items()},
            "morphemes": sorted(MORPHEMES, key=len, reverse=True),
            "followers": vocabulary.followers if vocabulary.joints_known else {},
        }  # fmt: skip
    return facts


def about(model, weights, types, is_large):
    """One line about the model, and what the page does without."""
    config = model.config
    layers = f"{config.decoder_layers} layers"
    if isinstance(model, Transformer):
        layers = f"{config.encoder_layers} + {layers}"
    said = (
        f"{type(model).__name__}, {config.norm}-norm, {layers}, {config.heads} heads, "
        f"D = {config.d_model}, {model.parameter_count():,} parameters"
        f"{'' if is_large else f' as {weights}'}. Point at a "
        "token or a cell, or go there by Tab and the arrow keys."
    )
    if is_large:
        said += (
            " The model is too large for a page. What it computes for the texts of the menu has "
            "been computed beforehand; so no other text can be typed, no other target be chosen, "
            "and no head be switched off. The gradients d_P were rounded to 8 bits, with a scale "
            "for each row. Of d_P and d_S only the digits above the error are shown; ≈0 is below "
            "it."
        )
    elif not types:
        said += (
            " Only Python can cut a text into this model's tokens, so the texts of the menu can be "
            "chosen, and no other can be typed."
        )
    return said
