"""The case space: for each operation its factors and their levels, simplest first, and which go together.

The same declaration yields the covering arrays, the random rows beyond them, and the words in which a
failure is described.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

from cnn_spec.cases import axis
from cnn_spec.cases.axis import EXTENTS, LONG, Axis, Levels
from cnn_spec.cases.layouts import LAYOUTS
from cnn_spec.operations import OPERATIONS

Row = dict[str, str]
"""A point of the space: one level for each factor."""

FEW = {"1": (1,), "several": (2, 3)}
"""Levels of a batch and of groups."""

AXES = ("equal", "unequal", "first only", "last only")
"""How the axes share a row's levels: all alike; all of them with differing values; one axis alone."""


Axes = Callable[[], Iterator[Axis]]


@cache
def choices_of(axes: Axes) -> tuple[dict[str, Levels], dict[Levels, list[Axis]]]:
    """The factors of an axis with their levels, and every choice of an axis by its levels."""
    alike: dict[tuple[Levels, Levels], list[Axis]] = {}
    for choice in axes():
        alike.setdefault((tuple(choice.levels.values()), choice.lengths), []).append(choice)
    factors: dict[str, dict[str, None]] = {}
    choices: dict[Levels, list[Axis]] = {}
    for found in alike.values():
        for factor, levels in found[0].all_levels.items():
            factors.setdefault(factor, {}).update(dict.fromkeys(levels))
        for levels in product(*found[0].all_levels.values()):
            choices.setdefault(levels, []).extend(found)
    return {factor: tuple(levels) for factor, levels in factors.items()}, choices


