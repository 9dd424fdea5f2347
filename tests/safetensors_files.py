"""Writes the bytes of `.safetensors` files by hand, so that they may be wrong."""

import json


def safetensors(arrays, kinds=None, metadata=None, change=None, tail=b""):
    """The bytes of a `.safetensors` file; `change` edits its header."""
    header, at, data = {}, 0, b""
    for key, array in arrays.items():
        kind = (kinds or {}).get(key) or {"f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64"}[array.dtype.str[1:]]
        header[key] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at, data = at + array.nbytes, data + array.tobytes()
    if metadata:
        header["__metadata__"] = metadata
    if change:
        change(header)
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data + tail
