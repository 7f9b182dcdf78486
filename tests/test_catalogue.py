"""Every wrong version that the checker knows is found, and named, whatever the numbers and the
sizes."""

import functools
import itertools
import pathlib
import random
import re
import time

import pytest
from common import mistake_ids

import minitransformer.grading
from minitransformer.grading import check
from minitransformer.grading.catalogue import mistakes_page
from minitransformer.grading.exercise import EXERCISES
from minitransformer.grading.report import Report

SEEDS = (0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow))
LISTED = range(1, 131)  # the mistakes that people were seen to make, by their numbers
ELSEWHERE = {}  # {number: why no exercise has it}
WITH_MISTAKES = [id for id, exercise in EXERCISES.items() if exercise.mistakes]


@functools.cache
def verdicts(exercise, seed):
    """[(mistake, version, report)] of every wrong version of an exercise."""
    exercise = EXERCISES[exercise]
    return [
        (mistake, version, check(exercise, exercise.wrong(version), seed=seed, quiet=True))
        for mistake in exercise.mistakes
        for version in mistake.versions
    ]


def named(report):
    """The titles that a report gives to what went wrong."""
    return [
        title
        for finding in report.findings
        if finding.exact
        for title in (finding.title, *finding.also)
        if title
    ]


def is_named(mistake, report):
    if mistake.convention:
        return report.passed and f"convention:{mistake.id}" in [
            finding.id for finding in report.findings
        ]
    return mistake.title in named(report)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", WITH_MISTAKES)
def test_every_wrong_version_is_flagged(exercise, seed):
    for mistake, version, report in verdicts(exercise, seed):
        assert report.findings and (mistake.convention or not report.passed), (
            mistake.title,
            version,
        )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", WITH_MISTAKES)
def test_a_name_is_right_or_one_of_two(exercise, seed):
    for mistake, version, report in verdicts(exercise, seed):
        assert is_named(mistake, report), (
            f"{mistake.id} {mistake.title}, {version}, seed {seed}:\n{report}"
        )
        assert len(named(report)) <= 2, f"{mistake.title}: {named(report)}"
        # a mistake that is named accounts for all outputs that it spoils
        assert "remains" not in [finding.id for finding in report.findings], f"{version}:\n{report}"


@pytest.mark.parametrize("seed", SEEDS)
def test_nine_of_ten_are_named_as_what_they_are(seed):
    found = [
        (mistake, report)
        for exercise in WITH_MISTAKES
        for mistake, _, report in verdicts(exercise, seed)
    ]
    first = sum(
        mistake.convention or named(report)[:1] == [mistake.title] and len(named(report)) == 1
        for mistake, report in found
    )
    print(
        f"{len(found)} wrong versions, {first} named as what they are, {len(found) - first} as one "
        "of two"
    )
    assert first >= 0.9 * len(found)


def pairs_of(exercise, count=4):
    """[(one, other, both at once)] of some pairs of mistakes that replace different words, drawn by
    a fixed seed."""
    mistakes = [m for m in exercise.mistakes if m.versions and not m.convention]
    pairs = list(itertools.combinations(mistakes, 2))
    random.Random(0).shuffle(pairs)
    found = []
    for one, other in pairs[: 10 * count]:
        try:
            found.append((one, other, exercise.wrong(one.versions[0], other.versions[0])))
        except (LookupError, SyntaxError):  # they replace the same words
            continue
    return found[:count]


@pytest.mark.slow
def test_of_two_mistakes_at_once_one_is_named():
    """Not always: two may cancel, or make a third; where they stop each other, nothing is left to
    compare."""
    found = flagged = named_one = 0
    for exercise in map(EXERCISES.get, WITH_MISTAKES):
        for one, other, both in pairs_of(exercise):
            report = check(exercise, both, quiet=True)
            titles = [
                title for finding in report.findings for title in (finding.title, *finding.also)
            ]
            found, flagged = found + 1, flagged + (not report.passed)
            named_one += one.title in titles or other.title in titles
    print(f"{found} pairs of mistakes, {flagged} flagged, {named_one} with one of the two named")
    assert flagged >= 0.98 * found and named_one >= 0.85 * found


def test_every_mistake_that_was_listed_has_an_exercise():
    missing = set(LISTED) - set(mistake_ids().values())
    assert sorted(missing) == sorted(ELSEWHERE)


