"""Texts line by line, UTF-8 whatever the locale says, and no traceback: closed streams, full disks,
Ctrl-C, odd arguments."""

import io
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import fuzz_commands
import numpy as np
import pytest
from common import run, shout

from minitransformer.cli import lines, main
from minitransformer.cli.lines import answered, for_lines, lines_of, print_answers
from minitransformer.cli.parser import make_parser
from minitransformer.data.download import cache_folder
from minitransformer.errors import InputError, reading, typed
from minitransformer.lessons.notebooks import lessons
from minitransformer.runs import Run
from minitransformer.terminal import interruption
from minitransformer.terminal.home import do_without_a_home

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(
    os.name == "nt", reason="what a POSIX system does with closed streams, devices and signals"
)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stdin_of(content, monkeypatch):
    """Let standard input hold these bytes, read by a locale that is not UTF-8."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="latin-1"))


# -- line n answers line n -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("at_once", [1, 2, 64])
def test_whatever_stands_in_the_other_lines_each_line_is_answered_in_its_place(
    seed, at_once, capsys
):
    rng = random.Random(seed)
    texts = [rng.choice(["a", "bc", "?", "d?", "", " "]) for _ in range(rng.randrange(150))]
    status = print_answers(texts, for_lines(shout, None), "Line", at_once)
    out, err = capsys.readouterr()
    assert out.split("\n")[:-1] == [
        "" if "?" in text else text.strip() and text.upper() for text in texts
    ]
    asked = [number for number, text in enumerate(texts, start=1) if "?" in text]
    assert err.splitlines() == [
        f"minitransformer: Line {n}: {texts[n - 1]!r} is a question." for n in asked
    ]
    assert status == (2 if asked else 0)


def test_texts_that_can_be_answered_are_answered_together():
    calls = []
    answered(list("abcdefgh"), lambda texts: calls.append(len(texts)) or texts)
    assert calls == [8]


def test_large_files_are_not_read_whole(capsys):
    taken = []

    def endless():
        for number in range(10**9):
            taken.append(number)
            yield "a"

    def stop_at_the_third_call(texts):
        if len(taken) > 2 * lines.GROUP:
            raise KeyboardInterrupt
        return texts

    with pytest.raises(KeyboardInterrupt):
        print_answers(endless(), stop_at_the_third_call)
    assert len(taken) == 3 * lines.GROUP and capsys.readouterr().out == "a\n" * 2 * lines.GROUP


CONTENTS = [
    (b"a\rb\r\nc\n\nd", ["a\rb", "c", "", "d"]),
    (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
    (b"", []),
    (b"\n", [""]),
    ("ü\u2028\u0085\x0b\x0c\x1c→\n".encode(), ["ü\u2028\u0085\x0b\x0c\x1c→"]),
    (b"a\n\xff\nb", ["a", "\udcff", "b"]),
]


@pytest.mark.parametrize("content, expected", CONTENTS)
def test_a_file_and_standard_input_have_the_same_lines(content, expected, monkeypatch):
    Path("texts").write_bytes(content)
    stdin_of(content, monkeypatch)
    assert list(lines_of("texts")) == list(lines_of(None)) == expected
    assert not sys.stdin.closed


def test_a_line_that_is_no_utf8_is_named_with_its_byte_and_the_others_are_answered(
    capsys, monkeypatch
):
    Path("texts").write_bytes(b"three\nf\xfcnf\nfour\n")
    status, out, err = run("translate numbers-en-de --file texts", capsys)
    assert (status, out) == (2, "drei\n\nvier\n")
    assert (
        err
        == (
            "minitransformer: Line 2: texts is not UTF-8 text: byte 0xfc at place 2. Save it as "
            "UTF-8.\n"
        )
    )
    stdin_of(b"\xef\xbb\xbfthree\n\xff\nfour", monkeypatch)
    status, out, err = run("translate numbers-en-de", capsys)
    assert (
        (status, out) == (2, "drei\n\nvier\n")
        and "Standard input is not UTF-8" in err
        and "Line 2" in err
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf16_is_one_sentence(encoding, capsys):
    Path("texts").write_bytes("\ufeffthree\nfour\n".encode(encoding))
    status, out, err = run("translate numbers-en-de --file texts", capsys)
    assert (status, out, err) == (
        2, "", "minitransformer: texts is UTF-16, not UTF-8 text. Save it as UTF-8.\n",
    )


def test_a_line_that_is_too_long_leaves_its_place_too(capsys):
    Path("texts").write_text("three\n" + "two " * 600 + "\nfour\n")
    status, out, err = run("translate numbers-en-de --file texts", capsys)
    assert (status, out) == (
        2,
        "drei\n\nvier\n",
    ) and "Line 2: A sequence of 600 tokens is longer" in err


def test_of_several_texts_the_one_that_cannot_be_read_is_named_and_a_single_one_needs_no_name(
    capsys,
):
    for command in ("translate", "predict"):
        status, out, err = run(f"{command} numbers-en-de three foo four", capsys)
        assert (
            status == 2
            and err.startswith("minitransformer: Text 2: 'foo'")
            and err.count("\n") == 1
        )
        assert [bool(line) for line in out.splitlines()] == [True, False, True]
        status, out, err = run(f"{command} numbers-en-de foo", capsys)
        assert (status, out) == (2, "") and err.startswith("minitransformer: 'foo'")


@pytest.mark.parametrize("texts, told", [
    ("seventy nine", "These were 2 texts, each with an answer of its own. "
                     'If they are one, put it in quotes: "seventy nine"'),
    ("twelve thousand and five", "These were 4 texts, each with an answer of its own. "
                                 'If they are one, put it in quotes: "twelve thousand and five"'),
    ("three four", ""), ("'forty thousand' five", ""), ("three", ""), ("three foo", ""),
    ("3 ''", ""),
])  # fmt: skip
@pytest.mark.parametrize("command", ["translate", "predict"])
def test_texts_that_look_like_one_without_its_quotes_are_told_so(command, texts, told, capsys):
    err = run(f"{command} numbers-en-de {texts}", capsys)[2]
    assert err.count("in quotes") == bool(told) and told in err


def test_words_that_are_too_many_may_be_a_text_without_quotes(capsys):
    for words in (
        "plot numbers-en-de --text 3 1", "evaluate my 1", "train copy 1", "export my 2 1",
        "lessons 1 1", "tasks 1", "exercises a 1",
    ):
        status, out, err = run(words, capsys)
        assert (
            (status, out) == (2, "")
            and "'1' is more than this command takes. Put a text or a name with spaces in quotes"
            in err
        ), err
    assert (
        "there is no option --txet; did you mean --text?"
        in run("plot numbers-en-de --txet 3", capsys)[2]
    )


def test_an_option_that_cannot_be_is_said_once_and_not_for_every_line(capsys):
    Path("texts").write_text("three\n" * 70)
    status, out, err = run("translate numbers-en-de --file texts --top-p 1.5", capsys)
    assert status == 2 and out == "" and err.count("\n") == 1 and "top_p" in err


class Terminal(io.StringIO):
    """Somebody who types a line only after the one before was answered."""

    def __init__(self, capsys):
        super().__init__()
        self.capsys, self.typed, self.seen = capsys, iter(["three\n", "foo\n", "four\n"]), []

    def isatty(self):
        return True

    def __next__(self):
        self.seen.append(self.capsys.readouterr().out)
        return next(self.typed)


def test_whoever_types_is_answered_at_once(capsys, monkeypatch):
    terminal = Terminal(capsys)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert main(["translate", "numbers-en-de"]) == 2
    assert terminal.seen == ["", "drei\n", "\n", "vier\n"]


@pytest.mark.parametrize("command, sentence", [
    ("translate numbers-en-de --file no.txt", "no.txt cannot be read: No such file or directory."),
    ("translate numbers-en-de --file .", ". cannot be read: Is a directory."),
    ("translate numbers-en-de --file ''", "The file '' cannot be read: No such file or directory."),
    (f"translate {'n' * 300} a", "cannot be read: File name too long."),
    (f"plot {'n' * 300}", "cannot be read: File name too long."),
    (f"evaluate {'n' * 300}", "cannot be read: File name too long."),
    (f"export {'n' * 300} a.safetensors", "cannot be read: File name too long."),
    (f"train --resume {'n' * 300}", "cannot be read: File name too long."),
    (f"compare {'n' * 300} {'n' * 300}", "cannot be read: File name too long."),
])  # fmt: skip
@posix
def test_a_file_that_cannot_be_read_is_input_that_cannot_be_used(command, sentence, capsys):
    status, out, err = run(command, capsys)
    assert status == 2 and not out and err.endswith(f"{sentence}\n") and err.count("\n") == 1


@pytest.mark.parametrize("function", [Run.open, Run.resume])
def test_a_folder_that_cannot_be_read_is_input_from_python_too(function, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "is_dir", refuse)
    try:
        function("locked")
        said = "nothing"
    except (InputError, OSError) as problem:
        said = f"{type(problem).__name__}: {problem}"
    assert said == "InputError: locked cannot be read: Permission denied."


@posix
@pytest.mark.parametrize("name", ["config.json", "checkpoints/step-00000002.safetensors"])
def test_a_file_of_a_run_that_nobody_may_read_is_named_with_the_reason(name, capsys, monkeypatch):
    run(COMMANDS["train"], capsys)

    def refuse(path, *arguments, plain=open, **options):
        if str(path).endswith(name) and os.path.exists(path):
            raise PermissionError(13, "Permission denied", str(path))  # root would be allowed
        return plain(path, *arguments, **options)

    for place in ("builtins.open", "io.open"):
        monkeypatch.setattr(place, refuse)
    if hasattr(pathlib, "_NormalAccessor"):  # Python 3.10 keeps its own
        monkeypatch.setattr(pathlib._NormalAccessor, "open", staticmethod(refuse))
    for command in ("evaluate new", "train --resume new --steps 9", "compare new new"):
        status, _, err = run(command, capsys)
        assert status == 2 and f"new/{name} cannot be read: Permission denied." in err, err


@posix
def test_what_could_not_be_written_is_said_to_be_that(capsys):
    Path("file").write_text("")
    status, _, err = run("plot numbers-en-de --text three --out file/pictures", capsys)
    assert (
        status == 1
        and err == "minitransformer: file/pictures could not be written: Not a directory.\n"
    )


@posix
def test_reading_names_the_file_and_what_was_done():
    with (
        pytest.raises(InputError, match=r"^notes cannot be read: Permission denied\.$"),
        reading("notes"),
    ):
        raise PermissionError(13, "Permission denied", "elsewhere")


# -- UTF-8 everywhere ------------------------------------------------------------------------------

LOCALES = [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {
        "LC_ALL": "POSIX", "LANG": "", "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
]


def program(arguments, environment=(), script=None, **options):
    """A finished process that ran the command, or the script, with bytes for streams."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **dict(environment)}
    command = [
        sys.executable, *([str(script)] if script else ["-m", "minitransformer"]), *arguments,
    ]
    return subprocess.run(command, env=env, capture_output=True, timeout=120, **options)


