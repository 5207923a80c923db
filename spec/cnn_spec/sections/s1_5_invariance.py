"""The notes' §1.5: invariance to more than shifts."""

from cnn_spec.clause import Clause, Standing

CLAUSES: tuple[Clause, ...] = (
    Clause(
        id="TI-ENUM",
        section="1.5",
        standing=Standing.DOMAIN,
        statement="The strongest match over a finite set of transforms does not change when the input is transformed "
        "by one of them.",
        domain="the set is closed under composition and acts on the grid without loss: quarter turns and "
        "reflections; "
        "the aggregation is symmetric",
        notes_say="An enumerated set of rotations, scalings, reflections and so on makes the model "
        "invariant to them.",
        counterexample="{0°, 90°} is not closed: a single 1 in the corner matches itself, and its quarter "
        "turn does not.",
    ),
    Clause(
        id="TI-MAPS",
        section="1.5",
        standing=Standing.AMBIGUOUS,
        statement="Each input map is transformed in every way and then filtered.",
        domain="transforming the filters back instead gives the same maps, turned back, for quarter turns "
        "at stride 1",
        notes_say="A set of transformed maps for each input map; whether inputs or filters are transformed is open.",
        counterexample="Without turning the result back the two differ from a 2x2 map and a 1x1 kernel on.",
    ),
    Clause(
        id="TI-COST",
        section="1.5",
        standing=Standing.HOLDS,
        statement="Enumerating transforms multiplies the maps, and the products that filter them, by their number.",
    ),
    Clause(
        id="AUG-ROT",
        section="1.5",
        standing=Standing.AMBIGUOUS,
        statement="An angle drawn from [0°, 360°), all angles alike.",
        notes_say="A closed interval up to 360°, which enumerated holds the identity twice.",
        counterexample="0, 90, 180, 270 and 360 degrees: 5 angles, 4 rotations.",
    ),
    Clause(
        id="AUG-TRANS",
        section="1.5",
        standing=Standing.AMBIGUOUS,
        statement="A shift drawn for each axis from the whole pixels -10 to 10, zeros coming in.",
        notes_say="A translation by -10 to 10 pixels; along one or both axes, whole pixels or not, and what comes in "
        "is open.",
        counterexample="A 10x10 image is wiped out by a shift of 10; of an 11x11 one a column stays.",
    ),
    Clause(
        id="AUG-SCALE",
        section="1.5",
        standing=Standing.HOLDS,
        statement="A factor s whose logarithm is uniform between -ln 1.6 and ln 1.6: s and 1/s are "
        "equally likely, the "
        "median is 1, and the mean is (a - 1/a)/(2 ln a) for a = 1.6.",
    ),
    Clause(
        id="AUG-FLIP",
        section="1.5",
        standing=Standing.CORRECTED,
        statement="A flip is drawn from {0, 1}: not flipped, or flipped; flipping twice changes nothing.",
        notes_say="The interval from 1 to 0.",
        counterexample="No number is at least 1 and at most 0.",
    ),
    Clause(
        id="AUG-SHEAR",
        section="1.5",
        standing=Standing.AMBIGUOUS,
        statement="An angle drawn from [-20°, 20°] for the shear ((1, tan), (0, 1)), which keeps areas.",
        notes_say="An angle; the matrix and the axis are open.",
        counterexample="At 20° the matrix ((1, -sin), (0, cos)), also in use, shrinks areas.",
    ),
    Clause(
        id="AUG-STRETCH",
        section="1.5",
        standing=Standing.AMBIGUOUS,
        statement="A factor s, log-uniform between 1/1.3 and 1.3, along one axis.",
        notes_say="A log-uniform factor; whether the other axis is shrunk in turn is open.",
        counterexample="At s = 1.3 the one multiplies the area by 1.3, the other by 1.",
    ),
    Clause(
        id="AUG-INSTEAD",
        section="1.5",
        standing=Standing.NOT_EXECUTABLE,
        statement="Augmenting the data is what is usually done instead: a statement about practice.",
    ),
)
