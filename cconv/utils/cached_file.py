"""`get_file`: a file from the network, kept for the next time; and the folder of those that a user has already."""

from __future__ import annotations

import os
from typing import Any

from ..warning import warn
from .download import digest_of, fetch
from .unpacking import kind_of, unpack

_DIGITS = {32: "md5", 64: "sha256"}


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
    max_bytes: int = 1 << 34,
) -> str:
    """Downloads a file once, and says where it is.

    It appears under its name when all of it has arrived and has the digest asked for: a download that was broken off
    leaves nothing. An archive is unpacked into a folder that appears in the same way; its members may be files and
    folders inside of it only.

    Args:
        fname: Name of the file; by default that of its address. For an archive that is unpacked: name of the folder, if
            it has no extension, else that of the archive, whose folder gets `_extracted` behind its stem.
        origin: Address of the file.
        untar: The same as `extract`, of tar files only.
        md5_hash: The same as `file_hash`.
        file_hash: The digest that the file must have. Without one, what is in the cache is taken as it is.
        cache_subdir: Folder below `cache_dir`; or an absolute path, instead of both.
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"`: by the number of digits.
        extract: Whether the file is unpacked, if it is an archive.
        archive_format: `"tar"` (compressed or not), `"zip"`, a list of them, `None`, or `"auto"` for both.
        cache_dir: By default `~/.cconv`.
        force_download: Whether it is downloaded though it is there.
        max_bytes: A longer file, or an archive that holds more, is refused.

    Returns:
        The path of the file; of the folder if it was unpacked.

    Raises:
        ValueError: The file has another digest, or is too long; an archive is damaged or unsafe; an argument is odd.
        TypeError: `origin` is no string.
        OSError: It could not be downloaded.

    Example:

    ```python
    folder = cconv.utils.get_file("flowers", origin="https://example.org/flowers.tgz", file_hash="...", extract=True)
    data = cconv.utils.image_dataset_from_directory(folder)
    ```
    """
    if not origin:
        raise ValueError("get_file: expected `origin`, the address of the file. Received: none")
    if not isinstance(origin, str):
        raise TypeError(f"get_file: expected `origin` to be a string. Received: {origin!r}")
    name = os.fspath(fname) if fname else os.path.basename(origin.split("?")[0].split("#")[0])
    if not name or os.path.basename(name) != name or name in (".", ".."):
        raise ValueError(
            f"get_file: expected `fname` to be the name of a file, without folders. Received: {name!r}"
            + ("" if fname else f", from {origin!r}")
        )
    kinds = _kinds("tar" if untar else archive_format)
    wanted = file_hash or md5_hash
    algorithm = _algorithm(hash_algorithm if file_hash else "md5" if md5_hash else "auto", wanted)

    root = os.path.expanduser(os.fspath(cache_dir)) if cache_dir else os.path.join(os.path.expanduser("~"), ".cconv")
    folder = os.path.join(root, cache_subdir)
    os.makedirs(folder, exist_ok=True)
    path = target = os.path.join(folder, name)
    if extract or untar:
        stem, extension = os.path.splitext(name) if fname else (name, "")
        path = path if extension else f"{path}_archive"
        target = os.path.join(folder, f"{stem}_extracted") if extension else target

    def check(found: str, size: int) -> None:
        if wanted and found.lower() != wanted.lower():
            raise ValueError(
                f"{origin} is not the expected file: expected {algorithm} {wanted}, received {found} ({size} bytes)."
            )

    fresh = force_download or not os.path.isfile(path)
    if not fresh and wanted and digest_of(path, algorithm).lower() != wanted.lower():
        warn(f"get_file: {path!r} has another {algorithm} than was asked for; it is downloaded anew.")
        fresh = True
    if fresh:
        _download(origin, path, name, max_bytes, algorithm, check)
    if target == path or (os.path.isdir(target) and not fresh):
        return target
    kind = kind_of(path, kinds)
    if kind is None:
        warn(f"get_file: {path!r} is no archive of kind {' or '.join(kinds) or 'none'}; it is not unpacked.")
        return path
    if os.path.isfile(target):
        os.unlink(target)
    unpack(path, target, kind, max_bytes)
    return target


def users_folder(name: str) -> str | None:
    """The folder of this name below the one that the variable CCONV_DATASETS names, or None."""
    root = os.environ.get("CCONV_DATASETS")
    return os.path.join(os.path.expanduser(root), name) if root else None


def _download(origin: str, path: str, name: str, most_bytes: int, algorithm: str, check: Any) -> None:
    import http.client

    try:
        fetch(origin, path, name, most_bytes, algorithm, check)
    except (OSError, EOFError, http.client.HTTPException) as error:
        raise OSError(f"Could not download {origin}: {error}") from error


def _kinds(archive_format: Any) -> tuple[str, ...]:
    kinds = ("tar", "zip") if archive_format == "auto" else archive_format or ()
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not set(kinds) <= {"tar", "zip"}:
        raise ValueError(
            f"get_file: expected `archive_format` to be 'auto', 'tar' or 'zip'. Received: {archive_format!r}"
        )
    return kinds


def _algorithm(name: str, wanted: str | None) -> str:
    if name == "auto":
        found = "sha256" if not wanted else _DIGITS.get(len(wanted))
        if found is None:
            raise ValueError(
                f"get_file: expected a digest of 32 (md5) or 64 (sha256) hexadecimal digits. Received: {wanted!r}"
            )
        return found
    if name not in _DIGITS.values():
        raise ValueError(f"get_file: expected `hash_algorithm` to be 'auto', 'sha256' or 'md5'. Received: {name!r}")
    return name
