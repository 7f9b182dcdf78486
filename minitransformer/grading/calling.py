"""How a submission is called: a function, a forward and a backward, or a class; on copies, and
whatever it may do."""

import contextlib
import copy
import dis
import inspect
import sysconfig
import traceback
import warnings

import numpy as np

from ..testing.difference import scale_of
from .binding import Unfit, bind, find_name
from .frameworks import Converted
from .outcome import TOLERANCES, WIDEST, Outcome, Trouble, read

LONGEST, LONGEST_ERROR = 160, 320  # characters of a line of code, and of an error's text
CUT = 1000  # characters of a text that are looked at
LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
SINGLE_ROUNDING = 2.0**-24  # of a number, at most, relative to it
AMPLE = 10  # times what rounding of the inputs does, rounding on the way may do
TENSORS = "For a function of tensors: check(…, convert=torch.from_numpy)."
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
# what the bytecode of a function that computes something has
WORKING = ("CALL", "BINARY", "COMPARE", "UNARY")


class Silence:
    """A stream that nothing comes out of."""

    def write(self, text):
        return len(text)

    def flush(self):
        pass


def call(submission, exercise, given, aloud=False):
    """The `Outcome` of a submission on copies of these inputs. Nothing that it raises comes
    through, nor, unless it may speak aloud, what it prints."""
    inputs = copy.deepcopy(given)
    everything = inputs if exercise.drive else exercise.everything(inputs)
    follows = {name: value for name, value in everything.items() if name not in inputs}
    before, is_converted = copy.deepcopy(follows), isinstance(submission, Converted)
    heard = contextlib.nullcontext() if aloud else contextlib.redirect_stdout(Silence())
    with np.errstate(all="ignore"), warnings.catch_warnings(), heard:
        warnings.simplefilter("ignore")
        try:
            if exercise.drive and is_converted:
                raise Unfit(f"For {exercise.id}, hand in a function of NumPy arrays.")
            returned = (
                exercise.drive(submission, inputs)
                if exercise.drive
                else _call(submission, exercise, everything)
            )
        except NotImplementedError:
            return Outcome(trouble=Trouble("stub", "it raises NotImplementedError"))
        except Unfit as problem:
            return Outcome(trouble=Trouble("arguments", str(problem)))
        except KeyboardInterrupt:
            raise
        except BaseException as problem:  # a learner's code may raise anything
            shapes = _shapes(taken_by(submission, exercise, given))
            said = explain(problem)
            tensors = TENSORS if "Tensor" in said and not is_converted else ""
            sentences = filter(None, (f"It raised {said}", shapes, tensors))
            return Outcome(trouble=Trouble("raised", " ".join(sentences)))
        try:
            if returned is None and is_blank(submission):
                return Outcome(trouble=Trouble("stub", "its body is empty"))
            outcome = read(returned, exercise, inputs)
        except KeyboardInterrupt:
            raise
        except BaseException as problem:  # objects that do not let themselves be looked at
            text = (
                f"What it returned ({type(returned).__name__}) cannot be read: {explain(problem)}"
            )
            return Outcome(trouble=Trouble("type", text))
    outcome.changed = changes(exercise, given, inputs) + changes(exercise, before, follows)
    if outcome.tolerance >= TOLERANCES[4] and not outcome.stopped():  # it came in float32
        lost = AMPLE * change_by_rounding(exercise, given)
        outcome.tolerance = min(outcome.tolerance + lost, WIDEST)
    return outcome


def change_by_rounding(exercise, given):
    """How much the right outputs change where each number of the inputs is off as by rounding to
    float32, relative to the largest: no answer in float32 can be expected to be more exact."""
    rng = np.random.default_rng(0)
    rounded = {
        name: x * (1 + SINGLE_ROUNDING * rng.choice([-1, 1], x.shape)) if is_double(x) else x
        for name, x in given.items()
    }
    with np.errstate(all="ignore"):
        exact, coarse = (call_own(exercise.reference, exercise, x) for x in (given, rounded))
    worst = 0.0
    for name, a in exact.outputs.items():
        b = coarse.outputs.get(name)
        if b is not None and a.shape == b.shape:
            gaps = np.abs(a - b)[np.isfinite(a) & np.isfinite(b)] / scale_of(a)
            worst = max(worst, float(gaps.max(initial=0)))
    return worst


