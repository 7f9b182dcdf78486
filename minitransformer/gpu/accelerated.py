"""Kernels in place of CuPy's operations: which components and helpers have some, and the block in
which they compute."""

import contextlib
from collections.abc import Iterator

from .. import attention, layers, older
from ..backend import on_host, substituted_helpers
from ..boundary import checked
from ..boundary.calls import substituted
from ..core.module import Module
from ..errors import InputError
from ..training.gradients import Loss
from . import (
    activations,
    cross_entropy,
    cublas,
    dropout,
    layer_norm,
    local,
    scaled_dot_product,
    softmax,
    sums,
)
from .activations import backward_by_kernel, by_kernel
from .adam import adam

FORMS = {  # {component: (forward, backward)}, of the same inputs, outputs and parameters
    layers.CrossEntropy: (cross_entropy.forward, cross_entropy.backward),
    layers.Dropout: (dropout.forward, dropout.backward),
    layers.GELU: (by_kernel(activations.GELU), backward_by_kernel(activations.GELU_BACKWARD)),
    layers.LayerNorm: (layer_norm.forward, layer_norm.backward),
    layers.ReLU: (activations.relu, backward_by_kernel(activations.RELU_BACKWARD)),
    layers.Softmax: (softmax.forward, softmax.backward),
    layers.TanhGELU: (
        by_kernel(activations.TANH_GELU),
        backward_by_kernel(activations.TANH_GELU_BACKWARD),
    ),
    older.LocalAttention: (local.forward, local.backward),
    attention.ScaledDotProductAttention: (scaled_dot_product.forward, scaled_dot_product.backward),
}
HELPERS = {
    "product": cublas.product, "position_sum": sums.position_sum,
    "sum_of_squares": sums.sum_of_squares, "adam": adam,
}


@checked
@contextlib.contextmanager
def accelerated(model: Module, loss: Loss | None = None) -> Iterator[None]:
    """Inside, in this thread, a model that is on a GPU, and its loss, compute by kernels, and
    products by cuBLAS.

    A component computes what its class says, by the functions of `FORMS`; it stays what it is. One
    whose class is a reader's own, or an attention with another masking or softmax, computes as it
    is written. Finish a pass in the block where it began: what a forward of one kind saved, a
    backward of the other cannot read.

    Not yet tested on a GPU: see docs/gpu.md. Raises InputError for a model that is not on a GPU.
    """
    parameters = model.parameters()
    if parameters and on_host(parameters[0].data):
        raise InputError(
            'Kernels are for a model on a GPU; this one is on the CPU. Call model.to("gpu") first.'
        )
    parts = [
        part
        for whole in (model, loss)
        if isinstance(whole, Module)
        for _, part in whole.named_modules()
    ]
    forms = {part: FORMS[type(part)] for part in parts if has_form(part)}
    with substituted(forms, checked=True), substituted_helpers(**HELPERS):
        yield


def has_form(component):
    """Whether kernels compute what this very component does."""
    is_attention = isinstance(component, attention.ScaledDotProductAttention)
    return type(component) in FORMS and (not is_attention or scaled_dot_product.is_plain(component))
