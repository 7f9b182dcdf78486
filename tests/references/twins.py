"""Our models as a PyTorch user would write them, around nn.Transformer, nn.TransformerEncoder,
nn.RNN and nn.GRU.

A twin takes our weights: the functions below name them as PyTorch does. They work on tensors, so
gradients that PyTorch finds for its own weights flow back to ours, and our gradients can be given
PyTorch's names alike.

PyTorch keeps a Linear's weight as (out, in), ours is (in, out); nn.MultiheadAttention stacks the
weights of query, key and value into one of shape (3D, D); its masks say True = may NOT attend.
"""

import math
import warnings

import torch
from torch import nn

# -- our weights {path: tensor} under PyTorch's names ----------------------------------------------


def linear(w, ours, theirs):
    state = {f"{theirs}weight": w[f"{ours}weight"].T}
    return {**state, f"{theirs}bias": w[f"{ours}bias"]} if f"{ours}bias" in w else state


def layer_norm(w, ours, theirs):
    return {f"{theirs}weight": w[f"{ours}gamma"], f"{theirs}bias": w[f"{ours}beta"]}


def attention(w, ours, theirs):
    three = ("query", "key", "value")
    return {
        f"{theirs}in_proj_weight": torch.cat([w[f"{ours}{name}.weight"].T for name in three]),
        f"{theirs}in_proj_bias": torch.cat([w[f"{ours}{name}.bias"] for name in three]),
        **linear(w, f"{ours}output.", f"{theirs}out_proj."),
    }


def encoder_layer(w, ours, theirs):
    return {
        **attention(w, f"{ours}self_attention.", f"{theirs}self_attn."),
        **linear(w, f"{ours}feed_forward.expand.", f"{theirs}linear1."),
        **linear(w, f"{ours}feed_forward.contract.", f"{theirs}linear2."),
        **layer_norm(w, f"{ours}add_norm_1.norm.", f"{theirs}norm1."),
        **layer_norm(w, f"{ours}add_norm_2.norm.", f"{theirs}norm2."),
    }


def decoder_layer(w, ours, theirs):
    return {
        **encoder_layer(w, ours, theirs),
        **attention(w, f"{ours}cross_attention.", f"{theirs}multihead_attn."),
        **layer_norm(w, f"{ours}add_norm_3.norm.", f"{theirs}norm3."),
    }


def stack(w, layer, ours, theirs):
    """All layers of a stack, and its final norm."""
    state = layer_norm(w, f"{ours}final_norm.", f"{theirs}norm.")
    n = 0
    while any(path.startswith(f"{ours}layers.{n}.") for path in w):
        state.update(layer(w, f"{ours}layers.{n}.", f"{theirs}layers.{n}."))
        n += 1
    return state


def output(w, table):
    """The output map, or the embedding table that it is tied to."""
    return {"output.weight": w["output.weight"].T if "output.weight" in w else table}


def transformer(w):
    """The weights of a `Transformer` as those of its `TransformerTwin`."""
    source = w["source_input.embedding.weight"]
    target = w.get("target_input.embedding.weight", source)
    return {
        "source_embedding.weight": source,
        "target_embedding.weight": target,
        **stack(w, encoder_layer, "encoder.", "transformer.encoder."),
        **stack(w, decoder_layer, "decoder.", "transformer.decoder."),
        **output(w, target),
    }


def language_model(w):
    """The weights of a `LanguageModel` as those of its `LanguageModelTwin`."""
    table = w["input.embedding.weight"]
    state = {
        "embedding.weight": table, **stack(w, encoder_layer, "layers.", "layers."),
        **output(w, table),
    }
    learned = "input.position.weight"
    return {**state, "position_embedding.weight": w[learned]} if learned in w else state


def cell(w, ours, theirs, suffix=""):
    """A cell's weights, or those of nn.RNN and nn.GRU; where ours has no second bias, theirs is
    zero."""
    bias = w[f"{ours}input.bias"]
    return {
        f"{theirs}weight_ih{suffix}": w[f"{ours}input.weight"].T,
        f"{theirs}weight_hh{suffix}": w[f"{ours}state.weight"].T,
        f"{theirs}bias_ih{suffix}": bias,
        f"{theirs}bias_hh{suffix}": w.get(f"{ours}state.bias", torch.zeros_like(bias)),
    }


def both_cells(w, ours, theirs):
    """The weights of a `Bidirectional`."""
    ahead = cell(w, f"{ours}forwards.cell.", theirs, "_l0")
    return {**ahead, **cell(w, f"{ours}backwards.cell.", theirs, "_l0_reverse")}


def seq2seq(w):
    """The weights of an `RNNSeq2Seq` as those of its `Seq2SeqTwin`."""
    state = {
        f"{side}_embedding.weight": w[f"{side}_embedding.weight"] for side in ("source", "target")
    }
    state.update(both_cells(w, "encoder.", "encoder."))
    state.update(cell(w, "decoder.cell.", "decoder.", "_l0"))
    for ours, theirs in (("cross_attention.query.", "query."), ("cross_attention.key.", "key."),
                         ("cross_attention.score.", "score."), ("bridge.", "bridge."),
                         ("combine.", "combine."), ("output.", "output.")):  # fmt: skip
        state.update(linear(w, ours, theirs) if f"{ours}weight" in w else {})
    return state


# -- the models ------------------------------------------------------------------------------------


def sinusoids(length, features):
    """The table of Vaswani et al. 2017, section 3.5, (length, features) in float64."""
    positions = torch.arange(length, dtype=torch.float64)[:, None]
    frequencies = torch.exp(
        torch.arange(0, features, 2, dtype=torch.float64) * (-math.log(10000.0) / features)
    )
    table = torch.zeros(length, features, dtype=torch.float64)
    table[:, 0::2] = torch.sin(positions * frequencies)
    table[:, 1::2] = torch.cos(positions * frequencies)
    return table


