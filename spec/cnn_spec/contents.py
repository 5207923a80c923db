"""The parts of the notes, in their order."""

from collections.abc import Iterable

from cnn_spec.clause import Clause

SECTIONS = {
    "1.1": "Scanning MLPs",
    "1.2": "Scanning and ordinary MLPs",
    "1.3": "Scanning distributed over the layers",
    "1.3.1": "Hierarchical features",
    "1.3.2": "Fewer parameters",
    "1.3.3": "Reuse",
    "1.4": "Planes of simple and complex cells",
    "1.5": "Invariance to transforms",
    "1.6": "Heads",
    "1.7": "Depthwise separable convolution",
    "1.8": "Receptive fields",
    "2.1": "Convolution",
    "2.1.1": "Output sizes",
    "2.1.2": "Padding",
    "2.2": "Pooling",
    "2.3": "Striding",
    "2.3.1": "Downsampling",
    "2.3.2": "Upsampling",
    "3": "Learning",
    "3.1": "Shapes",
    "3.2": "Convolutional layers",
    "3.2.1": "The affine map",
    "3.2.2": "The previous layer's outputs",
    "3.2.3": "The weights",
    "3.3.1": "Max pooling",
    "3.3.2": "Mean pooling",
    "3.4.1": "Downsampling, backward",
    "3.4.2": "Upsampling, backward",
    "4": "References and notation",
    "interface": "What the notes leave open",
}
"""The parts of the notes, in their order, and what they are about."""


def title(section: str) -> str:
    """A part's number and what it is about."""
    return SECTIONS[section] if section == "interface" else f"§{section} {SECTIONS[section]}"


def in_order(clauses: Iterable[Clause]) -> list[Clause]:
    """The clauses in the order of the parts."""
    order = list(SECTIONS)
    return sorted(clauses, key=lambda clause: order.index(clause.section))


CONTRADICTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("POOL-SIZE", "POOL-DECOMP", "PAD-POOL"),
        "a pooled size that is rounded up, strided pooling as full pooling and downsampling, and no padding in pooling: "
        "N = 3, K = 2, S = 2",
    ),
    (("RF-EX", "RF-DEF"), "a receptive field as a region of 8 samples, and as a learned pattern"),
    (
        ("CONV-AFFINE", "EQ3-UPDATE", "BP-LIST-CONV"),
        "filters with a bias, and derivatives and an equation without one",
    ),
    (
        ("SHAPE-SAME", "YG-EQ1"),
        "every derivative in the shape of its variable, and a Jacobian in equation (1)",
    ),
    (
        ("POOL-TYPES", "BP-LIST-POOL"),
        "pooling that may be learned, and pooling that needs no derivative by weights",
    ),
    (
        ("PAD-ODD", "CONV-STRIDE-SIZE", "EQ3-DERIV", "YG-CONV", "WG-FORMULA"),
        "padding and strides, and derivatives that know neither",
    ),
    (
        ("SEP-INTER", "YG-INFLUENCE"),
        "channels that are filtered apart, and every channel influencing every map",
    ),
    (("CONV-DEF", "POOL-TYPES"), "every scan with a window a convolution, and pooling another operation"),
    (
        ("DOWN-DROP", "DOWN-BWD-LIST", "UP-ZEROS", "UP-BWD-LIST"),
        "S - 1 of every S rows dropped, one put back for S - 1; S - 1 rows put in, every (S - 1)-th taken out",
    ),
    (
        ("RF-SUM", "REUSE"),
        "receptive fields as sums of areas that do not overlap, and gains from overlapping",
    ),
    (("SCAN-SHIFT", "SCAN-SOFTMAX"), "invariance to shifts, and a readout that depends on the position"),
    (
        ("MAX-ZERO", "SCAN-WINDOWS"),
        "derivative zero for all but a window's largest, and windows that overlap",
    ),
    (("DW-TERM", "NOTATION"), "pointwise, full, N, M, L and m each in two senses"),
)
"""Where two places of the notes cannot both be right: the clauses concerned, and what they say."""
