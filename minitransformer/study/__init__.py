"""The study behind the paper's claim: attention against recurrence and convolution, measured under
equal conditions.

Four measurements, each written as JSON into the folder of the study as soon as it is there, so that
a study that was stopped goes on where it was; then one page with pictures.
"""

import dataclasses
import json
import os
from pathlib import Path

from ..boundary import Count, FilePath, Function, checked
from ..errors import InputError
from ..terminal.browser import expect_processes
from . import clock, gradients, table1, trainings
from .page import write_page
from .plan import PLANS, find_plan
from .results import read_json, write_json

__all__ = ["PLANS", "run_study"]


@checked
def run_study(
    name: str, folder: FilePath, progress: Function, jobs: Count | None = None
) -> Path:
    """Measure what is not measured yet of the plan of that name, and write the page; returns its
    path.

    `progress(title, total)` is a context manager that gives a function `advance(n)`, to be called
    when n more of the total are done. `jobs` trainings run side by side, as many as there are cores
    if not said. Raises InputError for a folder that holds something else, or a study by another
    plan, and in a browser.
    """
    expect_processes("The study")
    plan, folder = find_plan(name), Path(folder)
    claim(folder, name, plan)

    def measured(name, title, total, measure):
        path = folder / f"{name}.json"
        if not path.is_file():
            with progress(title, total) as advance:
                write_json(path, measure(advance))
        return read_json(path)

    counts = measured(
        "operations", "operations", table1.steps_of(plan),
        lambda advance: table1.measure(plan, advance),
    )
    times = measured(
        "wall-time", "wall time", clock.steps_of(plan), lambda advance: clock.measure(plan, advance)
    )
    results = measured(
        "exact-match", "training", trainings.steps_of(plan),
        lambda advance: trainings.train_all(plan, folder, advance, jobs or os.cpu_count() or 1),
    )  # fmt: skip
    runs = {
        r["model"]: trainings.folder_of(r, folder)
        for r in results
        if r["chosen"] and r["seed"] == plan.seeds[0]
    }
    reach = measured(
        "gradients", "gradients", gradients.steps_of(plan),
        lambda advance: gradients.measure(plan, runs, advance),
    )
    return write_page(folder, name, plan, results, reach, counts, times)


def claim(folder, name, plan):
    """Make the folder the place of this study, or see that it is."""
    path = folder / "study.json"
    own = json.loads(json.dumps({"plan": name, **dataclasses.asdict(plan)}))
    if path.is_file():
        if read_json(path) != own:
            raise InputError(
                f"{folder} holds a study by another plan, or of another version. Choose another "
                "folder with --out."
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is a file, or a folder that holds something else than a study. Choose "
            "another with --out."
        )
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, own)
