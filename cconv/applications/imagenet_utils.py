"""How images become the numbers that networks trained on ImageNet were given, and theirs become names."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import numpy as np

from .. import ops
from ..config import standardize_data_format
from ..tensor import Tensor
from ..utils.cached_file import get_file, users_folder

__all__ = ["decode_predictions", "preprocess_input"]

# of the images of ImageNet: in 0...255 and blue, green, red; in 0...1 and red, green, blue
_MEAN_BGR = (103.939, 116.779, 123.68)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_CLASSES = 1000
_INDEX = "imagenet_class_index.json"  # {"0": ["n01440764", "tench"], ...}
_ADDRESS = f"https://storage.googleapis.com/download.tensorflow.org/data/{_INDEX}"
_MD5 = "c2c37ea517e94d9795004a39431a14cb"


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> np.ndarray | Tensor:
    """Scales red, green and blue of 0 to 255 the way a network was trained with.

    Args:
        x: One image or a batch of them: an array, or a symbolic tensor. It is left as it is.
        data_format: `"channels_last"` or `"channels_first"`; `None`: `cconv.config.image_data_format()`.
        mode: `"caffe"`: blue, green and red, each less its mean over ImageNet. `"tf"`: from -1 to 1. `"torch"`:
            from 0 to 1, then each color less its mean and divided by its standard deviation over ImageNet.

    Returns:
        An array of the same floating type (float32 for whole numbers), or a symbolic tensor.

    Raises:
        ValueError: Unknown mode or layout, or images that have not three colors where the mode needs them.

    Example:

    >>> pixel = np.array([[[255, 0, 0]]], np.uint8)
    >>> cconv.applications.imagenet_utils.preprocess_input(pixel, mode="tf").tolist()
    [[[1.0, -1.0, -1.0]]]
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(f"Expected `mode` to be 'caffe', 'tf' or 'torch'. Received: mode={mode!r}")
    first = standardize_data_format(data_format) == "channels_first"
    x = floating(x)
    if x.ndim not in (3, 4):
        raise ValueError(f"Expected an image or a batch of images. Received: shape={tuple(x.shape)}")
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = x.ndim - 3 if first else x.ndim - 1
    if x.shape[axis] != 3:
        raise ValueError(
            f"Mode '{mode}' is for images of three colors, along axis {axis}. Received: shape={tuple(x.shape)}"
        )
    sizes = (3, 1, 1) if first else (3,)

    def colors(values: tuple[float, ...]) -> np.ndarray:
        return np.array(values, x.dtype).reshape(sizes)

    if mode == "torch":
        return (x / 255.0 - colors(_MEAN)) / colors(_DEVIATION)
    return _backwards(x, axis) - colors(_MEAN_BGR)


def floating(x: Any) -> Any:
    """A symbolic tensor, or an array that is float32 if it was of whole numbers."""
    if isinstance(x, Tensor):
        return x
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float32)


def _backwards(x: Any, axis: int) -> Any:
    if isinstance(x, Tensor):
        at = (slice(None),) * axis
        return ops.stack([x[(*at, i)] for i in (2, 1, 0)], axis=axis)
    return np.flip(x, axis)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, np.floating]]]:
    """The names of the likeliest classes of ImageNet.

    The names are in the file `imagenet_class_index.json`, which is looked for in `$CCONV_DATASETS/labels`, then in
    `~/.cconv/models`, and is downloaded there once if it is in neither.

    Args:
        preds: What a network says of a batch of images: an array of shape `(batch, 1000)`.
        top: The number of classes for each image.

    Returns:
        A list for each image: `(WordNet id, name, value)` of its classes, the greatest value first.

    Raises:
        ValueError: `preds` has another shape, `top` is not positive, or the file is another one.
        OSError: The file is nowhere, and could not be downloaded.

    Example:

    ```python
    model = cconv.applications.ResNet50(weights="imagenet")
    y = model.predict(cconv.applications.resnet50.preprocess_input(images))
    print(cconv.applications.resnet50.decode_predictions(y, top=1))  # [[('n02504458', 'African_elephant', 0.94)]]
    ```
    """
    values = np.asarray(preds)
    if values.ndim != 2 or values.shape[1] != _CLASSES:
        raise ValueError(f"Expected `preds` of shape (batch, {_CLASSES}). Received: shape={values.shape}")
    if not 0 < top <= _CLASSES:
        raise ValueError(f"Expected `top` to be from 1 to {_CLASSES}. Received: top={top}")
    names = _class_names(_path_of_class_index())
    best = np.argsort(-values, axis=1, kind="stable")[:, :top]
    return [[(*names[i], row[i]) for i in order] for row, order in zip(values, best, strict=True)]


def _path_of_class_index() -> str:
    folder = users_folder("labels")
    if folder and os.path.isfile(path := os.path.join(folder, _INDEX)):
        return path
    try:
        return get_file(_INDEX, _ADDRESS, cache_subdir="models", file_hash=_MD5)
    except OSError as error:
        place = f"into {folder!r}" if folder else "into <folder>/labels and set the variable CCONV_DATASETS to <folder>"
        raise OSError(f"{error} Without a network, put the file {_INDEX}, as Keras has it, {place}.") from error


@functools.lru_cache(maxsize=1)
def _class_names(path: str) -> list[tuple[str, str]]:
    """WordNet id and name of each class."""
    with open(path, encoding="utf-8") as file:
        try:
            found = json.load(file)
            names = [tuple(found[str(i)]) for i in range(_CLASSES)]
        except (ValueError, KeyError, TypeError):
            names = []
    if not all(len(entry) == 2 and all(isinstance(word, str) for word in entry) for entry in names) or not names:
        raise ValueError(f'{path!r} is no class index of ImageNet: expected {{"0": ["n01440764", "tench"], ...}}.')
    return names
