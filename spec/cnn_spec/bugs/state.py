"""Wrong answers by what earlier calls left behind: caches, sums that go on, buffers, parameters that stay."""

from typing import Any

import numpy as np

from cnn_spec.bugs.changes import flip_kernel, nothing
from cnn_spec.bugs.conditions import grouped
from cnn_spec.bugs.model import Bug, Wrong, asked, bug, giving, taking
from cnn_spec.operations import Array, Call, Implementation, Results


def shape_of(call: Call) -> Any:
    """What a cache might be keyed by: function, shapes and dtype."""
    shapes = tuple(None if a is None else a.shape for a in call.arguments.values())
    return call.function, shapes, str(call["x"].dtype), tuple(call.parameters.items())


def cached(name: str) -> Wrong:
    """The first argument of that name is kept for all later calls of the same shapes and parameters."""

    def wrong(right: Implementation) -> Implementation:
        kept: dict[Any, Array] = {}

        def answer(call: Call) -> Results:
            if call[name] is None:
                return right(call)
            return right(call.but(**{name: kept.setdefault(shape_of(call), np.array(call[name]))}))

        return answer

    return wrong


def cached_result(right: Implementation) -> Implementation:
    """The first answer is kept for all later calls of the same shapes and parameters."""
    kept: dict[Any, Results] = {}

    def answer(call: Call) -> Results:
        return kept.setdefault(shape_of(call), right(call))

    return answer


def accumulating(at: int) -> Wrong:
    """A result is added to that of the last call if the shapes are the same."""

    def wrong(right: Implementation) -> Implementation:
        last: list[Array] = []

        def answer(call: Call) -> Results:
            found = list(right(call))
            if last and last[0].shape == found[at].shape and last[0].dtype == found[at].dtype:
                found[at] = found[at] + last[0]
            last[:] = [found[at]]
            return tuple(found)

        return answer

    return wrong


def bias_left_over(right: Implementation) -> Implementation:
    """Without a bias, that of an earlier call is added if it fits."""
    last: list[Array] = []

    def answer(call: Call) -> Results:
        if call["b"] is not None:
            last[:] = [np.array(call["b"])]
        elif last and last[0].shape == call["w"].shape[:1]:
            return right(call.but(b=last[0].astype(call["w"].dtype)))
        return right(call)

    return answer


def parameters_kept(name: str) -> Wrong:
    """A parameter keeps the value of the first call of this function."""

    def wrong(right: Implementation) -> Implementation:
        kept: dict[str, Any] = {}
        return asked(lambda c: c.but(**{name: kept.setdefault(c.function, c[name])}))(right)

    return wrong


def at_every(period: int, wrong: Wrong) -> Wrong:
    """Each so manieth call is answered wrongly."""

    def sometimes(right: Implementation) -> Implementation:
        mistaken, count = wrong(right), [0]

        def answer(call: Call) -> Results:
            count[0] += 1
            return (right if count[0] % period else mistaken)(call)

        return answer

    return sometimes


def places_kept(right: Implementation) -> Implementation:
    """Which columns are kept is noted in a list that only grows."""
    kept: list[int] = []

    def answer(call: Call) -> Results:
        kept.extend(range(0, call["x"].shape[-1], call["factor"][-1]))
        return (call["x"][..., [at for at in kept if at < call["x"].shape[-1]]],)

    return answer


def one_buffer(right: Implementation) -> Implementation:
    """Results of one shape and dtype share one buffer: a later call overwrites an earlier result."""
    buffers: dict[Any, Array] = {}

    def answer(call: Call) -> Results:
        found = right(call)
        shared = []
        for name, part in zip(call.results, found, strict=True):
            buffer = buffers.setdefault((name, part.shape, str(part.dtype)), np.empty_like(part))
            buffer[...] = part
            shared.append(buffer)
        return tuple(shared)

    return answer


def forgets_order(right: Implementation) -> Implementation:
    """The backward pass takes the input of the last call with the same shape for its own."""
    last: dict[Any, Array] = {}

    def answer(call: Call) -> Results:
        known = last.get(call["x"].shape)
        last[call["x"].shape] = np.array(call["x"])
        return right(call if known is None else call.but(x=known.astype(call["x"].dtype)))

    return answer


def last_bit(call: Call, a: Array) -> Array:
    """The next number."""
    return np.nextafter(a, np.inf)


SAME_SHAPE = "it shows only where two draws happen to share their shapes and parameters"

BUGS: tuple[Bug, ...] = (
    bug("weights are cached by their shape", "conv", cached("w")),
    bug("maps are cached by their shape", "max_pool", cached("x")),
    bug("dy is cached by its shape in means", "avg_pool_backward", cached("dy")),
    bug("results are cached by the shapes", "conv", cached_result),
    bug("results are cached by the shapes in upsampling", "upsample", cached_result, rare=SAME_SHAPE),
    bug("results are cached by the shapes in means", "avg_pool", cached_result),
    bug("dw is added to the last call's", "conv_backward", accumulating(1)),
    bug("db is added to the last call's", "conv_backward", accumulating(2)),
    bug("dx is added to the last call's in max pooling", "max_pool_backward", accumulating(0)),
    bug("transposed dw: added to the last call's", "conv_transpose_backward", accumulating(1)),
    bug("linear dw: added to the last call's", "linear_backward", accumulating(1)),
    bug("linear db: added to the last call's", "linear_backward", accumulating(2)),
    bug(
        "transposed: the output padding of the first call stays",
        "conv_transpose",
        parameters_kept("output_padding"),
    ),
    bug("relu dx: x is that of the last call of this shape", "relu_backward", forgets_order),
    bug("linear: every second call is answered with zeros", "linear", at_every(2, giving("y", nothing))),
    bug("the bias of an earlier call stays", "conv", bias_left_over),
    bug("the stride of the first call stays", "conv", parameters_kept("stride")),
    bug("the factor of the first call stays", "downsample", parameters_kept("factor")),
    bug("ceil_mode of the first call stays", "max_pool", parameters_kept("ceil_mode")),
    bug("every second call is answered with zeros", "conv", at_every(2, giving("y", nothing))),
    bug(
        "every seventh call is answered with zeros, with groups",
        "conv",
        at_every(7, giving("y", nothing)),
        grouped,
    ),
    bug(
        "every third call has the kernel flipped",
        "conv",
        at_every(3, taking("w", flip_kernel)),
        source="jax-ml/jax/issues/22855",
    ),
    bug("places that earlier calls kept are kept too", "downsample", places_kept, ranks=(1,)),
    bug(
        "every hundredth call is answered with the negative",
        "downsample_backward",
        at_every(100, giving("dx", lambda c, dx: -dx)),
    ),
    bug(
        "the input is that of the last call of this shape",
        "max_pool_backward",
        forgets_order,
        source="ROCm/MIOpen/issues/1325",
    ),
    bug(
        "a later call overwrites the result",
        "conv",
        one_buffer,
    ),
    bug(
        "a later call overwrites the derivatives",
        "conv_backward",
        one_buffer,
    ),
    bug("a repeated call differs in the last bit", "max_pool_backward", at_every(2, giving("dx", last_bit))),
    bug("a repeated mean differs in the last bit", "avg_pool", at_every(2, giving("y", last_bit))),
)
