"""The notes' §1.3: scanning distributed over the layers, and what it is good for."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="ORDER-EQUIV",
        section="1.3",
        standing=Standing.HOLDS,
        statement="Computing layer by layer or window by window gives the same outputs, and so does every order in "
        "which a result is computed before it is used.",
    ),
    Clause(
        id="ORDER-IF",
        section="1.3",
        standing=Standing.AMBIGUOUS,
        statement="Finishing a layer before the next begins is enough for the right outputs, and not necessary.",
        notes_say="The equivalence is stated under the condition that each layer is finished first, which "
        "can be read "
        "as needed for it.",
        counterexample="2 layers, 2 windows: window by window gives the same outputs and finishes no layer first.",
    ),
    Clause(
        id="ORDER-BARRIER",
        section="1.3",
        standing=Standing.HOLDS,
        statement="Layer by layer, all outputs of a layer exist before the next layer starts.",
    ),
    Clause(
        id="ORDER-SPATIAL",
        section="1.3",
        standing=Standing.HOLDS,
        statement="Layer by layer, the input's arrangement is kept: position t of every map comes from window t.",
    ),
    Clause(
        id="DIST-SCAN",
        section="1.3",
        standing=Standing.HOLDS,
        statement="A later layer may itself look at windows of the previous layer's maps, with the same "
        "weights at each.",
    ),
    Clause(
        id="DIST-EQUIV",
        section="1.3",
        standing=Standing.HOLDS,
        statement="Two layers that scan windows (K1, S1) and (K2, S2) equal one MLP that scans windows of "
        "K1 + (K2 - 1) S1 samples, S1 S2 apart, whose first matrix is K2 shifted copies of the first "
        "layer's weights.",
    ),
    Clause(
        id="CONV-DEF",
        section="1.3",
        standing=Standing.AMBIGUOUS,
        statement="A convolution is an affine map of each window with the same weights: without its bias "
        "it is additive.",
        notes_say="Scanning maps with a window of fixed size is called convolution; that covers any function of a "
        "window, max pooling too.",
        counterexample="x = (1, 0), y = (0, 1), one window of 2: max(x + y) = 1, and max(x) + max(y) = 2.",
    ),
    Clause(
        id="HALFSPACE",
        section="1.3.1",
        standing=Standing.HOLDS,
        statement="One threshold unit splits its input space by a hyperplane, so both of its classes are convex. "
        "Layers of units can do more: exclusive or takes two.",
    ),
    Clause(
        id="UNIV-APPROX",
        section="1.3.1",
        standing=Standing.NOT_EXECUTABLE,
        statement="MLPs approximate every function: an existence theorem about networks of unbounded "
        "width, of which a "
        "program can only show single instances.",
    ),
    Clause(
        id="HIER-COMBO",
        section="1.3.1",
        standing=Standing.HOLDS,
        statement="A unit of a higher layer is a function of the lower layer's outputs alone: inputs with the same "
        "lower outputs have the same higher ones.",
    ),
    Clause(
        id="DEEP-EFF",
        section="1.3.1",
        standing=Standing.NOT_EXECUTABLE,
        statement="Deeper networks need fewer data and parameters than wider ones: it depends on the "
        "task, and for some "
        "(the conjunction of two inputs) it is not so. There is no general statement to execute.",
    ),
    Clause(
        id="HIER-LOCAL",
        section="1.3.1",
        standing=Standing.HOLDS,
        statement="Scanning in every layer makes units aggregate local patterns: a unit depends on the input inside "
        "its receptive field and on nothing else.",
    ),
    Clause(
        id="GENERALIZE",
        section="1.3.1",
        standing=Standing.NOT_EXECUTABLE,
        statement="Hierarchical features generalise better: a statement about trained networks and data, not about "
        "the operations.",
    ),
    Clause(
        id="RF-GROW",
        section="1.3.2",
        standing=Standing.DOMAIN,
        statement="Aggregating K2 lower outputs widens the receptive field by (K2 - 1) J, J being the "
        "distance of the "
        "lower fields.",
        domain="strictly wider for K2 >= 2",
        notes_say="Aggregating the outputs of lower layers expands the receptive field.",
        counterexample="K2 = 1: the field stays as it is.",
    ),
    Clause(
        id="RF-SUM",
        section="1.3.2",
        standing=Standing.DOMAIN,
        statement="K2 lower units with fields of K1 samples, S1 apart, span K1 + (K2 - 1) S1 samples; "
        "that is the sum "
        "K1 K2 exactly if they touch without overlap (S1 = K1) or K2 = 1.",
        domain="the span is the sum where K2 = 1 or S1 = K1",
        notes_say="The input areas of the aggregated units are summed up.",
        counterexample="K1 = 1, K2 = 2, S1 = 2 spans 3 and not 2; overlapping, K1 = K2 = 2, S1 = 1 spans "
        "3 and not 4.",
    ),
    Clause(
        id="RF-SHRINK",
        section="1.3.2",
        standing=Standing.HOLDS,
        statement="For a receptive field of given width R the lower window may be R - (K2 - 1) S1, the "
        "smaller the more "
        "outputs are aggregated.",
    ),
    Clause(
        id="CONN-SUBSET",
        section="1.3.2",
        standing=Standing.DOMAIN,
        statement="A lower unit is then connected to K1 of the R samples of the field.",
        domain="fewer than all for K2 >= 2",
        notes_say="Lower units connect to a part of the receptive field only.",
        counterexample="K2 = 1: the lower window is the whole field.",
    ),
    Clause(
        id="RF-EX",
        section="1.3.2",
        standing=Standing.AMBIGUOUS,
        statement="Windows of 2, of which 4 outputs are aggregated, give a receptive field of 8 if they lie 2 apart.",
        notes_say="A field of 8, with no word on the stride.",
        counterexample="Stride 1 gives a field of 5, stride 3 one of 11.",
    ),
    Clause(
        id="CONN-4",
        section="1.3.2",
        standing=Standing.AMBIGUOUS,
        statement="Covering the field of 8 in the first layer takes 4 times the connections: for each "
        "unit 8 in place "
        "of 2, for the unrolled layer 32 N1 in place of 8 N1.",
        notes_say="A factor of 4 in connections, and 4 times the units on top; for the different weights the two "
        "multiply.",
        counterexample="N1 = 1: 32 different weights in place of 2, a factor of 16.",
    ),
    Clause(
        id="NEURONS-4",
        section="1.3.2",
        standing=Standing.AMBIGUOUS,
        statement="The undistributed first layer has 4 N1 units with weights of their own, the distributed one N1.",
        notes_say="4 times more units; whether copies that share weights count as units is left open.",
        counterexample="N1 = 1: unrolled over the field, both have 4 units.",
    ),
    Clause(
        id="PARAMS-TOTAL",
        section="1.3.2",
        standing=Standing.DOMAIN,
        statement="With N1, N2 and N3 units, distribution saves K1 N1 (K2^2 - 1) weights, all of them in the first "
        "layer: 2 N1 + 4 N1 N2 + N2 N3 in place of 32 N1 + 4 N1 N2 + N2 N3 in the example.",
        domain="fewer for K2 >= 2, the same units in the other layers, windows that touch (S1 = K1)",
        notes_say="A distributed network needs fewer parameters.",
        counterexample="K2 = 1: as many.",
    ),
    Clause(
        id="PARAMS-LEVEL",
        section="1.3.2",
        standing=Standing.AMBIGUOUS,
        statement="Fewer weights for the same receptive field and the same number of first-layer features over it.",
        notes_say="Fewer parameters for the same level of representation, whatever that measures.",
        counterexample="With N1 first-layer units on both sides, (N1, N2, N3) = (1, 3, 1): 17 weights "
        "distributed, 14 not.",
    ),
    Clause(
        id="REUSE",
        section="1.3.3",
        standing=Standing.DOMAIN,
        statement="Outputs of a lower layer that several windows of the upper layer contain need "
        "computing only once.",
        domain="windows of the upper layer overlap: S2 < K2",
        notes_say="Overlapping windows reuse the results of neighbouring positions.",
        counterexample="K1 = 2, S1 = 1, K2 = S2 = 1, N = 3: the fields overlap, and no result is used twice.",
    ),
    Clause(
        id="REUSE-COUNT",
        section="1.3.3",
        standing=Standing.HOLDS,
        statement="T outputs of the upper layer take T K2 evaluations of the lower one without reuse, and "
        "(T - 1) min(S2, K2) + K2 with it.",
    ),
)
