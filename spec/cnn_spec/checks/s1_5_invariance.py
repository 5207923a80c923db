"""Checks of the notes' §1.5: enumerated transforms, and augmentation."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import radians

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, differs_first_at, executed, for_all
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, distinct, integers, same
from cnn_spec.definitions.convolution import terms
from cnn_spec.definitions.transforms import (
    AUGMENTATIONS,
    QUARTER_TURNS,
    SQUARE,
    Transform,
    closed,
    log_uniform,
    rotation_like_shear,
    shear,
    strongest,
    translate,
)
from cnn_spec.operations import Array

A_QUARTER = QUARTER_TURNS[:2]
PROBABILITIES = [i / 40 for i in range(40)]


def _invariant(transforms: Sequence[Transform]) -> bool:
    pattern, *images = (draw.astype(int) for draw in integers(*[(3, 3)] * 11))
    return all(
        strongest(t(image), pattern, transforms) == strongest(image, pattern, transforms)
        for image in images
        for t in transforms
    )


def _corner(turned: bool) -> int:
    corner = np.array([[1, 0], [0, 0]])
    return strongest(QUARTER_TURNS[1](corner) if turned else corner, corner, A_QUARTER)


def _quarter(x: Array, quarters: int = 1) -> Array:
    return np.rot90(x, quarters, axes=(2, 3))


def _square(n: int) -> Array:
    return distinct((1, 1, n, n))


def _turned_input(N: int, K: int) -> Array:
    return conv(_quarter(_square(N)), _square(K))


def _turned_filter(N: int, K: int) -> Array:
    return conv(_square(N), _quarter(_square(K), -1))


def _turning_back(back: Callable[[Array], Array]) -> bool:
    return all(
        same(_turned_input(N, K), back(_turned_filter(N, K))) for N in range(1, 5) for K in range(1, N + 1)
    )


def _costs(factor: Callable[[int], int]) -> bool:
    """Whether filtering all transformed maps takes `factor(transforms)` times the products."""

    def products(maps: Array) -> int:
        filters = (1, maps.shape[1], 2, 2)
        found = terms(maps.shape, filters, stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1), groups=1)
        return len(list(found))

    image = _square(4)[0, 0]
    plain = products(image[None, None])
    return all(
        products(np.stack([t(image) for t in chosen])[None]) == factor(len(chosen)) * plain
        for chosen in (A_QUARTER, QUARTER_TURNS, SQUARE)
    )


def _angles(n: int, closed_interval: bool) -> list[int]:
    """n angles, evenly spaced from 0, as parts of the circle; the closed interval has its end too."""
    return sorted(k % n for k in range(n + 1 if closed_interval else n))


def _rotations(angles: tuple[int, ...]) -> bool:
    """Whether different angles make different rotations of an image."""
    image = _square(2)[0, 0]
    return len({str(np.rot90(image, angle // 90).tolist()) for angle in angles}) == len(angles)


def _shifts(r: int, vectors: bool) -> int:
    whole = range(-r, r + 1)
    return len([(a, b) for a in whole for b in whole if vectors or a == b])


def _something_left(n: int) -> bool:
    ones = np.ones((n, n), dtype=int)
    return bool(translate(ones, 10, 0).any())


def _moves_by(moved: Callable[[Array, int, int], Array]) -> bool:
    image = _square(4)[0, 0]
    return same(moved(image, 1, -2)[1:, :2], image[:3, 2:]) and moved(image, 1, -2).shape == (4, 4)


def _drawn(name: str, test: Callable[[float], bool]) -> Callable[[Callable[[float], float]], bool]:
    return lambda draw: all(test(draw(p)) for p in PROBABILITIES)


def _log_uniform_density(density: sp.Expr) -> bool:
    """Whether the density on [1/a, a] has mass 1, half of it below 1, and the mean (a - 1/a)/(2 ln a), for a > 1."""
    mass = sp.integrate(density, (s, 1 / a, a))
    below = sp.integrate(density, (s, 1 / a, 1))
    mean = sp.integrate(s * density, (s, 1 / a, a))
    expected = (a - 1 / a) / (2 * sp.log(a))
    return all(sp.simplify(x) == 0 for x in (mass - 1, below - sp.Rational(1, 2), mean - expected))


s = sp.Symbol("s", positive=True)
a = 1 + sp.Symbol("b", positive=True)


def _balanced(draw: Callable[[float], float]) -> bool:
    """Whether s and 1/s are drawn alike, within the range."""
    return all(
        abs(draw(p) * draw(1 - p) - 1) < 1e-12 and 1 / 1.6 - 1e-12 <= draw(p) <= 1.6 + 1e-12
        for p in PROBABILITIES
    )


def _uniform(p: float) -> float:
    return 1 / 1.6 + p * (1.6 - 1 / 1.6)


def _area(matrix: Array) -> float:
    return float(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])


EVIDENCE: Mapping[str, Evidence] = {
    "TI-ENUM": Evidence(
        checks=(
            executed(
                "the strongest match over all symmetries of the square does not see one applied to the image",
                _invariant,
                over="10 images and a pattern of 3x3, integers",
                right=SQUARE,
                wrong=A_QUARTER,
                wrong_says="over 0° and 90° alone, which is not closed",
            ),
            executed(
                "any two symmetries in a row are one of the eight",
                lambda transforms: closed(transforms, _square(3)[0, 0]),
                over="a 3x3 image of different numbers",
                right=SQUARE,
                wrong=A_QUARTER,
                wrong_says="0° and 90° alone",
            ),
            differs_first_at(
                {"turned": 1},
                claim=lambda turned: _corner(turned=False),
                truth=lambda turned: _corner(turned=bool(turned)),
                among=cases(turned=range(2)),
                claim_says="invariance of a corner's match to 90°, by 0° and 90° alone,",
            ),
        )
    ),
    "TI-MAPS": ambiguous(
        cases(N=range(1, 5), K=range(1, 5), where=lambda N, K: N >= K, domain="N >= K"),
        Reading(name="the input is transformed", value=_turned_input),
        Reading(
            name="the filter is transformed back, and the map left as it is",
            value=_turned_filter,
            differs_at={"N": 2, "K": 1},
        ),
        also=(
            executed(
                "the two agree once the map is turned: conv(T x, w) = T conv(x, T^-1 w)",
                _turning_back,
                over="quarter turns, N <= 4, K <= N",
                right=_quarter,
                wrong=lambda y: _quarter(y, -1),
                wrong_says="turning the map the other way",
            ),
        ),
    ),
    "TI-COST": Evidence(
        checks=(
            executed(
                "as many times the products as there are transforms",
                _costs,
                over="2, 4 and 8 transforms of a 4x4 map, 2x2 filters, counted",
                right=lambda count: count,
                wrong=lambda count: count - 1,
                wrong_says="one fewer",
            ),
        )
    ),
    "AUG-ROT": ambiguous(
        cases(n=range(1, 9)),
        Reading(name="[0°, 360°)", value=lambda n: _angles(n, False)),
        Reading(
            name="[0°, 360°], both ends enumerated", value=lambda n: _angles(n, True), differs_at={"n": 1}
        ),
        also=(
            executed(
                "different angles are different rotations",
                _rotations,
                over="quarter turns of a 2x2 image",
                right=(0, 90, 180, 270),
                wrong=(0, 90, 180, 270, 360),
                wrong_says="360° beside 0°",
            ),
            executed(
                "drawn angles lie in [0, 360)",
                _drawn("rotation", lambda angle: 0 <= angle < 360),
                over="40 quantiles",
                right=AUGMENTATIONS["rotation"],
                wrong=lambda p: 360 * (1 - p),
                wrong_says="(0, 360]",
            ),
        ),
    ),
    "AUG-TRANS": ambiguous(
        cases(r=range(11)),
        Reading(name="a shift for each axis", value=lambda r: _shifts(r, vectors=True)),
        Reading(
            name="one shift for both axes", value=lambda r: _shifts(r, vectors=False), differs_at={"r": 1}
        ),
        also=(
            executed(
                "a whole shift moves pixels, and zeros come in",
                _moves_by,
                over="a 4x4 image, by (1, -2)",
                right=translate,
                wrong=lambda image, rows, columns: translate(image, columns, rows),
                wrong_says="rows and columns exchanged",
            ),
            differs_first_at(
                {"n": 1},
                claim=lambda n: True,
                truth=_something_left,
                among=cases(n=range(1, 13)),
                claim_says="that something of an image is left after a shift by 10",
            ),
            executed(
                "of an image of 11 and more something is left",
                _something_left,
                over="a shift by 10",
                right=11,
                wrong=10,
                wrong_says="of an image of 10",
            ),
        ),
    ),
    "AUG-SCALE": Evidence(
        checks=(
            for_all(
                "the density 1/(2 s ln a) has mass 1, half of it below 1, and the mean (a - 1/a)/(2 ln a)",
                _log_uniform_density,
                right=1 / (2 * s * sp.log(a)),
                wrong=1 / (a - 1 / a),
                wrong_says="a uniform density",
            ),
            executed(
                "s and 1/s are drawn alike, between 1/1.6 and 1.6",
                _balanced,
                over="40 quantiles",
                right=AUGMENTATIONS["scale"],
                wrong=_uniform,
                wrong_says="drawn uniformly",
            ),
        )
    ),
    "AUG-FLIP": Evidence(
        checks=(
            differs_first_at(
                {"drawn": 0},
                claim=lambda drawn: 1 <= drawn <= 0,
                truth=lambda drawn: drawn in {AUGMENTATIONS["flip"](p) for p in PROBABILITIES},
                among=cases(drawn=range(2)),
                claim_says="membership of the interval from 1 to 0",
            ),
            executed(
                "flipping twice changes nothing",
                lambda flip: same(flip(flip(_square(3)[0, 0])), _square(3)[0, 0]),
                over="a 3x3 image",
                right=np.fliplr,
                wrong=np.rot90,
                wrong_says="a quarter turn",
            ),
        )
    ),
    "AUG-SHEAR": ambiguous(
        cases(degrees=range(21)),
        Reading(name="((1, tan), (0, 1)): area", value=lambda degrees: _area(shear(radians(degrees)))),
        Reading(
            name="((1, -sin), (0, cos)): area",
            value=lambda degrees: _area(rotation_like_shear(radians(degrees))),
            differs_at={"degrees": 1},
        ),
        also=(
            executed(
                "drawn angles lie in [-20, 20]",
                _drawn("shear", lambda angle: -20 <= angle <= 20),
                over="40 quantiles",
                right=AUGMENTATIONS["shear"],
                wrong=lambda p: 40 * p,
                wrong_says="[0, 40)",
            ),
        ),
    ),
    "AUG-STRETCH": ambiguous(
        cases(percent=range(31)),
        Reading(name="one axis by s: area", value=lambda percent: 1 + Fraction(percent, 100)),
        Reading(
            name="one axis by s, the other by 1/s: area",
            value=lambda percent: (1 + Fraction(percent, 100)) / (1 + Fraction(percent, 100)),
            differs_at={"percent": 1},
        ),
        also=(
            executed(
                "drawn factors lie between 1/1.3 and 1.3, half of them below 1",
                lambda draw: (
                    all(1 / 1.3 - 1e-12 <= draw(p) <= 1.3 for p in PROBABILITIES)
                    and sum(draw(p) < 1 for p in PROBABILITIES) == len(PROBABILITIES) / 2
                ),
                over="40 quantiles",
                right=AUGMENTATIONS["stretch"],
                wrong=lambda p: log_uniform(1.6, p),
                wrong_says="between 1/1.6 and 1.6",
            ),
        ),
    ),
}
