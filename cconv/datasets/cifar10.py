"""CIFAR-10: 60,000 colour pictures of ten kinds of things (Krizhevsky, 2009)."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from typing import Any, BinaryIO

import numpy as np

from .files import Source, find

_PIXELS = 3 * 32 * 32
_IMAGES_PER_BATCH = 10000
_MOST_OF_A_BATCH = 2 * (_PIXELS + 1) * _IMAGES_PER_BATCH  # bytes
_SITE = "https://www.cs.toronto.edu/~kriz/"
# The binary form comes first: it is plain bytes, while the other one holds Python pickles.
_SOURCES = (
    Source(
        "cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        (_SITE + "cifar-10-binary.tar.gz",),
    ),
    Source(
        "cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        (_SITE + "cifar-10-python.tar.gz",),
    ),
)


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads the CIFAR-10 pictures.

    The ten classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck. One of the published
    archives `cifar-10-binary.tar.gz` and `cifar-10-python.tar.gz` is looked for in `$CCONV_DATASETS/cifar10`, then in
    `~/.cconv/datasets/cifar10`; the first is downloaded there once if neither is found.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`, labels of
        shape `(50000, 1)` and `(10000, 1)`, all uint8.

    Raises:
        ValueError: The archive is corrupt.
        OSError: The archive is nowhere, and could not be downloaded.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cconv.datasets.cifar10.load_data()
    ```
    """
    path = find("cifar10", _SOURCES)
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    batches = _read_archive(path, names)
    images = [np.ascontiguousarray(x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)) for x, _ in batches]
    labels = [y.reshape(-1, 1) for _, y in batches]
    return (np.concatenate(images[:5]), np.concatenate(labels[:5])), (images[5], labels[5])


class _Bounded:
    """The unpacked bytes of a file, up to as many as an archive of these pictures has: few bytes can become many."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file, self._path = file, path
        self._left = 7 * _MOST_OF_A_BATCH

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"{self._path!r} is no archive of CIFAR-10: expected six batches, found far more bytes.")
        return data


def _read_archive(path: str, names: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (images, labels) of each batch, in the order of `names`. Nothing is extracted to the disk."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    try:
        with gzip.open(path) as file, tarfile.open(fileobj=_Bounded(file, path), mode="r|") as archive:
            for member in archive:
                archive.members = []  # it would keep every one that it has passed
                name = member.name.rsplit("/", 1)[-1]
                binary = name.endswith(".bin")
                name = name.removesuffix(".bin")
                if name not in names or not member.isfile():
                    continue
                if member.size > _MOST_OF_A_BATCH:
                    raise ValueError(
                        f"{path!r}: {member.name} declares {member.size} bytes, expected at most {_MOST_OF_A_BATCH}."
                    )
                data = archive.extractfile(member).read()
                found[name] = (_parse_binary if binary else _parse_pickle)(data, f"{path!r}: {member.name}")
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path!r} is truncated or corrupt: expected a complete .tar.gz archive ({error}).") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"{path!r} is incomplete: expected the batches {names}, found no {', '.join(missing)}.")
    return [found[name] for name in names]


def _checked(images: np.ndarray, labels: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    if len(images) != len(labels):
        raise ValueError(f"{where}: expected {len(images)} labels, one per image, found {len(labels)}.")
    if labels.size and labels.max() > 9:
        raise ValueError(f"{where}: expected labels from 0 to 9, found {labels.max()}.")
    return images, labels


def _parse_binary(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """One record per image: the label, then 1,024 red, 1,024 green and 1,024 blue bytes."""
    if len(data) % (_PIXELS + 1):
        raise ValueError(f"{where}: expected records of {_PIXELS + 1} bytes, found {len(data)} bytes.")
    records = np.frombuffer(data, np.uint8).reshape(-1, _PIXELS + 1)
    return _checked(records[:, 1:], records[:, 0].copy(), where)


class _ArrayUnpickler(pickle.Unpickler):
    """Knows only what it takes to rebuild an array of bytes; whatever else a pickle names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _reconstruct
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return _dtype
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"it names {module}.{name}, which does not belong into a batch of images")


class _Dtype:
    """Takes the place of a NumPy dtype while unpickling; only bytes are let through."""

    def __setstate__(self, state: Any) -> None:
        pass


class _PickledArray:
    """Takes the place of a NumPy array while unpickling."""

    values = np.zeros((0, _PIXELS), np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, _, fortran_order, data = state
        values = np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, np.uint8)
        self.values = values.reshape(shape, order="F" if fortran_order else "C")


def _dtype(name: str, *flags: Any) -> _Dtype:
    if name != "u1":
        raise pickle.UnpicklingError(f"its array holds elements of type {name!r}, not bytes")
    return _Dtype()


def _reconstruct(cls: Any, shape: Any, kind: Any) -> _PickledArray:
    return _PickledArray()


def _encode(text: str, encoding: str) -> bytes:
    return text.encode("latin1")


def _parse_pickle(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """A dictionary with `data`, an array of one row of 3,072 bytes per image, and `labels`, a list of numbers."""
    try:
        batch = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
        images = batch["data"].values.reshape(-1, _PIXELS)
        labels = np.array([int(label) for label in batch["labels"]])
        if labels.size and labels.min() < 0:
            raise ValueError(f"expected labels from 0 to 9, found {labels.min()}")
    except Exception as error:  # a damaged pickle can raise almost anything
        raise ValueError(f"{where} is corrupt or not a batch of CIFAR-10: {error}") from error
    return _checked(images, np.minimum(labels, 255).astype(np.uint8), where)
