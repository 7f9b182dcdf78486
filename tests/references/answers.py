"""PyTorch's answer to every case, in float64: the forward by PyTorch's own modules, the gradients
by its autograd.

What those modules cannot express (no bias, d_k ≠ d_v, a query without keys) is written in plain
tensor operations.
"""

import math
from unittest import mock

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from . import twins
from .cases import D, H, build, fixed_mask


def answer(name):
    """{name: array} of PyTorch's answer to the case `name`, the arrays named as in the case's own
    answer."""
    case = build(name)
    room, what = name.split("/")
    previous = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        arrays = ROOMS[room](case, what)
    finally:
        torch.set_default_dtype(previous)
    return {key: tensor.detach().numpy() for key, tensor in arrays.items()}


def differentiate(case, forward):
    """The output of forward(weights, *inputs), and its gradients from the case's d_output."""
    weights = {path: leaf(array) for path, array in case.component.state_dict().items()}
    inputs = [None if x is None else leaf(x) for x in case.inputs]
    output = forward(weights, *inputs)
    output.backward(torch.tensor(case.d_output))
    floats = {
        f"d_input[{i}]": x.grad for i, x in enumerate(inputs) if x is not None and x.requires_grad
    }
    return {"output": output, **floats, **{f"d {path}": w.grad for path, w in weights.items()}}


def leaf(array):
    return torch.tensor(array, requires_grad=array.dtype.kind == "f")


def forbidden(mask, heads, length):
    """Our mask (True = may attend) as PyTorch wants it: True = may not, (B·H, T, S)."""
    return ~mask.expand(-1, heads, length, -1).flatten(0, 1)


# -- components ------------------------------------------------------------------------------------


def layers(case, what):
    scale = math.sqrt(case.d_output.shape[-1]) if what == "embedding" else 1.0
    forwards = {
        "softmax": lambda w, x: torch.softmax(x, dim=-1),
        "softmax_large": lambda w, x: torch.softmax(x, dim=-1),
        "linear": lambda w, x: F.linear(x, w["weight"].T, w["bias"]),
        "linear_without_bias": lambda w, x: F.linear(x, w["weight"].T),
        "embedding": lambda w, ids: F.embedding(ids, w["weight"]) * scale,
        "embedding_unscaled": lambda w, ids: F.embedding(ids, w["weight"]),
        "layer_norm": lambda w, x: F.layer_norm(x, x.shape[-1:], w["gamma"], w["beta"], eps=1e-5),
        "relu": lambda w, x: F.relu(x),
        "gelu": lambda w, x: F.gelu(x),
        "gelu_tanh": lambda w, x: F.gelu(x, approximate="tanh"),
    }
    return differentiate(case, forwards[what])


def attention(case, what):
    def scaled_dot_product(w, query, key, value, mask=None):
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)

    def plain_scaled_dot_product(w, query, key, value, mask):
        return masked_softmax(query @ key.mT / math.sqrt(query.shape[-1]), mask) @ value

    def multi_head(w, query, memory, mask):
        memory = query if memory is None else memory
        module = nn.MultiheadAttention(D, H, batch_first=True)
        options = {"attn_mask": forbidden(mask, H, query.shape[1]), "need_weights": False}
        return functional_call(
            module, twins.attention(w, "", ""), (query, memory, memory), options, strict=True
        )[0]

    def local(w, query, key, value, mask=None):
        seen = ~twins.beyond_window(query.shape[2], case.component.width)
        if mask is None:
            return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return plain_scaled_dot_product(w, query, key, value, seen & mask[:, None, None])

    def paper(w, query, memory, mask):
        return plain_attention(w, "", H, query, query if memory is None else memory, mask)

    if what == "nothing_to_attend_to":
        return differentiate(case, plain_scaled_dot_product)
    if what.startswith("local"):
        return differentiate(case, local)
    if what.startswith("scaled_dot_product"):
        return differentiate(case, scaled_dot_product)
    return differentiate(case, paper if what.startswith("paper") else multi_head)


