"""The commands for teachers: the exercises, and the answers of a class."""

import sys
from pathlib import Path

from ..errors import InputError, write_text


def grade(options):
    """Grade notebooks and Python files: which answers are right, and which mistakes the class
    makes."""
    # the exercises take a moment to load
    from ..grading.clusters import name_known, read_known
    from ..grading.grade import as_text, grade, was_interrupted
    from ..grading.gradescope import without_a_file
    from ..grading.points import points_of, read_points

    expect_places(options)
    points = read_points(options.points) if options.points else None
    known = read_known(options.known) if options.known else []
    try:
        submissions = grade(options.files, options.seconds, options.jobs)
    except InputError as problem:
        if options.gradescope:  # else the student would be told of a broken autograder
            write_text(options.gradescope, without_a_file(problem, points))
        raise
    name_known(submissions, known)
    points = points or points_of(submissions)
    print(as_text(submissions, points))
    stopped = was_interrupted(submissions)
    write_results(options, submissions, points, stopped)
    if stopped:
        print(
            "minitransformer: interrupted: some files were not graded; the table names them.",
            file=sys.stderr,
        )
    return 130 if stopped else 0


def expect_places(options):
    """Raise InputError, before any time is spent on grading, for a place that results cannot or
    should not be written to."""
    from ..grading.feedback import expect_free

    own = {"--points": options.points, "--known": options.known}
    for file in options.out:
        expect_writable(file, own)
    if options.gradescope:
        expect_writable(options.gradescope, own, "--gradescope", (".json",))
        if not options.points:
            raise InputError(
                "--gradescope needs --points: one student's files do not say what was asked."
            )
    if options.feedback:
        expect_free(options.feedback, options.overwrite)


def write_results(options, submissions, points, stopped):
    """Write what the options ask for, and print where it is."""
    from ..grading.feedback import write_feedback
    from ..grading.grade import as_json_text
    from ..grading.gradescope import as_gradescope
    from ..grading.points import as_csv

    for file in options.out:
        make = as_csv if Path(file).suffix == ".csv" else as_json_text
        write_text(file, make(submissions, points))
        print(f"\n{'Results until the interruption' if stopped else 'All results'}: {file}")
    if options.feedback:
        pages = write_feedback(submissions, points, options.feedback, options.overwrite)
        print(f"\nPages for the students ({len(pages)}): {options.feedback}")
    if options.gradescope and not stopped:
        write_text(options.gradescope, as_gradescope(submissions, points))
        print(f"\nFor Gradescope: {options.gradescope}")


def expect_writable(file, own, option="--out", endings=(".json", ".csv")):
    """Raise InputError for a file that an option cannot write, or should not because it is one of
    the teacher's own: {option: file or None}."""
    if Path(file).suffix not in endings:  # so that no submission is overwritten
        raise InputError(f"The file of {option} must end in {' or '.join(endings)}, got {file}.")
    if not Path(file).absolute().parent.is_dir():
        raise InputError(f"{file} could not be written: there is no folder {Path(file).parent}.")
    for name, mine in own.items():
        if mine and Path(file).resolve() == Path(mine).resolve():
            raise InputError(f"{file} is the file of {name}. Choose another name for {option}.")


def release(options):
    """Write an assignment made of exercises, as a notebook for nbgrader or otter."""
    from ..grading.points import read_points
    from ..grading.release import release

    points = read_points(options.points) if options.points else {}
    chosen = asked_for(options.exercises)
    found = {one.id: points.get(one.id, 1.0) for one in chosen}
    if points and points.keys() != found.keys():
        odd = min(points.keys() ^ found.keys())
        raise InputError(
            f"{options.points} and the exercises of the assignment should be the same; {odd} is "
            "in one of them only."
        )
    path = release(chosen, found, options.system, options.out, options.overwrite)
    exercises = "1 exercise" if len(chosen) == 1 else f"{len(chosen)} exercises"
    print(f"{exercises} for {options.system}: {path}")
    return 0


def asked_for(names):
    """The exercises that these are, or that the lessons of these numbers ask for; each once, in
    their order."""
    from ..grading.exercise import find
    from ..lessons.notebooks import asked_in, lessons

    ids = []
    for name in names:
        if name.isdecimal():
            known = {lesson.number: lesson for lesson in lessons()}
            if name.zfill(2) not in known:
                raise InputError(
                    f"There is no lesson {name}; they have the numbers {min(known)} to "
                    f"{max(known)}."
                )
            ids += asked_in(known[name.zfill(2)])
        else:
            ids.append(find(name).id)
    if not ids:
        raise InputError(f"There is no exercise in lesson {', '.join(names)}.")
    return [find(id) for id in dict.fromkeys(ids)]


def exercises(options):
    """List the exercises, print the statement of one, or list the known mistakes."""
    from ..grading import exercises
    from ..grading.catalogue import mistakes_page
    from ..grading.exercise import find

    print(
        mistakes_page()
        if options.mistakes
        else find(options.exercise)
        if options.exercise
        else repr(exercises())
    )
    return 0
