"""Wrong answers by what a call leaves behind or does not expect: state, reused buffers, memory layouts, changed inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_spec.bugs.conditions import column_major, grouped, not_row_major, not_writeable, on, padded
from cnn_spec.bugs.model import Bug, Wrong, asked, bug, taking
from cnn_spec.operations import Array, Call, Implementation, Results

EVERY_RANKED = (
    "conv",
    "conv_backward",
    "max_pool",
    "max_pool_backward",
    "avg_pool",
    "avg_pool_backward",
    "downsample",
    "downsample_backward",
    "upsample",
    "upsample_backward",
)


def in_memory_order(call: Call, a: Array) -> Array:
    """The elements as they lie in memory from where the buffer begins."""
    if a.flags.c_contiguous:
        return a
    buffer = a.base if isinstance(a.base, np.ndarray) else a
    return np.resize(np.ravel(buffer, order="K"), a.shape)


def arrays_in_memory_order(call: Call) -> Call:
    """All arrays so."""
    return call.map_arrays(lambda a: in_memory_order(call, a))


def backwards(a: Array) -> bool:
    """Negative strides."""
    return any(step < 0 for step in a.strides)


def forwards(call: Call) -> Call:
    """Arrays with negative strides read without the sign."""
    return call.map_arrays(lambda a: np.flip(a) if backwards(a) else a)


def column_major_read_by_rows(call: Call) -> Call:
    """Arrays in column-major order read by rows."""
    return call.map_arrays(lambda a: np.reshape(np.ravel(a, order="F"), a.shape) if a.flags.fnc else a)


def spoiling(name: str, spoil: Callable[[Array], Any]) -> Wrong:
    """A right answer, after which an input is no longer what it was; refused where it cannot be written to."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            found = right(call)
            if call[name] is not None:
                spoil(call[name])
            return found

        return answer

    return wrong


def double(a: Array) -> None:
    """Twice as much, in place."""
    a *= 2


def clear(a: Array) -> None:
    """Zeros, in place."""
    a[...] = 0


def flip_last(a: Array) -> None:
    """In reverse on the last axis, in place."""
    a[...] = np.array(a[..., ::-1])


def touch_first(a: Array) -> None:
    """Another first element."""
    a[(0,) * a.ndim] += 1


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


def every_other(change: Callable[[Array], Array], period: int = 2) -> Wrong:
    """Each so manieth call is answered otherwise."""

    def wrong(right: Implementation) -> Implementation:
        count = [0]

        def answer(call: Call) -> Results:
            count[0] += 1
            found = right(call)
            return found if count[0] % period else tuple(change(part).astype(part.dtype) for part in found)

        return answer

    return wrong


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


def last_bit(a: Array) -> Array:
    """The next number."""
    return np.nextafter(a, np.inf)


def answers_impossible(right: Implementation) -> Implementation:
    """A call that is refused is answered with nothing instead."""

    def answer(call: Call) -> Results:
        try:
            return right(call)
        except Exception:  # noqa: BLE001 - whatever the right one refuses with
            return tuple(np.zeros((0,) * 2) for _ in call.results)

    return answer


def empty_batch(call: Call) -> bool:
    """No sample."""
    return bool(call["x"].shape[0] == 0)


def refusing(right: Implementation) -> Implementation:
    """An error."""

    def answer(call: Call) -> Results:
        raise ZeroDivisionError("integer division or modulo by zero")

    return answer


def uninitialised(right: Implementation) -> Implementation:
    """Results are never written to."""

    def answer(call: Call) -> Results:
        return tuple(np.full_like(part, 1e30) for part in right(call))

    return answer


NO_EMPTY = "no batch of 0 is drawn"
NO_IMPOSSIBLE = "no impossible call is drawn"

