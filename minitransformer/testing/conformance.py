"""Does a component keep the whole contract? Similar to scikit-learn's `check_estimator`.

    print(check_component(LayerNorm(11), x))

prints a table of all checks, or raises a ContractError that says what is wrong.

It serves our components, which `all_components` finds by itself, and a reader's own. The checks are
in `contract.py`.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..boundary import PACKAGE, Natural, Positive, checked, named
from ..core.module import Module
from ..errors import InputError, unknown
from .contract import CHECKS, Breach, Case, NotApplicable, told
from .gradient_check import TOLERANCE, as_tuple, expect_component, expect_floats, gradient_check

PASSED = "passed"
FAILED = "failed"
NOT_APPLICABLE = "not applicable"
EXPECTED = "failed as expected"


class ContractError(AssertionError):
    """A component breaks the contract. The message has a sentence for each check that failed, one
    for all in which the same error was raised; `report` has all checks.
    """

    def __init__(self, report: "ContractReport"):
        lines = []
        for result in report.failed:
            others = [other.name for other in report.failed if other.same_as == result.name]
            if not result.same_as:
                more = f" (and in {len(others)} more: {', '.join(others)})" if others else ""
                lines.append(f"  {result.name}: {result.why}{more}")
        super().__init__(
            "\n".join([f"{report.component} breaks the contract: {report.counts()}.", *lines])
        )
        self.report = report


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """What one check found. `status` is "passed", "failed", "not applicable" or "failed as
    expected"; `why` says why.

    `raised` is the error behind a failure, if any; `same_as` names the first check that failed by
    the same error.
    """

    name: str
    status: str
    why: str = ""
    raised: str = ""
    same_as: str = ""


@dataclasses.dataclass
class ContractReport:
    """The results of all checks of one component. `passed` if none failed; printed, it is a
    table."""

    component: str
    results: list

    @property
    def failed(self) -> list[CheckResult]:
        """The results of the checks that failed."""
        return [result for result in self.results if result.status == FAILED]

    @property
    def passed(self) -> bool:
        return not self.failed

    def counts(self) -> str:
        """Such as "14 passed, 1 failed, 2 not applicable"."""
        found = [result.status for result in self.results]
        return ", ".join(
            f"{found.count(status)} {status}" for status in dict.fromkeys([PASSED, FAILED, *found])
        )

    def __str__(self):
        width = max(len(result.name) for result in self.results)
        lines = [f"{self.component}: {self.counts()}"]
        for result in self.results:
            why = result.why.replace("\n", "\n" + " " * (width + 24))
            lines.append(f"  {result.name:<{width}}  {result.status:<18}  {why}".rstrip())
        return "\n".join(lines)


@checked
def check_component(
    component: "Module", *inputs: "Any", seed: Natural = 0, tolerance: Positive = TOLERANCE,
    max_entries: Natural | None = None,
    expected_failures: "Mapping[str, str] | Iterable[tuple[str, str]]" = (), raises: bool = True,
) -> ContractReport:
    """Check a component, with one set of inputs, against the whole contract. Returns a
    `ContractReport` of all checks.

    Shapes and dtypes of outputs and gradients, gradients against finite differences (float64, away
    from initialisation, training and eval mode), float32 against float64, accumulation (`+=`),
    saves that are last in, first out, inputs and returned arrays left untouched, train and eval,
    no_grad, repeatability, and saving and loading. Then unusual inputs: a d_y of another shape,
    integers, lists, subclasses of ndarray, another byte order, float16, read-only and
    non-contiguous arrays, an empty batch. Each of these gives the right result, or an InputError.
    Every check runs in float64 and in float32, finite differences in float64 only. The component
    itself is not changed: copies are checked.

    Only what these inputs reach is checked, and, by a few finite differences, a first and a second
    axis of 1 and of twice the size, and inputs ten times as large. Not covered: another number of
    axes, a branch for other values or lengths, equal values where these inputs have none, a mask or
    a cache that is not passed. Call it once for each. In float32 nothing random is compared with
    float64.

    Float inputs are converted to the dtype under test; ids, masks and None pass as they are. The
    first axis of an array with two or more is the batch. `max_entries` limits the entries that
    finite differences try in each array; None and 0 mean every entry.
    `expected_failures`, {name of a check: reason}, names checks that may fail; if one of them
    passes, that is an error, so that the list stays up to date. Raises ContractError, with a
    sentence for each check that failed; with `raises=False` the report alone says so. Raises
    InputError if `expected_failures` has an unknown name, if the first argument is no component, or
    if backward returns a gradient for an input of whole numbers.
    """
    expect_component("check_component", component)
    expected = named("expected_failures", expected_failures)
    for name in expected:
        if name not in map(name_of, CHECKS):
            raise unknown("check", name, map(name_of, CHECKS))
    options = {"seed": seed, "tolerance": tolerance, "max_entries": max_entries}
    report = ContractReport(
        type(component).__name__, _results(component, inputs, options, expected)
    )
    if raises and not report.passed:
        raise ContractError(report)
    return report


def name_of(check):
    """Such as "inputs untouched", for `check_inputs_untouched`."""
    return check.__name__.removeprefix("check_").replace("_", " ")


def _results(component, inputs, options, expected):
    """A `CheckResult` for each check; only one for a component that cannot be checked at all."""
    rng = np.random.default_rng(options["seed"])
    try:
        cases = [Case(component, inputs, dtype, rng, options) for dtype in ("float64", "float32")]
    except InputError as problem:
        return [CheckResult("forward runs", FAILED, str(problem))]
    except Exception as problem:
        return [
            CheckResult(
                "forward runs", FAILED, f"forward raised {type(problem).__name__}: {problem}"
            )
        ]
    expect_floats(inputs, _gradients(cases[0]))
    results, first = [], {}
    for result in (_result(check, cases, expected.get(name_of(check))) for check in CHECKS):
        same = first.setdefault(result.raised, result.name) if result.raised else result.name
        if same != result.name:
            result = dataclasses.replace(result, why=f"the same error as in {same!r}", same_as=same)
        results.append(result)
    return results


def _gradients(case):
    """What backward returns for the inputs; nothing if it raises, which the checks will report."""
    component = case.fresh()
    component.forward(*case.inputs)
    try:
        return as_tuple(component.backward(*case.d_outputs))
    except Exception:
        return ()


def _result(check, cases, expected):
    """The `CheckResult` of one check in all dtypes; an error that it does not expect is a failure
    too."""
    status, why, raised = PASSED, "", ""
    for case in cases:
        try:
            check(case)
        except NotApplicable as reason:
            status, why = NOT_APPLICABLE, str(reason)
        except Breach as breach:
            status = FAILED
            why = f"({case.dtype}) {breach}"
            raised = repr(breach.__cause__) if breach.__cause__ else ""
        except Exception as problem:
            status, why, raised = FAILED, f"({case.dtype}) {told(problem)}", repr(problem)
        if status == FAILED:
            break
    if expected and status == FAILED:
        return CheckResult(name_of(check), EXPECTED, expected)
    if expected and status == PASSED:
        return CheckResult(
            name_of(check), FAILED,
            f"it passes, but was expected to fail ({expected}): take it off the list.",
        )
    return CheckResult(name_of(check), status, why, raised if status == FAILED else "")


# -- the package's own components ------------------------------------------------------------------


def all_components() -> list[type[Module]]:
    """Every component that the package defines, in the order of their modules: there is no list
    that could be incomplete."""
    package, found = importlib.import_module(PACKAGE), {}
    for info in pkgutil.walk_packages(package.__path__, "minitransformer."):
        # the forms of `gpu` are components that are here already
        if info.name.split(".")[1] not in ("gpu", "plotting", "__main__"):
            module = importlib.import_module(info.name)
            classes = [
                c
                for _, c in inspect.getmembers(module, inspect.isclass)
                if issubclass(c, Module) and c is not Module
            ]
            found.update({c.__qualname__: c for c in classes if c.__module__ == info.name})
    return list(found.values())


def check_gradients(cls, seed=0, max_entries=None):
    """The `GradientReport` of a component class on its own example, in float64, away from
    initialisation."""
    rng = np.random.default_rng(seed)
    component, *inputs = cls.example(rng)
    options = {"seed": seed, "max_entries": max_entries}
    case = Case(component, inputs, "float64", rng, options)
    return gradient_check(case.fresh(), *case.inputs, **options)
