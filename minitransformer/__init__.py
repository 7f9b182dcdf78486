"""minitransformer: the Transformer of "Attention Is All You Need" in NumPy, every gradient by hand.

Start with a component and its two methods:

    from minitransformer.layers import LayerNorm      # then LayerNorm(8).forward(x), .backward(d_y)

The packages, from the ground up: `errors`, `terminal`, `parallel`, `backend`, `boundary`, `core`,
`layers`, `attention`, `models`, `older`, `data`, `decoding`, `testing`, `inspection`, `training`,
`runs`, `plotting`, `explorer`, `grading`, `study`, `lessons`, `gpu`, `cli`.
"""

from .terminal import interruption  # noqa: F401, I001  first: loading the rest takes a moment, in which Ctrl-C may come

from .testing.conformance import check_component
from .errors import BackwardWithoutForward, InputError, NonFiniteError
from .testing.gradient_check import gradient_check
from .models import LanguageModel, Transformer, TransformerConfig
from .core.module import Module, Parameter, no_grad
from .testing.trace import trace

__version__ = "0.1.0"

__all__ = [
    "BackwardWithoutForward",
    "InputError",
    "LanguageModel",
    "Module",
    "NonFiniteError",
    "Parameter",
    "Transformer",
    "TransformerConfig",
    "check_component",
    "gradient_check",
    "no_grad",
    "trace",
]
