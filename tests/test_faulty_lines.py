"""Which lines of a wrong answer the checker shows: the values of its lines, and the one change that
makes it right."""

import ast
import functools
import inspect
import re

import numpy as np
import pytest

from minitransformer.grading import check, diagnosis, lines
from minitransformer.grading import own as own_functions
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.known import Match
from minitransformer.grading.lines import is_among, is_trivial
from minitransformer.grading.own import Own, is_count
from minitransformer.grading.repairs import KINDS, repairs
from minitransformer.grading.watching import Watched


@pytest.fixture(autouse=True)
def any_time(monkeypatch):
    """What is found does not depend on how busy the machine is."""
    monkeypatch.setattr(lines, "SECONDS", 600)


def first_line(function):
    return inspect.getsourcelines(function)[1]


# -- the values of lines ---------------------------------------------------------------------------


def values_of(function, *arguments):
    """[(line, counted from that of `def`, text, whole, values)] of all that is computed."""
    watched = Watched(Own(function))
    with watched.recording() as values:
        watched.program.now()(*arguments)
    places = watched.places
    start = first_line(function)
    return [
        (places[n].line - start, places[n].text, places[n].whole, kept)
        for n, kept in values.items()
    ]


def straight(x):
    y = x * 2
    a, b = y + 1, y - 1
    a -= b
    return a.sum(), b


def looped(x):
    total, rows = 0.0, np.zeros(x.shape)
    for i in range(len(x)):
        s = 0.0
        for value in x[i]:
            s += value
        rows[i] = s
        total += s
    return total


def unpacked(x):
    low, high = (c * x for c in (2, 3))
    if low[0, 0] < high[0, 0]:
        with np.errstate(all="ignore"):
            low = -low
    return low


def test_each_statement_tells_what_it_computes():
    x = np.array([[1.0, 2], [3, 4]])
    found = [(line, kept[0]) for line, _, whole, kept in values_of(straight, x) if whole]
    expected = [(1, 2 * x), (2, 2 * x + 1), (2, 2 * x - 1), (3, 2), (4, 8.0), (4, 2 * x - 1)]
    assert [line for line, _ in found] == [line for line, _ in expected]
    assert all(np.all(a == b) for (_, a), (_, b) in zip(found, expected))


def test_the_parts_of_an_expression_tell_their_values_and_functions_indices_and_settings_do_not():
    texts = {text for _, text, whole, _ in values_of(straight, np.ones((2, 2))) if not whole}
    assert texts == {"x", "y", "a", "b"}

    def picked(x, i):
        return x[i + 1]

    assert [text for _, text, _, _ in values_of(picked, np.ones(3), 1)] == ["x", "x[i + 1]"]

    def attended(q, k):
        return np.sum(q[..., -1:] * k.max(axis=-1, keepdims=True))

    texts = {text for _, text, whole, _ in values_of(attended, np.ones((2, 2)), np.ones((2, 2)))}
    assert texts - {"np.sum(q[..., -1:] * k.max(axis=-1, keepdims=True))"} == {
        "q", "k", "q[..., -1:]", "k.max(axis=-1, keepdims=True)",
        "q[..., -1:] * k.max(axis=-1, keepdims=True)",
    }  # fmt: skip


def test_a_sum_in_a_loop_is_told_when_it_is_complete():
    x = np.array([[1.0, 2], [3, 4]])
    found = [(line, kept) for line, _, whole, kept in values_of(looped, x) if whole]
    assert (5, [3.0, 7.0]) in found  # behind the inner loop, each time
    rows = [kept for line, kept in found if line == 6 and np.ndim(kept[0])]
    assert len(rows) == 1 and np.array_equal(rows, [[[[3.0, 3], [7, 7]]]])
    assert [kept for line, kept in found if line == 7] == [[10.0]]


def test_what_is_unpacked_and_what_stands_in_a_case_or_a_context_is_told():
    x = np.ones((2, 2))
    found = [(line, kept[0][0, 0]) for line, _, whole, kept in values_of(unpacked, x) if whole]
    assert found == [(1, 2.0), (1, 3.0), (4, -2.0), (5, -2.0)]