def stacks(case, what):
    config = case.config
    if what.startswith("local"):
        module = nn.TransformerEncoderLayer(**twins.layer_options(config))

        def local(w, x, real):
            masks = twins.beyond_window(x.shape[1], config.window), ~real
            return functional_call(module, twins.encoder_layer(w, "", ""), (x, *masks), strict=True)

        return differentiate(case, local)
    is_encoder, is_stack = what.startswith("encoder"), "layer" not in what
    options, final_norm = twins.layer_options(config), nn.LayerNorm(config.d_model)
    if is_encoder:
        module, of_layer = nn.TransformerEncoderLayer(**options), twins.encoder_layer
        names = ["mask" if is_stack else "src_mask"]
        if is_stack:
            module = nn.TransformerEncoder(
                module, config.encoder_layers, final_norm, enable_nested_tensor=False
            )
    else:
        module, of_layer = nn.TransformerDecoderLayer(**options), twins.decoder_layer
        names = ["tgt_mask", "memory_mask"]
        if is_stack:
            module = nn.TransformerDecoder(module, config.decoder_layers, final_norm)

    def forward(w, *inputs):
        state = twins.stack(w, of_layer, "", "") if is_stack else of_layer(w, "", "")
        sequences, masks = inputs[: len(names)], inputs[len(names) :]
        length = sequences[0].shape[1]
        masks = {name: forbidden(mask, config.heads, length) for name, mask in zip(names, masks)}
        return functional_call(module, state, sequences, masks, strict=True)

    return differentiate(case, forward)


def models(case, what):
    config = case.config
    if "paper" in what:
        return differentiate(
            case, lambda w, source, target: plain_transformer(w, config, source, target)
        )
    if what.startswith("convolution"):
        return differentiate(
            case, lambda w, source, target: plain_convolution_model(w, config, source, target)
        )
    if what == "one_vector":
        return differentiate(
            case, lambda w, source, target: plain_one_vector(w, config, source, target)
        )
    is_transformer = what.startswith("transformer")
    twin = (twins.TransformerTwin if is_transformer else twins.LanguageModelTwin)(config)
    state_of = twins.transformer if is_transformer else twins.language_model

    def forward(w, source, target):
        return functional_call(twin, state_of(w), (source, target), strict=True)

    if what.startswith("local"):  # a row's padding must not stand inside its windows
        return differentiate(
            case, lambda w, *ids: row_by_row(lambda row: forward(w, None, row), *ids)
        )
    if "dropout" not in what:
        return differentiate(case, forward)
    fix_dropout(twin)
    with mock.patch.object(F, "scaled_dot_product_attention", attention_with_fixed_dropout):
        return differentiate(case, forward)


def recurrent(case, what):
    if what.startswith("seq2seq"):
        twin = twins.Seq2SeqTwin(case.config)

        def model(w, source, target):
            return functional_call(twin, twins.seq2seq(w), (source, target), strict=True)

        return differentiate(case, model)
    kind = what[:3].upper()
    read_both = nn.GRU if kind == "GRU" else nn.RNN

    def cell(w, x, h):
        module = getattr(nn, f"{kind}Cell")(x.shape[-1], h.shape[-1])
        return functional_call(module, twins.cell(w, "", ""), (x, h), strict=True)

    def over_time(w, x, h):
        module = read_both(x.shape[-1], h.shape[-1], batch_first=True)
        return functional_call(
            module, twins.cell(w, "cell.", "", "_l0"), (x, h[None]), strict=True
        )[0]

    def backwards(w, x, h):
        return over_time(w, x.flip(1), h).flip(1)

    def bidirectional(w, x, mask=None):
        module = read_both(
            x.shape[-1], case.d_output.shape[-1] // 2, batch_first=True, bidirectional=True
        )
        if mask is not None:
            x = pack_padded_sequence(x, mask.sum(dim=1), batch_first=True, enforce_sorted=False)
        y, end = functional_call(module, twins.both_cells(w, "reading.", ""), (x,), strict=True)
        if mask is not None:
            y, _ = pad_packed_sequence(y, batch_first=True)
        return torch.cat([y, torch.cat([end[0], end[1]], dim=-1)[:, None]], dim=1)

    forwards = {"cell": cell, "over_time": over_time, "backwards": backwards}
    return differentiate(case, forwards.get(what[4:], bidirectional))


