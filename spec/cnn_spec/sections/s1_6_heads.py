"""The notes' §1.6: what the last maps are fed to."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="HEAD-FLAT",
        section="1.6",
        standing=Standing.HOLDS,
        statement="The last maps (C, H, W) are flattened to a vector of C H W features; folding it again "
        "gives them back.",
    ),
    Clause(
        id="HEAD-SINGLE",
        section="1.6",
        standing=Standing.AMBIGUOUS,
        statement="One output layer predicts the class, with one output for each class.",
        notes_say="A single output predicts the class: one number, or one layer.",
        counterexample="3 classes: the sign of one number tells 2 of them apart.",
    ),
    Clause(
        id="HEAD-MULTI",
        section="1.6",
        standing=Standing.AMBIGUOUS,
        statement="A second task is a second layer beside the first, on the same features: the class outputs stay as "
        "they are, and the features' gradient is the weighted sum of both losses' gradients.",
        notes_say="The features are fed to a second layer that adds a task: beside the class layer or after it.",
        counterexample="After the class layer, the box changes with the class weights: smallest with one feature.",
    ),
    Clause(
        id="HEAD-LABELS",
        section="1.6",
        standing=Standing.HOLDS,
        statement="The second task learns from labelled samples: one without its label adds nothing to that "
        "gradient, and changes nothing in the class gradient.",
    ),
)
