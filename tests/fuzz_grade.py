"""Odd and hostile submissions, and what must become of each: `kinds()` yields them, `run_all()`
grades them all.

    PYTHONPATH=.:tests python -c "import fuzz_grade; fuzz_grade.run_all()"

They are graded as one class, with honest files between them. Of each kind the table must hold a
line that says what became of it; the honest files must come out right; nothing may be left running,
or reach a terminal; no file may be changed.
"""

import dataclasses
import json
import os
import pathlib
import random
import socket
import sys
import tempfile
import time
from unittest import mock

from minitransformer.grading import apart
from minitransformer.grading.grade import as_json_text, as_text, grade

SECONDS = 6.0  # that each may take; with more, what never ends takes longer
LIMIT = 60.0  # seconds for any of them: its time, twice, and the ends of what it started
OK = """import numpy as np
from minitransformer.grading import check
def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
"""
ASKED = OK + 'check("softmax.forward", softmax)\n'
WRONG = 'from minitransformer.grading import check\ndef softmax(scores):\n    return scores\n'
FORGED = {
    "exercise": "softmax.forward", "passed": True, "status": "right", "right": ["P"],
    "situations": 1, "severity": "", "findings": [],
}


@dataclasses.dataclass(frozen=True)
class Kind:
    """A submission: its files {name: text, bytes, or a function that makes the path}, the first
    being the one graded.

    `expected` is its status, or "right" (graded, softmax right, nothing to look at), "not right"
    (no exercise is right), or "look" (what is said to be right has a remark). `words` stand in its
    line of the table.
    """

    name: str
    files: dict
    expected: str
    words: str = ""


def kinds():
    """All kinds, none twice."""
    for name, text, expected, *words in (
        *HONEST, *BROKEN, *ERRORS, *ENDS, *PROCESSES, *SCREEN, *FORGERIES, *VIOLENCE, *returned(),
    ):
        yield Kind(name, {f"{name.replace(' ', '_')}.py": text}, expected, *words)
    for name, book, expected, *words in BOOKS:
        yield Kind(
            name,
            {
                f"{name.replace(' ', '_')}.ipynb": book
                if isinstance(book, (str, bytes))
                else json.dumps(book)
            },
            expected,
            *words,
        )
    yield from (Kind(name, files, *rest) for name, files, *rest in PLACES if hasattr(os, "mkfifo"))
    yield from (
        Kind(f"the name {name!r}", {name: ASKED}, "right")
        for name in NAMES
        if sys.platform == "linux"
    )


# -- honest, and odd -------------------------------------------------------------------------------

HONEST = [
    ("a byte order mark", "\ufeff" + ASKED, "right"),
    ("windows line ends", ASKED.replace("\n", "\r\n"), "right"),
    ("old mac line ends", ASKED.replace("\n", "\r"), "right"),
    ("tabs", ASKED.replace("    ", "\t"), "right"),
    ("form feeds", ASKED.replace("def softmax", "\f\ndef softmax"), "right"),
    ("a latin-1 cookie", b"# -*- coding: latin-1 -*-\nname = '\xe9'\n" + ASKED.encode(), "right"),
    ("no line end", ASKED.rstrip("\n"), "right"),
    ("never asked", OK, "right"),
    ("asked twice", ASKED + 'check("softmax.forward", softmax)\n', "right"),
    ("wrong then right", WRONG + 'check("softmax.forward", softmax)\n' + ASKED, "right"),
    ("right then wrong", ASKED + WRONG + 'check("softmax.forward", softmax)\n', "not right"),
    (
        "another function is wrong", ASKED + 'check("softmax.forward", lambda scores: scores)\n',
        "right",
    ),
    ("the answer of another exercise", OK + 'check("softmax.backward", softmax)\n', "right"),
    (
        "a lambda",
        OK.replace("def softmax", "def mine")
        + 'check("softmax.forward", lambda scores: mine(scores))\n',
        "right",
    ),
    ("by keywords", OK + 'check(exercise="softmax.forward", function=softmax)\n', "right"),
    (
        "helpers and constants",
        OK.replace("-1", "AXIS") + "AXIS = -1\ncheck('softmax.forward', softmax)\n", "right",
    ),
    (
        "a class",
        OK
        + "class Mine:\n    def forward(self, scores): return softmax(scores)\n"
        + 'check("softmax.forward", Mine)\n',
        "right",
    ),
    ("numpy errors raise", "import numpy as np\nnp.seterr(all='raise')\n" + ASKED, "right"),
    ("warnings are errors", "import warnings\nwarnings.simplefilter('error')\n" + ASKED, "right"),
    ("seeds", "import random, numpy\nrandom.seed(0); numpy.random.seed(0)\n" + ASKED, "right"),
    ("a recursion limit", "import sys\nsys.setrecursionlimit(80)\n" + OK, "any"),
    ("print options", "import numpy as np\nnp.set_printoptions(threshold=0)\n" + ASKED, "right"),
    ("unicode names", "größe = 1\nπ = 3\n" + ASKED, "right"),
    (
        "annotations of the future",
        "from __future__ import annotations\n" + ASKED.replace("scores)", "scores: Missing)", 1),
        "right",
    ),
    ("top level await", "import asyncio\nawait asyncio.sleep(0)\n" + ASKED, "right"),
    ("a line that is very long", "x = [" + "1," * 30_000 + "]\n" + ASKED, "right"),
    ("many statements", "x = 1\n" * 600 + ASKED, "right"),
    ("closed standard output", "import sys\nsys.stdout.close()\n" + OK, "right"),
    ("no standard output", "import sys\nsys.stdout = sys.stderr = None\n" + OK, "right"),
    ("another folder", "import os\nos.chdir('/')\n" + ASKED, "right"),
    ("its folder is gone", "import os, shutil\nshutil.rmtree(os.getcwd())\n" + ASKED, "any"),
    ("writes beside itself", "open('left.txt', 'w').write('x')\n" + ASKED, "right"),
    (
        "writes at home",
        "import pathlib\npathlib.Path.home().joinpath('left.txt').write_text('x')\n" + ASKED,
        "right",
    ),
    ("reads the keyboard", "try:\n    input()\nexcept EOFError:\n    pass\n" + ASKED, "right"),
    (
        "threads left over",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + ASKED,
        "right",
    ),
    (
        "an event loop left over", "import asyncio\nloop = asyncio.new_event_loop()\n" + ASKED,
        "right",
    ),
    ("a trace function", "import sys\nsys.settrace(lambda *_: None)\n" + ASKED, "right"),
    ("no garbage collection", "import gc\ngc.disable()\n" + ASKED, "right"),
    (
        "an alarm that is caught",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ASKED, "right",
    ),
    (
        "a decorator",
        OK.replace(
            "def softmax", "import functools\n@functools.lru_cache\ndef f(): pass\ndef softmax"
        )
        + "check('softmax.forward', softmax)",
        "right",
    ),
]

