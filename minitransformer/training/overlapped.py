"""Shares on the ranks of MPI that send gradients while backward still computes others."""

import collections
import time

import numpy as np

from ..core.observe import observe
from ..core.parameter import Parameter
from .distributed import Distributed


class Overlapped(Distributed):
    """`Distributed`, with communication and backward at the same time where that is faster.

    Backward begins at the end of the model, and so do the gradients that are final: when the last
    decoder layer has made its backward, nothing will be added to its gradients any more. The flat
    gradients are cut into buckets, each rank owns a slice of every bucket, and a bucket is sent as
    soon as all its gradients are final. The numbers stay the same.

    More and smaller messages cost more, so the first batch tries: only if an exchange takes more
    than a quarter of the time of forward and backward are there several buckets. And a rank must
    have one share; of several, sent as their sum, only the last could overlap.

    A gradient counts as final when every component that has the parameter has made its backward. Of
    this package's components that is true; others may add to the gradients of a part of theirs
    later, so a model that has one sends everything at the end. Source: Li et al. 2020, section
    3.2.3.
    """

    several = 8  # buckets
    worthwhile = 0.25

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        kinds = {type(component).__module__ for _, component in self.model.named_modules()}
        own = all(kind.split(".")[0] == __name__.split(".")[0] for kind in kinds)
        self.tried = self.count != self.ranks.size or not own

    def open(self, opened):
        super().open(opened)
        places, start = {}, 0
        for parameter in self.optimizer.flat.parameters:
            start += parameter.data.size
            places[id(parameter)] = start
        # {component: where its own parameters end}, of those that have any
        self.ends = {}
        for _, component in self.model.named_modules():
            own = [places[id(p)] for _, p in component._members(Parameter)]
            self.ends.update({id(component): max(own)} if own else {})
        self.all_ends = [*places.values()]  # of the parameters

    def sums_of(self, shares, spans):
        if not self.tried:
            return self.trial(shares, spans)
        if len(self.buckets) == 1:
            return super().sums_of(shares, spans)
        return self.watched(self.send_final, shares, spans)

    def watched(self, tell, shares, spans):
        """`sums_of`, and tell(place) after each backward: all gradients from there on are final."""
        unfinished: dict = collections.Counter()  # forwards of each component without backward

        def after_forward(path, component, inputs, y):
            if id(component) in self.ends:
                unfinished[id(component)] += 1

        def after_backward(path, component, d_y, d_inputs):
            if id(component) in self.ends:
                unfinished[id(component)] -= 1
                tell(max((self.ends[c] for c, n in unfinished.items() if n), default=0))
            self.ranks.move_on(self.begun)

        with observe(self.model, after_forward, after_backward):
            return super().sums_of(shares, spans)

    def send_final(self, place):
        for parameter, end in zip(self.optimizer.flat.parameters, self.all_ends):
            if end > place:
                parameter.grad  # noqa: B018 - looking at it writes the zeros of what was not used
        final = [b for b in self.waiting if self.buckets[b].start >= place]
        self.begin(len(final), self.grads[:1])

    # -- does it pay? ------------------------------------------------------------------------------

    def trial(self, shares, spans):
        """`sums_of` for the first batch, of which nothing is sent before its end; then all ranks
        decide."""
        self.tried, began = True, time.perf_counter()
        result = super().sums_of(shares, spans)
        computing = time.perf_counter() - began
        for _ in range(2):  # the first exchange also makes the connections
            began = time.perf_counter()
            # of the parameters, which are the same on all ranks
            self.ranks.gather_parts(self.optimizer.flat.data, self.parts)
        sending = time.perf_counter() - began
        pays = np.array([sending / computing])
        if self.ranks.all_equal_in_size(pays).min() > self.worthwhile:
            self.cut(self.several)
            self.waiting = [*range(len(self.buckets))]
        return result
