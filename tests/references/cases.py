"""What is compared with PyTorch: one function per case builds our component, its weights, its
inputs and its d_y.

The same cases serve `make_references.py`, which writes PyTorch's answers to `<room>.npz`, and
`test_references.py`, which compares ours with them. Nothing here needs PyTorch, and nothing is
stored that can be drawn again: the numbers come from the raw stream of PCG64, which NumPy promises
not to change, seeded with the name of the case and the array.

Sizes cannot be confused; weights have size 1/√fan_in; γ, β and biases are random; some rows are
padded.
"""

import dataclasses
import math
import zlib

import numpy as np

from minitransformer.attention import MultiHeadAttention, ScaledDotProductAttention
from minitransformer.core import Module
from minitransformer.layers import (
    GELU,
    CrossEntropy,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    ReLU,
    Softmax,
    TanhGELU,
)
from minitransformer.models import (
    Decoder,
    DecoderLayer,
    Encoder,
    EncoderLayer,
    LanguageModel,
    Transformer,
    TransformerConfig,
)
from minitransformer.models.config import SequenceConfig
from minitransformer.older import (
    CELLS,
    AdditiveAttention,
    Bidirectional,
    CausalConvolution,
    ConvolutionConfig,
    ConvolutionLayer,
    ConvolutionModel,
    LocalAttention,
    LocalAttentionConfig,
    LocalAttentionLayer,
    LocalAttentionModel,
    MeanOverPositions,
    MultiplicativeAttention,
    OneVectorConfig,
    OneVectorMLP,
    Recurrence,
    RNNConfig,
    RNNSeq2Seq,
)
from minitransformer.testing.gradient_check import is_float
from minitransformer.training import SGD, Adam, AdamW, clip_by_global_norm

B, T, S, H, K, F, V, W = 3, 5, 7, 4, 2, 11, 17, 19  # W: the target's vocabulary
STATE = 6  # width of a recurrent state
WINDOW = 3  # of local attention
D = H * K
SOURCE_LENGTHS, TARGET_LENGTHS = (7, 4, 6), (5, 3, 4)


class Draws:
    """Random numbers that depend on the given words alone, bit for bit."""

    def __init__(self, *words):
        self.bits = np.random.PCG64(zlib.crc32("/".join(words).encode()))

    def unit(self, *shape):
        """Uniform between 0 and 1: the upper 53 bits of each draw."""
        return ((self.bits.random_raw(int(np.prod(shape))) >> np.uint64(11)) * 2.0**-53).reshape(
            shape
        )

    def floats(self, *shape):
        """Uniform with mean 0 and variance 1."""
        return (2 * self.unit(*shape) - 1) * math.sqrt(3)

    def ids(self, low, high, lengths, longest):
        """Token ids from low to high − 1, row b padded with 0 after lengths[b] tokens:
        (B, longest)."""
        ids = low + (self.unit(len(lengths), longest) * (high - low)).astype(np.int64)
        return np.where(np.arange(longest) < np.array(lengths)[:, None], ids, 0)


def settle(component, name):
    """The component in float64, every parameter away from its initialisation, drawn by its own
    path."""
    component.to("float64")
    for path, p in component.named_parameters().items():
        noise = Draws(name, path).floats(*p.shape)
        if p.data.ndim == 1:
            p.data = 0.5 * noise + (1.0 if path.endswith("gamma") else 0.0)
        else:
            p.data = noise / math.sqrt(p.shape[0])
    return component


@dataclasses.dataclass
class ComponentCase:
    """Forward, and backward from a random d_y: the output and all gradients."""

    name: str
    component: Module
    inputs: tuple
    output_shape: tuple
    config: SequenceConfig | None = None

    def __post_init__(self):
        settle(self.component, self.name)
        self.d_output = Draws(self.name, "d_output").floats(*self.output_shape)

    def given(self):
        """{name: array} of all that the answer depends on."""
        inputs = {f"input[{i}]": x for i, x in enumerate(self.inputs) if x is not None}
        return {**inputs, "d_output": self.d_output, **self.component.state_dict()}

    def ours(self, zero_grad=True):
        """{name: array} of our answer; the names are those of the committed arrays."""
        if zero_grad:
            self.component.zero_grad()
        output = self.component.forward(*self.inputs)
        d_inputs = self.component.backward(self.d_output)
        d_inputs = (
            d_inputs if isinstance(d_inputs, tuple) else () if d_inputs is None else (d_inputs,)
        )
        floats = [i for i, x in enumerate(self.inputs) if is_float(x)]
        assert len(floats) == len(d_inputs), (
            f"{len(floats)} float inputs, {len(d_inputs)} gradients"
        )
        d_parameters = {
            f"d {path}": p.grad.copy() for path, p in self.component.named_parameters().items()
        }
        return {
            "output": output, **{f"d_input[{i}]": d for i, d in zip(floats, d_inputs)},
            **d_parameters,
        }