BUGS: tuple[Bug, ...] = (
    # layouts
    bug(
        "memory is read as if every input were row-major",
        EVERY_RANKED,
        asked(arrays_in_memory_order),
        not_row_major,
        source="ggml-org/llama.cpp/pull/28503",
    ),
    bug(
        "the weights' memory is read as if it were row-major",
        "conv",
        taking("w", in_memory_order),
        source="pytorch/pytorch/issues/1246",
    ),
    bug("the bias's memory is read as if it were row-major", "conv", taking("b", in_memory_order)),
    bug(
        "dy's memory is read as if it were row-major",
        "conv_backward",
        taking("dy", in_memory_order),
        source="pytorch/pytorch/pull/7952",
    ),
    bug(
        "the map's memory is read as if it were row-major, in max pooling's derivative",
        "max_pool_backward",
        taking("x", in_memory_order),
    ),
    bug(
        "dy's memory is read as if it were row-major, in means' derivative",
        "avg_pool_backward",
        taking("dy", in_memory_order),
    ),
    bug(
        "dy's memory is read as if it were row-major, in upsampling's derivative",
        "upsample_backward",
        taking("dy", in_memory_order),
    ),
    bug("negative strides lose their sign", "conv", asked(forwards)),
    bug("negative strides lose their sign in max pooling", "max_pool", asked(forwards)),
    bug(
        "column-major maps are read by rows in convolutions",
        "conv",
        asked(column_major_read_by_rows),
        column_major,
    ),
    bug(
        "column-major maps are read by rows in means",
        "avg_pool",
        asked(column_major_read_by_rows),
        column_major,
    ),
    bug("read-only inputs are refused", "conv", refusing, not_writeable),
    bug(
        "read-only inputs are refused in max pooling's derivative",
        "max_pool_backward",
        refusing,
        not_writeable,
    ),
    # inputs changed
    bug(
        "the weights are doubled in place", "conv", spoiling("w", double), source="hpi-xnor/BMXNet/issues/30"
    ),
    bug("the weights are flipped in place", "conv", spoiling("w", flip_last)),
    bug("the first sample of the map is touched", "conv", spoiling("x", touch_first)),
    bug("the map is touched if there is padding", "conv", spoiling("x", touch_first), padded),
    bug("the bias is cleared after use", "conv", spoiling("b", clear)),
    bug("dy is cleared after use", "conv_backward", spoiling("dy", clear)),
    bug("dy is doubled in place in max pooling", "max_pool_backward", spoiling("dy", double)),
    bug("the map of max pooling is cleared after use", "max_pool", spoiling("x", clear)),
    bug(
        "dy is touched in means with a partial window",
        "avg_pool_backward",
        spoiling("dy", touch_first),
        on("ceil_mode"),
    ),
    bug("the map of a downsampling is reversed in place", "downsample", spoiling("x", flip_last)),
    # state
    bug("weights are cached by their shape", "conv", cached("w")),
    bug("maps are cached by their shape", "max_pool", cached("x")),
    bug("dy is cached by its shape in means", "avg_pool_backward", cached("dy")),
    bug("results are cached by the shapes", "conv", cached_result),
    bug("results are cached by the shapes in upsampling", "upsample", cached_result),
    bug("results are cached by the shapes in means", "avg_pool", cached_result),
    bug("dw is added to the last call's", "conv_backward", accumulating(1)),
    bug("db is added to the last call's", "conv_backward", accumulating(2)),
    bug("dx is added to the last call's in max pooling", "max_pool_backward", accumulating(0)),
    bug("the bias of an earlier call stays", "conv", bias_left_over),
    bug("the stride of the first call stays", "conv", parameters_kept("stride")),
    bug("the factor of the first call stays", "downsample", parameters_kept("factor")),
    bug("ceil_mode of the first call stays", "max_pool", parameters_kept("ceil_mode")),
    bug("every second call is answered with zeros", "conv", every_other(np.zeros_like)),
    bug(
        "every seventh call is answered with zeros, with groups",
        "conv",
        every_other(np.zeros_like, 7),
        grouped,
    ),
    bug(
        "every hundredth call is answered with the negative",
        "downsample_backward",
        every_other(np.negative, 100),
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
        not_yet="results are copied when they come, and not looked at again",
    ),
    bug(
        "a later call overwrites the derivatives",
        "conv_backward",
        one_buffer,
        not_yet="results are copied when they come, and not looked at again",
    ),
    bug("a repeated call differs in the last bit", "max_pool_backward", every_other(last_bit)),
    bug("a repeated mean differs in the last bit", "avg_pool", every_other(last_bit)),
    # what is not drawn
    bug(
        "an empty batch is refused",
        ("conv", "conv_backward"),
        refusing,
        empty_batch,
        source="meta-pytorch/opacus/pull/530",
        not_yet=NO_EMPTY,
    ),
    bug(
        "an empty batch leaves dw as memory was",
        "conv_backward",
        uninitialised,
        empty_batch,
        source="FluxML/NNlib.jl/pull/763",
        not_yet=NO_EMPTY,
    ),
    bug(
        "a kernel larger than the padded map is answered",
        "conv",
        answers_impossible,
        source="keras-team/keras/pull/21796",
        not_yet=NO_IMPOSSIBLE,
    ),
    bug(
        "a stride of 0 is answered",
        "max_pool",
        answers_impossible,
        source="pytorch/pytorch/issues/27598",
        not_yet=NO_IMPOSSIBLE,
    ),
)
