"""Archives into folders: nothing outside of the folder, nothing but files and folders, no more than so many bytes."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from .tar_files import is_tar, open_tar

_CHUNK = 1 << 20
_MOST_MEMBERS = 10_000_000


def kind_of(path: str, kinds: tuple[str, ...]) -> str | None:
    """`"tar"`, `"zip"`, or `None` for a file that is neither, or not one of `kinds`."""
    if "zip" in kinds and zipfile.is_zipfile(path):
        return "zip"
    return "tar" if "tar" in kinds and is_tar(path) else None


def unpack(path: str, folder: str, kind: str, most_bytes: int) -> None:
    """Unpacks an archive into a folder that appears when all of it is there, in place of one of that name.

    Args:
        path: The archive.
        folder: The folder.
        kind: `"tar"` (compressed or not) or `"zip"`.
        most_bytes: An archive of more bytes, unpacked, is refused.

    Raises:
        ValueError: The archive is damaged, too large, holds links or devices, or names what is not in the folder.
    """
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    made = tempfile.mkdtemp(prefix=".unpacking.", dir=parent)
    try:
        left = most_bytes
        for number, (name, file) in enumerate(_members(path, kind)):
            if number >= _MOST_MEMBERS:
                raise ValueError(f"{path!r}: expected at most {_MOST_MEMBERS} files in an archive, found more.")
            place = _inside(made, name, path)
            if file is None:
                os.makedirs(place, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as out:
                while data := file.read(min(_CHUNK, left + 1)):
                    left -= len(data)
                    if left < 0:
                        raise ValueError(
                            f"{path!r}: unpacked, it is larger than the {most_bytes} bytes that are taken."
                        )
                    out.write(data)
        os.chmod(made, 0o755 & ~_mask())
        if os.path.isdir(folder):
            shutil.rmtree(folder)
        os.replace(made, folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path!r} is damaged, or no archive that can be read: {error}.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _members(path: str, kind: str) -> Iterator[tuple[str, BinaryIO | Any]]:
    """The name of each member, and its content; `None` for a folder."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise ValueError(f"{path!r}: {info.filename!r} is a link, which is not followed.")
                if info.is_dir():
                    yield info.filename, None
                    continue
                with archive.open(info) as file:
                    yield info.filename, file
        return
    with open_tar(path) as archive:
        for info in archive:
            archive.members = []  # it would keep every one that it has passed
            if not (info.isfile() or info.isdir()):
                raise ValueError(f"{path!r}: {info.name!r} is a link or a device, which is not unpacked.")
            yield info.name, None if info.isdir() else archive.extractfile(info)


def _inside(folder: str, name: str, path: str) -> str:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or os.path.splitdrive(name)[0] or "\0" in name:
        raise ValueError(f"{path!r} names a file outside of its folder, which is refused: {name!r}.")
    return os.path.join(folder, *(part for part in parts if part not in ("", ".")))


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
