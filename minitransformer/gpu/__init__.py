"""The components that have kernels of their own on a GPU: the same parameters, inputs and outputs, in fewer launches.

`model.to("gpu")` gives each component the form that is here, if there is one, and `model.to("cpu")` gives it back the
one that is written in NumPy's operations, which states the formula and is what a form is held to.
"""

from .. import attention, layers
from ..layers import cross_entropy as losses
from .activations import GELU, ReLU, TanhGELU
from .cross_entropy import CrossEntropy
from .dropout import Dropout
from .layer_norm import LayerNorm
from .scaled_dot_product import LocalAttention, ScaledDotProductAttention
from .softmax import Softmax

FORMS = {
    layers.Dropout: Dropout,
    layers.GELU: GELU,
    layers.LayerNorm: LayerNorm,
    layers.ReLU: ReLU,
    layers.Softmax: Softmax,
    layers.TanhGELU: TanhGELU,
    attention.LocalAttention: LocalAttention,
    attention.ScaledDotProductAttention: ScaledDotProductAttention,
    losses.CrossEntropy: CrossEntropy,
}
PLAIN = {form: kind for kind, form in FORMS.items()}


def form(kind, device):
    """The class that does on this device what `kind` does: itself, for most components."""
    return FORMS.get(kind, kind) if device == "gpu" else PLAIN.get(kind, kind)
