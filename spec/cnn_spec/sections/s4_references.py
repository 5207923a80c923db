"""Notes §4, and the letters used throughout."""

from cnn_spec.clause import Clause, Standing

CLAUSES = (
    Clause(
        id="REF-CITED",
        section="4",
        standing=Standing.CORRECTED,
        statement="Every work that is cited is listed, and every work that is listed is cited.",
        notes_say="The list of references.",
        counterexample=(
            "Fukushima (1980) is cited and not listed; Raj and Singh (2024) are listed and not cited."
        ),
    ),
    Clause(
        id="NOTATION",
        section="4",
        standing=Standing.AMBIGUOUS,
        statement=(
            "Letters have one meaning here: N input side, K kernel side, S stride, P padding, D dilation, "
            "m input channel, n output channel; filters are w[n, m, i, j]."
        ),
        notes_say=(
            "N is a side, a number of channels and of units; M a side and a number of channels; L a layer "
            "and a side; w(m, n) has its input channel first."
        ),
        counterexample="C_in=1, C_out=2: filters laid out (C_in, C_out) give 1 output channel and not 2.",
    ),
)
