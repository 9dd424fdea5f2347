"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): archives of 32 x 32 colour pictures, in two forms."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ..utils.tar_files import open_tar

_PIXELS = 3 * 32 * 32
SITE = "https://www.cs.toronto.edu/~kriz/"


class Format(NamedTuple):
    """What the batches of a set look like.

    Attributes:
        name: That of the set.
        batches: The names of its batches; in binary form they end in `.bin`.
        images: How many pictures a batch has at most.
        classes: How many classes there are.
        key: What the labels are called in a pickle.
        place: Which of the label bytes of a binary record counts.
        label_bytes: How many it has.
    """

    name: str
    batches: tuple[str, ...]
    images: int
    classes: int
    key: str
    place: int = 0
    label_bytes: int = 1

    @property
    def most_bytes(self) -> int:
        """Of a batch."""
        return 2 * (_PIXELS + self.label_bytes) * self.images


def read_images(path: str, form: Format) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images `(n, 32, 32, 3)` and labels `(n, 1)` of each batch of an archive."""
    return [
        (np.ascontiguousarray(x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), y.reshape(-1, 1))
        for x, y in _read_archive(path, form)
    ]


class _Bounded:
    """The unpacked bytes of a file, up to as many as an archive of these pictures has: few bytes can become many."""

    def __init__(self, file: BinaryIO, path: str, form: Format) -> None:
        self._file, self._path, self._form = file, path, form
        self._left = (len(form.batches) + 1) * form.most_bytes

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(
                f"{self._path!r} is no archive of {self._form.name}: expected {len(self._form.batches)} batches, found "
                "far more bytes."
            )
        return data


def _read_archive(path: str, form: Format) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (images, labels) of each batch, in their order. Nothing is extracted to the disk."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    names = list(form.batches)
    try:
        with gzip.open(path) as file, open_tar(fileobj=_Bounded(file, path, form), mode="r|") as archive:
            for member in archive:
                archive.members = []  # it would keep every one that it has passed
                name = member.name.rsplit("/", 1)[-1]
                binary = name.endswith(".bin")
                name = name.removesuffix(".bin")
                if name not in names or not member.isfile():
                    continue
                if member.size > form.most_bytes:
                    raise ValueError(
                        f"{path!r}: {member.name} declares {member.size} bytes, expected at most {form.most_bytes}."
                    )
                data = archive.extractfile(member).read()
                found[name] = (_parse_binary if binary else _parse_pickle)(data, form, f"{path!r}: {member.name}")
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path!r} is truncated or corrupt: expected a complete .tar.gz archive ({error}).") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"{path!r} is incomplete: expected the batches {names}, found no {', '.join(missing)}.")
    return [found[name] for name in names]


def _checked(images: np.ndarray, labels: np.ndarray, form: Format, where: str) -> tuple[np.ndarray, np.ndarray]:
    if len(images) != len(labels):
        raise ValueError(f"{where}: expected {len(images)} labels, one per image, found {len(labels)}.")
    if labels.size and labels.max() >= form.classes:
        raise ValueError(f"{where}: expected labels from 0 to {form.classes - 1}, found {labels.max()}.")
    return images, labels


def _parse_binary(data: bytes, form: Format, where: str) -> tuple[np.ndarray, np.ndarray]:
    """One record per image: one or two labels, then 1,024 red, 1,024 green and 1,024 blue bytes."""
    size = _PIXELS + form.label_bytes
    if len(data) % size:
        raise ValueError(f"{where}: expected records of {size} bytes, found {len(data)} bytes.")
    records = np.frombuffer(data, np.uint8).reshape(-1, size)
    return _checked(records[:, form.label_bytes :], records[:, form.place].copy(), form, where)


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


def _parse_pickle(data: bytes, form: Format, where: str) -> tuple[np.ndarray, np.ndarray]:
    """A dictionary with `data`, an array of one row of 3,072 bytes per image, and lists of numbers."""
    try:
        batch = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
        images = batch["data"].values.reshape(-1, _PIXELS)
        labels = np.array([int(label) for label in batch[form.key]])
        if labels.size and labels.min() < 0:
            raise ValueError(f"expected labels from 0 to {form.classes - 1}, found {labels.min()}")
    except Exception as error:  # a damaged pickle can raise almost anything
        raise ValueError(f"{where} is corrupt or not a batch of {form.name}: {error}") from error
    return _checked(images, np.minimum(labels, 255).astype(np.uint8), form, where)
