"""A convolution in plain loops, with a real and common mistake: the kernel is flipped."""

import numpy as np


def conv2d(x, w, b, *, stride, padding, dilation, groups):
    """(N, C, H, W) by (C_out, C, KH, KW), one output position after the other."""
    if groups != 1 or dilation != (1, 1):
        raise NotImplementedError("groups and dilation are not supported yet")
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    (kh, kw), (sh, sw) = w.shape[2:], stride
    height, width = (x.shape[2] - kh) // sh + 1, (x.shape[3] - kw) // sw + 1
    if x.shape[1] != w.shape[1] or min(height, width, *w.shape, *stride) < 1:
        raise ValueError("no such convolution")
    y = np.zeros((len(x), len(w), height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            window = x[:, None, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            y[:, :, i, j] = np.sum(window * w[..., ::-1, ::-1], axis=(2, 3, 4))
    if b is not None:
        y += b[:, None, None]
    return y
