"""What the checker says of mistakes that it does not know: one change of the right answer, in
words."""

import ast
import itertools
import types

import numpy as np
import pytest

from minitransformer.grading import budget, check, guesses
from minitransformer.grading.attempt import agree, attempt_own
from minitransformer.grading.changes import changes, stored
from minitransformer.grading.diagnosis import _reference, _situations, draws
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.guesses import Reference, guess

DRAWN = [exercise for exercise in EXERCISES.values() if not exercise.align]


@pytest.fixture(autouse=True)
def any_time(monkeypatch):
    """What is found does not depend on how busy the machine is."""
    monkeypatch.setattr(guesses, "SECONDS", 600)


def made(source):
    """{the words for a change: what the function then is}, of all changes."""
    tree = ast.parse(source)
    before = ast.dump(tree)
    found = {}
    for _, words, _ in changes(tree, "y"):
        found[words] = ast.unparse(ast.fix_missing_locations(tree))
    assert ast.dump(tree) == before, "each change is undone"
    return found


@pytest.mark.parametrize(
    "line, words, instead",
    [
        ("return a + b", "the term `b` is left out of y", "return a"),
        ("return a - b", "the term `a` is left out of y", "return -b"),
        ("return a * b", "y is not multiplied by `b`", "return a"),
        ("return a / b", "y is not divided by `b`", "return a"),
        ("return a / b", "y is computed without `a`", "return 1 / b"),
        ("return a ** 2", "the power of `a` is left out of y", "return a"),
        ("return a + b", "`a` and `b` are subtracted in y", "return a - b"),
        ("return a / b", "`a` and `b` are multiplied in y", "return a * b"),
        ("return a @ b", "`a` and `b` stand in the other order in y", "return b @ a"),
        ("return a @ b", "`a` and `b` are multiplied entry by entry in y", "return a * b"),
        ("return a @ b", "y is computed with `b` in place of another array", "return b @ b"),
        ("return a @ b", "`b` is transposed in y", "return a @ b.swapaxes(-1, -2)"),
        ("return a * b", "`a` has the other sign in y", "return -a * b"),
        ("return a / b", "y is divided by the root of `b`", "return a / np.sqrt(b)"),
        ("return a / b", "y is divided by `b` twice", "return a / b ** 2"),
        ("return a * (b - a)", "brackets are missing in y: `a * b - a`", "return a * b - a"),
        ("return a - b * a", "brackets are too many in y: `(a - b) * a`", "return (a - b) * a"),
        ("return (a + b) / a", "brackets are missing in y: `a + b / a`", "return a + b / a"),
        ("return -a", "the sign of `a` is left out of y", "return a"),
        ("return ~a", "`a` is not negated in y", "return a"),
        ("return a > b", "y compares by `>=`", "return a >= b"),
        ("return a * 0.5", "the number 1 stands in y", "return a * 1.0"),
        ("return a.sum(axis=-1)", "the sum in y is taken over axis -2", "return a.sum(axis=-2)"),
        ("return a.sum(axis=-1)", "the sum in y is taken over everything",
         "return a.sum(axis=None)"),
        ("return a.sum(-1, keepdims=True)", "`keepdims=True` is left out of y",
         "return a.sum(-1)"),
        ("return a.sum(-1)", "a mean stands for the sum in y", "return a.mean(-1)"),
        ("return np.exp(a)", "`exp2` stands for `exp` in y", "return np.exp2(a)"),
        ("return np.log(a)", "`log10` stands for `log` in y", "return np.log10(a)"),
        ("return a ** 10000", "the number 1000 stands in y", "return a ** 1000.0"),
        ("return a * 0.98", "the number 0.999 stands in y", "return a * 0.999"),
        ("return a * b", "the first of `b` along axis 1 serves all others in y",
         "return a * b[:, :1]"),
        ("return a.var(-1)", "the var in y divides by n − 1", "return a.var(-1, ddof=1)"),
        ("return np.exp(a)", "`exp` is left out of y", "return a"),
        ("return np.sqrt(a + 1)", "`1` stands outside of `sqrt` in y", "return np.sqrt(a) + 1"),
        ("return f(a, b)", "`a` and `b` are exchanged in y", "return f(b, a)"),
        ("return a.swapaxes(-1, -2)", "`a` is not transposed in y", "return a"),
        ("return a.swapaxes(0, 1)",
         "`a` is reshaped in y, where its axes should be exchanged",
         "return np.reshape(a, a.swapaxes(0, 1).shape)"),
        ("return a.T", "`a` is not transposed in y", "return a"),
        ("return a[1:]", "`a[:-1]` is taken in y", "return a[:-1]"),
        ("return a[..., 0::2]", "`a[..., 1::2]` is taken in y", "return a[..., 1::2]"),
        ("return a.shape[-1]", "`a.shape[0]` is the size in y", "return a.shape[0]"),
        ("return a, b", "`a` and `b` are exchanged in y", "return (b, a)"),
        ("a += b\n    return a", "`a` is not changed", "pass\n    return a"),
        ("a += b\n    return a",
         "`a` is overwritten, where it should be changed by what is there", "a = b\n    return a"),
        ("c = a\n    return c", "c has the other sign", "c = -a\n    return c"),
        ("a[0] = b\n    return a", "`a[0]` is not computed", "pass\n    return a"),
        ("a = b\n    return a", "a stays as it was", "pass\n    return a"),
        ("return a if b else 0", "`b` is always taken to hold", "return a if True else 0"),
        ("return a + b * a", "`a` and `b` are exchanged throughout", "return b + a * b"),
        ("return a + b * a", "`b` stands in place of another array throughout",
         "return b + b * b"),
        ("c = a\n    d = b\n    return c", "`d = b` comes before `c = a`",
         "d = b\n    c = a\n    return c"),
    ],
)  # fmt: skip
def test_a_change_and_its_words(line, words, instead):
    found = made(f"def f(a, b):\n    {line}")
    assert found.get(words) == f"def f(a, b):\n    {instead}"


