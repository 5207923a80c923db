"""Checks of the notes' §4, and of the letters used throughout."""

from collections.abc import Mapping

from cnn_spec.checks.check import Evidence, Reading, ambiguous, executed
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, distinct

CITED = {"Hubel and Wiesel 1959", "Hubel and Wiesel 1962", "Fukushima 1980"}
LISTED = {"Hubel and Wiesel 1959", "Hubel and Wiesel 1962", "Raj and Singh 2024"}
"""The works that the text cites, and those that §4 lists: taken down by hand."""

EVIDENCE: Mapping[str, Evidence] = {
    "REF-CITED": Evidence(
        checks=(
            executed(
                "one work is cited and not listed, one is listed and not cited",
                lambda listed: (
                    (CITED - listed, listed - CITED) == ({"Fukushima 1980"}, {"Raj and Singh 2024"})
                ),
                over="the works cited in the text and those listed in §4",
                right=LISTED,
                wrong=CITED,
                wrong_says="a list of the works cited",
            ),
        )
    ),
    "NOTATION": ambiguous(
        cases(C_in=range(1, 4), C_out=range(1, 4)),
        Reading(
            name="filters laid out (C_out, C_in): output channels",
            value=lambda C_in, C_out: conv(distinct((1, C_in, 1)), distinct((C_out, C_in, 1))).shape[1],
        ),
        Reading(
            name="filters laid out (C_in, C_out), as w(m, n) is written: output channels",
            value=lambda C_in, C_out: conv(distinct((1, C_out, 1)), distinct((C_in, C_out, 1))).shape[1],
            differs_at={"C_in": 1, "C_out": 2},
        ),
    ),
}
