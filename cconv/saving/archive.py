"""The zip archive around a `.keras` file: members that are not compressed, and a checksum over all of it.

The archive's comment (which readers ignore) holds the SHA-256 of all bytes before it, so that damage is found before
any of it is parsed. The metadata say that the comment must be there; Keras' own files have none, and are read without,
on the CRC-32 that zip keeps for each member.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from .atomic import atomic_write

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_COMMENT_START = b"cconv model; sha256 of all bytes before these 64 digits: "
_COMMENT_SIZE = len(_COMMENT_START) + 64
_END_RECORD = struct.Struct("<4s4H2LH")  # zip's last record, before the comment
# What a byte of a member may become. Deflate's best is 1 : 1032, and other methods, such as bzip2, know no such bound.
_EXPANSION = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1100}
_TEXT_EXPANSION = 100  # of a configuration, which takes many times its size once it is parsed
_CHECKSUM_KEY, _CHECKSUM_VALUE = "cconv_checksum", "sha256 in the archive's comment"


def write_archive(path: str, config: bytes, weights: bytes | memoryview, metadata: Mapping[str, Any]) -> None:
    """Writes a file, whole or not at all.

    Args:
        path: Its name.
        config: The configuration, as JSON.
        weights: The variables, as HDF5 data.
        metadata: What to say about the writer; the date and the word about the checksum are added.
    """
    now = datetime.datetime.now()
    metadata = {**metadata, "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"), _CHECKSUM_KEY: _CHECKSUM_VALUE}
    members = {METADATA: json.dumps(metadata).encode(), CONFIG: config, WEIGHTS: weights}
    with atomic_write(path) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = _COMMENT_START + b"0" * 64
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), data)
        digest = _hexdigest(file)
        file.seek(-64, os.SEEK_END)
        file.write(digest)


def read_archive(path: str) -> dict[str, bytes]:
    """The members of a file, by name, after all checks that need no understanding of what is in them.

    Raises:
        ValueError: The file is damaged, or is no `.keras` file.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        checked = _check_digest(file, size, path)
        try:
            with zipfile.ZipFile(file) as archive:
                members = _extract(archive, path, size)
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError) as error:
            raise ValueError(f"{path!r} is damaged: {error}.") from error
    if not checked and _CHECKSUM_KEY.encode() in members[METADATA]:
        raise ValueError(f"{path!r} is damaged: expected the checksum in the archive's comment, found none.")
    return members


def _check_digest(file: BinaryIO, size: int, path: str) -> bool:
    """True if the file has a checksum, and it is right; False if it has none; ValueError if it is wrong."""
    file.seek(0)
    head = file.read(8)
    if head[:4] != b"PK\x03\x04":
        kind = "an HDF5 file" if head[:4] == b"\x89HDF" else f"{head!r}..."
        raise ValueError(f"{path!r} is not a `.keras` file: expected a zip archive, found {kind} ({size} bytes).")
    file.seek(-min(size, _COMMENT_SIZE), os.SEEK_END)
    comment = file.read()
    if comment.startswith(_COMMENT_START):
        found = _hexdigest(file)
        if found != comment[-64:]:
            raise ValueError(
                f"{path!r} is damaged: expected content of SHA-256 {comment[-64:].decode('latin1')}, "
                f"found {found.decode()} ({size} bytes)."
            )
    else:
        comment = b""
    end = size - len(comment) - _END_RECORD.size
    file.seek(max(end, 0))
    record = _END_RECORD.unpack(file.read(_END_RECORD.size)) if end >= 0 else (b"",)
    if record[0] != b"PK\x05\x06" or record[-1] != len(comment):
        raise ValueError(
            f"{path!r} is truncated or damaged: expected the end of a zip archive at byte {max(end, 0)}, found "
            f"something else ({size} bytes)."
        )
    return bool(comment)


def _extract(archive: zipfile.ZipFile, path: str, size: int) -> dict[str, bytes]:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    missing = [name for name in (METADATA, CONFIG, WEIGHTS) if name not in names]
    if missing or len(set(names)) != len(names):
        raise ValueError(
            f"{path!r} is not a `.keras` file: expected the members {METADATA}, {CONFIG} and {WEIGHTS}, once each, "
            f"found {', '.join(names) or 'none'}."
        )
    for info in infos:
        if info.compress_type not in _EXPANSION:
            raise ValueError(
                f"{path!r} is not a `.keras` file: expected members that are stored or deflated, found {info.filename} "
                f"compressed by method {info.compress_type}."
            )
        most = _EXPANSION[info.compress_type] * info.compress_size
        if info.filename in (METADATA, CONFIG) and info.compress_type == zipfile.ZIP_DEFLATED:
            most = min(most, _TEXT_EXPANSION * info.compress_size + (1 << 20))
        if info.compress_size > size or info.file_size > most:
            raise ValueError(
                f"{path!r} is damaged: the member {info.filename} declares {info.file_size} bytes "
                f"in {info.compress_size}, the whole file has {size}."
            )
    return {name: archive.read(name) for name in (METADATA, CONFIG, WEIGHTS)}


def _hexdigest(file: BinaryIO) -> bytes:
    """SHA-256, as text, of all of a file but its last 64 bytes."""
    digest = hashlib.sha256()
    left = max(file.seek(0, os.SEEK_END) - 64, 0)
    file.seek(0)
    while chunk := file.read(min(left, 1 << 20)):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()
