"""Exercises that call other exercises: the mistakes of a part are mistakes of the whole."""

import dataclasses


def call_wrong(part, version, call=""):
    """{a call of an exercise: the same call of a wrong version of it}. `call` are the words before
    its inputs."""
    call = call or f"{part.name}("
    return {call: call.replace(f"{part.name}(", f"{part.name}.wrong({version!r})(")}


def inherit(whole, part, *ids, call=""):
    """Let an exercise have the mistakes (those of these ids; else all) of another one, which it
    calls."""
    for mistake in part.mistakes:
        if not ids or mistake.id in ids:
            add(whole, mistake, [call_wrong(part, version, call) for version in mistake.versions])


def add(exercise, mistake, versions):
    """Give an exercise the mistake in these versions; one that it has already, by its title, gets
    them in addition."""
    for n, known in enumerate(exercise.mistakes):
        if known.title == mistake.title:
            exercise.mistakes[n] = dataclasses.replace(known, versions=(*known.versions, *versions))
            return
    exercise.mistakes.append(dataclasses.replace(mistake, versions=tuple(versions)))


def versions_of(exercise, id):
    """The wrong versions of the mistake with that id."""
    return next(mistake for mistake in exercise.mistakes if mistake.id == id).versions
