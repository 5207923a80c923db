"""Derivatives of the loss through a convolution of symbolic size, as sums over symbolic ranges.

Channels, filters, kernel side, stride, leading padding and output side are symbols; two spatial axes. SymPy
differentiates under the sum signs and solves each Kronecker delta for the kernel's cell, which occurs in it
with coefficient 1. That is sound; a delta in which the solved index has another coefficient is not (SymPy drops the
condition that it must divide), so neither dilation nor downsampling is proved here.
"""

import sympy as sp

K, O, S, C, F = sp.symbols("K O S C F", integer=True, positive=True)
lo = sp.Symbol("lo", integer=True, nonnegative=True)
x, y, w, b, g = map(sp.IndexedBase, ("x", "y", "w", "b", "g"))
n, m, o, p, i, j = sp.symbols("n m o p i j", integer=True)
"""Indices: filter, input channel, output row and column, kernel row and column."""
n0, m0, i0, j0, row, column = sp.symbols("n0 m0 i0 j0 row column", integer=True)
"""The element by which is differentiated."""


def affine_map() -> sp.Expr:
    """Z[n, o, p]: the bias once, and the sum over the window and the input channels."""
    seen = w[n, m, i, j] * x[m, S * o + i - lo, S * p + j - lo]
    return b[n] + sp.Sum(seen, (i, 0, K - 1), (j, 0, K - 1), (m, 0, C - 1))


def loss_derivative(by: sp.Indexed) -> sp.Sum:
    """The derivative of the sum of g Z over all outputs, g being the derivatives by Z."""
    loss = sp.Sum(g[n, o, p] * affine_map(), (o, 0, O - 1), (p, 0, O - 1), (n, 0, F - 1))
    return sp.diff(loss, by).doit()


def map_derivative(by: sp.Indexed) -> sp.Expr:
    """The derivative of one element Z[n, o, p]."""
    return sp.diff(affine_map(), by).doit()


def mean_loss_derivative(by: sp.Indexed) -> sp.Sum:
    """The derivative of the sum of g times mean pooling over K x K windows, by one sample of its input."""
    mean = sp.Sum(x[S * o + i, S * p + j] / K**2, (i, 0, K - 1), (j, 0, K - 1))
    return sp.diff(sp.Sum(g[o, p] * mean, (o, 0, O - 1), (p, 0, O - 1)), by).doit()


def parts(derivative: sp.Expr) -> tuple[sp.Expr, frozenset[sp.Expr]]:
    """What a derivative sums, and the conditions under which it is not zero, each as an expression >= 0."""
    expression = derivative.function if isinstance(derivative, sp.Sum) else derivative
    conditions: set[sp.Expr] = set()
    while isinstance(expression, sp.Piecewise):
        (value, condition), (otherwise, _) = expression.args
        if otherwise != 0:
            raise ValueError(f"neither a value nor zero: {expression}")
        conditions |= {_at_least_zero(relation) for relation in sp.And.make_args(condition)}
        expression = value
    return sp.expand(expression), frozenset(conditions)


def _at_least_zero(relation: sp.Rel) -> sp.Expr:
    difference = sp.expand(relation.lhs - relation.rhs)
    return difference if isinstance(relation, sp.Ge) else -difference


def within(index: sp.Expr, size: sp.Expr) -> set[sp.Expr]:
    """The conditions 0 <= index < size, each as an expression >= 0."""
    return {sp.expand(index), sp.expand(size - 1 - index)}
