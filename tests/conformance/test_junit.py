"""JUnit XML: its structure, what passes, fails, errs or is skipped, and that nothing a candidate says breaks it."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from reports import CONTRADICTED, NASTY, REPORT, RIGHT

from cnn_conformance.cli import main
from cnn_conformance.gate import Change, Kind
from cnn_conformance.junit import junit
from cnn_conformance.report import Report

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Element:
    """What JUnit readers take an element to have: children, attributes that it must have, and others."""

    children: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


OUTCOME = Element(optional=("type", "message"))
SCHEMA = {
    "testsuites": Element(("testsuite",), (), ("name", "time", "tests", "failures", "errors")),
    "testsuite": Element(
        ("properties", "testcase"),
        ("name", "tests", "failures", "errors"),
        ("skipped", "time", "timestamp", "hostname"),
    ),
    "properties": Element(("property",)),
    "property": Element((), ("name", "value")),
    "testcase": Element(("failure", "error", "skipped"), ("name", "classname"), ("time",)),
    "failure": OUTCOME,
    "error": OUTCOME,
    "skipped": OUTCOME,
}
"""The part of the schema published with Jenkins' xunit plugin (junit-10) that a report needs; `classname`, optional
there, is wanted by readers that group by it."""

PATTERNS = {**dict.fromkeys(("tests", "failures", "errors", "skipped"), r"\d+"), "time": r"\d+\.\d+"}


def faults(element: ET.Element) -> list[str]:
    """Where a document departs from the schema."""
    rules = SCHEMA[element.tag]
    found = [f"{element.tag} lacks {name}" for name in rules.required if name not in element.attrib]
    found += [
        f"{element.tag} has {name}"
        for name in element.attrib
        if name not in (*rules.required, *rules.optional)
    ]
    found += [
        f"{element.tag}: {name} is {value}"
        for name, value in element.attrib.items()
        if not re.fullmatch(PATTERNS.get(name, ".*"), value, re.DOTALL)
    ]
    for child in element:
        found += faults(child) if child.tag in rules.children else [f"{element.tag} holds {child.tag}"]
    return found


def outcomes(report: Report, changes: list[Change] | None = None) -> dict[tuple[str, str], ET.Element | None]:
    """What became of each test case: the element that says so, or None where it passed."""
    root = ET.fromstring(junit(report, changes))
    found = {}
    for case in root.iter("testcase"):
        assert len(case) <= 1
        found[case.attrib["name"], case.attrib["classname"]] = next(iter(case), None)
    return found


def tags(report: Report, changes: list[Change] | None = None) -> list[str]:
    return ["passed" if found is None else found.tag for found in outcomes(report, changes).values()]


@pytest.mark.parametrize("report", [REPORT, RIGHT, CONTRADICTED])
def test_it_fits_the_schema(report: Report) -> None:
    root = ET.fromstring(junit(report))
    assert root.tag == "testsuites"
    assert faults(root) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' errors="0"', ""),
        (' tests="7"', ' tests="many"'),
        (' time="1234.568"', ' time="20 minutes"'),
        ("<testcase ", '<testcase status="run" '),
        ("<properties>", "<properties><testcase/>"),
    ],
)
def test_the_schema_notices_what_is_wrong(old: str, new: str) -> None:
    broken = junit(REPORT).replace(old, new)
    assert broken != junit(REPORT)
    assert faults(ET.fromstring(broken)) != []


def test_each_status_has_its_outcome() -> None:
    assert tags(REPORT) == ["failure", "passed", "passed", "skipped", "skipped", "skipped", "failure"]
    assert tags(CONTRADICTED)[0] == "error"


@pytest.mark.parametrize("report", [REPORT, RIGHT, CONTRADICTED])
def test_the_counts_are_those_of_the_test_cases(report: Report) -> None:
    (suite,) = ET.fromstring(junit(report)).iter("testsuite")
    counted = tags(report)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == counted.count(tag)
    assert int(suite.attrib["tests"]) == len(counted)


def test_a_failure_says_all_that_is_known() -> None:
    failure = outcomes(REPORT)["CONV-AFFINE", "conv1d"]
    assert failure is not None
    assert (
        failure.attrib["message"] == "conv1d fails when kernel is odd, in 3 of 3 cases; holds in all 4 others"
    )
    for words in (
        "plus the filter's bias, once",
        "fails when kernel is odd",
        "looks like: the kernel is flipped",
        "expected [[[1., -2.5]]]",
        "print('the script of the flipped kernel')",
    ):
        assert words in (failure.text or "")


def test_what_is_skipped_says_why() -> None:
    said = {
        clause: found.attrib["message"]
        for (clause, _), found in outcomes(REPORT).items()
        if found is not None
    }
    assert said["PAD-VALUE"] == "inconclusive: PAD-VALUE (never saw some padding)"
    assert said["RELU"] == "the candidate declined all 2 cases"
    assert said["CONV-XCORR"] == "the candidate has no conv2d"


def test_what_a_candidate_says_stands_as_it_is() -> None:
    (suite,) = ET.fromstring(junit(REPORT)).iter("testsuite")
    assert suite.attrib["name"] == f"{NASTY} 1"
    failure = outcomes(REPORT)["VALID-CALL-ANSWERED", "relu"]
    assert failure is not None
    assert f"raised ValueError: {NASTY}" in (failure.text or "")


def test_against_a_baseline_only_what_is_new_or_lost_fails() -> None:
    changes = [
        Change(Kind.KNOWN, "CONV-AFFINE", "conv1d", "fails in 3 cases, as recorded"),
        Change(Kind.LOST, "CONV-STRIDE-SIZE", "conv1d", "declines 1 case that it answered"),
        Change(Kind.NEW, "VALID-CALL-ANSWERED", "relu", "fails in 1 case"),
    ]
    assert tags(REPORT, changes) == [
        "skipped",
        "passed",
        "failure",
        "skipped",
        "skipped",
        "skipped",
        "failure",
    ]
    known = outcomes(REPORT, changes)["CONV-AFFINE", "conv1d"]
    assert known is not None
    assert known.attrib == {"type": "known", "message": "fails in 3 cases, as recorded"}


def test_on_the_command_line_a_recorded_violation_is_skipped(tmp_path: Path) -> None:
    run = ["run", str(HERE / "planted.py"), "--only", "downsample1d", "--junit", str(tmp_path / "junit.xml")]

    def kinds(*options: str) -> set[str]:
        CliRunner().invoke(main, [*run, *options])
        return {e.tag for e in ET.parse(tmp_path / "junit.xml").iter("testcase") for e in e}

    baseline = ("--baseline", str(tmp_path / "baseline.json"))
    assert kinds() == {"failure", "skipped"}
    assert kinds(*baseline, "--update-baseline") == {"skipped"}
    assert kinds(*baseline) == {"skipped"}
