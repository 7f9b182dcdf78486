"""Faults of ranks of MPI, one after the other, as a Markdown table: python tests/rank_trials.py

Each trial trains on some ranks, lets something happen to one of them (faulty_rank.py), waits until
all have ended, and goes on elsewhere, on another number of ranks or in one process. The status is 1
if a trial did not end as it should. About five minutes.
"""

import itertools
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from hosts import Hosts, why_not
from test_distributed import (
    FAULTS,
    MPIEXEC,
    PLAN,
    command,
    environment,
    no_process_is_left,
    ran,
    weights,
)

WORDS = {
    "raise": "an exception", "memory": "no memory is left", "exit": "the process ends by itself",
    "kill": "SIGKILL", "stop": "SIGSTOP", "full-disk": "the disk is full", "batch": "another batch",
    "nan": "a gradient is NaN", "interrupt": "SIGINT (Ctrl-C)", "terminate": "SIGTERM",
    "cut": "the connection is cut",
}  # fmt: skip
PLACES = [(2, 0), (2, 1), (3, 2), (4, 0), (4, 3)]  # of so many ranks, this one
ELSEWHERE = (0, 3, 2, 4)  # ranks; 0: one process
TRAIN = f"train reverse {PLAN} --out run"
CUT = (1, r"rank 0 \(.+\): The other ranks have not answered for 3 seconds")


class Ended(NamedTuple):
    status: int
    said: str
    happened: float  # when


def with_fault(folder, kind, ranks, rank):
    happened = folder / "happened"
    changes, words = {"HAPPENED": str(happened)}, command(TRAIN, ranks, f"{kind}:{rank}")
    if kind == "cut":
        with Hosts() as hosts:
            words = hosts.command(MPIEXEC, command(TRAIN, 0, f"{kind}:{rank}"))
            status, said = until_all_ended(folder, words, {**changes, **hosts.environment()})
            assert no_process_is_left(folder), "a process is left"
    else:
        status, said = until_all_ended(folder, words, changes)
    return Ended(status, said, happened.stat().st_mtime if happened.exists() else time.time())


def until_all_ended(folder, words, changes):
    done = subprocess.run(
        words, cwd=folder, env=environment(folder, **changes), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout


def with_signal(folder, number, ranks):
    process = subprocess.Popen(
        command(TRAIN, ranks), cwd=folder, env=environment(folder), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while not [*folder.glob("run/checkpoints/*.safetensors")] and process.poll() is None:
        time.sleep(0.05)
    happened = time.time()
    process.send_signal(number)
    said = process.communicate(timeout=120)[0]
    return Ended(process.returncode, said, happened)


def shortened(said):
    ours = re.search(r"minitransformer: (.+)|(Stopped and saved at step \d+)", said)
    theirs = re.search(r"EXIT CODE: \d+", said)
    text = (ours[1] or ours[2]) if ours else f"by mpiexec: {theirs[0]}" if theirs else "nothing"
    text = re.sub(r" \(\S+\):", ":", text)  # the host
    return text if len(text) <= 60 else f"{text[:60].rstrip()} …"


def trial(about, status, sentence, start, elsewhere, right):
    """(a row of the table, whether all went well)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        ended = start(folder)
        all_ended, seconds = no_process_is_left(folder), time.time() - ended.happened
        again, _, said = ran(folder, "train --resume run --no-pictures", elsewhere)
        equal = again == 0 and weights(folder / "run") == right
    place = f"{elsewhere} ranks" if elsewhere else "one process"
    well = (
        equal and all_ended and "Traceback" not in ended.said
        # what no rank could say, mpiexec says, with a status of its own
        and (ended.status == status and re.search(sentence, ended.said, re.IGNORECASE)
             if sentence else ended.status)
    )  # fmt: skip
    row = [
        about, f"{seconds:.1f}" if all_ended else "some never", ended.status,
        shortened(ended.said), f"{place}: {'equal' if equal else 'NOT EQUAL'}",
    ]  # fmt: skip
    if not well:
        print(ended.said, said, file=sys.stderr)
    return row, well


def trials():
    """(what is done and to whom, the status and what is said, start(folder → Ended)) of each."""
    for kind in WORDS:
        for ranks, rank in [(2, 0), (2, 1)] if kind == "cut" else PLACES:
            if kind == "full-disk" and rank or kind == "cut" and why_not():
                continue
            known = CUT if kind == "cut" else FAULTS.get(kind) or FAULTS[f"{kind}:0"]
            said = known[1] and re.sub(r"(rank|Step) \d+", r"\1 \\d+", known[1])
            yield (
                f"{WORDS[kind]} | {rank} of {ranks}", (known[0], said),
                lambda folder, k=kind, n=ranks, r=rank: with_fault(folder, k, n, r),
            )  # fmt: skip
    for number in (signal.SIGINT, signal.SIGTERM):
        for ranks in (2, 3, 4):
            yield (
                f"{number.name} | mpiexec, of {ranks}", (128 + number, "Stopped and saved at step"),
                lambda folder, n=ranks, s=number: with_signal(folder, s, n),
            )  # fmt: skip


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        status, _, said = ran(folder, f"train reverse {PLAN} --out one")
        assert status == 0, said
        right = weights(folder / "one")
    print("| what happens | to rank | all ended after (s) | status | what is said | goes on in |")
    print("|---|---|---|---|---|---|")
    verdicts = []
    for (about, known, start), elsewhere in zip(trials(), itertools.cycle(ELSEWHERE)):
        row, well = trial(about, *known, start, elsewhere, right)
        print("|", " | ".join(map(str, row)), "|" if well else "| NOT AS IT SHOULD", flush=True)
        verdicts.append(well)
    print(f"\n{len(verdicts)} trials; {verdicts.count(False)} did not end as they should.")
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