def older(case, what):
    def convolution(w, x, mask=None):
        return causal_convolution(w, "", x, mask, 2)

    def layer_of(w, x, mask):
        return convolution_layer(w, "", case.config, x, mask, 2)

    def mean(w, x, mask=None):
        if mask is None:
            return x.mean(dim=1)
        return torch.stack([row[real].mean(dim=0) for row, real in zip(x, mask)])

    def additive(w, query, key, annotations, mask):
        pairs = torch.einsum("btq,qm->btm", query, w["query.weight"])[:, :, None] + w["query.bias"]
        pairs = pairs + torch.einsum("bsx,xm->bsm", key, w["key.weight"])[:, None]
        scores = torch.einsum("btsm,mo->bts", torch.tanh(pairs), w["score.weight"])
        return masked_softmax(scores, mask) @ (key if annotations is None else annotations)

    def multiplicative(w, query, key, annotations, mask):
        scores = torch.einsum("btq,qx,bsx->bts", query, w["query.weight"], key)
        return masked_softmax(scores, mask) @ (key if annotations is None else annotations)

    forwards = {
        "convolution": convolution, "layer": layer_of, "mean": mean, "additive": additive,
        "multiplicative": multiplicative,
    }
    return differentiate(case, forwards[what.split("_")[0]])


def losses(case, what):
    padding, smoothing = case.component.padding, case.component.label_smoothing

    def forward(w, x, targets):
        rows, targets = x.reshape(-1, x.shape[-1]), targets.reshape(-1)
        return F.cross_entropy(rows, targets, ignore_index=padding, label_smoothing=smoothing)

    return differentiate(case, forward)


# -- in plain tensor operations --------------------------------------------------------------------


def masked_softmax(scores, mask):
    """Softmax over the keys that the mask allows; zeros where it allows none (PyTorch's softmax
    gives NaN there)."""
    largest = scores.masked_fill(~mask, -math.inf).amax(-1, keepdim=True).detach().clamp(min=-1e300)
    weights = torch.exp((scores - largest).masked_fill(~mask, -math.inf))
    total = weights.sum(-1, keepdim=True)
    return weights / torch.where(total == 0, 1.0, total)


def plain_attention(w, at, heads, query, memory, mask):
    def project(x, name):
        weight = w[f"{at}{name}.weight"].unflatten(1, (heads, -1))       # (D, H, K)
        return torch.einsum("btd,dhk->bhtk", x, weight)

    q, k, v = project(query, "query"), project(memory, "key"), project(memory, "value")
    weights = masked_softmax(torch.einsum("bhtk,bhsk->bhts", q, k) / math.sqrt(q.shape[-1]), mask)
    return torch.einsum("bhts,bhsk->bthk", weights, v).flatten(2) @ w[f"{at}output.weight"]


def feed_forward(w, at, config, x):
    activation = {
        "relu": F.relu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    }
    hidden = activation[config.activation](x @ w[f"{at}.expand.weight"] + w[f"{at}.expand.bias"])
    return hidden @ w[f"{at}.contract.weight"] + w[f"{at}.contract.bias"]


