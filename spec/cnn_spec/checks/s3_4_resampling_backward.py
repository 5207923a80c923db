"""Checks of the notes' §3.4: the derivatives of resampling, and of strided operations through them."""

from collections.abc import Callable, Mapping

import numpy as np

from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, executed
from cnn_spec.checks.s2_3_1_downsampling import DECOMPOSED_WORDS, gradient_by_steps, placed, repeated_in_place
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import (
    avg_pool,
    avg_pool_backward,
    basis,
    conv,
    conv_backward,
    derivative,
    distinct,
    down,
    inner,
    max_pool,
    max_pool_backward,
    repeated,
    same,
    sliced,
    symbols,
    up,
)
from cnn_spec.definitions.resampling import downsample_backward, upsample_backward
from cnn_spec.operations import Array

Back = Callable[[Array, Array, int], Array]
"""From (dy, x, factor) to dx."""

MAPS = [((1, 1, n), S) for n in (1, 2, 4, 5) for S in (1, 2, 3)] + [((1, 2, 3, 4), 2)]
MAPS_WORDS = "lines of 1, 2, 4, 5 at factors 1, 2, 3, and (1, 2, 3, 4) at 2"
STEPS = cases(n=range(1, 8), S=range(2, 5))


def _down_back(dy: Array, x: Array, S: int) -> Array:
    return downsample_backward(dy, x, factor=(S,) * (x.ndim - 2))


def _up_back(dy: Array, x: Array, S: int) -> Array:
    return upsample_backward(dy, x, factor=(S,) * (x.ndim - 2))


def _is_derivative(forward: Callable[[Array, int], Array]) -> Callable[[Back], bool]:
    """Whether `back` gives the derivative of <dy, forward(x)>, for symbolic maps."""

    def test(back: Back) -> bool:
        for shape, S in MAPS:
            x, dy = symbols(shape, forward(np.zeros(shape), S).shape)
            if not same(back(dy, x, S), derivative(inner(dy, forward(x, S)), x)):
                return False
        return True

    return test


def _zero_where_dropped(back: Back) -> bool:
    for shape, S in MAPS:
        x, dy = symbols(shape, down(np.zeros(shape), S).shape)
        dx = back(dy, x, S)
        sliced(dx, *[slice(None, None, S)] * (len(shape) - 2))[...] = 0
        if any(dx.flat):
            return False
    return True


def _independent_of_input(upsampled: Callable[[Array, int], Array]) -> bool:
    """Whether what is put in between the elements is the same for every input."""
    for shape, S in MAPS:
        x, other = symbols(shape, shape)
        difference = upsampled(x, S) - upsampled(other, S)
        sliced(difference, *[slice(None, None, S)] * (len(shape) - 2))[...] = 0
        if any(difference.flat):
            return False
    return True


def _repeat(x: Array, S: int) -> Array:
    return repeated(x, S, [S * (n - 1) + 1 for n in x.shape[2:]])