@dataclasses.dataclass
class OptimizerCase:
    """Five steps with gradients that are given, and a rate that changes: the parameters after each
    step."""

    name: str
    optimizer: type
    options: dict
    steps: int = 5

    def __post_init__(self):
        self.model = settle(Linear(D, F, np.random.default_rng(0)), self.name)
        self.start = self.model.state_dict()
        self.gradients = [
            {
                path: t * Draws(self.name, path, str(t)).floats(*w.shape)
                for path, w in self.start.items()
            }
            for t in range(1, self.steps + 1)
        ]
        for gradient in self.gradients:
            gradient["weight"][0] = 0  # never any gradient: 0/(0 + ε)

    @staticmethod
    def rate(t):
        return 0.1 / t

    def given(self):
        gradients = {
            f"{path}[{t}]": g for t, all_g in enumerate(self.gradients) for path, g in all_g.items()
        }
        return {**self.start, **gradients}

    def ours(self):
        self.model.load_state_dict(self.start)
        optimizer = self.optimizer(self.model, self.rate, **self.options)
        after = {}
        for t, gradient in enumerate(self.gradients, start=1):
            for path, p in self.model.named_parameters().items():
                p.grad = gradient[path]
            optimizer.step()
            after.update(
                {f"{path} after step {t}": w for path, w in self.model.state_dict().items()}
            )
        return after


@dataclasses.dataclass
class ClippingCase:
    """All gradients scaled to a joint norm; PyTorch divides by norm + 10⁻⁶, so the norm here is far
    above that."""

    name: str
    max_norm: float
    size: float = 1e5

    def __post_init__(self):
        self.model = settle(Linear(D, F, np.random.default_rng(0)), self.name)
        self.gradients = {
            path: self.size * Draws(self.name, path, "d").floats(*p.shape)
            for path, p in self.model.named_parameters().items()
        }

    def given(self):
        return self.gradients

    def ours(self):
        for path, p in self.model.named_parameters().items():
            p.grad = self.gradients[path]
        norm = clip_by_global_norm(self.model, self.max_norm)
        clipped = {f"d {path}": p.grad.copy() for path, p in self.model.named_parameters().items()}
        return {"norm": np.array(norm), **clipped}


@dataclasses.dataclass
class TrainingCase:
    """Three whole steps of a tied model, forward to Adam: every loss, and the parameters at the
    end."""

    name: str
    model: Module
    source: np.ndarray
    target: np.ndarray
    rate: float = 0.01
    label_smoothing: float = 0.1
    steps: int = 3

    def __post_init__(self):
        settle(self.model, self.name)
        self.start = self.model.state_dict()

    def given(self):
        return {"source": self.source, "target": self.target, **self.start}

    def ours(self):
        self.model.load_state_dict(self.start)
        loss_function, optimizer = (
            CrossEntropy(self.label_smoothing, padding=0),
            Adam(self.model, self.rate),
        )
        losses = []
        for _ in range(self.steps):
            self.model.zero_grad()
            losses.append(
                loss_function(self.model(self.source, self.target[:, :-1]), self.target[:, 1:])
            )
            self.model.backward(loss_function.backward())
            optimizer.step()
        return {
            "losses": np.array(losses),
            **{f"{path} at the end": w for path, w in self.model.state_dict().items()},
        }


class FixedDropout(Module):
    """Dropout whose mask depends on the shape alone: y = x ∘ M. It shows where dropout stands."""

    def __init__(self, p):
        self.p = p

    def forward(self, x):
        self.save()
        return x * fixed_mask(x.shape, self.p)

    def backward(self, d_y):
        self.saved()
        return d_y * fixed_mask(d_y.shape, self.p)


def fixed_mask(shape, p):
    """M: 1/(1−p) with probability 1−p, else 0, always the same for the same shape."""
    return (Draws("dropout", str(tuple(shape))).unit(*shape) < 1 - p) / (1 - p)


def with_fixed_dropout(model):
    """The model, every `Dropout` in it replaced by a `FixedDropout` of the same p."""
    for _, module in model.named_modules():
        for name, child in module.children():
            if isinstance(child, Dropout):
                setattr(module, name, FixedDropout(child.p))
    return model