def test_an_expression_can_be_given_another_value_which_stays_its_own():
    watched = Watched(Own(straight))
    number = next(n for n, p in enumerate(watched.places) if p.text == "x * 2")
    instead = np.ones((2, 2))
    with watched.given(number, instead):
        assert watched.program.now()(np.zeros((2, 2)))[0] == 8.0
    assert watched.program.now()(np.zeros((2, 2)))[0] == 8.0 and (instead == 1).all()
    assert np.array_equal(watched.program.now()(np.zeros((2, 2)))[1], -np.ones((2, 2)))


def starred(x):
    parts = [x, x + 1]
    return x, *parts


def test_what_is_starred_stays_so():
    try:
        assert Watched(Own(starred)).program.now()(1.0) == (1.0, 1.0, 2.0)
    except TypeError as problem:
        pytest.fail(str(problem))


# -- whose lines they are --------------------------------------------------------------------------


def scale_by(factor):
    def scaled(x):
        return helper(x) * factor

    return scaled


def helper(x):
    return x + 1


@functools.cache
def decorated(x):
    return helper(x)


doubled = lambda x: 2 * x  # noqa: E731


def parts_of(function):
    try:
        return {part.__name__ for part in Own(function).trees}
    except LookupError as problem:
        return str(problem)


def with_a_lambda(x):
    return doubled(helper(x))


class Both:
    def forward(self, x):
        self.x = helper(x)
        return self.x


def test_a_submission_is_taken_with_the_functions_of_its_own_that_it_calls():
    own = Own(scale_by(3.0))
    assert {f.__name__ for f in own.trees} == {"scaled", "helper"} and own.submission()(1.0) == 6.0
    own.run(helper, compile("def helper(x):\n    return x + 2", "<another>", "exec"))
    assert own.submission()(1.0) == 9.0
    assert scale_by(3.0)(1.0) == 6.0 and helper(1.0) == 2.0, "the learner's own stay as they are"
    assert parts_of(with_a_lambda) == {"with_a_lambda", "helper"}
    assert Own(Both).submission()().forward(1.0) == 2.0
    assert [f(1.0) for f in Own((helper, scale_by(2.0))).submission()] == [2.0, 4.0]


@pytest.mark.parametrize(
    "submission",
    [
        lambda x: x, np.exp, functools.partial(helper, 1), Both(), EXERCISES["softmax.forward"],
        EXERCISES["softmax.forward"].reference, inspect.getsource, decorated, (), 3, None,
        eval("lambda x: x"), (helper, np.exp),
    ],
    ids=range(13),
)  # fmt: skip
def test_of_anything_else_no_line_is_shown(submission):
    with pytest.raises(LookupError):
        Own(submission)


def test_a_function_whose_text_is_not_there_has_no_lines():
    space = {}
    exec("def f(x):\n    return x", space)
    with pytest.raises(LookupError):
        Own(space["f"])


# -- the one change that makes it right ------------------------------------------------------------


def faults(wrong, right):
    """{words} of the changes of one line that make the text `right` of it."""
    tree = ast.parse(f"def f(a, b, n):\n    {wrong}")
    before, wanted, found = ast.dump(tree), ast.dump(ast.parse(f"def f(a, b, n):\n    {right}")), []
    for kind in KINDS:
        for words in repairs(tree, 2, kind):
            if ast.dump(ast.parse(ast.unparse(tree))) == wanted:
                found.append(words())
    assert ast.dump(tree) == before, "each change is undone"
    return found


