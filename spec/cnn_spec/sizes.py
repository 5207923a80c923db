"""Sizes of one axis, as plain integers (notes §2.1.1, §2.1.2, §2.3). All indices start at 0.

Domains are the callers' affair: these are the formulas, not the refusals. A result below 1 means that
no window fits.
"""

from math import prod

Pair = tuple[int, int]


def extent(kernel_size: int, dilation: int = 1) -> int:
    """How many samples a kernel spans: `dilation * (kernel_size - 1) + 1`."""
    return dilation * (kernel_size - 1) + 1


def conv_output_size(n: int, *, kernel_size: int, stride: int, padding: Pair, dilation: int) -> int:
    """How many windows lie wholly on the padded input (notes §2.3.1, extended by padding and dilation)."""
    return (n + sum(padding) - extent(kernel_size, dilation)) // stride + 1


def pool_output_size(
    n: int, *, kernel_size: int, stride: int, padding: Pair, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """The same for pooling; `ceil_mode` adds a partial window if it starts on the input or its leading padding."""
    complete = conv_output_size(n, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
    remainder = (n + sum(padding) - extent(kernel_size, dilation)) % stride
    starts_inside = complete * stride < n + padding[0]
    return complete + 1 if ceil_mode and remainder and starts_inside else complete


def conv_transpose_output_size(
    n: int, *, kernel_size: int, stride: int, padding: Pair, output_padding: int, dilation: int
) -> int:
    """The size that a convolution with these parameters may have come from (the interface's own formula)."""
    return (n - 1) * stride - sum(padding) + extent(kernel_size, dilation) + output_padding


def conv_param_count(c_in: int, c_out: int, *, kernel_size: tuple[int, ...], groups: int, bias: bool) -> int:
    """The weights of `c_out` filters, each with a plane for every channel of its group, and their biases (notes §1.7)."""
    return c_out * (c_in // groups) * prod(kernel_size) + (c_out if bias else 0)


def separable_param_count(c_in: int, c_out: int, *, kernel_size: tuple[int, ...], bias: bool) -> int:
    """The weights of a plane for each channel, then of `c_out` vectors across the channels (notes §1.7)."""
    return c_in * prod(kernel_size) + c_out * c_in + (c_out if bias else 0)


def same_padding(kernel_size: int, larger: str = "after") -> Pair:
    """Padding that keeps the size at stride 1 (notes §2.1.2); `larger` is the side of an even kernel's larger half."""
    small, large = (kernel_size - 1) // 2, kernel_size // 2
    return (small, large) if larger == "after" else (large, small)


def downsampled_size(n: int, factor: int) -> int:
    """How many of `n` samples are kept: the first of every `factor` (notes §2.3.1)."""
    return -(-n // factor)


def upsampled_size(n: int, factor: int) -> int:
    """The size with `factor - 1` zeros between neighbours (notes §2.3.2)."""
    return factor * (n - 1) + 1
