"""The command for learners: the lessons, in Jupyter."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from ..errors import InputError, typed

JUPYTER = ("jupyterlab", "notebook")  # whichever is installed, the first preferred


def lessons(options):
    """Open the lessons in Jupyter, in a folder of your own, where your answers stay."""
    from ..lessons import notebooks  # with the exercises, which take a moment to load

    known = notebooks.lessons()
    if options.list:
        print(
            "\n".join(
                f"{lesson.number}  {lesson.title:<52} {lesson.time}" for lesson in known
            )
        )
        return 0
    chosen = [lesson for lesson in known if lesson.number == (options.lesson or "00").zfill(2)]
    if not chosen:
        raise InputError(
            f"There is no lesson {options.lesson}; they have the numbers {known[0].number} to "
            f"{known[-1].number}."
        )
    jupyter = next((name for name in JUPYTER if importlib.util.find_spec(name)), None)
    if jupyter is None or importlib.util.find_spec("jupytext") is None:
        python = typed(sys.executable)
        raise InputError(
            f"The notebooks need Jupyter and jupytext. Install them: {python} -m pip install "
            "jupyterlab jupytext\nWithout them, each lesson runs as a plain file and writes its "
            f"pictures: {python} {typed(chosen[0].source)}"
        )
    folder = Path(options.folder).absolute()
    before = set(folder.glob("*.ipynb"))
    files = notebooks.lay_out(folder)
    new = len(set(files) - before)
    file = next(f for f in files if f.name.startswith(chosen[0].number))
    print(
        (
            f"Your lessons are in {folder} ({new} new, {len(files) - new} as you left them). "
            "Ctrl-C ends Jupyter."
        ),
        flush=True,
    )
    flags = [
        f"--{name.replace('_', '-')}"
        for name in ("no_browser", "allow_root")
        if getattr(options, name)
    ]
    return ended(subprocess.Popen([sys.executable, "-m", jupyter, str(file), *flags]))


def ended(process):
    """The exit status of Jupyter. At Ctrl-C it asks for confirmation, and we keep waiting."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