def test_a_list_stands_for_no_array_and_what_is_looped_over_is_not_exchanged():
    found = made("def f(a, b):\n    c = []\n    for x in a:\n        c.append(x * b)\n    return c")
    assert not [words for words in found if "in place of" in words and "`c`" in words]
    over_b = [words for words, source in found.items() if "for x in b" in source]
    assert all("throughout" in words for words in over_b)


@pytest.mark.parametrize(
    "statement, names",
    [
        ("v[name] = 1", ["v"]), ("a, (b, *c) = x", ["a", "b", "c"]), ("a[i][j] += 1", ["a"]),
        ("self.x = 1", ["self"]),
    ],
)
def test_an_entry_is_stored_in_its_array(statement, names):
    assert sorted(stored(ast.parse(statement).body[0])) == names


@pytest.mark.parametrize("exercise", DRAWN[::4], ids=lambda exercise: exercise.id)
def test_nothing_remains_of_a_change(exercise):
    first, _ = draws(0)
    given, program = _situations(exercise, first), Reference(exercise)
    trees = [ast.dump(tree) for tree in program.trees.values()]
    for n, _ in enumerate(program.versions()):
        assert n < 5000
    assert [ast.dump(tree) for tree in program.trees.values()] == trees
    last = program.now()
    assert agree(attempt_own(last, exercise, given), _reference(exercise, first))


# -- answers that no entry of the catalogue makes --------------------------------------------------


def normalised(x, epsilon):
    sigma = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return (x - x.mean(-1, keepdims=True)) / sigma, sigma


def over_the_positions(x, gamma, beta, epsilon):
    sigma = np.sqrt(x.var(-2, keepdims=True) + epsilon)
    return gamma * (x - x.mean(-1, keepdims=True)) / sigma + beta


def with_x(d_y, x, gamma, beta, epsilon):
    x_hat, sigma = normalised(x, epsilon)
    d = gamma * d_y
    d_x = d - d.mean(-1, keepdims=True) - x_hat * (d * x).mean(-1, keepdims=True)
    return d_x / sigma, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


