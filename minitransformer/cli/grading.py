"""The commands for teachers: the exercises, and the answers of a class."""

import sys
from pathlib import Path

from ..errors import InputError, write_text


def grade(options):
    """Grade notebooks and Python files: which answers are right, and which mistakes the class
    makes."""
    # the exercises take a moment to load
    from ..grading.clusters import name_known, read_known
    from ..grading.feedback import expect_free, write_feedback
    from ..grading.grade import as_json_text, as_text, grade, was_interrupted
    from ..grading.points import as_csv, points_of, read_points

    for file in options.out:
        expect_writable(file, options.points)
    if options.feedback:
        expect_free(options.feedback, options.overwrite)
    points = read_points(options.points) if options.points else None
    known = read_known(options.known) if options.known else []
    submissions = grade(options.files, options.seconds, options.jobs)
    name_known(submissions, known)
    points = points or points_of(submissions)
    print(as_text(submissions, points))
    stopped = was_interrupted(submissions)
    for file in options.out:
        make = as_csv if Path(file).suffix == ".csv" else as_json_text
        write_text(file, make(submissions, points))
        print(f"\n{'Results until the interruption' if stopped else 'All results'}: {file}")
    if options.feedback:
        pages = write_feedback(submissions, points, options.feedback, options.overwrite)
        print(f"\nPages for the students ({len(pages)}): {options.feedback}")
    if stopped:
        print(
            "minitransformer: interrupted: some files were not graded; the table names them.",
            file=sys.stderr,
        )
    return 130 if stopped else 0


def expect_writable(file, points):
    """Raise InputError for a file that --out cannot write, or should not because the points stand
    in it, before any time is spent on grading."""
    if Path(file).suffix not in (".json", ".csv"):  # so that no submission is overwritten
        raise InputError(f"The file of --out must end in .json or .csv, got {file}.")
    if not Path(file).absolute().parent.is_dir():
        raise InputError(f"{file} could not be written: there is no folder {Path(file).parent}.")
    if points and Path(file).resolve() == Path(points).resolve():
        raise InputError(f"{file} is the file of --points. Choose another name for --out.")


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
