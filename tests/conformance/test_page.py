"""The HTML page: what it shows, that nothing a candidate says becomes markup, and how it looks in a real browser."""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import BROWSER, browsed, framed, measuring
from reports import CONTRADICTED, NASTY, REPORT, RIGHT

from cnn_conformance.gate import Change, Kind
from cnn_conformance.page import page
from cnn_conformance.report import Status

VOID = ("meta",)
KNOWN = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "span",
        "strong",
    ),
    *(
        "ul",
        "li",
        "article",
        "details",
        "summary",
        "pre",
        "code",
        "div",
        "figure",
        "figcaption",
        "table",
        "tr",
        "th",
    ),
    *("td", "caption", "a", "small", "meter", "dl", "dt", "dd"),
    *("math", "mtext", "mo", "mrow", "mi", "mn", "mfrac", "msup", "msub"),
}


@dataclass
class Node:
    """An element with its attributes; children are elements and texts."""

    tag: str
    attributes: dict[str, str | None]
    children: list["Node | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(c if isinstance(c, str) else f" {c.text} " for c in self.children).split())

    def all(self, tag: str = "", **attributes: str) -> list["Node"]:
        """The elements below with this tag and these attributes, among them classes by `of`."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                classes = (child.attributes.get("class") or "").split()
                same = all(
                    child.attributes.get(n) == v if n != "of" else v in classes for n, v in attributes.items()
                )
                found += [child] if same and tag in ("", child.tag) else []
                found += child.all(tag, **attributes)
        return found


class Reader(HTMLParser):
    """Reads a page whose elements are all closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(html: str) -> Node:
    reader = Reader()
    reader.feed(html)
    reader.close()
    (root,) = reader.open
    return root


PAGE = page(REPORT)
ROOT = read(PAGE)


def test_nothing_that_a_candidate_says_becomes_markup() -> None:
    assert {node.tag for node in ROOT.all()} <= KNOWN
    assert (
        ROOT.text.count(" ".join(NASTY.split())) == 4
    )  # the title, the heading, what was raised, the script


def test_it_wants_neither_the_network_nor_a_script() -> None:
    names = {name for node in ROOT.all() for name in node.attributes}
    assert names.isdisjoint({"src", "srcset", "data", "action"})
    assert not any(name.startswith("on") for name in names)
    (style,) = ROOT.all("style")
    assert not re.search(r"url\(|@import", str(style.children))
    policy = next(n for n in ROOT.all("meta") if n.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_every_link_leads_to_a_place_on_it() -> None:
    ids = [node.attributes["id"] for node in ROOT.all() if "id" in node.attributes]
    links = [node.attributes["href"] or "" for node in ROOT.all("a")]
    assert len(ids) == len(set(ids))
    assert len(links) > 5
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_the_verdicts_stand_by_operation_and_clause() -> None:
    conv, relu = ROOT.all("details", of="operation")
    heading, *lines = conv.all("tr")
    assert heading.text == "clause conv1d"
    assert [line.text for line in lines] == [
        "CONV-AFFINE ✗ violated 7 cases, 0.50 of the bound",
        "CONV-XCORR ✓ holds 7 cases, 0.25 of the bound",
        "CONV-STRIDE-SIZE ✓ holds 3 cases, 1 declined",
        "PAD-VALUE ? inconclusive 2 cases never saw some padding",
    ]
    assert relu.all("summary")[0].text == "relu ✗ 1 – 1 2 cases, 50% declined"
    (meter,) = conv.all("meter")
    assert meter.attributes["value"] == "0.5"
    assert "Not offered: conv2d." in ROOT.text


def test_the_counts_are_those_of_the_verdicts() -> None:
    (counts,) = ROOT.all("ul", of="counts")
    assert [item.text for item in counts.all("li")] == [
        "✓ 2 holds",
        "✗ 2 violated",
        "– 1 declined",
        "· 1 not offered",
        "? 1 inconclusive",
    ]
    cells = [span.text for table in ROOT.all("table", of="verdicts") for span in table.all("span")]
    shown = {status: sum(status.value in cell for cell in cells) for status in Status}
    assert shown[Status.HOLDS] == 2
    assert len([a for table in ROOT.all("table", of="verdicts") for a in table.all("a", of="violated")]) == 2


def test_a_violation_shows_all_that_is_known() -> None:
    (card,) = ROOT.all("article", id="CONV-AFFINE")
    for words in (
        "plus the filter's bias, once",
        "conv1d fails when kernel is odd, in 3 of 3 cases; holds in all 4 others",
        "looks like: the kernel is flipped",
        "conv1d(x, w, b, stride=(1,), padding=((0,0),), dilation=(1,), groups=1)",
        "b = None",
        "memory layout: strided",
        "print('the script of the flipped kernel')",
    ):
        assert words in card.text
    pictures = {
        figure.all("figcaption")[0].text: figure for figure in card.all("figure") if figure.all("figcaption")
    }
    assert {name: [cell.text for cell in figure.all("td")] for name, figure in pictures.items()} == {
        "x 1 × 1 × 2": ["0", "1"],
        "w 1 × 1 × 2": ["0", "1"],
        "expected 1 × 1 × 2": ["1", "-2.5"],
        "got 1 × 1 × 2": ["0.25", "-2.5"],
        "difference 1 × 1 × 2": ["-0.75", "0"],
    }
    wrong = [cell.text for cell in card.all("td", of="differs")]
    assert wrong == ["0.25"]


def test_the_formula_of_a_clause_is_mathematics() -> None:
    (about,) = (n for n in ROOT.all("dd") if "floor((N - K) / S) + 1" in n.text)
    formula = about.all("math", display="block")[0]
    assert unescape(formula.text).startswith(
        "output side = ⌊ N + 2 \u2062 P − D \u2062 ( K − 1 ) − 1 S ⌋ + 1"
    )


def test_who_conforms_and_who_contradicts_is_said() -> None:
    assert read(page(RIGHT)).all("h1", of="holds")[0].text == "✓ right conforms"
    assert "What is wrong" not in page(RIGHT)
    assert (
        "This suite contradicts itself on CONV-AFFINE (a): the reference is wrong."
        in read(page(CONTRADICTED)).text
    )


def test_what_changed_since_a_baseline_is_said() -> None:
    changes = [Change(Kind.LOST, "CONV-XCORR", "conv1d", "held, and is declined")]
    assert "lost : CONV-XCORR on conv1d : held, and is declined" in read(page(REPORT, changes)).text
    assert "Nothing changed." in page(REPORT, [])
    assert "Against the baseline" not in PAGE


MEASURE = """
document.querySelectorAll("details").forEach(e => e.open = true);
const texts = [...document.body.querySelectorAll("*")].filter(
  e => e.tagName !== "SCRIPT" && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
const faint = texts.filter(e => contrast(e) < 4.5).map(e => e.textContent.trim());
const measured = {
  width: innerWidth, content: document.documentElement.scrollWidth, texts: texts.length, faint,
  ground: getComputedStyle(document.body).backgroundColor,
  fractions: [...document.querySelectorAll("mfrac")].map(e => e.getBoundingClientRect().height),
  letters: [...document.querySelectorAll("mi")].map(e => e.getBoundingClientRect().height),
};
"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1100])
def test_in_a_browser_it_fits_and_can_be_read(tmp_path: Path, width: int, dark: bool) -> None:
    measured = json.loads(browsed(framed(measuring(PAGE, MEASURE), width), tmp_path, dark))
    assert measured["width"] == width
    assert measured["content"] <= width
    assert measured["ground"] == ("rgb(16, 20, 24)" if dark else "rgb(255, 255, 255)")
    assert measured["texts"] > 50
    assert measured["faint"] == []
    assert min(measured["fractions"]) > 1.5 * min(measured["letters"]) > 0


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
def test_in_a_browser_no_script_runs(tmp_path: Path) -> None:
    script = "<script>document.title = 'it ran'</script>"
    assert browsed(PAGE.replace("</body>", f"{script}</body>"), tmp_path) == f"{NASTY} 1 does not conform"
    bare = re.sub("<meta http-equiv[^>]*>", "", PAGE).replace("</body>", f"{script}</body>")
    assert browsed(bare, tmp_path) == "it ran"
