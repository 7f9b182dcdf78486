"""Feedback: a page for each student, one HTML file without a script or a request, to be read on a
screen or printed."""

import html
import os
import pathlib
import unicodedata

from ..errors import InputError, write_text
from .points import UNFINISHED, score, total, written
from .report import Report
from .result import escaped
from .submission import KINDS

MARK = '<meta name="generator" content="minitransformer feedback">'  # in the first 200 bytes
LONGEST = 60  # characters of a page's name: 240 bytes at most
HEAD = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
{MARK}
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
"""
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #57606a; --page: #ffffff;
  --line: #d0d7de; --right: #1a7f37; --wrong: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #9198a1; --page: #0d1117;
  --line: #30363d; --right: #3fb950; --wrong: #ff7b72; } }
@media print { :root { --ink: #000000; --muted: #444444; --page: #ffffff; --line: #999999;
  --right: #1a7f37; --wrong: #b42318; } section { break-inside: avoid; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .3rem; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
.right h2 { color: var(--right); }
.wrong h2 { color: var(--wrong); }
th { text-align: left; vertical-align: top; font-weight: normal; color: var(--muted);
  padding-right: 1rem; white-space: nowrap; }
td, li { overflow-wrap: anywhere; }
p { margin: .3rem 0; }
"""


def expect_free(folder, overwrite=False):
    """Raise InputError for a folder in which something else lies than pages that were written here;
    with `overwrite`, only for what is no folder."""
    folder = pathlib.Path(folder)
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(f"{folder} is no folder. Choose another name for --feedback.")
    if overwrite or not folder.exists():
        return
    others = [path.name for path in sorted(folder.iterdir()) if not is_page(path)]
    if others:
        raise InputError(
            f"{folder} holds something else than pages of feedback: {escaped(others[0])}. Choose "
            "another folder, or write into this one with --overwrite (overwrite=True)."
        )


def is_page(path):
    """Whether a file is a page that was written here."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return MARK.encode() in file.read(200)


def write_feedback(submissions, points, folder, overwrite=False):
    """Write a page for each submission into a folder, which is made if need be; return their paths.

    A page of the same name is replaced. What was interrupted has no page, nor has a file that is no
    submission. Raises InputError for a folder that holds something else, without `overwrite`.
    """
    expect_free(folder, overwrite)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    graded = [
        one
        for one in submissions
        if one.status not in UNFINISHED and pathlib.PurePath(one.file).suffix.lower() in KINDS
    ]
    files = below([one.file for one in graded])
    paths = [folder / name for name in names_of(files)]
    for one, file, path in zip(graded, files, paths):
        write_text(path, page(one, points, escaped(file)))
    return paths


def below(files):
    """The paths of files below the folder that all lie in: a student need not know where the
    teacher keeps it."""
    whole = [pathlib.PurePath(os.path.abspath(file)) for file in files]
    if len(whole) < 2 or len({path.anchor for path in whole}) > 1:  # on Windows, several drives
        return [pathlib.PurePath(path.name) for path in whole]
    root = os.path.commonpath([path.parent for path in whole])
    return [path.relative_to(root) for path in whole]


def names_of(files):
    """A name for the page of each file: its path, without what a file system or a shell does not
    take, and no two the same, whatever their case."""
    found, taken = [], set()
    for file in files:
        plain = unicodedata.normalize("NFC", "-".join(pathlib.PurePath(file).parts))
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in plain)
        stem = stem.lstrip(".-")[-LONGEST:] or "_"
        name, n = stem, 1
        while name.casefold() in taken:
            n += 1
            name = f"{stem}-{n}"
        taken.add(name.casefold())
        found.append(f"{name}.html")
    return found


def page(submission, points, title):
    """The page of one submission as a text."""
    scores = score(submission, points)
    name = html.escape(title)
    possible = written(sum(points.values()))
    parts = [
        HEAD,
        f"<title>{name}</title>\n<style>{STYLE}</style>\n",
        f"<main>\n<h1>{name}</h1>\n<p>{_amount(total(scores), possible)}</p>\n",
    ]
    if submission.remark:
        parts.append(f"<p>{html.escape(submission.remark)}</p>\n")
    parts += [
        _section(id, submission.reports.get(id), scores.get(id), points.get(id))
        for id in {**points, **submission.reports}
    ]
    if submission.errors:
        items = "".join(f"<li>{html.escape(error)}</li>\n" for error in submission.errors)
        parts.append(f"<section>\n<h2>Cells that failed</h2>\n<ul>\n{items}</ul>\n</section>\n")
    return "".join([*parts, "</main>\n</html>\n"])


def _section(id, report, reached, possible):
    """One exercise: what the report says, and its points."""
    amount = "It does not count." if possible is None else _amount(reached, written(possible))
    if report is None:
        return (
            f"<section>\n<h2>{html.escape(id)}: not handed in</h2>\n<p>{amount}</p>\n</section>\n"
        )
    report = Report.from_dict(report)
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(label)}</th><td>{html.escape(sentence)}</td></tr>\n"
        for label, sentence in report.rows()
    )
    kind = report.status.replace(" ", "-")
    table = f"<table>\n{rows}</table>\n" if rows else ""
    return (
        f"<section class='{kind}'>\n<h2>{html.escape(report.headline)}</h2>\n"
        f"<p>{amount}</p>\n{table}</section>\n"
    )


def _amount(reached, possible):
    noun = "point" if possible == "1" else "points"
    return f"{written(reached) or 'No points'} of {possible} {noun}"
