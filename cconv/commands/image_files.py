"""Image files as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..config import program_memory
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


def read_images(paths: Iterable[Path], size: tuple[int, int], channels: int = 3) -> tuple[np.ndarray, list[Path]]:
    """Images that are there `(n, h, w, channels)` as bytes, and the paths of files that could not be read.

    Raises:
        Failure: So many images of this size take more memory than there should be for them.
    """
    paths = list(paths)
    needed = len(paths) * size[0] * size[1] * channels
    if needed > program_memory():
        raise Failure(
            f"{len(paths)} images of {size[0]}x{size[1]} take {needed / 1e9:.1f} GB, more than a third of the memory: "
            "choose smaller ones (--image-size)"
        )
    images = np.empty((len(paths), *size, channels), np.uint8)
    damaged = []
    bar = Progbar(len(paths), unit_name="file")
    for i, path in enumerate(paths):
        try:
            images[i] = read_image(path, size, channels)
        except Failure as failure:
            damaged.append(path)
            bar.leave()
            print(f"left out: {failure}")
        bar.update(i + 1)
    kept = np.array([path not in set(damaged) for path in paths], bool)
    return (images if not damaged else images[kept]), damaged


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
