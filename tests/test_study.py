"""The study: what it counts, what it measures, that it goes on where it stopped, and the page that
it leaves."""

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from minitransformer.attention import MultiHeadAttention
from minitransformer.cli import main
from minitransformer.errors import InputError
from minitransformer.runs import configure, find_model
from minitransformer.study import page, run_study, table1, trainings
from minitransformer.study import plan as plans
from minitransformer.study.gradients import by_distance
from minitransformer.study.plan import PLANS, Plan, equal_sizes, parameter_count

ROOT = Path(__file__).parents[1]
TINY = Plan(
    width=8, longest=6, lengths=(4, 6, 8), steps=6, batch_size=4, rates=(1e-3, 1e-2), seeds=(0, 1),
    sequences=5, distances=5, table_width=16, table_lengths=(16, 32, 64), clock_width=8,
    clock_lengths=(4, 8),
)  # fmt: skip
FROM_DATA = {"source_vocabulary": 14, "max_length": 512}


@contextlib.contextmanager
def silent(title, total):
    done = []
    yield done.append
    assert sum(done) == total, f"{title}: {sum(done)} of {total} were reported"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of a study by the tiny plan, finished."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PLANS, "tiny", TINY)
        folder = tmp_path_factory.mktemp("study") / "new"
        run_study("tiny", folder, silent, jobs=2)
        yield folder


@pytest.mark.slow
def test_the_page_has_every_measurement_and_its_pictures_exist(study):
    text = (study / "comparison.md").read_text(encoding="utf-8")
    for contestant in TINY.contestants():
        assert text.count(f"| {contestant.title} |") >= 3, contestant.title
    for name in ("exact-match", "gradients", "operations", "wall-time"):
        assert f"({name}.png)" in text and (study / f"{name}.png").stat().st_size > 5000
    assert "nan" not in text and "None" not in text


@pytest.mark.slow
def test_every_model_is_trained_at_every_rate_and_then_with_the_other_seeds_at_the_best(study):
    results = json.loads((study / "exact-match.json").read_text())
    for contestant in TINY.contestants():
        own = [r for r in results if r["model"] == contestant.model]
        assert sorted((r["rate"], r["seed"]) for r in own if r["seed"] == 0) == [
            (1e-3, 0),
            (1e-2, 0),
        ]
        best = min((r for r in own if r["seed"] == 0), key=lambda r: r["validation_loss"])["rate"]
        assert [(r["rate"], r["chosen"]) for r in own if r["seed"] == 1] == [(best, True)]
        assert [r["rate"] for r in own if r["chosen"]] == [best, best]
        assert all(list(r["exact_match"]) == ["4", "6", "8"] and r["steps"] == 6 for r in own)


@pytest.mark.slow
def test_a_study_goes_on_where_it_was_stopped_and_measures_nothing_twice(study, monkeypatch):
    before = {path: path.read_bytes() for path in study.glob("*.json")}
    (study / "exact-match.json").unlink()
    lost = study / "runs" / "conv-rate0.001-seed0" / trainings.RESULT
    kept = lost.read_bytes()
    lost.unlink()  # trained to its end, and stopped before it was measured
    monkeypatch.setitem(PLANS, "tiny", TINY)
    run_study("tiny", study, silent, jobs=1)
    assert lost.read_bytes() == kept
    assert {path: path.read_bytes() for path in study.glob("*.json")} == before


@pytest.mark.slow
def test_a_folder_that_is_not_this_study_is_refused(study, tmp_path, monkeypatch):
    monkeypatch.setitem(PLANS, "tiny", TINY)
    with pytest.raises(InputError, match="a study by another plan"):
        run_study("short", study, silent)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else than a study"):
        run_study("tiny", tmp_path, silent)
    with pytest.raises(InputError, match="no plan 'shrot'. Did you mean 'short'"):
        run_study("shrot", tmp_path, silent)


