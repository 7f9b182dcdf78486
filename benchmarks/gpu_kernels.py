"""Time our kernels on a GPU, one by one, against CuPy's operations and PyTorch's: python
benchmarks/gpu_kernels.py

Forward and backward of the components that have a form in `minitransformer.gpu`, at the base
model's sizes with 25,000 tokens, and Adam's step. "by formula" is the component as it is written,
operation by operation. The share of the card's memory bandwidth is that of what has to be read and
written at least, by our time.

`--device cpu` is to see that it runs: there a component has no other form, and is timed twice.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Callable

import card
import command
import turns

PEERS = ("by formula", "PyTorch")
NOTES = (
    f"{command.RACE_NOTES}\nGB/s: what has to be read and written at least, forward and backward "
    "together, by our time; of bandwidth: its share of the data sheet's."
)
TOKENS = 25_000
SMALLER = 50  # so many times fewer rows, with --quick


@dataclasses.dataclass(frozen=True)
class Case:
    """What is timed: `made(minitransformer)` is the component, `theirs(F, x)` the same in PyTorch's
    functions.

    `moved`: how many arrays as large as the input have to be read or written at least, there and
    back.
    """

    shape: tuple
    made: Callable
    theirs: Callable
    moved: float
    targets: bool = False  # whether it takes ids as well, and is a loss


CASES = {
    "softmax": Case(
        (390 * 8 * 64, 64), lambda m: m.layers.Softmax(), lambda F, x: F.softmax(x, -1), 5
    ),
    "LayerNorm": Case(
        (TOKENS, 512), lambda m: m.layers.LayerNorm(512), lambda F, x: F.layer_norm(x, (512,)), 5
    ),
    "ReLU": Case((TOKENS, 2048), lambda m: m.layers.ReLU(), lambda F, x: F.relu(x), 5),
    "GELU": Case((TOKENS, 2048), lambda m: m.layers.GELU(), lambda F, x: F.gelu(x), 5),
    "dropout": Case(
        (TOKENS, 512), lambda m: m.layers.Dropout(0.1, generator()), lambda F, x: F.dropout(x, 0.1),
        4.5,
    ),
    "cross-entropy": Case(
        (TOKENS, 37_000),
        lambda m: m.layers.CrossEntropy(0.1, padding=0),
        lambda F, x, ids: F.cross_entropy(x, ids, ignore_index=0, label_smoothing=0.1),
        3,
        targets=True,
    ),
}
ADAM = "Adam"
PARAMETERS = 64_000_000


def generator():
    import numpy as np

    return np.random.default_rng(0)


def arguments(argv):
    parser = command.parser(__doc__, seconds=3.0)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    names = [*CASES, ADAM]
    parser.add_argument(
        "--kernels", nargs="+", choices=names, default=names, metavar="NAME",
        help=f"of {', '.join(names)} (default: all)",
    )
    return command.parsed(parser, argv)


def rows(options):
    import contestants

    torch = contestants.find("PyTorch")
    for name in options.kernels:
        with contextlib.ExitStack() as opened:
            shape, least, steps = (
                adam(options, torch, opened)
                if name == ADAM
                else there_and_back(CASES[name], options, torch, opened)
            )
            found = turns.measured(
                {n: card.done(step, options.device) for n, step in steps.items()}, options
            )
        yield {"kernel": name, "shape": shape, "card": card.facts(options.device), **found,
               "gb_per_second": least / found["ms"]["ours"] / 1e6,
               "not_installed": [] if torch else ["PyTorch"]}  # fmt: skip
        del steps
        card.give_back(options.device)


def there_and_back(case, options, torch, opened):
    """(the input's shape, the bytes that have to be moved at least, {name: forward and
    backward})."""
    rows, columns = case.shape
    shape = (max(1, rows // SMALLER) if options.quick else rows, columns)
    x = generator().standard_normal(shape, dtype="float32")
    targets = [generator().integers(1, columns, rows)[: len(x)]] if case.targets else []
    steps = {
        "ours": ours(case, x, targets, options.device, opened),
        "by formula": ours(case, x, targets, options.device),
    }
    if torch:
        steps["PyTorch"] = pytorchs(case, x, targets, options.device)
    return shape, case.moved * x.nbytes, steps


def ours(case, x, targets, device, opened=None):
    """Forward and backward of the component on this device: as it is written, or, on a GPU, by
    kernels while `opened` lasts."""
    import minitransformer
    from minitransformer.backend import array_module, move
    from minitransformer.boundary.calls import substituted
    from minitransformer.gpu import FORMS

    component = case.made(minitransformer).to(device)
    if opened is not None and device == "gpu":
        opened.enter_context(substituted({component: FORMS[type(component)]}))  # of this one alone
    x, targets = move(x, device), [move(ids, device) for ids in targets]
    d_y = 1.0 if targets else array_module(x).ones_like(x)  # 1 for a loss

    def step():
        component(x, *targets)
        component.backward(d_y)

    return step


def pytorchs(case, x, targets, device):
    import torch

    device = "cuda" if device == "gpu" else device
    x = torch.tensor(x, device=device, requires_grad=True)
    targets = [torch.tensor(ids, device=device) for ids in targets]
    d_y = None if targets else torch.ones_like(x)

    def step():
        x.grad = None
        case.theirs(torch.nn.functional, x, *targets).backward(d_y)

    return step


def adam(options, torch, opened):
    """Its step on about as many parameters as base has; each is read, with its gradient and two
    moments, and three are written."""
    from minitransformer.gpu import accelerated
    from minitransformer.layers import Linear
    from minitransformer.training import Adam

    shape = (PARAMETERS // 8000 // (SMALLER if options.quick else 1), 8000)
    model = Linear(*shape, generator(), bias=False).to(options.device)
    optimizer = Adam(model)
    if options.device == "gpu":
        opened.enter_context(accelerated(model))
    model.weight.grad[...] = 1e-3
    steps = {"ours": optimizer.step}
    if torch:
        import torch

        weight = torch.nn.Parameter(
            torch.zeros(shape, device="cuda" if options.device == "gpu" else "cpu")
        )
        weight.grad = torch.full_like(weight, 1e-3)
        steps["PyTorch"] = torch.optim.Adam([weight]).step
    return shape, 7 * model.weight.data.nbytes, steps


def share_of_bandwidth(row):
    best = card.peaks(row)
    return format(row["gb_per_second"] / best[1] / 1000, ".0%") if best else "?"


COLUMNS = command.race_columns(
    {"kernel": lambda row: row["kernel"], "input": lambda row: "×".join(map(str, row["shape"]))},
    PEERS,
)
COLUMNS |= {
    "GB/s": lambda row: format(row["gb_per_second"], ".0f"),
    "of bandwidth": share_of_bandwidth,
}


def main(argv=None):
    options = arguments(argv)
    return command.report(options, rows(options), COLUMNS, NOTES)


if __name__ == "__main__":
    sys.exit(main())