@dataclass(frozen=True, eq=False)
class Space:
    """The factors of one operation. `axes` enumerates the possible axes, which decide what goes together.

    There is one of each; a space equals none but itself.
    """

    name: str
    own_factors: Mapping[str, Levels]
    axes: Axes

    @property
    def axis_factors(self) -> dict[str, Levels]:
        """The factors of an axis."""
        return choices_of(self.axes)[0]

    @property
    def choices(self) -> dict[Levels, list[Axis]]:
        """Every choice of an axis, by its levels in the order of `axis_factors`."""
        return choices_of(self.axes)[1]

    @cached_property
    def factors(self) -> dict[str, Levels]:
        """All factors, with their levels from the simplest on."""
        return {**self.own_factors, **self.axis_factors}

    def matching(self, row: Row) -> list[Axis]:
        """The choices of an axis that have the row's levels."""
        return self.choices[tuple(row[f] for f in self.axis_factors)]

    def feasible(self, part: Row) -> bool:
        """Whether some row of the space has these levels: one long extent at most, and an axis that exists."""
        long = [f for f, level in part.items() if level in LONG]
        short_length = bool(long) and long != ["length"]
        return len(long) < 2 and self._axis_exists(
            tuple(part.get(f) for f in self.axis_factors), short_length
        )

    @cached_property
    def _axis_exists(self) -> Callable[[tuple[str | None, ...], bool], bool]:
        length = list(self.axis_factors).index("length") if "length" in self.axis_factors else 0

        @cache
        def exists(wanted: tuple[str | None, ...], short_length: bool) -> bool:
            return any(
                all(w in (None, level) for w, level in zip(wanted, levels, strict=True))
                and not (short_length and levels and levels[length] in LONG)
                for levels in self.choices
            )

        return exists

    @property
    def digest(self) -> str:
        """A hash of the declaration: arrays kept under another one are out of date."""
        said = json.dumps([list(self.factors.items()), sorted(self.choices)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


_BATCH = {"batch": tuple(FEW)}
_CHANNELS = {"channels": tuple(EXTENTS)}
_GROUPED = {
    "groups": tuple(FEW),
    "channels in per group": tuple(EXTENTS),
    "channels out per group": tuple(EXTENTS),
}
_BIAS = {"bias": ("none", "given")}
_MULTIPLIED = {"multiplier": tuple(FEW)}
_FEATURES = {"features in": tuple(EXTENTS), "features out": tuple(EXTENTS)}
_COUNTED = {**_BIAS, "number of axes": ("1", "2", "3")}
_CEIL: dict[str, Levels] = {"ceil_mode": ("off", "on")}
_LAYOUT = {"layout": tuple(LAYOUTS)}


_DECLARED: dict[str, tuple[dict[str, Levels], Axes]] = {
    "conv": ({**_BATCH, **_GROUPED, **_BIAS, **_LAYOUT}, axis.convolution_axes),
    "conv_backward": ({**_BATCH, **_GROUPED, **_LAYOUT}, axis.convolution_axes),
    "conv_transpose": ({**_BATCH, **_GROUPED, **_BIAS, **_LAYOUT}, axis.transposed_axes),
    "conv_transpose_backward": ({**_BATCH, **_GROUPED, **_LAYOUT}, axis.transposed_axes),
    "depthwise_conv": ({**_BATCH, **_CHANNELS, **_MULTIPLIED, **_BIAS, **_LAYOUT}, axis.convolution_axes),
    "separable_conv": (
        {**_BATCH, **_CHANNELS, **_MULTIPLIED, "channels out": tuple(EXTENTS), **_BIAS, **_LAYOUT},
        axis.convolution_axes,
    ),
    "max_pool": ({**_BATCH, **_CHANNELS, **_CEIL, **_LAYOUT}, axis.pooling_axes),
    "avg_pool": (
        {**_BATCH, **_CHANNELS, **_CEIL, "count_include_pad": ("off", "on"), **_LAYOUT},
        axis.undilated_pooling_axes,
    ),
    "downsample": ({**_BATCH, **_CHANNELS, **_LAYOUT}, axis.downsampling_axes),
    "upsample": ({**_BATCH, **_CHANNELS, **_LAYOUT}, axis.upsampling_axes),
    "linear": ({**_BATCH, **_FEATURES, **_BIAS, **_LAYOUT}, axis.no_axes),
    "linear_backward": ({**_BATCH, **_FEATURES, **_LAYOUT}, axis.no_axes),
    "relu": (_LAYOUT, axis.pointwise_axes),
    "softmax": (_LAYOUT, axis.softmax_axes),
    "conv_output_size": ({}, axis.convolution_axes),
    "pool_output_size": (_CEIL, axis.pooling_axes),
    "conv_transpose_output_size": ({}, axis.transposed_axes),
    "same_padding": ({}, axis.same_padding_axes),
    "conv_param_count": ({**_GROUPED, **_COUNTED}, axis.same_padding_axes),
    "separable_param_count": (
        {"channels": tuple(EXTENTS), "channels out": tuple(EXTENTS), **_COUNTED},
        axis.same_padding_axes,
    ),
}
_SHARED = {
    "max_pool_with_indices": "max_pool",
    "max_pool_backward": "max_pool",
    "avg_pool_backward": "avg_pool",
    "downsample_backward": "downsample",
    "upsample_backward": "upsample",
    "pixel_unshuffle": "upsample",
    "relu_backward": "relu",
    "sigmoid": "relu",
    "sigmoid_backward": "relu",
    "tanh": "relu",
    "tanh_backward": "relu",
    "softmax_backward": "softmax",
    "pixel_shuffle": "upsample",
}
"""Operations that are drawn from another one's space."""


def space_of(operation: str, rank: int) -> Space:
    """The space of an operation; ranks 2 and 3 share one, in which the axes may differ."""
    return _declared(_SHARED.get(operation, operation), min(rank, 2))


@cache
def _declared(name: str, rank: int) -> Space:
    factors, axes = _DECLARED[name]
    if rank < 2:
        return Space(name if rank == 0 else f"{name}-1d", factors, axes)
    return Space(f"{name}-nd", {"axes": AXES, **factors}, axes)


def all_spaces() -> list[Space]:
    """Every space, each once."""
    ranks = {name: (1, 2) if OPERATIONS[name].ranked else (0,) for name in _DECLARED}
    return [space_of(name, rank) for name in _DECLARED for rank in ranks[name]]
