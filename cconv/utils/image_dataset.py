"""`image_dataset_from_directory`: folders of image files as batches, decoded in threads ahead of the model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..config import standardize_data_format
from ..pipeline import AUTOTUNE, Dataset
from ..seeds import next_seed
from ..warning import warn
from .directory import Listing, check_split, listed, part, shuffled
from .image_files import MODES, pillow, pixels
from .io_utils import print_msg
from .resampling import INTERPOLATIONS, cropped, padded, resized

_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: str | os.PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
    damaged: str = "raise",
) -> Any:
    """A data set of the images in a folder that has a folder for each class.

    Files (`.jpg`, `.jpeg`, `.png`, `.bmp`, `.gif`: the first picture) are decoded by as many threads as cconv computes
    with, while the model computes; two batches are kept ready. Which files are for training and which for validation,
    and their first order, is what Keras makes of the same `seed`; with `shuffle`, all of them come in another order in
    each epoch. A resized image has the numbers that Keras feeds: no smaller decoding of
    large JPEG files is used, which would have others.

    Args:
        directory: The folder.
        labels: `"inferred"` from the folders; a list or tuple of whole numbers, one for each file in the order of their
            names; or `None` for images without labels.
        label_mode: `"int"`: numbers of classes, int32 of shape `(n,)`; `"categorical"`: float32 `(n, classes)`;
            `"binary"`: float32 `(n, 1)`, of two classes; `None`: images without labels.
        class_names: The folders of the classes in the order of their numbers; by default by name.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        batch_size: Images in a batch; `None`: single images.
        image_size: `(height, width)` to resize to.
        shuffle: Whether the order is random; else it is that of the names.
        seed: Seed of the order.
        validation_split: The share of the files for validation.
        subset: `"training"`, `"validation"`, or `"both"` for a pair of data sets.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        follow_links: Whether links to folders are followed.
        crop_to_aspect_ratio: Whether what does not fit the proportions of `image_size` is cut off, not squeezed.
        pad_to_aspect_ratio: Whether black is added at the sides instead.
        data_format: `"channels_last"` or `"channels_first"`.
        format: Must be `"tf"`; here for the sake of Keras' signature. There is one kind of data set.
        verbose: Whether to print how many files and classes were found.
        damaged: What becomes of a file that cannot be decoded: `"raise"` an error that names it, or `"skip"` it with
            such a warning (the number of batches is then not known before the first epoch).

    Returns:
        A `cconv.data.Dataset` of batches `(images, labels)`, or of images; images are float32 of shape
        `(n, height, width, channels)`, values 0 to 255. It has the attributes `class_names` and `file_paths`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: An argument does not fit; there are no images; a file is damaged (when its batch is asked for).
        OSError: There is no such folder.

    Example:

    >>> import os
    >>> for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
    ...     os.makedirs(os.path.dirname(name), exist_ok=True)
    ...     cconv.utils.save_img(name, np.zeros((5, 7, 3)))
    >>> data = cconv.utils.image_dataset_from_directory(".", image_size=(4, 4), shuffle=False)
    Found 3 files belonging to 2 classes.
    >>> for images, labels in data:
    ...     print(images.shape, labels, data.class_names)
    (3, 4, 4, 3) [0 0 1] ['cat', 'dog']
    """
    _one_of("color_mode", color_mode, tuple(MODES))
    _one_of("label_mode", label_mode, ("int", "categorical", "binary", None))
    _one_of("interpolation", interpolation, INTERPOLATIONS)
    _one_of("damaged", damaged, ("raise", "skip"))
    _one_of("format", format, ("tf",))
    _check_labels(labels, class_names)
    size = _size(image_size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True. Received: both")
    check_split(validation_split, subset, shuffle, seed)
    data_format = standardize_data_format(data_format)
    pillow()

    if labels is None or label_mode is None:
        labels = label_mode = None
    listing = listed(directory, labels, _FORMATS, class_names, follow_links)
    count, classes = len(listing.paths), len(listing.class_names)
    if verbose:
        print_msg(f"Found {count} files." if labels is None else f"Found {count} files belonging to {classes} classes.")
    if label_mode == "binary" and classes != 2:
        raise ValueError(f"`label_mode='binary'` needs exactly two classes. Received: {listing.class_names}")
    if seed is None:
        seed = next_seed()
    if shuffle:
        listing = shuffled(listing, seed)

    def image(path: str) -> np.ndarray | None:
        try:
            found = pixels(path, color_mode)
        except ValueError as error:
            if damaged == "raise":
                raise
            warn(f"{error} It is left out.")
            return None
        if crop_to_aspect_ratio:
            found = cropped(found, size)
        elif pad_to_aspect_ratio:
            found = padded(found, size)
        found = resized(found, size, interpolation)
        return found if data_format == "channels_last" else np.ascontiguousarray(found.transpose(2, 0, 1))

    def made(which: str | None) -> Dataset:
        chosen = part(listing, validation_split, which)
        if not chosen.paths:
            raise ValueError(
                f"Expected images in {os.fspath(directory)!r}"
                + (f" for the {which} subset" if which else "")
                + f", files that end in {', '.join(_FORMATS)}. Found none."
            )
        return _batches(chosen, image, label_mode, batch_size, seed if shuffle else None, damaged == "skip")

    return (made("training"), made("validation")) if subset == "both" else made(subset)


def _batches(
    listing: Listing, image: Any, label_mode: str | None, batch_size: int | None, seed: int | None, skips: bool
) -> Dataset:
    paths, labels = listing.paths, None if label_mode is None else listing.labels
    if labels is not None and label_mode == "categorical":
        classes = len(listing.class_names)
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(
                f"`label_mode='categorical'` needs labels from 0 to {classes - 1}, the number of different ones less "
                f"one. Received labels from {labels.min()} to {labels.max()}"
            )
        labels = np.eye(classes, dtype=np.float32)[labels]
    elif labels is not None:
        labels = labels[:, None].astype(np.float32) if label_mode == "binary" else labels.astype(np.int32)

    def element(number: int) -> Any:
        found = image(paths[number])
        return found if labels is None or found is None else (found, labels[number])

    data = Dataset.range(len(paths))
    if seed is not None:
        data = data.shuffle(len(paths), seed)
    data = data.map(element, AUTOTUNE)
    if skips:
        data = data.filter(lambda *parts: parts[0] is not None)
    if batch_size is not None:
        data = data.batch(batch_size)
    data = data.prefetch(2 if batch_size is not None else 16)
    data.class_names = list(listing.class_names)
    data.file_paths = list(paths)
    return data


def _one_of(name: str, value: Any, known: tuple) -> None:
    if not isinstance(value, (str, type(None))) or value not in known:
        raise ValueError(f"`{name}`: expected one of {', '.join(map(repr, known))}. Received: {value!r}")


def _check_labels(labels: Any, class_names: Any) -> None:
    if labels is not None and not (
        isinstance(labels, (list, tuple)) or (isinstance(labels, str) and labels == "inferred")
    ):
        raise ValueError(
            "`labels`: expected 'inferred', a list or tuple of whole numbers, one for each file, or None. "
            f"Received: {labels!r}"
        )
    if isinstance(labels, (list, tuple)) and not all(isinstance(x, (int, np.integer)) for x in labels):
        raise ValueError("`labels`: expected a list or tuple of whole numbers. Received other values.")
    if class_names is not None and not isinstance(labels, str):
        raise ValueError(f"`class_names` can be given with labels='inferred' only. Received: labels={labels!r:.60}")


def _size(value: Any) -> tuple[int, int]:
    sizes = tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(sizes) != 2 or not all(isinstance(x, (int, np.integer)) and 0 < x < 2**15 for x in sizes):
        raise ValueError(f"`image_size`: expected (height, width), two positive whole numbers. Received: {value!r}")
    return int(sizes[0]), int(sizes[1])
