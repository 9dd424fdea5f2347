"""Image files as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..utils import Progbar
from .failure import Failure

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def read_image(path: Path, size: tuple[int, int] | None, channels: int = 3) -> np.ndarray:
    """An image file as bytes `(h, w, channels)`, stretched to `size` (height, width); turned as its EXIF data say.

    Raises:
        Failure: It cannot be read; the message names it.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise Failure("image files are read by Pillow, which is not installed: pip install Pillow") from None
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file).convert(_MODES[channels])
            if size is not None and image.size != size[::-1]:
                image = image.resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=3.0)
            return np.asarray(image, np.uint8).reshape(image.height, image.width, channels)
    except FileNotFoundError:
        raise Failure(f"{path}: there is no such file") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Failure(f"{path}: it cannot be read as an image: {error}") from None


def read_images(paths: Iterable[Path], size: tuple[int, int], channels: int = 3) -> tuple[np.ndarray, list[Path]]:
    """Images that are there `(n, h, w, channels)` as bytes, and the paths of files that could not be read."""
    paths = list(paths)
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
