"""The report in Markdown, for the summary of a CI job."""

import re
from collections.abc import Iterator, Sequence

from cnn_conformance.gate import Change
from cnn_conformance.report import Report, Status, Verdict
from cnn_conformance.wording import (
    MARKS,
    broken,
    circumstances,
    contradicts,
    looks_like,
    named,
    outcome,
    parts_of,
    rows,
    source,
    tally,
    unseen,
    where,
)
from cnn_spec.clause import Clause
from cnn_spec.markdown import escaped

LARGEST = 900_000
"""Bytes: GitHub refuses the summary of a step from 1 MiB on."""


def markdown(report: Report, changes: Sequence[Change] | None = None) -> str:
    """The whole page; `changes` are those since a baseline. What a candidate says of itself stands in code."""
    page = "\n".join([*_sum(report), *_operations(report), *_changes(changes), *_unclear(report)])
    left_out = []
    for clause, verdicts in broken(report):
        violation = _violation(clause, verdicts)
        if len((page + violation).encode()) <= LARGEST:
            page += violation
        else:
            left_out.append(clause.id)
    return page + (f"\nToo long for this page, and left out: {', '.join(left_out)}.\n" if left_out else "")


def _sum(report: Report) -> Iterator[str]:
    status, sentence = outcome(report, _code(named(report)))
    yield f"## {MARKS[status]} {sentence}\n"
    yield f"{tally(report)} ({circumstances(report)})\n"
    for contradiction in report.contradictions:
        yield f"**{escaped(contradicts(contradiction))}**\n"


def _operations(report: Report) -> Iterator[str]:
    statuses = [s for s in Status if s is not Status.NOT_OFFERED]
    yield _cells("operation", *statuses, "cases", "cases declined", "worst error, of the bound")
    yield _cells("---", *["---:"] * (len(statuses) + 3))
    for row in rows(report):
        yield _cells(
            escaped(row.name),
            *(str(row.counts.get(status, "")) for status in statuses),
            f"{row.cases:,}",
            f"{row.declined:.0%}" if row.declined else "",
            f"{row.error:.2f}" if row.error is not None else "",
        )
    yield ""


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _changes(changes: Sequence[Change] | None) -> Iterator[str]:
    if changes is None:
        return
    yield "### Against the baseline\n"
    for change in changes:
        yield f"- **{change.kind}**: {change.clause} on `{change.operation}`: {escaped(change.words)}"
    yield "" if changes else "Nothing changed.\n"


def _unclear(report: Report) -> Iterator[str]:
    unclear = [v for v in report.verdicts if v.status is Status.INCONCLUSIVE]
    if unclear:
        yield f"<details><summary>{len(unclear)} inconclusive</summary>\n"
        yield from (f"- `{v.operation}`: {escaped(unseen(v))}" for v in unclear)
        yield "\n</details>\n"


def _violation(clause: Clause, verdicts: Sequence[Verdict]) -> str:
    lines = [f"\n### ✗ {clause.id}, {source(clause)}\n", f"{escaped(clause.statement)}\n"]
    lines += [f"- {escaped(where(verdict))}" for verdict in verdicts]
    for looks in dict.fromkeys(looks_like(v.diagnosis) for v in verdicts if v.diagnosis):
        lines.append(f"- {escaped(looks)}")
    example = next((v.counterexample for v in verdicts if v.counterexample), None)
    if example:
        lines += ["\nSmallest case:\n", _block("\n".join(line for _, line in parts_of(example)))]
        script = _block(example.script, "python")
        lines += [f"\n<details><summary>Script</summary>\n\n{script}\n</details>"]
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    """On a line, as it is, whatever it is."""
    ticks = _longer(text, "`")
    return f"{ticks} {text} {ticks}" if "`" in text else f"{ticks}{text}{ticks}"


def _block(text: str, language: str = "") -> str:
    """On lines of its own, as it is, whatever it is."""
    fence = _longer(text, "```")
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _longer(text: str, fence: str) -> str:
    """Backticks that do not occur in the text: more in a row than any."""
    return max(fence, "`" * (1 + max(map(len, re.findall("`+", text)), default=0)), key=len)