def test_no_mistake_loses_its_name():
    """Programs know a mistake by it: a class's results of last year, and other people's pages. A
    new mistake has a line of its own at its place in tests/mistake_ids.txt."""
    names = [f"{e.id}/{mistake.id}" for e in EXERCISES.values() for mistake in e.mistakes]
    assert names == list(mistake_ids())


def test_a_name_is_a_few_words_and_one_of_a_kind_and_no_rules():
    grading = pathlib.Path(minitransformer.grading.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in grading.glob("*.py"))
    rules = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', code))  # what stands in quotes there
    assert "not-repeatable" in rules
    for exercise in EXERCISES.values():
        names = [mistake.id for mistake in exercise.mistakes]
        assert len(set(names)) == len(names) and not rules & set(names), exercise.id
        for name in names:
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){1,3}", name), f"{exercise.id}/{name}"
            assert not re.fullmatch("[0-9-]+", name), name


@pytest.mark.slow
def test_a_check_answers_in_a_fifth_of_a_second_or_three_seconds_of_computing():
    """A right answer, and one that nothing explains: then all searches go to their end."""
    slowest = {}
    for exercise in WITH_MISTAKES:
        for name, submission in {
            "right": EXERCISES[exercise].reference,
            "unknown": lambda *given: given[0],
        }.items():
            # a first time, so that the wrong versions are compiled
            check(exercise, submission, quiet=True)
            start = time.process_time()
            check(exercise, submission, quiet=True)
            slowest[name, time.process_time() - start] = exercise
    for name, most in (("right", 0.2), ("unknown", 3)):
        took, exercise = max((t, e) for (kind, t), e in slowest.items() if kind == name)
        assert took < most, exercise


ADDRESS = r"https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/[1-9][0-9]*"
LINK = rf"\[([\w.-]+/[\w.-]+)#([1-9][0-9]*)\]\(({ADDRESS})\)"


def test_where_a_mistake_was_met_is_words_and_links_of_one_form():
    """A link says which report it leads to; the words before it hold no address."""
    met = {f"{e.id}/{m.id}": m.met for e in EXERCISES.values() for m in e.mistakes if m.met}
    addresses = set()
    for name, text in met.items():
        for part in text.split("; "):
            link = re.fullmatch(LINK, part)
            assert link or not re.search(r"http|[][()]", part), f"{name}: {part}"
            if link:
                repository, number, address = link.groups()
                assert address.startswith(f"https://github.com/{repository}/"), f"{name}: {part}"
                assert address.endswith(f"/{number}"), f"{name}: {part}"
                addresses.add(address)
        links = re.findall(ADDRESS, text)
        assert len(set(links)) == len(links), f"{name}: {text}"
    # GitHub counts issues and pull requests together: one number is one of the two
    assert len({re.sub("/(issues|pull)/", "#", address) for address in addresses}) == len(addresses)
    assert len(addresses) > 140


def test_a_report_says_where_its_mistake_was_met():
    wrong = {  # a mistake, a convention, and what has no name
        "softmax.backward": (lambda d_P, P: d_P * P * (1 - P), "deeplearning4j/libnd4j#440"),
        "relu.backward": (lambda d_y, x: d_y * (x >= 0), "iamtrask/Grokking-Deep-Learning#13"),
        "softmax.forward": (lambda scores: scores**2 + 3.1, ""),
    }
    for id, (answer, place) in wrong.items():
        (finding,) = check(id, answer, quiet=True).to_dict()["findings"]
        known = {f"{id}/{m.id}": m.met for m in EXERCISES[id].mistakes}
        assert finding["met"] == known.get(finding["id"], ""), id
        assert place in finding["met"] and bool(place) == bool(finding["met"])


def test_a_report_from_before_says_nothing_of_it():
    report = check("softmax.backward", lambda d_P, P: d_P * P * (1 - P), quiet=True)
    found = report.to_dict()
    assert Report.from_dict(found).to_dict() == found
    del found["findings"][0]["met"]
    old = Report.from_dict(found)
    assert old.findings[0].met == "" and str(old) == str(report)
    assert "https" not in str(report)  # a terminal is no page


def test_the_page_of_mistakes_is_what_the_command_prints():
    page = pathlib.Path(__file__).resolve().parents[1] / "docs" / "mistakes.md"
    assert page.read_text(encoding="utf-8") == mistakes_page() + "\n", (
        "print it anew: minitransformer exercises --mistakes > docs/mistakes.md"
    )
