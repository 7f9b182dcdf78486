"""The commands for teachers: the exercises, and the answers of a class."""

import sys
from pathlib import Path

from ..errors import InputError, write_text


def grade(options):
    """Grade notebooks and Python files: which answers are right, and which mistakes the class
    makes."""
    # the exercises take a moment to load
    from ..grading.grade import as_json_text, as_text, grade, was_interrupted

    if options.out and Path(options.out).suffix != ".json":  # so that no submission is overwritten
        raise InputError(f"The file of --out must end in .json, got {options.out}.")
    if options.out and not Path(options.out).absolute().parent.is_dir():
        raise InputError(
            f"{options.out} could not be written: there is no folder {Path(options.out).parent}."
        )
    submissions = grade(options.files, options.seconds, options.jobs)
    print(as_text(submissions))
    stopped = was_interrupted(submissions)
    if options.out:
        write_text(options.out, as_json_text(submissions))
        print(f"\n{'Results until the interruption' if stopped else 'All results'}: {options.out}")
    if stopped:
        print(
            "minitransformer: interrupted: some files were not graded; the table names them.",
            file=sys.stderr,
        )
    return 130 if stopped else 0


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
