"""What a unit sees: its receptive field by recurrence, and by backpropagating the unit (notes §1.3.2, §1.8)."""

from collections.abc import Sequence

import numpy as np

from cnn_reference.checks import Array, Ints
from cnn_reference.network import Layer, run, run_backward
from cnn_reference.windows import Index


def receptive_field(layers: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Give the size of a unit's field on one axis, and the distance between the fields of neighbours.

    A layer is its kernel's size and its stride: `R += (K - 1) J`, `J *= S`, from `R = J = 1`.
    """
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size, jump


def unit_gradient(layers: Sequence[Layer], x: Array, unit: Ints) -> Array:
    """Set one unit's gradient to 1, the others' to 0, and backpropagate to each image: (N, C, *spatial).

    `unit` is its channel and place. The result is not zero only within the unit's field, and shows its pattern.
    """
    maps = run(layers, x)
    dy = np.zeros_like(maps[-1])
    place: Index = (slice(None), *unit)
    dy[place] = 1
    return run_backward(layers, maps, dy)[0]
