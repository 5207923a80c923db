"""What adapters share: from a library's functions on its own tensors to the candidate interface."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_spec.cases.stream import FUNCTIONS

Array = NDArray[Any]
Tensor = Any
"""Of whatever type the library has."""
Pairs = Sequence[tuple[int, int]]
Forward = Callable[..., Any]
"""An operation on tensors, called as the interface's function of any rank is."""
Differentiate = Callable[[Forward, Mapping[str, Any], tuple[Tensor, ...], Tensor], Sequence[Tensor]]


@dataclass(frozen=True)
class Library:
    """How to come to a library's tensors and back.

    `differentiate(of, parameters, variables, dy)` gives the derivatives of `<of(*variables, **parameters), dy>` by the
    variables, by the library's own differentiation, where it has one.
    """

    tensor: Callable[[Array], Tensor]
    array: Callable[[Tensor], Array]
    differentiate: Differentiate | None = None


def functions(
    library: Library, forward: Mapping[str, Forward], ranks: Sequence[int] = (1, 2, 3)
) -> dict[str, Callable[..., Any]]:
    """The interface's functions for the operations that a library has, backward ones too if it differentiates.

    A convolution with groups gives the depthwise and the separable one, where there are no others.
    """
    if "conv" in forward:
        forward = {**_of_channels(forward["conv"]), **forward}
    made: dict[str, Callable[..., Any]] = {}
    for function, (operation, rank) in FUNCTIONS.items():
        base = operation.removesuffix("_backward")
        if base not in forward or rank not in (0, *ranks):
            continue
        if base == operation:
            made[function] = _on_arrays(library, forward[base], rank)
        elif library.differentiate:
            made[function] = _backward(library, library.differentiate, base, forward[base], rank)
    return made


def _of_channels(conv: Forward) -> dict[str, Forward]:
    def depthwise(x: Tensor, w: Tensor, b: Tensor | None, **parameters: Any) -> Tensor:
        return conv(x, w, b, groups=x.shape[1], **parameters)

    def separable(x: Tensor, w: Tensor, w_pointwise: Tensor, b: Tensor | None, **parameters: Any) -> Tensor:
        ones, none = (1,) * (len(x.shape) - 2), ((0, 0),) * (len(x.shape) - 2)
        between = depthwise(x, w, None, **parameters)
        return conv(between, w_pointwise, b, stride=ones, padding=none, dilation=ones, groups=1)

    return {"depthwise_conv": depthwise, "separable_conv": separable}


def _on_arrays(library: Library, of: Forward, rank: int) -> Callable[..., Any]:
    def function(*arrays: Array | None, **parameters: Any) -> Any:
        require_rank(rank, arrays[0])
        y = of(*(None if a is None else library.tensor(a) for a in arrays), **parameters)
        return tuple(map(library.array, y)) if isinstance(y, tuple) else library.array(y)

    return function


def _backward(
    library: Library, differentiate: Differentiate, operation: str, of: Forward, rank: int
) -> Callable[..., Any]:
    def function(dy: Array, *arrays: Array, **parameters: Any) -> Any:
        require_rank(rank, arrays[0])
        if len(arrays) == 2:
            w = arrays[1]
            groups = parameters.get("groups", 1)
            channels = w.shape[1] * groups if operation == "conv_transpose" else len(w)
            arrays = (*arrays, np.zeros(channels, w.dtype))
        variables = tuple(map(library.tensor, arrays))
        derivatives = differentiate(of, parameters, variables, library.tensor(dy))
        found = tuple(map(library.array, derivatives))
        return found if len(found) > 1 else found[0]

    return function


def fitting(y: Tensor, dy: Tensor) -> Tensor:
    """The result, if the derivative by it has its shape; for libraries that would broadcast or cut that."""
    if tuple(y.shape) != tuple(dy.shape):
        raise ValueError(f"dy of shape {tuple(dy.shape)} for a result of shape {tuple(y.shape)}")
    return y


