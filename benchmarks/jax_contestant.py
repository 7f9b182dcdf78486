"""JAX: the same Transformer as plain functions of {our path: weight}, the whole step compiled by
jax.jit.

Dropout 0 only. JAX takes as many threads as it finds cores.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from workload import BETAS, EPSILON, LABEL_SMOOTHING, RATE

from minitransformer import Transformer
from minitransformer.layers.positional_encoding import sinusoids

if hasattr(jax, "enable_x64"):
    float64 = jax.enable_x64
else:  # before 0.8
    from jax.experimental import enable_x64 as float64


def linear(w, path, x):
    y = x @ w[f"{path}.weight"]
    return y + w[f"{path}.bias"] if f"{path}.bias" in w else y


def layer_norm(w, path, x):
    centred = x - x.mean(-1, keepdims=True)
    sigma = jnp.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
    return w[f"{path}.gamma"] * (centred / sigma) + w[f"{path}.beta"]


def attention(w, path, heads, query, memory, mask):
    q, k, v = (
        linear(w, f"{path}.{name}", x)
        for name, x in (("query", query), ("key", memory), ("value", memory))
    )
    q, k, v = (x.reshape(*x.shape[:2], heads, -1) for x in (q, k, v))    # (B, T, H, K)
    scores = jnp.einsum("bthk,bshk->bhts", q, k) * q.shape[-1] ** -0.5
    weights = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf))
    context = jnp.einsum("bhts,bshk->bthk", weights, v)
    return linear(w, f"{path}.output", context.reshape(*context.shape[:2], -1))


def feed_forward(w, path, x):
    return linear(w, f"{path}.contract", jax.nn.relu(linear(w, f"{path}.expand", x)))


def layer(w, path, heads, x, mask, memory=None, memory_mask=None):
    """An encoder's layer; with a memory, a decoder's."""
    x = layer_norm(
        w, f"{path}.add_norm_1.norm", x + attention(w, f"{path}.self_attention", heads, x, x, mask)
    )
    norm = "add_norm_2"
    if memory is not None:
        found = attention(w, f"{path}.cross_attention", heads, x, memory, memory_mask)
        x, norm = layer_norm(w, f"{path}.{norm}.norm", x + found), "add_norm_3"
    return layer_norm(w, f"{path}.{norm}.norm", x + feed_forward(w, f"{path}.feed_forward", x))


def stack(w, path, heads, x, *masks_and_memory):
    count = 0
    while f"{path}.layers.{count}.self_attention.query.weight" in w:
        x = layer(w, f"{path}.layers.{count}", heads, x, *masks_and_memory)
        count += 1
    return layer_norm(w, f"{path}.final_norm", x)


def embed(w, path, ids):
    x = w[f"{path}.embedding.weight"][ids]
    return x * x.shape[-1] ** 0.5 + jnp.asarray(sinusoids(ids.shape[1], x.shape[-1]), x.dtype)


def forward(heads, w, source, target_in):
    """Logits (B, T, V)."""
    see_source = (source != 0)[:, None, None]
    see_target = (target_in != 0)[:, None, None] & np.tri(target_in.shape[1], dtype=bool)
    memory = stack(w, "encoder", heads, embed(w, "source_input", source), see_source)
    hidden = stack(
        w, "decoder", heads, embed(w, "target_input", target_in), see_target, memory, see_source
    )
    return linear(w, "output", hidden)


def loss_of(heads, w, source, target_in, target_out):
    """Cross-entropy with label smoothing, the mean over the targets that are real."""
    log_p = jax.nn.log_softmax(forward(heads, w, source, target_in))
    at_target = jnp.take_along_axis(log_p, target_out[..., None], -1)[..., 0]
    smoothed = (1 - LABEL_SMOOTHING) * at_target + LABEL_SMOOTHING * log_p.mean(-1)
    real = target_out != 0
    return -jnp.where(real, smoothed, 0).sum() / real.sum()


def training_step(heads, state, batch):
    """Adam's: (w, m, v, t) and the loss."""
    w, m, v, t = state
    loss, grad = jax.value_and_grad(functools.partial(loss_of, heads))(w, *batch)
    t, (beta1, beta2) = t + 1, BETAS
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, grad)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, grad)
    unbias1, unbias2 = 1 / (1 - beta1**t), 1 / (1 - beta2**t)
    w = jax.tree.map(
        lambda w, m, v: w - RATE * unbias1 * m / (jnp.sqrt(v * unbias2) + EPSILON), w, m, v
    )
    return (w, m, v, t), loss


class Jax:
    def __init__(self, config, batch):
        self.batch, self.wide = [jnp.asarray(ids, jnp.int32) for ids in batch], False
        self.forward = jax.jit(functools.partial(forward, config.heads))
        self.differentiate = jax.jit(jax.value_and_grad(functools.partial(loss_of, config.heads)))
        self.advance = jax.jit(functools.partial(training_step, config.heads), donate_argnums=0)
        self.take_weights(Transformer(config, 0).state_dict())

    def gradients(self):
        """Forward and backward; the loss."""
        with float64(self.wide):
            loss, self.grad = self.differentiate(self.state[0], *self.batch)
        return float(loss)

    def step(self):
        with float64(self.wide):
            self.state, loss = self.advance(self.state, self.batch)
            jax.block_until_ready((self.state, loss))

    def evaluation(self):
        def logits():
            with float64(self.wide):
                return np.asarray(self.forward(self.state[0], *self.batch[:2]))

        return logits

    def weights(self):
        return {path: np.array(array) for path, array in self.state[0].items()}

    def named_gradients(self):
        return {path: np.array(array) for path, array in self.grad.items()}

    def translated(self, ours):
        return ours

    def take_weights(self, ours):
        with float64(self.wide):
            w = {
                path: jnp.array(array, "float64" if self.wide else "float32")
                for path, array in ours.items()
            }
            self.state = (
                w, jax.tree.map(jnp.zeros_like, w), jax.tree.map(jnp.zeros_like, w), jnp.array(0),
            )

    def double(self):
        self.wide = True
        self.take_weights(self.weights())
