"""A function of many items in several processes: the values of one process, in the items' order,
whatever becomes of a process; and the commands that work so."""

import functools
import itertools
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from common import accepted, refusal, run, shout
from thread_ranks import Board, Threads, on_threads
from threadpoolctl import threadpool_info, threadpool_limits

from minitransformer.cli import lines
from minitransformer.cli.lines import GROUP, print_answers
from minitransformer.data.tasks import make_task
from minitransformer.decoding import (
    answers,
    beam_search,
    evaluate,
    evaluate_text,
    greedy,
    sample,
    translate,
)
from minitransformer.errors import InputError
from minitransformer.models import Transformer, TransformerConfig
from minitransformer.parallel import in_order as module
from minitransformer.parallel.in_order import AHEAD, in_order, packed, unpacked
from minitransformer.parallel.mpi import OnAllRanks
from minitransformer.parallel.processes import FORK_IS_SAFE
from minitransformer.runs import Run

ROOT = Path(__file__).parents[1]
needs_fork = pytest.mark.skipif(not FORK_IS_SAFE, reason="processes cannot be forked here")


@pytest.fixture(autouse=True)
def in_an_empty_folder_on_two_cores(tmp_path, monkeypatch):
    """After the test no process is left, unless it waits for its end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "cores", lambda: 2 if FORK_IS_SAFE else 1)
    before = {*multiprocessing.active_children()}
    yield
    assert {*multiprocessing.active_children()} <= before


def times_ten(item):
    return 10 * item


def and_process(item):
    return item, os.getpid()


def refuse_to_fork(*arguments):
    raise AssertionError("a process was forked")


# -- the values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3, 5, None])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_values_come_in_the_order_of_the_items_whatever_time_each_takes(workers, count):
    rng = random.Random(count)
    items = [(number, rng.random() / 100) for number in range(count)]

    def slow(item):
        time.sleep(item[1])
        return times_ten(item[0])

    assert list(in_order(slow, iter(items), workers)) == [10 * number for number in range(count)]


@needs_fork
@pytest.mark.parametrize("workers, expected", [(2, 2), (3, 3), (None, 2)])
def test_each_worker_is_a_process_of_its_own_with_one_blas_thread(workers, expected):
    def where(item):
        time.sleep(0.01)
        pools = threadpool_info()
        return os.getpid(), [p["num_threads"] for p in pools if p["user_api"] == "blas"]

    with threadpool_limits(2, "blas"):
        found = list(in_order(where, range(20), workers))
    processes = {process for process, _ in found}
    assert len(processes) == expected and os.getpid() not in processes
    assert all(threads and set(threads) == {1} for _, threads in found)


@pytest.mark.parametrize("workers, items, cores", [(1, 9, 2), (3, 1, 2), (3, 0, 2), (3, 9, 1)])
def test_one_worker_or_item_or_core_is_a_plain_loop_in_this_process(
    workers, items, cores, monkeypatch
):
    monkeypatch.setattr(module, "cores", lambda: cores)
    monkeypatch.setattr(module, "Fork", refuse_to_fork)
    monkeypatch.setattr(module, "one_blas_thread", refuse_to_fork)
    found = list(in_order(and_process, range(items), workers))
    assert found == [(number, os.getpid()) for number in range(items)]


def test_one_worker_takes_an_item_when_the_value_before_it_has_been_used():
    happened = []

    def items():
        for number in range(3):
            happened.append(f"taken {number}")
            yield number

    for value in in_order(times_ten, items(), 1):
        happened.append(f"used {value}")
    assert happened == ["taken 0", "used 0", "taken 1", "used 10", "taken 2", "used 20"]


@needs_fork
def test_items_without_an_end_are_taken_a_few_ahead():
    def slow_at_first(item):
        time.sleep(0.5 if item == 0 else 0)
        return times_ten(item)

    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield number

    values = in_order(slow_at_first, endless(), 2)
    for number in range(100):
        assert next(values) == 10 * number
        assert len(taken) <= number + 2 * AHEAD + 1
    values.close()


@needs_fork
def test_a_slow_item_does_not_keep_the_others_waiting():
    def slow_at_first(item):
        time.sleep(0.5 if item == 0 else 0)
        return os.getpid()

    first, *others = in_order(slow_at_first, range(AHEAD * 2), 2)
    assert first not in others


@needs_fork
def test_items_and_values_may_be_longer_than_a_pipe():
    items = [str(number) * 1_000_000 for number in range(9)]
    assert list(in_order(lambda item: item + item, items, 2)) == [item + item for item in items]


@pytest.mark.parametrize("value", [
    None, True, -3, 2**80, 0.1, 5e-324, float("inf"), "é\ud800🦉\0", [], [[1, "a"], [None]],
], ids=ascii)  # fmt: skip
def test_what_is_packed_comes_back(value):
    assert unpacked(packed(value)) == value and unpacked(packed((value, value))) == [value, value]


@pytest.mark.parametrize("array", [
    np.arange(6).reshape(2, 3), np.zeros((0, 4), np.float32), np.array([True, False]),
    np.array([np.nan, -0.0]), np.int64(3), np.float32(0.1), np.arange(6).reshape(2, 3).T,
], ids=repr)  # fmt: skip
def test_an_array_is_packed_bit_by_bit(array):
    (found,) = unpacked(packed([array]))
    assert found.dtype == array.dtype and found.shape == array.shape
    assert found.tobytes() == array.tobytes() and found.flags.writeable


def test_what_is_not_plain_is_not_packed():
    for value in (object(), np.array(["a"]), np.array([None]), {1, 2}, InputError("no")):
        with pytest.raises(TypeError, match="can be packed"):
            packed([value])


# -- errors ----------------------------------------------------------------------------------------


class Odd(Exception):
    """An error that no other process can be sent: it needs two arguments."""

    def __init__(self, number, why):
        super().__init__(why)


def failing(error, place, where):
    """(function, items of 20 numbers), one of which raises the error at this place."""

    def fails(item):
        if item == place and where == "function":
            raise error
        return times_ten(item)

    def items():
        for number in range(20):
            if number == place and where == "items":
                raise error
            yield number

    return fails, items


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("error", [InputError("a sentence"), Odd(1, "a sentence"), MemoryError()])
@pytest.mark.parametrize("place", [0, 1, 7, 19])
@pytest.mark.parametrize("where", ["function", "items"])
def test_an_error_is_met_at_its_place_and_what_stands_before_it_is_there(
    workers, error, place, where
):
    fails, items = failing(error, place, where)
    found = []
    with pytest.raises(type(error)) as raised:
        for value in in_order(fails, items(), workers):
            found.append(value)
    assert raised.value is error
    assert found == [10 * number for number in range(place)]


@needs_fork
def test_what_cannot_be_sent_is_computed_here():
    values = list(in_order(lambda item: lambda: item, range(5), 2))
    assert [value() for value in values] == [0, 1, 2, 3, 4]


REMEDY = r"Try again\. One process alone needs less memory: --jobs 1 \(in Python jobs=1\)\.$"


@needs_fork
def test_a_process_that_is_killed_is_reported_with_the_remedy():
    here = os.getpid()

    def dies(item):
        if item == 9 and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return times_ten(item)

    found = []
    with pytest.raises(ChildProcessError, match=r"has ended \(exit code -9; .*\)\. " + REMEDY):
        for value in in_order(dies, range(40), 2):
            found.append(value)
    assert found == [10 * number for number in range(len(found))] and len(found) <= 9


@needs_fork
@pytest.mark.parametrize("place", [0, 1, 9])
def test_a_process_that_stays_stopped_is_reported_with_the_remedy(place, monkeypatch):
    monkeypatch.setattr("minitransformer.parallel.processes.STOPPED_TOO_LONG", 0.5)

    def stops(item):
        if item == place:  # for so long that it should be given up
            subprocess.Popen(f"sleep 4; kill -CONT {os.getpid()}", shell=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return times_ten(item)

    found = []
    with pytest.raises(ChildProcessError, match=r"stopped by a signal .* seconds\. " + REMEDY):
        for value in in_order(stops, range(40), 2):
            found.append(value)
    assert found == [10 * number for number in range(place)]


@needs_fork
def test_a_process_that_was_stopped_for_a_moment_goes_on():
    def stops(item):
        if item == 3:
            subprocess.Popen(f"sleep 0.5; kill -CONT {os.getpid()}", shell=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return times_ten(item)

    assert list(in_order(stops, range(20), 2)) == [10 * number for number in range(20)]


@needs_fork
def test_whoever_stops_asking_leaves_no_process():
    before = {*multiprocessing.active_children()}
    values = in_order(lambda item: time.sleep(item and 20), itertools.count(), 3)
    next(values)
    assert len({*multiprocessing.active_children()} - before) == 3
    values.close()
    assert {*multiprocessing.active_children()} == before


@needs_fork
def test_ctrl_c_leaves_no_process():
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(in_order(lambda item: time.sleep(20), range(4), 2))
    finally:
        signal.signal(signal.SIGINT, handler)
    assert time.monotonic() - began < 8


# -- ranks of MPI ----------------------------------------------------------------------------------


def of_rank_0(ranks, items):
    """The items on rank 0; on the others, what must not be touched."""
    return iter(items) if ranks.rank == 0 else map(refuse_to_fork, [0])


SIZES = [1, 2, 3, 5]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_every_rank_has_all_values_in_the_order_of_the_items_of_rank_0(size, count):
    rng = random.Random(count)
    items = [(number, rng.random() / 100) for number in range(count)]

    def slow(item):
        time.sleep(item[1])
        return times_ten(item[0])

    for found in on_threads(
        size, lambda ranks: list(in_order(slow, of_rank_0(ranks, items), ranks))
    ):
        assert found == [10 * number for number in range(count)]


@pytest.mark.parametrize("size", SIZES)
def test_each_item_is_computed_by_one_rank_and_all_ranks_compute_equally_many(size):
    def on_a_rank(ranks):
        computed = []
        list(in_order(computed.append, of_rank_0(ranks, range(4 * size)), ranks))
        return computed

    computed = on_threads(size, on_a_rank)
    assert [len(items) for items in computed] == [4] * size
    assert sorted(itertools.chain.from_iterable(computed)) == list(range(4 * size))


@pytest.mark.parametrize("size", SIZES)
def test_rank_0_takes_no_item_before_the_values_of_the_last_round_are_used(size):
    def on_a_rank(ranks):
        taken, used = [], 0

        def items():
            for number in range(20):
                taken.append(number)
                yield number

        for _ in in_order(times_ten, items() if ranks.rank == 0 else None, ranks):
            used += 1
            assert len(taken) <= size * -(-used // size)

    on_threads(size, on_a_rank)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("error", [InputError("a sentence"), Odd(1, "a sentence"), MemoryError()])
@pytest.mark.parametrize("place", [0, 1, 7, 19])
@pytest.mark.parametrize("where", ["function", "items"])
def test_all_ranks_meet_an_error_at_its_place(size, error, place, where):
    fails, items = failing(error, place, where)
    def on_a_rank(ranks):
        found, met = [], None
        try:
            for value in in_order(fails, items() if ranks.rank == 0 else None, ranks):
                found.append(value)
        except (type(error), OnAllRanks) as problem:
            met = problem
        return found, met

    first, *others = on_threads(size, on_a_rank)
    assert first == ([10 * number for number in range(place)], error)
    for found, met in others:  # an error of the items is that of rank 0, and the others hear of it
        assert found == first[0] and str(met) == str(error)
        assert met is error if where == "function" else type(met) is OnAllRanks


def test_a_rank_computes_with_one_blas_thread():
    def threads(item):
        return [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]

    with threadpool_limits(2, "blas"):
        found = list(in_order(threads, range(2), Threads(Board(1), 0)))
    assert all(threads and set(threads) == {1} for threads in found)


def test_what_fails_on_one_rank_alone_is_computed_by_all():
    def on_a_rank(ranks):
        computed = []

        def fails_here(item):
            computed.append(item)
            if ranks.rank == 1 and computed == [1]:
                raise MemoryError
            return times_ten(item)

        return list(in_order(fails_here, of_rank_0(ranks, range(4)), ranks)), computed

    found = on_threads(2, on_a_rank)
    assert found == [([0, 10, 20, 30], [0, 1, 2]), ([0, 10, 20, 30], [1, 1, 3])]


def test_what_cannot_be_sent_is_computed_by_every_rank():
    def work(ranks):
        return list(in_order(lambda item: lambda: item, of_rank_0(ranks, range(5)), ranks))

    for values in on_threads(2, work):
        assert [value() for value in values] == [0, 1, 2, 3, 4]


# -- decoding and evaluation -----------------------------------------------------------------------


SEARCHES = {
    "greedy": greedy,
    "beam": functools.partial(beam_search, beam=3),
    "samples": functools.partial(sample, rng=7, temperature=2.0),
}


@pytest.fixture(scope="module")
def model():
    return Transformer(TransformerConfig.preset("toy", source_vocabulary=20), 3).eval()


@pytest.mark.parametrize("jobs", [2, 3, None])
@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_answers_do_not_depend_on_how_many_processes_decode(model, search, jobs):
    rng = np.random.default_rng(1)
    sources = [rng.integers(4, 20, size=rng.integers(0, 12)) for _ in range(90)]
    expected = answers(model, sources, search, batch_size=8)
    found = answers(model, sources, search, batch_size=8, jobs=jobs)
    assert [ids.tolist() for ids in found] == [ids.tolist() for ids in expected]


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_answers_and_figures_do_not_depend_on_how_many_ranks_compute(search, size):
    task = make_task("reverse")
    sources = [ids[ids != 0] for ids in task.sample(np.random.default_rng(1), 90)[0]]

    def found(jobs):
        config = TransformerConfig.preset("toy", source_vocabulary=len(task.vocabulary))
        model = Transformer(config, 3).eval()
        texts = [task.vocabulary.text(ids) for ids in sources]
        ids = accepted(answers, model, sources, search, batch_size=8, jobs=jobs)
        return json.dumps([
            [produced.tolist() for produced in ids],
            translate(model, task.vocabulary, texts, search, batch_size=8, jobs=jobs),
            evaluate(model, task, count=150, batch_size=20, search=search, jobs=jobs),
        ])  # fmt: skip

    assert {*on_threads(size, found)} == {found(1)}


def test_work_is_shared_by_ranks_only_when_that_is_asked_for(model, monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setattr("minitransformer.parallel.mpi.world", refuse_to_fork)
    assert len(answers(model, [np.array([4, 5])] * 9, greedy, batch_size=3)) == 9
    message = refusal(answers, model, [np.array([4])], greedy, jobs="ranks")
    assert "jobs must be a whole number of at least 1, or the ranks of MPI" in message


@pytest.mark.parametrize("jobs", [2, 3])
@pytest.mark.parametrize("search", [None, *SEARCHES.values()], ids=["forced", *SEARCHES])
def test_figures_do_not_depend_on_how_many_processes_measure(search, jobs):
    task = make_task("reverse")
    size = len(task.vocabulary)
    model = Transformer(TransformerConfig.preset("toy", source_vocabulary=size), 3)
    figures = [
        evaluate(model, task, count=150, batch_size=20, search=search, jobs=n) for n in (1, jobs)
    ]
    assert json.dumps(figures[0]) == json.dumps(figures[1])  # to the last digit


@needs_fork
def test_decoding_and_measuring_are_forked_when_that_is_asked_for(model, monkeypatch):
    task = make_task("reverse")
    model = Transformer(TransformerConfig.preset("toy", source_vocabulary=len(task.vocabulary)), 3)
    monkeypatch.setattr(module, "Fork", refuse_to_fork)
    sources, rows = [np.array([4, 5])] * 9, {"batch_size": 3}
    asked = [
        lambda **jobs: answers(model, sources, greedy, **rows, **jobs),
        lambda **jobs: translate(model, task.vocabulary, ["1 2"] * 9, greedy, **rows, **jobs),
        lambda **jobs: evaluate(model, task, count=9, **rows, **jobs),
        lambda **jobs: evaluate(model, task, count=99, batch_size=99, search=greedy, **jobs),
    ]
    for function in asked:
        function()
        with pytest.raises(AssertionError, match="was forked"):
            function(jobs=2)


def test_a_text_is_measured_alike_by_any_number_of_processes(capsys, monkeypatch):
    Path("book.txt").write_text("the cat sat on the mat, and the dog ran.\n" * 200)
    run("train --text book.txt --context 16 --steps 2 --out book --no-pictures", capsys)
    book = Run.open("book")
    monkeypatch.setattr("minitransformer.decoding.evaluation.LOGITS", 4096)
    found = [
        evaluate_text(book.model, book.task, count=100, jobs=jobs) for jobs in (1, 2, 3, None)
    ]
    assert len({json.dumps(figures) for figures in found}) == 1
    if FORK_IS_SAFE:
        monkeypatch.setattr(module, "Fork", refuse_to_fork)
        with pytest.raises(AssertionError, match="was forked"):
            evaluate_text(book.model, book.task, count=100, jobs=2)


# -- the commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("at_once", [1, 2, 64])
def test_lines_are_printed_as_by_one_process(seed, at_once, capsys, monkeypatch):
    rng = random.Random(seed)
    texts = [rng.choice(["a", "bc", "d?", "", "e"]) for _ in range(rng.randrange(150))]

    def remarks(text):
        return ["a vowel"] * (text == "a")

    said = []
    for jobs in (1, 2, 3):
        status = print_answers(texts, shout, "Line", at_once, remarks, jobs)
        said.append((status, capsys.readouterr()))
    assert said[0] == said[1] == said[2] and said[0][1].out.count("\n") == len(texts)

    def on_a_rank(ranks):
        if ranks.rank == 0:
            OfRank0.thread = threading.get_ident()
        return print_answers(of_rank_0(ranks, texts), shout, "Line", at_once, remarks, ranks)

    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, OfRank0(getattr(sys, name)))
        assert on_threads(3, on_a_rank) == [said[0][0]] * 3
    assert capsys.readouterr() == said[0][1]


class OfRank0:
    """A stream that writes what one thread prints."""

    thread = 0

    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        if self.thread == threading.get_ident():
            self.stream.write(text)

    def flush(self):
        self.stream.flush()


@pytest.mark.parametrize("size", [2, 3, 70])
@pytest.mark.parametrize("at_once", [1, 64])
def test_ranks_await_no_more_lines_than_one_process(size, at_once, capsys):
    """Whoever sends so many lines may wait for their answers before the next is sent."""

    def on_a_rank(ranks):
        taken = []

        def counting(texts):
            for text in texts:
                taken.append(text)
                yield text

        def answer(texts):
            if ranks.rank == 0:
                assert len(taken) % at_once == 0 and len(taken) - len(answered) <= at_once
                answered.extend(taken[len(answered) :])
            return texts

        answered = []
        print_answers(counting("x" * (3 * at_once)), answer, "Line", at_once, jobs=ranks)

    on_threads(size, on_a_rank)
    assert capsys.readouterr().out == "x\n" * (3 * at_once) * size


WORDS = ["seven", "forty-two", "one hundred and one", "ninety-nine thousand and four", "twelve"]
BAD = ["", "  ", "foo bar", "one two qqq", "nine " * 200, "Ü → ☃", "x" * 3000, "seven \udcff"]


def write_lines(count, bad=0.1):
    rng = random.Random(count)
    lines = [rng.choice(BAD if rng.random() < bad else WORDS) for _ in range(count)]
    Path("lines").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "options",
    [
        "--beam 1",
        "--temperature 9 --seed 3 --top-k 50",
        pytest.param("", marks=pytest.mark.slow),
        pytest.param("--beam 3 --early-stopping", marks=pytest.mark.slow),
        pytest.param("--beam 1 --max-tokens 3", marks=pytest.mark.slow),
    ],
)
def test_a_file_is_translated_alike_by_any_number_of_processes(options, capsys):
    write_lines(300)
    said = [
        run(f"translate numbers-en-de --file lines {options} --jobs {jobs}", capsys)
        for jobs in (1, 2, 3)
    ]
    assert said[0] == said[1] == said[2]
    assert said[0][0] == 2 and said[0][1].count("\n") == 300


@needs_fork
@pytest.mark.parametrize("command", ["translate", "predict"])
def test_many_texts_are_answered_side_by_side(command, capsys, monkeypatch):
    texts = " ".join(WORDS[n % 2] for n in range(2 * GROUP))
    line = f"{command} numbers-en-de {texts} --beam 1"
    assert run(f"{line} --jobs 2", capsys) == run(f"{line} --jobs 1", capsys)
    monkeypatch.setattr(module, "Fork", refuse_to_fork)
    assert run(f"{command} numbers-en-de {WORDS[0]} {WORDS[1]} --jobs 2", capsys)[0] == 0
    with pytest.raises(AssertionError, match="was forked"):
        run(line, capsys)  # on two cores


@needs_fork
@pytest.mark.parametrize("run_of", ["pairs", "sentences", "text"])
def test_every_kind_of_run_is_evaluated_side_by_side(run_of, capsys, monkeypatch):
    Path("book.txt").write_text("the cat sat on the mat, and the dog ran.\n" * 200)
    Path("sums.tsv").write_text("".join(f"{n}+{n}\t{n + n}\n" for n in range(1000)))
    task = {"pairs": "reverse", "sentences": "--data sums.tsv", "text": "--text book.txt"}[run_of]
    run(f"train {task} --steps 2 --out trained --no-pictures", capsys)
    monkeypatch.setattr("minitransformer.decoding.evaluation.LOGITS", 4096)
    line = "evaluate trained --count 300 --json" + " --beam 1" * (run_of != "text")
    line += " --show 2" * (run_of == "sentences")
    said = [run(f"{line} --jobs {jobs}", capsys) for jobs in (1, 2, 3)]
    assert said[0] == said[1] == said[2] and said[0][0] == 0
    monkeypatch.setattr(module, "Fork", refuse_to_fork)
    with pytest.raises(AssertionError, match="was forked"):
        run(line, capsys)


def translating(*words, stdin=None, stdout=subprocess.PIPE):
    return subprocess.Popen(
        [
            sys.executable, "-m", "minitransformer", "translate", "numbers-en-de", "--beam", "1",
            "--jobs", "2", *words,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, encoding="utf-8", stdin=stdin,
        stdout=stdout, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def children(pid):
    """The processes that this one has started and that have not ended."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state not in "ZX":
            found.append(int(file.parent.name))
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@needs_fork
@pytest.mark.parametrize(
    "fault, status, said",
    [
        ("kill", 1, "minitransformer: A process that helped to compute has ended"),
        ("ctrl-c", 130, "minitransformer: interrupted.\n"),
        ("term", 128 + signal.SIGTERM, ""),
        ("close", 0, ""),
        pytest.param(
            "stop", 1, "minitransformer: A process that helps to compute has been stopped",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_command_that_is_disturbed_ends_in_a_sentence_with_no_process_left(fault, status, said):
    write_lines(100_000, bad=0)  # so many that it is not done before it is disturbed
    with open("written", "w") as file:
        process = translating(
            "--file", "lines", stdout=subprocess.PIPE if fault == "close" else file
        )
    while fault != "close" and not Path("written").stat().st_size:
        time.sleep(0.01)
    if fault == "close":
        process.stdout.readline()
    deadline = time.monotonic() + 30  # the first lines may be written before both have begun
    while len(forks := children(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(forks) == 2
    if fault == "kill":
        os.kill(forks[1], signal.SIGKILL)
    elif fault == "stop":
        os.kill(forks[1], signal.SIGSTOP)
    elif fault == "ctrl-c":
        os.killpg(process.pid, signal.SIGINT)
    elif fault == "term":
        process.terminate()
    else:
        process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    assert process.wait(60) == status and err.startswith(said) and err.count("\n") <= 1
    deadline = time.monotonic() + 5
    while any(map(alive, forks)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, forks))
    # what is written is the beginning of the whole
    meant = dict(zip(WORDS, GERMAN))
    texts = [meant[text] + "\n" for text in Path("lines").read_text().splitlines()]
    written = Path("written").read_text(encoding="utf-8")
    assert len(written) < len("".join(texts)) and "".join(texts).startswith(written)


GERMAN = ["sieben", "zweiundvierzig", "einhunderteins", "neunundneunzigtausendvier", "zwölf"]


def test_whoever_waits_for_an_answer_at_the_other_end_of_a_pipe_gets_it():
    process = translating(stdin=subprocess.PIPE)
    timer = threading.Timer(20, process.kill)
    timer.start()
    for _ in range(3):
        process.stdin.write("seven\n" * GROUP)
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(GROUP)] == ["sieben\n"] * GROUP
    assert process.communicate() == ("", "") and process.returncode == 0
    timer.cancel()


@needs_fork
def test_lines_lie_ready_in_a_file_and_not_in_a_pipe_or_terminal(monkeypatch):
    write_lines(3 * GROUP, bad=0)
    reading, writing = os.pipe()
    for number in (os.open("lines", os.O_RDONLY), reading):
        with open(number, encoding="utf-8") as stream:
            monkeypatch.setattr(sys, "stdin", stream)
            assert lines.lie_ready(None) == (number != reading)
    os.close(writing)
    monkeypatch.setattr(sys, "stdin", None)
    assert not lines.lie_ready(None) and lines.lie_ready("lines") and not lines.lie_ready("none")


@needs_fork
def test_a_file_as_standard_input_is_translated_side_by_side(capsys, monkeypatch):
    write_lines(2 * GROUP, bad=0)
    said = run("translate numbers-en-de --beam 1 --file lines", capsys)
    with open("lines", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert run("translate numbers-en-de --beam 1", capsys) == said
    monkeypatch.setattr(module, "Fork", refuse_to_fork)
    with open("lines", encoding="utf-8") as stream, pytest.raises(AssertionError, match="forked"):
        monkeypatch.setattr(sys, "stdin", stream)
        run("translate numbers-en-de --beam 1", capsys)
