"""The lessons in a browser: JupyterLite, whose Python is Pyodide, in the folder lite of the site.

It is made of files that npm and pip download once, into build/lite-packages. Each is compared with
a checksum: that in SHA_512, in lite.txt, or in Pyodide's own list of packages. A reader's browser
asks for nothing elsewhere.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import reference
from places import ROOT

from minitransformer.lessons.notebooks import lessons

HERE = Path(__file__).resolve().parent
KEPT = ROOT / "build" / "lite-packages"
PYODIDE = "pyodide-0.27.7.tgz"  # npm's pyodide@0.27.7
SHA_512 = (
    "45449526585075f59f80ef615470a25e81be9d5650452e43f45ce0a4b27f55c8"
    "0604b4802a83cbf244e23a29316c7426d6444849e59405dba51203b6eaaa5244"
)
CORE = "pyodide.js pyodide.mjs pyodide.asm.js pyodide.asm.wasm python_stdlib.zip".split()
# what is not on Pyodide's list of packages, and the packages that it needs
ADDED = {
    "comm": ["traitlets"], "tqdm": [],
    "minitransformer": ["numpy", "matplotlib", "tqdm", "threadpoolctl"],
}  # fmt: skip
# what is loaded as soon as a notebook is opened: what its kernel needs, and the lessons
LOADED = ["micropip", "ssl", "sqlite3", "jedi", "ipython", "comm", "minitransformer"]
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "minitransformer",
        "exposeAppInBrowser": True,  # by it, the tests run and read a notebook
        "litePluginSettings": {
            KERNEL: {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": LOADED}},
        },
    },
}  # fmt: skip
NOTE = (
    "*This lesson runs in your browser; nothing is installed. The first cell waits until Python is "
    "loaded. What trains a model takes up to ten times as long as with an installed Python. A cell "
    "that does not end: Kernel → Restart Kernel. What you write is kept by this browser alone. "
    "File → Open lists the lessons: there, one can be downloaded, or deleted, to begin it anew.*"
)


class Missing(Exception):
    """What the lessons in a browser are made of cannot be downloaded."""


# -- what is downloaded ----------------------------------------------------------------------------


def downloaded(names, *command):
    """The files of these names in build/lite-packages; the command puts them into the folder that
    is its last word, if they are not there yet. Raises `Missing`."""
    files = [KEPT / name for name in names]
    if not all(file.exists() for file in files):
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            try:
                subprocess.run([*command, folder], check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as problem:
                said = f"{problem}\n{getattr(problem, 'stderr', '')}".strip().splitlines()[-1]
                raise Missing(f"{' '.join(map(str, command[:3]))} failed: {said}") from None
            for file in files:
                Path(folder, file.name).replace(file)
    return files


def pyodide():
    """{file: its bytes} of npm's package."""
    name, version = PYODIDE.removesuffix(".tgz").split("-")
    command = ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination"]
    (file,) = downloaded([PYODIDE], *command)
    if hashlib.sha512(file.read_bytes()).hexdigest() != SHA_512:
        raise ValueError(f"{file} is not the {PYODIDE} that is expected. Delete it.")
    with tarfile.open(file) as archive:
        return {
            name: archive.extractfile(f"package/{name}").read()
            for name in [*CORE, "pyodide-lock.json"]
        }


def wheels():
    """The wheels that lite.txt names. pip compares their checksums."""
    lines = (HERE / "lite.txt").read_text(encoding="utf-8")
    named = re.findall(r"^([\w-]+)==(\S+) --hash=sha256:(\w+)$", lines, re.M)
    names = [f"{name.replace('-', '_')}-{version}-py3-none-any.whl" for name, version, _ in named]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-r"]
    return downloaded(names, *command, HERE / "lite.txt", "-d")


# -- Pyodide, with the packages --------------------------------------------------------------------


def needed(packages, names):
    """The names of all packages that these need, and their own, as Pyodide's list writes them."""
    found, left = set(), {*names}
    while left:
        name = re.sub("[-_.]+", "-", left.pop()).lower()
        if name not in found:
            found.add(name)
            left |= {*packages[name]["depends"]}
    return found


