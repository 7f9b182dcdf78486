"""Data of one's own for `train`: which options name it, and what is said about it."""

from pathlib import Path

from ..core.options import flag
from ..errors import InputError, typed

# options that name data, and the task that they choose
DATA = {"data": "pairs", "source": "pairs", "target": "pairs", "text": "text"}
TITLES = {
    ("pairs",): "pairs of texts of your own, in place of TASK",
    ("text",): "a text of your own, in place of TASK",
}


def task_of_data(chosen):
    """The name of the task that the options {name: value} choose by naming data; None if they name
    none. Raises InputError if they name data of two kinds."""
    named = {task: flag(option) for option, task in DATA.items() if chosen.get(option)}
    if len(named) > 1:
        raise InputError(
            f"{' and '.join(named.values())} are data of two kinds, and a run learns from one. "
            "Choose one of them."
        )
    return next(iter(named), None)


def run_name(task, chosen):
    """The name of a new run's folder: dates for dates.tsv.gz, or that of the task."""
    path = chosen.get("data") or chosen.get("source") or chosen.get("text")
    return Path(path).name.split(".")[0] or task if path else task


def no_task(name, tasks):
    """The error for a file where the name of a task is expected, or for no name at all."""
    if name is None:
        return InputError(
            f"Choose a task to train: {', '.join(tasks)}; or name data of your own: --data FILE "
            "(pairs of texts), --text FILE; or continue a run with --resume RUN."
        )
    return InputError(
        f"{typed(name)} is a file, and TASK is the name of a task. To train on it, write: train "
        f"--data {typed(name)}, if it has pairs of texts; or train --text {typed(name)}, if it is "
        "a text."
    )


def told_about(run):
    """Print what is to be known about the run's data before it trains."""
    for sentence in run.task.report():
        print(sentence)