class OneOutput(Module):
    """A `Bidirectional` whose two outputs are one, (B, S + 1, 2D): the end below the annotations,
    zeros for padding."""

    def __init__(self, reading):
        self.reading = reading

    def forward(self, x, mask=None):
        real = np.ones(x.shape[:2], dtype=bool) if mask is None else mask
        y, end = self.reading(x, mask)
        self.save(real)
        return np.concatenate([y * real[..., None], end[:, None]], axis=1)

    def backward(self, d_y):
        real = self.saved()
        return self.reading.backward(d_y[:, :-1] * real[..., None], d_y[:, -1])


# -- the cases -------------------------------------------------------------------------------------

CASES = {}


def case(name, *details):
    """Register `build(name, *details)` under `name`, which is room/case."""

    def register(build):
        CASES[name] = lambda: build(name, *details)
        return build

    return register


def rng():
    """For constructors only: `settle` draws every parameter anew."""
    return np.random.default_rng(0)


def inputs(name, *shapes):
    return tuple(Draws(name, f"input {i}").floats(*shape) for i, shape in enumerate(shapes))


def source_ids(vocabulary=V):
    return Draws("source").ids(4, vocabulary, SOURCE_LENGTHS, S)


def target_ids(vocabulary=W):
    ids = Draws("target").ids(4, vocabulary, TARGET_LENGTHS, T)
    ids[:, 0] = 1
    return ids


def source_mask():
    """Padding: (B, 1, 1, S). The masks do not come from the package, whose own masks the whole
    models test."""
    return (source_ids() != 0)[:, None, None, :]


def target_mask():
    """Causal and padding: (B, 1, T, T)."""
    return np.tril(np.ones((T, T), dtype=bool)) & (target_ids() != 0)[:, None, None, :]


def config(kind=TransformerConfig, **changes):
    """As nn.Transformer has it, unless changed; of what this kind of configuration has."""
    options = {
        "bias": True, "final_norm": True, "target_vocabulary": W, "d_model": D, "heads": H,
        "d_ff": F,
    }
    layers = {"encoder_layers": 1, "decoder_layers": 2, "max_length": 16, "dropout": 0.0}
    known = [field.name for field in dataclasses.fields(kind)]
    options = {
        name: value
        for name, value in {"source_vocabulary": V, **options, **layers}.items()
        if name in known
    }
    return kind(**{**options, **changes})


def one_vocabulary(kind, **changes):
    """Of a model that reads source and target as one sequence."""
    return config(kind, source_vocabulary=W, **changes)


def tied(**changes):
    return config(tie_embeddings=True, target_vocabulary=V, **changes)


PAPER = {"bias": False, "final_norm": False, "d_k": 6, "d_v": 9}


@case("layers/softmax", 0)
@case("layers/softmax_large", 1000)
def softmax(name, shift):
    (x,) = inputs(name, (B, T, S))
    x[0, 1, 2:5] = -np.inf  # masked scores
    x[2, 3, :3] = x[2, 3].max() + 1  # tied maxima
    return ComponentCase(name, Softmax(), (3 * x + shift,), x.shape)


@case("layers/linear", True)
@case("layers/linear_without_bias", False)
def linear(name, bias):
    return ComponentCase(name, Linear(D, F, rng(), bias), inputs(name, (B, T, D)), (B, T, F))


@case("layers/embedding", True)
@case("layers/embedding_unscaled", False)
def embedding(name, scale):
    ids = source_ids()
    ids[0, :2] = ids[2, 4] = 6  # a token that stands in several places
    return ComponentCase(name, Embedding(V, D, rng(), scale), (ids,), (B, S, D))


@case("layers/layer_norm")
def layer_norm(name):
    (x,) = inputs(name, (B, T, D))
    x[1, 2] *= 1e-3  # a variance of the size of ε
    return ComponentCase(name, LayerNorm(D), (2 * x + 0.7,), x.shape)


@case("layers/relu", ReLU)
@case("layers/gelu", GELU)
@case("layers/gelu_tanh", TanhGELU)
def activation(name, kind):
    (x,) = inputs(name, (B, T, F))
    return ComponentCase(name, kind(), (2 * x,), x.shape)


@case("attention/scaled_dot_product")
def scaled_dot_product(name):
    q, k, v = inputs(name, (B, H, T, K), (B, H, S, K), (B, H, S, 9))
    return ComponentCase(name, ScaledDotProductAttention(), (q, k, v, source_mask()), (B, H, T, 9))


