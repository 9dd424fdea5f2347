"""Groups of arrays in an HDF5 file, as Keras lays them out. Knows arrays and their names, not models.

HDF5 has pointers out of the file, cycles and arrays that exist only by declaration; a file of weights has none of
them, so whatever is not a plain array of numbers within the file is refused, and no array is read before its shape was
found right.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from ..dtypes import is_number
from .state import Group

_MAX_OBJECTS = 1_000_000
_MAX_EXPANSION = 1100  # deflate cannot do better than 1 : 1032
_FILTERS = (None, "gzip", "lzf")


def h5py() -> Any:
    """The module h5py, imported when it is first needed."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "Saving and loading models needs the package h5py, which is not installed. Install it: pip install h5py"
        ) from error
    return h5py


def write_groups(
    file: BinaryIO, groups: Sequence[Group], attributes: Mapping[str, float], userblock_size: int = 0
) -> None:
    """Writes the arrays of all groups to an empty file that is open for writing and reading.

    Args:
        file: The file.
        groups: What to write.
        attributes: Numbers that belong to the file as a whole.
        userblock_size: Bytes to leave free in front: 0, or a power of two from 512 on.
    """
    h5 = h5py().File(file, "w", userblock_size=userblock_size)
    try:
        h5.attrs.update(attributes)
        for group in groups:
            h5_group = h5.create_group(f"{group.path}/vars" if group.path else "vars")
            h5_group.attrs["name"] = group.name
            for k, slot in enumerate(group.slots):
                h5_group.create_dataset(str(k), data=slot.get())
    except BaseException:  # the reason (no memory, a full disk), which must not be hidden by what closing says then
        with contextlib.suppress(Exception):
            h5.close()
        raise
    h5.close()


