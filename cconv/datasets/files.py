"""Where the files of a data set are found: the user's folder, the cache, or the network, in this order.

Knows nothing of what is in the files. Every file that comes from the network or the cache must have the SHA-256 it was
published with; a file in the user's own folder need not (it may be a subset), and is checked by whoever parses it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import NamedTuple

from ..utils.cached_file import users_folder
from ..utils.download import digest_of, fetch
from ..warning import warn

_MOST_BYTES = 1 << 28  # of a file: the longest of these data sets has 170 million


class Source(NamedTuple):
    """One published file: its name, its SHA-256, and the addresses it can be had from, the preferred one first."""

    name: str
    sha256: str
    urls: tuple[str, ...]


def cache_folder(dataset: str) -> str:
    """The folder that downloaded files of a data set are kept in."""
    return os.path.join(os.path.expanduser("~"), ".cconv", "datasets", dataset)


def find(dataset: str, sources: Sequence[Source]) -> str:
    """Returns the path of the first of several equivalent files that is at hand; downloads the first if none is.

    Args:
        dataset: Name of the data set's folder.
        sources: Files of equal content, in order of preference.

    Raises:
        ValueError: A file does not have the SHA-256 it was published with.
        OSError: The file is nowhere, and could not be downloaded.
    """
    folder = users_folder(dataset)
    for source in sources if folder else ():
        path = os.path.join(folder, source.name)
        if os.path.isfile(path):
            return path
    if folder:
        _warn_of_users_folder(dataset, folder, sources)
    for source in sources:
        path = os.path.join(cache_folder(dataset), source.name)
        if os.path.isfile(path):
            _check(path, source)
            return path
    path = os.path.join(cache_folder(dataset), sources[0].name)
    _download(dataset, sources[0], path)
    return path


def _warn_of_users_folder(dataset: str, folder: str, sources: Sequence[Source]) -> None:
    """Says what CCONV_DATASETS is set to, and what is there instead of what was looked for."""
    expected = f"one of {', '.join(source.name for source in sources)}" if len(sources) > 1 else sources[0].name
    root = os.path.dirname(folder)
    if os.path.isdir(folder):
        found = f"{folder!r} holds {_listed(folder)}"
    elif os.path.isdir(root):
        found = f"{root!r} holds {_listed(root)}, and no {dataset}"
    else:
        found = f"{root!r} is no folder"
    warn(
        f"CCONV_DATASETS={os.environ['CCONV_DATASETS']!r}: expected {expected} in {folder!r}, but {found}. "
        f"Looking in {cache_folder(dataset)!r}, then on the network."
    )


def _listed(folder: str) -> str:
    names = sorted(os.listdir(folder))
    return f"{', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else "nothing"


def _check(path: str, source: Source) -> None:
    try:
        _compare(path, source, digest_of(path, "sha256"), os.path.getsize(path))
    except ValueError as error:
        raise ValueError(f"{error} Remove it to have it downloaded again.") from None


def _compare(path: str, source: Source, found: str, size: int) -> None:
    if found != source.sha256:
        raise ValueError(
            f"{path!r} is corrupt, or not the published file: expected SHA-256 {source.sha256}, "
            f"found {found} ({size} bytes)."
        )


def _download(dataset: str, source: Source, path: str) -> None:
    """Fetches a file into the cache. What does not arrive whole, or differs from what was published, is not kept."""
    import http.client

    os.makedirs(os.path.dirname(path), exist_ok=True)
    problems, wrong = [], None
    for url in source.urls:
        try:
            compare = functools.partial(_compare, url, source)
            fetch(url, path, source.name, _MOST_BYTES, "sha256", compare)
            return
        except ValueError as error:
            wrong = error
            problems.append(str(error))
        except (OSError, EOFError, http.client.HTTPException) as error:
            problems.append(f"{url}: {error}")
    other = users_folder(dataset)
    place = f"into {other!r}" if other else f"into <folder>/{dataset} and set the variable CCONV_DATASETS to <folder>"
    advice = (
        f"Could not download {source.name} ({'; '.join(problems)}). Without a network, put the file as published into "
        f"{os.path.dirname(path)!r}, or {place}."
    )
    raise ValueError(advice) if wrong else OSError(advice)
