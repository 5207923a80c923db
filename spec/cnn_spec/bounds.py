"""How far a correct result may be from the definition, derived and not set by hand.

`u` is the dtype's unit roundoff and `γ_t = t u / (1 - t u)`. A sum in which each term meets at most `t`
roundings, in any order, fused or not, accumulated in the dtype or wider, differs from the true one by at
most `γ_t A`, with `A` the same sum over absolute values (Higham, Accuracy and Stability of Numerical
Algorithms, §3.1, §4.2). The oracle computes in float64 and may itself err by `γ_t(2^-53) A`; `2 t η`, with
`η` the smallest normal number, covers flush-to-zero.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from cnn_spec.activation_bounds import activation_bound, is_activation
from cnn_spec.case import Case
from cnn_spec.conventions import Declared, meant
from cnn_spec.operations import Array, Call, Implementation, Results
from cnn_spec.roundings import roundings

REMEMBERED = 8
"""So many calls an oracle keeps what it said of."""


def unit_roundoff(dtype: np.dtype[Any]) -> float:
    """Half the distance from 1 to the next number: 2^-24 or 2^-53."""
    return float(np.finfo(dtype).eps) / 2


def gamma(t: int, u: float) -> float:
    """The relative error that `t` roundings can add up to."""
    return t * u / (1 - t * u)


def componentwise(call: Call, dtype: np.dtype[Any], answer: Implementation) -> Results:
    """The bound on each element of each result of a call with float64 arrays."""
    counts = roundings(call)
    if not any(counts):
        return tuple(np.zeros(()) for _ in counts)
    absolute = _absolute_sums(call, answer)
    u, smallest = unit_roundoff(dtype), float(np.finfo(dtype).smallest_normal)
    return tuple(
        (gamma(t, u) + gamma(t, 2.0**-53)) * a + 2 * t * smallest
        for t, a in zip(counts, absolute, strict=True)
    )


def _absolute_sums(call: Call, answer: Implementation) -> Results:
    """`A`: the operation on absolute values. Max pooling keeps its choice of elements."""
    if call.operation == "max_pool_backward":
        return answer(call.but(dy=np.abs(call["dy"])))
    return answer(call.map_arrays(np.abs))


def normwise(call: Call, dtype: np.dtype[Any], answer: Implementation, growth: float) -> Results:
    """The bound for convolutions by Winograd, FFT and the like: `growth (n + 2) u M`.

    `M` takes the largest magnitude of a plane apart from the kernel's absolute sum, because such
    algorithms spread errors over a tile. For the weights' derivative the smaller image is the kernel. The
    bias derivative stays componentwise.
    """
    axes = tuple(range(2, 2 + call.rank))

    def largest(a: Array) -> Array:
        return np.asarray(np.max(np.abs(a), axis=axes, keepdims=True, initial=0.0))

    def total(a: Array) -> Array:
        return np.asarray(np.sum(np.abs(a), axis=axes, keepdims=True))

    ones, zeros = (1,) * call.rank, (0,) * call.rank
    plain = {"stride": ones, "dilation": ones, "padding": ((0, 0),) * call.rank, "output_padding": zeros}
    small = call.but(
        **{name: value for name, value in plain.items() if name in call.parameters},
        **{name: total(a) for name, a in call.arguments.items() if name.startswith("w")},
        x=largest(call["x"]),
    )
    if "dy" not in call.arguments:
        b = call["b"]
        norms = answer(small.but(b=b if b is None else np.abs(b)))
    else:
        small = small.but(dy=largest(call["dy"]))
        enlarging = call.operation.startswith("conv_transpose")
        kernel = {"x": total(call["x"])} if enlarging else {"dy": total(call["dy"])}
        norms = answer(small)[0], answer(small.but(**kernel))[1]
    u = unit_roundoff(dtype)
    bounds = tuple(
        growth * (t + 2) * (u + 2.0**-53) * m for t, m in zip(roundings(call), norms, strict=False)
    )
    return (*bounds, componentwise(call, dtype, answer)[2]) if "dy" in call.arguments else bounds


def is_convolution(call: Call) -> bool:
    """Whether filters slide over images, so that Winograd, FFT and the like are to be had."""
    return "stride" in call.parameters and any(name.startswith("w") for name in call.arguments)


class Oracle:
    """What is right: an implementation to be trusted, asked in float64, and how far an answer may be from it.

    In this project's own tests it asks the literal definition, in the harness the reference.
    """

    def __init__(self, answer: Implementation, declared: Declared | None = None) -> None:
        self.answer = answer
        self.declared = declared or Declared()
        # Several laws ask about one call, and several candidates may.
        self._answered = lru_cache(maxsize=REMEMBERED)(self._answer)
        self._bounded = lru_cache(maxsize=REMEMBERED)(self._bound)

    def __call__(self, call: Call) -> Results:
        """The right results, in float64 (integers for the size functions)."""
        return self._answered(call)

    def tolerance(self, case: Case, call: Call | None = None) -> tuple[Array | float, ...]:
        """The bound on each result of the case's call, or of another on data of the same kind."""
        return self._bounded(case, call or case.call)

    def _answer(self, call: Call) -> Results:
        return self.answer(_in_float64(meant(call, self.declared)))

    def _bound(self, case: Case, call: Call) -> tuple[Array | float, ...]:
        if call.operation == "relu_backward":
            return (np.where(call["x"] == 0, np.abs(call["dy"]).astype(np.float64), 0.0),)
        normwise_call = self.declared.normwise and is_convolution(call)
        if call.of_integers or (case.exact and not normwise_call):
            return (0.0,) * len(call.results)
        judged = _in_float64(meant(call, self.declared))
        if normwise_call:
            return normwise(judged, case.dtype, self.answer, self.declared.growth)
        to_one = self.declared.convention("activation_accuracy") == "one"
        if is_activation(call):
            return (activation_bound(judged, case.dtype, self(call)[0], to_one),)
        return componentwise(judged, case.dtype, self.answer)


def _in_float64(call: Call) -> Call:
    return call.map_arrays(lambda a: a.astype(np.float64))
