"""Files from the network: bounded, whole or not at all, with a bar, and with the digest they should have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from ..saving.atomic import atomic_write

CHUNK = 1 << 18
_TIMEOUT_SECONDS = 30


def fetch(url: str, path: str, name: str, most_bytes: int, algorithm: str, check: Callable[[str, int], None]) -> None:
    """Downloads a file.

    Args:
        url: Its address.
        path: Where it goes, when all of it has arrived and was checked.
        name: What the bar calls it.
        most_bytes: A file of more is refused, as soon as that is known.
        algorithm: `hashlib`'s name of a digest.
        check: Called with the digest, as text, and the number of bytes; raises for one that is wrong.

    Raises:
        ValueError: The file is too long.
        OSError: It could not be had.
        EOFError: The connection ended early.
    """
    import urllib.request  # imported here: it takes longer to import than the rest of cconv

    from tqdm import tqdm

    request = urllib.request.Request(url, headers={"User-Agent": "cconv"})
    digest, received = hashlib.new(algorithm), 0
    with atomic_write(path) as file, urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        _bounded(url, total or 0, most_bytes)
        with tqdm(total=total, desc=name, unit="B", unit_scale=True) as bar:
            for chunk in iter(lambda: response.read(CHUNK), b""):
                received += len(chunk)
                _bounded(url, received, most_bytes)
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
        if total is not None and received != total:
            raise EOFError(f"the connection ended after {received} of {total} bytes")
        check(digest.hexdigest(), received)


def _bounded(url: str, size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise ValueError(
            f"{url} is longer than expected: at most {most_bytes} bytes are taken, received {size} or more."
        )


def digest_of(path: str, algorithm: str) -> str:
    """The digest of a file, as text."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
