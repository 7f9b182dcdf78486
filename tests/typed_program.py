"""A user's program with type hints, which `make types` checks and nobody runs.

Each line that ends with an ignore is a mistake. mypy has to refuse it: an ignore that is not needed
is an error, too.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minitransformer import (
    LanguageModel,
    Module,
    Parameter,
    Transformer,
    TransformerConfig,
    check_component,
    gradient_check,
    no_grad,
    trace,
)
from minitransformer.attention import MultiHeadAttention, causal_mask, padding_mask
from minitransformer.core import evaluating, observe
from minitransformer.data import Batch, BatchStream, Reverse, make_batch, make_task
from minitransformer.decoding import (
    Hypothesis,
    beam_search,
    evaluate,
    greedy,
    hypotheses,
    translate,
)
from minitransformer.inspection import attention_weights
from minitransformer.layers import CrossEntropy, Embedding, LayerNorm, Linear
from minitransformer.models import SequenceModel
from minitransformer.older import (
    ConvolutionConfig,
    ConvolutionModel,
    GRUCell,
    Recurrence,
    RNNConfig,
    RNNSeq2Seq,
)
from minitransformer.plotting import plot_attention, plot_loss_curve
from minitransformer.runs import Run, make_config
from minitransformer.training import Adam, Noam, Progress, clip_by_global_norm, in_shares, train


class Scale(Module):
    """A learner's own component."""

    def __init__(self, features: int) -> None:
        self.factor = Parameter.ones(features)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.save(x)
        y: np.ndarray = x * self.factor.data
        return y

    def backward(self, d_y: np.ndarray) -> np.ndarray:
        x = self.saved()
        self.factor.grad += (d_y * x).sum(axis=(0, 1))
        d_x: np.ndarray = d_y * self.factor.data
        return d_x


def components(rng: np.random.Generator) -> np.ndarray:
    norm, linear = LayerNorm(8), Linear(8, 16, rng=0, bias=False)
    y: np.ndarray = linear.forward(norm.forward(rng.standard_normal((2, 3, 8))))
    d_x: np.ndarray = norm.backward(linear.backward(np.ones_like(y)))
    linear.weight.grad += 1
    attention = MultiHeadAttention(8, heads=2, rng=rng).train(False)
    mask = causal_mask(3) & padding_mask(np.ones((2, 3), dtype=int))
    attention.to("float64").forward(d_x, mask=mask)
    Recurrence(GRUCell(5, 7, 0)).forward(np.zeros((2, 3, 5)))
    scale = Scale(8).to("float64")
    report = check_component(scale, d_x, raises=False)
    passed: bool = report.passed and gradient_check(scale, d_x).worst.passed
    sizes: dict[str, int] = {name: p.size for name, p in scale.named_parameters().items()}
    print(report.counts(), passed, sizes, trace(scale, d_x))
    print(Embedding.example(rng), scale.state_dict()["factor"].shape)
    return d_x


def config() -> TransformerConfig:
    changed = TransformerConfig.preset("toy", norm="pre", dropout=0.1)
    width: int = changed.d_k + changed.target_vocabulary
    return TransformerConfig(source_vocabulary=width, heads=4, tie_embeddings=True)


def training() -> Transformer:
    task, model, losses = Reverse(symbols=5), Transformer(config(), 0), []

    def note(progress: Progress) -> None:
        losses.append(progress.loss)

    batches = BatchStream(task, np.random.default_rng(0), batch_size=4)
    optimizer = Adam(model, Noam(model.config.d_model, warmup=10))
    train(model, CrossEntropy(0.1, padding=0), optimizer, batches, 20, 1.0, [note], in_shares(2))
    norm: float = clip_by_global_norm(model, None)
    rate: float = optimizer.rate()
    print(norm, rate, losses)
    return model


def answers(model: SequenceModel, source: np.ndarray | None) -> np.ndarray:
    best: list[list[Hypothesis]] = hypotheses(model, source, beam=2)
    print(best[0][0].score, beam_search(model, source, alpha=0.0).shape)
    return greedy(model, source, max_tokens=5)


def use() -> Figure:
    model, task = training(), make_task("reverse", symbols=5)
    batch: Batch = make_batch(*task.sample(np.random.default_rng(0), 2))
    answers(LanguageModel(config(), 0), batch.source)
    answers(ConvolutionModel(ConvolutionConfig(20), 0), batch.source)
    answers(RNNSeq2Seq(RNNConfig(20), 0), batch.source)
    found: dict[str, float] = evaluate(model, task, count=10)
    texts: list[str] = translate(model, task.vocabulary, ["3 1 4"])
    with no_grad(), evaluating(model), observe(model, on_forward=print):
        model(batch.source, batch.target_in)
    source, target = task.example()
    weights: np.ndarray = attention_weights(model, source, target)["cross"]
    print(found, texts, weights.shape)
    return plot_attention(model, source, target, kind="cross", heads=[1, 2])


def run(folder: Path) -> Figure:
    made = Run.create(folder, make_config("copy", training_options={"steps": 3}))
    made.train()
    path: Path = made.checkpoint_path()
    print(path.name, Run.open(path).vocabulary.text([4, 5]))
    return plot_loss_curve([{"step": 1, "loss": 2.0}])


def mistakes(model: Transformer, x: np.ndarray) -> None:
    greedy([model], x)  # type: ignore[arg-type]
    answers(LayerNorm(8), x)  # type: ignore[arg-type]
    Transformer({"d_model": 8}, 0)  # type: ignore[arg-type]
    TransformerConfig(d_modell=8)  # type: ignore[call-arg]
    LayerNorm("8")  # type: ignore[arg-type]
    LayerNorm(8).forward([1.0, 2.0])  # type: ignore[arg-type]
    LayerNorm(8).forward(x, x)  # type: ignore[call-arg]
    print(LayerNorm(8).gama)  # type: ignore[attr-defined]
    Adam([model])  # type: ignore[arg-type]
    Adam(model, learning_rate="0.1")  # type: ignore[arg-type]
    make_batch(x)  # type: ignore[call-arg]
    Recurrence(LayerNorm(8))  # type: ignore[arg-type]
    name: str = model.parameter_count()  # type: ignore[assignment]
    plot_attention(model, x, x).save(name)  # type: ignore[attr-defined]
