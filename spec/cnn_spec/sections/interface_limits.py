"""The ends of what may be asked: nothing in a batch, numbers that are none, and calls that nobody can answer."""

from collections.abc import Iterator

import numpy as np

from cnn_spec.bounds import Oracle, is_convolution
from cnn_spec.case import Case, Situation
from cnn_spec.cases.impossible import NO_OUTPUT, ways_of
from cnn_spec.cases.situations import NON_FINITE, impossible
from cnn_spec.clause import Clause, Law, Predicate, Standing
from cnn_spec.comparison import Comparison, compare, worst
from cnn_spec.conventions import kept_shape, may_be_empty
from cnn_spec.laws import ON_ARRAYS
from cnn_spec.operations import OPERATIONS, Array, Call, Implementation
from cnn_spec.shapes import result_shapes
from cnn_spec.sights import a_nan, an_infinity

SPREAD = {"conv_transpose_backward": ("dw",)}
"""Results that x reaches beyond its taps in correct implementations: where it is multiplied by the padding of dy."""


def an_empty_batch_is_answered(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """No sample, no result; the derivatives of weights and bias, which sum over nothing, are 0."""
    return worst(map(compare, implementation(case.call), oracle(case.call)))


def they_go_where_they_must(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison | None:
    """NaN and infinities reach the results with a tap on them, by ordinary arithmetic, and no others.

    Where normwise accuracy is declared others may be reached too. Which of several indices is given is free.
    Nothing is said of who errs with finite numbers in their places already.
    """
    call = case.call
    normwise = oracle.declared.normwise and is_convolution(call)
    spread = call.results if normwise else SPREAD.get(call.operation, ())
    with np.errstate(all="ignore"):
        finite = _agrees(implementation, case, oracle, call.but(x=_finite(call["x"])), ())
        return _agrees(implementation, case, oracle, call, spread) if finite.holds else None


def _agrees(
    implementation: Implementation, case: Case, oracle: Oracle, call: Call, spread: tuple[str, ...]
) -> Comparison:
    """Every result but indices; of those over which what is not finite may spread, only that it has arrived."""
    sides = zip(call.results, implementation(call), oracle(call), oracle.tolerance(case, call), strict=True)
    return worst(
        _reached(got, expected) if name in spread else compare(got, expected, bound)
        for name, got, expected, bound in sides
        if name != "indices"
    )


def _finite(x: Array) -> Array:
    """The same order with finite numbers; a NaN above all."""
    top = np.max(np.abs(x), where=np.isfinite(x), initial=0) + 1
    return np.nan_to_num(x, nan=top + 1, posinf=top, neginf=-top).astype(x.dtype)


def _reached(got: Array, expected: Array) -> Comparison:
    """What must not be finite is not; the rest is free."""
    return compare(np.isfinite(got) & ~np.isfinite(expected), np.zeros(expected.shape, bool))


def impossible_calls_are_refused(
    implementation: Implementation, case: Case, oracle: Oracle
) -> Comparison | None:
    """Beside a valid call that is answered, the impossible one raises an exception, whichever.

    Under the convention `no_output: empty` what leaves no output may be answered with the empty result that it leaves.
    A derivative that is too long may be just right where windows beyond the input are kept: that says nothing.
    """
    pair = impossible(case)
    assert pair is not None, case.id
    neighbour, call = pair
    if "dy" in call.arguments and call["dy"].shape == kept_shape(neighbour, oracle.declared):
        return None
    implementation(neighbour)
    nothing = np.zeros(())
    try:
        answered = implementation(call)
    except Exception:  # noqa: BLE001 - the class of the exception is free
        return Comparison(0.0, nothing, nothing)
    given = tuple(result.shape for result in answered)
    nothing_left = case.levels["way"] in NO_OUTPUT and may_be_empty(call, oracle.declared)
    if nothing_left and given == result_shapes(call):
        return Comparison(0.0, nothing, nothing)
    shapes = ", ".join(map(str, given))
    return Comparison(np.inf, nothing, nothing, f"answered {case.levels['way']}, with {shapes}")


def a_way_to_fail(case: Case) -> bool:
    """Parameters of which the way to an impossible call leads somewhere."""
    return impossible(case) is not None


def _seen(operation: str) -> tuple[Predicate, ...]:
    held = NON_FINITE.get(operation, (np.nan, np.inf))
    return (*((a_nan,) if np.isnan(held).any() else ()), *((an_infinity,) if np.isinf(held).any() else ()))


def _non_finite() -> Iterator[Law]:
    for name in ON_ARRAYS:
        yield Law(
            operation=name,
            check=they_go_where_they_must,
            situation=Situation.NON_FINITE,
            must_see=_seen(name),
        )


CLAUSES = (
    Clause(
        id="EMPTY-BATCH",
        section="interface",
        standing=Standing.HOLDS,
        statement="A batch of 0 is answered: with as many samples, and with derivatives of 0 for weights and bias.",
        laws=tuple(
            Law(operation=name, check=an_empty_batch_is_answered, situation=Situation.EMPTY)
            for name in ON_ARRAYS
        ),
    ),
    Clause(
        id="NON-FINITE",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "A NaN or an infinity in x reaches the results with a tap on it, by ordinary arithmetic, and no others; "
            "others too, where normwise accuracy is declared."
        ),
        domain=(
            "Free are non-finite weights and dy, derivatives at NaN, and infinities in softmax other than minus "
            "infinity beside finite values, and x that meets the padding of dy in the derivative of a transposed "
            "convolution's weights; the conventions `pool_nan`, `pool_start` and `relu_nan` "
            "are respected."
        ),
        laws=tuple(_non_finite()),
    ),
    Clause(
        id="IMPOSSIBLE-REFUSED",
        section="interface",
        standing=Standing.HOLDS,
        statement=(
            "A call whose shapes or parameters have no meaning is refused with an exception, where its nearest "
            "valid neighbour is answered."
        ),
        domain=(
            "By the convention `no_output: empty` a kernel larger than the padded input, and padding that leaves a "
            "transposed convolution no output, may be answered with the empty result of the size formula."
        ),
        laws=tuple(
            Law(
                operation=name,
                check=impossible_calls_are_refused,
                situation=Situation.IMPOSSIBLE,
                when=(a_way_to_fail,),
            )
            for name in OPERATIONS
            if ways_of(name)
        ),
    ),
)
