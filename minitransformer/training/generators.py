"""A model's random generators: their states remembered, set back, and replaced for a while."""

import contextlib


def states_of(generators):
    return [g.bit_generator.state for g in generators]


def rewind(generators, states):
    """Let the generators stand where they stood when `states_of` was asked."""
    for generator, state in zip(generators, states):
        generator.bit_generator.state = state


@contextlib.contextmanager
def drawing_from(seed, generators):
    """Inside, the generators draw from this seed; afterwards they go on where they were."""
    before = states_of(generators)
    rewind(generators, [type(g.bit_generator)([seed, i]).state for i, g in enumerate(generators)])
    try:
        yield
    finally:
        rewind(generators, before)
