"""Count the numbers that a translator of number words gets right, for each beam and length penalty:
python benchmarks/number_words.py numbers-en-de

All numbers from 0 on, and some of six digits, drawn by seed 0. Where an answer is wrong, either the
search missed the right one, or the model prefers the wrong one: its score is then the better of the
two.

`--certain` counts without a search, in a hundredth of the time: a search with any beam must find
the right answer Y where

    p(Y) > 1/2      and      log p(Y) / penalty(|Y|) > log(1 − p(Y)) / penalty(longest)

Of all beginnings of one length that of Y is then the most likely, so it is never dropped; and no
other sentence has more than 1 − p(Y), or is longer than the longest that is allowed, so none has a
better score.
"""

import argparse
import functools
import json
import sys
import time

import numpy as np

from minitransformer.core import evaluating
from minitransformer.data.batching import make_batch
from minitransformer.data.numbers import NumberWords, spell
from minitransformer.data.vocabulary import EOS, PAD
from minitransformer.decoding import answers, beam_search, longest_answer, writable
from minitransformer.decoding.beam import log_softmax, penalty
from minitransformer.runs import Run


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "run", help="a run folder, a checkpoint file, or a model that comes with the package"
    )
    parser.add_argument(
        "--beams", nargs="+", type=int, default=range(1, 11), metavar="N", help="default: 1 to 10"
    )
    parser.add_argument(
        "--alphas", nargs="+", type=float, default=(0.0, 0.6, 1.0), metavar="A",
        help="default: 0 0.6 1",
    )
    parser.add_argument(
        "--below", type=int, default=10_000, help="all numbers below this one (default: 10000)"
    )
    parser.add_argument(
        "--six-digits", type=int, default=2000, metavar="N",
        help="how many of six digits (default: 2000)",
    )
    parser.add_argument(
        "--early-stopping", action="store_true",
        help="end a search when it has as many answers as its beam",
    )
    parser.add_argument(
        "--certain", action="store_true",
        help="count the numbers that no search can miss, and search for none",
    )
    parser.add_argument("--batch", type=int, default=64, help="numbers at a time (default: 64)")
    parser.add_argument(
        "--show", type=int, default=3, metavar="N",
        help="wrong answers to print of each row (default: 3)",
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write all counts and all wrong answers there"
    )
    return parser.parse_args(argv)


def numbers_of(options):
    """{what they are: numbers}."""
    six = np.random.default_rng(0).choice(
        np.arange(100_000, 1_000_000), options.six_digits, replace=False
    )
    return {
        f"0 to {options.below - 1:,}": range(options.below),
        f"{options.six_digits:,} of six digits": six.tolist(),
    }


def measured(run, numbers, search, alpha, batch):
    """{"right", "count", "ms" (of a number), "wrong": [{"number", "answer", "expected", "missed"
    (by the search)}]}."""
    vocabulary, task = run.vocabulary, run.task
    sources = [vocabulary.encode(spell(n, task.source)) for n in numbers]
    start = time.perf_counter()
    found = answers(run.model, sources, search, batch_size=batch)
    seconds = time.perf_counter() - start
    wrong = []
    for number, source, ids in zip(numbers, sources, found):
        answer, expected = vocabulary.text(ids), spell(number, task.target)
        if answer != expected:
            scores = [
                score(run.model, source, target, alpha)
                for target in (without_end(ids), vocabulary.encode(expected))
            ]
            wrong.append(
                {
                    "number": number, "answer": answer, "expected": expected,
                    "missed": bool(scores[0] < scores[1]),
                }
            )
    return {
        "right": len(found) - len(wrong), "count": len(found), "ms": 1000 * seconds / len(found),
        "wrong": wrong,
    }


def certain(run, numbers, alpha, batch):
    """How many numbers every search gets right, whatever its beam: by the probability of the right
    answer alone."""
    pairs, found = [(spell(n, run.task.source), spell(n, run.task.target)) for n in numbers], 0
    for start in range(0, len(pairs), batch):
        source, target_in, target_out = make_batch(
            *map(run.vocabulary.encode_all, zip(*pairs[start : start + batch]))
        )
        with evaluating(run.model):
            logits = writable(run.model(source, target_in)).astype(np.float64)
        p, real, place = np.exp(log_softmax(logits)), target_out != PAD, target_out[..., None]
        log_p = np.log(np.where(real, np.take_along_axis(p, place, -1)[..., 0], 1)).sum(axis=1)
        np.put_along_axis(p, place, 0, axis=-1)
        # at least 1 − p(Y), (B,)
        others = np.maximum((p.sum(axis=-1) * real).sum(axis=1), np.finfo(float).tiny)
        bound = np.log(others) / penalty(longest_answer(run.model, source) + 1, alpha)
        found += int(
            ((log_p > np.log(0.5)) & (log_p / penalty(real.sum(axis=1), alpha) > bound)).sum()
        )
    return found


def without_end(ids):
    """What a search wrote, (n,), without EOS and the padding behind it."""
    return ids[(ids != EOS) & (ids != PAD)]


def score(model, source, target, alpha):
    """log p(Y | X) / penalty of one pair of ids, EOS included."""
    batch = make_batch(source[None], target[None])
    with evaluating(model):
        log_p = log_softmax(model(batch.source, batch.target_in).astype(np.float64))[0]
    real = batch.target_out[0] != PAD
    return log_p[np.arange(len(log_p)), batch.target_out[0]][real].sum() / penalty(
        real.sum(), alpha
    )


def main(argv=None):
    options = arguments(argv)
    run, rows = Run.open(options.run), []
    if not isinstance(run.task, NumberWords):
        print(
            (
                f"{options.run} does not translate numbers in words; its task is "
                f"{run.config['task']['name']}."
            ),
            file=sys.stderr,
        )
        return 2
    if options.certain:
        print("| numbers | alpha | certain with any beam | of |\n|---|---|---|---|")
        for name, numbers in numbers_of(options).items():
            for alpha in options.alphas:
                print(
                    (
                        f"| {name} | {alpha} | {certain(run, numbers, alpha, options.batch)} | "
                        f"{len(numbers)} |"
                    ),
                    flush=True,
                )
        return 0
    print(
        "| numbers | beam | alpha | right | of | missed by the search | preferred by the model | "
        "ms a number |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, numbers in numbers_of(options).items():
        for alpha in options.alphas:
            for beam in options.beams:
                search = functools.partial(
                    beam_search, beam=beam, alpha=alpha, early_stopping=options.early_stopping
                )
                row = {
                    "numbers": name, "beam": beam, "alpha": alpha,
                    **measured(run, numbers, search, alpha, options.batch),
                }
                rows.append(row)
                missed = sum(wrong["missed"] for wrong in row["wrong"])
                preferred = len(row["wrong"]) - missed
                cells = (
                    name, beam, alpha, row["right"], row["count"], missed, preferred,
                    f"{row['ms']:.2f}",
                )
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)
                for wrong in row["wrong"][: options.show]:
                    print(
                        f"  {wrong['number']:,}: {wrong['answer']}, not {wrong['expected']}",
                        flush=True,
                    )
                if options.json:
                    with open(options.json, "w", encoding="utf-8") as file:
                        json.dump({"run": options.run, "rows": rows}, file, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
