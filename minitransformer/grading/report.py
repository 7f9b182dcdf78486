"""What the checker says: what is right, the number that is wrong, what it looks like, and one
question."""

import dataclasses
import textwrap

from .exercise import find
from .lines import Line
from .picture import cell_number, html, in_notebook, show_html

WIDTH = 100
CONVENTION = "convention:"  # before the name of a mistake that is only another convention
# of a finding's evidence; else "wrong"
LABELS = {
    "convention": "note", "precision": "note", "stub": "note", "own": "note", "remains": "besides",
}


@dataclasses.dataclass
class Finding:
    """One thing that was found.

    `id` is the name of a known mistake, or of a rule. `title` completes "Exactly this
    comes out when …". `evidence` are the sentences that show it; `where` is {output, index, yours,
    expected, situation} or None; `lines` are those of the learner's code that are at fault; `also`
    are the titles of other mistakes that cannot be told apart from it here; `met` says where people
    made it, as Markdown, and "" where that is not known.
    """

    id: str
    title: str
    evidence: list = dataclasses.field(default_factory=list)
    where: dict | None = None
    lines: list = dataclasses.field(default_factory=list)
    question: str = ""
    also: list = dataclasses.field(default_factory=list)
    exact: bool = True  # whether the mistake explains every digit, or most of the difference
    met: str = ""

    @property
    def label(self):
        """What stands before its evidence; a right answer may have findings that are notes."""
        return LABELS.get(self.id.split(":")[0], "wrong")

    @property
    def severity(self):
        """ "note" where nothing is wrong for it, else "error"."""
        return "note" if self.label == "note" else "error"


@dataclasses.dataclass(repr=False)
class Report:
    """The verdict on one submission. Printed, it is a few lines; in a notebook, a table with
    pictures."""

    exercise: str
    passed: bool
    status: str  # right, wrong, not started
    right: list = dataclasses.field(default_factory=list)
    findings: list = dataclasses.field(default_factory=list)
    situations: int = 0
    # {output: (yours, expected)}, for the picture
    arrays: dict = dataclasses.field(default_factory=dict)
    shown: int | None = None  # the notebook's cell that shows it already
    answer: str = ""  # the name of the function or class that was handed in

    def to_dict(self):
        """The report as plain dicts, lists, strings and numbers, for programs. The id of a finding
        has the exercise before it: "softmax.backward/diagonal-only"."""
        return {
            "exercise": self.exercise,
            "passed": self.passed,
            "status": self.status,
            "right": list(self.right),
            "situations": self.situations,
            "severity": self.severity,
            "findings": [
                {
                    **dataclasses.asdict(finding),
                    "id": f"{self.exercise}/{finding.id.removeprefix(CONVENTION)}",
                    "severity": finding.severity,
                }
                for finding in self.findings
            ],
        }

    @property
    def severity(self):
        """The gravest among the findings, "error" or "note"; "" if there are none."""
        found = [finding.severity for finding in self.findings]
        return min(found, default="")

    @classmethod
    def from_dict(cls, found):
        """The report of which `to_dict` made these plain values, without its pictures."""
        findings = [_finding(finding, found["exercise"]) for finding in found["findings"]]
        kept = {name: value for name, value in found.items() if name != "severity"}
        return cls(**{**kept, "findings": findings})

    @property
    def headline(self):
        if self.status == "right":
            return f"{self.exercise}: right"
        return (
            f"{self.exercise}: "
            f"{'not started yet' if self.status == 'not started' else 'not right yet'}"
        )

    def rows(self):
        """[(label, sentence)]: the report in the order of speech."""
        rows = []
        if self.right:
            situations = (
                "one situation" if self.situations == 1 else f"{self.situations} situations"
            )
            rows.append(
                ("right", ", ".join(self.right) + (f", in {situations}." if self.passed else "."))
            )
        besides = any(finding.id == "remains" for finding in self.findings)
        for finding in self.findings:
            rows += [
                (finding.label if n == 0 else "", sentence)
                for n, sentence in enumerate(finding.evidence)
            ]
            rows += [("line", str(line)) for line in finding.lines]
            if finding.title:
                also = "".join(f", or when {title}" for title in finding.also)
                amount = "This comes" if besides else "Exactly this comes"
                amount = amount if finding.exact else "Most of this would come"
                rows.append(("looks like", f"{amount} out when {finding.title}{also}."))
            if finding.question:
                rows.append(("question", finding.question))
        return rows

    def __str__(self):
        lines = [self.headline]
        for label, sentence in self.rows():
            lines += textwrap.wrap(
                f"{label:<12}{sentence}", WIDTH, initial_indent="  ", subsequent_indent=" " * 14
            )
        return "\n".join(lines)

    def __repr__(self):
        return f"<Report of {self.headline}>"

    def show(self, begun=None):
        """Print it; in a notebook, show the table with pictures.

        Returns what is `begun` with it: given to the report that continues this one, that one adds
        what this one lacks.
        """
        self.shown = cell_number()
        if in_notebook():
            if begun is None:
                return show_html(html(self))
            begun(html(self))
        else:
            text = str(self)
            rest = text.removeprefix(begun or "").lstrip("\n")
            if rest:
                print(rest, flush=True)  # what follows may take seconds
            return text

    def _ipython_display_(self):
        """The value of a notebook's cell, unless `check` has shown it in that very cell."""
        if self.shown is None or self.shown != cell_number():
            self.show()

    def _repr_html_(self):
        return html(self)


def _finding(found, exercise):
    """The `Finding` of which `to_dict` made these plain values."""
    id = found["id"].removeprefix(f"{exercise}/")
    conventions = [mistake.id for mistake in find(exercise).mistakes if mistake.convention]
    if found["severity"] == "note" and id in conventions:
        id = CONVENTION + id
    kept = {name: value for name, value in found.items() if name != "severity"}
    return Finding(**{**kept, "id": id, "lines": [Line(**line) for line in found["lines"]]})