# -- what is no Python, or hardly ------------------------------------------------------------------

BROKEN = [
    ("nothing", "", "not right"),
    ("only a line end", "\n", "not right"),
    ("only comments", "# softmax goes here\n", "not right"),
    ("only a docstring", '"""softmax"""', "not right"),
    ("a syntax error", "def f(:\n", "not right", "SyntaxError"),
    ("a syntax error behind an answer", ASKED + "def f(:\n", "any", "SyntaxError"),
    ("an indentation error", "if True:\nx = 1\n", "not right", "SyntaxError"),
    ("mixed tabs", "if True:\n        x = 1\n\tx = 2\n", "not right", "SyntaxError"),
    ("an open bracket", "x = (1,\n", "not right", "SyntaxError"),
    ("an open string", "x = '''\n", "not right", "SyntaxError"),
    ("python 2", "print 'softmax'\n", "not right", "SyntaxError"),
    ("javascript", "function softmax(x) { return x; }\n", "not right", "SyntaxError"),
    ("a null byte", b"x = 1\n\x00\n" + ASKED.encode(), "any"),
    ("only null bytes", bytes(1000), "any"),
    ("random bytes", random.Random(0).randbytes(5000), "refused", "not UTF-8"),
    ("latin-1 without a cookie", b"name = '\xe9'\n", "refused", "not UTF-8"),
    ("utf-16", ASKED.encode("utf-16"), "refused", "not UTF-8"),
    ("utf-32", ASKED.encode("utf-32"), "refused", "not UTF-8"),
    ("a coding that does not exist", b"# coding: klingon\n", "refused", "klingon"),
    ("a coding that is none for text", b"# coding: rot13\n", "any"),
    ("a coding that says otherwise", b"\xef\xbb\xbf# coding: latin-1\nx = 1\n", "refused"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "refused", "not UTF-8"),
    ("a zip", b"PK\x03\x04" + bytes(range(256)), "refused", "not UTF-8"),
    ("a lone surrogate", b"x = '\xed\xa0\x80'\n", "refused", "not UTF-8"),
    ("deep brackets", "x = " + "(" * 5000 + ")" * 5000, "not right"),
    ("deep lists", "[" * 100_000, "any"),
    ("deep operators", "x = " + "-" * 100_000 + "1", "any"),
    ("deep attributes", "x = a" + ".a" * 20_000, "any"),
    ("a deep sum", "x = " + "1+" * 50_000 + "1\n", "any"),
    ("deep indents", "".join(" " * n + "if 1:\n" for n in range(200)), "not right"),
    ("a number of many digits", "x = " + "9" * 10_000, "any"),
    ("a huge number", "x = 9 ** 9 ** 9\n", "any"),
    ("bidirectional", "x = 'a\u202eb'\nraise ValueError('\u202egnp.exe')", "not right", "gnp.exe"),
    ("too large", b"#" * (21 << 20), "refused", "larger than 20 MB"),
]

# -- what raises -----------------------------------------------------------------------------------

