"""An import goes down the order of the packages, no files import each other in a circle, and no
file its package's front."""

import import_graph
import pytest

GRAPH = import_graph.imports()


def test_every_package_has_its_place_in_the_order():
    assert {import_graph.package(name) for name in GRAPH} == set(import_graph.ORDER)


def test_no_import_goes_up_or_round_or_through_the_front():
    assert import_graph.broken(GRAPH) == []


def test_the_arrows_that_are_drawn_lead_wherever_the_imports_lead():
    drawn = [line.split() for line in import_graph.mermaid(GRAPH).splitlines()[1:]]
    lead = {name: set() for name in import_graph.ORDER}
    for name in import_graph.ORDER:
        for start, _, end in drawn:
            if start == name:
                lead[name] |= {end} | lead[end]
    between = import_graph.arrows(GRAPH)
    assert all(
        between[name] <= lead[name] for name in between
    ) and "-.->" not in import_graph.mermaid(GRAPH)
    assert "core -.-> gpu" in import_graph.mermaid({**GRAPH, "core.module": {"gpu"}})


@pytest.fixture
def planted(tmp_path):
    """A function that writes a package of these files, {path: text}, and returns the sentences
    about it."""

    def plant(**texts):
        for name, text in {
            "core/__init__": "", "layers/__init__": "from .linear import Linear", **texts,
        }.items():
            file = tmp_path / f"{name}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return import_graph.broken(import_graph.imports(tmp_path), tmp_path)

    return plant


@pytest.mark.parametrize(
    "said, texts",
    [
        ([], {"layers/linear": "from ..core import module", "core/module": "import numpy"}),
        (
            ["upward: core.module imports layers"],
            {"core/module": "from ..layers import Linear", "layers/linear": ""},
        ),
        (
            ["upward: core.module imports layers.linear"],
            {
                "core/module": "def f():\n    import minitransformer.layers.linear",
                "layers/linear": "",
            },
        ),
        (
            ["through the front: layers.linear imports layers"],
            {"layers/linear": "from . import Softmax"},
        ),
        (
            ["through the front: layers.linear imports layers"],
            {"layers/linear": "from minitransformer.layers import Softmax"},
        ),
        (
            ["circle of files: layers.linear, layers.softmax"],
            {
                "layers/linear": "from .softmax import Softmax",
                "layers/softmax": "def f():\n    from . import linear",
            },
        ),
        (
            [
                "upward: core.module imports layers.linear",
                "circle of files: core.module, layers.linear",
                "circle of packages: core, layers",
            ],
            {
                "core/module": "from ..layers import linear",
                "layers/linear": "from ..core.module import Module",
            },
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_named(planted, said, texts):
    assert planted(**texts) == said
