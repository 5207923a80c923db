"""The matrix as a page in a real browser: it can be read on a phone, and a click on a red cell shows the smallest case."""

import json
from pathlib import Path

import pytest
from browser import BROWSER, browsed, framed, measuring
from reports import REPORT

from cnn_conformance.matrix import Document, matrix, page
from cnn_conformance.report import Status


def named(name: str) -> Document:
    document = json.loads(REPORT.to_json())
    return {**document, "candidate": {**document["candidate"], "name": name}}


MADE = matrix([named(f"a library with a long name, {number}") for number in range(9)])
PAGE = page(MADE)
RED = sum(cell.status is Status.VIOLATED for _, cells in MADE.rows for cell in cells)
MEASURE = """
const red = [...document.querySelectorAll("td.violated summary")];
const shown = [...document.querySelectorAll(".cases")];
const visible = () => shown.filter(e => e.checkVisibility());
const before = visible().length;
red[0].click();
red[red.length - 1].click();
const [last] = visible();
const box = last.getBoundingClientRect();
const after = visible().length;
const text = last.textContent;
const texts = [...document.body.querySelectorAll("*")].filter(
  e => e.tagName !== "SCRIPT" && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
const faint = texts.filter(e => contrast(e) < 4.5).map(e => e.textContent.trim());
red[red.length - 1].click();
scrollTo(600, 300);
const measured = {
  red: red.length, before, after, again: visible().length, text, faint, box: [box.left, box.right, box.top, box.bottom],
  clause: document.querySelector("tbody th").getBoundingClientRect().left,
  heading: document.querySelector("thead th").getBoundingClientRect().top,
  scrolled: [scrollX, scrollY], size: [innerWidth, innerHeight],
  ground: getComputedStyle(document.body).backgroundColor,
};
"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1100])
def test_a_click_on_a_red_cell_shows_its_smallest_case(tmp_path: Path, width: int, dark: bool) -> None:
    shown = json.loads(browsed(framed(measuring(PAGE, MEASURE), width), tmp_path, dark))
    assert shown["red"] == RED
    assert (shown["before"], shown["after"], shown["again"]) == (0, 1, 0)
    assert any(
        broken.lines and broken.lines[-1] in shown["text"]
        for _, cells in MADE.rows
        for broken in cells[-1].broken
    )
    left, right, top, bottom = shown["box"]
    assert 0 <= left < right <= width == shown["size"][0]
    assert 0 <= top < bottom <= shown["size"][1]
    assert shown["faint"] == []
    assert shown["ground"] == ("rgb(16, 20, 24)" if dark else "rgb(255, 255, 255)")


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_clauses_and_candidates_stay_in_sight(tmp_path: Path) -> None:
    shown = json.loads(browsed(framed(measuring(PAGE, MEASURE), 390), tmp_path))
    across, down = shown["scrolled"]
    assert across > 100
    assert down > 50
    assert shown["clause"] == 0
    assert shown["heading"] == 0
