"""A lesson of the site as it runs in JupyterLite, driven in Chromium.

    PYTHONPATH=. python tests/lite_pages.py build/site [03 …]

runs lessons as they are opened, all of them if no numbers are given, and prints a table: the
seconds from opening the page until Python answers, the first picture is there, the first exercise
has been checked, the last cell has run.
"""

import json
import os
import sys
import time
from pathlib import Path

import chromium

SECONDS = 900  # for a lesson; something hangs beyond
BOOK = "jupyterapp.shell.currentWidget"
KERNEL = f"{BOOK}?.sessionContext?.session?.kernel"
READY = f"window.jupyterapp && {KERNEL}?.status == 'idle' && {BOOK}.context.isReady"
CODE = f"{BOOK}.content.widgets.filter(cell => cell.model.type == 'code')"
CELLS = f"{CODE}.map(cell => cell.model.toJSON())"
# in place of the number of a cell that is to be run there is a star
WAITING = f"{CODE}.filter(cell => cell.prompt.includes('*')).length"


class Lesson(chromium.Chromium):
    """A browser with a lesson open. `requests` has those of the page's workers, too."""

    def __init__(self):
        super().__init__()
        options = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self.send("Target.setAutoAttach", **options)

    def note(self, message):
        if message.get("method") == "Target.attachedToTarget":
            session = message["params"]["sessionId"]
            for method in ("Network.enable", "Runtime.runIfWaitingForDebugger"):
                command = {"id": 0, "method": method, "params": {}, "sessionId": session}
                os.write(self.commands, json.dumps(command).encode() + b"\0")
        super().note(message)

    def show(self, address, name):
        """Open a lesson and wait until Python answers."""
        self.began = time.monotonic()
        self.open(f"{address}lite/notebooks/index.html?path={name}")
        while not self.run(READY):
            self.pause()

    def pause(self):
        if time.monotonic() - self.began > SECONDS:
            raise TimeoutError(f"It has not ended after {SECONDS} seconds.")
        time.sleep(0.5)

    def run_all(self, watch=lambda cells: None):
        """Run all cells and return them; `watch` is called with them now and then."""
        self.run("void jupyterapp.commands.execute('notebook:run-all-cells')")
        return self.ended(watch)

    def answer(self, number, source):
        """Write into a code cell, run it, and return it."""
        self.run(
            f"cell = {CODE}[{number}], cell.model.sharedModel.setSource({json.dumps(source)}), "
            f"{BOOK}.content.activeCellIndex = {BOOK}.content.widgets.indexOf(cell), "
            "void jupyterapp.commands.execute('notebook:run-cell')"
        )
        return self.ended()[number]

    def ended(self, watch=lambda cells: None):
        self.pause()  # until the stars are there
        while self.run(WAITING):
            watch(self.run(CELLS))
            self.pause()
        cells = self.run(CELLS)
        watch(cells)
        return cells

    def elsewhere(self, address):
        """The requests that went neither to this address nor to the page itself."""
        here = (address, "data:", "blob:")
        return [request for request in self.requests if not request.startswith(here)]


def outputs(cells, kind):
    """What cells show of a kind, such as image/png."""
    shown = [output.get("data", {}) for cell in cells for output in cell["outputs"]]
    return ["".join(data[kind]) for data in shown if kind in data]


def errors(cells):
    """What cells have raised."""
    raised = [output for cell in cells for output in cell["outputs"] if "ename" in output]
    return [f"{output['ename']}: {output['evalue']}" for output in raised]


def is_checked(cell):
    """Whether an exercise of the reader's has been checked here."""
    source = "".join(cell["source"])
    return "def " in source and "\ncheck(" in source and bool(cell["outputs"])


def row(browser, address, name):
    """One line of the table."""
    seconds = dict.fromkeys(("ready", "picture", "exercise", "end"), float("nan"))

    def passed(what):
        if seconds[what] != seconds[what]:
            seconds[what] = time.monotonic() - browser.began

    def watch(cells):
        if outputs(cells, "image/png"):
            passed("picture")
        if any(map(is_checked, cells)):
            passed("exercise")

    browser.show(address, name)
    passed("ready")
    try:
        problem = "; ".join(errors(browser.run_all(watch)))
    except TimeoutError as late:
        problem = str(late)
    passed("end")
    times = "".join(f"{value:9.1f}" for value in seconds.values())
    drawn = len(outputs(browser.run(CELLS), "image/png"))
    elsewhere = "".join(f" asked for {one}" for one in browser.elsewhere(address))
    return f"{name[:40]:<40}{times}{drawn:4} pictures  {problem or 'whole'}{elsewhere}"


if __name__ == "__main__":
    site, *numbers = sys.argv[1:]
    with chromium.served(site) as address:
        files = sorted(Path(site, "lite", "files").glob("*.ipynb"))
        for file in files:
            if not numbers or file.name[:2] in numbers:
                browser = Lesson()
                print(row(browser, address, file.name), flush=True)
                browser.close()
    if not files:
        sys.exit(f"{site} has no lessons in a browser. Build it: make site")
