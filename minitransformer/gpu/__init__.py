"""Optional, for an NVIDIA card: kernels, cuBLAS and CUDA graphs in place of CuPy's operations.

`model.to("gpu")` needs nothing from here: it gives plain CuPy arrays to the components as they are
written. What is here computes the same in fewer launches, inside `with accelerated(model, loss):`,
by `Replays` and by `train --gpu-kernels`. Nothing else of the package knows of it, and without this
folder all else works. Not yet tested on a GPU: see docs/gpu.md.
"""

from .accelerated import FORMS, accelerated, has_form
from .replays import Replays

__all__ = ["FORMS", "Replays", "accelerated", "has_form"]
