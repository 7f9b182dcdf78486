"""What the tests of several packages say alike."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from minitransformer.cli import main
from minitransformer.data.pieces import morphemes
from minitransformer.data.spelling import every_way, written
from minitransformer.errors import InputError
from minitransformer.runs import find_model, make_config
from minitransformer.testing import away_from_initialisation, gradient_check
from minitransformer.testing.gradient_check import as_tuple
from minitransformer.training.hooks import Evaluate, Log, Save, Snapshots


def rng(seed=0):
    return np.random.default_rng(seed)


def normal(*shape, seed=0):
    return rng([9, seed]).standard_normal(shape)  # unlike any upstream gradient of a check


def moved(component, seed=2):
    """The component in float64, every parameter at a random place."""
    return away_from_initialisation(component.to("float64"), rng(seed))


def close(actual, expected, atol=1e-12):
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def close_in_size(actual, expected):
    """Equal to 1e-12 of the largest number."""
    size = max(1, np.abs(expected).max())
    close(actual / size, expected / size)


def mistake_ids():
    """{"softmax.backward/diagonal-only": its number on the list of what people do, or None}, of all
    known mistakes, as they are written down in tests/mistake_ids.txt."""
    text = (Path(__file__).parent / "mistake_ids.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines()]
    return {id: int(number[0]) if number else None for id, *number in rows}


def central_differences(function, x, step=1e-6):
    """The gradient of a number by every entry of x, which is moved in place and put back."""
    differences = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        x[place] = kept + step
        above = function()
        x[place] = kept - step
        differences[place] = (above - function()) / (2 * step)
        x[place] = kept
    return differences


def assert_gradients(component, *inputs, **options):
    """Every gradient equals its central difference and has the shape of what it belongs to."""
    report = gradient_check(component, *inputs, **options)
    assert report.passed, f"\n{report}"
    d_inputs = as_tuple(component.backward(*map(np.ones_like, as_tuple(component(*inputs)))))
    floats = [x.shape for x in inputs if getattr(x, "dtype", None) == np.float64]
    assert [d.shape for d in d_inputs if d is not None] == floats


def refusal(function, *arguments, **options):
    """The message of the InputError that the call must raise; any other error is a failure."""
    try:
        function(*arguments, **options)
    except InputError as problem:
        return str(problem)
    except Exception as problem:
        pytest.fail(f"an InputError was expected, not {problem!r}")
    pytest.fail("an InputError was expected, and none came")


def accepted(function, *arguments, **options):
    """What the call returns, which must not be refused."""
    try:
        return function(*arguments, **options)
    except ValueError as problem:  # InputError is one
        pytest.fail(f"refused: {problem}")


def shout(texts):
    """Capitals; a text with a "?" cannot be answered, nor can one that stands beside it."""
    for text in texts:
        if "?" in text:
            raise InputError(f"{text!r} is a question.")
    return [text.upper() for text in texts]


def run(text, capsys):
    """(exit status, standard output, standard error) of a command line; single quotes hold a word
    together."""
    capsys.readouterr()
    try:
        status = main(shlex.split(text))
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    return status, out, err


VALUES = {  # {language: {a word of a number: its value}}; None: it joins others
    "en": {
        **{word: value for value, word in enumerate(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen".split())},
        **{word: 10 * tens for tens, word in enumerate(
            "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)},
        "nought": 0, "a": 1, "and": None, "hundred": 100, "thousand": 1000,
    },
    "de": {
        **{word: value for value, word in enumerate(
            "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
            "fünfzehn sechzehn siebzehn achtzehn neunzehn".split())},
        **{word: 10 * tens for tens, word in enumerate(
            "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split(), start=2)},
        "ein": 1, "und": None, "hundert": 100, "tausend": 1000, "zwoelf": 12, "fuenfzig": 50,
        "dreissig": 30,
    },
    "fr": {
        **{word: value for value, word in enumerate(
            "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze "
            "quinze seize".split())},
        **{word: 10 * tens for tens, word in enumerate(
            "vingt trente quarante cinquante soixante septante".split(), start=2)},
        "nonante": 90, "et": None, "cent": 100, "cents": 100, "vingts": 20, "mille": 1000,
    },
}  # fmt: skip


def value_of(words, language):
    """The number that words would be if they were one: reckoned from left to right, without a look
    at their order."""
    total = now = 0
    for word in words:
        value = int(word) if word.isdigit() else VALUES[language][word]
        if value == 1000:
            total, now = total + 1000 * (now or 1), 0
        elif value == 100:
            now = 100 * (now or 1)
        elif language == "fr" and value == 20 and now % 100 == 4:        # quatre-vingt
            now += 76
        else:
            now += value or 0
    return total + now


def is_written_so(words, language):
    """Whether there is a number that training writes in these words, whatever stands between
    them."""
    number = value_of(words, language)
    return number < 1_000_000 and "".join(words) in {
        letters_of(way) for way in every_way(number, language)
    }


def letters_of(text):
    return re.sub(r"\W", "", text)


def nearly_numbers(rng, language, count):
    """Lists of words: some number as training has it, and one or two words more, fewer, or in the
    place of others."""
    for _ in range(count):
        text = written(rng.randrange(10 ** rng.randrange(2, 7)), language, rng.randrange(1, 2**31))
        words = [
            part
            for word in re.findall(r"\d+|[^\W\d]+", text)
            for part in ([word] if word.isdigit() else morphemes(word))
        ]
        # one way to write each letter is enough
        words = [word for word in words if word.isdigit() or word in VALUES[language]]
        for _ in range(rng.randrange(1, 3)):
            place, more = rng.randrange(len(words) + 1), rng.randrange(2)
            words[place : place + rng.randrange(2)] = [rng.choice([*VALUES[language]])] * more
        yield words


def small_config(model, **training):
    """The configuration of a run of a small model on copying, with all that a step can draw and
    write."""
    training = {"save_every": 5, "evaluate_every": 8, "evaluate_count": 10, **training}
    sizes = {
        "d_model": 16, "heads": 2, "d_ff": 24, "encoder_layers": 1, "decoder_layers": 1,
        "dropout": 0.2,
    }
    sizes = {name: value for name, value in sizes.items() if name in find_model(model).options()}
    return make_config("copy", {"max_length": 5}, model, "toy", sizes, training)


def finished(run):
    """The run, trained to its last step as the command does it."""
    with Save(run) as save:
        run.train([Log(run), Evaluate(run), Snapshots(run), save])
    return run


def weights_and_state(run):
    """Everything that continuing depends on, as comparable values."""
    arrays = {
        **run.model.state_dict(), **run.optimizer.state_dict(),
        **{f"snapshot {k}": v for k, v in run.snapshots.items()},
        **{f"earlier {k}": v for k, v in run.earlier.items()},
    }
    facts = [
        run.optimizer.t, run.batches.state(),
        [g.bit_generator.state for g in run.model.generators()],
    ]
    return {name: array.tobytes() for name, array in arrays.items()}, facts
