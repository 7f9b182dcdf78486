"""The exercises, a file for each component: what is asked, what is right, and the mistakes that are
known."""

# In the order in which a learner meets them.
from . import (  # noqa: F401, I001
    softmax,
    cross_entropy,
    label_smoothing,
    teacher_forcing,
    linear,
    embedding,
    layer_norm,
    activations,
    dropout,
    attention_steps,
    attention,
    masks,
    heads,
    multi_head,
    positional_encoding,
    residual,
    feed_forward,
    stacks,
    tying,
    optimizers,
    schedules,
    update,
    recurrent,
    additive_attention,
    kv_cache,
    operations,
    gradient_checking,
)
