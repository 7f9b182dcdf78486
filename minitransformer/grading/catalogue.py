"""The catalogue of mistakes as a page."""

from .exercise import EXERCISES

HEAD = """# The mistakes that the checker knows

Every one of these is planted in a right answer, in all the ways listed in
[its exercise](../minitransformer/grading/topics), and must be found and named. *Exactly this comes out when* …
This page is printed by `minitransformer exercises --mistakes`."""


def mistakes_page():
    """All known mistakes by exercise, as Markdown."""
    parts = [HEAD]
    for exercise in EXERCISES.values():
        rows = [f"| {m.id} | {_cell(m.title)} | {_cell(m.question) or '*(a convention: it passes, with a note)*'} | {_cell(m.met)} |" for m in exercise.mistakes]
        if rows:
            parts.append("\n".join([f"## {exercise.id}", "", "| | when … | the question that leads on | met in |", "|---|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _cell(text):
    return text.replace("|", "\\|")
