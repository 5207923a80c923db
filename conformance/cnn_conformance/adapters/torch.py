"""PyTorch as a candidate: its functional interface, differentiated by its own autograd.

Padding that PyTorch's functions do not take (unequal sides, or more than half a pooling window) is put
around the input first, where that means the same; where it does not, the call is declined.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

Array = NDArray[Any]
Pairs = Sequence[tuple[int, int]]

about = {"name": "torch", "version": torch.__version__}


def _tensor(a: Array) -> torch.Tensor:
    """The array itself where PyTorch can read it in place, else a copy."""
    readable = a.flags.writeable and all(step >= 0 for step in a.strides)
    return torch.from_numpy(a if readable else a.copy())


def _variable(a: Array) -> torch.Tensor:
    return _tensor(a).detach().requires_grad_()


def _around(x: torch.Tensor, padding: Pairs, value: float = 0.0) -> torch.Tensor:
    """The tensor with padding around it; `F.pad` takes the last axis first."""
    return F.pad(x, [side for pair in reversed(padding) for side in pair], value=value)


def _symmetric(padding: Pairs) -> bool:
    return all(before == after for before, after in padding)


def _for_ranks(name: str, make: Callable[[int], Callable[..., Any]]) -> None:
    for rank in (1, 2, 3):
        globals()[name.format(rank)] = make(rank)


def _conv_tensor(
    rank: int, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None, parameters: dict[str, Any]
) -> torch.Tensor:
    padding = parameters["padding"]
    if _symmetric(padding):
        parameters = {**parameters, "padding": tuple(before for before, _ in padding)}
    else:
        x, parameters = _around(x, padding), {**parameters, "padding": 0}
    convolve: Callable[..., torch.Tensor] = getattr(F, f"conv{rank}d")
    return convolve(x, w, b, **parameters)


def _conv(rank: int) -> Callable[..., Any]:
    def conv(x: Array, w: Array, b: Array | None, **parameters: Any) -> Array:
        bias = None if b is None else _tensor(b)
        return np.asarray(_conv_tensor(rank, _tensor(x), _tensor(w), bias, parameters))

    return conv


def _conv_backward(rank: int) -> Callable[..., Any]:
    def conv_backward(dy: Array, x: Array, w: Array, **parameters: Any) -> tuple[Array, ...]:
        variables = (_variable(x), _variable(w), torch.zeros(len(w), dtype=_tensor(w).dtype).requires_grad_())
        y = _conv_tensor(rank, *variables, parameters)
        return tuple(g.numpy() for g in torch.autograd.grad(y, variables, _tensor(dy)))

    return conv_backward


def _conv_transpose_tensor(
    rank: int,
    x: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None,
    *,
    padding: Pairs,
    **parameters: Any,
) -> torch.Tensor:
    """Padding of unequal sides is cut off the unpadded result."""
    spread: Callable[..., torch.Tensor] = getattr(F, f"conv_transpose{rank}d")
    if _symmetric(padding):
        return spread(x, w, b, padding=tuple(before for before, _ in padding), **parameters)
    whole = spread(x, w, b, **parameters)
    sides = zip(whole.shape[2:], padding, strict=True)
    return whole[(..., *(slice(before, n - after) for n, (before, after) in sides))]


def _conv_transpose(rank: int) -> Callable[..., Any]:
    def conv_transpose(x: Array, w: Array, b: Array | None, **parameters: Any) -> Array:
        bias = None if b is None else _tensor(b)
        return np.asarray(_conv_transpose_tensor(rank, _tensor(x), _tensor(w), bias, **parameters))

    return conv_transpose


def _conv_transpose_backward(rank: int) -> Callable[..., Any]:
    def conv_transpose_backward(dy: Array, x: Array, w: Array, **parameters: Any) -> tuple[Array, ...]:
        bias = torch.zeros(w.shape[1] * parameters["groups"], dtype=_tensor(w).dtype)
        variables = (_variable(x), _variable(w), bias.requires_grad_())
        y = _conv_transpose_tensor(rank, *variables, **parameters)
        return tuple(g.numpy() for g in torch.autograd.grad(y, variables, _tensor(dy)))

    return conv_transpose_backward


def _native(kernel_size: Sequence[int], padding: Pairs) -> bool:
    """Whether PyTorch's pooling takes this padding: equal sides, at most half a window."""
    halves = all(2 * before <= k for k, (before, _) in zip(kernel_size, padding, strict=True))
    return _symmetric(padding) and halves


