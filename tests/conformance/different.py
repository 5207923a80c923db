"""Implementations that are right in other ways than the reference: none of them may be accused."""

from itertools import product

import numpy as np

import cnn_reference
from cnn_spec.bugs import Functions
from cnn_spec.bugs.changes import spatial
from cnn_spec.bugs.pooling_rules import credited
from cnn_spec.operations import implementation_of
from cnn_spec.shapes import forward_shape

right = implementation_of(cnn_reference)


def windows_at_cells(call):
    """For each cell of the kernel, in reverse order: its index and what the windows see there, in the dtype."""
    x = np.pad(call["x"], [(0, 0), (0, 0), *call["padding"]])
    sizes = forward_shape(call)[2:]
    for cell in reversed(list(product(*map(range, call["w"].shape[2:])))):
        axes = zip(cell, call["dilation"], call["stride"], sizes, strict=True)
        seen = tuple(slice(k * d, k * d + (o - 1) * s + 1, s) for k, d, s, o in axes)
        yield cell, x[(..., *seen)]


def groups_of(call):
    """Pairs of slices: a group's input channels, and its filters."""
    c_in, c_out = call["w"].shape[1], call["w"].shape[0] // call["groups"]
    for g in range(call["groups"]):
        yield slice(g * c_in, (g + 1) * c_in), slice(g * c_out, (g + 1) * c_out)


def with_bias(call, y):
    if call["b"] is not None:
        y += call["b"].reshape(-1, *(1,) * call.rank)
    return (y,)


def conv_in_reverse(call):
    """One product at a time, the last cell and channel first, the bias last."""
    y = np.zeros(forward_shape(call), call["x"].dtype)
    for cell, seen in windows_at_cells(call):
        for channels, filters in groups_of(call):
            for c in reversed(range(call["w"].shape[1])):
                w = call["w"][(filters, c, *cell)].reshape(1, -1, *(1,) * call.rank)
                y[:, filters] += w * seen[:, channels][:, c : c + 1]
    return with_bias(call, y)


def conv_as_matrix(call):
    """Windows as columns, one matrix product for each group."""
    shape = forward_shape(call)
    y = np.zeros(shape, call["x"].dtype)
    columns = np.stack([seen for _, seen in windows_at_cells(call)][::-1], axis=2)
    for channels, filters in groups_of(call):
        part = columns[:, channels].reshape(shape[0], call["w"][0].size, int(np.prod(shape[2:])))
        found = call["w"][filters].reshape(-1, part.shape[1]) @ part
        y[:, filters] = found.reshape(y[:, filters].shape)
    return with_bias(call, y)


def conv_in_double(call):
    """Everything in float64, rounded once."""
    return tuple(
        part.astype(call["x"].dtype) for part in right(call.map_arrays(lambda a: a.astype(np.float64)))
    )


def conv_by_fft(call):
    """Products of spectra; accurate by the norm only."""
    spans = [d * (k - 1) + 1 for k, d in zip(call["w"].shape[2:], call["dilation"], strict=True)]
    w = np.zeros((*call["w"].shape[:2], *spans), call["w"].dtype)
    w[(..., *(slice(None, None, d) for d in call["dilation"]))] = call["w"]
    x = np.pad(call["x"], [(0, 0), (0, 0), *call["padding"]])
    sizes, axes = x.shape[2:], spatial(call)
    spectra = np.fft.rfftn(x, axes=axes), np.conj(np.fft.rfftn(w, s=sizes, axes=axes))
    y = np.zeros((x.shape[0], w.shape[0], *sizes), x.dtype)
    for channels, filters in groups_of(call):
        found = np.einsum("nc...,fc...->nf...", spectra[0][:, channels], spectra[1][filters])
        y[:, filters] = np.fft.irfftn(found, s=sizes, axes=axes)
    strided = (
        slice(0, (o - 1) * s + 1, s) for o, s in zip(forward_shape(call)[2:], call["stride"], strict=True)
    )
    return with_bias(call, y[(..., *strided)])


