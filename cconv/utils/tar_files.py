"""Tar archives, opened so that their headers cannot ask for more time or memory than a header is worth."""

from __future__ import annotations

import tarfile
from typing import Any

# Headers whose content has a length of its own. Python reads it whole and, before 3.11.10, looks through it in a time
# that grows with its square; names, times and sizes need much less.
_LONG = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MOST_BYTES = 1 << 13


class _Entry(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> tarfile.TarInfo:
        entry = super().frombuf(buf, encoding, errors)
        if entry.type in _LONG and entry.size > _MOST_BYTES:
            raise tarfile.ReadError(f"a header declares {entry.size} bytes, expected at most {_MOST_BYTES}")
        return entry


def open_tar(path: str | None = None, mode: str = "r", fileobj: Any = None) -> tarfile.TarFile:
    """The archive, open for reading: `tarfile.open`.

    Raises:
        tarfile.ReadError: It is none, or a header of it is absurdly long; also where its members are read.
    """
    return tarfile.open(path, mode, fileobj, tarinfo=_Entry)


def is_tar(path: str) -> bool:
    """Whether a file is an archive, compressed or not."""
    try:
        with open_tar(path):
            return True
    except tarfile.TarError:
        return False
