"""The report as JUnit XML, which CI systems read: a test case for each clause on each operation."""

from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from cnn_conformance.gate import RED, Change, Kind
from cnn_conformance.report import Report, Status, environment
from cnn_conformance.terminal import violation_text
from cnn_conformance.wording import contradicts, named, where, why_not


def junit(report: Report, changes: Iterable[Change] | None = None) -> str:
    """The whole document.

    What is violated fails; against a baseline, with the `changes` since then, what is new or lost does, and what is
    known is skipped. What neither holds nor fails is skipped, and says why. Where this suite contradicts itself,
    that is an error.
    """
    if changes is None:
        changes = [Change(Kind.NEW, v.clause, v.operation, where(v)) for v in report.violations]
    changed = {(change.clause, change.operation): change for change in changes}
    contradictions = {(c.clause, c.operation): contradicts(c) for c in report.contradictions}
    suite = ET.Element("testsuite", {"name": named(report)})
    properties = ET.SubElement(suite, "properties")
    for name, value in {"level": report.level, "seed": report.seed, **environment()}.items():
        ET.SubElement(properties, "property", {"name": name, "value": str(value)})
    counts = Counter(tests=0, failures=0, errors=0, skipped=0)
    for verdict in report.verdicts:
        counts["tests"] += 1
        key = verdict.clause, verdict.operation
        case = ET.SubElement(suite, "testcase", {"classname": verdict.operation, "name": verdict.clause})
        change = changed.get(key)
        if key in contradictions:
            counts["errors"] += 1
            ET.SubElement(case, "error", {"type": "contradiction", "message": contradictions[key]})
        elif change and change.kind in RED:
            counts["failures"] += 1
            said = {"type": verdict.status.value, "message": change.words}
            failure = ET.SubElement(case, "failure", said)
            failure.text = violation_text(verdict) if verdict.status is Status.VIOLATED else None
        elif verdict.status is not Status.HOLDS:
            counts["skipped"] += 1
            said = {"type": change.kind if change else verdict.status.value}
            ET.SubElement(case, "skipped", {**said, "message": change.words if change else why_not(verdict)})
    suite.attrib.update({name: str(count) for name, count in counts.items()})
    if report.timing:
        suite.set("time", f"{report.timing['total']:.3f}")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"