def _max_pool_tensor(rank: int, x: torch.Tensor, *, padding: Pairs, **parameters: Any) -> torch.Tensor:
    pool: Callable[..., torch.Tensor] = getattr(F, f"max_pool{rank}d")
    if _native(parameters["kernel_size"], padding):
        return pool(x, padding=tuple(before for before, _ in padding), **parameters)
    if parameters["ceil_mode"]:
        raise NotImplementedError("ceil_mode with padding of unequal sides or beyond half a window")
    return pool(_around(x, padding, -torch.inf), **parameters)


def _avg_pool_tensor(
    rank: int, x: torch.Tensor, *, padding: Pairs, count_include_pad: bool, **parameters: Any
) -> torch.Tensor:
    pool: Callable[..., torch.Tensor] = getattr(F, f"avg_pool{rank}d")
    if rank == 3 and any(n < k for n, k in zip(x.shape[2:], parameters["kernel_size"], strict=True)):
        # Unlike its siblings, avg_pool3d refuses these even where padding makes room: FINDINGS.md.
        raise NotImplementedError("avg_pool3d takes no kernel larger than the input without its padding")
    if _native(parameters["kernel_size"], padding):
        sides = tuple(before for before, _ in padding)
        return pool(x, padding=sides, count_include_pad=count_include_pad, **parameters)
    if parameters["ceil_mode"] or not count_include_pad:
        raise NotImplementedError("padding of unequal sides or beyond half a window, not plainly averaged")
    return pool(_around(x, padding), **parameters)


def _downsample_tensor(rank: int, x: torch.Tensor, *, factor: Sequence[int]) -> torch.Tensor:
    return x[(..., *(slice(None, None, f) for f in factor))]


def _upsample_tensor(rank: int, x: torch.Tensor, *, factor: Sequence[int]) -> torch.Tensor:
    """A transposed convolution with a kernel of a single one puts zeros between neighbours."""
    channels = x.shape[1]
    one = torch.ones((channels, 1, *(1 for _ in factor)), dtype=x.dtype)
    spread: Callable[..., torch.Tensor] = getattr(F, f"conv_transpose{rank}d")
    return spread(x, one, stride=tuple(factor), groups=channels)


def _forward(of: Callable[..., torch.Tensor]) -> Callable[[int], Callable[..., Any]]:
    def make(rank: int) -> Callable[..., Any]:
        return lambda x, **parameters: of(rank, _tensor(x), **parameters).numpy()

    return make


def _backward(of: Callable[..., torch.Tensor]) -> Callable[[int], Callable[..., Any]]:
    def make(rank: int) -> Callable[..., Any]:
        def backward(dy: Array, x: Array, **parameters: Any) -> Array:
            variable = _variable(x)
            (dx,) = torch.autograd.grad(of(rank, variable, **parameters), variable, _tensor(dy))
            return np.asarray(dx.numpy())

        return backward

    return make


_for_ranks("conv{}d", _conv)
_for_ranks("conv{}d_backward", _conv_backward)
_for_ranks("conv_transpose{}d", _conv_transpose)
_for_ranks("conv_transpose{}d_backward", _conv_transpose_backward)
for _name, _of in (
    ("max_pool{}d", _max_pool_tensor),
    ("avg_pool{}d", _avg_pool_tensor),
    ("downsample{}d", _downsample_tensor),
    ("upsample{}d", _upsample_tensor),
):
    _for_ranks(_name, _forward(_of))
    _for_ranks(f"{_name}_backward", _backward(_of))


def _shape_only(n: int) -> torch.Tensor:
    """A signal without data: PyTorch's own inference of shapes."""
    return torch.empty((1, 1, n), device="meta")


def conv_output_size(
    n: int, *, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int
) -> int:
    """The size that PyTorch infers for a convolution of one axis."""
    x = _around(_shape_only(n), [padding])
    return int(F.conv1d(x, _shape_only(kernel_size), stride=stride, dilation=dilation).shape[-1])


def pool_output_size(n: int, *, kernel_size: int, padding: tuple[int, int], **parameters: Any) -> int:
    """The size that PyTorch infers for max pooling of one axis."""
    y = _max_pool_tensor(1, _shape_only(n), kernel_size=(kernel_size,), padding=[padding], **parameters)
    return int(y.shape[-1])


def conv_transpose_output_size(
    n: int, *, kernel_size: int, padding: tuple[int, int], **parameters: Any
) -> int:
    """The size that PyTorch infers for a transposed convolution of one axis."""
    if padding[0] != padding[1] or parameters["output_padding"] >= max(
        parameters["stride"], parameters["dilation"]
    ):
        raise NotImplementedError(
            "unequal padding, or output padding of at least the stride and the dilation"
        )
    y = F.conv_transpose1d(_shape_only(n), _shape_only(kernel_size), padding=padding[0], **parameters)
    return int(y.shape[-1])
