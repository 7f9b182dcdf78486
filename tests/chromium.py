"""Chromium without a window, driven through a pipe by its DevTools protocol: no package is needed.

It reaches the machine itself and nothing else. Debian and Ubuntu: apt-get install chromium.
"""

import contextlib
import fcntl
import functools
import http.server
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

FOUND = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
OPTIONS = """--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --remote-debugging-pipe
--hide-scrollbars --disable-background-networking --no-first-run""".split()
ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


class Chromium:
    """A browser with one page. `errors` are those of its console since the last `open`, `requests`
    all that it asked for."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self.commands = os.pipe()
        answers, theirs_out = os.pipe()
        # beyond 4, so that none is overwritten where the browser expects them: 3 and 4
        there = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]

        def place():
            for end, number in zip(there, (3, 4)):
                os.dup2(end, number)

        self.process = subprocess.Popen(
            [FOUND, *OPTIONS, ONLY_HERE, f"--user-data-dir={self.folder.name}", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for end in (theirs_in, theirs_out, *there):
            os.close(end)
        self.answers = open(answers, "rb")
        self.rest, self.count, self.session = b"", 0, None
        self.errors, self.requests, self.loaded = [], [], False
        page = next(
            target
            for target in self.send("Target.getTargets")["targetInfos"]
            if target["type"] == "page"
        )
        self.session = self.send(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def message(self):
        """The next message: JSON that a zero byte ends."""
        while b"\0" not in self.rest:
            piece = self.answers.read1(1 << 20)
            if not piece:
                raise EOFError("Chromium has ended.")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def send(self, method, **parameters):
        """Send a command and return its result; note what happens in the meantime."""
        self.count += 1
        command = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.count:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.note(message)

    def note(self, message):
        kind, said = message.get("method"), message.get("params", {})
        if kind == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif kind == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
            self.errors.append(str(said["args"]))
        elif kind == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.errors.append(f"{said['entry']['text']} ({said['entry'].get('url')})")
        elif kind == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif kind == "Page.loadEventFired":
            self.loaded = True

    def open(self, address):
        """Open a page, and `wait`."""
        self.errors.clear()
        self.requests.clear()
        self.loaded = False
        self.send("Page.navigate", url=address)
        self.wait()

    def wait(self):
        """Until the page is loaded and its formulas are drawn."""
        while not self.loaded:
            self.note(self.message())
        self.run("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 1) : 1")

    def run(self, expression):
        """The value of JavaScript on the page; a promise is waited for."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key):
        codes = {"Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(key) or ord(key)
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text
            )

    def resize(self, width, height=900):
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=width < 500,
        )

    def prefer(self, theme):
        """The system's theme: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def serious_findings(self):
        """What axe-core finds wrong with the page as it is now, of the two worst kinds: [kind,
        rule, elements]. Skips the test if axe-core-python is not installed."""
        package = importlib.util.find_spec("axe_core_python")
        if package is None:
            pytest.skip("axe-core-python is not installed: make test-site")
        script = Path(package.submodule_search_locations[0]) / "axe.min.js"
        self.run(f"{script.read_text(encoding='utf-8')}; 0")
        found = self.run(
            "axe.run().then(said => said.violations.map(one => [one.impact, one.id, "
            "one.nodes.map(node => node.html.slice(0, 120)).slice(0, 3)]))"
        )
        return [one for one in found if one[0] in ("serious", "critical")]

    def close(self):
        with contextlib.suppress(EOFError, BrokenPipeError):
            self.session = None
            self.send("Browser.close")
        self.process.wait()
        os.close(self.commands)
        self.answers.close()
        self.folder.cleanup()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")  # a test may have changed the file
        super().end_headers()


@contextlib.contextmanager
def served(folder):
    """The address at which this machine alone can read a folder."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
