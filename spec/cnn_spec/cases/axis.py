"""What can happen on one spatial axis: every small choice of parameters, with the levels it belongs to.

The input size is never drawn: it follows from the number of outputs, the parameters and the remainder.
So a choice is feasible, or not, by arithmetic, and constraints between the factors of an axis need not be
declared: they are what this enumeration does not contain.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from cnn_spec.sizes import conv_transpose_output_size, extent

SHORT = {"one": (1,), "few": (2, 3, 4)}
LONG = {"7 to 9": (7, 8, 9), "15 to 17": (15, 16, 17), "31 to 33": (31, 32, 33), "above 64": (65, 66, 67)}
EXTENTS: dict[str, tuple[int, ...]] = SHORT | LONG
"""Extents by level: vectorised libraries treat those around a register's length differently."""

Levels = tuple[str, ...]
KERNELS = {"1": (1,), "odd": (3, 5), "even": (2, 4)}


class Axis(NamedTuple):
    """One axis: its levels, the operation's parameters on it, and its input size.

    `outputs` is what the level of length speaks of (complete windows; for operations that enlarge, the input's
    elements), and `step` how many input elements one more of them takes. It stands for each level of `lengths`.
    """

    levels: dict[str, str]
    parameters: dict[str, Any]
    n: int
    outputs: int
    step: int
    lengths: Levels = ()

    @property
    def all_levels(self) -> dict[str, Levels]:
        """The levels of each factor that it stands for."""
        levels: dict[str, Levels] = {factor: (level,) for factor, level in self.levels.items()}
        return {**levels, "length": self.lengths} if self.lengths else levels

    def resized(self, outputs: int) -> "Axis":
        """The same axis with another number of outputs; its input size follows."""
        return self._replace(n=self.n + (outputs - self.outputs) * self.step, outputs=outputs)


def _lengths() -> Iterator[tuple[Levels, int]]:
    """Numbers of outputs with their levels: what is feasible at 7 is feasible at every longer extent."""
    for level, sizes in SHORT.items():
        yield from (((level,), size) for size in sizes)
    yield tuple(LONG), 7


def _padding_level(before: int, after: int, span: int) -> str:
    if max(before, after) >= span:
        return "beyond the kernel"
    return "none" if before == after == 0 else "symmetric" if before == after else "asymmetric"


def _paddings(span: int) -> Iterator[tuple[int, int]]:
    near = range(min(span, 3))
    yield from product(near, near)
    yield from ((span, span), (span, 0), (0, span), (span, span + 1))


def _windows(dilations: tuple[int, ...] = (1, 2, 3)) -> Iterator[tuple[Axis, int]]:
    """Kernels sliding over an axis, and the remainder."""
    for (kernel_level, sizes), dilation, (lengths, outputs) in product(
        KERNELS.items(), dilations, _lengths()
    ):
        for kernel in sizes:
            span = extent(kernel, dilation)
            strides = sorted({1, 2, 3, span, span + 1, span + 2})
            for stride, (before, after) in product(strides, _paddings(span)):
                for remainder in sorted({0, 1, stride - 1} & set(range(stride))):
                    n = (outputs - 1) * stride + span + remainder - before - after
                    if n < 1:
                        continue
                    levels = {
                        "kernel": kernel_level,
                        "stride": "1" if stride == 1 else "overlapping" if stride <= span else "gapped",
                        "dilation": "1" if dilation == 1 else "above 1",
                        "padding": _padding_level(before, after, span),
                        "remainder": "some" if remainder else "none",
                    }
                    if len(dilations) == 1:
                        del levels["dilation"]
                    parameters = {
                        "kernel_size": kernel,
                        "stride": stride,
                        "padding": (before, after),
                        "dilation": dilation,
                    }
                    yield Axis(levels, parameters, n, outputs, stride, lengths), remainder


def convolution_axes() -> Iterator[Axis]:
    """Every axis of a convolution."""
    return (axis for axis, _ in _windows())