def added(d_y, x, gamma, beta, epsilon):
    x_hat, sigma = normalised(x, epsilon)
    d = gamma * d_y
    d_x = d - d.mean(-1, keepdims=True) + x_hat * (d * x_hat).mean(-1, keepdims=True)
    return d_x / sigma, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


def one_weight_twice(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    right = EXERCISES["cross_attention.backward"]
    d_x, d_memory, *rest = right(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask)
    # what is left of the two, with W_key for both
    d_value = d_value_of(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask)
    return d_x, d_memory + d_value @ (W_key - W_value).T, *rest


def d_value_of(d_y, x, memory, W_query, W_key, W_value, W_output, heads, mask):
    """The gradient of the projected values, (B, S, D)."""
    def cut(z):
        return z.reshape(*z.shape[:2], heads, -1).swapaxes(1, 2)

    query, key = cut(x @ W_query), cut(memory @ W_key)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    e = np.where(mask, np.exp(scores), 0)
    P = e / e.sum(-1, keepdims=True)
    d = P.swapaxes(-1, -2) @ cut(d_y @ W_output.T)
    return d.swapaxes(1, 2).reshape(memory.shape)


UNKNOWN = [
    ("layer_norm.forward", over_the_positions, "the var in sigma is taken over axis -2"),
    ("layer_norm.backward", with_x,
     "through_sigma is computed with `x` in place of another array"),
    ("layer_norm.backward", added,
     "`d_x_hat - through_mean` and `through_sigma` are added in d_x"),
    ("cross_attention.backward", one_weight_twice,
     "d_memory is computed with `W_key` in place of another array"),
]  # fmt: skip


@pytest.mark.parametrize("id, answer, words", UNKNOWN, ids=lambda x: getattr(x, "__name__", ""))
def test_a_mistake_that_is_not_known_is_put_into_words(id, answer, words):
    report = check(id, answer, quiet=True)
    assert not report.passed and report.findings[0].title == words
    assert f'hint("{id}", 2)' in report.findings[0].question
    assert f"Exactly this comes out when {words}." in " ".join(str(report).split())


def test_what_explains_some_outputs_alone_says_what_is_left():
    def twice_wrong(*inputs):
        d_x, d_gamma, d_beta = added(*inputs)
        return d_x, d_gamma, np.sin(d_beta)

    report = check("layer_norm.backward", twice_wrong, quiet=True)
    assert report.findings[0].title == UNKNOWN[2][2]
    assert "Something else remains in d_beta." in str(report)


def test_a_mistake_of_a_part_has_its_own_words_and_question():
    exercise = EXERCISES["attention.backward"]
    (mistake,) = (m for m in EXERCISES["attention.d_scores"].mistakes if m.id == "diagonal-only")
    program = Reference(exercise)
    assert mistake.title in {known.title for _, known, _ in program.versions()}
    assert all(known.question for _, known, _ in program.versions())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # `check` ignores them
def test_what_holds_with_the_first_numbers_alone_is_not_said():
    exercise, (first, second) = EXERCISES["layer_norm.backward"], draws(0)

    def attempts(*answers):
        for draw, answer in zip((first, second), answers):
            yield (
                attempt_own(answer, exercise, _situations(exercise, draw)),
                _reference(exercise, draw),
            )

    assert guess(attempts(added, added)).mistake.title == UNKNOWN[2][2]
    assert guess(attempts(added, with_x)) is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_time_runs_out(monkeypatch):
    exercise, draw = EXERCISES["layer_norm.backward"], draws(0)[0]
    right, given = _reference(exercise, draw), _situations(exercise, draw)
    wrong = attempt_own(lambda **given: [np.sin(x) for x in exercise(**given)], exercise, given)
    clock, tried = itertools.count(), []  # each look at the clock is a second later
    ticks = types.SimpleNamespace(process_time=lambda: next(clock), monotonic=lambda: 0)
    monkeypatch.setattr(budget, "time", ticks)
    monkeypatch.setattr(guesses, "attempt_own", lambda *_: tried.append(1) or right)
    monkeypatch.setattr(guesses, "SECONDS", 5)
    assert guess(iter([(wrong, right)])) is None
    assert len(tried) == 5
