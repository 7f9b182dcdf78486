"""What each mistake does to a small model: computed here, shown by the page of mistakes.

    python docs/site/alive/mistakes.py [NAME …]

trains the right model and one with each mistake (or with those named), and writes mistakes.json
beside this file: loss, exact match, attention and gradient check of each. A mistake is planted in a
copy of the package, as tests/mutants.py does it; most are its own entries. Everything comes from
one seed, in float64.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import minitransformer
from minitransformer import Transformer, TransformerConfig
from minitransformer.attention import attention_maps, keep_weights
from minitransformer.core.evaluating import evaluating
from minitransformer.data.batching import make_batch
from minitransformer.data.stream import BatchStream
from minitransformer.data.tasks import make_task
from minitransformer.data.vocabulary import EOS, PAD
from minitransformer.decoding import greedy
from minitransformer.layers import CrossEntropy
from minitransformer.testing import all_components
from minitransformer.testing.conformance import check_gradients
from minitransformer.training import Adam, Noam, train

ROOT = Path(__file__).resolve().parents[3]
FILE = Path(__file__).with_suffix(".json")
sys.path.insert(0, str(ROOT / "tests"))

from mutants import MUTANTS, Mutant  # noqa: E402

SEED, STEPS, EVERY = 7, 800, 5  # the loss is the mean of so many steps
MOMENTS = (0, 25, 50, 100, 150, 200, 300, 400, 600, 800)
BATCH, ASKED = 48, 200  # sequences of a step, and of an evaluation
SIZES = {
    "d_model": 32, "heads": 2, "d_ff": 64, "encoder_layers": 1, "decoder_layers": 1,
    "max_length": 12, "dropout": 0.1, "tie_embeddings": True,
}
WARMUP, FACTOR = 100, 0.6
SOURCES = [[8, 5, 12, 9, 6, 4, 7], [11, 8, 4, 10, 0, 0, 0]]  # ids; the second, padded, is shown
# its symbols; it is a validation sequence
READ, WRITTEN = ["7", "4", "0", "6"], ["6", "0", "4", "7"]
LABELS = {
    "cross": {"rows": [*WRITTEN, "EOS"], "columns": [*READ, *["PAD"] * 3]},
    "decoder": {"rows": [*WRITTEN, "EOS"], "columns": ["BOS", *WRITTEN]},
    "encoder": {"rows": READ, "columns": [*READ, *["PAD"] * 3]},
}
CHECKED = """Softmax ScaledDotProductAttention SplitHeads MergeHeads MultiHeadAttention Linear
LayerNorm FeedForward Dropout Residual Embedding Unembedding SinusoidalPositionalEncoding
CrossEntropy EncoderLayer DecoderLayer Transformer""".split()
ENTRIES = 12  # of each array, and two directions in which all its entries move


def own(file, before, after):
    """A mistake that tests/mutants.py does not have."""
    return Mutant("x", "", file, before, after, judge="", select="")


BY_ID = {mutant.id: mutant for mutant in MUTANTS}
MISTAKES = {
    "softmax-backward": BY_ID["7"],
    "softmax-axis": BY_ID["3"],
    "no-scale": BY_ID["63"],
    "mask-after-softmax": BY_ID["76"],
    "future-visible": BY_ID["x74"],
    "padding-visible": BY_ID["36"],
    "not-shifted": BY_ID["24"],
    "heads-merged": BY_ID["87"],
    "layer-norm-backward": BY_ID["44"],
    "skip-backward": BY_ID["99"],
    "bias-averaged": BY_ID["27b"],
    "tied-output": BY_ID["123"],
    "dropout-scale": BY_ID["57"],
    "embedding-scale": own("layers/embedding.py", "features**0.5 if scale else 1.0", "1.0"),
    "positions": BY_ID["97"],
    "softmax-twice": own(
        "layers/cross_entropy.py", "shifted = rows - rows.max(axis=-1, keepdims=True)",
        "rows = xp.exp(rows - rows.max(axis=-1, keepdims=True))\n"
        "        rows = rows / rows.sum(axis=-1, keepdims=True)\n"
        "        shifted = rows - rows.max(axis=-1, keepdims=True)",
    ),
    "padding-counted": BY_ID["17"],
    "not-zeroed": BY_ID["118b"],
    "bias-correction": BY_ID["112a"],
    "no-warm-up": own(
        "training/schedules.py", "min(max(t, 1) ** -0.5, t * self.warmup**-1.5)",
        "max(t, 1) ** -0.5",
    ),
}


def changed(name):
    """(the text of the file, the text with this mistake)."""
    text = (ROOT / "minitransformer" / MISTAKES[name].file).read_text(encoding="utf-8")
    return text, MISTAKES[name].plant(text)


def difference(name):
    """The lines that the mistake changes, as a diff shows them, without indentation and shapes."""
    before, after = (text.splitlines() for text in changed(name))
    lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
    return [
        f"{line[0]} {re.sub(r' +# .*', '', line[1:].strip())}" for line in lines if line[0] in "-+"
    ]


def planted(name, folder):
    """A copy of the package in the folder, with this mistake; with the name "right", without."""
    copy = folder / "minitransformer"
    shutil.copytree(
        ROOT / "minitransformer", copy, ignore=shutil.ignore_patterns("__pycache__", "shipped")
    )
    if name != "right":
        (copy / MISTAKES[name].file).write_text(changed(name)[1], encoding="utf-8")


def result(name, what="measured", *more):
    """What `measured` finds, or `checks`, in a process of its own that has the mistake."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        planted(name, folder)
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
        done = subprocess.run(
            [sys.executable, __file__, f"--{what}", *more], check=True, stdout=subprocess.PIPE,
            env={**os.environ, **threads, "PYTHONPATH": str(folder)}, cwd=folder,
        )
    return json.loads(done.stdout)