@pytest.mark.parametrize(
    "wrong, right, words",
    [
        ("return a", "return a * b", "`a` lacks a factor"),
        ("return a", "return a + b", "`a` lacks a term"),
        ("return a", "return a - b", "`a` lacks a term"),
        ("return a", "return a / b", "`a` lacks a divisor"),
        ("return a", "return a / np.sqrt(b)", "`a` lacks a factor"),
        ("return a", "return a / np.sqrt(a.shape[-1])", "`a` lacks a divisor"),
        ("return a", "return a / a.shape[-1]", "`a` lacks a divisor"),
        ("return a", "return 1 - a", "`a` should be taken off 1"),
        ("return a", "return a + 1", "`a` is one too small"),
        ("return a", "return a ** 2", "`a` lacks a power"),
        ("return a", "return np.sqrt(a)", "`a` lacks a root"),
        ("return a @ b", "return -(a @ b)", "`a @ b` has the wrong sign"),
        ("return a", "return -a", "`a` has the wrong sign"),
        ("return a", "return a.swapaxes(-1, -2)", "`a` is not transposed"),
        ("return a @ b", "return (a @ b).swapaxes(-1, -2)", "`a @ b` is not transposed"),
        ("return a.sum(-1)", "return a.sum(-1, keepdims=True)", "`a.sum(-1)` loses its axis"),
        ("return a", "return a.sum(axis=-1, keepdims=True)", "`a` lacks a sum"),
        ("return a", "return a.mean(axis=0, keepdims=True)", "`a` lacks a mean"),
        ("return a", "return b", "`a` should be another array"),
        ("return 2 * a", "return 3 * a", "`2` should be another number"),
        ("return a[1:]", "return a[:-1]", "`a[1:]` should be another part"),
        ("return a < b", "return a <= b", "`a < b` should be another comparison"),
        ("return a + b", "return a - b",
         "`a + b` has the wrong operator, or a bracket stands in the wrong place"),
        ("return a @ b", "return b @ a", "`a @ b` has its parts in the wrong order or place"),
        ("return a * b", "return a", "there is something too many in `a * b`"),
        ("return np.exp(a)", "return a", "there is something too many in `np.exp(a)`"),
        ("return a.sum(axis=0)", "return a.sum(axis=-1)",
         "`a.sum(axis=0)` goes over the wrong axis, or has another wrong setting"),
        ("return a.sum(-1)", "return a.mean(-1)", "`a.sum(-1)` calls the wrong function"),
        ("return f(a, b)", "return f(b, a)",
         "`f(a, b)` has its arguments in the wrong order or place"),
        ("a[n] = b", "a[n] += b",
         "`a[n]` takes a new value, where it should be added to what is there"),
        ("a = b", "a += b", "`a` takes a new value, where it should be added to what is there"),
        ("return a @ b.T", "return a @ b.swapaxes(-1, -2)",
         "`b.T` has all axes in the reverse order"),
        ("a += b", "a -= b", "`a += b` has the wrong sign or operator"),
        ("a += b", "pass", "`a += b` should not be there"),
        ("a = b", "a = -b", "`a = b` has the wrong sign or operator"),
        ("return a - b * a", "return b - a * b",
         "one array stands for another, or two are exchanged"),
    ],
)  # fmt: skip
def test_a_line_and_what_is_wrong_with_it(wrong, right, words):
    assert words in faults(wrong, right)


def test_only_quantities_get_a_factor_and_only_quantities_are_one():
    tree = ast.parse(
        "def f(a):\n    for i in range(len(a)):\n        n = a.shape[0]\n"
        "        a = np.exp(a[i + n])"
    )
    made = [
        ast.unparse(tree.body[0].body[0].body[1]) for kind in KINDS for _ in repairs(tree, 4, kind)
    ]
    assert {"a = np.exp(a[i + n] * a)", "a = np.exp(a[i + n]) + a"} <= {*made}
    assert not [text for text in made if re.search(r"[*/+] [in]\b", text.replace("i + n", ""))]
    assert not [text for text in made if "np * a" in text]
    assert not [text for text in made if "a[(i + n) * a]" in text or "a[i * a" in text]


def test_only_these_lines_are_changed():
    tree = ast.parse("def f(a):\n    b = a + 1\n    c = b * 2\n    return c")
    texts = {
        ast.unparse(tree.body[0].body[0]) for kind in KINDS for _ in repairs(tree, 3, kind)
    }
    assert texts == {"b = a + 1", "c = b * 2"}  # two lines change places


def growing(d_P, P):
    rows, copies = [*P], []
    for row in rows:
        copies.append(row)  # where this is put into `rows`, the loop never ends
    n = 0
    while n < 3:
        n = n + 1
    return np.array(copies) * d_P


def test_no_change_runs_without_end():
    own = Own(growing)
    ones = np.ones((2, 1))
    assert own.submission()(ones, ones).shape == (2, 1) and own.rounds == 6  # one is the call
    own.most = 1000
    for line in (3, 6):
        for kind in KINDS:
            for _ in repairs(own.trees[growing], first_line(growing) + line, kind):
                try:
                    own.run(growing, compile(own.trees[growing], "<a change>", "exec"))
                    with np.errstate(all="ignore"):
                        own.submission()(ones, ones)
                except Exception:
                    continue
                finally:
                    assert own.rounds <= 1001
    assert check("softmax.backward", growing, quiet=True).findings[0].lines


def expect_few(values):
    if len(values) > 100_000:
        pytest.fail("a list has grown without end")


