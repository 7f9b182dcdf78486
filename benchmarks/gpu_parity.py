"""How far a GPU's numbers are from the CPU's: python benchmarks/gpu_parity.py

Every component on its own example, forward and backward, in float64 and in float32: the largest
difference in any output or gradient, as a share of the largest number there, or of 1.
"""

import sys

import command

ALLOWED = {"float64": 1e-10, "float32": 1e-4}
NOTES = (
    f"Allowed are {ALLOWED['float64']:g} and {ALLOWED['float32']:g}. By kernels: for what "
    "`minitransformer.gpu` has a form."
)


def arguments(argv):
    parser = command.parser(__doc__, seconds=None)
    parser.add_argument("--device", choices=("gpu",), default="gpu")
    return command.parsed(parser, argv)


def rows(options):
    from minitransformer.gpu import FORMS
    from minitransformer.gpu.parity import deviation
    from minitransformer.testing import all_components

    components = all_components()
    for component in components[: 3 if options.quick else None]:
        for by_kernels in (False, True)[: 1 + (component in FORMS)]:
            found = {dtype: deviation(component, dtype, by_kernels) for dtype in ALLOWED}
            wrong = [dtype for dtype, allowed in ALLOWED.items() if not found[dtype] <= allowed]
            yield {"component": component.__name__, "kernels": by_kernels, **found, "wrong": wrong}


COLUMNS = {
    "component": lambda row: row["component"],
    "by kernels": lambda row: "yes" if row["kernels"] else "",
    "float64": lambda row: format(row["float64"], ".1e"),
    "float32": lambda row: format(row["float32"], ".1e"),
    "": lambda row: "WRONG" if row["wrong"] else "",
}


def main(argv=None):
    """The exit status: 1 if any component is further away than allowed."""
    options, wrong = arguments(argv), []
    noted = ({**row, "seen": wrong.extend(row["wrong"])} for row in rows(options))
    return command.report(options, noted, COLUMNS, NOTES) or int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
