"""What is compared with what: the contestants, their sizes, and how much of everything is
measured."""

import dataclasses
from typing import Annotated

from ..boundary import OneOf, checked
from ..runs import configure, find_model

# k and r of Table 1, for every convolution and every local attention of the study
KERNEL, WINDOW = 3, 16
TITLES = {  # the models' names in pictures and tables
    "transformer": "Transformer",
    "rnn": "RNN, one vector",
    "rnn-additive": "RNN + additive attention",
    "rnn-multiplicative": "RNN + multiplicative attention",
    "one-vector": "MLP, one vector",
    "conv": "Convolution",
    "local-attention": "Local attention",
    "language-model": "Decoder only",
}
WIDEST = 512  # no contestant is made wider to have as many parameters as the Transformer


@dataclasses.dataclass(frozen=True)
class Contestant:
    """A model in the comparison: its name for the commands, and what is fixed about it."""

    model: str
    options: dict = dataclasses.field(default_factory=dict)

    @property
    def title(self):
        return TITLES[self.model]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much of everything: the trainings, and the sizes at which gradients, operations and time
    are measured."""

    width: int  # D of the Transformer whose number of parameters all others are given
    longest: int  # sequences of 4 to so many symbols are trained on
    # exact match is measured at these; some may be longer than any that was trained on
    lengths: tuple
    steps: int
    batch_size: int
    rates: tuple  # each model is trained with each, and the best is kept
    seeds: tuple  # the first chooses the rate, and all are trained with it
    sequences: int  # a length
    distances: int  # gradients are followed through sequences of so many symbols
    table_width: int  # D of the layers whose operations are counted
    table_lengths: tuple
    clock_width: int  # D of the models whose training step is timed
    clock_lengths: tuple

    def contestants(self):
        """The seven models; the two that see only a part in each layer are deep enough to see
        2·longest + 1 in all."""
        depth, seen = 0, 1
        while seen < 2 * self.longest + 1:
            depth, seen = depth + 1, seen * KERNEL
        return (
            Contestant("transformer", {"encoder_layers": 2, "decoder_layers": 2, "heads": 4}),
            Contestant("rnn"),
            Contestant("rnn-additive"),
            Contestant("rnn-multiplicative"),
            Contestant("one-vector"),
            Contestant("conv", {"decoder_layers": depth, "kernel_width": KERNEL}),
            Contestant("local-attention", {"decoder_layers": depth, "heads": 4, "window": WINDOW}),
        )


PLANS = {
    "short": Plan(
        width=24, longest=16, lengths=(4, 8, 12, 16, 20), steps=1500, batch_size=32, rates=(3e-3,),
        seeds=(0,), sequences=100, distances=16, table_width=32, table_lengths=(16, 32, 64, 128),
        clock_width=32, clock_lengths=(16, 32, 64, 128),
    ),
    "full": Plan(
        width=32, longest=64, lengths=(4, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80), steps=4000,
        batch_size=32, rates=(1e-3, 3e-3, 1e-2), seeds=(0, 1, 2), sequences=200, distances=64,
        table_width=64, table_lengths=(16, 32, 64, 128, 256, 512), clock_width=64,
        clock_lengths=(8, 16, 32, 64, 128, 256, 512),
    ),
}  # fmt: skip


def equal_sizes(plan, width, **from_data):
    """{model: options} of all contestants: the Transformer of this width, and the others with as
    many parameters."""
    transformer, *others = plan.contestants()
    first = of_width(transformer, width)
    parameters = parameter_count(transformer.model, first, **from_data)
    return {
        transformer.model: first,
        **{c.model: of_size(c, parameters, **from_data) for c in others},
    }


def of_width(contestant, d_model):
    """The options of a contestant of this width; a feed-forward network is four times as wide."""
    hidden = {"d_ff": 4 * d_model} if "d_ff" in find_model(contestant.model).options() else {}
    return {**contestant.options, "d_model": d_model, **hidden}


def of_size(contestant, parameters, **from_data):
    """The options of a contestant of the width that brings it closest to so many parameters.

    A width that the heads divide may miss by much; the width of a feed-forward network then makes
    up for it.
    """

    def nearest(candidates):
        """The candidate closest to what is asked for; their numbers of parameters grow from one to
        the next."""
        low, high = 0, len(candidates) - 1
        while low < high:
            middle = (low + high) // 2
            enough = (
                parameter_count(contestant.model, candidates[middle], **from_data) >= parameters
            )
            low, high = (low, middle) if enough else (middle + 1, high)
        return min(
            candidates[max(0, low - 1) : low + 1],
            key=lambda options: abs(
                parameter_count(contestant.model, options, **from_data) - parameters
            ),
        )

    step = contestant.options.get("heads", 1)
    chosen = nearest([of_width(contestant, width) for width in range(max(4, step), WIDEST, step)])
    if "d_ff" in chosen:
        chosen = nearest([{**chosen, "d_ff": hidden} for hidden in range(1, 8 * chosen["d_model"])])
    return chosen


def parameter_count(model, options, **from_data):
    return (
        find_model(model).model(configure(model, "toy", options, **from_data), 0).parameter_count()
    )


@checked
def find_plan(name: Annotated[str, OneOf("plan", PLANS)]) -> Plan:
    return PLANS[name]