def summed(values):
    expect_few(values)
    if not values:
        return 0
    *below, top = values
    return top + summed(below)


def doubled_in_a_loop(values):
    n = 0
    while n < 5 and len(values) < 100_000:
        n = n + 1
        values = values + [n]
    return len(values)


@pytest.mark.parametrize("answer", [summed, doubled_in_a_loop])
def test_no_list_grows_without_end(answer, monkeypatch):
    monkeypatch.setattr(own_functions, "LARGEST", 1000)
    own = Own(answer)
    function = own.mains[0]
    own.most, stopped = 10_000, 0
    for kind in KINDS:
        for line in range(first_line(answer), first_line(answer) + 8):
            for _ in repairs(own.trees[function], line, kind):
                try:
                    own.run(function, compile(own.trees[function], "<a change>", "exec"))
                    with np.errstate(all="ignore"):
                        assert np.all(own.submission()([1.0, 2.0, 3.0]) < 100_000)
                except own_functions.Endless:
                    stopped += 1
                except (ArithmeticError, LookupError, NameError, SyntaxError, TypeError, ValueError,
                        AttributeError, RecursionError):
                    continue
    assert stopped


def test_what_counts_is_no_line_of_the_learner(monkeypatch):
    own = Own(growing)
    start = first_line(growing)
    assert sorted(line - start for _, line in own.lines()) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert sum(is_count(node) for node in ast.walk(own.trees[growing])) == 3
    seen = values_of(growing, np.ones(2), np.ones(2))
    assert not [text for _, text, _, _ in seen if "locals" in text]


# -- what is shown ---------------------------------------------------------------------------------


