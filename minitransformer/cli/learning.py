"""The commands for learners: their own file, checked, once or whenever they save it; what comes
next."""

import os
import sys
import time
from pathlib import Path

from ..errors import InputError

PAUSE = 0.3  # seconds between two looks at a file


def check(options):
    """Check your own file: a report on every exercise that it answers."""
    # the exercises take a moment to load
    from ..grading.one_file import as_json_lines, as_lines, check_file, exit_status

    submission = check_file(options.file, options.exercises, options.seconds)
    print(as_json_lines(submission) if options.json else as_lines(submission, options.exercises))
    return exit_status(submission, options.exercises)


def watch(options, sleep=time.sleep):
    """Check your own file whenever you save it, and print what is new; Ctrl-C ends this."""
    from ..grading.news import News
    from ..grading.one_file import check_file, expect_a_file

    expect_a_file(options.file)
    print(f"{options.file} is checked whenever you save it. Ctrl-C ends this.", flush=True)
    news, checked = News(), None
    while True:
        saved = saved_at(options.file)  # before it is read, so that no later save is missed
        if saved not in (None, checked):
            checked = saved
            try:
                submission = check_file(options.file, seconds=options.seconds)
            except InputError:
                if saved_at(options.file) is not None:
                    raise
                checked = None  # an editor has just put it aside to write it anew
            else:
                print(f"\n{news.of(submission)}", flush=True)
        sleep(PAUSE)


def saved_at(file):
    """What differs after a save: the time and the size of a file; None while it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def next_step(options):
    """Say which exercises of the lessons you have right, and which one comes next."""
    from ..lessons.progress import FOLDER, as_text, progress

    folder = Path(options.folder or FOLDER)
    if options.folder and not folder.is_dir():
        raise InputError(
            f"There is no folder {options.folder!r}. Name the folder with your answers."
        )
    found = progress(folder, options.seconds, lambda text: print(text, file=sys.stderr))
    print(as_text(folder, found))