def last_tie(call, window, e):
    """All to the last of the largest elements."""
    return e.shape[-1] - 1 - e[..., ::-1].argmax(-1)[..., None] == np.arange(e.shape[-1])


def split_tie(call, window, e):
    tied = e == e.max(-1, keepdims=True)
    return tied / tied.sum(-1, keepdims=True)


def mean_by_reciprocal(call):
    """Each element times the reciprocal of the count, then added up."""
    axes = zip(
        call["x"].shape[2:],
        forward_shape(call)[2:],
        call["kernel_size"],
        call["stride"],
        call["padding"],
        strict=True,
    )
    ends = [(before, max((o - 1) * s + k - n - before, after)) for n, o, k, s, (before, after) in axes]
    x = np.pad(call["x"], [(0, 0), (0, 0), *ends])
    counted = np.ones(call["x"].shape[2:], x.dtype)
    if call["count_include_pad"]:
        counted = np.pad(counted, call["padding"], constant_values=1)
        ends = [(0, end - after) for (_, end), (_, after) in zip(ends, call["padding"], strict=True)]
    counted = np.pad(counted, ends)
    seen = []
    for cell in reversed(list(product(*map(range, call["kernel_size"])))):
        axes = zip(cell, call["stride"], forward_shape(call)[2:], strict=True)
        seen.append((..., *(slice(k, k + (o - 1) * s + 1, s) for k, s, o in axes)))
    reciprocal = x.dtype.type(1) / sum(counted[at] for at in seen)
    return (sum(x[at] * reciprocal for at in seen),)


def on(operation, answer):
    """Another way for one operation, the reference's for all others, and to refuse what is impossible."""
    return lambda call: right(call) and answer(call) if call.operation == operation else right(call)


def laid_out(change):
    return lambda call: right(call) if call.rank == 0 else tuple(map(change, right(call)))


def apart(a):
    """Every other element of a larger buffer."""
    buffer = np.full((*a.shape[:-1], 2 * a.shape[-1]), 7, a.dtype) if a.ndim else a
    buffer[..., ::2] = a
    return buffer[..., ::2]


def without_groups(call):
    if call.parameters.get("groups", 1) > 1:
        raise NotImplementedError("groups")
    return right(call)


def candidate(implementation, **about):
    found = Functions("different", implementation)
    found.about = about
    return found


def larger_half_before(call):
    return (right(call)[0][::-1],)


DIFFERENT = {
    "other summation order": ("conv1d", candidate(on("conv", conv_in_reverse))),
    "matrix products": ("conv2d", candidate(on("conv", conv_as_matrix))),
    "rounded once": ("conv3d", candidate(on("conv", conv_in_double))),
    "by FFT, declared": ("conv2d", candidate(on("conv", conv_by_fft), accuracy="normwise")),
    "last tie wins": ("max_pool1d_backward", candidate(on("max_pool_backward", credited(last_tie)(right)))),
    "split ties, declared": (
        "max_pool1d_backward",
        candidate(on("max_pool_backward", credited(split_tie)(right)), conventions={"tie_gradient": "split"}),
    ),
    "means by reciprocals": ("avg_pool", candidate(on("avg_pool", mean_by_reciprocal))),
    "results in column-major order": ("conv2d*", candidate(laid_out(np.asfortranarray))),
    "results apart in memory": ("max_pool2d*", candidate(laid_out(apart))),
    "float32 only": ("conv1d*", candidate(right, dtypes=("float32",))),
    "2-d only": ("avg_pool*", candidate(right, ranks=(2,))),
    "no groups": ("conv3d", candidate(without_groups)),
    "larger half before, declared": (
        "same_padding",
        candidate(on("same_padding", larger_half_before), conventions={"same_padding_extra": "before"}),
    ),
    "resampling as it is": ("*sample*", candidate(right)),
}
"""For each way of being right: what it is checked on, and the candidate."""