def test_progress_is_reported_while_a_training_runs(tmp_path, monkeypatch):
    advanced, seen = [], threading.Event()

    def slow_training(plan, contestant, rate, seed, folder):
        folder.mkdir(parents=True)
        # a line is just being written
        (folder / "metrics.jsonl").write_text('{"step": 2}\n{"step": 4}\n{"st')
        assert seen.wait(30), "nobody looked how far it is"
        (folder / trainings.RESULT).write_text('{"done": true}')

    def advance(count):
        advanced.append(count)
        if sum(advanced) == 4:
            seen.set()

    monkeypatch.setattr(
        concurrent.futures, "ProcessPoolExecutor", lambda jobs, context: ThreadPoolExecutor(jobs)
    )
    monkeypatch.setattr(trainings, "train_one", slow_training)
    contestant = TINY.contestants()[0]
    assert trainings.run_many([(TINY, contestant, 1e-3, 0)], tmp_path, advance, 1) == [
        {"done": True}
    ]
    assert sum(advanced) == TINY.steps == 6 and min(advanced) >= 0
    advanced.clear()
    trainings.run_many([(TINY, contestant, 1e-3, 0)], tmp_path, advance, 1)
    assert sum(advanced) == 6  # one that is done already counts too


def test_how_far_a_training_is_stands_in_the_last_whole_line_of_its_metrics(tmp_path):
    assert trainings.steps_done(tmp_path / "nowhere", 9) == 0
    for text, steps in (
        ("", 0), ('{"step": 3}', 0), ('{"step": 3}\n', 3), ('{"step": 3}\n{"step": 7}\n{', 7),
        ("{\n", 0),
    ):
        (tmp_path / "metrics.jsonl").write_text(text)
        assert trainings.steps_done(tmp_path, 9) == steps, text
    (tmp_path / trainings.RESULT).write_text("{}")
    assert trainings.steps_done(tmp_path, 9) == 9


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal to a process group")
def test_ctrl_c_keeps_what_is_measured_and_says_how_to_go_on(study, tmp_path):
    folder = tmp_path / "stopped"
    folder.mkdir()
    plan = json.loads(json.dumps({"plan": "short", **dataclasses.asdict(PLANS["short"])}))
    (folder / "study.json").write_text(json.dumps(plan))
    for name in ("operations.json", "wall-time.json"):
        (folder / name).write_bytes((study / name).read_bytes())
    command = [
        sys.executable, "-m", "minitransformer", "compare", "--out", str(folder), "--jobs", "2",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, cwd=ROOT
    )
    began = time.monotonic()
    while len(list(folder.glob("runs/*/metrics.jsonl"))) < 2 and time.monotonic() - began < 60:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 130 and "Traceback" not in output, output
    assert (
        "Stopped; results so far are kept. Continue:" in output
        and f"compare --out {folder}" in output
    )
    assert len(list(folder.glob("runs/*/checkpoints/*.safetensors"))) == 2


@pytest.mark.slow
def test_damaged_results_are_named_with_the_remedy(study, monkeypatch):
    monkeypatch.setitem(PLANS, "tiny", TINY)
    path = study / "gradients.json"
    text = path.read_text()
    path.write_text(text[:-20])
    with pytest.raises(InputError, match="gradients.json is damaged: .* Delete it"):
        run_study("tiny", study, silent)
    path.write_text(text)


@pytest.mark.slow
def test_the_command_writes_the_page_and_says_where(study, monkeypatch, capsys):
    monkeypatch.setitem(PLANS, "short", TINY)
    (study / "study.json").write_text(
        (study / "study.json").read_text().replace('"tiny"', '"short"')
    )
    assert main(["compare", "--out", str(study)]) == 0
    assert f"The page: {study / 'comparison.md'}" in capsys.readouterr().out
    (study / "study.json").write_text(
        (study / "study.json").read_text().replace('"short"', '"tiny"')
    )


@pytest.mark.parametrize("name", PLANS)
def test_all_contestants_are_of_one_size(name):
    options = equal_sizes(PLANS[name], PLANS[name].width, **FROM_DATA)
    counts = {
        model: parameter_count(model, chosen, **FROM_DATA) for model, chosen in options.items()
    }
    assert list(counts) == [c.model for c in PLANS[name].contestants()]
    assert options["transformer"]["d_model"] == PLANS[name].width
    assert all(abs(count / counts["transformer"] - 1) < 0.02 for count in counts.values()), counts


@pytest.mark.parametrize("name", PLANS)
def test_the_convolution_is_deep_enough_to_see_the_whole_sequence(name):
    plan = PLANS[name]
    depth = next(c for c in plan.contestants() if c.model == "conv").options["decoder_layers"]
    assert plans.KERNEL**depth >= 2 * plan.longest + 1 > plans.KERNEL ** (depth - 1)


# -- Table 1 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return table1.measure(TINY, lambda n: None)


PAPER = {
    "attention": {"n": 2, "d": 1},
    "recurrent": {"n": 1, "d": 2},
    "convolution": {"n": 1, "d": 2, "size": 1},
    "local": {"n": 1, "d": 1, "size": 1},
}


