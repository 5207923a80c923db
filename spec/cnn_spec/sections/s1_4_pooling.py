"""The notes' §1.4: where pooling comes from."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="HIST-HW",
        section="1.4",
        standing=Standing.NOT_EXECUTABLE,
        statement="Hubel and Wiesel found simple and complex cells in the striate cortex: physiology. (The letters S "
        "and C are Fukushima's.)",
    ),
    Clause(
        id="NEO-SHIFT",
        section="1.4",
        standing=Standing.HOLDS,
        statement="Neighbouring cells of a plane answer alike to inputs that are shifted by one stride.",
    ),
    Clause(
        id="NEO-C-FIXED",
        section="1.4",
        standing=Standing.HOLDS,
        statement="The cells of a C-plane have one fixed response: nothing to learn, the same at every position.",
    ),
    Clause(
        id="NEO-ALTERNATE",
        section="1.4",
        standing=Standing.HOLDS,
        statement="Every S-plane is followed by a C-plane: the kinds alternate, and there are as many of each.",
    ),
    Clause(
        id="NEO-ROBUST",
        section="1.4",
        standing=Standing.DOMAIN,
        statement="A C-cell's answer does not change when its inputs are rearranged inside its window.",
        domain="within one window; max or mean",
        notes_say="C-cells make the response robust to distortion and to position.",
        counterexample="K = S = 2: (0, 1, 0, 0) and (0, 0, 1, 0) have different answers.",
    ),
)
