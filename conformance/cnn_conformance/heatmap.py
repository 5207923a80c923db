"""Arrays as small heat maps: planes of cells, each with its number and how far that is from zero."""

from dataclasses import dataclass

import numpy as np

from cnn_spec.operations import Array

MOST_PLANES = 6
MOST_CELLS = 12
"""A longer side is cut, around what differs most."""


@dataclass(frozen=True)
class Cell:
    """A number: in short, in full, its heat from -1 to 1, and whether it is not what was expected."""

    text: str
    exact: str
    heat: float
    differs: bool


@dataclass(frozen=True)
class Plane:
    """The last two axes at some index of the others, or the part of it at these rows and columns."""

    index: tuple[int, ...]
    rows: range
    columns: range
    cells: tuple[tuple[Cell, ...], ...]
    whole: bool


@dataclass(frozen=True)
class Picture:
    """An array: some of its planes, and how many there are besides."""

    name: str
    shape: tuple[int, ...]
    planes: tuple[Plane, ...]
    others: int


def picture(name: str, array: Array, off: Array | None = None, scale: float | None = None) -> Picture:
    """An array as a picture; `off` is how far each number is from what was expected, `scale` as hot as can be.

    The planes that are furthest off come first.
    """
    numbers = np.atleast_2d(array)
    distances = np.zeros(numbers.shape) if off is None else np.atleast_2d(off)
    hottest = _largest(array) if scale is None else scale
    indices = sorted(np.ndindex(numbers.shape[:-2]), key=lambda index: -distances[index].max(initial=0.0))
    planes = [_plane(index, numbers[index], distances[index], hottest) for index in indices[:MOST_PLANES]]
    return Picture(name, array.shape, tuple(planes), len(indices) - len(planes))


def comparison(expected: Array, got: Array) -> list[Picture]:
    """What is expected, what is got, and the difference, if they have one shape."""
    if expected.shape != got.shape:
        return [picture("expected", expected), picture("got", got)]
    right, answered = expected.astype(np.float64), got.astype(np.float64)
    same = np.asarray((got == expected) | (np.isnan(answered) & np.isnan(right)))
    with np.errstate(all="ignore"):
        difference = np.where(same, 0.0, answered - right)
    off = np.where(np.isnan(difference), np.inf, np.abs(difference))
    scale = max(_largest(expected), _largest(got))
    return [
        picture("expected", expected, off, scale),
        picture("got", got, off, scale),
        picture("difference", difference, off),
    ]


def _plane(index: tuple[int, ...], numbers: Array, off: Array, hottest: float) -> Plane:
    rows, columns = _part(off.max(axis=1, initial=0.0)), _part(off.max(axis=0, initial=0.0))
    cells = tuple(
        tuple(_cell(numbers[row, column], off[row, column] > 0, hottest) for column in columns)
        for row in rows
    )
    return Plane(index, rows, columns, cells, (len(rows), len(columns)) == numbers.shape)


def _part(off: Array) -> range:
    if off.size <= MOST_CELLS:
        return range(off.size)
    first = min(max(int(np.argmax(off)) - MOST_CELLS // 2, 0), off.size - MOST_CELLS)
    return range(first, first + MOST_CELLS)


def _cell(number: np.generic, differs: bool, hottest: float) -> Cell:
    value = number.item()
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    heat = np.clip(np.nan_to_num(value / hottest if hottest else value), -1, 1)
    return Cell(text, repr(value), round(float(heat), 2), bool(differs))


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0, where=np.isfinite(array)))
