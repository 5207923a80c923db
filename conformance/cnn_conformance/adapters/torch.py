"""PyTorch as a candidate: its functional interface, differentiated by its own autograd.

Padding that PyTorch's functions do not take (unequal sides, or more than half a pooling window) is put
around the input first, where that means the same; where it does not, the call is declined.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from cnn_conformance.adapters.common import Array, Pairs, require_rank, symmetric

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


def _for_ranks(name: str, make: Callable[[int], Callable[..., Any]]) -> None:
    for rank in (1, 2, 3):
        globals()[name.format(rank)] = make(rank)


def _conv_tensor(
    rank: int, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None, parameters: dict[str, Any]
) -> torch.Tensor:
    padding = parameters["padding"]
    if symmetric(padding):
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
    if min(parameters["dilation"]) < 1:  # in float32 PyTorch may answer: FINDINGS.md
        raise ValueError("a dilation below 1")
    if symmetric(padding):
        y = spread(x, w, b, padding=tuple(before for before, _ in padding), **parameters)
    else:
        whole = spread(x, w, b, **parameters)
        sides = zip(whole.shape[2:], padding, strict=True)
        y = whole[(..., *(slice(before, max(n - after, 0)) for n, (before, after) in sides))]
    if min(y.shape[2:]) < 1:  # neither does it always refuse this
        raise ValueError("padding that leaves no output")
    return y


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


def _depthwise_tensor(
    rank: int, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None, parameters: dict[str, Any]
) -> torch.Tensor:
    return _conv_tensor(rank, x, w, b, {**parameters, "groups": x.shape[1]})


def _depthwise_conv(rank: int) -> Callable[..., Any]:
    def depthwise_conv(x: Array, w: Array, b: Array | None, **parameters: Any) -> Array:
        bias = None if b is None else _tensor(b)
        return np.asarray(_depthwise_tensor(rank, _tensor(x), _tensor(w), bias, parameters))

    return depthwise_conv


def _separable_conv(rank: int) -> Callable[..., Any]:
    def separable_conv(
        x: Array, w_depthwise: Array, w_pointwise: Array, b: Array | None, **parameters: Any
    ) -> Array:
        between = _depthwise_tensor(rank, _tensor(x), _tensor(w_depthwise), None, parameters)
        combine: Callable[..., torch.Tensor] = getattr(F, f"conv{rank}d")
        return np.asarray(combine(between, _tensor(w_pointwise), None if b is None else _tensor(b)))

    return separable_conv


def _native(kernel_size: Sequence[int], padding: Pairs) -> bool:
    """Whether PyTorch's pooling takes this padding: equal sides, at most half a window."""
    halves = all(2 * before <= k for k, (before, _) in zip(kernel_size, padding, strict=True))
    return symmetric(padding) and halves


def _max_pool_tensor(rank: int, x: torch.Tensor, *, padding: Pairs, **parameters: Any) -> torch.Tensor:
    pool: Callable[..., torch.Tensor] = getattr(F, f"max_pool{rank}d")
    if _native(parameters["kernel_size"], padding):
        return pool(x, padding=tuple(before for before, _ in padding), **parameters)
    if parameters["ceil_mode"]:
        raise NotImplementedError("ceil_mode with padding of unequal sides or beyond half a window")
    return pool(_around(x, padding, -torch.inf), **parameters)


def _max_pool_with_indices(rank: int) -> Callable[..., Any]:
    def max_pool_with_indices(x: Array, *, padding: Pairs, **parameters: Any) -> tuple[Array, Array]:
        if not _native(parameters["kernel_size"], padding):
            raise NotImplementedError("indices with padding of unequal sides or beyond half a window")
        pool: Callable[..., tuple[torch.Tensor, torch.Tensor]] = getattr(F, f"max_pool{rank}d")
        sides = tuple(before for before, _ in padding)
        y, indices = pool(_tensor(x), padding=sides, return_indices=True, **parameters)
        return y.numpy(), indices.numpy()

    return max_pool_with_indices


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
    require_rank(rank, x)
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
_for_ranks("depthwise_conv{}d", _depthwise_conv)
_for_ranks("separable_conv{}d", _separable_conv)
_for_ranks("max_pool{}d_with_indices", _max_pool_with_indices)
for _name, _of in (
    ("max_pool{}d", _max_pool_tensor),
    ("avg_pool{}d", _avg_pool_tensor),
    ("downsample{}d", _downsample_tensor),
    ("upsample{}d", _upsample_tensor),
):
    _for_ranks(_name, _forward(_of))
    _for_ranks(f"{_name}_backward", _backward(_of))


def _one_factor(factor: Sequence[int]) -> int:
    if len(set(factor)) > 1:
        raise NotImplementedError("a factor of its own for each axis")
    return factor[0]


