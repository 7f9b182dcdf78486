"""The program with something planted on one rank of MPI: python -m faulty_rank WHAT:RANK train …

WHAT happens when that rank computes its 31st share, in the 16th step of a batch in four shares on
two ranks, or, with a command that answers, when it decodes its third batch ("cut": the connection
between two hosts, see hosts.py); or "full-disk", when it writes its second checkpoint; or
"no-data", when it looks for its text; or "other-data", when it draws sequences. The file that the
variable HAPPENED names is then made.
"""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

import minitransformer.parallel.in_order as in_order
import minitransformer.parallel.mpi as mpi
from minitransformer.cli import main
from minitransformer.data.task import Task
from minitransformer.data.text import OwnText
from minitransformer.decoding import translation
from minitransformer.runs import run as runs
from minitransformer.training.shares import Shares


def note():
    if "HAPPENED" in os.environ:
        Path(os.environ["HAPPENED"]).touch()


def happens(what):
    if what == "raise":
        raise ValueError("planted")
    if what == "memory":
        raise MemoryError("planted")
    if what == "exit":
        os._exit(3)
    if what == "cut":
        subprocess.run(os.environ["CUT"].split(), check=True)
        return
    numbers = {
        "kill": signal.SIGKILL, "stop": signal.SIGSTOP, "interrupt": signal.SIGINT,
        "terminate": signal.SIGTERM,
    }  # fmt: skip
    os.kill(os.getpid(), numbers[what])


def plant(what):
    compute, save, seen = Shares.compute_share, runs.save_checkpoint, []

    def compute_share(self, part, weight, seed):
        seen.append(part)
        if len(seen) == 31 and what not in ("full-disk", "no-data", "other-data"):
            note()
            if what == "nan":
                value = compute(self, part, weight, seed)
                self.optimizer.flat.grad[...] = np.nan
                return value
            if what == "batch":
                self.expect_same_batch = lambda batch: type(self).expect_same_batch(
                    self, batch._replace(target_in=batch.target_in + 1)
                )
            else:
                happens(what)
        return compute(self, part, weight, seed)

    def save_checkpoint(path, *contents):
        if what == "full-disk" and path.name == "step-00000020.safetensors":
            note()
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return save(path, *contents)

    longest = translation.longest_answer

    def longest_answer(*arguments):
        seen.append(arguments)
        if len(seen) >= 3 and not what.endswith("data"):
            note()
            happens(what)
        return longest(*arguments)

    Shares.compute_share, runs.save_checkpoint = compute_share, save_checkpoint
    translation.longest_answer = longest_answer
    if what == "other-data":
        sample = Task.sample
        Task.sample = lambda *a, **o: tuple(ids[::-1] for ids in sample(*a, **o))
    if what == "no-data":
        completed = OwnText.__post_init__

        def elsewhere(self):
            completed(self)
            object.__setattr__(self, "text", self.text and "/nowhere/a.txt")

        OwnText.__post_init__ = elsewhere


if __name__ == "__main__":
    fault, _, chosen = sys.argv.pop(1).partition(":")
    mpi.Ranks.patience = in_order.WORKING = 3.0
    if chosen in [os.environ.get(name) for name in mpi.RANKS]:
        plant(fault)
    sys.exit(main())
