"""Nested dictionaries and lists of numbers, texts and arrays in a file: the state of a training.

A NumPy archive (`.npz`): the arrays, and the rest as JSON, in which an array stands as its number. Reading it runs
nothing; each member has a checksum.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from typing import Any

import numpy as np

from .atomic import atomic_write

_ARRAY = "array number"


def write_backup(path: str | os.PathLike, state: Any) -> None:
    """Writes a state, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_pack(state, arrays))
    with atomic_write(path) as file:
        np.savez(file, state=np.frombuffer(text.encode(), np.uint8), **arrays)


def read_backup(path: str | os.PathLike) -> Any:
    """Reads a state. Tuples come back as lists.

    Raises:
        OSError: There is no such file.
        ValueError: The file is damaged.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _unpack(json.loads(arrays["state"].tobytes()), arrays)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)!r} is damaged, or no backup of a training: {error}") from error


def _pack(state: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(state, np.ndarray):
        name = f"array_{len(arrays)}"
        arrays[name] = state
        return {_ARRAY: name}
    if isinstance(state, np.generic):
        return state.item()
    if isinstance(state, dict):
        return {name: _pack(value, arrays) for name, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [_pack(value, arrays) for value in state]
    return state


def _unpack(state: Any, arrays: Any) -> Any:
    if isinstance(state, dict):
        if state.keys() == {_ARRAY}:
            return arrays[state[_ARRAY]]
        return {name: _unpack(value, arrays) for name, value in state.items()}
    return [_unpack(value, arrays) for value in state] if isinstance(state, list) else state
