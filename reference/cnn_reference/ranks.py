"""One rule for all ranks: an operation is written once, for any number of spatial axes, and named thrice."""

import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from cnn_reference.checks import QUIET, ShapeError

P = ParamSpec("P")
R = TypeVar("R")


def of_each_rank(name: str, generic: Callable[P, R]) -> tuple[Callable[P, R], Callable[P, R], Callable[P, R]]:
    """Give the operation for 1, 2 and 3 spatial axes; `name` has `{}` where the rank stands, as in `conv{}d`.

    Each refuses, with `ShapeError`, a first argument that has another number of axes.
    """
    return _of_rank(1, name, generic), _of_rank(2, name, generic), _of_rank(3, name, generic)


def _of_rank(rank: int, template: str, generic: Callable[P, R]) -> Callable[P, R]:
    name = template.format(rank)
    signature = inspect.signature(generic)
    first = next(iter(signature.parameters))

    @QUIET
    def operation(*args: P.args, **kwargs: P.kwargs) -> R:
        images: Any = args[0] if args else kwargs[first]
        if images.ndim != rank + 2:
            raise ShapeError(f"{name} takes (N, C, *spatial) of {rank + 2} axes, not shape {images.shape}")
        return generic(*args, **kwargs)

    operation.__name__ = operation.__qualname__ = name
    operation.__module__ = generic.__module__
    operation.__doc__ = generic.__doc__
    operation.__signature__ = signature  # type: ignore[attr-defined]
    return operation
