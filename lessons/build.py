"""Build the notebooks from their sources: lessons/NN_name.py becomes lessons/NN_name.ipynb, executed, pictures and all.

    python lessons/build.py            # all of them
    python lessons/build.py 03 05      # some

Needs the extra [test-lessons]: jupytext reads the sources, nbclient runs them. They run without a network.
"""

import argparse
import sys
import time
from pathlib import Path

import nbclient
import nbformat

from minitransformer.lessons.notebooks import as_notebook, code_cells, lessons

LESSONS = Path(__file__).resolve().parent
SECONDS = 300  # that a cell may take; something hangs beyond
OFFLINE = '''
import os, socket

os.environ["TQDM_DISABLE"] = "1"  # how far a bar gets to be drawn depends on the machine

def refuse(self, address):
    if not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost"):
        return connect(self, address)
    raise OSError(f"a lesson needs no network, and asked for {address}")

connect, socket.socket.connect = socket.socket.connect, refuse
'''


def execute(notebook, folder=LESSONS):
    """Run all cells of a notebook in place, in a fresh kernel that can reach no network. Raises CellExecutionError."""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(OFFLINE))
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", record_timing=False, resources=resources)
    try:
        client.execute()
    finally:
        del notebook.cells[0]
    for number, cell in enumerate(code_cells(notebook), 1):
        cell.execution_count = number
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = number
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def joined(outputs):
    """The outputs, with what was printed in one piece: by chance of timing it arrives in several."""
    found = []
    for output in outputs:
        if found and output.output_type == "stream" == found[-1].output_type and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def build(source):
    """Execute a source's notebook and write it beside it."""
    notebook = execute(as_notebook(source.read_text(encoding="utf-8")))
    nbformat.validate(notebook)
    nbformat.write(notebook, source.with_suffix(".ipynb"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesson", nargs="*", help="numbers of lessons, such as 03 (default: all)")
    wanted = parser.parse_args().lesson
    chosen = [lesson for lesson in lessons() if not wanted or lesson.number in wanted]
    if len(chosen) < len(set(wanted)):
        sys.exit(f"There are the lessons {', '.join(lesson.number for lesson in lessons())}; asked for {', '.join(wanted)}.")
    for lesson in chosen:
        began = time.perf_counter()
        build(lesson.source)
        print(f"{lesson.source.stem}: {time.perf_counter() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
