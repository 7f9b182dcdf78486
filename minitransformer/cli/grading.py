"""The commands for teachers: what there is to write, and what a class has written."""

import sys
from pathlib import Path

from ..errors import InputError


def grade(options):
    """Grade notebooks and Python files: who has what right, and which mistakes the class makes."""
    from ..grading.grade import as_json_text, as_text, grade, was_interrupted  # the exercises take a moment to load

    if options.out and Path(options.out).suffix != ".json":  # and so no submission is replaced
        raise InputError(f"The file of --out must end in .json, got {options.out}.")
    if options.out and not Path(options.out).absolute().parent.is_dir():
        raise InputError(f"{options.out} could not be written: there is no folder {Path(options.out).parent}.")
    submissions = grade(options.files, options.seconds, options.jobs)
    print(as_text(submissions))
    stopped = was_interrupted(submissions)
    if options.out:
        Path(options.out).write_text(as_json_text(submissions), encoding="utf-8")
        print(f"\n{'What was known when it was interrupted' if stopped else 'All of it'}: {options.out}")
    if stopped:
        print("minitransformer: interrupted: some files were not graded; they are named in the table.", file=sys.stderr)
    return 130 if stopped else 0


def exercises(options):
    """List the exercises; say what one asks; or list the mistakes that are known."""
    from ..grading import exercises
    from ..grading.catalogue import mistakes_page
    from ..grading.exercise import find

    print(mistakes_page() if options.mistakes else find(options.exercise) if options.exercise else repr(exercises()))
    return 0