def is_double(x):
    return isinstance(x, np.ndarray) and x.dtype == np.float64


def call_own(function, exercise, given):
    """The same for our own text, right or wrong: its inputs bear the exercise's names, and nobody
    reads why it stops."""
    inputs = copy.deepcopy(given)
    try:
        returned = exercise.drive(function, inputs) if exercise.drive else function(**inputs)
    except Exception:
        return Outcome(trouble=Trouble("raised", "It raised an error."))
    outcome = read(returned, exercise, inputs)
    outcome.changed = changes(exercise, given, inputs)
    return outcome


def changes(exercise, before, after):
    """The inputs that were changed, and should not have been."""
    return tuple(
        name
        for name in before
        if name not in exercise.changes and not same(before[name], after[name])
    )


def is_blank(submission):
    """Whether a function, or what a class or pair does last, computes nothing at all."""
    if isinstance(submission, (tuple, list)):
        return any(is_blank(function) for function in submission)
    if not inspect.isroutine(submission):
        methods = [getattr(submission, name, None) for name in ("forward", "backward")]
        return any(is_blank(method) for method in methods if method is not None)
    code = getattr(inspect.unwrap(submission), "__code__", None)
    return code is not None and not any(
        step.opname.startswith(WORKING) for step in dis.get_instructions(code)
    )


def same(before, after):
    """Whether an input is as it was: arrays, functions, and containers of them; anything else is
    not looked into."""
    if inspect.isfunction(before):
        return before is after
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(
            same(before[key], after[key]) for key in before
        )
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(same(a, b) for a, b in zip(before, after))
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and np.array_equal(
            before, after, equal_nan=before.dtype.kind == "f"
        )
    return True


def _call(submission, exercise, everything):
    if isinstance(submission, Converted):
        inputs = submission.inputs(everything)
        run = submission.run or _call
        return run(submission.submission, exercise, inputs)
    if isinstance(submission, (tuple, list)):
        return _call_pair(*_two(submission), exercise, everything)
    if inspect.isclass(submission) or hasattr(submission, "forward"):
        return _call_object(submission, exercise, everything)
    if not callable(submission):
        kind = type(submission).__name__
        raise Unfit(
            f"Something of type {kind} was handed in: hand in the function itself, without calling "
            "it."
        )
    arguments, named = _bound(submission, exercise, everything)
    return submission(*arguments, **named)


def _bound(function, exercise, everything):
    """The arguments of a plain function."""
    order, first = list(exercise.inputs), len(exercise.upstream)
    return bind(function, everything, order, f"{_name(function)}()", first)


def taken_by(submission, exercise, given):
    """Those of the inputs, and of what may be asked for by name, that a plain function gets; for
    anything else, the inputs."""
    if exercise.drive or not inspect.isroutine(submission):
        return given
    everything = exercise.everything(given)
    arguments, named = _bound(submission, exercise, everything)
    taken = {*map(id, arguments), *map(id, named.values())}
    return {name: value for name, value in everything.items() if id(value) in taken}


def _call_pair(forward, backward, exercise, given):
    """(forward, backward), where forward returns (y, cache) and backward takes (d_y, cache)."""
    _expect_two_ways(exercise)
    run = exercise.forward or exercise
    arguments, named = bind(
        forward, given, [name for name in run.inputs if name in given], f"{_name(forward)}()"
    )
    returned = forward(*arguments, **named)
    if exercise.forward is None or returned is None or returned is Ellipsis:
        return returned
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise Unfit(
            "Of two functions, the first returns (y, cache), and the second takes (d_y, cache)."
        )
    return backward(*_upstream(backward, exercise, given, 1), returned[1])


