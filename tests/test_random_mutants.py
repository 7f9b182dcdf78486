"""The changes that a machine makes: they are drawn again by the same seed, each is another program,
each file has its judges."""

import ast
from pathlib import Path

import pytest
import random_mutants

TEXT = '''"""A docstring with x̂."""
def f(x: Annotated[int, 3], *rest, last=True):
    """Another: 1 + 1."""
    if x < 3 and not rest:
        raise ValueError(f"{x + 1} is below {3}")
    total = x[1:] @ x  # x̂ − 1
    total += g(x, last, key=5)
    return total
'''
MADE = {
    "comparison turned: x < 3 → (x <= 3)",
    "and, or exchanged: x < 3 and not rest → ((x < 3) or (not rest))",
    "sign or not dropped: not rest → (rest)",
    "condition turned: x < 3 and not rest → (not (x < 3 and not rest))",
    "truth turned: True → False",
    "statement dropped: raise ValueError(f\"{x + 1} is below {3}\") → pass",
    "factors swapped: x[1:] @ x → ((x) @ (x[1:]))",
    "slice begins later: 1 → (1) + 1",
    "operator exchanged: total += g(x, last, key=5) → total -= g(x, last, key=5)",
    "assigned, not added: total += g(x, last, key=5) → total = g(x, last, key=5)",
    "statement dropped: total += g(x, last, key=5) → pass",
    "arguments swapped: g(x, last, key=5) → g(last, x, key=5)",
    "option dropped: g(x, last, key=5) → g(x, last)",
    "nothing returned: total → None",
    *(f"constant {sign} 1: {n} → ({m})"
      for n in (1, 3, 5) for sign, m in (("+", n + 1), ("−", n - 1))),
}  # fmt: skip


def test_every_change_that_can_be_made_to_a_file_and_nothing_in_words_or_annotations():
    found = random_mutants.changes("a.py", TEXT)
    assert {str(change).split(": ", 1)[1] for change in found} == MADE
    assert all(change.is_sound(TEXT) for change in found)


def test_a_change_touches_its_own_place_alone():
    for change in random_mutants.changes("a.py", TEXT):
        whole, made = TEXT.encode(), change.made(TEXT).encode()
        assert made[: change.first] == whole[: change.first] and made.endswith(whole[change.last :])
        assert TEXT.splitlines()[change.line - 1].strip() and ast.parse(made)


def test_the_same_seed_draws_the_same_changes():
    first = random_mutants.drawn(3, 10, "layers/")
    assert first == random_mutants.drawn(3, 10, "layers/") != random_mutants.drawn(4, 10, "layers/")
    assert len(set(first)) == 10 and all(change.path.startswith("layers/") for change in first)


def test_every_file_of_the_package_has_judges_and_every_entry_has_files():
    paths = [
        file.relative_to(random_mutants.PACKAGE).as_posix()
        for file in random_mutants.PACKAGE.rglob("*.py")
    ]
    assert {path.split("/")[0] for path in paths} <= {
        *random_mutants.TESTS, "__init__.py", "__main__.py",
    }
    for path in paths:
        assert all((random_mutants.ROOT / file).exists() for file in random_mutants.judges(path))
    for start in random_mutants.TESTS:
        assert any(path == start or path.startswith(start) for path in paths), (
            f"{start} fits no file"
        )


@pytest.mark.parametrize(
    "body, end", [("assert 1", "passed"), ("assert 0", "failed"), ("while True: pass", "hangs")]
)
def test_how_a_run_of_tests_ends(tmp_path, body, end):
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {body}\n", encoding="utf-8")
    assert (
        random_mutants.run_tests(tmp_path, [Path("test_it.py")], 1 if end == "hangs" else 60)[0]
        == end
    )