def pixel_unshuffle2d(x: Array, *, factor: Sequence[int]) -> Array:
    """Blocks become channels; PyTorch has this for images and one factor."""
    require_rank(2, x)
    if not len(x):
        raise NotImplementedError("an empty batch, which PyTorch answers in the input's shape: FINDINGS.md")
    return np.asarray(F.pixel_unshuffle(_tensor(x), _one_factor(factor)))


def pixel_shuffle2d(x: Array, *, factor: Sequence[int]) -> Array:
    """Channels become blocks; PyTorch has this for images and one factor."""
    require_rank(2, x)
    return np.asarray(F.pixel_shuffle(_tensor(x), _one_factor(factor)))


def linear(x: Array, w: Array, b: Array | None) -> Array:
    """The flat layer."""
    return np.asarray(F.linear(_tensor(x), _tensor(w), None if b is None else _tensor(b)))


def linear_backward(dy: Array, x: Array, w: Array) -> tuple[Array, ...]:
    """The flat layer's derivatives, by autograd."""
    variables = (_variable(x), _variable(w), torch.zeros(len(w), dtype=_tensor(w).dtype).requires_grad_())
    return tuple(g.numpy() for g in torch.autograd.grad(F.linear(*variables), variables, _tensor(dy)))


def _parameters_of(c_in: int, c_out: int, kernel_size: Sequence[int], groups: int, bias: bool) -> int:
    if min(kernel_size) < 1:
        # PyTorch makes such a layer, and refuses every input of it: FINDINGS.md.
        raise ValueError("a kernel below 1")
    layer = getattr(torch.nn, f"Conv{len(kernel_size)}d")
    made = layer(c_in, c_out, tuple(kernel_size), groups=groups, bias=bias, device="meta")
    return sum(int(p.numel()) for p in made.parameters())


def conv_param_count(c_in: int, c_out: int, *, kernel_size: Sequence[int], groups: int, bias: bool) -> int:
    """The parameters of PyTorch's layer."""
    return _parameters_of(c_in, c_out, kernel_size, groups, bias)


def separable_param_count(c_in: int, c_out: int, *, kernel_size: Sequence[int], bias: bool) -> int:
    """The parameters of PyTorch's layers, one for each step."""
    pointwise = _parameters_of(c_in, c_out, (1,) * len(kernel_size), 1, bias)
    return _parameters_of(c_in, c_in, kernel_size, c_in, False) + pointwise


def _activation(of: Callable[..., torch.Tensor]) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """The function on arrays, and its derivative by autograd."""

    def backward(dy: Array, x: Array) -> Array:
        variable = _variable(x)
        (dx,) = torch.autograd.grad(of(variable), variable, _tensor(dy))
        return np.asarray(dx.numpy())

    return lambda x: np.asarray(of(_tensor(x))), backward


relu, relu_backward = _activation(torch.relu)
sigmoid, sigmoid_backward = _activation(torch.sigmoid)
tanh, tanh_backward = _activation(torch.tanh)


def softmax(x: Array, *, axis: int) -> Array:
    """The shares along an axis."""
    return np.asarray(F.softmax(_tensor(x), dim=axis))


def softmax_backward(dy: Array, x: Array, *, axis: int) -> Array:
    """The derivative of softmax, by autograd."""
    variable = _variable(x)
    (dx,) = torch.autograd.grad(F.softmax(variable, dim=axis), variable, _tensor(dy))
    return np.asarray(dx.numpy())


def _signal(n: int) -> torch.Tensor:
    """Any signal: the meta device, which has shapes alone, refuses too little (FINDINGS.md)."""
    return torch.zeros((1, 1, n))


def conv_output_size(
    n: int, *, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int
) -> int:
    """The size that PyTorch gives a convolution of one axis."""
    x = _around(_signal(n), [padding])
    return int(F.conv1d(x, _signal(kernel_size), stride=stride, dilation=dilation).shape[-1])


def pool_output_size(n: int, *, kernel_size: int, padding: tuple[int, int], **parameters: Any) -> int:
    """The size that PyTorch gives max pooling of one axis."""
    y = _max_pool_tensor(1, _signal(n), kernel_size=(kernel_size,), padding=[padding], **parameters)
    return int(y.shape[-1])


def conv_transpose_output_size(
    n: int, *, kernel_size: int, padding: tuple[int, int], **parameters: Any
) -> int:
    """The size that PyTorch gives a transposed convolution of one axis."""
    if padding[0] != padding[1] or parameters["output_padding"] >= max(
        parameters["stride"], parameters["dilation"]
    ):
        raise NotImplementedError(
            "unequal padding, or output padding of at least the stride and the dilation"
        )
    y = F.conv_transpose1d(_signal(n), _signal(kernel_size), padding=padding[0], **parameters)
    return int(y.shape[-1])
