"""Checks of the notes' §1.4: planes of simple and of complex cells."""

from collections.abc import Callable, Mapping
from itertools import permutations

import numpy as np

from cnn_spec.checks.check import Evidence, executed
from cnn_spec.checks.s2_2_pooling import A_SHIFT_BETWEEN_WINDOWS
from cnn_spec.checks.tensors import avg_pool, conv, distinct, integers, line, max_pool, same
from cnn_spec.operations import Array

Plane = Callable[[Array], Array]
KERNEL = line(2, -1)


def _s_plane(x: Array) -> Array:
    return conv(x, KERNEL)


def _c_plane(x: Array) -> Array:
    return max_pool(x, 2, 1)


def _position_dependent(x: Array) -> Array:
    y = max_pool(x, 2, 1)
    return y * np.arange(1, y.shape[2] + 1)


def _neighbours_see_shifted(planes: tuple[Plane, ...]) -> bool:
    """Whether cell i + 1 answers to an input as cell i answers to the input shifted back by one."""
    (x,) = integers((1, 1, 6))
    shifted = np.roll(x, -1, axis=2)
    return all(same(plane(x)[..., 1:], plane(shifted)[..., :-1]) for plane in planes)


def _fixed_response(pool: Plane) -> bool:
    """Whether a window's answer is one symmetric function of its samples, the same at all positions."""
    inputs = (line(*pair, 0, 0, 0) for pair in permutations((3, 5)))
    return len({pool(np.roll(x, at, axis=2))[0, 0, at] for x in inputs for at in range(4)}) == 1


def _alternates(kinds: str) -> bool:
    """Whether every S is followed by a C, and every C comes after an S."""
    return all(a == "S" and b == "C" for a, b in zip(kinds[::2], kinds[1::2], strict=True))


def _rearranged_inside(swap: tuple[int, int]) -> bool:
    """Whether max and mean over windows of 2 do not see two samples exchanged."""
    x = distinct((1, 1, 4))
    other = x.copy()
    other[..., list(swap)] = x[..., list(swap[::-1])]
    return all(same(pool(x, 2, 2), pool(other, 2, 2)) for pool in (max_pool, avg_pool))


def _own_channel_only(pool: Plane) -> bool:
    x, change = integers((1, 3, 4, 4)), np.zeros((1, 3, 4, 4), object)
    change[:, 1] = 100
    before, after = pool(x[0]), pool(x[0] + change)
    changed = [c for c in range(3) if not same(before[:, c], after[:, c])]
    return before.shape[1] == 3 and changed == [1]


EVIDENCE: Mapping[str, Evidence] = {
    "NEO-SHIFT": Evidence(
        checks=(
            executed(
                "cell i + 1 sees an input as cell i sees it shifted back by one",
                _neighbours_see_shifted,
                over="convolution and max pooling over 6 samples",
                right=(_s_plane, _c_plane),
                wrong=(_s_plane, _position_dependent),
                wrong_says="a plane whose response depends on the position",
            ),
        )
    ),
    "NEO-C-FIXED": Evidence(
        checks=(
            executed(
                "one symmetric response to a window's samples, the same at every position",
                _fixed_response,
                over="3 and 5 in either order at 4 positions, window 2",
                right=_c_plane,
                wrong=_s_plane,
                wrong_says="a learned plane, whose weights differ",
            ),
        )
    ),
    "NEO-ALTERNATE": Evidence(
        checks=(
            executed(
                "S and C alternate",
                _alternates,
                over="4 planes, S, C, S, C",
                right="SCSC",
                wrong="SSCC",
                wrong_says="S, S, C, C",
            ),
        )
    ),
    "NEO-ROBUST": Evidence(
        checks=(
            executed(
                "exchanging two samples of one window changes neither maximum nor mean",
                _rearranged_inside,
                over="4 samples, windows of 2",
                right=(2, 3),
                wrong=(1, 2),
                wrong_says="exchanging samples of two windows",
            ),
            A_SHIFT_BETWEEN_WINDOWS,
        )
    ),
    "CNN-ARCH": Evidence(
        checks=(
            executed(
                "as many channels as before, each from its own",
                lambda pools: all(map(_own_channel_only, pools)),
                over="3 channels of 4x4, max and mean over 2x2",
                right=(lambda x: max_pool(x, 2, 2), lambda x: avg_pool(x, 2, 2)),
                wrong=(lambda x: max_pool(x.max(axis=1, keepdims=True) + 0 * x, 2, 2),),
                wrong_says="the maximum over the channels too",
            ),
        )
    ),
}
