"""Implementations that are right in other ways than the reference: none of them may be accused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnn_spec.operations import OPERATIONS, Array, Call, Implementation, Results
from different import activations, conventions, forms, pooling, sums, transforms
from different.forms import candidate, reference
from different.layer import CONVOLUTIONS, convolving

EVERY = tuple(OPERATIONS)
MAX_POOLING = ("max_pool", "max_pool_with_indices", "max_pool_backward")
MEANS = ("avg_pool", "avg_pool_backward")


@dataclass(frozen=True)
class Way:
    """A right way: the candidate (an object, or the address of one), and the operations in which it differs."""

    candidate: Any = field(repr=False)
    operations: tuple[str, ...] = EVERY


def _way(answer: Implementation, operations: tuple[str, ...], **about: Any) -> Way:
    """Another way for some operations; the reference's for all others, and for refusing."""

    def answers(call: Call) -> Results:
        right = reference(call)
        return answer(call) if call.operation in operations else right

    return Way(candidate(answers, **about), operations)


def _formulas(by_operation: Mapping[str, Callable[[Call], Results]], **about: Any) -> Way:
    return _way(lambda call: by_operation[call.operation](call), tuple(by_operation), **about)


def _shown(change: Callable[[Array], Any]) -> Way:
    """The reference's arrays in another form, its integers as they are."""
    return Way(candidate(reference, lambda found: change(found) if isinstance(found, np.ndarray) else found))


def _in_double(call: Call) -> Results:
    """Everything in float64, rounded once."""
    found = reference(call.map_arrays(lambda a: a.astype("float64")))
    return tuple(part if part.dtype.kind == "i" else part.astype(call["x"].dtype) for part in found)


def _larger_half_before(call: Call) -> Results:
    return (reference(call)[0][::-1],)


_NORMWISE = {"accuracy": "normwise", "growth": 4}

DIFFERENT: Mapping[str, Way] = {
    "the reference": Way("reference"),
    "torch": Way("torch"),
    # sums
    "the last product first": _way(convolving(sums.one_by_one(sums.backwards)), CONVOLUTIONS),
    "products in any order, declared": _way(
        convolving(sums.one_by_one(sums.shuffled)), CONVOLUTIONS, deterministic=False
    ),
    "matrix products": _way(convolving(sums.MATRICES), CONVOLUTIONS),
    "rounded once from float64": _way(_in_double, tuple(n for n in EVERY if not OPERATIONS[n].of_integers)),
    "FFT, declared": _way(convolving(transforms.FFT), CONVOLUTIONS, **_NORMWISE),
    "Winograd, declared": _way(convolving(transforms.WINOGRAD), CONVOLUTIONS, **_NORMWISE),
    "means by reciprocals": _way(pooling.by_reciprocals, MEANS),
    "means axis by axis": _way(pooling.axis_by_axis, MEANS),
    "other formulas for activations": _formulas(activations.OTHER_FORMULAS),
    # conventions, and what is free
    "the last tie wins": _way(pooling.last_tie, MAX_POOLING),
    "ties shared, declared": _way(
        pooling.split_ties, ("max_pool_backward",), conventions={"tie_gradient": "split"}
    ),
    "NaN ignored in pooling, declared": _way(
        pooling.ignoring_nan, MAX_POOLING[:2], conventions={"pool_nan": "ignore"}
    ),
    "windows beyond the input kept, declared": Way(
        candidate(conventions.keeping_windows, conventions={"ceil_windows": "all"}),
        (*MAX_POOLING, *MEANS, "pool_output_size"),
    ),
    "maxima from the lowest on, declared": _way(
        conventions.starting_from_the_lowest, MAX_POOLING[:2], conventions={"pool_start": "lowest"}
    ),
    "all of a window counted, declared": _way(
        pooling.counting_all, MEANS, conventions={"mean_overhang": "counted"}
    ),
    "nothing of too large a kernel, declared": Way(
        candidate(conventions.leaving_nothing, conventions={"no_output": "empty"}),
        ("conv", "depthwise_conv", "separable_conv", "max_pool", "max_pool_with_indices", "avg_pool"),
    ),
    "relu of NaN is zero, declared": _way(
        activations.zero_for_nan, ("relu",), conventions={"relu_nan": "zero"}
    ),
    "activations relative to one, declared": _formulas(
        activations.RELATIVE_TO_ONE, conventions={"activation_accuracy": "one"}
    ),
    "the larger half before, declared": _way(
        _larger_half_before, ("same_padding",), conventions={"same_padding_extra": "before"}
    ),
    # results in other forms
    "results laid out otherwise": _shown(
        forms.in_turn(np.asfortranarray, forms.apart, forms.backwards, forms.read_only)
    ),
    "results as torch tensors": _shown(forms.torch_tensor),
    "results of other classes": _shown(forms.in_turn(forms.Exchanged, forms.Convertible)),
    "narrow integers": Way(
        candidate(reference, forms.narrow),
        ("max_pool_with_indices", *(n for n in EVERY if OPERATIONS[n].of_integers)),
    ),
    "views of the input": _way(
        forms.views, ("downsample", "upsample", "pixel_shuffle", "pixel_unshuffle", "relu")
    ),
    # what is not offered, or declined
    "float32 only": Way(candidate(reference, dtypes=("float32",))),
    "float64 only": Way(candidate(reference, dtypes=("float64",))),
    "2-d only": Way(candidate(reference, ranks=(2,))),
    "no groups": Way(
        candidate(forms.declining(lambda call: call.parameters.get("groups", 1) > 1, "groups")),
        tuple(name for name in EVERY if "groups" in OPERATIONS[name].parameters),
    ),
    "ordinary layers only": Way(candidate(forms.declining(forms.out_of_the_ordinary, "out of the ordinary"))),
}
"""Every right way, by name."""
