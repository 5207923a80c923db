"""Checks of the notes' §3 and §3.2.1: flat layers, folding, activations."""

from collections.abc import Callable, Mapping

import numpy as np
import sympy as sp

from cnn_spec.checks.check import Evidence, Reading, ambiguous, at_shapes, differs_first_at, for_all
from cnn_spec.checks.search import cases
from cnn_spec.checks.tensors import conv, derivative, distinct, inner, same, symbols
from cnn_spec.operations import Array

z = sp.Symbol("z", real=True)
SIDES = cases(N=range(1, 4), K=range(1, 4), where=lambda N, K: N >= K, domain="N >= K")


def _flat_layer(weight_derivative: Callable[[Array, Array], Array]) -> bool:
    w, b, x, dy = symbols((2, 3), (2,), (3,), (2,))
    loss = inner(dy, w @ x + b)
    return (
        same(derivative(loss, w), weight_derivative(dy, x))
        and same(derivative(loss, b), dy)
        and same(derivative(loss, x), w.T @ dy)
    )


def _needed_by_convolution(N: int, K: int) -> int:
    """How many of input, weights and bias the affine map depends on."""
    x, w, b = symbols((1, 1, N), (1, 1, K), (1,))
    output = conv(x, w, b)[0, 0, 0]
    return sum(any(derivative(output, tensor).flat) for tensor in (x, w, b))


def _needed_by_learned_pooling(N: int, K: int) -> int:
    """How many of input and weights a pooling by learned weights depends on."""
    x, w = symbols((1, 1, N), (1, 1, K))
    output = conv(x, w, stride=K)[0, 0, 0]
    return sum(any(derivative(output, tensor).flat) for tensor in (x, w))


def _sigmoid(value: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-value))


def _pointwise(at: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> bool:
    """Whether the known closed forms, evaluated where `at(z, y)` says, are the derivatives by z."""
    forms: tuple[tuple[Callable[..., sp.Expr], Callable[..., sp.Expr]], ...] = (
        (sp.tanh, lambda v: 1 - sp.tanh(v) ** 2),
        (_sigmoid, lambda v: _sigmoid(v) * (1 - _sigmoid(v))),
        (lambda v: v**3, lambda v: 3 * v**2),
    )
    return all(sp.simplify(sp.diff(f(z), z) - df(at(z, f(z)))) == 0 for f, df in forms)


def _softmax_derivative(n: int, diagonal: bool) -> list[sp.Expr]:
    """The derivative of the first softmax output by n inputs, at 0; `diagonal` takes it element by element."""
    inputs = sp.symbols(f"z:{n}", real=True)
    first = sp.exp(inputs[0]) / sum(map(sp.exp, inputs))
    at_zero = dict.fromkeys(inputs, 0)
    return [
        sp.diff(first, value).subs(at_zero) if value == inputs[0] or not diagonal else sp.Integer(0)
        for value in inputs
    ]


EVIDENCE: Mapping[str, Evidence] = {
    "BP-MLP": Evidence(
        checks=(
            at_shapes(
                "y = W x + b: dW = dy x', db = dy, dx = W' dy",
                _flat_layer,
                over="W of (2, 3)",
                right=lambda dy, x: np.outer(dy, x),
                wrong=lambda dy, x: np.outer(x, dy),
                wrong_says="dW = x dy'",
            ),
        )
    ),
    "BP-FOLD": ambiguous(
        cases(H=range(1, 4), W=range(1, 4)),
        Reading(
            name="derivatives, row by row as flattened",
            value=lambda H, W: distinct((H * W,)).reshape(H, W),
        ),
        Reading(
            name="derivatives, column by column",
            value=lambda H, W: distinct((H * W,)).reshape(H, W, order="F"),
            differs_at={"H": 2, "W": 2},
        ),
        Reading(
            name="the values themselves",
            value=lambda H, W: distinct((H * W,), start=10).reshape(H, W),
            differs_at={"H": 1, "W": 1},
        ),
    ),
    "BP-LIST-CONV": Evidence(
        checks=(
            differs_first_at(
                {"N": 1, "K": 1},
                claim=lambda N, K: 2,
                truth=_needed_by_convolution,
                among=SIDES,
                claim_says="the number of variables without the bias",
            ),
        )
    ),
    "BP-LIST-POOL": Evidence(
        checks=(
            differs_first_at(
                {"N": 1, "K": 1},
                claim=lambda N, K: 1,
                truth=_needed_by_learned_pooling,
                among=SIDES,
                claim_says="the number of variables without the weights",
            ),
        )
    ),
    "ACT-BP": Evidence(
        checks=(
            for_all(
                "tanh, sigmoid and cube: the derivative by z is f' at z",
                _pointwise,
                right=lambda value, activated: value,
                wrong=lambda value, activated: activated,
                wrong_says="f' at y = f(z)",
            ),
            differs_first_at(
                {"n": 2},
                claim=lambda n: _softmax_derivative(n, diagonal=True),
                truth=lambda n: _softmax_derivative(n, diagonal=False),
                among=cases(n=range(1, 4)),
                claim_says="softmax at 0, taken element by element,",
            ),
        )
    ),
}
