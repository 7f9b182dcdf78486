"""Which files in a run's folder are the run's own: nothing else there is ever changed, removed or
averaged.

A file is the run's own if its name has exactly the form that the run uses, and its content says so:
a checkpoint has the id and the options of its run, and its step. Runs older than these ids are
recognised by their options alone.
"""

import os
import re
import reprlib
import shutil

from ..errors import InputError
from .checkpoint import NoCheckpoint, load_facts
from .config import NAME, differences
from .writing import PART, free_name, write_file

STEP = re.compile(r"step-(\d{8,})\.safetensors")
LISTED = 5  # files that a message lists
# left by a kill
UNFINISHED = re.compile(rf"(step-\d{{8,}}\.safetensors|config\.json|metrics\.jsonl){PART}")
# likewise, by an older version
UNFINISHED_BEFORE = re.compile(r"(step-\d{8,}\.safetensors|metrics\.jsonl)\.part")


def checkpoint_name(step):
    return f"step-{step:08d}.safetensors"


def step_of(file):
    """The step that a name of exactly a checkpoint's form says; None for another name."""
    found = STEP.fullmatch(file.name)
    return int(found[1]) if found and file.name == checkpoint_name(int(found[1])) else None


def named_checkpoints(folder):
    """The files with the name of a checkpoint, of any run, sorted by step; no folders, no links."""
    place = folder / "checkpoints"
    files = (
        [
            f
            for f in place.iterdir()
            if step_of(f) is not None and f.is_file() and not f.is_symlink()
        ]
        if place.is_dir()
        else []
    )
    return sorted(files, key=step_of)


def is_own(facts, file, config):
    """Whether the facts in a file are of a checkpoint of the run with this config, of the step in
    its name."""
    return (
        type(facts) is dict
        and facts.get("step") == step_of(file)
        and not differences(config, facts.get("config"))
    )


def own_checkpoints(folder, config):
    """The run's own checkpoints, oldest first; files that cannot be read are skipped."""
    return [
        file
        for file in named_checkpoints(folder)
        if (facts := _facts(file)) and is_own(facts, file, config)
    ]


def _facts(file):
    try:
        return load_facts(file)
    except InputError:
        return None


def newest_checkpoints(folder, config, count=1):
    """The run's own last checkpoints, at most `count`, oldest first; with no config, those of the
    newest one's run.

    Raises InputError if one of them cannot be read, and if there are only those of other runs (how
    they differ).
    """
    found, others = [], []
    for file in reversed(named_checkpoints(folder)):
        if len(found) == count:
            break
        try:
            facts = load_facts(file)
        except NoCheckpoint:
            continue
        if config is None and type(facts) is dict:
            config = facts.get("config")
        (found if is_own(facts, file, config) else others).append((file, facts))
    if others and not found:
        file, facts = others[0]
        raise not_of_this_run(file, facts, folder, config)
    return [file for file, _ in reversed(found)]


def unused(folder, config):
    """A sentence on what lies among the run's checkpoints, ends as they do, and is not used: each
    with the reason; or ""."""
    place = folder / "checkpoints"
    files = (
        sorted(f for f in place.iterdir() if f.suffix == ".safetensors") if place.is_dir() else []
    )
    found = [f"{file.name} ({why})" for file in files if (why := _why_unused(file, config))]
    more = f", and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return f"In {place}, this is not used: {', '.join(found[:LISTED])}{more}." if found else ""


def _why_unused(file, config):
    """Why a file is none of the run's own checkpoints; "" if it is one, or there no more."""
    if file.is_symlink():
        return "a link"
    if file.is_dir():
        return "a folder"
    if step_of(file) is None:
        return f"its name is not of the form {checkpoint_name(20)}"
    try:
        facts = load_facts(file)
    except NoCheckpoint:
        return "no checkpoint of minitransformer"
    except InputError:
        # a training lets its oldest checkpoints go
        return "it cannot be read" if file.exists() else ""
    if type(facts) is not dict or differences(config, facts.get("config")):
        return "of another run"
    return "" if is_own(facts, file, config) else "its name says another step than its content"


def not_of_this_run(file, facts, folder, config):
    """The error for a checkpoint with a name of this run and the content of another: what
    differs."""
    facts = facts if type(facts) is dict else {}
    different = differences(config, facts.get("config"))
    if not different:
        return InputError(
            f"{file} holds step {reprlib.repr(facts.get('step'))}, not the step in its name. Give "
            "it its own name again."
        )
    field, here, there = different[0]
    shown = (
        f"{field} is {reprlib.repr(here)} in {folder / NAME} and {reprlib.repr(there)} in {file}"
    )
    if field == "id":
        return InputError(
            f"The checkpoint is of another run: {shown}. Move it to another folder; it can be used "
            "there."
        )
    return InputError(
        f"A run keeps the options that it began with, and {shown}. Correct {NAME}; or remove it, "
        "then the run continues with the config in its newest checkpoint."
    )


def set_aside(folder, config, step, metrics):
    """Move everything after a step, checkpoints and lines of metrics, into a new folder; returns
    it, or None.

    If there are only lines of metrics, they are removed: a run that was killed has some, and will
    write the same again. Checkpoints that cannot be read are moved too, because they may be the
    run's; files of others stay.
    """
    later = [
        f
        for f in named_checkpoints(folder)
        if step_of(f) > step and ((facts := _facts(f)) is None or is_own(facts, f, config))
    ]
    later += [
        f
        for place in (folder / "checkpoints", folder)
        for f in files_like(UNFINISHED_BEFORE, place)
    ]
    aside = free_name(folder / f"after-step-{step:08d}") if later else None
    if aside:
        aside.mkdir()
    for file in reversed(later):
        shutil.move(file, aside / file.name)
    lines = metrics.cut_back(step)
    if aside and lines:
        write_file(aside / metrics.path.name, lines)
    return aside


def remove_unfinished(folder):
    """Remove what a kill left half-written: no other program uses such names."""
    for place in (folder, folder / "checkpoints"):
        for file in files_like(UNFINISHED, place):
            file.unlink()


def files_like(pattern, place):
    return (
        [
            f
            for f in place.iterdir()
            if pattern.fullmatch(f.name) and f.is_file() and not f.is_symlink()
        ]
        if place.is_dir()
        else []
    )


def clear_the_way(folder, config, path):
    """Move a file at a checkpoint's place that is not the run's into another folder; returns its
    new path, or None."""
    if (
        not os.path.lexists(path)
        or path in named_checkpoints(folder)
        and (facts := _facts(path))
        and is_own(facts, path, config)
    ):
        return None
    place = folder / "not-of-this-run"
    place.mkdir(exist_ok=True)
    return shutil.move(path, free_name(place / path.name))
