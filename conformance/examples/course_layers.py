"""Layer objects as course work has them, and the adapter that holds them against the specification.

`cnn-conformance run conformance/examples/course_layers.py`. The upper part is what a student hands in: a constructor with
sizes, `forward(x)`, `backward(dy)`, attributes for weights and their gradients. The lower part is the teacher's, and the
same for every student.
"""

import numpy as np


class Conv2d:
    """A convolution without padding."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=(1, 1)):
        self.W = np.random.normal(0, 1, (out_channels, in_channels, *kernel_size))
        self.b = np.zeros(out_channels)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
        self.stride = stride

    def _taps(self, shape):
        """For each position in the kernel, where the input meets it."""
        (down, right), (height, width) = self.stride, self.W.shape[2:]
        rows, columns = (shape[2] - height) // down + 1, (shape[3] - width) // right + 1
        if rows < 1 or columns < 1:
            raise ValueError("a kernel larger than the input")
        for k in range(height):
            for m in range(width):
                yield k, m, (..., slice(k, k + down * rows, down), slice(m, m + right * columns, right))

    def forward(self, x):
        """What the layer makes of its input."""
        self.x = x
        taps = [np.einsum("oc,ncij->noij", self.W[..., k, m], x[at]) for k, m, at in self._taps(x.shape)]
        return sum(taps) + self.b[:, None, None]

    def backward(self, dy):
        """What the input is to change by; the weights' part is kept."""
        dx = np.zeros_like(self.x)
        self.db = dy.sum((0, 2, 3))
        for k, m, at in self._taps(self.x.shape):
            self.dW[..., k, m] = np.einsum("noij,ncij->oc", dy, self.x[at])
            dx[at] += np.einsum("oc,noij->ncij", self.W[..., k, m], dy)
        return dx


class Linear:
    """A flat layer."""

    def __init__(self, in_features, out_features):
        self.W = np.random.normal(0, 1, (out_features, in_features))
        self.b = np.zeros(out_features)

    def forward(self, x):
        """What the layer makes of its input."""
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, dy):
        """What the input is to change by; the weights' part is kept."""
        self.dW, self.db = dy.T @ self.x, dy.sum(0)
        return dy @ self.W


class ReLU:
    """The positive part."""

    def forward(self, x):
        """What the layer makes of its input."""
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        """What the input is to change by."""
        return dy * (self.x > 0)


about = {"name": "course layers", "version": "1"}


def _layer(kind, w, b, *options):
    """A layer of the right sizes, with given weights instead of its own."""
    layer = kind(w.shape[1], w.shape[0], *options)
    layer.W, layer.dW = w, np.zeros_like(w)
    layer.b = np.zeros(len(w), w.dtype) if b is None else b
    if layer.b.shape != (len(w),):
        raise ValueError("a bias that does not fit")
    return layer


def _conv(x, w, b, *, stride, padding, dilation, groups):
    """The layer and its input, with padding around it."""
    if groups != 1 or dilation != (1, 1):
        raise NotImplementedError("groups and dilation")
    if min(*w.shape[2:], *stride) < 1:
        raise ValueError("a kernel or stride below 1")
    return _layer(Conv2d, w, b, w.shape[2:], stride), np.pad(x, ((0, 0), (0, 0), *padding))


def _derived(layer, x, dy):
    """Backward looks at what forward kept."""
    if layer.forward(x).shape != dy.shape:
        raise ValueError("a gradient that does not fit")
    return layer.backward(dy)


def conv2d(x, w, b, **options):
    """The layer's forward."""
    layer, padded = _conv(x, w, b, **options)
    return layer.forward(padded)


def conv2d_backward(dy, x, w, **options):
    """The layer's backward, without what the padding would get."""
    layer, padded = _conv(x, w, None, **options)
    (top, _), (left, _) = options["padding"]
    dx = _derived(layer, padded, dy)[..., top : top + x.shape[2], left : left + x.shape[3]]
    return dx, layer.dW, layer.db


def linear(x, w, b):
    """The layer's forward."""
    return _layer(Linear, w, b).forward(x)


def linear_backward(dy, x, w):
    """The layer's backward."""
    layer = _layer(Linear, w, None)
    return _derived(layer, x, dy), layer.dW, layer.db


def relu(x):
    """The layer's forward."""
    return ReLU().forward(x)


def relu_backward(dy, x):
    """The layer's backward."""
    return _derived(ReLU(), x, dy)
