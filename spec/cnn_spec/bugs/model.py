"""What a bug model is, and the few moves of which nearly all are made.

A bug model turns a right implementation into a wrong one, so it works over the reference and over the
literal definitions alike. It is data: a name in words, the operations, a wrong way to answer, and the
conditions under which it is taken; everywhere else the right implementation answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results
from cnn_spec.shapes import Shape, forward_shape, result_shapes

Wrong = Callable[[Implementation], Implementation]
Condition = Callable[[Call], bool]
Change = Callable[[Call, Any], Any]
"""A changed argument, parameter or result, from the call and what it was."""

RANKS = (1, 2, 3)
ZOO = "https://github.com/"


@dataclass(frozen=True, kw_only=True)
class Bug:
    """A named way to get operations wrong.

    `source` is the thread of a bug seen in a real project, or the clause whose misreading it is. `adapter`:
    the mistake is in how a library is called ("your adapter, not your library"). `rare` says why a short run
    may miss it, `not_yet` why no case that is drawn today can show it.
    """

    name: str
    operations: tuple[str, ...]
    wrong: Wrong
    when: tuple[Condition, ...] = ()
    ranks: tuple[int, ...] = RANKS
    source: str = ""
    adapter: bool = False
    rare: str = ""
    not_yet: str = ""

    def over(self, right: Implementation) -> Implementation:
        """The wrong implementation that this bug makes of a right one."""
        wrong = self.wrong(right)

        @np.errstate(all="ignore")
        def answer(call: Call) -> Results:
            return (wrong if self.concerns(call) else right)(call)

        return answer

    def concerns(self, call: Call) -> bool:
        """Whether a call is one that it may answer wrongly."""
        touched = call.operation in self.operations and call.rank in (0, *self.ranks)
        return touched and all(met(call) for met in self.when)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of the interface that it touches."""
        return tuple(
            OPERATIONS[name].function(rank)
            for name in self.operations
            for rank in (self.ranks if OPERATIONS[name].ranked else (0,))
        )


def bug(
    name: str, operations: str | Sequence[str], wrong: Wrong, *when: Condition, source: str = "", **rest: Any
) -> Bug:
    """A row of the catalogue. A source without a scheme is a thread's path on GitHub, or a clause."""
    if "/" in source and ":" not in source:
        source = ZOO + source
    concerned = (operations,) if isinstance(operations, str) else tuple(operations)
    return Bug(name=name, operations=concerned, wrong=wrong, when=when, source=source, **rest)


def variants(
    name: str,
    operations: str | Sequence[str],
    wrong: Wrong,
    where: Mapping[str, tuple[Condition, ...]],
    **rest: Any,
) -> tuple[Bug, ...]:
    """One mistake under several conditions: a row of the catalogue for each, by its words behind the name."""
    return tuple(
        bug(f"{name} {words}".strip(), operations, wrong, *when, **rest) for words, when in where.items()
    )


def asked(change: Callable[[Call], Call]) -> Wrong:
    """Another call is answered; `dy` and results of another size are cut, or filled with zeros.

    Where the other call is impossible, the right one is answered.
    """

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            try:
                found = right(refitted(change(call)))
            except ValueError:
                return right(call)
            return tuple(map(fitted, found, result_shapes(call)))

        return answer

    return wrong


def refitted(call: Call) -> Call:
    """With `dy`, if there is one, cut or filled up to the shape that the other arguments ask for."""
    return call.but(dy=fitted(call["dy"], forward_shape(call))) if "dy" in call.arguments else call


def taking(name: str, change: Change) -> Wrong:
    """One argument or parameter is taken for another; None stays None."""
    return asked(lambda c: c if c[name] is None else c.but(**{name: change(c, c[name])}))


def giving(name: str, change: Change) -> Wrong:
    """One result is changed, in shape too if so; it keeps its dtype."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            return tuple(
                _like(change(call, part), part) if result == name else part
                for result, part in zip(call.results, right(call), strict=True)
            )

        return answer

    return wrong


def answering(define: Callable[[Call], Any]) -> Wrong:
    """A wrong definition of an operation with one result; it need not keep the dtype."""

    def wrong(right: Implementation) -> Implementation:
        def answer(call: Call) -> Results:
            arrays = [a for a in call.arguments.values() if isinstance(a, np.ndarray)]
            found = np.asarray(define(call))
            return (found.astype(arrays[0].dtype) if arrays else found,)

        return answer

    return wrong


def refusing(right: Implementation) -> Implementation:
    """An error."""

    def answer(call: Call) -> Results:
        raise ZeroDivisionError("integer division or modulo by zero")

    return answer


def _like(changed: Any, part: Array) -> Array:
    return np.asarray(changed).astype(part.dtype)


def fitted(a: Array, shape: Shape) -> Array:
    """Cut, or filled with zeros, to a shape of as many axes."""
    if a.shape == tuple(shape) or a.ndim != len(shape):
        return a
    found = np.zeros(shape, a.dtype)
    common = tuple(slice(min(new, old)) for new, old in zip(shape, a.shape, strict=True))
    found[common] = a[common]
    return found


class Functions:
    """An implementation as an object with the interface's functions: a candidate."""

    def __init__(self, name: str, implementation: Implementation) -> None:
        self.__name__ = name
        for operation, declared in OPERATIONS.items():
            for rank in RANKS if declared.ranked else (0,):
                setattr(self, declared.function(rank), _function(implementation, operation, rank))


def _function(implementation: Implementation, operation: str, rank: int) -> Callable[..., Any]:
    declared = OPERATIONS[operation]

    def function(*arguments: Any, **parameters: Any) -> Any:
        call = Call(operation, rank, dict(zip(declared.arrays, arguments, strict=True)), parameters)
        found = implementation(call)
        if declared.of_integers:
            return tuple(found[0].tolist()) if found[0].ndim else int(found[0])
        return found[0] if len(found) == 1 else found

    return function
