"""The catalogue of mistakes as a page."""

from .exercise import EXERCISES

HEAD = """# The mistakes that the checker knows

Every one of these is planted in a right answer, in all the ways listed in
[its exercise](../minitransformer/grading/topics), and must be found and named.
*Exactly this comes out when* … With the exercise before it, the name of a mistake is its id in
reports for programs: `softmax.backward/diagonal-only`.
This page is printed by `minitransformer exercises --mistakes`."""

COLUMNS = ("| | when … | the question that leads on | met in |", "|---|---|---|---|")


def mistakes_page():
    """All known mistakes by exercise, as Markdown."""
    parts = [HEAD]
    for exercise in EXERCISES.values():
        rows = [_row(mistake) for mistake in exercise.mistakes]
        if rows:
            parts.append("\n".join([f"## {exercise.id}", "", *COLUMNS, *rows]))
    return "\n\n".join(parts)


def _row(mistake):
    question = mistake.question or "*(a convention: it passes, with a note)*"
    return f"| `{mistake.id}` | {_cell(mistake.title)} | {_cell(question)} | {_cell(mistake.met)} |"


def _cell(text):
    return text.replace("|", "\\|")