@posix
@pytest.mark.parametrize(
    "locale", LOCALES, ids=lambda locale: " ".join(f"{k}={v}" for k, v in locale.items())
)
def test_umlauts_go_in_and_come_out_whatever_the_locale(locale):
    done = program(["translate", "numbers-en-de"], locale, input="\ufefftwelve\ngrün\n".encode())
    assert (
        done.stdout == "zwölf\n\n".encode()
        and "'grün'".encode() in done.stderr
        and done.returncode == 2
    ), done
    done = program(["translate", "numbers-en-de", "twelve", "grün"], locale)
    assert done.stdout.startswith("zwölf\n".encode()) and "'grün'".encode() in done.stderr, done


@pytest.mark.parametrize("locale", LOCALES[:2], ids=str)
def test_a_lesson_that_runs_as_a_plain_file_writes_utf8(locale, tmp_path):
    lesson = tmp_path / "99_a_lesson.py"
    lesson.write_text(
        "from minitransformer.lessons import predict\npredict('How large is ∂L/∂x — √d_k?')\n",
        encoding="utf-8",
    )
    assert "∂L/∂x — √d_k".encode() in program([], locale, script=lesson).stdout


def test_every_lesson_begins_before_it_prints():
    for lesson in lessons():
        source = lesson.source.read_text(encoding="utf-8")
        assert source.index("from minitransformer.lessons import") < source.index("print("), (
            lesson.source.name
        )