def _block_sum(dy: Array, x: Array, S: int) -> Array:
    """The derivative of repeating elements: what is right for that, and wrong for zeros."""
    dx = np.zeros(x.shape, object)
    for at in np.ndindex(*dy.shape):
        dx[(*at[:2], *(i // S for i in at[2:]))] += dy[at]
    return dx


def _kept_by_list(n: int, S: int) -> list[int]:
    """One zero after every S - 1 copied derivatives, cut or filled up with zeros to n."""
    copied: list[int] = []
    for k in range(-(-n // S)):
        copied += [k + 1, 0] if (k + 1) % (S - 1) == 0 else [k + 1]
    return (copied + [0] * n)[:n]


def _skipped_by_list(n: int, S: int) -> list[int]:
    """The derivatives of the upsampled map without every (S - 1)-th."""
    return [d + 1 for d in range(S * (n - 1) + 1) if (d + 1) % (S - 1)]


def _pooled_by_steps(place: Callable[[Array, Array, int], Array]) -> bool:
    """Whether strided pooling's derivative is the stride-1 derivative of dy put in place, on all basis vectors."""
    x = distinct((1, 1, 7))
    return all(
        same(back(dy, x, 2, S), back(place(dy, pool(x, 2, 1), S), x, 2, 1))
        for pool, back in ((max_pool, max_pool_backward), (avg_pool, avg_pool_backward))
        for S in (1, 2, 3)
        for dy in basis(pool(x, 2, S).shape)
    )


def _fractional_by_steps(back: Back) -> bool:
    """Whether the derivative of conv(up(x), w) is that of conv at the upsampled map, then `back`."""
    for x_shape, w_shape in (((1, 1, 3), (1, 1, 2)), ((1, 2, 2, 2), (2, 2, 2, 2))):
        for S in (1, 2, 3):
            if S == 1 and len(x_shape) == 4:
                continue
            y_shape = conv(up(np.zeros(x_shape), S), np.zeros(w_shape)).shape
            x, w, dy = symbols(x_shape, w_shape, y_shape)
            y = conv(up(x, S), w)
            through = conv_backward(dy, up(x, S), w)[0]
            if not same(back(through, x, S), derivative(inner(dy, y), x)):
                return False
    return True


EVIDENCE: Mapping[str, Evidence] = {
    "DOWN-CONTRIB": Evidence(
        checks=(
            at_shapes(
                "the derivative vanishes at every element that was dropped",
                _zero_where_dropped,
                over=MAPS_WORDS,
                right=_down_back,
                wrong=lambda dy, x, S: repeated(dy, S, x.shape[2:]),
                wrong_says="each derivative repeated",
            ),
        )
    ),
    "DOWN-BWD": Evidence(
        checks=(
            at_shapes(
                "zeros of the input's size with dy at every S-th place are the derivative of <dy, down(x)>",
                _is_derivative(down),
                over=MAPS_WORDS,
                right=_down_back,
                wrong=lambda dy, x, S: up(dy, S),
                wrong_says="zeros between the elements of dy only",
            ),
        )
    ),
    "DOWN-BWD-LIST": Evidence(
        checks=(
            differs_first_at(
                {"n": 4, "S": 3},
                claim=_kept_by_list,
                truth=lambda n, S: _down_back(distinct((1, 1, -(-n // S))), np.zeros((1, 1, n), object), S)[
                    0, 0
                ],
                among=STEPS,
                claim_says="a zero for every S - 1 copied, cut to size,",
            ),
        )
    ),
    "DOWN-BWD-COMPOSE": Evidence(
        checks=(
            at_shapes(
                "convolution: the strided derivatives are those of stride 1 at dy put in place",
                gradient_by_steps,
                over=DECOMPOSED_WORDS,
                right=placed,
                wrong=repeated_in_place,
                wrong_says="each derivative repeated",
            ),
            executed(
                "max and mean pooling: the same, at an input without ties",
                _pooled_by_steps,
                over="7 samples, K = 2, S = 1, 2, 3, on all basis vectors of dy",
                right=placed,
                wrong=repeated_in_place,
                wrong_says="each derivative repeated",
            ),
        )
    ),
    "POS-STRIDE": ambiguous(
        cases(halves=range(1, 7)),
        Reading(
            name="a whole number from 1: is halves/2 a stride?",
            value=lambda halves: halves % 2 == 0 and halves >= 2,
        ),
        Reading(
            name="anything above 0: is halves/2 a stride?",
            value=lambda halves: halves > 0,
            differs_at={"halves": 1},
        ),
    ),
    "UP-NOTFUNC": Evidence(
        checks=(
            at_shapes(
                "what is put in between is the same for every input",
                _independent_of_input,
                over=MAPS_WORDS,
                right=up,
                wrong=_repeat,
                wrong_says="elements repeated in place of zeros",
            ),
        )
    ),
    "UP-BWD": Evidence(
        checks=(
            at_shapes(
                "every S-th element of dy is the derivative of <dy, up(x)>",
                _is_derivative(up),
                over=MAPS_WORDS,
                right=_up_back,
                wrong=_block_sum,
                wrong_says="the sum over each block",
            ),
            at_shapes(
                "it is downsampling",
                lambda back: all(
                    same(back(dy, np.zeros(shape, object), S), down(dy, S))
                    for shape, S in MAPS
                    for dy in symbols(up(np.zeros(shape), S).shape)
                ),
                over=MAPS_WORDS,
                right=_up_back,
                wrong=_block_sum,
                wrong_says="the sum over each block",
            ),
        )
    ),
    "UP-BWD-LIST": Evidence(
        checks=(
            differs_first_at(
                {"n": 1, "S": 2},
                claim=_skipped_by_list,
                truth=lambda n, S: _up_back(
                    distinct((1, 1, S * (n - 1) + 1)), np.zeros((1, 1, n), object), S
                )[0, 0],
                among=STEPS,
                claim_says="skipping every (S - 1)-th",
            ),
        )
    ),
    "UP-BWD-COMPOSE": Evidence(
        checks=(
            at_shapes(
                "the stride-1 derivative at the upsampled map, then that of upsampling",
                _fractional_by_steps,
                over="(1, 1, 3) * (1, 1, 2) at factors 1, 2, 3 and (1, 2, 2, 2) * (2, 2, 2, 2) at 2, 3",
                right=_up_back,
                wrong=_block_sum,
                wrong_says="the sum over each block",
            ),
        )
    ),
}