def write_python(folder, own):
    """Put Pyodide and the packages into a folder; `own` is the wheel of this package."""
    folder.mkdir(parents=True)
    core = pyodide()
    for name in CORE:
        (folder / name).write_bytes(core[name])
    listed = json.loads(core["pyodide-lock.json"])
    carrier, *others = wheels()
    packages = listed["packages"]
    for wheel in (*others, own):
        name, version = wheel.name.split("-")[:2]
        shutil.copy(wheel, folder)
        packages[name] = {
            "depends": ADDED[name], "file_name": wheel.name, "imports": [name],
            "install_dir": "site", "name": name, "package_type": "package",
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(), "unvendored_tests": False,
            "version": version,
        }  # fmt: skip
    listed["packages"] = {name: packages[name] for name in sorted(needed(packages, LOADED))}
    with zipfile.ZipFile(carrier) as archive:
        places = {name.rpartition("/")[2]: name for name in archive.namelist()}
        for name, package in listed["packages"].items():
            if name not in ADDED:
                data = archive.read(places[package["file_name"]])
                if hashlib.sha256(data).hexdigest() != package["sha256"]:
                    raise ValueError(f"{package['file_name']} is not the file of Pyodide.")
                (folder / package["file_name"]).write_bytes(data)
    (folder / "pyodide-lock.json").write_text(json.dumps(listed), encoding="utf-8")


# -- the notebooks ---------------------------------------------------------------------------------


def names():
    """The notebooks: all lessons run in a browser."""
    return [f"{lesson.source.stem}.ipynb" for lesson in lessons()]


def notebook(name):
    """A lesson, not yet run, with a note above it."""
    made = json.loads((ROOT / "lessons" / name).read_text(encoding="utf-8"))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    note = {"cell_type": "markdown", "id": "note", "metadata": {}, "source": [NOTE]}
    made["cells"].insert(1, note)
    kernel = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    made["metadata"]["kernelspec"] = kernel
    return json.dumps(made, ensure_ascii=False)


def write_notebooks(folder):
    """Put the lessons where JupyterLite looks for files, and the list of them."""
    (folder / "files").mkdir()
    (folder / "api" / "contents").mkdir(parents=True)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    facts = {"created": now, "last_modified": now, "writable": True, "mimetype": None}
    inside = []
    for name in names():
        text = notebook(name)
        (folder / "files" / name).write_text(text, encoding="utf-8")
        own = {"name": name, "path": name, "type": "notebook", "format": None, "content": None}
        inside.append({**own, "size": len(text.encode()), **facts})
    root = {"name": "", "path": "", "type": "directory", "format": "json", "content": inside}
    listing = json.dumps({**root, "size": None, **facts})
    (folder / "api" / "contents" / "all.json").write_text(listing, encoding="utf-8")


def linked(name, prose):
    """The prose of a lesson as the reference links it, and below its title a link to where it
    runs."""
    prose = reference.linked(prose)
    if not prose.startswith("# "):
        return prose
    title, rest = prose.split("\n", 1)
    address = f"../lite/notebooks/index.html?path={Path(name).name}"
    link = f'<a class="lite" href="{address}">Run it in the browser</a>: nothing is installed.'
    return f"{title}\n\n{link}\n{rest}"


# -- the site --------------------------------------------------------------------------------------


def build(folder):
    """Put the lessons for a browser into a folder; returns the names of their notebooks: none if
    what they need cannot be downloaded, which is printed."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        pyodide(), wheels()
    except Missing as problem:
        print(f"The lessons in a browser are left out: {problem}")
        return []
    with tempfile.TemporaryDirectory() as made:
        made = Path(made)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        (own,) = made.glob("*.whl")
        write_python(made / "static" / "pyodide", own)
        (made / "jupyter-lite.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        kernel = Path(sys.prefix, "share/jupyter/labextensions", KERNEL.partition(":")[0])
        command = [
            sys.executable, "-m", "jupyterlite_core", "build", "--ignore-sys-prefix",
            "--no-sourcemaps", "--no-unused-shared-packages", "--apps=notebooks", "--apps=tree",
            f"--LiteBuildConfig.federated_extensions={kernel}", f"--lite-dir={made}",
            f"--output-dir={folder}",
        ]  # fmt: skip
        subprocess.run(command, cwd=made, check=True, capture_output=True)
    icons = folder / "static" / "favicons"  # which a kernel at work shows, and JupyterLite lacks
    icons.mkdir()
    for name in ("notebook", "busy-1"):
        shutil.copy(folder / "notebooks" / "favicon.ico", icons / f"favicon-{name}.ico")
    write_notebooks(folder)
    return names()