# -- no traceback, whatever happens to a command ---------------------------------------------------

COMMANDS = {
    "train": (
        "train copy --steps 2 --d-model 8 --heads 2 --d-ff 8 --max-length 4 --evaluate-count 2 "
        "--shares 1 --out new --no-pictures"
    ),
    "evaluate": "evaluate numbers-en-de --count 2",
    "predict": "predict numbers-en-de three foo",
    "translate": "translate numbers-en-de three foo",
    "generate": "generate numbers-en-de three",  # what it writes: test_language_model.py
    "plot": "plot numbers-en-de --text two --out pictures --layers 1 --heads 1",
    "explore": "explore numbers-en-de --text two --out page.html",
    "export": "export numbers-en-de model.safetensors",
    "compare": "compare numbers-en-de numbers-en-de",
    "gradcheck": "gradcheck Softmax --entries 1",
    "grade": "grade nowhere.py",
    "release": "release softmax.forward --for nbgrader --out assignment",
    "check": "check nowhere.py",
    "watch": "watch nowhere.py",
    "next": "next nowhere",
    "exercises": "exercises softmax.backward",
    "lessons": "lessons --list",
    "tasks": "tasks",
    "a wrong option": "tasks --cuonts",
    "help": "train --help",
}


def broken_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w", encoding="utf-8")


