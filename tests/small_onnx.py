"""Small ONNX models as bytes, written field by field: tests of C programs need no other package."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

FLOAT, UINT8, INT32 = 1, 2, 6
Sizes = Sequence[int | str]


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | float | str | bytes) -> bytes:
    """One field of a message: a whole number, a float, or a text or message with its length."""
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name: str, value: int | float | str | Sequence[int] | Sequence[float]) -> bytes:
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    if value and isinstance(value[0], float):
        return field(1, name) + b"".join(field(7, item) for item in value) + field(20, 6)
    return field(1, name) + b"".join(field(8, item) for item in value) + field(20, 7)


def node(
    op: str, inputs: Sequence[str], output: str, **attributes: int | float | str | Sequence[int] | Sequence[float]
) -> bytes:
    named = b"".join(field(1, name) for name in inputs) + field(2, output) + field(3, output) + field(4, op)
    return named + b"".join(field(5, attribute(*item)) for item in attributes.items())


def value(name: str, sizes: Sizes, kind: int = FLOAT) -> bytes:
    """An input or output; a size given as a name is open."""
    shape = b"".join(field(1, field(2 if isinstance(size, str) else 1, size)) for size in sizes)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def model(
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    initializers: Mapping[str, np.ndarray] | None = None,
) -> bytes:
    graph = b"".join(field(1, item) for item in nodes) + field(2, "graph")
    for name, array in (initializers or {}).items():
        sizes = b"".join(field(1, size) for size in array.shape)
        graph += field(5, sizes + field(2, FLOAT) + field(8, name) + field(9, array.astype("<f4").tobytes()))
    graph += b"".join(field(11, item) for item in inputs) + b"".join(field(12, item) for item in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def flattened(sizes: Sizes, kind: int = FLOAT) -> bytes:
    """What goes in comes out, a row for each sample."""
    count = int(np.prod([size for size in sizes[1:] if isinstance(size, int)]))
    nodes = [node("Cast", ["x"], "cast", to=FLOAT), node("Flatten", ["cast"], "y", axis=1)]
    return model(nodes, [value("x", sizes, kind)], [value("y", (sizes[0], count))])


def classifier(weights: np.ndarray, sizes: Sizes = ("n", 3, "h", "w")) -> bytes:
    """The mean of each channel, "means", times weights (channels, classes): "scores"."""
    nodes = [
        node("GlobalAveragePool", ["image"], "pooled"),
        node("Flatten", ["pooled"], "means", axis=1),
        node("MatMul", ["means", "weights"], "scores"),
    ]
    outputs = [value("scores", (sizes[0], weights.shape[1]))]
    return model(nodes, [value("image", sizes)], outputs, {"weights": weights})
