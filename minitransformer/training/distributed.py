"""The shares of a batch on the ranks of MPI: one machine, or many."""

import zlib

import numpy as np

from ..backend import in_blocks
from ..parallel.mpi import OnAllRanks, Ranks
from ..parallel.processes import cores
from .data_parallel import DataParallel, in_order, slices_of
from .optimizers import clip_gradients
from .shares import Shares


class Distributed(DataParallel):
    """Data parallelism over ranks: each makes the same batches, and computes its own shares.

    With R ranks and P parameters, a step is:

    1. Each rank computes the gradients (P,) of its shares: side by side in forked processes, where
       its machine has the cores, else one after the other.
    2. Reduce-scatter: rank r receives slice r of every share's gradients, and adds them up in the
       order of the shares.
    3. Each rank makes the optimizer's step on its slice alone. (Its arrays of moments have the full
       length all the same.)
    4. All-gather: each rank receives the parameters of the other slices.

    So the numbers are those of `Shares`: they depend on how many shares there are, not on how many
    ranks. A rank sends and receives 2 (R − 1)/R P numbers a step; more if it has several shares,
    because each of them is sent, so that the order of the sum stays the same.

    That all ranks have the same batch is checked in every step. Sources: Li et al. 2020, section
    3.1; Rajbhandari et al. 2020, section 5.1 (the optimizer's state in slices, "stage 1").
    """

    def __init__(self, model, loss, optimizer, count, ranks: Ranks, skip_padding=False):
        super().__init__(model, loss, optimizer, count, skip_padding)
        expect_shares(count, ranks.size)
        self.ranks = ranks
        owner = [share * ranks.size // count for share in range(count)]
        self.owned = [[s for s in range(count) if owner[s] == rank] for rank in range(ranks.size)]
        self.mine = self.owned[ranks.rank]

    def open(self, opened):
        Shares.open(self, opened)
        self.slices = slices_of(self.optimizer.flat.data.size, self.ranks.size)
        self.part = self.slices[self.ranks.rank]
        grad, count = self.optimizer.flat.grad, len(self.mine)
        free = cores() // self.ranks.on_this_host()  # asked by all ranks, whatever they have to do
        if 1 < count <= free:
            self.open_forks(opened, count)
        else:
            self.grads = [grad, *(np.empty_like(grad) for _ in self.mine[1:])]
        self.received = {
            share: np.empty_like(grad[self.part])
            for share in range(self.count)
            if share not in self.mine
        }
        self.optimizer.collect = self.collect_moments
        opened.callback(setattr, self.optimizer, "collect", None)

    def compute(self, batch):
        shares = self.shares_of(batch)
        mine = [shares[number] for number in self.mine if number < len(shares)]
        values = self.forks and self.side_by_side(mine) or self.one_after_another(mine)
        self.expect_same_batch(batch)
        values = self.ranks.joined(np.array(values, dtype=float))  # in the order of the shares
        self.add(len(shares))
        return float(in_order(values))

    def one_after_another(self, shares):
        """The losses of these shares, whose gradients are then in `grads`."""
        values = []
        for share, grad in [*zip(shares, self.grads)][::-1]:  # the first stays where it is made
            value, found = self.compute_share(*share)
            values.insert(0, value)
            if grad is not found:
                grad[...] = found
        return values

    def expect_same_batch(self, batch):
        found = 0
        for ids in batch:
            found = found if ids is None else zlib.crc32(ids.tobytes(), found)
        if len(np.unique(self.ranks.all_equal_in_size(np.array([found])))) > 1:
            raise OnAllRanks(
                "The ranks have different batches: their data, or the versions of NumPy, differ. "
                "Let all machines have the same."
            )

    def add(self, count):
        """Sum the gradients of the first `count` shares, in their order, on the slice of this
        rank: reduce-scatter."""
        owners = [(rank, share) for rank, own in enumerate(self.owned) for share in own]
        others = self.ranks.others()
        mine = self.grads[: sum(share < count for share in self.mine)]
        self.ranks.exchange(
            [(rank, grad[self.slices[rank]]) for rank in others for grad in mine],
            [
                (rank, self.received[share])
                for rank in others[::-1]
                for share in self.owned[rank]
                if share < count
            ],
        )
        here = dict(zip(self.mine, self.grads))
        pieces = [
            here[share][self.part] if rank == self.ranks.rank else self.received[share]
            for rank, share in owners[:count]
        ]
        in_blocks(add_up, self.optimizer.flat.grad[self.part], *pieces)

    def again(self, batch):
        return self.one_by_one(self.shares_of(batch))

    def clip(self, max_norm):
        return clip_gradients(self.optimizer.flat.grad[self.part], max_norm, self.ranks.joined)

    def update(self):
        rate = self.optimizer.next_rate()
        self.optimizer.update(rate, self.optimizer.flat.grad, self.part)
        self.ranks.gather_parts(self.optimizer.flat.data, self.slices)

    def collect_moments(self):
        """Let rank 0 have all moments, for a checkpoint."""
        for name in self.optimizer.moments:
            self.ranks.collect_parts(getattr(self.optimizer, name), self.slices)


def expect_shares(shares, ranks):
    """Raise OnAllRanks if there are more ranks than shares."""
    if ranks > shares:
        raise OnAllRanks(
            f"{ranks} ranks were started, and a batch has {shares} "
            f"{'share' if shares == 1 else 'shares'}, so that some would have nothing to do. A new "
            f"run can have more: --shares {ranks}; or start fewer ranks: mpiexec -n {shares}."
        )


def add_up(total, first, *others):
    """total ← first + others, one after the other; `total` may be the memory of one of them."""
    found = first.copy()
    for other in others:
        found += other
    total[...] = found