FAILURES = {
    "stdin is closed": {"stdin": lambda: None},
    "stdout is closed": {"stdout": lambda: None},
    "stderr is closed": {"stderr": lambda: None},
    "all are closed": {"stdin": lambda: None, "stdout": lambda: None, "stderr": lambda: None},
    "the disk is full": {"stdout": lambda: open("/dev/full", "w", encoding="utf-8")},
    "nothing can be complained": {"stderr": lambda: open("/dev/full", "w", encoding="utf-8")},
    "nobody reads": {"stdout": broken_pipe},
    "nobody reads anything": {"stdout": broken_pipe, "stderr": broken_pipe},
}
LOST = {  # the answer, and the command says so
    "stdout is closed": "The output could not be written: it is closed",
    "all are closed": "",
    "the disk is full": "The output could not be written: No space left on device",
}


def test_every_command_is_tried():
    known = next(action for action in make_parser()._actions if action.metavar == "COMMAND").choices
    assert set(known) <= set(COMMANDS)


@pytest.mark.slow
@posix
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_ends_in_a_traceback_whatever_becomes_of_its_streams(
    command, failure, monkeypatch, capfd
):
    opened = {name: make() for name, make in FAILURES[failure].items()}
    with monkeypatch.context() as patch:  # ends before `capfd` puts the streams back
        for name, stream in opened.items():
            patch.setattr(sys, name, stream)
        try:
            status = main(shlex.split(COMMANDS[command]))
            for stream in opened.values():
                if stream is not None:
                    # as Python does at its end: what could not be written is gone, and nothing is
                    # raised
                    stream.close()
        except (Exception, SystemExit) as problem:
            pytest.fail(f"{problem!r} came through")
    out, err = capfd.readouterr()
    assert status in (0, 1, 2) and "Traceback" not in out + err
    refused = command in (
        "compare", "generate", "grade", "check", "watch", "next", "a wrong option",
    )
    if failure in LOST:
        assert status == (2 if refused else 1)
        assert err.endswith(f"{LOST[failure]}.\n") or status == 2 or failure == "all are closed"
    if failure == "nobody reads":
        assert status == (2 if refused else 0)


