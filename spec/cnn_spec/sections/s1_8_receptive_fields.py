"""The notes' §1.8: receptive fields."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="RF-DEF",
        section="1.8",
        standing=Standing.AMBIGUOUS,
        statement="The receptive field of a unit is the set of input positions on which it depends; what "
        "it looks for "
        "there is its pattern.",
        notes_say="The field is the learned pattern here, and a width in §1.3.2.",
        counterexample="Two kernels of one side have one field and two patterns, from K = 1 on.",
    ),
    Clause(
        id="RF-L1",
        section="1.8",
        standing=Standing.DOMAIN,
        statement="In the first layer the pattern is the filter itself, at the unit's window.",
        domain="before the activation",
        notes_say="The first layer's field can be read off the arrangement of its weights.",
        counterexample="After relu, x = -1 and w = 1: the derivative is 0.",
    ),
    Clause(
        id="RF-BACKPROP",
        section="1.8",
        standing=Standing.AMBIGUOUS,
        statement="Sending a 1 back from a unit gives its derivative by the input, which is zero outside its field.",
        domain="all of the field: with positive weights, no gaps (S <= K below), and no pooling or "
        "rectifier that blocks",
        notes_say="Set the unit's output to 1 and learn the input by backpropagation: the derivative, or an input "
        "that produces a 1.",
        counterexample="One weight of 2: the derivative is 2, the least input that gives a 1 is 1/2.",
    ),
    Clause(
        id="RF-SIZE",
        section="1.8",
        standing=Standing.HOLDS,
        statement="R = 1 + the sum over the layers of (K - 1) times the product of the strides below, layer by layer "
        "R <- R + (K - 1) J and J <- J S.",
    ),
    Clause(
        id="RF-GABOR",
        section="1.8",
        standing=Standing.NOT_EXECUTABLE,
        statement="Learned first-layer filters look like oriented slits of light: an observation on "
        "trained networks.",
    ),
)
