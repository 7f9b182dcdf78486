"""A few odd and hostile submissions, drawn by a seed; `make fuzz` grades all of them
(`fuzz_grade.py`)."""

import random

import fuzz_grade
import pytest

QUICK = ("right", "not right", "look", "refused", "crashed")  # what comes to an end by itself
KINDS = [kind for kind in fuzz_grade.kinds() if kind.expected in QUICK]


def test_there_are_many_kinds_and_none_twice():
    names = [kind.name for kind in fuzz_grade.kinds()]
    assert len(names) >= 300 and len(set(names)) == len(names)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_odd_and_hostile_submissions(seed):
    fuzz_grade.run_all(random.Random(seed).sample(KINDS, 10), seconds=30)


def test_a_kind_that_does_not_become_what_it_must_is_told():
    kind = fuzz_grade.Kind("wrong", {"a.py": fuzz_grade.WRONG}, "right")
    with pytest.raises(AssertionError, match="wrong: 'right' was expected"):
        fuzz_grade.run_all([kind], seconds=30)
