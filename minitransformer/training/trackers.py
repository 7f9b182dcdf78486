"""Hooks that draw a training in other programs: hand one to `train` or `Run.train` among the hooks.

    train(model, loss, optimizer, next_batch, steps=300, hooks=[TensorBoard("logs")])

Any function of the `Progress` is a hook, so these few lines are all that a program of your own
needs.
"""

from typing import Any

from ..terminal.extras import extra
from .loop import Progress


class TensorBoard:
    """Write loss, gradient norm and learning rate of each step for TensorBoard: `tensorboard
    --logdir FOLDER` draws them."""

    def __init__(self, folder: str):
        self.writer = extra("tensorboardX", "Writing for TensorBoard").SummaryWriter(str(folder))

    def __call__(self, progress: Progress) -> None:
        for name, value in progress._asdict().items():
            self.writer.add_scalar(name, value, progress.step)


class WeightsAndBiases:
    """Send loss, gradient norm and learning rate of each step to Weights & Biases; the options are
    those of `wandb.init`."""

    def __init__(self, **options: Any):
        self.run = extra("wandb", "Logging to Weights & Biases").init(**options)

    def __call__(self, progress: Progress) -> None:
        self.run.log(progress._asdict(), step=progress.step)
