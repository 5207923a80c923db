"""The notes' §1.7: depthwise separable convolution, with M input channels, N output channels and K x K kernels."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="DW-TERM",
        section="1.7",
        standing=Standing.CORRECTED,
        statement="Standard convolution mixes channels and positions; depthwise filters each channel by itself; "
        "pointwise has a 1x1 kernel; depthwise separable is depthwise, then pointwise.",
        notes_say="Standard convolution is called pointwise, and the separable one depthwise.",
        counterexample="K = 2, M = N = 1: a pointwise filter has 1 weight, the notes' has 4.",
    ),
    Clause(
        id="DW-STD-SHAPE",
        section="1.7",
        standing=Standing.HOLDS,
        statement="Standard convolution has N filters of M planes of K x K: N M K^2 weights.",
    ),
    Clause(
        id="SEP-SHAPE",
        section="1.7",
        standing=Standing.HOLDS,
        statement="Separable convolution has M planar filters and N vectors of M weights: M K^2 + N M weights.",
    ),
    Clause(
        id="SEP-INTER",
        section="1.7",
        standing=Standing.HOLDS,
        statement="The maps between the two steps are M, each from its own input channel.",
    ),
    Clause(
        id="SEP-LIGHT",
        section="1.7",
        standing=Standing.DOMAIN,
        statement="Separable convolution has fewer weights than standard convolution exactly when (N - "
        "1)(K^2 - 1) > 1.",
        domain="N >= 2 and K >= 2",
        notes_say="It is a parameter-light alternative.",
        counterexample="M = N = K = 1: 2 weights in place of 1.",
    ),
    Clause(
        id="SEP-ONCE",
        section="1.7",
        standing=Standing.AMBIGUOUS,
        statement="Each input channel is filtered once, M planar convolutions in all, in place of once for every "
        "output channel, M N in all.",
        notes_say="The convolution step is performed once instead of N times for each of the N output channels.",
        counterexample="M = 2, N = 1: 2 planar convolutions and not 1.",
    ),
    Clause(
        id="SEP-WSUM",
        section="1.7",
        standing=Standing.HOLDS,
        statement="Each output channel is a weighted sum of the filtered channels: the standard convolution with "
        "w[n, m] = p[n, m] d[m], if nothing comes between the steps.",
    ),
    Clause(
        id="SEP-RANK",
        section="1.7",
        standing=Standing.HOLDS,
        statement="The output channels have no filters of their own: for every input channel, the N planes as rows "
        "form a matrix of rank at most 1. Standard filters need not.",
    ),
    Clause(
        id="SEP-MACS",
        section="1.7",
        standing=Standing.HOLDS,
        statement="For each output position, standard convolution takes N M K^2 products and separable M K^2 + N M.",
    ),
)