# -- in that process -------------------------------------------------------------------------------


def short(number):
    """Three digits, as many as a picture shows."""
    return float(f"{number:.3g}")


def measured():
    """Train the model of the package that is imported here; everything that the page shows."""
    task = make_task("reverse", symbols=10, min_length=3, max_length=7)
    config = TransformerConfig(source_vocabulary=len(task.vocabulary), **SIZES)
    model = Transformer(config, np.random.default_rng([SEED, 0])).to("float64")
    optimizer = Adam(model, Noam(config.d_model, WARMUP, FACTOR))
    batches = BatchStream(task, np.random.default_rng([SEED, 1]), BATCH)
    asked = task.sample(np.random.default_rng([SEED, 2]), ASKED, "validation")
    sources = np.array(SOURCES)
    shown = make_batch(sources, task.solve(sources))
    found, losses = {"loss": [], "matched": [], "attention": {}}, []

    def look():
        found["matched"].append(exact_match(model, *asked))
        for kind, percent in attention(model, shown).items():
            found["attention"].setdefault(kind, []).append(percent)

    def note(progress):
        losses.append(progress.loss)
        if progress.step % EVERY == 0:
            found["loss"].append(short(np.mean(losses[-EVERY:])))
        if progress.step in MOMENTS:
            look()

    look()
    train(model, CrossEntropy(padding=PAD), optimizer, batches, STEPS, hooks=[note], bar=False)
    return {**found, "check": checks()}


def exact_match(model, source, target):
    """The percentage of answers that are the target, token by token, with EOS at its end."""
    answers = greedy(model, source, max_tokens=target.shape[1] + 1)
    right = sum(
        without_padding(answer) == [*without_padding(line), EOS]
        for answer, line in zip(answers.tolist(), target.tolist())
    )
    return round(100 * right / len(target))


def without_padding(ids):
    return [token for token in ids if token != PAD]


def attention(model, shown):
    """{kind: weights (H, T, S) in percent} of the sequence that is shown."""
    with evaluating(model), keep_weights(model):
        model(shown.source, shown.target_in)
        maps = attention_maps(model)
    found = {}
    for path, weights in maps.items():
        kind = "cross" if "cross" in path else path.split(".")[0]
        rows, columns = map(len, LABELS[kind].values())
        found[kind] = np.rint(100 * weights[1, :, :rows, :columns]).astype(int).tolist()
    return found


def checks(*names):
    """{component: (the largest error of its gradients, whether all are right)}."""
    components = {component.__name__: component for component in all_components()}
    found = {}
    for name in names or CHECKED:
        report = check_gradients(components[name], SEED, ENTRIES)
        found[name] = [float(f"{report.worst.error:.1e}"), report.passed]
    return found


def main(names):
    kept = json.loads(FILE.read_text(encoding="utf-8"))["mistakes"] if names else {}
    found = {}
    for name in ["right", *(names or MISTAKES)]:
        print(name, file=sys.stderr, flush=True)
        found[name] = result(name)
    found = {**kept, **found}
    bench = {
        "about": {"steps": STEPS, "every": EVERY, "moments": MOMENTS, "labels": LABELS},
        "right": found["right"], "mistakes": {name: found[name] for name in MISTAKES},
    }  # fmt: skip
    FILE.write_text(json.dumps(bench, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] in (["--measured"], ["--checks"]):
        assert Path(minitransformer.__file__).is_relative_to(Path.cwd()), "that is not the copy"
        find = measured if sys.argv[1] == "--measured" else checks
        print(json.dumps(find(*sys.argv[2:])))
    else:
        main(sys.argv[1:])
