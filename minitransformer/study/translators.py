"""Trained translators of one corpus side by side: BLEU, by sentence length too, and what they
align."""

from pathlib import Path

import numpy as np

from ..decoding.translation import bleu, bleu_metric, translate
from ..errors import InputError, expect_as_many, write_text, writing
from ..inspection.attention import attention_weights, by_words
from ..runs.run import Run
from .plan import TITLES
from .results import write_json

GROUPS = ((1, 8), (9, 10), (11, 12), (13, 15), (16, 20), (21, 99))  # words of the source sentence
PAGE = "translators.md"


def compare_translators(paths, folder, search, split="test", device="cpu"):
    """Translate a split with every run, and write a page with tables and pictures into the folder;
    returns its path.

    `search` decodes, as in `translate`, on the device that `Run.to` takes. Raises InputError for
    runs of different tasks, of a task without BLEU, or two of one kind of model, whose lines could
    not be told apart.
    """
    runs = [Run.open(path).to(device) for path in paths]
    expect_comparable(runs)
    bleu_metric()  # before the work
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sources, references = runs[0].task.sentences(split)
    results = []
    for path, run in zip(paths, runs):
        answers = translate(run.model, run.vocabulary, sources, search)
        results.append({"run": str(path), **facts(run), **scores(sources, answers, references)})
        write_text(folder / f"{run.config['model']['name']}.txt", "\n".join(answers) + "\n")
    write_json(folder / "translators.json", results)
    draw(folder, runs, results)
    path = folder / PAGE
    write_text(path, page(runs[0].config["task"]["name"], split, len(sources), results))
    return path


def expect_comparable(runs):
    names = {run.config["task"]["name"] for run in runs}
    if len(names) > 1:
        raise InputError(
            "Only translators of one task can be compared, these are of "
            f"{', '.join(sorted(names))}."
        )
    if len({run.config["task"]["options"].get("sha256") for run in runs}) > 1:
        raise InputError(
            "Only translators of the same data can be compared; these were trained on different "
            "data."
        )
    if not runs[0].task.scored_by_bleu:
        raise InputError(
            f"{names.pop()} is not scored by BLEU. Compare runs of a corpus, such as "
            "multi30k-en-de."
        )
    models = [run.config["model"]["name"] for run in runs]
    if len(set(models)) < len(models):
        raise InputError(
            f"Compare runs of different models, one of each kind; these are {', '.join(models)}."
        )


def facts(run):
    return {
        "title": TITLES[run.config["model"]["name"]],
        "parameters": run.model.parameter_count(),
        "steps": run.optimizer.t,
        "seconds": run.seconds,
    }


def scores(sources, answers, references):
    """BLEU of all sentences, and of those of each group of lengths: {"bleu", "signature",
    "groups"}."""
    expect_as_many("Sources and answers belong together", sources=sources, answers=answers)
    total, signature = bleu(answers, references)
    lengths = np.array([len(text.split()) for text in sources])
    groups = []
    for least, most in GROUPS:
        rows = np.flatnonzero((lengths >= least) & (lengths <= most))
        if len(rows):
            score, _ = bleu([answers[i] for i in rows], [references[i] for i in rows])
            groups.append(
                {
                    "least": least, "most": most, "sentences": len(rows),
                    "words": float(lengths[rows].mean()), "bleu": score,
                }
            )
    return {"bleu": total, "signature": signature, "groups": groups}


def alignment(run, source, target):
    """Cross-attention of the last layer between whole words, the mean over its heads; None for a
    model without."""
    _, source_sizes = run.vocabulary.words_and_sizes(source)
    _, target_sizes = run.vocabulary.words_and_sizes(target, written=True)
    try:
        maps = attention_weights(run.model, source, target)["cross"]
    except (InputError, KeyError):
        return None
    return by_words(maps[-1].mean(axis=0), target_sizes, source_sizes)


def draw(folder, runs, results):
    from ..plotting.labels import HEADINGS, axis_labels
    from ..plotting.maps import draw_maps
    from .figures import plot_bleu_by_length

    pictures = {"bleu-by-length": plot_bleu_by_length(results)}
    example = runs[0].example()
    found = [(result["title"], alignment(run, *example)) for run, result in zip(runs, results)]
    found = [(title, weights) for title, weights in found if weights is not None]
    if found:
        words = [runs[0].vocabulary.words_and_sizes(ids)[0] for ids in example]
        titles, maps = zip(*found)
        pictures["alignments"] = draw_maps(
            [list(maps)], [list(titles)], axis_labels("cross", *words), HEADINGS["cross"]
        )
    for name, figure in pictures.items():
        with writing(path := folder / f"{name}.png"):
            figure.savefig(path)


def page(task, split, sentences, results):
    groups = results[0]["groups"]
    spans = [
        f"{g['least']}–{g['most']}" if g["most"] < 99 else f"{g['least']} and more" for g in groups
    ]
    lines = [
        f"# Translators side by side: {task}, {split}",
        "",
        f"BLEU of {sentences:,} sentences: `{results[0]['signature']}`",
        "",
        "| | parameters | steps | minutes of training | BLEU |",
        "|---|---|---|---|---|",
        *(
            (
                f"| {r['title']} | {r['parameters']:,} | {r['steps']:,} | {r['seconds'] / 60:.0f} "
                f"| {r['bleu']:.1f} |"
            )
            for r in results
        ),
        "",
        "| words in the source | " + " | ".join(spans) + " |",
        "|---" * (len(spans) + 1) + "|",
        "| sentences | " + " | ".join(str(g["sentences"]) for g in groups) + " |",
        *(
            f"| {r['title']} | " + " | ".join(f"{g['bleu']:.1f}" for g in r["groups"]) + " |"
            for r in results
        ),
        "",
        (
            "![BLEU against the number of words in the source sentence, a line for each "
            "model.](bleu-by-length.png)"
        ),
        "",
        (
            "![Cross-attention between whole words while one validation sentence is written, the "
            "reference fed in.](alignments.png)"
        ),
    ]
    return "\n".join(lines) + "\n"
