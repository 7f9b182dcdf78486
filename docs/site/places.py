"""Where a file of the repository stands on the site, and links that are changed accordingly.

Pages (Markdown, notebooks) and pictures become what they are. A link to any other file leads to a
page with its text, one to a folder to a page with its list of files: nothing leads out of the site.
"""

import json
import os
import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "index.md",
    "docs/site/alive/attention.md": "alive/attention.md",
    "docs/site/alive/explorer.md": "alive/explorer.md",
    "docs/site/alive/mistakes.md": "alive/mistakes.md",
    "lessons/README.md": "lessons/index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "AGENTS.md": "agents.md",
}
MENU = "docs/site/menu.md"  # of the site; it belongs to the front page
PICTURES = (".png", ".svg")
LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", "Makefile": "make"}
# what has no scheme (https:) is a path; a block of code has no links
LINK = re.compile(r"^```.*?^```$|(!?\[[^]]*\]\()(?!\w+:)([^)#]*)((?:#[^)]*)?\))", re.M | re.S)


def pages():
    """{file of the repository: file of the site} of all that is shown as a page."""
    guides = [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")]
    names = [file.relative_to(ROOT).as_posix() for file in (*guides, *ROOT.glob("lessons/*.ipynb"))]
    return {name: place(name) for name in sorted({*names, *PAGES} - {MENU})}


def place(name):
    """The file of the site that a link to this file of the repository leads to."""
    if name in PAGES:
        return PAGES[name]
    if name.endswith((".md", ".ipynb", *PICTURES)):
        return re.sub("^docs/", "guides/", name)
    return f"source/{name}/index.rst" if (ROOT / name).is_dir() else f"source/{name}.rst"


class Site:
    """The folder from which Sphinx builds. What is as it was is not written again, so that Sphinx
    reads only what has changed."""

    def __init__(self, folder):
        self.folder = folder
        self.written = set()
        self.linked = set()

    def write(self, name, text):
        """A page of the site; data is written as it is."""
        file = self.folder / name
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        self.written.add(file)
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def remove_others(self):
        for file in self.folder.rglob("*"):
            if file.is_file() and file not in self.written:
                file.unlink()

    def lead(self, name, target):
        """The link from this file of the repository to that one, as it is on the site."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if not (ROOT / path).exists():
            raise FileNotFoundError(f"{name} has a link to {target}, which does not exist.")
        self.linked.add(path)
        return posixpath.relpath(place(path), posixpath.dirname(place(name)) or ".")

    def relinked(self, name, text):
        """The Markdown of a file with links that hold on the site."""

        def new(found):
            before, target, after = found.groups()
            return f"{before}{self.lead(name, target)}{after}" if target else found[0]

        return LINK.sub(new, text)

    def add_page(self, name, change):
        """A page or a notebook of the repository; `change` is applied to what is prose in a
        notebook."""
        text = (ROOT / name).read_text(encoding="utf-8")
        if name.endswith(".ipynb"):
            notebook = json.loads(text)
            for cell in notebook["cells"]:
                if cell["cell_type"] == "markdown":
                    cell["source"] = change(self.relinked(name, "".join(cell["source"])))
            text = json.dumps(notebook)
        else:
            text = self.relinked(name, text)
        if name == "README.md":
            text += "\n" + (ROOT / MENU).read_text(encoding="utf-8")
        self.write(place(name), text)

    def add_linked(self):
        """All that the pages link to and that is no page: pictures, files, folders. A folder's list
        links to its files in turn."""
        done = set(pages())
        while left := sorted(self.linked - done):
            for name in left:
                self.add_file(name)
            done |= {*left}

    def add_file(self, name):
        file = ROOT / name
        if name.endswith((".md", ".ipynb")):
            return
        if name.endswith(PICTURES):
            self.write(place(name), file.read_bytes())
        elif file.is_dir():
            listed = sorted(
                path.relative_to(ROOT).as_posix()
                for path in file.iterdir()
                if path.suffix in (".py", ".md")
            )
            self.linked |= {*listed}
            lines = [f"- :doc:`{path} </{os.path.splitext(place(path))[0]}>`" for path in listed]
            self.write(place(name), source_page(f"{name}/", "\n".join(lines)))
        else:
            self.write(place(name), source_page(name, shown(file)))


def shown(file):
    """The text of a file, as a block of code."""
    code = file.read_text(encoding="utf-8").rstrip() or "(empty)"
    lines = "\n".join(f"   {line}".rstrip() for line in code.splitlines())
    return f".. code-block:: {LANGUAGES.get(file.suffix or file.name, 'text')}\n\n{lines}"


def source_page(title, body):
    """A page that the search leaves out: what a source says, its component's page says too."""
    return f":orphan:\n:nosearch:\n\n{title}\n{'=' * len(title)}\n\n{body}\n"
