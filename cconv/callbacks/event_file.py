"""Files of events as TensorBoard reads them: records with checksums (TFRecord) of Protocol Buffers messages.

The numbers of the fields are those of TensorFlow's and TensorBoard's `.proto` files `event`, `summary`, `tensor`,
`tensor_shape`, `types`, `graph`, `node_def` and `attr_value`.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # types.proto
_SCALAR, _TENSOR, _IMAGES = 1, 2, 3  # DataClass in summary.proto
_BUCKETS = 30
_number = itertools.count()


class EventFile:
    """A new file of events in a folder, which is made. What was written is in the file after `flush`.

    Args:
        folder: The folder: a "run" of TensorBoard.
    """

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_number)}.v2"
        self._file = open(os.path.join(folder, name), "wb")  # noqa: SIM115 (closed by `close`)
        self._event(0, _text(3, "brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number at a step."""
        self._summary(tag, step, "scalars", _SCALAR, _tensor(_FLOAT, (), np.float32(value).tobytes()))

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """How often values are in which of 30 ranges of equal width; those that are not finite are left out."""
        values = np.asarray(values, np.float64).ravel()
        counts, edges = np.histogram(values[np.isfinite(values)], _BUCKETS)
        table = np.stack([edges[:-1], edges[1:], counts], axis=1)
        self._summary(tag, step, "histograms", _TENSOR, _tensor(_DOUBLE, table.shape, table.tobytes()))

    def image(self, tag: str, pixels: np.ndarray, step: int) -> None:
        """A grey image: uint8 of shape (height, width)."""
        height, width = pixels.shape
        parts = b"".join(_bytes(8, part) for part in (b"%d" % width, b"%d" % height, _png(pixels)))
        self._summary(tag, step, "images", _IMAGES, _whole(1, _STRING) + _bytes(2, _shape((3,))) + parts)

    def graph(self, nodes: Iterable[tuple[str, str, Sequence[str], Sequence[int | None]]]) -> None:
        """A graph: for each node its name, what it does, the names of the nodes that it reads, and its shape."""
        made = b""
        for name, op, inputs, shape in nodes:
            shapes = _bytes(1, _bytes(7, _shape(shape)))
            attribute = _bytes(5, _text(1, "_output_shapes") + _bytes(2, shapes))
            made += _bytes(1, _text(1, name) + _text(2, op) + b"".join(_text(3, x) for x in inputs) + attribute)
        self._event(0, _bytes(4, made + _bytes(4, _whole(1, 22))))

    def flush(self) -> None:
        """Gives the system what was written so far."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file."""
        self._file.close()

    def _summary(self, tag: str, step: int, plugin: str, data_class: int, tensor: bytes) -> None:
        metadata = _bytes(1, _text(1, plugin)) + _whole(4, data_class)
        self._event(step, _bytes(5, _bytes(1, _text(1, tag) + _bytes(9, metadata) + _bytes(8, tensor))))

    def _event(self, step: int, content: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + _whole(2, step) + content
        length = struct.pack("<Q", len(event))
        self._file.write(length + _masked(length) + event + _masked(event))


# ---- Protocol Buffers: a field is its number and its kind, then a whole number (kind 0) or a length and bytes (kind 2)


def _varint(value: int) -> bytes:
    value %= 2**64
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _whole(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _bytes(field, content.encode())


def _shape(sizes: Iterable[int | None]) -> bytes:
    return b"".join(_bytes(2, _whole(1, -1 if size is None else size)) for size in sizes)


def _tensor(dtype: int, shape: Sequence[int], content: bytes) -> bytes:
    return _whole(1, dtype) + _bytes(2, _shape(shape)) + _bytes(4, content)


# ---- Checksums: CRC-32C (Castagnoli), masked as TFRecord wants it


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def _masked(content: bytes) -> bytes:
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in content:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _png(pixels: np.ndarray) -> bytes:
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with the number of its filter: none
    rows[:, 1:] = pixels

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