@case("attention/scaled_dot_product_unmasked")
def scaled_dot_product_unmasked(name):
    q, k, v = inputs(name, (B, H, T, K), (B, H, S, K), (B, H, S, 9))
    return ComponentCase(name, ScaledDotProductAttention(), (q, k, v), (B, H, T, 9))


@case("attention/nothing_to_attend_to")
def nothing_to_attend_to(name):
    q, k, v = inputs(name, (B, H, T, K), (B, H, S, K), (B, H, S, 9))
    mask = source_mask() & np.ones((1, 1, T, 1), dtype=bool)
    mask[1, 0, 3] = False
    return ComponentCase(name, ScaledDotProductAttention(), (q, k, v, mask), (B, H, T, 9))


@case("attention/self")
def self_attention(name):
    (x,) = inputs(name, (B, S, D))
    return ComponentCase(
        name, MultiHeadAttention(D, H, rng(), bias=True), (x, None, source_mask()), x.shape
    )


@case("attention/causal")
def causal_attention(name):
    (x,) = inputs(name, (B, T, D))
    return ComponentCase(
        name, MultiHeadAttention(D, H, rng(), bias=True), (x, None, target_mask()), x.shape
    )


@case("attention/cross")
def cross_attention(name):
    x, memory = inputs(name, (B, T, D), (B, S, D))
    return ComponentCase(
        name, MultiHeadAttention(D, H, rng(), bias=True), (x, memory, source_mask()), x.shape
    )


@case("attention/paper_self", False)
@case("attention/paper_cross", True)
def paper_attention(name, cross):
    x, memory = inputs(name, (B, T, D), (B, S, D))
    attention = MultiHeadAttention(D, H, rng(), key_features=6, value_features=9)
    others = (memory, source_mask()) if cross else (None, target_mask())
    return ComponentCase(name, attention, (x, *others), x.shape)


@case("attention/local", False)
@case("attention/local_masked", True)
def local_attention(name, padded):
    """Position 6 of the second row sees padding only."""
    q, k, v = inputs(name, (B, H, S, K), (B, H, S, K), (B, H, S, 9))
    return ComponentCase(
        name, LocalAttention(WINDOW), (q, k, v, source_ids() != 0 if padded else None), (B, H, S, 9)
    )


@case("stacks/local_attention_layer_post", "post")
@case("stacks/local_attention_layer_pre", "pre")
def local_attention_layer(name, norm):
    settings = config(LocalAttentionConfig, norm=norm, window=WINDOW + 1)
    return ComponentCase(
        name, LocalAttentionLayer(settings, rng()), (*inputs(name, (B, S, D)), source_ids() != 0),
        (B, S, D), settings,
    )


@case("stacks/encoder_layer_post", EncoderLayer, {"norm": "post"})
@case("stacks/encoder_layer_pre", EncoderLayer, {"norm": "pre", "activation": "gelu"})
@case("stacks/encoder_post", Encoder, {"norm": "post", "activation": "gelu", "encoder_layers": 3})
@case("stacks/encoder_pre", Encoder, {"norm": "pre", "encoder_layers": 2})
def encoder(name, kind, options):
    (x,) = inputs(name, (B, S, D))
    settings = config(**options)
    return ComponentCase(name, kind(settings, rng()), (x, source_mask()), x.shape, settings)


@case("stacks/decoder_layer_post", DecoderLayer, {"norm": "post"})
@case("stacks/decoder_layer_pre", DecoderLayer, {"norm": "pre", "activation": "gelu"})
@case("stacks/decoder_post", Decoder, {"norm": "post", "activation": "gelu"})
@case("stacks/decoder_pre", Decoder, {"norm": "pre"})
def decoder(name, kind, options):
    x, memory = inputs(name, (B, T, D), (B, S, D))
    settings = config(**options)
    masks = (target_mask(), source_mask())
    return ComponentCase(name, kind(settings, rng()), (x, memory, *masks), x.shape, settings)


@case("models/transformer_post", config(norm="post", encoder_layers=2, decoder_layers=3))
@case("models/transformer_pre", config(norm="pre", activation="gelu"))
@case("models/transformer_post_tied", tied(norm="post", activation="gelu"))
@case("models/transformer_pre_tied", tied(norm="pre"))
@case("models/transformer_paper", config(**PAPER))
@case("models/transformer_paper_pre_tied", tied(**PAPER, norm="pre", activation="gelu_tanh"))
def transformer(name, settings):
    vocabulary = settings.target_vocabulary
    ids = (source_ids(), target_ids(vocabulary))
    return ComponentCase(name, Transformer(settings, 0), ids, (B, T, vocabulary), settings)


