"""Image files as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..config import program_memory
from ..pipeline import AUTOTUNE, Dataset
from ..utils import Progbar, image_files
from ..utils.resampling import resized
from .failure import Failure

EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
_MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}


def read_image(path: Path, size: tuple[int, int], channels: int = 3) -> np.ndarray:
    """An image file as bytes `(h, w, channels)`, stretched to `size` (height, width).

    Raises:
        Failure: It cannot be read; the message names it.
    """
    try:
        pixels = resized(image_files.pixels(str(path), _MODES[channels]), size, "bilinear")
    except FileNotFoundError:
        raise Failure(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise Failure(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    return np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)


def read_images(paths: Sequence[Path], size: tuple[int, int]) -> tuple[np.ndarray | None, list[Path]]:
    """Reads all files, in threads.

    Returns:
        The images that are there as bytes `(n, h, w, 3)`, or `None` where they would take more memory than there should
        be for them; and the paths of files that could not be read.
    """
    kept = np.empty((len(paths), *size, 3), np.uint8) if memory_of(len(paths), size) <= program_memory() else None
    bar = Progbar(len(paths), unit_name="file")

    def read(number: np.int64) -> np.ndarray | Failure:
        try:
            return read_image(paths[number], size)
        except Failure as failure:
            return failure

    sound = np.ones(len(paths), bool)
    for i, found in enumerate(Dataset.range(len(paths)).map(read, AUTOTUNE)):
        if isinstance(found, Failure):
            sound[i] = False
            bar.leave()
            print(f"left out: {found}")
        elif kept is not None:
            kept[i] = found
        bar.update(i + 1)
    damaged = [paths[i] for i in np.flatnonzero(~sound)]
    return (kept[sound] if damaged and kept is not None else kept), damaged


def read_batch(paths: Sequence[Path], size: tuple[int, int]) -> np.ndarray:
    """Images as bytes `(n, h, w, 3)`, from files that could be read before.

    Raises:
        OSError: One cannot be read any more.
    """
    try:
        return np.stack([read_image(path, size) for path in paths])
    except Failure as failure:
        raise OSError(f"{failure} (it could be read before)") from None


def memory_of(count: int, size: tuple[int, int]) -> int:
    """How many bytes so many images take, of three channels of bytes."""
    return count * size[0] * size[1] * 3


def class_folders(folder: Path) -> tuple[list[str], list[Path], np.ndarray]:
    """The names of a folder's folders, the image files in them (at any depth), and the number of each one's class.

    Raises:
        Failure: There are no two classes with images.
    """
    if not folder.is_dir():
        raise Failure(f"{folder}: there is no such folder")
    found = {}
    for part in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
        files = sorted(p for p in part.rglob("*") if p.suffix.lower() in EXTENSIONS and p.is_file())
        if files:
            found[part.name] = files
    if len(found) < 2:
        raise Failure(
            f"{folder}: expected a folder for each class with image files in it ({', '.join(sorted(EXTENSIONS))}), "
            f"at least two. Found: {sorted(found) or 'none'}"
        )
    labels = np.repeat(np.arange(len(found)), [len(files) for files in found.values()])
    return list(found), [path for files in found.values() for path in files], labels
