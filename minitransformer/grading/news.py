"""What a check says that the checks before it did not say."""

from .one_file import notes, summary
from .report import Report


class News:
    """What is new each time that a file is checked.

    What a file answered is remembered while it does not run: a syntax error takes no answer back.
    """

    def __init__(self):
        self.reports, self.notes = {}, []

    def of(self, submission):
        """What is new in this `Submission`: reports that are others than before, cells that fail
        now and did not, and always how many answers are right."""
        reports, said = submission.reports, notes(submission)
        blocks = [note for note in said if note not in self.notes]
        if self.notes and not said:
            blocks.append("The whole file runs again.")
        blocks += [
            str(Report.from_dict(report))
            for id, report in reports.items()
            if id not in self.reports or content(report) != content(self.reports[id])
        ]
        if not said:
            blocks += [f"{id}: no longer in the file." for id in self.reports if id not in reports]
        self.reports, self.notes = {**self.reports, **reports} if said else reports, said
        end = summary(submission)
        return "\n\n".join([*blocks, end]) if blocks else f"Nothing new. {end}"


def content(report):
    """A report without the numbers of the learner's lines: a line written further up changes
    them."""
    findings = [
        {**finding, "lines": [{**line, "number": 0} for line in finding["lines"]]}
        for finding in report["findings"]
    ]
    return {**report, "findings": findings}