ERRORS = [
    ("an error", "1/0", "not right", "ZeroDivisionError"),
    ("exit", "exit()", "not right"),
    ("system exit", "raise SystemExit", "not right", "SystemExit"),
    ("a keyboard interrupt", "raise KeyboardInterrupt", "not right", "KeyboardInterrupt"),
    (
        "a keyboard interrupt in an answer", "def softmax(scores):\n    raise KeyboardInterrupt\n",
        "not right", "KeyboardInterrupt",
    ),
    ("exit in an answer", "def softmax(scores):\n    exit()\n", "not right"),
    ("a generator exit", "raise GeneratorExit", "not right", "GeneratorExit"),
    (
        "an exception without a text",
        "class E(Exception):\n    def __str__(self): raise OSError\nraise E", "not right",
        "E in line",
    ),
    (
        "an exception whose text exits",
        "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E", "not right",
        "E in line",
    ),
    (
        "an exception whose text is none",
        "class E(Exception):\n    def __str__(self): return 1\nraise E", "not right", "E in line",
    ),
    ("an exception that is long", "raise ValueError('x' * 10**8)", "not right", "ValueError"),
    ("an exception of odd class", "raise type('\\x1b[2J\\n', (Exception,), {})", "not right"),
    ("an exception with a surrogate", "raise ValueError('\\ud800')", "not right", "ValueError"),
    (
        "an exception group", "raise ExceptionGroup('many', [ValueError(n) for n in range(10)])",
        "not right",
    ),
    (
        "a circle of causes",
        "a, b = ValueError(1), ValueError(2)\na.__cause__, b.__cause__ = b, a\nraise a",
        "not right", "ValueError",
    ),
    ("endless recursion", "def f(): return f()\nf()", "not right", "RecursionError"),
    (
        "recursion in the repr",
        "class A:\n    def __repr__(self): return repr(self)\nraise ValueError(A())", "not right",
    ),
    (
        "recursion without a limit",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()", "any",
    ),
    ("no memory", "x = bytearray(10**12)", "not right", "MemoryError"),
    (
        "no memory bit by bit", "import mmap\nx = []\nwhile True: x.append(mmap.mmap(-1, 10**8))",
        "not right", "OSError",
    ),
    ("no memory for numpy", "import numpy as np\nnp.ones(10**12)", "not right", "MemoryError"),
    ("a module that is not there", "import torch_of_ones_own", "not right", "ModuleNotFoundError"),
    ("a thousand errors", "1/0\n" * 1000, "not right", "ZeroDivisionError"),
    (
        "a wrapper around itself", "def softmax(scores): pass\nsoftmax.__wrapped__ = softmax\n",
        "not right",
    ),
    ("no signature", "def softmax(scores): pass\nsoftmax.__signature__ = 3\n", "not right"),
    (
        "a name that raises",
        (
            "from minitransformer.grading import check\n"
            "class A:\n    def __getattr__(self, name): raise OSError(name)\n"
            "check('softmax.forward', A())"
        ),
        "not right",
    ),
    (
        "an exercise that is not there",
        "from minitransformer.grading import check\ncheck('softmax.sideways', len)", "not right",
        "Did you mean",
    ),
    (
        "no exercise at all", "from minitransformer.grading import check\ncheck(3, len)",
        "not right", "There is no exercise",
    ),
    (
        "an unhashable exercise",
        "from minitransformer.grading import check\ncheck(['softmax.forward'], len)", "not right",
    ),
    (
        "strict", WRONG + "check('softmax.forward', softmax, strict=True)", "not right",
        "AssertionError",
    ),
]

# -- how it ends -----------------------------------------------------------------------------------