def future(length):
    """True where a query may NOT attend: at all later keys."""
    return torch.ones(length, length, dtype=torch.bool).triu(1)


def beyond_window(length, width):
    """True where a query may NOT attend: at later keys, and at those that lie `width` or more
    back."""
    return future(length) | torch.ones(length, length, dtype=torch.bool).tril(-width)


def layer_options(config):
    """The arguments that nn.TransformerEncoderLayer, nn.TransformerDecoderLayer and nn.Transformer
    share."""
    return {
        "d_model": config.d_model,
        "nhead": config.heads,
        "dim_feedforward": config.d_ff,
        "dropout": config.dropout,
        "activation": config.activation,
        "norm_first": config.norm == "pre",
        "batch_first": True,
    }


class TransformerTwin(nn.Module):
    """`Transformer(config)` in PyTorch: bias and final norm as nn.Transformer has them, embeddings
    × √D, sinusoids."""

    def __init__(self, config):
        super().__init__()
        features = config.d_model
        self.source_embedding = nn.Embedding(config.source_vocabulary, features)
        self.target_embedding = nn.Embedding(config.target_vocabulary, features)
        layers = {
            "num_encoder_layers": config.encoder_layers,
            "num_decoder_layers": config.decoder_layers,
        }
        # pre-norm cannot use nested tensors, and PyTorch says so every time
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="enable_nested_tensor")
            self.transformer = nn.Transformer(**layer_options(config), **layers)
        self.output = nn.Linear(features, config.target_vocabulary, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.table = sinusoids(config.max_length, features).to(torch.get_default_dtype())

    def forward(self, source, target_in):
        hidden = self.transformer(
            self.embed(self.source_embedding, source),
            self.embed(self.target_embedding, target_in),
            tgt_mask=future(target_in.shape[1]),
            src_key_padding_mask=source == 0,
            tgt_key_padding_mask=target_in == 0,
            memory_key_padding_mask=source == 0,
        )
        return self.output(hidden)

    def embed(self, embedding, ids):
        scaled = embedding(ids) * math.sqrt(embedding.embedding_dim)
        return self.dropout(scaled + self.table[: ids.shape[1]])


class LanguageModelTwin(nn.Module):
    """`LanguageModel(config)` in PyTorch, and `LocalAttentionModel(config)`: nn.TransformerEncoder
    under a causal mask, or under that of a window, positions over real tokens.
    """

    def __init__(self, config):
        super().__init__()
        features = config.d_model
        self.embedding = nn.Embedding(config.target_vocabulary, features)
        self.table = sinusoids(config.max_length, features).to(torch.get_default_dtype())
        self.learned = config.positions == "learned"
        self.window = getattr(config, "window", config.max_length)
        if self.learned:
            self.position_embedding = nn.Embedding(config.max_length, features)
        layer = nn.TransformerEncoderLayer(**layer_options(config))
        final_norm = nn.LayerNorm(features)
        self.layers = nn.TransformerEncoder(
            layer, config.decoder_layers, final_norm, enable_nested_tensor=False
        )
        self.output = nn.Linear(features, config.target_vocabulary, bias=False)

    def forward(self, source, target_in):
        ids = target_in if source is None else torch.cat([source, target_in], dim=1)
        positions = torch.stack(
            [torch.clamp(torch.cumsum(row != 0, dim=0) - 1, min=0) for row in ids]
        )
        place = self.position_embedding(positions) if self.learned else self.table[positions]
        x = self.embedding(ids) * math.sqrt(self.embedding.embedding_dim) + place
        hidden = self.layers(
            x, mask=beyond_window(ids.shape[1], self.window), src_key_padding_mask=ids == 0
        )
        return self.output(hidden[:, -target_in.shape[1] :])


class Seq2SeqTwin(nn.Module):
    """`RNNSeq2Seq(config)` in PyTorch, for sequences without padding."""

    def __init__(self, config):
        super().__init__()
        features, network = config.d_model, nn.GRU if config.cell == "gru" else nn.RNN
        self.source_embedding = nn.Embedding(config.source_vocabulary, features)
        self.target_embedding = nn.Embedding(config.target_vocabulary, features)
        self.encoder = network(features, features, batch_first=True, bidirectional=True)
        self.decoder = network(features, features, batch_first=True)
        self.bridge = nn.Linear(2 * features, features)
        self.output = nn.Linear(features, config.target_vocabulary, bias=False)
        self.attention = config.attention
        if config.attention == "additive":
            self.query, self.key = (
                nn.Linear(features, features),
                nn.Linear(2 * features, features, bias=False),
            )
            self.score = nn.Linear(features, 1, bias=False)
        elif config.attention == "multiplicative":
            self.query = nn.Linear(features, 2 * features, bias=False)
        if config.attention != "none":
            self.combine = nn.Linear(3 * features, features)

    def forward(self, source, target_in):
        scale = math.sqrt(self.bridge.out_features)
        annotations, end = self.encoder(self.source_embedding(source) * scale)
        first = torch.tanh(self.bridge(torch.cat([end[0], end[1]], dim=-1)))
        states, _ = self.decoder(self.target_embedding(target_in) * scale, first[None])
        if self.attention == "none":
            return self.output(states)
        if self.attention == "additive":
            pairs = self.query(states)[:, :, None] + self.key(annotations)[:, None]
            scores = self.score(torch.tanh(pairs)).squeeze(-1)
        else:
            scores = self.query(states) @ annotations.mT
        context = torch.softmax(scores, dim=-1) @ annotations
        return self.output(torch.tanh(self.combine(torch.cat([context, states], dim=-1))))