def require_rank(rank: int, x: Array | None) -> None:
    """For functions that take any number of spatial axes; 0 for those that have none."""
    if rank and x is not None and x.ndim != 2 + rank:
        raise ValueError(f"an array of {x.ndim} axes, where (N, C, *spatial) has {2 + rank}")


def require_groups(x: Tensor, w: Tensor, groups: int) -> None:
    """For libraries that take the number of groups from the shapes. Raises ValueError where they do not fit."""
    if groups < 1 or x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        raise ValueError(f"{x.shape[1]} channels in {groups} groups of {w.shape[1]}, {w.shape[0]} results")


def require_dense(dilation: Sequence[int]) -> None:
    """For windows that cannot be dilated. Raises NotImplementedError, or ValueError for what is no dilation."""
    if max(dilation) > 1:
        raise NotImplementedError("dilation")
    if min(dilation) < 1:
        raise ValueError("a dilation below 1")


def require_float32_in_space(x: Tensor) -> None:
    """For what a library has in no float64 on three axes. Raises NotImplementedError."""
    if len(x.shape) == 5 and x.dtype == "float64":
        raise NotImplementedError("float64 on three axes")


def require_one_of(stride: Sequence[int], dilation: Sequence[int]) -> None:
    """For libraries that stride or dilate. Raises NotImplementedError for both."""
    if max(stride) > 1 and max(dilation) > 1:
        raise NotImplementedError("stride and dilation at once")


def symmetric(padding: Pairs) -> bool:
    """Whether both sides of each axis are padded alike."""
    return all(before == after for before, after in padding)