def _call_object(submission, exercise, given):
    """A class whose constructor takes some of the inputs by name (or none), and forward the
    rest."""
    _expect_two_ways(exercise)
    forward = exercise.forward or exercise
    made, held = submission, set()
    if inspect.isclass(submission):
        arguments, named = bind(submission, given, [], f"{_name(submission)}'s constructor")
        held = {find_name(name, given) for name in inspect.signature(submission).parameters}
        made = submission(*arguments, **named)
    run = made.forward if hasattr(made, "forward") else made
    if not callable(run):
        raise Unfit(f"{_name(submission)} has no method `forward`.")
    order = [name for name in forward.inputs if name in given and name not in held]
    arguments, named = bind(run, given, order, f"{_name(submission)}.forward()")
    returned = run(*arguments, **named)
    if exercise.forward is None:
        return returned
    if not hasattr(made, "backward"):
        raise Unfit(f"{_name(submission)} has no method `backward`.")
    if returned is None or returned is Ellipsis:
        return returned
    return _with_attributes(
        made.backward(*_upstream(made.backward, exercise, given, 0)), made, exercise
    )


def _expect_two_ways(exercise):
    """Raise Unfit where a forward and a backward have no meaning: the exercise begins with a
    gradient that it is given."""
    if exercise.forward is None and any(name.startswith("d_") for name in exercise.inputs):
        raise Unfit(f"For {exercise.id}, hand in one function: {exercise.call}.")


def _upstream(backward, exercise, given, others):
    """The gradients that a backward starts from. A loss has none: a backward that asks for one all
    the same gets a 1."""
    if exercise.upstream:
        return [given[name] for name in exercise.upstream]
    needed = [
        p
        for p in inspect.signature(backward).parameters.values()
        if p.default is p.empty and p.kind in POSITIONAL
    ]
    return [1.0] if len(needed) == others + 1 else []


def _with_attributes(returned, made, exercise):
    """Gradients that backward returned, and behind them those that it left in attributes: d_gamma,
    or gamma.grad."""
    names = list(exercise.returns)
    parts = (
        list(returned) if isinstance(returned, tuple) else [] if returned is None else [returned]
    )
    if isinstance(returned, dict) or len(parts) >= len(names):
        return returned
    attributes = getattr(made, "__dict__", {})
    for name in names[len(parts) :]:
        bare = name.removeprefix("d_")  # gamma, which may carry its own gradient
        wanted = [name, f"grad_{bare}", f"{bare}_grad", bare]
        left = {find_name(attribute, wanted): value for attribute, value in attributes.items()}
        places = [*(left.get(place) for place in wanted[:3]), getattr(left.get(bare), "grad", None)]
        found = [place for place in places if place is not None]
        if not found:
            return returned
        parts.append(found[0])
    return tuple(parts)


def _two(submission):
    if len(submission) != 2 or not all(callable(function) for function in submission):
        raise Unfit("A pair is (forward, backward): two functions.")
    return submission


def _name(submission):
    return getattr(submission, "__name__", type(submission).__name__)


def explain(problem):
    """What was raised, and in which line of the learner's code: "ValueError in line 3: `…`
    (…)."."""
    if isinstance(problem, SyntaxError) and problem.text:
        return f"SyntaxError in line {problem.lineno}: `{short(problem.text)}` ({problem.msg})."
    own = [
        f for f in traceback.extract_tb(problem.__traceback__)
        if not _is_ours(f.filename) and not f.filename.startswith(LIBRARIES)
    ]  # fmt: skip
    place = ""
    if own:  # a framework that calls a backward may raise in its own lines alone
        place = f" in line {own[-1].lineno}" + (
            f": `{short(own[-1].line)}`" if own[-1].line else f" of {own[-1].name}()"
        )
    try:
        text = short(" ".join(str(problem)[:CUT].split()), LONGEST_ERROR)
    except BaseException:  # its own __str__ fails, or leaves
        text = ""
    return f"{short(type(problem).__name__)}{place}" + (f" ({text})" if text else "") + "."


def short(text, longest=LONGEST):
    """The first line of a text, for one line of a report: no more of it than can be read, and
    nothing but characters."""
    line = next(iter(text[:CUT].strip().splitlines()), "").strip()
    line = "".join(c if c.isprintable() else "�" for c in line)
    return line if len(line) <= longest else line[:longest] + " …"


def _shapes(given):
    """What the submission was given: the sizes are what most errors are about."""
    shapes = [
        f"{name} {value.shape}" for name, value in given.items() if isinstance(value, np.ndarray)
    ]
    return f"It was given {', '.join(shapes)}." if shapes else ""


def _is_ours(filename):
    return filename.startswith(__file__.rsplit("calling.py", 1)[0])
