"""Messages on the wire, as `conformance/PROTOCOL.md` describes them: tensors as a safetensors blob, the rest in its
metadata, and the length of it all in front.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
from safetensors import SafetensorError, TensorSpec, deserialize, serialize

from cnn_spec.cases.stream import FUNCTIONS
from cnn_spec.operations import OPERATIONS, Array, Call, Results

PROTOCOL_VERSION = 1
LENGTH = struct.Struct("<Q")
"""The number of bytes that follow; so begins a message, and so begins a safetensors blob, for its header."""
LARGEST_HEADER = 1 << 20
"""Bytes of a blob's header."""
FILLER = 77
"""What stands between the elements of an array that has gaps."""
DTYPES = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    "BOOL": "?",
    "C64": "<c8",
}
"""NumPy's name of each dtype that both it and safetensors have."""

Fields = Mapping[str, Any]
"""What a message says beside its tensors: JSON."""


def _plain(value: Any) -> Any:
    """JSON's next of kin of something that JSON has not."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Iterable) else str(value)


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


@cache
def _name(dtype: np.dtype[Any]) -> str:
    return dtype.name  # which NumPy works out anew each time


class WireError(Exception):
    """What came is no message of the protocol; the words say why."""


def pack(fields: Fields, arrays: Mapping[str, Array]) -> bytes:
    """A message, with its length in front."""
    # safetensors copies memory from an address, whatever the strides: it must be in order, and live until then.
    in_order = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
    tensors = {
        name: TensorSpec(
            dtype=_name(a.dtype), shape=arrays[name].shape, data_ptr=a.ctypes.data, data_len=a.nbytes
        )
        for name, a in in_order.items()
    }
    blob = serialize(tensors, metadata={"message": _encode(fields)})
    return LENGTH.pack(len(blob)) + blob


def unpack(blob: bytes) -> tuple[Fields, dict[str, Array]]:
    """What a message says, and its tensors. Raises WireError."""
    try:
        (size,) = LENGTH.unpack_from(blob)
        if size > LARGEST_HEADER:
            raise WireError(f"a header of {size} bytes")
        tensors = deserialize(blob)  # type: ignore[no-untyped-call]
        # The library checks the header, and drops the metadata.
        fields = json.loads(json.loads(blob[LENGTH.size : LENGTH.size + size])["__metadata__"]["message"])
        arrays = {name: _array(tensor) for name, tensor in tensors}
    except (SafetensorError, struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"not a safetensors blob with a message in its metadata ({error})") from error
    if not isinstance(fields, dict):
        raise WireError("a message that is not a JSON object")
    return fields, arrays


def _array(tensor: Mapping[str, Any]) -> Array:
    if tensor["dtype"] not in DTYPES:
        raise WireError(f"a tensor of dtype {tensor['dtype']}, which NumPy lacks")
    return np.frombuffer(tensor["data"], DTYPES[tensor["dtype"]]).reshape(tensor["shape"])


def pack_call(number: int, case: int, call: Call) -> bytes:
    """The message that asks for a call, one of a case's."""
    arrays = {name: value for name, value in call.arguments.items() if isinstance(value, np.ndarray)}
    said = {n: layout_of(arrays[n]) if n in arrays else value for n, value in call.arguments.items()}
    asked = {"call": call.function, "arguments": said, "parameters": call.parameters}
    return pack({"id": number, "case": case, **asked}, arrays)


def pack_results(number: int, call: Call, results: Results) -> bytes:
    """The message that answers a call."""
    if call.of_integers:
        return pack({"id": number, "integers": results[0].tolist()}, {})
    return pack({"id": number, "results": call.results}, dict(zip(call.results, results, strict=True)))


def answered_in(fields: Fields, arrays: Mapping[str, Array]) -> Any:
    """What a message answers a call with, in the form of the candidate interface. Raises WireError."""
    if "integers" in fields:
        return fields["integers"]
    names = fields.get("results")
    if not isinstance(names, list) or not all(isinstance(name, str) and name in arrays for name in names):
        raise WireError("an answer that says neither integers nor the names of its tensors")
    return arrays[names[0]] if len(names) == 1 else tuple(arrays[name] for name in names)


def call_of(fields: Fields, arrays: Mapping[str, Array]) -> Call:
    """The call that a message asks for, its arrays laid out as they were at the other end."""
    operation, rank = FUNCTIONS[fields["call"]]
    said = {
        name: laid_out(arrays[name], value) if isinstance(value, dict) else _tuples(value)
        for name, value in fields["arguments"].items()
    }
    parameters = {name: _tuples(value) for name, value in fields["parameters"].items()}
    declared = OPERATIONS[operation]
    return Call(
        operation,
        rank,
        {name: said[name] for name in declared.arrays},
        {name: parameters[name] for name in declared.parameters},
    )


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def layout_of(a: Array) -> dict[str, Any]:
    """How an array lies in memory, as far as it is not row-major without gaps and writeable."""
    layout: dict[str, Any] = {}
    if not a.flags.c_contiguous:
        layout["strides"] = [step // a.itemsize for step in a.strides]
    if not a.flags.writeable:
        layout["read_only"] = True
    return layout


def laid_out(a: Array, layout: Mapping[str, Any]) -> Array:
    """A copy that lies in memory as `layout_of` found it."""
    strides = layout.get("strides")
    if strides is None:
        laid = np.array(a)
    else:
        reach = [(n - 1) * step for n, step in zip(a.shape, strides, strict=True)]
        first = -sum(r for r in reach if r < 0)
        buffer = np.full(first + sum(r for r in reach if r > 0) + 1, FILLER, a.dtype)
        laid = np.ndarray(a.shape, a.dtype, buffer, first * a.itemsize, [s * a.itemsize for s in strides])
        laid[...] = a
    if layout.get("read_only"):
        laid.flags.writeable = False
    return laid
