"""Wrong counts of parameters."""

from math import prod

from cnn_spec.bugs.model import Bug, answering, bug, taking
from cnn_spec.operations import Call
from cnn_spec.sizes import conv_param_count, separable_param_count

CONV, SEPARABLE = "conv_param_count", "separable_param_count"


def weights(call: Call) -> int:
    """The weights of a convolution, right."""
    return conv_param_count(**call.arguments, **{**call.parameters, "bias": False})


def cells(call: Call) -> int:
    """The cells of a kernel."""
    return prod(call["kernel_size"])


def biases(call: Call) -> int:
    """The biases of the filters, right."""
    return int(call["c_out"] * call["bias"])


def both(call: Call) -> int:
    """The parameters of both stages, right."""
    return separable_param_count(**call.arguments, **call.parameters)


BUGS: tuple[Bug, ...] = (
    bug("counts: biases are left out", CONV, taking("bias", lambda c, on: False)),
    bug("counts: biases always", CONV, taking("bias", lambda c, on: True)),
    bug(
        "counts: a bias for each input channel", CONV, answering(lambda c: weights(c) + c["c_in"] * c["bias"])
    ),
    bug("counts: one bias in all", CONV, answering(lambda c: weights(c) + c["bias"])),
    bug(
        "counts: a bias for each filter in each group",
        CONV,
        answering(lambda c: weights(c) + biases(c) * c["groups"]),
    ),
    bug(
        "counts: a bias for each plane of a filter",
        CONV,
        answering(lambda c: weights(c) + biases(c) * c["c_in"] // c["groups"]),
        source="CONV-AFFINE",
    ),
    bug("counts: groups are ignored", CONV, taking("groups", lambda c, g: 1)),
    bug(
        "counts: groups divide filters too", CONV, answering(lambda c: weights(c) // c["groups"] + biases(c))
    ),
    bug(
        "counts: as many filters as the larger of both",
        CONV,
        answering(lambda c: weights(c) // c["c_out"] * max(c["c_in"], c["c_out"]) + biases(c)),
    ),
    bug(
        "counts: one plane for each filter",
        CONV,
        answering(lambda c: c["c_out"] * cells(c) + biases(c)),
        source="CONV-CHAN",
    ),
    bug(
        "counts: the kernel's first axis squared",
        CONV,
        taking("kernel_size", lambda c, k: (k[0],) * len(k)),
    ),
    bug("counts: the kernel's axes are added", CONV, taking("kernel_size", lambda c, k: (sum(k),))),
    bug("counts: the kernel's last axis is left out", CONV, taking("kernel_size", lambda c, k: (*k[:-1], 1))),
    bug(
        "separable counts: those of a standard convolution",
        SEPARABLE,
        answering(lambda c: c["c_in"] * c["c_out"] * cells(c) + biases(c)),
        source="SEP-ONCE",
    ),
    bug(
        "separable counts: the first stage alone",
        SEPARABLE,
        answering(lambda c: c["c_in"] * cells(c) + biases(c)),
    ),
    bug(
        "separable counts: a planar filter for each output",
        SEPARABLE,
        answering(lambda c: c["c_out"] * cells(c) + c["c_in"] * c["c_out"] + biases(c)),
        source="SEP-SHAPE",
    ),
    bug(
        "separable counts: biases on both stages",
        SEPARABLE,
        answering(lambda c: both(c) + c["c_in"] * c["bias"]),
        source="SEP-SHAPE",
    ),
    bug(
        "separable counts: the biases of the first stage alone",
        SEPARABLE,
        answering(lambda c: both(c) - biases(c) + c["c_in"] * c["bias"]),
    ),
    bug("separable counts: biases are left out", SEPARABLE, taking("bias", lambda c, on: False)),
    bug(
        "separable counts: a pointwise vector for each channel",
        SEPARABLE,
        answering(lambda c: c["c_in"] * cells(c) + c["c_in"] ** 2 + biases(c)),
    ),
    bug(
        "separable counts: the kernel's axes are added",
        SEPARABLE,
        taking("kernel_size", lambda c, k: (sum(k),)),
    ),
)
