"""The scripts of the pages that one touches, each made of files of the repository."""

from pathlib import Path

from places import ROOT

ALIVE = ROOT / "docs" / "site" / "alive"
MATHEMATICS, DRAWING = (
    ROOT / "minitransformer" / "explorer" / f"{name}.js" for name in ("mathematics", "drawing")
)
# {page: (the data that its script reads, by name; the files of the script)}
SCRIPTS = {
    "alive/attention": (
        {}, [MATHEMATICS, DRAWING, ALIVE / "elements.js", ALIVE / "attention.js"],
    ),
    "alive/mistakes": (
        {"bench": ALIVE / "mistakes.json"},
        [DRAWING, ALIVE / "elements.js", ALIVE / "mistakes.js"],
    ),
}


def script(page):
    """One script: its names are its own, so that they meet none of the theme."""
    data, files = SCRIPTS[page]
    texts = [f"const {name} = {file.read_text(encoding='utf-8')};" for name, file in data.items()]
    texts += [file.read_text(encoding="utf-8") for file in files]
    return '(() => {\n"use strict";\n' + "\n".join(texts) + "})();\n"


def name_of(page):
    return page.replace("/", "-") + ".js"


def write(app):
    """Write the scripts beside the other files of the site that are no pages."""
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    for page in SCRIPTS:
        (folder / name_of(page)).write_text(script(page), encoding="utf-8")


def add(app, page, template, context, doctree):
    """Let a page load its script, after everything else."""
    if page in SCRIPTS:
        app.add_js_file(name_of(page), loading_method="defer")
