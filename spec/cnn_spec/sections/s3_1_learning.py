"""Notes §3 and §3.2.1: what backpropagation needs, through flat layers and activations."""

import numpy as np

from cnn_spec.bounds import Oracle
from cnn_spec.case import Case
from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.comparison import Comparison, compare
from cnn_spec.laws import agreement, inner
from cnn_spec.operations import Implementation
from cnn_spec.sights import (
    exact_integers,
    several_channels,
    several_outputs,
    several_samples,
    values_above_zero,
    values_below_zero,
)


def passed_on_above_zero(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """relu's dx is dy where x > 0, and 0 where x < 0; at 0 anything between the two is right."""
    dy, x = case.call["dy"], case.call["x"]
    (dx,) = implementation(case.call)
    between = np.clip(dx, np.minimum(dy, 0), np.maximum(dy, 0))
    return compare(dx, np.where(x == 0, between, np.where(x > 0, dy, 0)))


def what_is_passed_on_is_what_came(implementation: Implementation, case: Case, oracle: Oracle) -> Comparison:
    """<dx, x> = <dy, y>: relu is homogeneous of degree one. y is the oracle's."""
    (y,) = oracle(case.call.on("relu"))
    (dx,) = implementation(case.call)
    return compare(np.array(inner(dx, case.call["x"])), np.array(inner(case.call["dy"], y)))


CLAUSES = (
    Clause(
        id="BP-MLP",
        section="3",
        standing=Standing.HOLDS,
        statement="Flat layers y = W x + b have the derivatives dW = dy x', db = dy and dx = W' dy.",
        laws=(
            Law(
                operation="linear_backward",
                check=agreement("dx", "input derivative"),
                must_see=(several_channels, several_outputs),
            ),
            Law(
                operation="linear_backward",
                check=agreement("dw", "weight derivative"),
                must_see=(several_samples,),
            ),
            Law(
                operation="linear_backward",
                check=agreement("db", "bias derivative"),
                must_see=(several_samples,),
            ),
        ),
    ),
    Clause(
        id="BP-FOLD",
        section="3",
        standing=Standing.AMBIGUOUS,
        statement=(
            "The derivative by the flattened features is folded back to (C, H, W), in the order in which "
            "they were flattened."
        ),
        notes_say="The first flat layer is folded back: its values or their derivatives, in no stated order.",
        counterexample="A 2x2 map: folded column by column, two derivatives are exchanged.",
    ),
    Clause(
        id="BP-LIST-CONV",
        section="3",
        standing=Standing.CORRECTED,
        statement=(
            "A convolutional layer needs four derivatives: by its affine map, its input, its weights and "
            "its bias."
        ),
        notes_say="Three, without the bias.",
        counterexample="One input, one weight: Z = w y + b, and Z changes with b.",
    ),
    Clause(
        id="BP-LIST-POOL",
        section="3",
        standing=Standing.CORRECTED,
        statement="Pooling needs the derivative by its input and, if it is learned, by its weights.",
        notes_say="Only the derivative by the input.",
        counterexample="A window of one sample with a learned weight: y = w x changes with w.",
    ),
    Clause(
        id="ACT-BP",
        section="3.2.1",
        standing=Standing.DOMAIN,
        statement=(
            "The derivative by the affine map is the derivative by the activation map times f'(z), "
            "element by element."
        ),
        domain="Pointwise activations, differentiable at z; relu's derivative at 0 is a convention.",
        notes_say="It holds for the activation function.",
        counterexample="Softmax at z=(0, 0) with dy=(1, 0): (1/4, -1/4), not zero in the second element.",
        laws=(
            Law(
                operation="relu_backward",
                check=passed_on_above_zero,
                must_see=(values_above_zero, values_below_zero),
            ),
            Law(operation="relu_backward", check=what_is_passed_on_is_what_came, when=(exact_integers,)),
            *(
                Law(
                    operation=name,
                    check=agreement("dx", "input derivative"),
                    must_see=(values_above_zero, values_below_zero),
                )
                for name in ("sigmoid_backward", "tanh_backward")
            ),
        ),
    ),
)