def pool_counts(n: int, outputs: int, parameters: dict[str, Any]) -> list[int]:
    """How many input elements each window of the axis covers, a further partial one on the input included."""
    stride, (before, _), dilation = parameters["stride"], parameters["padding"], parameters["dilation"]
    further = outputs * stride - before < n
    starts = [o * stride - before for o in range(outputs + further)]
    return [sum(0 <= start + k * dilation < n for k in range(parameters["kernel_size"])) for start in starts]


def pooling_axes() -> Iterator[Axis]:
    """Every axis of a max pooling, with whether a further, partial window would start on the input."""
    return _pooling_axes((1, 2, 3))


def undilated_pooling_axes() -> Iterator[Axis]:
    """Every axis of an average pooling, which has no dilation."""
    return _pooling_axes((1,))


def _pooling_axes(dilations: tuple[int, ...]) -> Iterator[Axis]:
    for axis, remainder in _windows(dilations):
        outside = axis.levels["padding"] == "beyond the kernel"
        if outside or 0 in pool_counts(axis.n, axis.outputs, axis.parameters):
            continue
        starts_inside = axis.outputs * axis.step < axis.n + axis.parameters["padding"][0]
        further = "none" if not remainder else "starts inside" if starts_inside else "starts outside"
        yield axis._replace(levels={**axis.levels, "remainder": further})


def transposed_axes() -> Iterator[Axis]:
    """Every axis of a transposed convolution that leaves an output."""
    for axis, remainder in _windows():
        of_window = {k: v for k, v in axis.levels.items() if k != "remainder"}
        stride, dilation = axis.parameters["stride"], axis.parameters["dilation"]
        for output_padding in (
            (remainder, dilation - 1) if not remainder and dilation > stride else (remainder,)
        ):
            parameters = {**axis.parameters, "output_padding": output_padding}
            if conv_transpose_output_size(axis.outputs, **parameters) >= 1:
                beyond = "beyond the stride" if output_padding >= stride else "some"
                levels = {**of_window, "output padding": beyond if output_padding else "none"}
                yield Axis(levels, parameters, axis.outputs, axis.outputs, 1, axis.lengths)


def downsampling_axes() -> Iterator[Axis]:
    """Every axis of a downsampling, with what is left over behind the last kept sample."""
    for (lengths, outputs), factor in product(_lengths(), (1, 2, 3, 4)):
        for left_over in range(factor):
            levels = {
                "factor": _factor_level(factor),
                "left over": (
                    "nothing" if not left_over else "a whole step" if left_over == factor - 1 else "a part"
                ),
            }
            n = (outputs - 1) * factor + 1 + left_over
            yield Axis(levels, {"factor": factor}, n, outputs, factor, lengths)


def upsampling_axes() -> Iterator[Axis]:
    """Every axis of a zero-upsampling."""
    for (lengths, n), factor in product(_lengths(), (1, 2, 3, 4)):
        yield Axis({"factor": _factor_level(factor)}, {"factor": factor}, n, n, 1, lengths)


def _factor_level(factor: int) -> str:
    return str(factor) if factor < 3 else "above 2"


def pointwise_axes() -> Iterator[Axis]:
    """Arrays of one to four axes; the length is the last one's."""
    for number, (lengths, n) in product((1, 2, 3, 4), _lengths()):
        yield Axis({"number of axes": str(number)}, {"number": number, "axis": number - 1}, n, n, 1, lengths)


def softmax_axes() -> Iterator[Axis]:
    """The same with each axis of them; the length is that axis's."""
    for number, (lengths, n) in product((1, 2, 3, 4), _lengths()):
        for at in range(number):
            place = "last" if at == number - 1 else "middle" if at else "first"
            levels = {"number of axes": str(number), "axis": place}
            yield Axis(levels, {"number": number, "axis": at}, n, n, 1, lengths)


def no_axes() -> Iterator[Axis]:
    """What has no spatial axis has one choice: nothing."""
    yield Axis({}, {}, 0, 0, 0)


def same_padding_axes() -> Iterator[Axis]:
    """Every kernel for which a padding that keeps the size is asked."""
    for kernel in range(1, 34):
        level = "1" if kernel == 1 else "odd" if kernel % 2 else "even"
        yield Axis({"kernel": level}, {"kernel_size": kernel}, 0, 0, 0)
