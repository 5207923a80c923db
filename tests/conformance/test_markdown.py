"""The Markdown for a job's summary, as a Markdown reader takes it."""

import re
from dataclasses import replace
from html import unescape

import pytest
from markdown_it import MarkdownIt
from reports import CONTRADICTED, NASTY, REPORT, RIGHT

from cnn_conformance.gate import Change, Kind
from cnn_conformance.markdown import LARGEST, markdown
from cnn_conformance.report import Report

TABLE = ("table", "thead", "tbody", "tr", "th", "td")


def rendered(report: Report, changes: list[Change] | None = None) -> str:
    return MarkdownIt("commonmark").enable("table").render(markdown(report, changes))


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def rows(html: str) -> list[list[str]]:
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    ]


def test_nothing_that_a_candidate_says_becomes_markup() -> None:
    page = rendered(REPORT)
    tags = {tag.split()[0].strip("/<>") for tag in re.findall(r"<[^>]*>", page)}
    assert tags <= {*TABLE, "h2", "h3", "p", "ul", "li", "code", "pre", "details", "summary", "strong"}
    assert text(page).count(" ".join(NASTY.split())) == 3  # the heading, what was raised, the script


def test_the_sum_and_the_table_count_the_verdicts() -> None:
    page = rendered(REPORT)
    assert "2 holds, 2 violated, 1 declined, 1 not offered, 1 inconclusive" in text(page)
    heading, conv, relu = rows(page)
    assert heading[:5] == ["operation", "holds", "violated", "declined", "inconclusive"]
    assert conv == ["conv (1-d)", "2", "1", "", "1", "7", "12%", "0.50"]
    assert relu == ["relu", "", "1", "1", "", "2", "50%", ""]


def test_a_violation_shows_all_that_is_known() -> None:
    page = text(rendered(REPORT))
    for words in (
        "✗ CONV-AFFINE, notes §2.1",
        "plus the filter's bias, once",
        "conv1d fails when kernel is odd, in 3 of 3 cases; holds in all 4 others",
        "looks like: the kernel is flipped",
        "w = [[[0., 1.]]]",
        "conv1d(x, w, b, stride=(1,), padding=((0,0),), dilation=(1,), groups=1)",
        "memory layout: strided",
        "expected [[[1., -2.5]]]",
        "got [[[0.25, -2.5 ]]]",
        "print('the script of the flipped kernel')",
    ):
        assert words in page


def test_who_conforms_and_who_contradicts_is_said() -> None:
    assert "✓ right conforms" in text(rendered(RIGHT))
    assert "This suite contradicts itself on CONV-AFFINE (a): the reference is wrong." in text(
        rendered(CONTRADICTED)
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([], "Against the baseline Nothing changed."),
        (
            [Change(Kind.LOST, "CONV-XCORR", "conv1d", "held")],
            "Against the baseline lost: CONV-XCORR on conv1d: held",
        ),
    ],
)
def test_what_changed_since_a_baseline_is_said(changes: list[Change], words: str) -> None:
    assert words in text(rendered(REPORT, changes))
    assert "baseline" not in text(rendered(REPORT))


def test_a_page_that_would_be_too_long_says_what_it_leaves_out() -> None:
    long = replace(REPORT.verdicts[-1].counterexample, script="#" * LARGEST)  # type: ignore[type-var]
    page = markdown(
        replace(REPORT, verdicts=(*REPORT.verdicts[:-1], replace(REPORT.verdicts[-1], counterexample=long)))
    )
    assert len(page.encode()) <= LARGEST + 100
    assert "### ✗ CONV-AFFINE" in page
    assert "Too long for this page, and left out: VALID-CALL-ANSWERED." in page