class ArrayFile:
    """The arrays of an HDF5 file that is open for reading, none of them read yet. A context manager.

    Args:
        file: The file.
        where: What to call it in errors.

    Attributes:
        where: The same.
        arrays: The arrays by their paths.
        elements: The number of elements of all arrays.

    Raises:
        ValueError: The file is no HDF5 file, or holds something else than plain arrays of numbers.
    """

    def __init__(self, file: BinaryIO, where: str) -> None:
        module = h5py()
        self.where = where
        try:
            self._h5 = module.File(file, "r")
        except Exception as error:
            raise ValueError(f"{where}: expected an HDF5 file of weights, found something else ({error}).") from error
        try:
            with self.reading():
                self.arrays = dict(_walk(self._h5, where))
                self._size = file.seek(0, os.SEEK_END)
                _check_sizes(self.arrays, self._size, where)
                self.elements = sum(int(item.size) for item in self.arrays.values())
        except BaseException:
            self._h5.close()
            raise

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._h5.close()

    def has(self, path: str) -> bool:
        """Whether there is a group or an array at a path."""
        with self.reading():
            return path in self._h5

    def text(self, path: str, name: str, other: str | None = None) -> str:
        """A text that belongs to a group, or to another one; empty if it is in neither."""
        value = self._attribute(path, name)
        if value is None and other is not None:
            value = self._attribute(other, name)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""

    def names(self, path: str, name: str) -> list[str]:
        """A list of names that belongs to a group: in one attribute, or in `name0`, `name1`, ... if it is long."""
        found = self._attribute(path, name)
        parts = [] if found is None else [found]
        while found is None and (part := self._attribute(path, f"{name}{len(parts)}")) is not None:
            parts.append(part)
        items = [item for part in parts for item in np.ravel(part)]
        return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in items]

    def _attribute(self, path: str, name: str) -> Any:
        with self.reading():
            group = self._h5[path] if path and path in self._h5 else None if path else self._h5
            if group is None or name not in group.attrs:
                return None
            attribute = group.attrs.get_id(name)
            if math.prod(attribute.shape) * max(attribute.dtype.itemsize, 1) > max(self._size, 1 << 16):
                raise ValueError(f"{self.where}: the attribute {name!r} declares more bytes than the file holds.")
            return group.attrs[name]

    def number(self, name: str) -> float | None:
        """A number that belongs to the file as a whole; None if it is not there."""
        with self.reading():
            return float(self._h5.attrs[name]) if name in self._h5.attrs else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, whatever HDF5 has to say against the file becomes a ValueError."""
        where = self.where
        try:
            yield
        except (OSError, RuntimeError, KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            if isinstance(error, ValueError) and str(error).startswith(where):
                raise  # our own words
            raise ValueError(f"{where}: the HDF5 file is damaged ({type(error).__name__}: {error}).") from error


def _walk(h5: Any, where: str) -> Iterator[tuple[str, Any]]:
    module = h5py()
    seen, rest, count = set(), [("", h5)], 0
    while rest:
        path, group = rest.pop()
        address = module.h5o.get_info(group.id).addr
        if address in seen:
            raise ValueError(f"{where}: the HDF5 file is damaged: the group {path!r} contains itself.")
        seen.add(address)
        for name in group:
            count += 1
            if count > _MAX_OBJECTS:
                raise ValueError(f"{where}: expected at most {_MAX_OBJECTS} objects in the HDF5 file, found more.")
            inner = f"{path}/{name}" if path else name
            if not isinstance(group.get(name, getlink=True), module.HardLink):
                raise ValueError(f"{where}: expected an array or a group at {inner!r}, found a link to somewhere else.")
            item = group[name]
            if isinstance(item, module.Group):
                rest.append((inner, item))
            elif isinstance(item, module.Dataset):
                _check_plain(item, inner, where)
                yield inner, item
            else:
                raise ValueError(f"{where}: expected an array or a group at {inner!r}, found a {type(item).__name__}.")


def _check_plain(dataset: Any, path: str, where: str) -> None:
    if dataset.external is not None or dataset.is_virtual:
        raise ValueError(f"{where}: the array {path!r} points to another file, which is not followed.")
    if not is_number(dataset.dtype) or dataset.shape is None:
        raise ValueError(f"{where}: expected numbers at {path!r}, found {dataset.dtype}.")
    if dataset.compression not in _FILTERS:
        raise ValueError(f"{where}: the array {path!r} is compressed in an unknown way ({dataset.compression!r}).")


def _check_sizes(arrays: Mapping[str, Any], left: int, where: str) -> None:
    """Refuses arrays that are larger than what the file can hold of them. It has `left` bytes for all of them."""
    for path, dataset in arrays.items():
        held = min(dataset.id.get_storage_size(), left)
        left -= held
        chunk = math.prod(dataset.chunks) * dataset.dtype.itemsize if dataset.chunks else 0  # is read as a whole
        most = held if dataset.compression is None else _MAX_EXPANSION * held
        if max(dataset.nbytes, chunk) > most:
            raise ValueError(
                f"{where}: the array {path!r} declares {max(dataset.nbytes, chunk)} bytes in shape {dataset.shape}, "
                f"the file holds {held} of them."
            )


def read_group(arrays: Mapping[str, Any], group: Group, where: str) -> list[np.ndarray]:
    """Returns the arrays of one group, checked against what the model expects.

    Raises:
        ValueError: An array is missing, too many, or of another shape.
    """
    found = stored(arrays, group.path)
    if sorted(found) != sorted(str(k) for k in range(len(group.slots))):
        expected = ", ".join(f"{slot.label} {slot.shape}" for slot in group.slots) or "none"
        received = ", ".join(f"{key} {found[key].shape}" for key in sorted(found)) or "none"
        raise ValueError(
            f"{where}: {group.label}: expected {len(group.slots)} variables at {group.path + '/vars'!r} ({expected}), "
            f"received {len(found)} ({received})."
        )
    values = []
    for k, slot in enumerate(group.slots):
        dataset = found[str(k)]
        if tuple(dataset.shape) != slot.shape:
            raise ValueError(
                f"{where}: {group.label}, variable {slot.label!r}: expected shape {slot.shape}, "
                f"received {tuple(dataset.shape)}."
            )
        values.append(np.asarray(dataset[()]))
    return values


def stored(arrays: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The arrays that the file has for a group, by their number (as text)."""
    prefix = f"{path}/vars/" if path else "vars/"
    return {name[len(prefix) :]: item for name, item in arrays.items() if name.startswith(prefix)}