def soft(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def with_a_wrong_helper(scores):
    return soft(scores)


def without_gamma(d_y, x, gamma, beta, epsilon):
    mu = x.mean(-1, keepdims=True)
    sigma = (x.var(-1, keepdims=True) + epsilon) ** 0.5
    x_hat = (x - mu) / sigma
    d_gamma = (d_y * x_hat).sum((0, 1))
    d_beta = d_y.sum((0, 1))
    d_hat = d_y
    m = d_hat.mean(-1, keepdims=True)
    m2 = (d_hat * x_hat).mean(-1, keepdims=True)
    d_x = (d_hat - m - x_hat * m2) / sigma
    return d_x, d_gamma, d_beta


def by_the_jacobian(d_P, P):
    out = np.zeros_like(P)
    for b in range(P.shape[0]):
        for t in range(P.shape[1]):
            row = P[b, t]
            J = np.diag(row) + np.outer(row, row)
            out[b, t] = J @ d_P[b, t]
    return out


def of_another_power(d_P, P):
    total = (d_P * P).sum(-1, keepdims=True)
    inner = np.abs(d_P) ** 0.7 - total
    return P * inner


def that_stops_later(x, gamma, beta, epsilon):
    mu = x.mean(-1)
    sigma = np.sqrt(x.var(-1, keepdims=True) + epsilon)
    return (x - mu) / sigma * gamma + beta


def with_all_axes_reversed(d_context, query, key, value, mask):
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    hidden = np.where(mask, scores, -1e9)
    P = np.exp(hidden - hidden.max(-1, keepdims=True)) * mask
    P = P / np.maximum(P.sum(-1, keepdims=True), 1e-300)
    d_P = d_context @ value.T
    d_scores = P * (d_P - (d_P * P).sum(-1, keepdims=True)) / np.sqrt(query.shape[-1])
    return d_scores @ key, d_scores.swapaxes(-1, -2) @ query, P.swapaxes(-1, -2) @ d_context


def where_the_last_wins(gradient, ids, table):
    out = np.zeros_like(table)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if ids[b, t] != 0:
                out[ids[b, t]] = gradient[b, t] * np.sqrt(table.shape[1])
    return out


class Softmax:
    def forward(self, scores):
        e = np.exp(scores - scores.max(-1, keepdims=True))
        self.P = e / e.sum(-1, keepdims=True)
        return self.P

    def backward(self, d_P):
        s = (d_P * self.P).sum(-2, keepdims=True)
        return self.P * (d_P - s)


@pytest.mark.parametrize(
    "exercise, answer, function, line, reason",
    [
        ("softmax.forward", with_a_wrong_helper, soft, 2,
         "`1` should be another number: with one change there, all numbers are right."),
        ("layer_norm.backward", without_gamma, without_gamma, 6,
         "`d_y` lacks a factor: with one change there, all numbers are right."),
        ("softmax.backward", by_the_jacobian, by_the_jacobian, 5,
         "`np.diag(row) + np.outer(row, row)` has the wrong operator, or a bracket stands in the "
         "wrong place: with one change there, all numbers are right."),
        ("softmax.backward", of_another_power, of_another_power, 2,
         "If `np.abs(d_P) ** 0.7` had the right value, all numbers would be right."),
        ("layer_norm.forward", that_stops_later, that_stops_later, 1,
         "`x.mean(-1)` loses its axis: with one change there, all numbers are right."),
        ("attention.backward", with_all_axes_reversed, with_all_axes_reversed, 5,
         "`value.T` has all axes in the reverse order: with one change there, all numbers are "
         "right."),
        ("embedding.backward", where_the_last_wins, where_the_last_wins, 5,
         "`out[ids[b, t]]` takes a new value, where it should be added to what is there: with one "
         "change there, all numbers are right."),
        ("softmax.backward", Softmax, Softmax, 7,
         "`2` should be another number: with one change there, all numbers are right."),
    ],
)  # fmt: skip
def test_the_line_that_is_at_fault(exercise, answer, function, line, reason, capsys):
    found = next(iter(check(exercise, answer).findings[0].lines), None)
    assert found, "no line is shown"
    assert (found.number, found.function) == (first_line(function) + line, function.__name__)
    assert found.reason == reason
    printed = " ".join(capsys.readouterr().out.split())
    start = f"line {found.number} of {found.function}: `"
    assert f"{start}{found.code}`. {reason}" in printed.replace("line  ", "line ")


def test_a_masked_score_may_be_any_large_negative_number():
    search = object.__new__(lines.Search)
    search.right, search.tolerance = [np.array([-np.inf, 1.5, 2.5])], 1e-10
    search.numbers = np.zeros(1)
    assert search.is_known(np.array([-1e9, 1.5, 2.5]))
    assert not search.is_known(np.array([-1e7, 1.5, 2.5]))


def detour(d_P, P):
    squares = d_P**2
    total = (np.sqrt(squares) * np.sign(d_P) * P).sum(-1, keepdims=True)
    return P * (d_P - total) + 0.01 * np.tanh(squares)


def test_where_one_change_is_enough_no_other_line_is_shown_for_its_value():
    shown = check("softmax.backward", detour, quiet=True).findings[0].lines
    assert [line.number - first_line(detour) for line in shown] == [3] and shown[0].is_sure


def two_detours(d_P, P):
    squares = d_P**2
    total = (np.sqrt(squares) * np.sign(d_P) * P).sum(-1, keepdims=True)
    return P * (d_P - 1.1 * total) + 0.01 * np.tanh(squares)


def test_the_first_value_that_the_right_way_does_not_have_is_shown_besides():
    shown = check("softmax.backward", two_detours, quiet=True).findings[0].lines
    assert [line.number - first_line(two_detours) for line in shown] == [3, 1]
    assert shown[1].reason == lines.FIRST


def by_the_reciprocal(d_y, x, gamma, beta, epsilon):
    rstd = 1 / np.sqrt(x.var(-1, keepdims=True) + epsilon)
    x_hat = (x - x.mean(-1, keepdims=True)) * rstd
    below = -x_hat
    d_hat = d_y * gamma
    inner = d_hat - d_hat.mean(-1, keepdims=True) + below * (d_hat * x_hat).sum(-1, keepdims=True)
    return np.tanh(rstd) * inner, (d_y * x_hat).sum((0, 1)), d_y.sum((0, 1))


def test_a_reciprocal_and_a_negative_of_a_right_value_are_right_values():
    shown = check("layer_norm.backward", by_the_reciprocal, quiet=True).findings[0].lines
    assert shown and {line.number - first_line(by_the_reciprocal) for line in shown} == {5, 6}


def with_a_square(d_P, P):
    inner = d_P - (d_P * P).sum(-1, keepdims=True)
    scores = P * P
    return scores * inner


def test_a_mistake_that_only_comes_near_is_not_named_where_a_change_makes_all_right(monkeypatch):
    mistake = EXERCISES["attention.d_scores"].mistakes[0]
    near = Match(mistake, [], remains="something else remains", exact=False)
    monkeypatch.setattr(diagnosis, "_by_structure", lambda *_: (near, None))
    finding, *rest = check("attention.d_scores", with_a_square, quiet=True).findings
    assert (finding.title, rest) == ("", []) and finding.lines[0].is_sure


def test_no_line_is_shown_of_what_is_right():
    def of_softmax(d_P, P):
        return P * (d_P - (d_P * P).sum(-1, keepdims=True))

    report = check("softmax.backward", of_softmax, quiet=True)
    assert not [line for finding in report.findings for line in finding.lines]


def dropped(x, p, training, rng):
    if not training:
        return x
    mask = rng.random(x.shape) >= p
    return x * mask / p


def shared(x, p, training, rng):
    mask = rng.random(x.shape[1:]) >= p
    out = x * mask
    return out / (1 - p) if training else x


def half(x, p, training, rng):
    mask = rng.random(x.shape) >= p / 2
    return x * mask / (1 - p) if training else x


@pytest.mark.parametrize(
    "answer, line, words",
    [
        (dropped, 4, "`p` should be taken off 1"),
        (shared, 1, "`1` should be another number"),
        (half, 1, "There is something too many in `p / 2`"),
    ],
)
def test_of_an_answer_that_draws_at_random_what_follows_from_its_choices_is_right(
    answer, line, words
):
    shown = check("dropout.forward", answer, quiet=True).findings[0].lines
    assert [(one.number - first_line(answer), one.reason) for one in shown] == [
        (line, f"{words}: with one change there, all numbers are right.")
    ]


def handed_on(query, key):
    scores = np.zeros((*query.shape[:-1], key.shape[-2]))
    for t in range(query.shape[-2]):
        for s in range(key.shape[-2]):
            scores[..., t, s] = (query[..., t, :] * key[..., s, :]).sum(-1)
    return scores


def test_the_line_after_one_that_hands_on_its_value_is_shown_too():
    shown = check("attention.scores", handed_on, quiet=True).findings[0].lines
    assert [line.number - first_line(handed_on) for line in shown] == [4, 5]


def test_the_lines_are_found_by_two_draws_and_in_a_given_time(monkeypatch):
    monkeypatch.setattr(lines, "SECONDS", -1)
    shown = check("layer_norm.backward", without_gamma, quiet=True).findings[0].lines
    assert [(line.number - first_line(without_gamma), line.reason) for line in shown] == [
        (7, lines.FIRST)
    ]


def with_a_size_as_a_number(scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.mean(-1, keepdims=True) / 4


def test_a_change_that_makes_right_holds_elsewhere_too():
    """5 for 4 is right with the sizes of the first draw alone."""
    shown = check("softmax.forward", with_a_size_as_a_number, quiet=True).findings[0].lines
    assert shown and all("one change" not in line.reason for line in shown)


def test_a_value_is_known_as_a_part_or_an_arrangement_of_a_right_one():
    x = np.arange(2.0, 26).reshape(2, 3, 4) ** 0.5
    right = [x]
    known = (x, x[0], x[:, 1], x[..., 2], x[1, 2, 3], x.swapaxes(0, 2), x[:, None], x.reshape(6, 4))
    assert all(is_among(value, right, 1e-10) for value in known)
    unknown = (x + 1e-3, x[:, ::-1], x.reshape(4, 6), x.sum(0), x[0, 0, 0] + 1e-6, x[None] * 2)
    assert not any(is_among(value, right, 1e-10) for value in unknown)
    assert is_among(x.reshape(2, 12), right, 1e-10)
    assert all(map(is_trivial, (3, True, np.zeros(4), np.eye(2), 1.0)))
    assert not any(map(is_trivial, (0.5, x, np.arange(3))))


# -- what an answer prints -------------------------------------------------------------------------


def talking(scores):
    print("shape", scores.shape)
    return scores


def talking_and_right(scores):
    print("shape", scores.shape)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_a_class_that_prints_where_it_is_defined_prints_once(capsys):
    class Talking:
        print("defined")

        def forward(self, scores):
            y = scores + 1
            return y

    check("softmax.forward", Talking)
    assert capsys.readouterr().out.count("defined") == 1


@pytest.mark.parametrize("answer", [talking, talking_and_right])
def test_what_an_answer_prints_appears_once(answer, capsys):
    check("softmax.forward", answer)
    out = capsys.readouterr().out
    assert out.startswith("shape (3, 5, 7)\nsoftmax.forward: ") and out.count("shape (") == 1
