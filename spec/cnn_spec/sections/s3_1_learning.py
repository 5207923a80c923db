"""Notes §3 and §3.2.1: what backpropagation needs, through flat layers and activations."""

from cnn_spec.clause import Clause, Law, Standing
from cnn_spec.laws import agreement
from cnn_spec.sights import several_samples

CLAUSES = (
    Clause(
        id="BP-MLP",
        section="3",
        standing=Standing.HOLDS,
        statement="Flat layers y = W x + b have the derivatives dW = dy x', db = dy and dx = W' dy.",
        laws=(
            Law(operation="linear_backward", check=agreement("dx", "input derivative")),
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
    ),
)
