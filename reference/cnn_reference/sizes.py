"""How large a result is, and how many parameters a layer has: arithmetic on integers, one axis at a time."""

from collections.abc import Sequence
from math import prod

from cnn_reference.checks import ShapeError, per_axis, per_side, require


def conv_output_size(
    n: int, *, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int
) -> int:
    """Count the places of the kernel on a padded axis of `n`, in steps of the stride (notes §2.1.1, §2.3).

    Raises `ShapeError` where the kernel fits nowhere.
    """
    return pool_output_size(
        n, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=False
    )


def pool_output_size(
    n: int, *, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int, ceil_mode: bool
) -> int:
    """Count the pooling windows on an axis of `n` (notes §2.2, §2.3).

    With `ceil_mode` the last window may hang over, but starts within the input and its leading padding.
    Raises `ShapeError` where there is no window.
    """
    kernel_size, stride, dilation = per_axis(
        "kernel size, stride, dilation", (kernel_size, stride, dilation), 3
    )
    (padding,) = per_side((padding,), 1)
    return count_windows(n, kernel_size, stride, padding, dilation, ceil_mode)


def count_windows(
    n: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int, ceil_mode: bool
) -> int:
    """Count the windows on an axis, its parameters being checked; raise `ShapeError` where there is none."""
    room = n + padding[0] + padding[1] - (dilation * (kernel - 1) + 1)
    windows = room // stride + 1
    if ceil_mode:
        windows = min(-(-room // stride) + 1, -(-(n + padding[0]) // stride))
    if windows < 1:
        raise ShapeError(
            f"a kernel of {kernel}, dilation {dilation}, is larger than {n} elements padded by {padding}"
        )
    return windows


def conv_transpose_output_size(
    n: int, *, kernel_size: int, stride: int, padding: tuple[int, int], output_padding: int, dilation: int
) -> int:
    """Give the size of a transposed convolution's result on an axis of `n` (notes §2.3.2, fractional stride).

    Raises `ShapeError` where padding leaves nothing.
    """
    kernel_size, stride, dilation = per_axis(
        "kernel size, stride, dilation", (kernel_size, stride, dilation), 3
    )
    (padding,) = per_side((padding,), 1)
    require(output_padding >= 0, "output padding is at least 0, not {}", output_padding)
    size = (n - 1) * stride - sum(padding) + dilation * (kernel_size - 1) + output_padding + 1
    require(
        size >= 1, "padding {} leaves no output of {} elements, kernel {}, stride {}, dilation {}",
        padding, n, kernel_size, stride, dilation,
    )  # fmt: skip
    return size


def same_padding(kernel_size: int) -> tuple[int, int]:
    """Give the padding that keeps an axis's size at stride 1: `kernel_size - 1` zeros in all (notes §2.1.2).

    For an even kernel the larger half comes after. Raises `ShapeError` for a kernel below 1.
    """
    (kernel_size,) = per_axis("kernel size", (kernel_size,), 1)
    return (kernel_size - 1) // 2, kernel_size // 2


def conv_param_count(c_in: int, c_out: int, *, kernel_size: Sequence[int], groups: int, bias: bool) -> int:
    """Count the weights and biases: each of `c_out` filters has a plane for every channel of its group.

    Notes §1.7, §2.1. Raises `ShapeError` where `groups` does not divide the channels.
    """
    per_axis("channels and groups", (c_in, c_out, groups), 3)
    kernel_size = per_axis("kernel size", kernel_size, len(kernel_size))
    require(
        c_in % groups == 0 and c_out % groups == 0,
        "{} groups do not divide {} and {} channels",
        groups,
        c_in,
        c_out,
    )
    return c_out * (c_in // groups) * prod(kernel_size) + c_out * bool(bias)


def separable_param_count(c_in: int, c_out: int, *, kernel_size: Sequence[int], bias: bool) -> int:
    """Count the parameters of one plane a channel, then `c_out` vectors across the channels (notes §1.7).

    Raises `ShapeError` for a count or a kernel below 1.
    """
    depthwise = conv_param_count(c_in, c_in, kernel_size=kernel_size, groups=c_in, bias=False)
    return depthwise + conv_param_count(c_in, c_out, kernel_size=(1,), groups=1, bias=bias)
