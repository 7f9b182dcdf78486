"""What the checker says of the blind set: python -m tests.blind.measure [every n-th answer].

A wrong answer is flagged, or noted; it is named by a known mistake or a change of the right way, or
by one change of a line; and the faulty line is among those that are shown. Whether a name is right,
the reports tell: they are printed with --reports.
"""

import sys
import time

from minitransformer.grading import check

from . import answers

CHANGE = "with one change there, all numbers are right"


def main(every=1, reports=False):
    found = [judged(answer, reports) for answer in [*answers()][::every]]
    wrong = [row for row in found if row["kind"] == "wrong"]
    single = [row for row in wrong if not row["second"]]
    long = [row for row in single if row["rows"] >= 6 and row["faulty"] == 1]
    right = [row for row in found if row["kind"] == "right"]
    print(f"right {len(right)}, flagged {sum(row['said'] == 'wrong' for row in right)}")
    print(f"wrong {len(wrong)}: {counted(wrong, 'said')}")
    print(f"one mistake {len(single)}: {counted(single, 'named')}")
    print(f"six lines or more, one faulty {len(long)}: {counted(long, 'line')}")
    for kind, rows in (("right", right), ("wrong", wrong)):
        seconds = sorted(row["seconds"] for row in rows)
        middle, last = seconds[len(seconds) // 2], seconds[-1]
        print(f"seconds of computing, {kind}: median {middle:.3f}, most {last:.2f}")


def judged(answer, reports):
    began = time.thread_time()
    report = check(answer.exercise, answer.submission, quiet=True)
    seconds = time.thread_time() - began
    if reports:
        print(f"## {answer.name}: {answer.words}; {answer.second}\n{report}\n")
    first = report.findings[0] if report.findings else None
    shown = {line.number for line in first.lines} if first else set()
    near = {n + k for n in answer.lines for k in ((-1, 0, 1) if answer.missing else (0,))}
    named = "by its numbers" if first and first.title and first.exact else "not"
    if named == "not" and first and any(CHANGE in line.reason for line in first.lines):
        named = "by a change of a line"
    said = "noted" if report.passed and report.findings else "right" if report.passed else "wrong"
    return {
        "kind": answer.kind, "second": answer.second, "rows": answer.last - answer.first,
        "faulty": len(answer.lines), "said": said, "named": named, "seconds": seconds,
        "line": "none shown" if not shown else "shown" if near & shown else "another",
    }  # fmt: skip


def counted(rows, what):
    values = [row[what] for row in rows]
    return ", ".join(
        f"{value} {values.count(value)} ({values.count(value) / len(values):.1%})"
        for value in sorted({*values})
    )


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--reports"]
    main(*map(int, words), reports="--reports" in sys.argv)
