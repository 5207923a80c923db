"""A report made by hand, with everything that a view may have to show."""

from dataclasses import replace

import numpy as np

from cnn_conformance.counterexample import Counterexample
from cnn_conformance.legible import legible
from cnn_conformance.region import Region
from cnn_conformance.report import Contradiction, Diagnosis, Report, Status, Verdict
from cnn_conformance.tally import Failure
from cnn_spec.case import Case, Data
from cnn_spec.operations import Call

NASTY = legible(
    '<script>alert(1)</script>"""``` ]]> & \x1b[31m\x00\ud800\u202e {{ 7 * 7 }} | *_[a](b)\n# </pre>'
)
"""What a candidate might call itself, or say when it raises."""

CONVOLUTION = Call(
    "conv",
    1,
    {"x": np.array([[[0.0, 1.0]]]), "w": np.array([[[0.0, 1.0]]]), "b": None},
    {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1},
)
RELU = Call("relu", 0, {"x": np.array([1.0])}, {})
FLIPPED = Counterexample(
    law="affine map",
    calls=(CONVOLUTION,),
    expected=np.array([[[1.0, -2.5]]]),
    got=np.array([[[0.25, -2.5]]]),
    words="",
    script="print('the script of the flipped kernel')",
    case=Case("a", (CONVOLUTION,), Data.EXACT, {"kernel": "odd", "layout": "strided"}),
    shown_by=Failure("a", "CONV-AFFINE", "affine_map"),
)
REGION = Region(
    ({"kernel": ("odd",)},), 3, 3, 4, "fails when kernel is odd, in 3 of 3 cases; holds in all 4 others"
)
LOOKS = Diagnosis((("the kernel is flipped",),), 140, False)
RAISED = Counterexample(
    law="",
    calls=(RELU,),
    expected=None,
    got=None,
    words=f"raised ValueError: {NASTY}",
    script=f"# {NASTY}",
    case=Case("g", (RELU,), Data.EXACT, {}),
    shown_by=Failure("g", "RELU", "elementwise_maximum"),
)
VERDICTS = (
    Verdict(
        "CONV-AFFINE", "conv1d", Status.VIOLATED, 7, (), ("a", "b", "c"), (), 0.5, FLIPPED, REGION, LOOKS
    ),
    Verdict("CONV-XCORR", "conv1d", Status.HOLDS, 7, error_in_bounds=0.25),
    Verdict("CONV-STRIDE-SIZE", "conv1d", Status.HOLDS, 3, ("d",)),
    Verdict("PAD-VALUE", "conv1d", Status.INCONCLUSIVE, 2, unseen=("some padding",)),
    Verdict("CONV-XCORR", "conv2d", Status.NOT_OFFERED),
    Verdict("RELU", "relu", Status.DECLINED, 0, ("e", "f")),
    Verdict("VALID-CALL-ANSWERED", "relu", Status.VIOLATED, 2, (), ("g",), counterexample=RAISED),
)
REPORT = Report({"name": NASTY, "version": "1"}, 0, "quick", VERDICTS, timing={"total": 1234.5678})
RIGHT = replace(REPORT, verdicts=VERDICTS[1:3], candidate={"name": "right", "version": ""})
CONTRADICTED = replace(
    REPORT, contradictions=(Contradiction("CONV-AFFINE", "conv1d", "a", "the reference is wrong"),)
)