def whole_windows(
    x: Tensor,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int] | None = None,
    ceil_mode: bool,
) -> Pairs:
    """The padding with which rounding down gives what `ceil_mode` gives without: windows that overhang are filled."""
    if not ceil_mode:
        return padding
    sides = []
    for n, k, s, d, (before, after) in zip(
        x.shape[2:], kernel_size, stride, dilation or (1,) * len(padding), padding, strict=True
    ):
        span, size = d * (k - 1) + 1, n + before + after
        last = -((span - size) // s) * s
        while last >= n + before:
            last -= s
        sides.append((before, after + max(0, last + span - size)))
    return sides


def is_same(shape: Sequence[int], kernel_size: Sequence[int], stride: Sequence[int], padding: Pairs) -> bool:
    """Whether this is the padding that TensorFlow calls "same": as much as the last window lacks, the larger half after."""
    lacking = (
        max(0, -(-n // s) * s - s + k - n) if s > 0 else -1
        for n, k, s in zip(shape, kernel_size, stride, strict=True)
    )
    return all(pair == (few // 2, few - few // 2) for few, pair in zip(lacking, padding, strict=True))


def filled_or_same(
    x: Tensor,
    pad: Callable[[Tensor, Pairs], Tensor],
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    count_include_pad: bool,
) -> tuple[Tensor, str]:
    """For means that know "valid" and "same" alone: the input with the padding that counts, and which of them it takes.

    Raises NotImplementedError for padding that does not count and is not the same.
    """
    if count_include_pad or not np.any(padding):
        return pad(x, padding), "valid"
    if is_same(x.shape[2:], kernel_size, stride, padding):
        return x, "same"
    raise NotImplementedError("padding that does not count, other than the same")


def sides_of_spread(
    kernel: Sequence[int], dilation: Sequence[int], padding: Pairs, output_padding: Sequence[int]
) -> list[tuple[int, int]]:
    """The padding with which a convolution of the spread input is the transposed convolution."""
    return [
        (d * (k - 1) - before, d * (k - 1) - after + extra)
        for d, k, (before, after), extra in zip(dilation, kernel, padding, output_padding, strict=True)
    ]


def cropped(spread: Callable[..., Tensor], padding: Pairs) -> Tensor:
    """A transposed convolution by one that takes equal sides: padding of unequal ones is cut off the unpadded result."""
    if symmetric(padding):
        return spread(padding=[before for before, _ in padding])
    whole = spread()
    return whole[(..., *cut(whole.shape[2:], padding))]


def convolution(
    correlate: Callable[[Tensor, Tensor], Tensor],
    pad: Callable[[Tensor, Pairs], Tensor],
    concatenate: Callable[[Sequence[Tensor]], Tensor],
) -> Forward:
    """A convolution with padding, stride and groups, made of a library's plain correlation of all channels.

    A stride makes several correlations, each of every so many elements, rather than one of which most is thrown
    away: zeros in its derivative would meet elements that no window has.
    """

    def conv(
        x: Tensor,
        w: Tensor,
        b: Tensor | None,
        *,
        stride: Sequence[int],
        padding: Pairs,
        dilation: Sequence[int],
        groups: int,
    ) -> Tensor:
        if max(dilation) > 1:
            raise NotImplementedError("dilation")
        if len(w.shape) != len(x.shape):
            raise ValueError(f"filters with {len(w.shape)} axes for an input with {len(x.shape)}")
        require_groups(x, w, groups)
        if b is not None and tuple(b.shape) != (len(w),):
            raise ValueError(f"a bias of shape {b.shape} for {len(w)} channels")
        x = pad(x, ((0, 0), (0, 0), *padding))
        sizes = [len(range(s.stop)[s]) for s in taps(x.shape[2:], w.shape[2:], stride, dilation)[0]]
        width, out = w.shape[1], len(w) // groups
        parts = []
        for g in range(groups):
            of_x, of_w = x[:, g * width : (g + 1) * width], w[g * out : (g + 1) * out]
            parts.append(sum(correlate(*phase) for phase in _phases(of_x, of_w, stride, sizes)))
        y = concatenate(parts)
        return y if b is None else y + b.reshape((1, len(w), *(1 for _ in stride)))

    return conv


def _phases(
    x: Tensor, w: Tensor, stride: Sequence[int], sizes: Sequence[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Every so many elements of the input, with the elements of the kernel that meet them."""
    for first in product(*(range(min(s, k)) for s, k in zip(stride, w.shape[2:], strict=True))):
        part = w[(..., *(slice(f, None, s) for f, s in zip(first, stride, strict=True)))]
        ends = zip(first, stride, sizes, part.shape[2:], strict=True)
        yield x[(..., *(slice(f, f + s * (n + k - 2) + 1, s) for f, s, n, k in ends))], part


def cut(sizes: Sequence[int], padding: Pairs) -> tuple[slice, ...]:
    """The index of a transposed convolution's spatial axes without their padding."""
    if any(n <= before + after for n, (before, after) in zip(sizes, padding, strict=True)):
        raise ValueError("padding that leaves no output")
    return tuple(slice(before, n - after) for n, (before, after) in zip(sizes, padding, strict=True))


def every(factor: Sequence[int]) -> tuple[Any, ...]:
    """The index of the first of every `factor` elements of each spatial axis."""
    if min(factor) < 1:
        raise ValueError("a factor below 1")
    return (..., *(slice(None, None, f) for f in factor))


def taps(
    shape: Sequence[int], kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[slice, ...]]:
    """For each position in a window, where the windows on spatial axes of this shape have it.

    Raises ValueError where there is no window.
    """
    if min(*kernel_size, *stride, *dilation) < 1:
        raise ValueError("a kernel, stride or dilation below 1")
    spans = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)]
    sizes = [(n - span) // s + 1 for n, span, s in zip(shape, spans, stride, strict=True)]
    if min(sizes) < 1:
        raise ValueError("a window larger than the input")
    return [
        tuple(
            slice(d * o, d * o + (size - 1) * s + 1, s)
            for o, d, size, s in zip(offsets, dilation, sizes, stride, strict=True)
        )
        for offsets in product(*map(range, kernel_size))
    ]
