"""Models at work on the site: pages of the explorer."""

import tempfile
from pathlib import Path

from minitransformer.explorer import explore
from minitransformer.runs import Run, make_config
from minitransformer.training.hooks import Snapshots

NUMBERS = ["seventy-nine", "three hundred and twelve", "one thousand two hundred"]
MOMENTS = 4  # MB, with which all moments of the training fit


def write(app):
    """Write the pages beside the others; a model is trained for one of them, if it is not there."""
    folder = Path(app.outdir, "explorer")
    folder.mkdir(parents=True, exist_ok=True)
    run = Run.open("numbers-en-de")
    explore(run.model, run.vocabulary, NUMBERS, title="A translator").save(folder / "numbers.html")
    if not (folder / "reverse.html").exists():
        training().save(folder / "reverse.html")


def training():
    """The page of a model that learns to reverse, with moments of its training."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder, "reverse"), make_config("reverse"))
        run.train([Snapshots(run)], bar=False)
        return explore(
            run.model, run.vocabulary, ["3 1 4 1 5", "9 2 6 5"], megabytes=MOMENTS,
            title="A model that learns to reverse", earlier=run.earlier_weights(),
        )
