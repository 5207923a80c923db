"""How many roundings a term can meet: held against a count of the windows that lie on each element."""

from itertools import product

import numpy as np
import pytest

from cnn_spec.operations import Call
from cnn_spec.roundings import roundings


def windows_on_an_element(n: int, kernel: int, stride: int, dilation: int) -> int:
    """The most windows that have a cell on one element, by going through all of them."""
    starts = range(0, n - dilation * (kernel - 1), stride)
    covered = [start + cell * dilation for start in starts for cell in range(kernel)]
    return max(map(covered.count, range(n)))


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), list(product(range(1, 5), range(1, 7), range(1, 4)))
)
def test_a_derivative_of_max_pooling_adds_up_the_windows_on_an_element(
    kernel: int, stride: int, dilation: int
) -> None:
    x = np.zeros((1, 1, 60))
    parameters = {
        "kernel_size": (kernel,),
        "stride": (stride,),
        "padding": ((0, 0),),
        "dilation": (dilation,),
        "ceil_mode": False,
    }
    call = Call("max_pool_backward", 1, {"dy": x, "x": x}, parameters)
    assert roundings(call) == (windows_on_an_element(60, kernel, stride, dilation) + 1,)
