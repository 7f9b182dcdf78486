"""What the page shows of a text, computed beforehand, of a model that is too large for the page."""

import base64
import copy

import numpy as np

from ..core.observe import observe
from ..data.vocabulary import BOS
from ..decoding import continuation, greedy
from ..errors import InputError, NonFiniteError, shortened
from ..layers import Softmax
from ..models.transformer import Transformer

READ, WRITTEN = 32, 12  # tokens of a text, and tokens that are written behind it, at most
LIKELY = 5  # tokens that are listed as the most likely ones


def computed(model, vocabulary, ids, continues):
    """What page.js computes itself of a smaller model, as JSON values: what is read and written;
    of each attention the scores, and the norms of Q and K; for each written token as the target
    of the loss, the gradients d_P, the norms of all others, and the most likely tokens, at the end
    and after each layer (the logit lens; nostalgebraist 2020)."""
    model = copy.deepcopy(model).to("cpu").eval()
    model.clear_saves()
    is_transformer = isinstance(model, Transformer)
    before = [BOS] if is_transformer else ids if continues else [*ids, BOS]
    most = min(WRITTEN, model.config.max_length - len(before) + 1)
    text = vocabulary.text(np.array(ids))
    try:
        if continues:
            written = list(continuation(model, ids, most, 0, top_k=1))
        else:
            written = greedy(model, np.array([ids]), most)[0].tolist()
    except NonFiniteError:
        raise not_finite(text) from None
    sequence = [*before, *written]
    first, copies = len(before) - 1, len(written)
    read, following = sequence[:-1], sequence[1:]
    seen = gone_through(model, ids if is_transformer else None, read, following, first, copies)
    if not all_finite(seen):
        raise not_finite(text)
    return {
        "source": ids if is_transformer else False, "read": read, "next": following,
        "first": first, "written": written, "answer": vocabulary.text(np.array(written)),
        "attention": {
            name: {
                "scores": base64_of(arrays["scores"][0].astype("<f4")),
                "Q": norms(arrays["Q"][0]), "K": norms(arrays["K"][0]),
            }
            for name, arrays in seen["attention"].items()
        },
        "passes": [one_pass(model, seen, following[first + n], first + n, n)
                   for n in range(copies)],
    }  # fmt: skip


def gone_through(model, source, read, following, first, copies):
    """{attention: {path: {scores, Q, K, d_P, d_Q, d_K}}, embeddings: {side: gradient}, outputs:
    [of the last stack's input and layers], logits}: arrays with one copy of the sequence for each
    written token. Copy n has the loss of the n-th of these alone."""
    attention, embeddings, outputs = {}, {}, []
    stack = "layers" if source is None else "decoder"

    def after_forward(path, component, inputs, output):
        name, _, part = path.rpartition(".attention")
        if part == ".masking":
            attention.setdefault(name, {})["scores"] = inputs[0]
        elif path.endswith(".attention"):
            attention[name]["Q"], attention[name]["K"] = inputs[:2]
        elif path in ("input", "target_input") or is_layer(path, stack):
            outputs.append(output)

    def after_backward(path, component, d_outputs, d_inputs):
        name, _, part = path.rpartition(".attention")
        if part == ".softmax":
            attention[name]["d_P"] = d_outputs[0]
        elif path.endswith(".attention"):
            attention[name]["d_Q"], attention[name]["d_K"] = d_inputs[:2]
        elif path in ("source_input", "target_input", "input"):
            side = "source" if path == "source_input" else "target"
            embeddings[side] = d_outputs[0]

    sources = None if source is None else np.repeat([source], copies, axis=0)
    targets, steps = np.repeat([read], copies, axis=0), np.arange(copies)
    with observe(model, after_forward, after_backward):
        logits = model(sources, targets)                                 # (copies, T, V)
        d_logits = np.zeros_like(logits)
        p = Softmax()(logits[steps, first + steps].astype(np.float64))   # (copies, V)
        p[steps, following[first:]] -= 1  # in 64 bits, as p may be nearly 1
        d_logits[steps, first + steps] = p
        model.backward(d_logits)
    return {
        "attention": attention, "embeddings": embeddings, "outputs": outputs, "logits": logits,
    }  # fmt: skip


def all_finite(seen):
    """Whether nothing that the page would show is infinite or NaN."""
    arrays = [seen["logits"], *seen["outputs"], *seen["embeddings"].values()]
    arrays += [array for head in seen["attention"].values() for array in head.values()]
    return all(np.isfinite(array).all() for array in arrays)


def not_finite(text):
    return InputError(
        f"What the model computes for {shortened(text)} is not finite: its numbers become too "
        "large. Pass another text, or a model with smaller weights."
    )


def is_layer(path, stack):
    return path.startswith(f"{stack}.layers.") and path.count(".") == 2


def one_pass(model, seen, token, position, n):
    """What belongs to the n-th written token, which is that of this position, as the target."""
    x = seen["logits"][n, position].astype(np.float64)
    p = Softmax()(x[None])[0]
    states = np.stack([output[n, position] for output in seen["outputs"]])[None]
    norm = getattr(model, "decoder" if isinstance(model, Transformer) else "layers").final_norm
    lens = Softmax()(model.output(states if norm is None else norm(states)))[0]
    gradients = {
        name: {
            **in_bytes(row for head in arrays["d_P"][n] for row in head),
            "d_Q": norms(arrays["d_Q"][n]), "d_K": norms(arrays["d_K"][n]),
        }
        for name, arrays in seen["attention"].items()
    }  # fmt: skip
    return {
        "loss": float(np.logaddexp.reduce(x) - x[token]),
        "likely": likeliest(p), "gradients": gradients,
        "lens": [likeliest(p) for p in lens],
        "d_embeddings": {side: norms(d_x[n]) for side, d_x in seen["embeddings"].items()},
    }  # fmt: skip


def likeliest(p):
    """The tokens with the largest probabilities: [[id, probability], …]."""
    best = np.argsort(-p, kind="stable")[:LIKELY]
    return [[int(token), round(float(p[token]), 6)] for token in best]


def norms(x):
    """The norms of the rows, to four digits: a list, of (H, T, K) a list of lists."""
    sizes = np.linalg.norm(x.astype(np.float64), axis=-1)
    return np.vectorize(four_digits, otypes=[float])(sizes).tolist()


def four_digits(number):
    return float(f"{number:.4g}")


def in_bytes(arrays):
    """Arrays as the page reads them: base64 of a signed byte for each number, one array behind the
    other, and the scale of each array: number = byte · scale, scale = the largest size / 127, to
    four digits."""
    arrays = list(arrays)
    scales = [four_digits(np.abs(array).max(initial=0) / 127) for array in arrays]
    rounded = [np.round(array / (scale or 1)).reshape(-1) for array, scale in zip(arrays, scales)]
    return {"scales": scales, "numbers": base64_of(np.concatenate(rounded).astype(np.int8))}


def base64_of(array):
    return base64.b64encode(array.tobytes()).decode("ascii")
