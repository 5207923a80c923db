"""Pictures of what a convolutional network has learned: its first filters, and what later units look for."""

import matplotlib
import numpy as np

from cnn_reference.checks import Array
from cnn_reference.network import Network
from cnn_reference.receptive_fields import unit_gradient

matplotlib.use("Agg")


def draw(network: Network, images: Array, path: str) -> None:
    """Draw the first layer's filters in two rows, and below them the fields of sixteen units of the third.

    A field is the mean, over images, of the gradient of the middle unit of a channel.
    """
    from matplotlib import pyplot

    filters = network.trunk[0].parameters[0][:, 0]
    deep = network.trunk[:7]
    fields = [
        unit_gradient(deep, images[:200], (channel, 2, 2)).mean(0)[0] for channel in range(len(filters))
    ]
    figure, axes = pyplot.subplots(4, 8, figsize=(8, 4.4), squeeze=False)
    for axis, picture in zip(axes.flat, [*filters, *fields], strict=True):
        reach = np.abs(picture).max() or 1
        axis.imshow(picture, cmap="RdBu", vmin=-reach, vmax=reach)
        axis.set_axis_off()
    figure.suptitle("First-layer filters, and receptive fields in the third layer")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
