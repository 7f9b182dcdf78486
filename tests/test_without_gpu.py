"""Nothing of the package needs the folder `gpu`, and nothing outside it is about CUDA."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "minitransformer"
OUTSIDE = [
    path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] != "gpu"
]

USE = """
import pkgutil, sys
import numpy as np
import minitransformer, strict_arrays
from minitransformer.backend import arrays
from minitransformer.cli import main
from minitransformer.data.batching import Batch
from minitransformer.layers import CrossEntropy, LayerNorm
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.training import Adam, train

for module in pkgutil.walk_packages(minitransformer.__path__, "minitransformer."):
    if not module.name.endswith("__main__") and ".sources" not in module.name:
        __import__(module.name)
assert not [name for name in sys.modules if name.startswith("minitransformer.gpu")]
train_it = ["train", "reverse", "--preset", "toy", "--steps", "2", "--evaluate-count", "2", "--no-pictures", "--out"]
assert main([*train_it, "run"]) == 0 and main(["train", "--resume", "run", "--steps", "3", "--no-pictures"]) == 0
assert main(["predict", "run", "3 1 4"]) == 0 and main(["evaluate", "run", "--count", "2"]) == 0
arrays._cupy = lambda: strict_arrays.xp
assert main([*train_it, "on-a-device", "--device", "gpu"]) == 0
assert type(LayerNorm(3).to("gpu")) is LayerNorm
"""


def test_all_else_works_without_the_folder(tmp_path):
    """Imports, a run made and continued, answers, and a run on plain arrays of the stand-in for
    CuPy."""
    shutil.copytree(
        PACKAGE, tmp_path / "minitransformer", ignore=shutil.ignore_patterns("gpu", "__pycache__")
    )
    for helper in ("strict_arrays.py", "cuda_on_cpu.py"):
        shutil.copy(Path(__file__).with_name(helper), tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_option_of_the_command_imports_the_folder():
    found = [path.relative_to(PACKAGE).as_posix() for path in OUTSIDE
             if re.search(r"^\s*(from \.+gpu\b|from \.+ import .*\bgpu\b|(from|import) minitransformer\.gpu\b)", path.read_text(encoding="utf-8"), re.M)]  # fmt: skip
    assert found == ["cli/commands.py"]


def test_cuda_is_spoken_of_in_the_folder_and_where_cupy_is_missing():
    about = re.compile(r"(?<![a-z])cuda|cublas", re.I)  # a barracuda is a fish
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in OUTSIDE
        if about.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["backend/arrays.py"]
