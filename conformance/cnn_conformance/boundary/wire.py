"""Messages on the wire, as `conformance/PROTOCOL.md` describes them: tensors as a safetensors blob, the rest in its
metadata, and the length of it all in front.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from safetensors import SafetensorError, TensorSpec, deserialize, serialize

from cnn_conformance.plain import call_with, tuples
from cnn_conformance.strides import laid_out, layout_of
from cnn_spec.operations import Array, Call, Results

PROTOCOL_VERSION = "1"
LENGTH = struct.Struct("<Q")
"""The number of bytes that follow; so begins a message, and so begins a safetensors blob, for its header."""
LARGEST_HEADER = 1 << 20
"""Bytes of a blob's header."""
DTYPES = {
    **{f"F{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    "BOOL": np.dtype(bool),
    "C64": np.dtype(np.complex64),
}
"""The dtypes that both safetensors and NumPy have, by their names there."""
NAMES = {dtype: dtype.name for dtype in DTYPES.values()}

Fields = dict[str, str]
"""What a message says beside its tensors."""


class WireError(Exception):
    """What came is no message of the protocol; the words say why."""


def pack(fields: Fields, arrays: Mapping[str, Array]) -> bytes:
    """A message, with its length in front."""
    # safetensors copies memory from an address, whatever the strides: it must be in order, and live until then.
    in_order = [np.ascontiguousarray(a) for a in arrays.values()]
    tensors = {
        name: TensorSpec(dtype=NAMES[a.dtype], shape=a.shape, data_ptr=o.ctypes.data, data_len=o.nbytes)
        for (name, a), o in zip(arrays.items(), in_order, strict=True)
    }
    blob = serialize(tensors, metadata=fields)
    return LENGTH.pack(len(blob)) + blob


def unpack(blob: bytes) -> tuple[Fields, dict[str, Array]]:
    """What a message says, and its tensors. Raises WireError."""
    try:
        (size,) = LENGTH.unpack_from(blob)
        if size > LARGEST_HEADER:
            raise WireError(f"a header of {size} bytes")
        # The library checks the header, and drops the metadata.
        arrays = {name: _array(tensor) for name, tensor in deserialize(blob)}  # type: ignore[no-untyped-call]
        fields: Fields = json.loads(blob[LENGTH.size : LENGTH.size + size])["__metadata__"]
    except (SafetensorError, struct.error, ValueError, KeyError) as error:
        raise WireError(f"no safetensors blob with metadata ({error})") from error
    return fields, arrays


def _array(tensor: Mapping[str, Any]) -> Array:
    if tensor["dtype"] not in DTYPES:
        raise WireError(f"a tensor of dtype {tensor['dtype']}, which NumPy lacks")
    return np.frombuffer(tensor["data"], DTYPES[tensor["dtype"]]).reshape(tensor["shape"])


def pack_call(fields: Fields, call: Call) -> bytes:
    """The message that asks for a call, with further fields."""
    arrays, values, layouts = {}, dict(call.parameters), {}
    for name, value in call.arguments.items():
        if isinstance(value, np.ndarray):
            arrays[name] = value
            if layout := layout_of(value):
                layouts[name] = layout
        else:
            values[name] = value
    fields = {**fields, "function": call.function, "values": to_json(values)}
    if layouts:
        fields["layouts"] = to_json(layouts)
    return pack(fields, arrays)


def call_of(fields: Fields, arrays: Mapping[str, Array]) -> Call:
    """The call that a message asks for, its arrays laid out as they were at the other end."""
    layouts = json.loads(fields["layouts"]) if "layouts" in fields else {}
    laid = {name: laid_out(arrays[name], layout) for name, layout in layouts.items()}
    given = {**_values(fields["values"]), **arrays, **laid}
    return call_with(fields["function"], given, "valid" not in fields)


@lru_cache(maxsize=256)
def _values(text: str) -> Mapping[str, Any]:
    """Parameters from their JSON: several calls of a case have the same."""
    found: Mapping[str, Any] = tuples(json.loads(text))
    return found


def pack_results(number: str, call: Call, results: Results) -> bytes:
    """The message that answers a call; of an impossible one, only the shapes of what was answered all the same."""
    if not call.valid:
        return pack({"id": number, "shapes": to_json([a.shape for a in results])}, {})
    if call.of_integers:
        return pack({"id": number, "integers": " ".join(map(str, results[0].ravel()))}, {})
    fields = {"id": number, "results": " ".join(call.results)}
    return pack(fields, dict(zip(call.results, results, strict=True)))


def answered_in(fields: Fields, arrays: Mapping[str, Array]) -> tuple[int, ...] | tuple[Array, ...]:
    """The integers or the arrays with which a message answers a call. Raises WireError."""
    try:
        if "shapes" in fields:
            return tuple(np.broadcast_to(0.0, shape) for shape in json.loads(fields["shapes"]))
        if "integers" in fields:
            return tuple(int(number) for number in fields["integers"].split())
        return tuple(arrays[name] for name in fields["results"].split())
    except (ValueError, KeyError) as error:
        raise WireError(f"neither integers nor the names of its tensors ({error})") from error


def to_json(value: Any) -> str:
    """JSON, with the next of kin of what it has not."""
    return _encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Iterable) else str(value)


_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode
