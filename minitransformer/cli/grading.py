"""The commands for teachers: what there is to write, and what a class has written."""

import json
from pathlib import Path

from ..errors import InputError


def grade(options):
    """Grade notebooks and Python files: who has what right, and which mistakes the class makes."""
    from ..grading.grade import as_dict, as_text, grade  # the exercises take a moment to load

    submissions = grade(options.files, options.seconds, options.jobs)
    print(as_text(submissions))
    if options.out:
        try:
            Path(options.out).write_text(json.dumps(as_dict(submissions), indent=1, ensure_ascii=False), encoding="utf-8")
        except OSError as problem:
            raise InputError(f"{options.out} could not be written: {problem.strerror}.") from None
        print(f"\nAll of it: {options.out}")
    return 0


def exercises(options):
    """List the exercises; say what one asks; or list the mistakes that are known."""
    from ..grading import exercises
    from ..grading.catalogue import mistakes_page
    from ..grading.exercise import find

    print(mistakes_page() if options.mistakes else find(options.exercise) if options.exercise else repr(exercises()))
    return 0
