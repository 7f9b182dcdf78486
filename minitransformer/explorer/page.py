"""The explorer: a model, its vocabulary and a page that runs it, in one file without any request.

The page's own mathematics is in `mathematics.js`, its reading of texts in `vocabulary.js`, what it
shows in `page.js`, `page.html` and `page.css`. Weights are numbers in it and nothing else.
"""

import base64
import html
import json
import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from ..backend import as_numpy
from ..backend.normal import SERIES, power_coefficients
from ..boundary import FilePath, OneOf, Text, Texts, checked
from ..data.pieces import MORPHEMES, TYPEWRITER, Pieces
from ..data.vocabulary import Vocabulary
from ..errors import InputError, shortened, write_text
from ..layers.layer_norm import LayerNorm
from ..models.language_model import LanguageModel
from ..models.transformer import Transformer

FORMATS = ("float16", "float32")
# the kinds of vocabulary whose reading is written in vocabulary.js, too
TYPED = ("symbols", "pieces", "characters", "words", "exact-characters")
Format = Annotated[str, OneOf("weights", FORMATS)]


class Page:
    """The page as a text, `html`. A notebook shows it; `save(path)` writes it into a file."""

    def __init__(self, text: str):
        self.html = text

    def save(self, path: FilePath) -> None:
        write_text(path, self.html)

    def _repr_html_(self):
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="explorer" '
            'style="width: 100%; height: 900px; border: 0"></iframe>'
        )


@checked
def explore(
    model: Any, vocabulary: Vocabulary, texts: Texts, weights: Format = "float16",
    continues: bool = False, title: Text = "A Transformer at work",
) -> Page:
    """The page of a `Transformer` or `LanguageModel` that begins with the first of these texts, and
    offers the others in a menu.

    It has the model's parameters as float16, half the size, or float32. A language model answers,
    as after a source and BOS; with `continues=True` it continues a text, as `generate` does. If the
    vocabulary's way of reading is not written in JavaScript (subwords, pairs of bytes), only these
    texts can be chosen, and the page says so.

    Raises InputError for another model, for a text that cannot be read or is too long for the
    model, for another number of tokens than the model has, and for parameters that are too large
    for float16 or not finite.
    """
    if type(model) not in (Transformer, LanguageModel):
        raise InputError(
            f"The page can show a Transformer or a LanguageModel; this is a {type(model).__name__}."
        )
    if continues and isinstance(model, Transformer):
        raise InputError(
            "A Transformer answers a source; only a LanguageModel continues a text. Leave "
            "continues=True out."
        )
    if model.config.target_vocabulary != len(vocabulary):
        raise InputError(
            f"The model has {model.config.target_vocabulary} tokens, and the vocabulary "
            f"{len(vocabulary)}. Pass the vocabulary that the model was trained with."
        )
    shapes, numbers = packed(model, weights)
    types = vocabulary.kind in TYPED
    facts = {
        "model": type(model).__name__, "config": config_of(model), "continues": continues,
        "vocabulary": described(vocabulary), "types": types, "format": weights, "shapes": shapes,
        "texts": [{"text": text, "ids": ids_of(model, vocabulary, text)} for text in texts],
    }  # fmt: skip
    if not facts["texts"]:
        raise InputError("The page begins with a text: pass at least one.")
    here = Path(__file__).parent
    parts = {
        "title": html.escape(title), "about": html.escape(about(model, weights, types)),
        "style": (here / "page.css").read_text(encoding="utf-8"),
        "script": "".join(
            (here / f"{name}.js").read_text(encoding="utf-8")
            for name in ("mathematics", "vocabulary", "page")
        ),
        "facts": in_script(facts), "numbers": numbers,
    }  # fmt: skip
    template = (here / "page.html").read_text(encoding="utf-8")
    return Page(re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template))


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


def packed(model, weights):
    """([name, rows, columns] of each parameter, all numbers in base64, little-endian)."""
    arrays = {name: as_numpy(p.data) for name, p in model.named_parameters().items()}
    with np.errstate(over="ignore"):
        numbers = np.concatenate([a.reshape(-1) for a in arrays.values()]).astype(
            {"float16": "<f2", "float32": "<f4"}[weights]
        )
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(f"The parameter {name} is not finite: this model cannot be used.")
    if not np.isfinite(numbers).all():
        raise InputError(
            "The model has parameters above 65,504, the largest float16. Use --weights float32 "
            '(in Python: weights="float32").'
        )
    shapes = [[name, *np.atleast_2d(array).shape] for name, array in arrays.items()]
    return shapes, base64.b64encode(numbers.tobytes()).decode("ascii")


def config_of(model):
    """The configuration, and two facts of the package that JavaScript needs, too."""
    degree, edge = SERIES["float32"]
    epsilon = next(m.epsilon for _, m in model.named_modules() if isinstance(m, LayerNorm))
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


def about(model, weights, types):
    """One line about the model, and what the page does without."""
    config = model.config
    layers = f"{config.decoder_layers} layers"
    if isinstance(model, Transformer):
        layers = f"{config.encoder_layers} + {layers}"
    said = (
        f"{type(model).__name__}, {config.norm}-norm, {layers}, {config.heads} heads, "
        f"D = {config.d_model}, {model.parameter_count():,} parameters as {weights}. Point at a "
        "token or a cell, or go there by Tab and the arrow keys."
    )
    if not types:
        said += (
            " Only Python can cut a text into this model's tokens, so the texts of the menu can be "
            "chosen, and no other can be typed."
        )
    return said
