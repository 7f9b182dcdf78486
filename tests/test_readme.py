"""What the README shows and counts is what there is."""

import inspect
import re
import textwrap
from pathlib import Path

from references.cases import CASES

from minitransformer.conformance import all_components
from minitransformer.contract_checks import CHECKS
from minitransformer.layers import LayerNorm

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_component_that_it_shows_is_the_file_word_for_word():
    shown = [textwrap.dedent(inspect.getsource(method)) for method in (LayerNorm.forward, LayerNorm.backward)]
    assert f"```python\n{shown[0]}\n{shown[1]}```" in README


def test_it_counts_the_checks_of_a_component():
    assert re.findall(r"a table of (\d+) checks", README) == [str(len(CHECKS))]


def test_it_counts_the_components_and_the_cases_that_there_are():
    words = " ".join(README.split())
    assert re.findall(r"of all (\d+) components", words) == [str(len(all_components()))]
    assert re.findall(r"In (\d+) cases, outputs and all gradients equal PyTorch's", words) == [str(len(CASES))]
