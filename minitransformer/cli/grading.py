"""The commands for teachers: what there is to write, and what a class has written."""

import json
from pathlib import Path

from ..errors import InputError


def grade(options):
    """Grade notebooks and Python files: who has what right, and which mistakes the class makes."""
    from ..grading.grade import as_dict, as_text, grade  # the exercises take a moment to load

    if options.out and not Path(options.out).absolute().parent.is_dir():
        raise InputError(f"{options.out} could not be written: there is no folder {Path(options.out).parent}.")
    submissions = grade(options.files, options.seconds, options.jobs)
    print(as_text(submissions))
    if options.out:
        text = json.dumps(as_dict(submissions), indent=1, ensure_ascii=False)
        Path(options.out).write_bytes(text.encode("utf-8", "backslashreplace"))
        print(f"\nAll of it: {options.out}")
    return 0


def exercises(options):
    """List the exercises; say what one asks; or list the mistakes that are known."""
    from ..grading import exercises
    from ..grading.catalogue import mistakes_page
    from ..grading.exercise import find

    print(mistakes_page() if options.mistakes else find(options.exercise) if options.exercise else repr(exercises()))
    return 0
