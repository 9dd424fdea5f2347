"""Reads the idx format, in which MNIST and its relatives are published: a big-endian header, then bytes."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib

import numpy as np

_BYTES = 0x08  # the element type these data sets use


def read_idx(path: str, ndim: int) -> np.ndarray:
    """Returns the array of bytes that a gzip-compressed idx file holds.

    Args:
        path: The file.
        ndim: Number of axes it must have.

    Raises:
        ValueError: The file is truncated, corrupt, or holds something else.
    """
    header_bytes = 4 + 4 * ndim
    size = os.path.getsize(path)
    try:
        with gzip.open(path, "rb") as file:
            header = file.read(header_bytes)
            magic = _BYTES << 8 | ndim
            if len(header) < header_bytes or struct.unpack(">I", header[:4])[0] != magic:
                raise ValueError(
                    f"{path!r} is not an idx file of {ndim}-dimensional bytes: expected a header of {header_bytes} "
                    f"bytes that starts with {struct.pack('>I', magic).hex()}, found {header[:4].hex()} "
                    f"({len(header)} bytes)."
                )
            shape = struct.unpack(f">{ndim}I", header[4:])
            expected = math.prod(shape)
            if expected > 1100 * size:  # deflate cannot do better than 1 : 1032, so these bytes cannot be there
                raise ValueError(f"{path!r} is corrupt: its header declares {shape}, the file has only {size} bytes.")
            data = file.read(expected + 1)  # one more than wanted: this reads the checksum at the end, too
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path!r} is truncated or corrupt: expected a complete gzip file, found one of {size} bytes ({error})."
        ) from error
    if len(data) != expected:
        found = "more" if len(data) > expected else f"{len(data)}"
        raise ValueError(f"{path!r} is corrupt: expected {expected} bytes for shape {shape}, found {found}.")
    return np.frombuffer(data, np.uint8).reshape(shape)


Arrays = tuple[np.ndarray, np.ndarray]


def load_idx_dataset(paths: tuple[str, str, str, str]) -> tuple[Arrays, Arrays]:
    """Reads (training images, training labels, test images, test labels) and checks that they belong together."""
    arrays = []
    for images_path, labels_path in (paths[:2], paths[2:]):
        images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
        if images.shape[1:] != (28, 28):
            raise ValueError(f"{images_path!r}: expected images of 28 x 28 bytes, found {images.shape[1:]}.")
        if len(images) != len(labels):
            raise ValueError(f"{labels_path!r}: expected {len(images)} labels, one per image, found {len(labels)}.")
        if labels.size and labels.max() > 9:
            raise ValueError(f"{labels_path!r}: expected labels from 0 to 9, found {labels.max()}.")
        arrays.append((images.copy(), labels.copy()))
    return arrays[0], arrays[1]
