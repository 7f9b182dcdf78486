"""The shares of a batch side by side, each in a process of its own."""

import struct

import numpy as np

from ..backend import in_blocks
from ..backend.updates import BLOCK
from ..parallel.processes import Fork, from_bytes, shared, to_bytes
from .shares import Shares, first_half, in_halves

REMEDY = (
    "Go on from the last checkpoint with --resume RUN, take smaller batches, or train a new run in "
    "one process: --shares 1."
)


class DataParallel(Shares):
    """Data parallelism: one process for each share, this one for the first, forks of it for the
    others.

    The numbers are those of `Shares`. Parameters and moments are the same memory in all processes.
    Each computes its gradients into an array of its own; then each sums all of them on its slice of
    the parameters, and makes the optimizer's step there. Messages are bytes: token ids and a few
    numbers. What is changed about the model or the optimizer after the start, other than the values
    of parameters and moments and the learning rate, does not reach the forks, which end with the
    `with` block. Outside of it this process computes all shares.
    """

    def __init__(self, model, loss, optimizer, count, skip_padding=False):
        super().__init__(model, loss, optimizer, count, skip_padding)
        self.be_alone()

    def be_alone(self):
        self.forks, self.grads, self.slices = [], [self.optimizer.flat.grad], [slice(None)]
        self.groups = []

    def open(self, opened):
        super().open(opened)
        for name in self.optimizer.moments:
            setattr(self.optimizer, name, shared(getattr(self.optimizer, name)))
        self.open_forks(opened, self.count, [range(self.count)])

    def open_forks(self, opened, count, groups):
        """Let `count` processes, this one among them, share the parameters, and have an array each
        for gradients. `groups` are the members whose gradients are to be added up."""
        flat = self.optimizer.flat
        self.groups, self.slices = groups, slices_of(flat.data.size, count)
        opened.callback(self.take_back)
        flat.live_in(shared(flat.data), shared(flat.grad))
        self.grads = [flat.grad, *(shared(np.zeros_like(flat.grad)) for _ in range(count - 1))]
        for number in range(1, count):
            self.forks.append(Fork(lambda number=number: self.member(number), self.forks, REMEDY))
            opened.callback(self.forks[-1].close)

    def take_back(self):
        """Parameters, gradients and moments are in memory of this process alone again."""
        flat = self.optimizer.flat
        if flat.intact():  # else somebody has moved the parameters away already
            flat.live_in(flat.data.copy(), flat.grad.copy())
            for name in self.optimizer.moments:
                setattr(self.optimizer, name, getattr(self.optimizer, name).copy())
        self.be_alone()

    # -- what the first process does ---------------------------------------------------------------

    def compute(self, batch):
        shares = self.shares_of(batch)
        values = self.side_by_side(shares)
        if not values:
            return self.one_by_one(shares)
        self.all(b"added", lambda: self.add(0))
        return in_halves(values)

    def side_by_side(self, shares):
        """The losses of these shares, whose gradients are then in `grads`; none if there are not as
        many shares as processes, or if one fails: it does so here too, and the error reaches the
        caller."""
        if len(shares) != len(self.forks) + 1:  # a batch of too few sequences
            return []
        for fork, (part, weight, seed) in zip(self.forks, shares[1:]):
            fork.drop_answers()  # of a step that was not finished, because something was raised
            fork.send(b"share" + struct.pack("dq", weight, seed) + to_bytes(part))
        value = self.compute_share(*shares[0])
        answers = [fork.receive() for fork in self.forks]
        if None in answers:
            return []
        return [value, *(struct.unpack("d", answer)[0] for answer in answers)]

    def again(self, batch):
        return self.one_by_one(self.shares_of(batch))

    def update(self):
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
            raise ChildProcessError(
                "A process that helps to compute failed at its part of the step. To see why, train "
                "in one process: --shares 1, or without a strategy."
            )

    # -- what a fork does --------------------------------------------------------------------------

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
            value = self.compute_share(from_bytes(content[16:]), weight, seed)
        except Exception:
            self.model.clear_saves()
            raise
        return struct.pack("d", value)

    def add(self, number):
        """Sum all gradients of each group into its first, on the slice of member `number`."""
        for group in self.groups:
            in_blocks(add_up, *(self.grads[member][self.slices[number]] for member in group))

    def move(self, rate, number):
        """Make the optimizer's step on the slice of member `number`."""
        self.optimizer.update(rate, self.grads[0], self.slices[number])


def add_up(total, *others):
    """total ← total + others, in the order of `in_halves`."""
    if others:
        values, middle = [total, *others], first_half(len(others) + 1)
        np.add(in_halves(values[:middle]), in_halves(values[middle:]), out=total)


def slices_of(size, count):
    """`count` slices of about equal length that make up `size`, cut between two blocks of the
    optimizer."""
    cuts = [min(size, BLOCK * round(size * i / count / BLOCK)) for i in range(count)] + [size]
    return [slice(start, stop) for start, stop in zip(cuts, cuts[1:])]
