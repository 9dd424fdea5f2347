"""Writing a file so that a reader finds the old one or the new one, whole, whatever happens in between.

The new content goes to a temporary file in the same folder (a rename is atomic within one file system only), reaches
the disk, and then takes the name of the old one. The folder is synced last, so that the name survives a power failure,
too.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A context manager that gives a file to write and read; it becomes `path` when the block ends without an error.

    After an error (in the block, or of the disk) the temporary file is gone and `path` is as it was.

    Args:
        path: The file to create or replace. A symbolic link is followed: what it points to is replaced.

    Example:

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "notes.txt")
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"whole or not at all")
    >>> open(path).read()
    'whole or not at all'
    """
    path = os.path.realpath(os.fspath(path))
    folder = os.path.dirname(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"Cannot write a file over a folder. Received: {path!r}")
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)[:60]}.", suffix=".tmp", dir=folder)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"The folder to write into does not exist. Received: {path!r}") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            _copy_mode(path, temporary)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _copy_mode(path: str, temporary: str) -> None:
    """Gives the new file the permissions of the old one, or those of any new file (mkstemp's are for secrets)."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    with contextlib.suppress(OSError):
        os.chmod(temporary, mode)


def _sync_folder(folder: str) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows: a folder cannot be opened, and renaming is journalled
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot sync a folder; the file itself is on the disk
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
