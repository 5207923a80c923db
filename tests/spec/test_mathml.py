"""Formulas as MathML say what they mean: read back and evaluated, they give the formula's values."""

import math
from collections.abc import Mapping
from fractions import Fraction
from html import unescape
from itertools import islice
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sympy as sp

from cnn_spec.checks import evidence
from cnn_spec.checks.formula import N, S
from cnn_spec.checks.typeset import mathml

FORMULAS = {id: found.formula for id, found in evidence().items() if found.formula}
SIGNS = {"−": "-", "\u2062": "*", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")"}
NAMES = {"floor": math.floor, "ceil": math.ceil, "min": min, "Fraction": Fraction}


def written(element: ET.Element) -> str:
    """An element as Python."""
    inner = [written(child) for child in element]
    text = element.text or ""
    match element.tag:
        case "mrow":
            return "".join(inner)
        case "mfrac":
            return f"Fraction({inner[0]}, {inner[1]})"
        case "msup":
            return f"{inner[0]}**{inner[1]}"
        case "msub":
            return "".join(inner)
        case "mo":
            return SIGNS.get(text, text)
        case "mi" | "mn":
            return text
    raise AssertionError(f"{element.tag} is not expected in a formula")


def value(formula: str, at: Mapping[str, int]) -> Any:
    return eval(written(ET.fromstring(unescape(formula))), NAMES, {**at})


@pytest.mark.parametrize("id", FORMULAS)
def test_a_formula_reads_as_it_is(id: str) -> None:
    formula = FORMULAS[id]
    points = list(islice(formula.points(), 0, 5000, 7))
    assert points
    for point in points:
        assert value(mathml(formula.expression), point) == formula(**point), point


def test_what_is_typeset_otherwise_is_noticed() -> None:
    point = {"N": 5, "S": 2}
    assert value(mathml(sp.floor(N / S) + 1), point) == 3
    assert value(mathml(sp.ceiling(N / S) + 1), point) == 4
    assert value(mathml(N - S * (N - 1)), point) == -3
