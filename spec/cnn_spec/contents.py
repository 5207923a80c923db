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