ENDS = [
    ("an endless loop", "while True: pass", "timed out", "did not come to an end"),
    ("an endless answer", "def softmax(scores):\n    while True: pass", "timed out"),
    ("an endless sleep", "import time\ntime.sleep(10**6)", "timed out"),
    (
        "an endless loop that catches all",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "timed out",
    ),
    ("a deadlock", "import threading\nl = threading.Lock(); l.acquire(); l.acquire()", "timed out"),
    ("a slow regular expression", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", "timed out"),
    ("a pipe that nobody writes", "import os\nr, w = os.pipe()\nos.read(r, 1)", "timed out"),
    ("right and then endless", ASKED + "while True: pass\n", "timed out"),
    ("leaves", "import os\nos._exit(0)", "crashed", "exit status 0"),
    ("leaves with a status", "import os\nos._exit(7)", "crashed", "exit status 7"),
    ("aborts", "import os\nos.abort()", "crashed", "exit status -6"),
    ("a segmentation fault", "import ctypes\nctypes.string_at(0)", "crashed", "exit status -11"),
    ("kills itself", "import os\nos.kill(os.getpid(), 9)", "crashed", "exit status -9"),
    ("stops itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "timed out"),
    (
        "an exit function that waits",
        "import atexit, time\natexit.register(time.sleep, 100)\n" + ASKED, "right",
    ),
    (
        "an exit function that leaves", "import atexit, os\natexit.register(os._exit, 3)\n" + ASKED,
        "right",
    ),
    (
        "becomes another program",
        "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'print(1)'])", "crashed",
    ),
    ("its leaving is taken away", "import os\nos._exit = lambda n: None\n" + ASKED, "right"),
    (
        "a timer that kills",
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\nwhile True: pass", "crashed",
    ),
    (
        "too much computing time",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
        "crashed",
    ),
]

# -- processes and signals -------------------------------------------------------------------------

DAEMON = (
    "import os, sys, time\nif os.fork() == 0:\n"
    "    os.setsid()\n    if os.fork() == 0:\n"
    "        {first}time.sleep(300)\n    os._exit(0)\n"
)
PROCESSES = [
    (
        "a child left over",
        (
            "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; "
            "time.sleep(300)'])\n"
        )
        + ASKED,
        "right",
    ),
    ("a daemon", DAEMON.format(first="") + ASKED, "right"),
    (
        "a daemon that forgets its environment",
        DAEMON.format(
            first=(
                "os.execve(sys.executable, [sys.executable, '-c', 'import time; time.sleep(300)'], "
                "{}); "
            )
        )
        + ASKED,
        "right",
    ),
    (
        "a daemon that hears nothing",
        DAEMON.format(
            first="import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]; "
        )
        + ASKED,
        "right",
    ),
    (
        "a daemon that holds the output",
        DAEMON.format(first="sys.stdout.write('x'); sys.stdout.flush(); ") + ASKED, "right",
    ),
    (
        "a hundred children",
        (
            "import os, time\nfor n in range(100):\n"
            "    if os.fork() == 0:\n        os.setsid(); time.sleep(300); os._exit(0)\n"
        )
        + ASKED,
        "right",
    ),
    (
        "children of children",
        (
            "import os, time\nfor n in range(6):\n"
            "    os.fork()\nos.getpid() % 2 and time.sleep(300)\n"
            "os._exit(0)"
        ),
        "any",
    ),
    (
        "children that multiply for a while",
        "import os, time\nend = time.monotonic() + 1\n"
        "while time.monotonic() < end:\n    if os.fork() == 0:\n"
        "        os.setsid(); time.sleep(0.2)\n"
        "        if time.monotonic() > end: time.sleep(300)\n"
        "    else:\n        time.sleep(0.05)\n"
        "os._exit(0)",
        "any",
    ),
    (
        "zombies", "import os\nfor n in range(100):\n    if os.fork() == 0: os._exit(0)\n" + ASKED,
        "right",
    ),
    ("a fork that comes back", "import os\nos.fork()\n" + ASKED, "any"),
    (
        "a pool", "import multiprocessing\nmultiprocessing.Process(target=print).start()\n" + ASKED,
        "right",
    ),
    (
        "a thread that never ends",
        "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()\n"
        + ASKED,
        "right",
    ),
    ("kills its group", "import os\nos.killpg(0, 9)", "crashed"),
    (
        "interrupts its group",
        "import os, signal\nsignal.signal(2, signal.SIG_IGN)\nos.killpg(0, 2)\n" + ASKED, "right",
    ),
    ("kills its parent", "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(300)", "any"),
    ("ends its parent", "import os, time\nos.kill(os.getppid(), 15)\ntime.sleep(300)", "any"),
    (
        "stops its parent",
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(300)", "any",
    ),
    (
        "kills its parent and leaves a daemon",
        DAEMON.format(first="") + "os.kill(os.getppid(), 9)\n", "any",
    ),
    (
        "interrupts its grandparent",
        (
            "import os\ntext = open(f'/proc/{os.getppid()}/stat').read()\n"
            "os.kill(int(text.rpartition(')')[2].split()[1]), 0)"
        ),
        "any",
    ),
    (
        "a socket that waits",
        "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.accept()",
        "timed out",
    ),
]

# -- what it prints --------------------------------------------------------------------------------

SCREEN = [
    ("megabytes", "print('x' * 3_000_000)\n" + ASKED, "right", "printed 3.0 MB"),
    ("a flood", "while True: print('x' * 100_000)", "stopped", "printed more than"),
    (
        "a flood of errors", "import sys\nwhile True: sys.stderr.write('x' * 100_000)", "stopped",
        "printed more than",
    ),
    (
        "a flood by a child",
        (
            "import os\nif os.fork() == 0:\n    while True: os.write(1, b'x' * 100_000)\n"
            "import time; time.sleep(300)"
        ),
        "stopped",
    ),
    (
        "bytes that are no text", "import os\nos.write(1, bytes(range(256)) * 100)\nos._exit(1)",
        "crashed",
    ),
    (
        "a screen that is cleared",
        "import os\nos.write(1, b'\\x1b[2J\\x1b]0;gone\\x07')\nos._exit(1)", "crashed",
    ),
    (
        "escapes in an error", "raise ValueError('\\x1b[2J\\x1b[31mgone\\r\\x9b2J')", "not right",
        "gone",
    ),
    (
        "escapes in a name",
        (
            "from minitransformer.grading import check\n"
            "def f(scores): return scores\nf.__name__ = '\\x1b[2J'\n"
            "check('softmax.forward', f)"
        ),
        "not right",
    ),
    (
        "a name that is no text",
        (
            "from minitransformer.grading import check\n"
            "def f(scores): return scores\ncheck('softmax.forward', type('\\n', (), {'forward': "
            "f})())"
        ),
        "not right",
    ),
]


def returned():
    """An answer that returns each of these; none of them is right."""
    values = ("None", "...", "object()", "softmax", "[[1], [1, 2]]", "float('nan')", "10**400",
              "1j", "[...]", "iter([1])", "{}", "{1: 2}", "scores.astype('f2')",
              "scores.view(type('A', (type(scores),), {}))", "memoryview(scores)",
              "scores.astype(object)", "'\\x1b[2J'")  # fmt: skip
    for n, value in enumerate(values):
        yield f"returns {n}", f"def softmax(scores):\n    return {value}\n", "not right"
    odd = (
        "class A:\n    def __array__(self, *a, **k): {what}\ndef softmax(scores): return A()\n",
        "class A(dict):\n    def items(self): {what}\ndef softmax(scores): return A()\n",
    )
    for n, text in enumerate(odd):
        yield f"returns what raises {n}", text.format(what="raise SystemExit"), "not right"
        yield f"returns what is endless {n}", text.format(what="\n        while True: pass"), "any"


# -- forgeries -------------------------------------------------------------------------------------


def writes(result, then="import os\nos._exit(0)"):
    """A submission that writes its result itself: `result` is the text of an expression of bytes or
    text."""
    return (f"# %%\nimport sys, json\nplace = sys.argv[2]\nforged = {FORGED!r}\nvalue = {result}\n"
            "open(place, 'wb').write(value if isinstance(value, bytes) else value.encode())\n"
            f"{then}\n")  # fmt: skip


def found(**parts):
    return (
        "json.dumps({'reports': {}, 'errors': [], 'finished': True, 'refused': '', **"
        + "{"
        + ", ".join(f"{k!r}: {v}" for k, v in parts.items())
        + "}})"
    )


def report(**parts):
    return found(
        reports="{'softmax.forward': {**forged, **{"
        + ", ".join(f"{k!r}: {v}" for k, v in parts.items())
        + "}}}"
    )


def replaces(how):
    """A submission that puts something that is no file in the place of its result."""
    return (
        "# %%\nimport os, sys\nplace = sys.argv[2]\n"
        "if os.path.lexists(place): os.remove(place)\n"
        f"{how}\nos._exit(0)\n"
    )


FINDING = (
    "{'id': '1', 'title': 't', 'evidence': [], 'question': '', 'also': [], 'exact': True, "
    "'lines': [], 'where': None, 'met': ''}"
)
UNREADABLE = {
    "nothing in it": "''", "no json": "'{'", "no utf-8": "bytes(range(256))", "a list": "'[]'",
    "a number": "'1'", "null": "'null'", "nested lists": "'[' * 10**6",
    "nested dicts": "'{\"a\":' * 10**6", "a huge number": "'1' * 10**6", "infinity": "'1e999'",
    "32 megabytes": "b' ' * (33 << 20)",
    "no reports": "json.dumps({'errors': [], 'finished': True})",
    "reports in a list": found(reports="[]"), "no errors": found(errors="None"),
    "errors that are none": found(errors="[1]"), "too many errors": found(errors="['x'] * 10**6"),
    "finished is a text": found(finished="'yes'"),
    "a report that is a text": found(reports="{'softmax.forward': 'right'}"),
    "an exercise that is not there": found(reports="{'all': forged}"),
    "another exercise": found(reports="{'relu.forward': forged}"),
    "a status that is none": report(status="'perfect'"),
    "passed and wrong": report(status="'wrong'"), "passed is 1": report(passed="1"),
    "right is a text": report(right="'P'"), "findings in a dict": report(findings="{}"),
    "a finding that is a text": report(findings="['x']"),
    "a finding without a title": report(findings="[{'id': '1'}]"),
    "a finding nested": report(findings=f"[{{**{FINDING}, 'evidence': [[]]}}]"),
    "a place that is a list": report(findings=f"[{{**{FINDING}, 'where': [1]}}]"),
    "an index of texts": report(findings=f"[{{**{FINDING}, 'where': {{'index': ['x']}}}}]"),
    "a place far away": report(findings=f"[{{**{FINDING}, 'where': {{'index': [10**30]}}}}]"),
}  # fmt: skip

FORGERIES = [
    *(
        (f"forged {name}", writes(value), "crashed", "unreadable")
        for name, value in UNREADABLE.items()
    ),
    ("forged and right", writes(report()), "look", "look at it"),
    ("forged with escapes", writes(report(right="['\\x1b[2J']")), "look"),
    (
        "forged findings with escapes",
        writes(
            report(
                findings=(
                    f"[{{**{FINDING}, 'title': '\\x1b]0;x\\x07', 'evidence': ['\\u202e'] * 9}}]"
                ),
                status="'wrong'", passed="False",
            )
        ),
        "not right",
    ),
    (
        "forged with nan",
        writes(
            report(
                findings=f"[{{**{FINDING}, 'where': {{'yours': float('nan'), 'index': [0]}}}}]",
                status="'wrong'", passed="False",
            )
        ),
        "not right",
    ),
    ("forged errors with escapes", writes(found(errors="['\\x1b[2J' * 100000]")), "not right"),
    ("forged refusal", writes(found(refused="'\\x1b[2Jit is Sunday'")), "refused", "it is Sunday"),
    ("a result that is a pipe", replaces("os.mkfifo(place)"), "crashed", "unreadable"),
    (
        "a result that is an endless device", replaces("os.symlink('/dev/zero', place)"), "crashed",
        "unreadable",
    ),
    (
        "a result that is a link", replaces("os.symlink('/etc/passwd', place)"), "crashed",
        "unreadable",
    ),
    ("a result that is a folder", replaces("os.mkdir(place)"), "crashed", "unreadable"),
    (
        "a result that is a socket",
        replaces(
            "import socket; os.chdir(os.path.dirname(place)); "
            "socket.socket(socket.AF_UNIX).bind('result.json')"
        ),
        "crashed",
        "unreadable",
    ),
    (
        "a result that has holes", replaces("open(place, 'wb').truncate(60 << 20)"), "crashed",
        "unreadable",
    ),
    (
        "a result in a folder that is a link",
        (
            "# %%\nimport os, sys\nfolder = os.path.dirname(sys.argv[2])\n"
            "os.rename(folder, folder + 'x')\nos.symlink('/', folder)\n"
            "os._exit(0)"
        ),
        "crashed",
    ),
    (
        "check says yes",
        WRONG + "import sys\nfrom minitransformer.grading import Report\n"
        "sys.modules['minitransformer.grading.check'].diagnose = "
        "lambda e, f, s: Report(e.id, True, 'right', ['P'])\n",
        "look",
        "look at it",
    ),
    (
        "everything is close",
        WRONG
        + "import minitransformer.grading.attempt as a\n"
        "a.close = lambda *_: True\na.agree = lambda *_, **__: True\n",
        "any",
    ),
    (
        "numpy says yes",
        WRONG
        + "import numpy as np\nnp.isclose = lambda a, b, **_: np.ones(np.shape(a), dtype=bool)\n",
        "look",
        "look at it",
    ),
    (
        "numpy says yes in the answer",
        (
            "import numpy as np\ndef softmax(scores):\n"
            "    np.isclose = lambda a, b, **_: np.ones(np.shape(a), dtype=bool)\n"
            "    return scores\n"
        ),
        "look",
    ),
    ("json says yes", WRONG + "import json\njson.dumps = lambda *_, **__: '[]'\n", "not right"),
    (
        "the references are mine",
        WRONG
        + "from minitransformer.grading.exercise import EXERCISES\n"
        "EXERCISES['softmax.forward'].reference = softmax\n",
        "look",
    ),
    (
        "the package's own answer",
        (
            "from minitransformer.grading.exercise import EXERCISES\n"
            "def softmax(scores):\n    return EXERCISES['softmax.forward'](scores)\n"
        ),
        "look",
        "uses minitransformer",
    ),
    (
        "the package's own class",
        (
            "from minitransformer.layers import Softmax\n"
            "from minitransformer.grading import check\n"
            "check('softmax.forward', Softmax)\n"
        ),
        "look",
        "uses minitransformer",
    ),
    (
        "an answer through eval",
        (
            "def softmax(scores):\n    return "
            "eval('__import__')('minitransformer.layers').layers.Softmax()(scores)\n"
        ),
        "look",
        "eval",
    ),
    (
        "an answer written down",
        "import numpy as np\nfrom minitransformer.grading import check\n"
        "from minitransformer.grading.exercise import EXERCISES\n"
        "kept = {}\ndef softmax(scores):\n    return kept[scores.tobytes()]\n"
        "kept.update({s['scores'].tobytes(): EXERCISES['softmax.forward'](**s) for s in []})\n"
        "check('softmax.forward', softmax)\n",
        "not right",
    ),
    (
        "an answer made by the rest of the file",
        "import builtins\nfrom minitransformer.grading import check\n"
        + OK.replace("def softmax", "def mine")
        + "builtins.mine = mine\ndel mine\ndef softmax(scores):\n    return mine2(scores)\n"
        "builtins.mine2 = builtins.mine\ncheck('softmax.forward', softmax)\n",
        "look",
        "not right without the rest",
    ),
    (
        "an answer with a listener",
        WRONG
        + "from minitransformer.grading.check import LISTENERS\n"
        "def yes(r): r.passed, r.status, r.findings = True, 'right', []\n"
        "LISTENERS.insert(0, yes)\n",
        "look",
    ),
    (
        "no listeners",
        ASKED.replace(
            "check(",
            "from minitransformer.grading.check import LISTENERS\nLISTENERS.clear()\ncheck(",
        ),
        "any",
    ),
    (
        "an endless second run",
        OK
        + "import os\nif 'alone' in ' '.join(os.sys.argv):\n    pass\n"
        "def softmax2(scores): return softmax(scores)\n",
        "right",
    ),
    ("a pickle", b"\x80\x04\x95" + bytes(20), "refused"),
    (
        "a pickle that is loaded",
        "from pickle import loads\nloads(b'cos\\nsystem\\n(S\"exit 3\"\\ntR.')\n" + ASKED, "right",
    ),
    (
        "modules of ones own",
        (
            "import sys, types\nsys.modules['json'] = sys.modules['base64'] = "
            "types.ModuleType('json')\n"
        )
        + ASKED,
        "right",
    ),
    ("no modules", "import sys\nsys.modules.clear()\n", "any"),
    (
        "builtins of ones own",
        "import builtins\nbuiltins.open = builtins.print = builtins.len = None\n" + OK, "any",
    ),
]

# -- what it does to others ------------------------------------------------------------------------

VIOLENCE = [
    (
        "deletes its neighbours",
        (
            "import pathlib\nhere = pathlib.Path(__file__).parent\n"
            "[p.unlink() for p in here.glob('*') if p.is_file()]\n"
        ),
        "any",
    ),
    (
        "rewrites its neighbours",
        (
            "import pathlib\nhere = pathlib.Path(__file__).parent\n"
            "[p.write_text('') for p in here.parent.rglob('*.py')]\n"
        ),
        "any",
    ),
    ("rewrites itself", "open(__file__, 'w').write('x = 1')\n" + OK, "right"),
    (
        "folders without end",
        "import os\nfor n in range(3000):\n    os.mkdir('d'); os.chdir('d')\n" + OK, "any",
    ),
    (
        "folders that are locked",
        "import os\nos.makedirs('d/e'); os.chmod('d/e', 0); os.chmod('d', 0)\n" + ASKED, "right",
    ),
    ("many files", "for n in range(5000): open(f'{n}', 'w').close()\n" + ASKED, "right"),
    (
        "a large file", "f = open('large', 'wb')\nfor n in range(100): f.write(bytes(1 << 20))\n",
        "not right", "OSError",
    ),
    (
        "files that stay open", "kept = []\nwhile True: kept.append(open(__file__))", "crashed",
        "Too many open files",
    ),
    (
        "links to others",
        "import os\nos.symlink('/', 'root')\nos.symlink(os.getcwd(), 'again')\n" + ASKED, "right",
    ),
    ("names that hurt", "open('\\x1b[2J\\n', 'w').close()\n" + ASKED, "right"),
    (
        "a module called numpy",
        "open('numpy.py', 'w').write('1/0')\nimport importlib, sys\n" + ASKED, "right",
    ),
    (
        "the environment",
        "import os\nassert 'SECRET_OF_THE_TEACHER' not in os.environ\nos.environ.clear()\n" + ASKED,
        "right",
    ),
    (
        "limits of its own",
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n" + OK, "any",
    ),
]

# -- notebooks -------------------------------------------------------------------------------------


def book(*cells, **more):
    return {"cells": list(cells), "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **more}


def code(source, **more):
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


BOOKS = [
    ("a notebook", book(code(ASKED)), "right"),
    ("a notebook in lines", book(code(ASKED.splitlines(keepends=True))), "right"),
    ("a notebook with magics", book(code("%matplotlib inline\n!ls\nx?\n"), code(ASKED)), "right"),
    ("a notebook with a mark", "\ufeff" + json.dumps(book(code(ASKED))), "right"),
    ("a notebook in another language", book(code("%%bash\nrm -rf ."), code(ASKED)), "right"),
    (
        "a notebook of format 3",
        {"worksheets": [{"cells": [{"cell_type": "code", "input": ASKED}]}], "nbformat": 3},
        "right",
    ),
    ("a notebook without format", {"cells": [code(ASKED)]}, "right"),
    ("a notebook with odd outputs", book(code(ASKED, outputs="none", metadata=3)), "right"),
    (
        "a notebook with a cell that fails", book(code("1/0"), code(ASKED)), "right",
        "cell 1: ZeroDivisionError",
    ),
    ("an empty notebook", book(), "not right"),
    ("a notebook of nothing", "", "refused", "not a notebook"),
    ("a notebook of spaces", "   \n", "refused", "not a notebook"),
    ("a notebook cut off", json.dumps(book(code(ASKED)))[:-20], "refused", "not a notebook"),
    ("a notebook twice", json.dumps(book()) * 2, "refused", "not a notebook"),
    (
        "a notebook with a conflict", "<<<<<<< HEAD\n" + json.dumps(book()), "refused",
        "not a notebook",
    ),
    ("a notebook that is a list", [], "refused", "not a notebook"),
    ("a notebook that is a text", '"cells"', "refused", "not a notebook"),
    ("a notebook that is a number", "1", "refused", "not a notebook"),
    ("a notebook that is null", "null", "refused", "not a notebook"),
    ("a notebook that is html", "<html></html>", "refused", "not a notebook"),
    (
        "a notebook in latin-1",
        json.dumps(book(code("x = 'é'")), ensure_ascii=False).encode("latin-1"), "refused",
        "not UTF-8",
    ),
    ("a notebook in utf-16", json.dumps(book()).encode("utf-16"), "refused", "not UTF-8"),
    ("a notebook of null bytes", bytes(100), "refused", "not a notebook"),
    ("a notebook nested", "[" * 10**6, "refused", "not a notebook"),
    ("a notebook with a huge number", '{"cells": [], "n": ' + "1" * 10**5 + "}", "any"),
    ("a notebook with infinity", '{"cells": [], "n": Infinity}', "not right"),
    ("cells that are none", book() | {"cells": None}, "refused", "`cells`"),
    ("cells in a dict", book() | {"cells": {"0": code(ASKED)}}, "refused", "`cells`"),
    ("cells that are texts", book("x = 1"), "refused", "cell 1"),
    ("a cell that is null", book(None), "refused", "cell 1"),
    ("a cell that is a list", book([]), "refused", "cell 1"),
    ("a cell without a type", book({"source": "x = 1"}), "not right"),
    ("a cell whose type is a list", book({"cell_type": ["code"], "source": "x"}), "not right"),
    ("a source that is null", book(code(None)), "refused", "source of cell 1"),
    ("a source that is a number", book(code(3)), "refused", "source of cell 1"),
    ("a source that is a dict", book(code({"a": 1})), "refused", "source of cell 1"),
    ("a source of numbers", book(code([1, 2])), "refused", "source of cell 1"),
    (
        "a source with a surrogate",
        '{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}', "not right",
    ),
    ("a source with a null byte", book(code("x = '\0'"), code(ASKED)), "right"),
    ("worksheets that are none", {"worksheets": None, "nbformat": 3}, "refused", "`worksheets`"),
    ("worksheets of texts", {"worksheets": ["x"], "nbformat": 3}, "refused", "`cells`"),
    ("a thousand cells", book(*(code(f"x{n} = {n}") for n in range(1000)), code(ASKED)), "right"),
]

# -- files that are none ---------------------------------------------------------------------------


def socket_at(path):
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def link_to(target):
    return lambda path: path.symlink_to(target)


PLACES = [
    (
        "a pipe", {"pipe.py": os.mkfifo if hasattr(os, "mkfifo") else None}, "refused",
        "a pipe (FIFO)",
    ),
    (
        "a pipe for a notebook", {"pipe.ipynb": os.mkfifo if hasattr(os, "mkfifo") else None},
        "refused", "a pipe (FIFO)",
    ),
    ("a socket", {"socket.py": socket_at}, "refused", "a socket"),
    ("a folder", {"folder.py": pathlib.Path.mkdir}, "refused", "a folder"),
    ("a device", {"device.py": link_to("/dev/zero")}, "refused", "outside the folder"),
    ("a link outside", {"outside.py": link_to("/etc/passwd")}, "refused", "outside the folder"),
    ("a link to nothing", {"dead.py": link_to("nothing.py")}, "refused", "leads nowhere"),
    ("a link to itself", {"loop.py": link_to("loop.py")}, "refused", "leads nowhere"),
    ("a link to a folder", {"linked.py": link_to(".")}, "refused", "a link to a folder"),
    ("a link inside", {"inside.py": link_to("linked_to.py"), "linked_to.py": ASKED}, "right"),
    ("a text", {"notes.txt": "softmax"}, "refused", "neither a notebook"),
    ("an archive", {"all.zip": b"PK"}, "refused", "neither a notebook"),
    ("large letters", {"LARGE.PY": ASKED}, "right"),
    (
        "a folder of ones own",
        {
            "eve/answer.py": "from helpers import softmax as mine\nimport numpy as np\n" + OK,
            "eve/helpers.py": OK,
        },
        "right",
    ),
]
NAMES = ["a name with spaces.py", "new\nline.py", "\x1b[2Jgone.py", "c1\x9b2J.py", "\u202egnp.py",
         "-rf.py", "--out.py", "größe.py", "'\"$(ls).py", "%s{0}.py", "\udcff.py",
         "x" * 200 + ".py", "numpy.py", "random.py", "json.py", "minitransformer.py",
         "sitecustomize.py", "conftest.py"]  # fmt: skip


# -- grading them ----------------------------------------------------------------------------------


def run_all(chosen=None, jobs=2, seconds=SECONDS, show=print):
    """Grade these kinds (all) as one class; raise AssertionError with all that did not become what
    it must."""
    chosen = list(kinds() if chosen is None else chosen)
    mark = f"SUBMISSION_OF_{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        places = [_lay_out(folder, number, kind) for number, kind in enumerate(chosen)]
        honest = [folder / f"{number:03}" / "honest.py" for number in range(0, len(chosen), 10)]
        for file in honest:
            file.write_text(ASKED)
        before = _contents(folder)
        started = time.perf_counter()
        with mock.patch.object(apart, "MARK", mark):
            submissions = grade(
                [folder / f"{number:03}" for number in range(len(chosen))], seconds, jobs
            )
        taken = time.perf_counter() - started
        faults = ["a file was changed"] if _contents(folder) != before else []
        rows = {s.file: s for s in submissions}
        faults += [
            f"{file}: {rows.get(str(file))}" for file in honest if not _is_right(rows[str(file)])
        ]
        for kind, place in zip(chosen, places):
            problem = _problem(kind, rows.get(str(place)))
            faults += [f"{kind.name}: {problem}"] if problem else []
    faults += [f"{marked} processes are left over" for marked in [survivors(mark)] if marked]
    text, whole = as_text(submissions), as_json_text(submissions)
    faults += [
        f"{bad!r} reaches the terminal"
        for bad in {c for c in text + whole if not c.isprintable() and c != "\n"}
    ]
    faults += [f"{len(json.loads(whole)['submissions'])} of {len(submissions)} in the file"] * (
        len(json.loads(whole)["submissions"]) != len(submissions)
    )
    show(
        f"{len(chosen)} kinds, {len(honest)} honest files between them, {taken:.0f} s, the longest "
        f"{max(s.seconds for s in submissions):.1f} s: {len(faults)} faults"
    )
    assert not faults, "\n".join(faults)


def _lay_out(folder, number, kind):
    """Make a kind's files, in a folder of its own, so that names cannot meet; return the path of
    the one that is graded."""
    home = folder / f"{number:03}"
    home.mkdir()
    for name, content in kind.files.items():
        path = home / name
        path.parent.mkdir(exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return home / next(iter(kind.files))


def _contents(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def _problem(kind, submission):
    """What is not as this kind must be; nothing if all is."""
    if submission is None:
        return "it is not in the table"
    line = as_text([submission])
    if "Traceback" in line or submission.seconds > LIMIT:
        return f"a traceback, or no end: {line}"
    if kind.words and kind.words not in line:
        return f"{kind.words!r} is not said: {line}"
    looked = all(
        id in submission.remarks
        for id, report in submission.reports.items()
        if report["status"] == "right"
    )
    holds = {"any": True, "right": _is_right(submission),
             "not right": submission.status == "graded" and not submission.count("right"),
             "look": looked and submission.count("right")}  # fmt: skip
    if holds.get(kind.expected, submission.status == kind.expected):
        return ""
    return f"{kind.expected!r} was expected: {submission}"


def _is_right(submission):
    reports = submission.reports
    return (
        submission.status == "graded"
        and reports.get("softmax.forward", {}).get("status") == "right"
        and not submission.remarks
    )


def survivors(mark):
    """How many processes bear the mark of a submission, or sleep as only a kind above does."""
    return (
        sum(
            mark.encode() in _of(pid, "environ") or b"time.sleep(300)" in _of(pid, "cmdline")
            for pid in filter(str.isdigit, os.listdir("/proc"))
        )
        if sys.platform == "linux"
        else 0
    )


def _of(pid, name):
    try:
        return pathlib.Path("/proc", pid, name).read_bytes()
    except OSError:  # it has ended
        return b""
