"""Receptive fields (notes §1.3.2, §1.8): which input positions a unit depends on. Layers are pairs (K, S)."""

from collections.abc import Sequence

Window = tuple[int, int]
"""Kernel side and stride of one layer."""


def receptive_field(layers: Sequence[Window]) -> tuple[int, int]:
    """The width of a unit's field, and how far apart the fields of neighbouring units start."""
    width, jump = 1, 1
    for K, S in layers:
        width += (K - 1) * jump
        jump *= S
    return width, jump


def depends_on(layers: Sequence[Window], t: int) -> set[int]:
    """The input positions on which unit t of the last layer depends, followed tap by tap."""
    needed = {t}
    for K, S in reversed(layers):
        needed = {at * S + i for at in needed for i in range(K)}
    return needed


def evaluations(layers: Sequence[Window], outputs: int, reuse: bool) -> int:
    """How often the first layer is evaluated for so many outputs of the last, with or without reuse."""
    needs = [depends_on(layers[1:], t) for t in range(outputs)]
    return len(set().union(*needs)) if reuse else sum(map(len, needs))
