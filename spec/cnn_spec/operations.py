"""The operations of the candidate interface as data, and what a call of one of them is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Results = tuple[Array, ...]
"""What a call answers: one array for each name in `Operation.results`, in that order."""


@dataclass(frozen=True)
class Operation:
    """One row of the candidate interface, for all ranks at once.

    `template` is the function's name with `{}` where the rank stands (none where it takes arrays of any or
    of one number of axes, or integers), `arrays` the positional arguments and `parameters` the keyword-only
    ones.
    """

    template: str
    arrays: tuple[str, ...]
    parameters: tuple[str, ...]
    results: tuple[str, ...]
    of_integers: bool = False
    """Whether it is arithmetic on the integers of a layer, without arrays."""

    @property
    def ranked(self) -> bool:
        """Whether there is one function for each rank."""
        return "{}" in self.template

    def function(self, rank: int) -> str:
        """The name of the function for `rank` spatial axes."""
        return self.template.format(rank)


_CONV = ("stride", "padding", "dilation", "groups")
_TRANSPOSED = ("stride", "padding", "output_padding", "dilation", "groups")
_DEPTHWISE = ("stride", "padding", "dilation")
_POOL = ("kernel_size", "stride", "padding")
_MAX = (*_POOL, "dilation", "ceil_mode")
_AVG = (*_POOL, "ceil_mode", "count_include_pad")

OPERATIONS: Mapping[str, Operation] = {
    "conv": Operation("conv{}d", ("x", "w", "b"), _CONV, ("y",)),
    "conv_backward": Operation("conv{}d_backward", ("dy", "x", "w"), _CONV, ("dx", "dw", "db")),
    "conv_transpose": Operation("conv_transpose{}d", ("x", "w", "b"), _TRANSPOSED, ("y",)),
    "conv_transpose_backward": Operation(
        "conv_transpose{}d_backward", ("dy", "x", "w"), _TRANSPOSED, ("dx", "dw", "db")
    ),
    "depthwise_conv": Operation("depthwise_conv{}d", ("x", "w", "b"), _DEPTHWISE, ("y",)),
    "separable_conv": Operation(
        "separable_conv{}d", ("x", "w_depthwise", "w_pointwise", "b"), _DEPTHWISE, ("y",)
    ),
    "max_pool": Operation("max_pool{}d", ("x",), _MAX, ("y",)),
    "max_pool_with_indices": Operation("max_pool{}d_with_indices", ("x",), _MAX, ("y", "indices")),
    "max_pool_backward": Operation("max_pool{}d_backward", ("dy", "x"), _MAX, ("dx",)),
    "avg_pool": Operation("avg_pool{}d", ("x",), _AVG, ("y",)),
    "avg_pool_backward": Operation("avg_pool{}d_backward", ("dy", "x"), _AVG, ("dx",)),
    "downsample": Operation("downsample{}d", ("x",), ("factor",), ("y",)),
    "downsample_backward": Operation("downsample{}d_backward", ("dy", "x"), ("factor",), ("dx",)),
    "upsample": Operation("upsample{}d", ("x",), ("factor",), ("y",)),
    "upsample_backward": Operation("upsample{}d_backward", ("dy", "x"), ("factor",), ("dx",)),
    "pixel_unshuffle": Operation("pixel_unshuffle{}d", ("x",), ("factor",), ("y",)),
    "pixel_shuffle": Operation("pixel_shuffle{}d", ("x",), ("factor",), ("y",)),
    "linear": Operation("linear", ("x", "w", "b"), (), ("y",)),
    "linear_backward": Operation("linear_backward", ("dy", "x", "w"), (), ("dx", "dw", "db")),
    "relu": Operation("relu", ("x",), (), ("y",)),
    "relu_backward": Operation("relu_backward", ("dy", "x"), (), ("dx",)),
    "sigmoid": Operation("sigmoid", ("x",), (), ("y",)),
    "sigmoid_backward": Operation("sigmoid_backward", ("dy", "x"), (), ("dx",)),
    "tanh": Operation("tanh", ("x",), (), ("y",)),
    "tanh_backward": Operation("tanh_backward", ("dy", "x"), (), ("dx",)),
    "softmax": Operation("softmax", ("x",), ("axis",), ("y",)),
    "softmax_backward": Operation("softmax_backward", ("dy", "x"), ("axis",), ("dx",)),
    "conv_output_size": Operation(
        "conv_output_size",
        ("n",),
        ("kernel_size", "stride", "padding", "dilation"),
        ("size",),
        of_integers=True,
    ),
    "pool_output_size": Operation("pool_output_size", ("n",), _MAX, ("size",), of_integers=True),
    "conv_transpose_output_size": Operation(
        "conv_transpose_output_size",
        ("n",),
        ("kernel_size", "stride", "padding", "output_padding", "dilation"),
        ("size",),
        of_integers=True,
    ),
    "same_padding": Operation("same_padding", ("kernel_size",), (), ("padding",), of_integers=True),
    "conv_param_count": Operation(
        "conv_param_count",
        ("c_in", "c_out"),
        ("kernel_size", "groups", "bias"),
        ("count",),
        of_integers=True,
    ),
    "separable_param_count": Operation(
        "separable_param_count", ("c_in", "c_out"), ("kernel_size", "bias"), ("count",), of_integers=True
    ),
}
"""Every operation that is judged, by the name that the clauses use for it."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of an operation, the same as itself only.

    `arguments` are the positional ones (arrays, or the integers of a size function) and `parameters`
    the keyword ones, both in the interface's order. `rank` is 0 where the function has none. A call that
    is not `valid` has no results: it is to be refused.
    """

    operation: str
    rank: int
    arguments: Mapping[str, Any]
    parameters: Mapping[str, Any]
    valid: bool = True

    @property
    def function(self) -> str:
        """The name under which a candidate offers it, such as `conv2d_backward`."""
        return OPERATIONS[self.operation].function(self.rank)

    @property
    def of_integers(self) -> bool:
        """Whether it is arithmetic on integers, without arrays."""
        return OPERATIONS[self.operation].of_integers

    @property
    def results(self) -> tuple[str, ...]:
        """The names of what it answers."""
        return OPERATIONS[self.operation].results

    def __getitem__(self, name: str) -> Any:
        """The argument or parameter of that name."""
        return self.arguments[name] if name in self.arguments else self.parameters[name]

    def but(self, **changes: Any) -> "Call":
        """The same call with some arguments or parameters changed."""
        unknown = changes.keys() - self.arguments.keys() - self.parameters.keys()
        if unknown:
            raise TypeError(f"{self.function} has no {', '.join(sorted(unknown))}")
        return replace(
            self,
            arguments={name: changes.get(name, value) for name, value in self.arguments.items()},
            parameters={name: changes.get(name, value) for name, value in self.parameters.items()},
        )

    def map_arrays(self, change: Callable[[Array], Array]) -> "Call":
        """The same call with `change` applied to each of its arrays."""
        return self.but(**{n: change(a) for n, a in self.arguments.items() if isinstance(a, np.ndarray)})

    def on(self, operation: str, **arguments: Any) -> "Call":
        """A call of a related operation with this call's parameters, as far as both have them.

        Arguments that are not given, and whose names this call has, are taken over.
        """
        target = OPERATIONS[operation]
        return Call(
            operation,
            self.rank,
            {n: arguments[n] if n in arguments else self[n] for n in target.arrays},
            {n: arguments[n] if n in arguments else self[n] for n in target.parameters},
        )


Implementation = Callable[[Call], Results]
"""Anything that answers calls: a candidate behind its guard, the reference, the literal definitions."""


def implementation_of(functions: Any) -> Implementation:
    """A module or object with the interface's functions, as an implementation."""

    def answer(call: Call) -> Results:
        answered = getattr(functions, call.function)(*call.arguments.values(), **call.parameters)
        several = len(call.results) > 1
        return tuple(np.asarray(part) for part in (answered if several else (answered,)))

    return answer
