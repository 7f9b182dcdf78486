"""Drawn by a seed: wrong edits of config.json, wrong facts of a checkpoint, and moments at which a
training is killed.

`test_run.py` tries a few of each; `trial_of_config`, `trial_of_facts` and `trial_of_kills` take any
number.
"""

import contextlib
import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minitransformer.data.batching import make_batch
from minitransformer.decoding import greedy
from minitransformer.errors import InputError, NonFiniteError
from minitransformer.runs import Run
from minitransformer.runs.checkpoint import load_checkpoint, save_checkpoint

NESTED = json.loads("[" * 60 + "]" * 60)
VALUES = [
    None, True, False, 0, 1, -1, 2, 7, 3.5, -0.0, 1e300, float("nan"), float("inf"), 10**6, 2**31,
    2**63, 10**30, "", "x", "adam", "14", "\ud800", "é" * 300, [], [1], ["a", "a"], {}, {"a": 1},
    NESTED, 2**128 - 1, 65, 1.0, "none", "post", "symbols", "PCG64",
]  # fmt: skip


def paths_in(tree, path=()):
    """Every place in nested dicts and lists, the root first."""
    yield path
    for key, value in (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    ):
        yield from paths_in(value, (*path, key))


def edited(rng, tree):
    """A copy of a tree with one place changed: another value, gone, renamed, or something added."""
    tree, places = copy.deepcopy(tree), [*paths_in(tree)]
    # among a thousand tokens the other fields would be rare
    shallow = [path for path in places if len(path) < 5]
    path = (
        shallow[rng.integers(len(shallow))]
        if rng.random() < 0.8
        else places[rng.integers(len(places))]
    )
    value = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    if not path:
        return value
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    how = rng.choice(["value", "value", "value", "gone", "another", "near"])
    if how == "gone":
        del parent[path[-1]]
    elif how == "another" and isinstance(parent, dict):
        parent[str(rng.choice(["step", "seed", "junk", "weight_decay", ""]))] = value
    elif how == "near" and type(parent[path[-1]]) in (int, float):
        parent[path[-1]] = (
            parent[path[-1]] * rng.choice([-1, 2, 1000]).item() + rng.choice([0, 1, 0.5]).item()
        )
    else:
        parent[path[-1]] = value
    return tree


def edits_of_config(rng, count):
    """Functions that make another text of a config.json's text."""
    for _ in range(count):
        seed = rng.integers(1 << 60)

        def edit(text, seed=seed):
            rng = np.random.default_rng(seed)
            if rng.random() < 0.8:
                return json.dumps(edited(rng, json.loads(text)), indent=2).encode(
                    "utf-8", "surrogatepass"
                )
            content = bytearray(text.encode())
            start, stop = sorted(rng.integers(len(content), size=2))
            content[start : start + int(rng.integers(3)) or stop] = rng.bytes(int(rng.integers(4)))
            return bytes(content)

        yield edit


def edits_of_facts(rng, count):
    """Functions that make other facts of a checkpoint's facts."""
    for _ in range(count):
        seed = rng.integers(1 << 60)
        yield lambda facts, seed=seed: edited(np.random.default_rng(seed), facts)


def tree_of(folder):
    """{path: content} of everything in a folder."""
    return {
        p.relative_to(folder): p.read_bytes() if p.is_file() else None
        for p in Path(folder).rglob("*")
    }


def said(problem):
    """One line, that a person can read."""
    sentence = str(problem)
    assert (
        "\n" not in sentence
        and 20 < len(sentence) < 1500
        and (sentence[-1] in ".?" or "minitransformer train" in sentence)
    ), sentence
    return sentence


def trial_of_config(run, rng, count):
    """Edit the config.json of a run `count` times: each counts, or is refused by a sentence and
    changes nothing.

    Returns {"refused": …, "counts": …, "same": …}.
    """
    path, results = run.folder / "config.json", {"refused": 0, "counts": 0, "same": 0}
    text = path.read_text(encoding="utf-8")
    config, before = json.loads(text), tree_of(run.folder)
    for edit in edits_of_config(rng, count):
        content = edit(text)
        path.write_bytes(content)
        for ask in (Run.open, Run.resume):
            try:
                result = ask(run.folder)
                new = json.loads(content)
                assert json.dumps({"version": 1, **result.config}, sort_keys=True) == json.dumps(
                    new, sort_keys=True
                ), content
                results["same" if new == config else "counts"] += ask == Run.resume
                result.last_step = result.optimizer.t + 1
                with contextlib.suppress(NonFiniteError, MemoryError):
                    result.train()  # an edit that counts can be trained with, or says why not
            except InputError as problem:
                said(problem)
                results["refused"] += ask == Run.resume
            except Exception as problem:
                raise AssertionError(f"{problem!r}, of {content}") from problem
            after = tree_of(run.folder)
            assert after.pop(path.relative_to(run.folder)) == content
            assert after.items() <= before.items(), content
        for name, kept in before.items():
            if kept is not None:
                (run.folder / name).write_bytes(kept)
    return results