def plain_transformer(w, config, source, target):
    """`Transformer` without attention biases, with d_k ≠ d_v, and with final norms only if the
    config has them."""
    tables = {"source": w["source_input.embedding.weight"]}
    tables["target"] = w.get("target_input.embedding.weight", tables["source"])

    def embed(table, ids):
        return F.embedding(ids, table) * math.sqrt(config.d_model) + twins.sinusoids(
            ids.shape[1], config.d_model
        )

    def norm(x, at):
        return F.layer_norm(x, x.shape[-1:], w[f"{at}.gamma"], w[f"{at}.beta"])

    def add_and_norm(x, at, sublayer):
        if config.norm == "post":
            return norm(x + sublayer(x), f"{at}.norm")
        return x + sublayer(norm(x, f"{at}.norm"))

    def attend(at, x, memory, mask):
        return plain_attention(w, f"{at}.", config.heads, x, memory, mask)

    def finish(x, at):
        return norm(x, f"{at}.final_norm") if config.final_norm else x

    source_mask = (source != 0)[:, None, None, :]
    target_mask = (target != 0)[:, None, None, :] & ~twins.future(target.shape[1])
    memory = embed(tables["source"], source)
    for n in range(config.encoder_layers):
        at = f"encoder.layers.{n}"
        memory = add_and_norm(
            memory, f"{at}.add_norm_1",
            lambda x, at=at: attend(f"{at}.self_attention", x, x, source_mask),
        )
        memory = add_and_norm(
            memory, f"{at}.add_norm_2",
            lambda x, at=at: feed_forward(w, f"{at}.feed_forward", config, x),
        )
    memory = finish(memory, "encoder")
    y = embed(tables["target"], target)
    for n in range(config.decoder_layers):
        at = f"decoder.layers.{n}"
        y = add_and_norm(
            y, f"{at}.add_norm_1",
            lambda x, at=at: attend(f"{at}.self_attention", x, x, target_mask),
        )
        y = add_and_norm(
            y, f"{at}.add_norm_2",
            lambda x, at=at: attend(f"{at}.cross_attention", x, memory, source_mask),
        )
        y = add_and_norm(
            y, f"{at}.add_norm_3", lambda x, at=at: feed_forward(w, f"{at}.feed_forward", config, x)
        )
    y = finish(y, "decoder")
    return y @ (w["output.weight"] if "output.weight" in w else tables["target"].T)


def row_by_row(run, source, target):
    """The logits that `run(ids)` gives for each row by itself, (B, T, V): its source without
    padding, then its target."""
    rows = [torch.cat([words[words != 0], target_in]) for words, target_in in zip(source, target)]
    return torch.stack([run(ids[None])[0, -target.shape[1] :] for ids in rows])


def causal_convolution(w, at, x, real, dilation, width=3):
    x = x if real is None else x * real[..., None]
    # (w·D, E) → (E, D, w)
    weight = w[f"{at}linear.weight"].unflatten(0, (width, -1)).permute(2, 1, 0)
    return F.conv1d(
        F.pad(x.mT, ((width - 1) * dilation, 0)), weight, w[f"{at}linear.bias"], dilation=dilation
    ).mT


def convolution_layer(w, at, config, x, real, dilation):
    def norm(x, name):
        return F.layer_norm(
            x, x.shape[-1:], w[f"{at}{name}.norm.gamma"], w[f"{at}{name}.norm.beta"]
        )

    def convolve(x):
        return causal_convolution(w, f"{at}convolution.", x, real, dilation, config.kernel_width)

    def expand(x):
        return feed_forward(w, f"{at}feed_forward", config, x)

    for name, sublayer in (("add_norm_1", convolve), ("add_norm_2", expand)):
        x = norm(x + sublayer(x), name) if config.norm == "post" else x + sublayer(norm(x, name))
    return x


def plain_convolution_model(w, config, source, target):
    """`ConvolutionModel`: nn.functional's convolution, norms and embedding; no row has padding
    before its target."""

    def run(ids):
        scaled = F.embedding(ids, w["input.embedding.weight"]) * math.sqrt(config.d_model)
        places = torch.clamp(torch.cumsum(ids != 0, dim=1) - 1, min=0)
        x = scaled + twins.sinusoids(config.max_length, config.d_model)[places]
        for n in range(config.decoder_layers):
            x = convolution_layer(
                w, f"layers.layers.{n}.", config, x, ids != 0, config.kernel_width**n
            )
        if config.final_norm:
            x = F.layer_norm(
                x, x.shape[-1:], w["layers.final_norm.gamma"], w["layers.final_norm.beta"]
            )
        return x @ w["output.weight"]

    return row_by_row(run, source, target)


