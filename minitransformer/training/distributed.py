"""The shares of a batch on the ranks of MPI: one machine, or many."""

import collections
import functools
import zlib

import numpy as np

from ..backend import in_blocks
from ..backend.updates import BLOCK
from ..parallel.mpi import OnAllRanks, Ranks
from ..parallel.processes import cores
from .data_parallel import DataParallel, slices_of
from .optimizers import clip_gradients
from .shares import Shares, first_half, in_halves


class Distributed(DataParallel):
    """Data parallelism over ranks: each makes the same batches, and computes its own shares.

    With R ranks and P parameters, a step is:

    1. Each rank computes the gradients (P,) of its shares, and their sum: side by side in forked
       processes, where its machine has the cores, else one after the other.
    2. Reduce-scatter: rank r receives slice r of every rank's sum, and adds them up.
    3. Each rank makes the optimizer's step on its slice alone. (Its arrays of moments have the full
       length all the same.)
    4. All-gather: each rank receives the parameters of the other slices.

    The slices are those of one bucket, which is all; `Overlapped` has several, and a slice of each
    for every rank.

    The numbers are those of `Shares`: they depend on how many shares there are, not on how many
    ranks, since `in_halves` fixes the order of the sum. A rank sends and receives 2 (R − 1)/R P
    numbers a step; more if `in_halves` does not add up its shares before they meet others (of six
    shares on two ranks, 0 + 1 and 2, and 3 and 4 + 5). So let a rank have 1, 2, 4, 8 … of them.

    That all ranks have the same parameters and optimizer is checked at the start, that they have
    the same batch and learning rate in every step. Sources: Li et al. 2020, section
    3.1; Rajbhandari et al. 2020, section 5.1 (the optimizer's state in slices, "stage 1").
    """

    def __init__(self, model, loss, optimizer, count, ranks: Ranks, skip_padding=False):
        super().__init__(model, loss, optimizer, count, skip_padding)
        expect_shares(count, ranks.size)
        self.ranks = ranks
        starts = [-(-count * rank // ranks.size) for rank in range(ranks.size + 1)]
        self.owned = [range(*ends) for ends in zip(starts, starts[1:])]  # shares, of each rank

    def open(self, opened):
        Shares.open(self, opened)
        self.expect_same_start()
        self.cut(1)
        grad, mine = self.optimizer.flat.grad, self.owned[self.ranks.rank]
        free = cores() // self.ranks.on_this_host()  # asked by all ranks, whatever they have to do
        if 1 < len(mine) <= free:
            spans = spans_within(mine, range(self.count))
            groups = [range(s.start - mine.start, s.stop - mine.start) for s in spans]
            self.open_forks(opened, len(mine), groups)
        else:
            self.grads = [self.optimizer.flat.grad, *(np.empty_like(grad) for _ in mine[1:])]
        self.optimizer.collect = self.collect_moments
        opened.callback(setattr, self.optimizer, "collect", None)
        opened.push(self.share_moments)

    def cut(self, buckets):
        """Cut the flat arrays into so many buckets, and each of them into a slice for every
        rank."""
        flat, size = self.optimizer.flat, self.ranks.size
        self.buckets = slices_of(flat.data.size, buckets)
        cuts = [slices_of(bucket.stop - bucket.start, size) for bucket in self.buckets]
        self.parts = [  # [rank][bucket]
            [
                slice(bucket.start + cut[rank].start, bucket.start + cut[rank].stop)
                for bucket, cut in zip(self.buckets, cuts)
            ]
            for rank in range(size)
        ]
        self.mine = self.parts[self.ranks.rank]
        # what comes from a span of shares, [bucket]
        self.received = collections.defaultdict(
            lambda: [np.empty_like(flat.grad[part]) for part in self.mine]
        )

    def compute(self, batch):
        self.expect_same_batch(batch)
        shares, self.begun, self.waiting = self.shares_of(batch), [], [*range(len(self.buckets))]
        # the shares that each rank adds up before they are sent
        self.spans = [spans_within(own, range(len(shares))) for own in self.owned]
        values, sums = self.sums_of(shares, self.spans[self.ranks.rank])
        values = self.ranks.joined(np.array(values, dtype=float))
        self.reduce_scatter(sums)
        return float(sum_of_spans(sum(self.spans, []), *values))

    def sums_of(self, shares, spans):
        """The sums of these spans of the shares: of their losses, and of their gradients."""
        first = spans[0].start if spans else 0
        own = [shares[number] for span in spans for number in span]
        complete = self.forks and len(shares) == self.count
        if values := self.side_by_side(own) if complete else []:
            self.all(b"added", lambda: self.add(0))
            return (
                [in_halves(values[s.start - first : s.stop - first]) for s in spans],
                [self.grads[s.start - first] for s in spans],
            )
        for span, grad in [*zip(spans, self.grads)][::-1]:  # the first stays where it is made
            values.insert(0, self.one_by_one(shares[span.start : span.stop]))
            if grad is not self.optimizer.flat.grad:
                grad[...] = self.optimizer.flat.grad
        return values, self.grads[: len(spans)]

    def expect_same_start(self):
        optimizer, found = self.optimizer, 0
        for array in (optimizer.flat.data, *(getattr(optimizer, n) for n in optimizer.moments)):
            found = zlib.crc32(array, found)
        self.ranks.expect_same(
            "parameters and moments at the start, from one seed or one checkpoint (CRC-32)",
            f"{found:08x}",
        )
        numbers = {n: v for n, v in vars(optimizer).items() if isinstance(v, (int, float))}
        numbers.pop("learning_rate", None)  # compared in every step
        said = ", ".join(f"{name} {value}" for name, value in numbers.items())
        self.ranks.expect_same("optimizer", f"{type(optimizer).__name__} ({said})")

    def expect_same_batch(self, batch):
        found, rate = 0, self.optimizer.learning_rate
        for ids in batch:
            found = found if ids is None else zlib.crc32(ids.tobytes(), found)
        rate = rate(self.optimizer.t + 1) if callable(rate) else rate
        checksums, rates = self.ranks.all_equal_in_size(np.array([found, rate], dtype=float)).T
        if len({*rates}) > 1:
            raise OnAllRanks(
                f"The ranks have different learning rates in step {self.optimizer.t + 1}: "
                f"{', '.join(f'{r:g}' for r in rates[:8])}. Let all have the same schedule."
            )
        if len({*checksums}) > 1:
            raise OnAllRanks(
                "The ranks have different batches: their data, or the versions of NumPy, differ. "
                "Let all machines have the same."
            )

    def reduce_scatter(self, sums):
        """Let the gradients be those of the whole batch on this rank's slices: `sums` are those of
        its own spans."""
        self.begin(len(self.waiting), sums)
        self.ranks.finish(self.begun)
        own, spans = self.spans[self.ranks.rank], sum(self.spans, [])
        for bucket, part in enumerate(self.mine):
            here = {span: grad[part] for span, grad in zip(own, sums)}
            known = [here[s] if s in here else self.received[s][bucket] for s in spans]
            add_all = functools.partial(write_sum, spans)
            in_blocks(add_all, self.optimizer.flat.grad[part], *known)

    def begin(self, count, sums):
        """Begin to send `count` more buckets, the last first: each rank gets its slice of them."""
        others = self.ranks.others()
        for _ in range(count):
            bucket = self.waiting.pop()
            sent = [(other, grad[self.parts[other][bucket]]) for other in others for grad in sums]
            received = [
                (other, self.received[span][bucket])
                for other in others[::-1]
                for span in self.spans[other]
            ]
            self.begun += self.ranks.begin(sent, received)

    def again(self, batch):
        return self.one_by_one(self.shares_of(batch))

    def clip(self, max_norm):
        grad = self.optimizer.flat.grad
        return clip_gradients([grad[part] for part in self.mine], max_norm, self.in_their_order)

    def in_their_order(self, values):
        """The values that all ranks have for the blocks of their slices, in the order of the
        blocks."""
        places = [
            np.arange(part.start, part.stop, BLOCK) for parts in self.parts for part in parts
        ]
        return self.ranks.joined(values)[np.argsort(np.concatenate(places))]

    def update(self):
        rate, flat = self.optimizer.next_rate(), self.optimizer.flat
        for part in self.mine:
            self.optimizer.update(rate, flat.grad, part)
        self.ranks.gather_parts(flat.data, self.parts)

    def collect_moments(self):
        """Let rank 0 have all moments, for a checkpoint."""
        for name in self.optimizer.moments:
            self.ranks.collect_parts(getattr(self.optimizer, name), self.parts)

    def share_moments(self, error, *_):
        """Let all ranks have all moments: the next training may cut other slices."""
        if error is None:
            for name in self.optimizer.moments:
                self.ranks.gather_parts(getattr(self.optimizer, name), self.parts)


def expect_shares(shares, ranks):
    """Raise OnAllRanks if there are more ranks than shares."""
    if ranks > shares:
        raise OnAllRanks(
            f"{ranks} ranks were started, and a batch has {shares} "
            f"{'share' if shares == 1 else 'shares'}, so that some would have nothing to do. A new "
            f"run can have more: --shares {ranks}; or start fewer ranks: mpiexec -n {shares}."
        )


def spans_within(own, span):
    """The parts of `in_halves` of this span of shares that lie whole in the range `own`: as few
    ranges as there can be."""
    if span.stop <= own.start or own.stop <= span.start:
        return []
    if own.start <= span.start and span.stop <= own.stop:
        return [span]
    middle = span.start + first_half(len(span))
    return [
        *spans_within(own, range(span.start, middle)),
        *spans_within(own, range(middle, span.stop)),
    ]


def sum_of_spans(spans, *values):
    """`in_halves` of all shares, from its values for these spans."""
    known = dict(zip(spans, values))

    def total(span):
        if span in known:
            return known[span]
        middle = span.start + first_half(len(span))
        return total(range(span.start, middle)) + total(range(middle, span.stop))

    return total(range(spans[-1].stop))


def write_sum(spans, result, *values):
    """The same, of arrays, into `result`, which may be the memory of one of them."""
    result[...] = sum_of_spans(spans, *values)
