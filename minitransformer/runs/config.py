"""The configuration of a run, config.json: checked field by field, compared, written."""

import json
import os
import re
import reprlib

from ..core.options import expect_fields, expect_keys, expect_type
from ..data.registry import UnknownTask, find_task
from ..data.tasks import make_task
from ..errors import InputError, reading
from ..training.options import TrainingOptions
from .kinds import find_model
from .writing import write_file

NAME = "config.json"
VERSION = 1
# fields that a run without an id may lack
ADDED_LATER = {"training.shares", "task.options.spelling"}
MOST_PARAMETERS = 2**29  # twice the paper's big model; with gradients and moments they take 8 GB
MOST_LAYERS = 1_000
MOST = 1_000_000  # of any other size
MOST_SEQUENCES = 65_536  # in a batch, or evaluated


def expect_config(config, where):
    """Raise InputError unless this is a configuration {"task", "model", "training"}, with "id" in
    newer runs.

    The message begins with `where` and names the field that is missing or unknown, of the wrong
    type, out of range, or does not fit the others.
    """
    try:
        expect_keys(config, "config", ("task", "model", "training"), ("id",))
        if "id" in config and not (
            type(config["id"]) is str and re.fullmatch("[0-9a-f]{16}", config["id"])
        ):
            raise InputError(
                f"id must be 16 digits of 0 to 9 and a to f, got {reprlib.repr(config['id'])}."
            )
        for part in ("task", "model"):
            expect_keys(config[part], part, ("name", "options"))
            expect_type(config[part]["name"], str, f"{part}.name")
        may_lack = {path.rpartition(".")[2] for path in ADDED_LATER if "id" not in config}
        _expect_task(**config["task"], may_lack=may_lack)
        _expect_model(**config["model"])
        expect_fields(TrainingOptions, config["training"], "training", may_lack)
        options_of(config)  # checks the ranges
        _expect_sizes(
            "training", config["training"], ("batch_size", "evaluate_count"), MOST_SEQUENCES
        )
    except InputError as problem:
        raise type(problem)(f"{where}: {problem}") from None


def options_of(config):
    """The `TrainingOptions` of a configuration; a configuration without shares is older, and used
    one."""
    return TrainingOptions(**{"shares": 1, **config["training"]})


def _expect_task(name, options, may_lack):
    expect_fields(find_task(name), options, "task.options", may_lack)
    _expect_sizes("task.options", options, options)
    make_task(name, **options)  # checks the ranges


def _expect_model(name, options):
    kind = find_model(name)
    expect_fields(kind.config, options, "model.options")
    for field, value in kind.fixed.items():
        if options[field] != value:
            raise InputError(
                f"model.options.{field} of the model {name} is {value!r}, got {options[field]!r}."
            )
    _expect_sizes(
        "model.options", options, ("encoder_layers", "decoder_layers", "layers"), MOST_LAYERS
    )
    _expect_sizes("model.options", options, options)
    size = lambda *names: sum(options.get(name) or 0 for name in names)  # noqa: E731
    layers = 1 + size("encoder_layers", "decoder_layers", "layers")
    heads = options.get("heads", 1) * size("d_k", "d_v")
    vocabularies = size("source_vocabulary", "target_vocabulary") * options["d_model"]
    about = vocabularies + layers * options["d_model"] * (options["d_model"] + size("d_ff") + heads)
    if max(about, size("max_length") * options["d_model"]) > MOST_PARAMETERS:
        raise InputError(
            f"model.options ask for more than {MOST_PARAMETERS:,} numbers. Take a smaller d_model, "
            "d_ff or vocabulary, or fewer layers or heads."
        )
    kind.config(**options)  # its own class knows the ranges


def _expect_sizes(where, options, names, most=MOST):
    for name in names:
        if type(options.get(name)) is int and options[name] > most:
            raise InputError(
                f"{where}.{name} must be at most {most:,}, got {reprlib.repr(options[name])}."
            )


def differences(config, other):
    """[(field, its value in `config`, its value in `other`)] where two configurations differ, valid
    or not.

    The last step does not count, because `--steps` may change it, nor does a field that did not
    exist in an older one.
    """
    one, two = (
        {path: value for path, value in _flat(c) if path != "training.steps"}
        for c in (config, other)
    )
    old = ADDED_LATER if "id" not in one else ()
    paths = [
        path
        for path in {**one, **two}
        if not (path in old and (path not in one or path not in two))
    ]
    return [
        (path, one.get(path), two.get(path))
        for path in paths
        if _text(one.get(path)) != _text(two.get(path))
    ]


def _flat(config, path=""):
    """(path, value) of every leaf."""
    if type(config) is not dict or not config:
        yield path or "config", config
        return
    for name, value in config.items():
        yield from _flat(value, f"{path}.{name}" if path else str(name))


def _text(value):
    """Equal for equal values of equal types, NaN too: 1, 1.0 and true are three."""
    return json.dumps(value)


def write_config(folder, config):
    content = json.dumps({"version": VERSION, **config}, indent=2) + "\n"
    write_file(folder / NAME, content.encode())


def read_config(folder):
    """The configuration in a run's config.json; None if there is none. InputError, with the reason,
    if it cannot be used."""
    path = folder / NAME
    with reading(path):
        _expect_places(folder)
        if not path.exists():
            return None
        content = path.read_bytes()
    try:
        config = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError(
            f"{path} is damaged: it is not the JSON of a run. {_remedy(folder)}"
        ) from None
    if type(config) is not dict or "version" not in config:
        raise InputError(f"{path} is damaged: it lacks its version. {_remedy(folder)}")
    version = config.pop("version")
    if type(version) is not int or version != VERSION:
        raise InputError(
            f"{path} is of version {reprlib.repr(version)}; this minitransformer reads version "
            f"{VERSION}."
        )
    try:
        expect_config(config, path)
    except UnknownTask:
        raise  # nothing in the file is wrong
    except InputError as problem:
        raise InputError(f"{problem} {_remedy(folder)}") from None
    return config


def _expect_places(folder):
    """Raise InputError if a folder is where a run has a file, or the other way round."""
    for name, is_right, kind in (
        (NAME, os.path.isfile, "file"), ("metrics.jsonl", os.path.isfile, "file"),
        ("checkpoints", os.path.isdir, "folder"),
    ):
        path = folder / name
        if path.exists() and not is_right(path):
            raise InputError(
                f"{path} is not a {kind}, as a run has it there. Move it elsewhere, or give it "
                "another name."
            )


def _remedy(folder):
    if any((folder / "checkpoints").glob("step-*.safetensors")):
        return (
            "Correct it; or remove it, then the run continues with the config in its newest "
            "checkpoint."
        )
    return "Correct it, or train again."