@posix
@pytest.mark.parametrize(
    "redirection, status",
    [("<&-", 2), (">&-", 1), ("2>&-", 2), ("<&- >&- 2>&-", 2), (">/dev/full", 1)],
)
def test_a_shell_may_close_or_fill_any_stream(redirection, status):
    command = (
        f"{shlex.quote(sys.executable)} -m minitransformer translate numbers-en-de {redirection}"
    )
    done = subprocess.run(
        ["sh", "-c", command], input=b"three\nfoo\n", capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (
        done.returncode == status
        and b"Traceback" not in done.stderr
        and b"Exception" not in done.stderr
    ), done
    assert (
        redirection != ">&-"
        or done.stderr == b"minitransformer: The output could not be written: it is closed.\n"
    )
    assert (
        "<&-" not in redirection or "2>&-" in redirection
    ) or b"Standard input is closed" in done.stderr


@posix
@pytest.mark.parametrize("words", ["--version", "--help", "train --help"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_takes_no_help(words, unbuffered):
    with open("/dev/full", "wb") as full:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
        command = [sys.executable, "-m", "minitransformer", *words.split()]
        done = subprocess.run(command, env=env, stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert (done.returncode, done.stderr) == (
        1,
        f"minitransformer: {LOST['the disk is full']}.\n".encode(),
    )


@posix
@pytest.mark.parametrize(
    "command",
    [
        "translate numbers-en-de three", "plot numbers-en-de --text two",
        "train copy --steps 1 --no-pictures",
    ],
)
def test_without_a_home_in_a_folder_that_cannot_be_written_a_command_still_ends_in_a_sentence(
    command, tmp_path
):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    env = {
        "PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1",
    }
    nobody = []
    # root may write everywhere; a user whom nobody knows, who may read everything, may not
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root cannot become another user without setpriv")
        may_read = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        nobody = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", *may_read]
    words = [*nobody, sys.executable, "-m", "minitransformer", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, timeout=120)
    assert b"Traceback" not in done.stderr and done.returncode == (
        0 if command.startswith("translate") else 1
    ), done
    assert done.returncode == 0 or b"could not be written: Permission denied" in done.stderr


@pytest.fixture
def no_home(monkeypatch):
    """As for a user whom the system does not know, without HOME."""

    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(pathlib.Path, "home", unknown)
    for place in ("XDG_CACHE_HOME", "LOCALAPPDATA", "MINITRANSFORMER_DATA", "MPLCONFIGDIR"):
        monkeypatch.setenv(place, "")  # so that it is put back if the test sets it
        monkeypatch.delenv(place)


def test_without_a_home_a_download_is_told_where_it_may_go(no_home, monkeypatch, tmp_path):
    with pytest.raises(InputError, match="has none. Name a folder"):
        cache_folder("Multi30k")
    monkeypatch.setenv(
        "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", str(tmp_path)
    )
    assert cache_folder("Multi30k") == tmp_path / "minitransformer"


def test_without_a_home_matplotlib_is_given_a_folder_that_goes_away(no_home, monkeypatch):
    ends = []
    monkeypatch.setattr("atexit.register", lambda *call, **options: ends.append((call, options)))
    do_without_a_home()
    folder = Path(os.environ["MPLCONFIGDIR"])
    assert folder.is_dir() and os.access(folder, os.W_OK)
    do_without_a_home()
    [((end, *arguments), options)] = ends  # the second time there was nothing to do
    end(*arguments, **options)
    assert not folder.exists()


# -- Ctrl-C ----------------------------------------------------------------------------------------

# in place of NumPy
SLOW = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"


@posix
@pytest.mark.parametrize(
    "started", ["by its module", "by its script", "as a library", "to grade one file"]
)
def test_ctrl_c_while_the_command_loads_is_one_line(started, tmp_path):
    (tmp_path / "numpy.py").write_text(SLOW)
    script = tmp_path / "minitransformer"
    script.write_text(
        "import sys\nfrom minitransformer.cli import main\n"
        "if __name__ == '__main__':\n    sys.exit(main())\n"
    )
    arguments = {
        "by its module": ["-m", "minitransformer", "tasks"],
        "by its script": [str(script), "tasks"],
        "as a library": ["-c", "import minitransformer"],
        "to grade one file": ["-m", "minitransformer.grading.runner", "no.py", "result"],
    }[started]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, timeout=60)
    if started.startswith("by"):
        assert (done.returncode, done.stderr) == (130, b"minitransformer: interrupted.\n")
    else:
        assert done.returncode != 130 and b"KeyboardInterrupt" in done.stderr


@posix
def test_ctrl_c_while_a_command_works_ends_it_with_130_and_a_line(monkeypatch, capsys):
    def interrupted(options):
        """Somebody presses Ctrl-C."""
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("minitransformer.cli.commands.tasks", interrupted)
    try:
        assert run("tasks", capsys) == (130, "", "minitransformer: interrupted.\n")
    except KeyboardInterrupt:
        pytest.fail("it came through")


@posix
def test_a_command_hears_ctrl_c_as_an_exception_and_before_and_after_it_the_program_ends_at_once():
    before = signal.getsignal(signal.SIGINT)
    try:
        for outside, inside in (
            (interruption.end_at_once, signal.default_int_handler),
            (signal.SIG_IGN, signal.SIG_IGN),
        ):
            signal.signal(signal.SIGINT, outside)
            with interruption.KeyboardInterrupts():
                assert signal.getsignal(signal.SIGINT) is inside
            assert signal.getsignal(signal.SIGINT) is outside
    finally:
        signal.signal(signal.SIGINT, before)


def test_inside_a_command_the_other_signals_leave_as_an_exit_and_outside_they_end_the_process():
    others = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
    before = {number: signal.signal(number, signal.SIG_DFL) for number in others}
    try:
        for number in others:
            with interruption.KeyboardInterrupts(), pytest.raises(SystemExit) as end:
                assert signal.getsignal(number) is interruption.end
                signal.raise_signal(number)
            assert end.value.code == 128 + number and signal.getsignal(number) is signal.SIG_DFL
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# -- commands to copy ------------------------------------------------------------------------------


def test_a_path_is_written_as_one_types_it(monkeypatch):
    monkeypatch.setattr("minitransformer.errors.WINDOWS", False)
    assert [typed(path) for path in ("runs/a", "my run", "a'b", "$x", "")] == [
        "runs/a", "'my run'", "'a'\"'\"'b'", "'$x'", "''",
    ]
    monkeypatch.setattr("minitransformer.errors.WINDOWS", True)
    assert [typed(path) for path in ("runs\\a", "my run")] == ["runs\\a", '"my run"']


@posix
def test_every_suggested_command_can_be_copied_from_a_folder_with_spaces(
    capsys, monkeypatch, tmp_path
):
    folder = tmp_path / "my course"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("minitransformer.cli.commands.shutil.which", lambda name: None)
    monkeypatch.setattr(sys, "argv", [str(folder / "the program")])
    told = {
        "Next: ": run(f"{COMMANDS['train'].replace('--out new', '')} --out 'my run'", capsys)[1],
        "with --resume ": run(
            f"{COMMANDS['train'].replace('--out new', '')} --out 'my run'", capsys
        )[2],
        "Train it with: ": (
            Path("my run/checkpoints/step-00000002.safetensors").unlink(),
            run("evaluate 'my run'", capsys)[2],
        )[1],
        "How many sequences there are of each length: ": run("tasks", capsys)[1],
    }
    for before, text in told.items():
        words = shlex.split(text.partition(before)[2].splitlines()[0].split(", or")[0])
        assert before in text and {"my", "run", "program"}.isdisjoint(words), text
        assert "my run" in words or "the program" in words, text
    assert shlex.split(told["Next: "].partition("Next: ")[2]) == [
        "the program", "evaluate", "my run",
    ]


# -- odd arguments ---------------------------------------------------------------------------------


@posix
def test_random_command_lines_end_with_a_status_and_no_traceback():
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    done = subprocess.run(
        [sys.executable, fuzz_commands.__file__, "7", "80"], env=env, capture_output=True,
        timeout=280,
    )
    found = json.loads(done.stdout)
    assert not found["faults"], found["faults"]
    assert (
        sum(found["statuses"].values()) == 80
        and found["statuses"]["2"] > 20
        and found["statuses"]["0"] > 5
    )


def test_command_lines_are_the_same_for_the_same_seed_and_none_is_long():
    drawn = [fuzz_commands.command_lines(np.random.default_rng(3), 300) for _ in range(2)]
    assert drawn[0] == drawn[1] and len(drawn[0]) == 300
    assert all(fuzz_commands.is_short(line) for line in drawn[0])
    assert {line[0] for line in drawn[0] if line} >= {
        "train", "evaluate", "predict", "translate", "plot", "export", "grade",
    }


@pytest.mark.parametrize(
    "raised, err, status",
    [("Traceback …", "", None), ("", "Traceback", 1), ("", "", 2), ("", "x", 3)],
)
def test_the_fuzz_notices_what_should_not_be(raised, err, status):
    assert fuzz_commands.is_fault(status, err, raised) and not fuzz_commands.is_fault(
        2, "minitransformer: no.", ""
    )


@pytest.mark.parametrize("line, sentence", [
    ("train copy --d-model 99999999999",
     "argument --d-model: 99999999999 is too large: at most 1,000,000,000"),
    ("translate numbers-en-de a --beam 99999999999", "argument --beam: 99999999999 is too large"),
    ("predict numbers-en-de a --max-tokens 99999999999",
     "argument --max-tokens: 99999999999 is too large"),
    ("train copy --decoder-layers 5000",
     "decoder_layers must be a whole number of at least 1 and at most 1,000, got 5000"),
    ("train copy --symbols 1000001", "from 2 to 1,000,000 symbols"),
    ("evaluate numbers-en-de --seed -1", "'-1' is not a whole number of at least 0"),
    ("plot numbers-en-de --layers 3", "There is no layer '3'. There are: 1, 2."),
    ("plot numbers-en-de --heads 5", "There is no head '5'. There are: 1, 2, 3, 4."),
    ("plot numbers-en-de --heads 1,,2", "'' is not a whole number of at least 1"),
])  # fmt: skip
def test_numbers_that_are_too_large_are_refused_in_a_sentence(line, sentence, capsys):
    try:
        status, out, err = run(line, capsys)
    except Exception as problem:
        pytest.fail(f"{problem!r} came through")
    assert (
        status == 2
        and sentence in err
        and err.count("\n") == 1
        and not out
        and not list(Path().iterdir())
    )
