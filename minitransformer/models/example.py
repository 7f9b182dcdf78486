"""Small sizes and ids, for the examples of the models."""

import dataclasses

from .config import TransformerConfig


def small_example(rng, config=TransformerConfig, **choices):
    """(config, source ids (3, 7), target ids (3, 5)) of sizes that cannot be confused, with padded
    rows.

    The configuration is of the class `config`, with these choices beside those of the sizes that it
    has.
    """
    sizes = dict(
        source_vocabulary=17, target_vocabulary=19, d_model=20, heads=4, d_k=11, d_v=13, d_ff=23,
        encoder_layers=2, decoder_layers=2, max_length=16, dropout=0.0,
    )  # fmt: skip
    known = {field.name for field in dataclasses.fields(config)}
    config = config(**{name: size for name, size in sizes.items() if name in known}, **choices)
    source, target = rng.integers(4, 17, size=(3, 7)), rng.integers(4, 19, size=(3, 5))
    source[1, 4:] = source[2, 6:] = 0
    target[:, 0] = 1
    target[1, 3:] = 0
    return config, source, target
