"""The notes' §1.1 and §1.2: scanning MLPs, and how they compare with ordinary ones."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="SCAN-WINDOWS",
        section="1.1",
        standing=Standing.DOMAIN,
        statement="An input of N samples is cut into floor((N - K)/S) + 1 windows of K samples, S apart, "
        "which overlap "
        "when S < K. Every sample lies in a window exactly when S divides N - K and, if there are several, S <= K.",
        domain="N >= K >= 1, S >= 1",
        notes_say="The whole of each input is cut into windows.",
        counterexample="N = 2, K = 1, S = 2: the second sample is in no window.",
    ),
    Clause(
        id="SCAN-SHARED",
        section="1.1",
        standing=Standing.HOLDS,
        statement="One network with one set of weights is applied to every window; its output at a window depends on "
        "that window alone.",
    ),
    Clause(
        id="SCAN-ORDER",
        section="1.1",
        standing=Standing.HOLDS,
        statement="The outputs come in the order of the windows.",
    ),
    Clause(
        id="SCAN-SHIFT",
        section="1.1",
        standing=Standing.DOMAIN,
        statement="A shift of the input by k strides shifts the outputs by k. A readout that is symmetric in the "
        "positions, such as the maximum, then does not change at all.",
        domain="shifts by multiples of the stride, the pattern on a constant background and wholly inside before and "
        "after",
        notes_say="The classification does not depend on where the pattern is.",
        counterexample="K = 1, S = 2: the input (1, 0, 0) gives (1, 0); shifted by one it gives (0, 0).",
    ),
    Clause(
        id="SCAN-SOFTMAX",
        section="1.1",
        standing=Standing.AMBIGUOUS,
        statement="The outputs may be normalised over the positions. That moves with the input: it is no invariance, "
        "for which the positions have to be aggregated symmetrically.",
        notes_say="The sequence of outputs goes into a softmax layer; over what it normalises is not said.",
        counterexample="1 position, 2 classes: over the positions each is 1, over the classes they share 1.",
    ),
    Clause(
        id="SCAN-GIANT",
        section="1.1",
        standing=Standing.HOLDS,
        statement="Scanning equals one large network: its first matrix has the same block of weights at "
        "every window's "
        "columns and zeros elsewhere, its deeper ones are block diagonal with equal blocks.",
    ),
    Clause(
        id="SCAN-CONV-EQ",
        section="1.1",
        standing=Standing.HOLDS,
        statement="Scanning with an MLP equals a convolution by its first layer with the windows' side and stride, "
        "followed by convolutions with kernel 1 by its other layers.",
    ),
    Clause(
        id="SUBNET-PER-WINDOW",
        section="1.1",
        standing=Standing.HOLDS,
        statement="The large network has one copy of the small one for each window; the number of different weights "
        "does not grow with the input.",
    ),
    Clause(
        id="SCAN-LOCAL",
        section="1.2",
        standing=Standing.DOMAIN,
        statement="A unit of the large network is connected to a part of the previous layer: K of N "
        "samples, then its "
        "own copy's units.",
        domain="at least two windows; not the final layer that reads all outputs",
        notes_say="Each unit of a scanning network sees a part of the layer before it.",
        counterexample="N = 1, K = 1: the only window is the whole input.",
    ),
    Clause(
        id="SCAN-SPARSE",
        section="1.2",
        standing=Standing.DOMAIN,
        statement="Of the large first matrix the share K/N can be non-zero, of a deeper one the share 1/T; of an "
        "ordinary network's all can.",
        domain="sparse for T >= 2 windows",
        notes_say="The weight matrix is sparse.",
        counterexample="N = 1, K = 1: the only window is the whole input, and the matrix is full.",
    ),
    Clause(
        id="SPARSE-CAUSE",
        section="1.2",
        standing=Standing.CORRECTED,
        statement="Looking at windows makes the matrix sparse; sharing weights makes its blocks equal. "
        "Neither follows "
        "from the other.",
        notes_say="Sharing parameters makes the matrix sparse.",
        counterexample="The circulant matrix ((1, 2), (2, 1)) shares its weights and is full; ((1, 2, 0), (0, 3, 4)) "
        "is sparse and shares none.",
    ),
    Clause(
        id="SCAN-BLOCKS",
        section="1.2",
        standing=Standing.HOLDS,
        statement="The large matrix repeats one block: the rows of the next window are those of this one, "
        "S columns to "
        "the right. It is block diagonal only if S >= K.",
    ),
)