@case("models/transformer_dropout_post", "post")
@case("models/transformer_dropout_pre", "pre")
def transformer_with_dropout(name, norm):
    settings = config(norm=norm, dropout=0.3, attention_dropout=0.3, activation_dropout=0.3)
    model = with_fixed_dropout(Transformer(settings, 0))
    return ComponentCase(name, model, (source_ids(), target_ids()), (B, T, W), settings)


@case("models/language_model_post", config(norm="post"), True)
@case("models/language_model_pre_tied", tied(norm="pre", activation="gelu"), True)
@case("models/language_model_learned_positions", config(positions="learned"), True)
@case("models/language_model_without_source", config(norm="pre"), False)
def language_model(name, settings, with_source):
    vocabulary = settings.target_vocabulary
    source = source_ids(vocabulary) if with_source else None
    ids = (source, target_ids(vocabulary))
    return ComponentCase(name, LanguageModel(settings, 0), ids, (B, T, vocabulary), settings)


@case(
    "models/local_attention_post", LocalAttentionModel,
    one_vocabulary(LocalAttentionConfig, window=4, norm="post"),
)
@case(
    "models/local_attention_pre", LocalAttentionModel,
    one_vocabulary(LocalAttentionConfig, window=3, norm="pre"),
)
@case(
    "models/convolution_post", ConvolutionModel,
    one_vocabulary(ConvolutionConfig, norm="post", activation="gelu"),
)
@case(
    "models/convolution_pre", ConvolutionModel,
    one_vocabulary(ConvolutionConfig, norm="pre", final_norm=False),
)
def one_sequence(name, kind, settings):
    return ComponentCase(
        name, kind(settings, 0), (source_ids(W), target_ids()), (B, T, W), settings
    )


@case("models/one_vector")
def one_vector(name):
    settings = config(OneVectorConfig)
    return ComponentCase(
        name, OneVectorMLP(settings, 0), (source_ids(), target_ids()), (B, T, W), settings
    )


@case("recurrent/rnn_cell", "rnn")
@case("recurrent/gru_cell", "gru")
def cell(name, kind):
    return ComponentCase(
        name, CELLS[kind](D, STATE, rng()), inputs(name, (B, D), (B, STATE)), (B, STATE)
    )


@case("recurrent/rnn_over_time", "rnn")
@case("recurrent/gru_over_time", "gru")
def over_time(name, kind):
    component = Recurrence(CELLS[kind](D, STATE, rng()))
    return ComponentCase(name, component, inputs(name, (B, S, D), (B, STATE)), (B, S, STATE))


@case("recurrent/gru_backwards", "gru")
def backwards(name, kind):
    component = Recurrence(CELLS[kind](D, STATE, rng()), reverse=True)
    return ComponentCase(name, component, inputs(name, (B, S, D), (B, STATE)), (B, S, STATE))


@case("recurrent/gru_bidirectional", "gru", False)
@case("recurrent/rnn_bidirectional_packed", "rnn", True)
@case("recurrent/gru_bidirectional_packed", "gru", True)
def bidirectional(name, kind, padded):
    component = OneOutput(Bidirectional(CELLS[kind](D, STATE, rng()), CELLS[kind](D, STATE, rng())))
    mask = source_ids() != 0 if padded else None
    return ComponentCase(name, component, (*inputs(name, (B, S, D)), mask), (B, S + 1, 2 * STATE))


@case("recurrent/seq2seq_gru_additive", "gru", "additive")
@case("recurrent/seq2seq_rnn_multiplicative", "rnn", "multiplicative")
@case("recurrent/seq2seq_gru_without_attention", "gru", "none")
def seq2seq(name, kind, attention):
    settings = RNNConfig(V, W, d_model=4, dropout=0.0, cell=kind, attention=attention)
    ids = Draws("source").ids(4, V, (S,) * B, S), Draws("target").ids(4, W, (T,) * B, T)
    return ComponentCase(name, RNNSeq2Seq(settings, 0), ids, (B, T, W), settings)


@case("older/convolution", False)
@case("older/convolution_masked", True)
def convolution(name, padded):
    mask = source_ids() != 0 if padded else None
    component = CausalConvolution(D, F, 3, rng(), dilation=2)
    return ComponentCase(name, component, (*inputs(name, (B, S, D)), mask), (B, S, F))


