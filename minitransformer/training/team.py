"""The shares of a batch side by side, each in a process of its own: data parallelism."""

import contextlib
import struct

import numpy as np

from ..backend.updates import BLOCK
from .processes import Fork, packed, shared, unpacked


class Team:
    """One process for each share: this one for the first, forks of it for the others.

    Parameters and moments are the same memory in all. Each computes its gradients into an array of its own; then each
    sums all of them on its part of the parameters, and makes the optimizer's step there. Messages are bytes: token ids and a few numbers. What is changed about the model or the optimizer after the start,
    other than the values of parameters and moments and the learning rate, does not reach the forks.
    """

    def __init__(self, shares, size):
        self.shares, self.optimizer, self.forks = shares, shares.optimizer, []
        flat = self.optimizer.flat
        flat.live_in(shared(flat.data), shared(flat.grad))
        for name in self.optimizer.moments:
            setattr(self.optimizer, name, shared(getattr(self.optimizer, name)))
        self.grads = [flat.grad, *(shared(np.zeros_like(flat.grad)) for _ in range(size - 1))]
        self.parts = parts_of(flat.data.size, size)
        with contextlib.ExitStack() as opened:
            for member in range(1, size):
                self.forks.append(Fork(lambda member=member: self.member(member), self.forks))
                opened.callback(self.forks[-1].close)
            opened.callback(self.take_back)
            self.opened = opened.pop_all()

    def close(self):
        """End the forks; parameters, gradients and moments are in memory of this process alone again."""
        self.opened.close()

    def take_back(self):
        flat = self.optimizer.flat
        if not flat.intact():  # somebody has moved the parameters away already
            return
        flat.live_in(flat.data.copy(), flat.grad.copy())
        for name in self.optimizer.moments:
            setattr(self.optimizer, name, getattr(self.optimizer, name).copy())

    # -- what the first process does -------------------------------------------------------------------------

    def gradients(self, shares):
        """As `Shares.one_by_one`."""
        for fork, (part, weight, seed) in zip(self.forks, shares[1:]):
            fork.drop_answers()  # of a step that was not finished, because something was raised
            fork.send(b"share" + struct.pack("dq", weight, seed) + packed(part))
        value, _ = self.shares.compute(*shares[0])
        answers = [fork.receive() for fork in self.forks]
        if None in answers:  # it fails here too, and the error reaches the caller
            return self.shares.one_by_one(shares)
        self.all(b"added", lambda: self.add(0))
        for answer in answers:
            value += struct.unpack("d", answer)[0]
        return value

    def update(self):
        """As `Optimizer.step`."""
        rate = self.optimizer.next_rate()
        self.all(b"moved" + struct.pack("qd", self.optimizer.t, rate), lambda: self.move(rate, 0))

    def all(self, message, function):
        """Call the function while the forks do what the message says."""
        for fork in self.forks:
            fork.send(message)
        try:
            function()
        finally:
            answers = [fork.receive() for fork in self.forks]
        if None in answers:
            raise ChildProcessError("A process that helps to compute failed at its part of the step. To see why, train in one: shares=1.")

    # -- what a fork does ------------------------------------------------------------------------------------

    def member(self, number):
        """The function by which this fork answers messages."""
        flat = self.optimizer.flat
        flat.live_in(flat.data, self.grads[number])

        def answer(message):
            kind, content = message[:5], message[5:]
            if kind == b"share":
                return self.share(content)
            if kind == b"added":
                self.add(number)
            else:
                self.optimizer.t, rate = struct.unpack("qd", content)
                self.move(rate, number)
            return b""

        return answer

    def share(self, content):
        weight, seed = struct.unpack("dq", content[:16])
        try:
            value, _ = self.shares.compute(unpacked(content[16:]), weight, seed)
        except Exception:
            self.shares.model.clear_saves()
            raise
        return struct.pack("d", value)

    def add(self, number):
        """Sum all gradients into the first, on the part of member `number`."""
        part = self.parts[number]
        for other in self.grads[1:]:
            self.grads[0][part] += other[part]

    def move(self, rate, number):
        """Make the optimizer's step on the part of member `number`."""
        self.optimizer.update(rate, self.grads[0], self.parts[number])


def parts_of(size, count):
    """`count` slices of about equal length that make up `size`, cut between two blocks of the optimizer."""
    cuts = [min(size, BLOCK * round(size * i / count / BLOCK)) for i in range(count)] + [size]
    return [slice(start, stop) for start, stop in zip(cuts, cuts[1:])]
