"""A folder with a folder of files for each class: which files there are, in which order, and whose part they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Listing(NamedTuple):
    """The files of a folder.

    Attributes:
        paths: Their names.
        labels: The number of the class of each; `None` without labels.
        class_names: The names of the classes, by number.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str]


def listed(
    directory: str, labels: Any, formats: tuple[str, ...], class_names: Sequence[str] | None, follow_links: bool
) -> Listing:
    """The files below a folder, class by class, each class in the order of their names, as Keras lists them.

    Args:
        directory: The folder.
        labels: `"inferred"`: from the names of its folders; or a number for each file; or `None`.
        formats: The ends of the names of files that count.
        class_names: The folders that count, in the order of their numbers; by default all, by name.
        follow_links: Whether symbolic links to folders are followed.

    Raises:
        OSError: There is no such folder.
        ValueError: `class_names` are not there, or `labels` are not as many as the files.
    """
    directory = os.fspath(directory)
    if isinstance(labels, str):
        there = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        names = list(there if class_names is None else class_names)
        if not set(names) <= set(there) or len(set(names)) != len(names):
            raise ValueError(
                f"`class_names`: expected names of folders of {directory!r}, which are {there}. Received: {names}"
            )
        found = [_below(os.path.join(directory, name), formats, follow_links) for name in names]
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(paths) for paths in found])
        return Listing([path for paths in found for path in paths], numbers, names)
    os.scandir(directory).close()
    paths = _below(directory, formats, follow_links)
    if labels is None:
        return Listing(paths, None, [])
    if len(labels) != len(paths):
        raise ValueError(
            f"`labels`: expected one for each of the {len(paths)} files in {directory!r}. Received: {len(labels)}"
        )
    return Listing(paths, np.array(labels), [str(label) for label in sorted(set(labels))])


def _below(folder: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    found = []
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0]):
        found += [os.path.join(root, name) for name in sorted(names) if name.lower().endswith(formats)]
    return found


def shuffled(listing: Listing, seed: int) -> Listing:
    """The same files in the order that Keras gives them for this seed."""
    order = np.arange(len(listing.paths))
    np.random.RandomState(seed).shuffle(order)
    labels = None if listing.labels is None else listing.labels[order]
    return listing._replace(paths=[listing.paths[i] for i in order], labels=labels)


def part(listing: Listing, fraction: float | None, subset: str | None) -> Listing:
    """The last files, `fraction` of all, for `"validation"`; the others for `"training"`."""
    if not fraction:
        return listing
    first = len(listing.paths) - int(fraction * len(listing.paths))
    kept = slice(first, None) if subset == "validation" else slice(None, first)
    labels = None if listing.labels is None else listing.labels[kept]
    return listing._replace(paths=listing.paths[kept], labels=labels)


def check_split(fraction: Any, subset: Any, shuffle: bool, seed: Any) -> None:
    """The arguments that say which part of the files is wanted.

    Raises:
        ValueError: They do not say it, or two calls could not say it of the same order.
    """
    if fraction is not None and not 0 < fraction < 1:
        raise ValueError(f"`validation_split`: expected a number between 0 and 1. Received: {fraction!r}")
    if (fraction is None) != (subset is None):
        raise ValueError(
            "`validation_split` and `subset` are given together or not at all. "
            f"Received: validation_split={fraction!r}, subset={subset!r}"
        )
    if subset not in (None, "training", "validation", "both"):
        raise ValueError(f"`subset`: expected 'training', 'validation' or 'both'. Received: {subset!r}")
    if fraction and shuffle and seed is None:
        raise ValueError(
            "`validation_split` of shuffled files needs a `seed`, so that training and validation have no file in "
            "common. Received: seed=None"
        )