@case("older/mean", False)
@case("older/mean_masked", True)
def mean_over_positions(name, padded):
    mask = source_ids() != 0 if padded else None
    return ComponentCase(name, MeanOverPositions(), (*inputs(name, (B, S, D)), mask), (B, D))


@case("older/layer_of_convolution_post", "post")
@case("older/layer_of_convolution_pre", "pre")
def convolution_layer(name, norm):
    settings = config(ConvolutionConfig, norm=norm)
    mask = source_ids() != 0
    return ComponentCase(
        name, ConvolutionLayer(settings, rng(), dilation=2), (*inputs(name, (B, S, D)), mask),
        (B, S, D), settings,
    )


@case("older/additive", True)
@case("older/additive_keys_are_annotations", False)
@case("older/multiplicative", True)
@case("older/multiplicative_keys_are_annotations", False)
def look_up(name, apart):
    query, key, annotations = inputs(name, (B, T, D), (B, S, F), (B, S, 9))
    kind = AdditiveAttention if "additive" in name else MultiplicativeAttention
    widths = (D, F, 13) if kind is AdditiveAttention else (D, F)
    mask = source_mask()[:, 0] & np.ones((1, T, 1), dtype=bool)
    mask[1, 3] = False  # nothing to attend to
    given = (query, key, annotations if apart else None, mask)
    return ComponentCase(name, kind(*widths, rng()), given, (B, T, 9 if apart else F))


@case("losses/cross_entropy", 0.0, 0)
@case("losses/label_smoothing", 0.1, 0)
@case("losses/other_padding", 0.3, 6)
def cross_entropy(name, label_smoothing, padding):
    (x,) = inputs(name, (B, T, V))
    x[0, 0, :4] = x[0, 0].max() + 1  # tied maxima
    targets = Draws(name, "targets").ids(1, V, TARGET_LENGTHS, T)
    targets[0, 1] = 6
    return ComponentCase(name, CrossEntropy(label_smoothing, padding), (3 * x, targets), ())


@case("losses/cross_entropy_unpadded", 0.0)
@case("losses/label_smoothing_unpadded", 0.1)
def cross_entropy_unpadded(name, label_smoothing):
    targets = Draws(name, "targets").ids(1, V, (T, T, T), T)
    return ComponentCase(
        name, CrossEntropy(label_smoothing, padding=0), (*inputs(name, (B, T, V)), targets), ()
    )


@case("optim/sgd", SGD, {})
@case("optim/sgd_momentum", SGD, {"momentum": 0.9})
@case("optim/adam", Adam, {})
@case("optim/adam_other_betas", Adam, {"beta1": 0.8, "beta2": 0.999, "epsilon": 1e-3})
@case("optim/adamw", AdamW, {"weight_decay": 0.1})
def optimizer(name, kind, options):
    return OptimizerCase(name, kind, options)


@case("optim/clip", 1.5)
@case("optim/clip_not_needed", 1e9)
def clip(name, max_norm):
    return ClippingCase(name, max_norm)


@case("training/three_steps")
def three_steps(name):
    target = np.concatenate([target_ids(V), np.zeros((B, 1), dtype=np.int64)], axis=1)
    target[np.arange(B), TARGET_LENGTHS] = 2  # EOS
    return TrainingCase(name, Transformer(tied(**PAPER), 0), source_ids(), target)


def build(name):
    """The case of this name, made anew."""
    return CASES[name]()


def pack(arrays):
    """{name: array} as three arrays, because in an .npz every array costs some hundred bytes."""
    return {
        "names": np.array(list(arrays)),
        "shapes": np.array([",".join(map(str, a.shape)) for a in arrays.values()]),
        "values": np.concatenate([a.reshape(-1) for a in arrays.values()]),
    }


def unpack(packed):
    """{name: array}: the inverse of `pack`."""
    shapes = [tuple(int(n) for n in shape.split(",") if n) for shape in packed["shapes"]]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(packed["values"], ends[:-1])
    return {
        str(name): part.reshape(shape) for name, part, shape in zip(packed["names"], parts, shapes)
    }


def fingerprint(case):
    """A checksum of all that the answer depends on: references of other numbers are not
    compared."""
    total = 0
    for name, array in sorted(case.given().items()):
        total = zlib.crc32(np.ascontiguousarray(array).tobytes(), zlib.crc32(name.encode(), total))
    return np.array(total, dtype=np.uint32)