@pytest.mark.parametrize("name", PAPER)
def test_the_counted_cores_grow_as_the_paper_says(name, table):
    exponents = table["rows"][name]["exponents"]["core"]
    assert exponents.keys() == PAPER[name].keys()
    assert all(abs(exponents[key] - PAPER[name][key]) < 0.1 for key in exponents)


def test_each_row_has_a_title_and_the_three_orders_of_growth_of_the_paper(table):
    for row in table["rows"].values():
        assert not row["title"].startswith("O(") and len(row["paper"]) == 3
        assert all(order.startswith("O(") for order in row["paper"])


def test_values_of_seeds_are_their_mean_and_what_they_lie_between_in_percent():
    assert page.spread([0.25, 0.5, 0.75]) == "50 (25–75)"
    assert page.spread([0.333, 0.333]) == "33.3"


def test_the_cores_of_attention_and_recurrence_cross_at_n_equal_to_d(table):
    lines = {line["d"]: line for line in table["crossings"]}
    for d in (16, 32):
        assert abs(lines[d]["core against recurrent"] / d - 1) < 0.1
        assert abs(lines[d]["layer against gated"] / d - 1) < 0.1
        assert lines[d]["layer against recurrent"] == 0  # attention's is the larger at every length
    assert lines[8]["core against recurrent"] == 0  # n = 16 is beyond d


def test_sequential_steps_are_constant_but_for_the_recurrence(table):
    for name, row in table["rows"].items():
        steps = {c["n"]: c["steps"] for c in row["counts"]}
        assert steps == (
            {n: n for n in steps}
            if name in ("recurrent", "gated")
            else dict.fromkeys(steps, steps[16])
        )


def test_the_longest_paths_are_those_of_the_paper(table):
    paths = {name: dict(row["paths"]) for name, row in table["rows"].items()}
    for n in TINY.table_lengths:
        assert paths["attention"][n] == 1 and paths["recurrent"][n] == n
        assert paths["convolution"][n] == int(np.ceil(np.log(n) / np.log(plans.KERNEL)))
        assert paths["local"][n] == -(-(n - 1) // (plans.WINDOW - 1))


def test_a_crossing_lies_between_the_points_and_may_not_exist():
    lengths = [1, 10, 100]
    np.testing.assert_allclose(table1.crossing(lengths, [1, 10, 100], [3, 3, 3]), 3, rtol=1e-9)
    assert table1.crossing(lengths, [1, 2, 3], [2, 3, 4]) is None
    assert table1.crossing(lengths, [5, 5, 5], [1, 1, 1]) == 0
    assert table1.crossing(lengths, [1, 5, 9], [1, 1, 1]) == 1


def test_what_the_documents_show_is_what_the_command_would_measure():
    shown = {
        name: json.loads((ROOT / f"docs/comparison/{name}.json").read_text(encoding="utf-8"))
        for name in ("study", "operations")
    }
    plan = json.loads(json.dumps(dataclasses.asdict(PLANS["full"])))
    assert shown["study"] == {"plan": "full", **plan}
    for name, layer in {**table1.LAYERS, "gated": table1.GATED}.items():
        row = shown["operations"]["rows"][name]
        assert row["title"] == layer.title
        assert row["paper"] == [layer.per_layer, layer.sequential, layer.path]
        sizes = {count["size"] for count in row["counts"]}
        assert sizes == {layer.size, *layer.sizes} - ({0} if layer.sizes else set())


def test_the_core_of_attention_is_a_part_of_its_layer():
    counts = table1.count(table1.LAYERS["attention"], 16, 32, 0)
    assert (
        counts["core"] == 2 * 16 * 16 * 32 and counts["layer"] == counts["core"] + 4 * 16 * 32 * 32
    )
    assert table1.LAYERS["attention"].step is MultiHeadAttention


# -- gradients -------------------------------------------------------------------------------------


def test_the_gradient_is_that_of_the_token_that_is_needed():
    """One convolution of width 4 sees three positions back, and no farther."""
    kind = find_model("conv")
    model = kind.model(
        configure("conv", "toy", {"decoder_layers": 1, "kernel_width": 4}, **FROM_DATA), 0
    )
    distances, sizes_of = by_distance(model, 6)
    assert distances.tolist() == [1, 3, 5, 7, 9, 11]
    assert (sizes_of[distances <= 3] > 0).all() and not sizes_of[distances > 3].any()