def plain_one_vector(w, config, source, target):
    """`OneVectorMLP`: the mean over each row's real words, added to every place of its target."""

    def embed(side, ids):
        scaled = F.embedding(ids, w[f"{side}_input.embedding.weight"]) * math.sqrt(config.d_model)
        return scaled + twins.sinusoids(ids.shape[-1], config.d_model)

    words = feed_forward(w, "squash", config, embed("source", source))
    means = torch.stack([row[ids != 0].mean(dim=0) for row, ids in zip(words, source)])
    return (
        feed_forward(w, "generate", config, embed("target", target) + means[:, None])
        @ w["output.weight"]
    )


# -- dropout with a mask that is known -------------------------------------------------------------


class FixedDropoutTwin(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * torch.tensor(fixed_mask(x.shape, self.p))


def fix_dropout(model):
    """Replace every nn.Dropout, as `cases.with_fixed_dropout` does; attention's own is inside the
    function below."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, FixedDropoutTwin(child.p))


def attention_with_fixed_dropout(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False):
    """F.scaled_dot_product_attention as nn.MultiheadAttention calls it, dropout on the weights."""
    assert not is_causal and dropout_p > 0
    weights = torch.softmax(query @ key.mT / math.sqrt(query.shape[-1]) + attn_mask, dim=-1)
    return weights * torch.tensor(fixed_mask(weights.shape, dropout_p)) @ value


# -- optimizers ------------------------------------------------------------------------------------


def optim(case, what):
    if what.startswith("clip"):
        weights = {path: nn.Parameter(torch.zeros(g.shape)) for path, g in case.gradients.items()}
        for path, w in weights.items():
            w.grad = torch.tensor(case.gradients[path])
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), case.max_norm)
        return {"norm": norm, **{f"d {path}": w.grad for path, w in weights.items()}}
    weights = {path: nn.Parameter(torch.tensor(array)) for path, array in case.start.items()}
    optimizer = torch_optimizer(case, weights.values())
    after = {}
    for t, gradient in enumerate(case.gradients, start=1):
        optimizer.param_groups[0]["lr"] = case.rate(t)
        for path, w in weights.items():
            w.grad = torch.tensor(gradient[path])
        optimizer.step()
        after.update({f"{path} after step {t}": w.detach().clone() for path, w in weights.items()})
    return after


def torch_optimizer(case, weights):
    options = dict(case.options)
    if case.optimizer.__name__ != "SGD":
        options["betas"] = (options.pop("beta1", 0.9), options.pop("beta2", 0.98))
        options["eps"] = options.pop("epsilon", 1e-9)
    return getattr(torch.optim, case.optimizer.__name__)(weights, lr=case.rate(1), **options)


def training(case, what):
    weights = {path: nn.Parameter(torch.tensor(array)) for path, array in case.start.items()}
    source, target = torch.tensor(case.source), torch.tensor(case.target)
    optimizer = torch.optim.Adam(weights.values(), lr=case.rate, betas=(0.9, 0.98), eps=1e-9)
    steps = []
    for _ in range(case.steps):
        optimizer.zero_grad()
        logits = plain_transformer(weights, case.model.config, source, target[:, :-1])
        loss = F.cross_entropy(
            logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=0,
            label_smoothing=case.label_smoothing,
        )
        loss.backward()
        optimizer.step()
        steps.append(loss.detach())
    return {
        "losses": torch.stack(steps),
        **{f"{path} at the end": w for path, w in weights.items()},
    }


ROOMS = {
    "layers": layers,
    "attention": attention,
    "stacks": stacks,
    "models": models,
    "recurrent": recurrent,
    "older": older,
    "losses": losses,
    "optim": optim,
    "training": training,
}