def trial_of_facts(file, rng, count, place):
    """Sign `count` wrong facts of a checkpoint anew: each counts, or is refused by a sentence.
    Returns how many, as above."""
    tensors, facts = load_checkpoint(file)
    results = {"refused": 0, "counts": 0, "same": 0}
    for edit in edits_of_facts(rng, count):
        new = edit(facts)
        try:
            save_checkpoint(place, tensors, new)
        except UnicodeEncodeError:  # a lone surrogate cannot even be signed
            continue
        try:
            run = Run.open(place)
            assert json.dumps(run.facts(), sort_keys=True) == json.dumps(new, sort_keys=True)
            make_batch(*run.task.sample(np.random.default_rng(0), 2))
            run.vocabulary.text(greedy(run.model, run.example()[0][None], 5)[0])
            run.batches()
            results["same" if json.dumps(new) == json.dumps(facts) else "counts"] += 1
        except InputError as problem:
            said(problem)
            results["refused"] += 1
        except Exception as problem:
            raise AssertionError(f"{problem!r}, of {new}") from problem
    return results


# -- kills -----------------------------------------------------------------------------------------


class Kill(NamedTuple):
    """After so many seconds of training; or at a call of the operating system while a file is
    written that is named so."""

    after: float
    call: str = ""
    name: str = ""


CALLS = ("open", "fsync", "replace", "after replace")


def kills(rng, count, inside_config=10):
    """Moments at which a training is killed; the first `inside_config` of them inside the write of
    config.json."""
    for n in range(count):
        if n < inside_config:
            yield Kill(0.0, CALLS[n % len(CALLS)], "config.json")
        elif rng.random() < 0.3:
            yield Kill(0.0, str(rng.choice(CALLS)), str(rng.choice(["step-", "metrics.jsonl"])))
        else:
            yield Kill(float(rng.uniform(0, 0.15)))


PROGRAM = """
import os, sys
from minitransformer.cli import main
call, name = sys.argv[1:3]
def killing(function, called):
    def call_and_die(first, *rest, **options):
        named = str(rest[0] if rest and called == "replace" else first)
        if called == "fsync":
            named = os.readlink(f"/proc/self/fd/{first}")
        hit = name in named and not (called == "open" and not named.endswith(".part"))
        if hit and call == called:
            os.kill(os.getpid(), 9)
        result = function(first, *rest, **options)
        if hit and call == "after " + called:
            os.kill(os.getpid(), 9)
        return result
    return call_and_die
if call:
    for called in ("open", "fsync", "replace"):
        setattr(os, called, killing(getattr(os, called), called))
sys.exit(main(sys.argv[3:]))
"""

SMALL = (
    "--max-length 5 --d-model 32 --heads 2 --d-ff 48 --encoder-layers 1 --decoder-layers 1 "
    "--dropout 0.2 --batch-size 8"
)


def trial_of_kills(folder, rng, count):
    """Kill a training `count` times, saving every step; what survives equals a run that was never
    killed.

    Returns ({"in config.json": kills that left its new text unfinished, "in a save": likewise,
    "steps": reached}, the Run).
    """
    folder, steps, counts = Path(folder), 100_000, {"in config.json": 0, "in a save": 0}
    options = (
        f"train copy {SMALL} --steps {steps} --log-every 3 --save-every 1 --schedule constant "
        "--evaluate-every 1000000 --no-pictures"
    ).split()
    environment = {
        **os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1",
    }
    reached = 0
    for kill in kills(rng, count):
        started = (folder / "config.json").is_file()
        steps += started
        arguments = (
            ["train", "--resume", str(folder), "--steps", str(steps), "--no-pictures"]
            if started
            else [*options, "--out", str(folder)]
        )
        command = [sys.executable, "-c", PROGRAM, kill.call, kill.name, *arguments]
        before, deadline = newest(folder), time.monotonic() + 60
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while (
            process.poll() is None
            and time.monotonic() < deadline
            and newest(folder) <= before + (5 if kill.call else 0)
        ):
            time.sleep(0.005)
        time.sleep(kill.after)
        process.kill()
        said = process.communicate()[1].decode()
        assert (
            process.returncode == -signal.SIGKILL
            and "minitransformer:" not in said
            and "Traceback" not in said
        ), (kill, said)
        counts["in config.json"] += any(
            p.name.startswith("config.json.") for p in folder.glob("*.part")
        )
        counts["in a save"] += any((folder / "checkpoints").glob("*.part"))
        if newest(folder):
            assert newest(folder) >= reached, "a step that was saved is lost"
            reached = newest(folder)
    survivor = Run.resume(folder, steps=100_000_000)
    assert survivor.optimizer.t == reached and not [
        *folder.rglob("*.part"),
        *folder.glob("after-step-*"),
    ]
    lines = [line["step"] for line in survivor.metrics.read()]
    assert lines == [*range(3, reached + 1, 3)]
    return {**counts, "steps": reached}, survivor


def newest(folder):
    """The step of the newest checkpoint; 0 without one."""
    return max(
        (int(p.stem[5:]) for p in (Path(folder) / "checkpoints").glob("step-*.safetensors")),
        default=0,
    )
