"""CIFAR-100: 60,000 colour pictures of a hundred kinds of things, in twenty groups (Krizhevsky, 2009)."""

from __future__ import annotations

import numpy as np

from .cifar import SITE, Format, read_images
from .files import Source, find

_NAMES = ("train", "test")
_FORMATS = {
    "fine": Format("CIFAR-100", _NAMES, 50000, 100, "fine_labels", 1, 2),
    "coarse": Format("CIFAR-100", _NAMES, 50000, 20, "coarse_labels", 0, 2),
}
# The binary form comes first: it is plain bytes, while the other one holds Python pickles.
_SOURCES = (
    Source(
        "cifar-100-binary.tar.gz",
        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        (SITE + "cifar-100-binary.tar.gz",),
    ),
    Source(
        "cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        (SITE + "cifar-100-python.tar.gz",),
    ),
)


def load_data(label_mode: str = "fine") -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads the CIFAR-100 pictures.

    One of the published archives `cifar-100-binary.tar.gz` and `cifar-100-python.tar.gz` is looked for in
    `$CCONV_DATASETS/cifar100`, then in `~/.cconv/datasets/cifar100`; the first is downloaded there once if neither is
    found.

    Args:
        label_mode: `"fine"`: labels from 0 to 99; `"coarse"`: those of the groups, from 0 to 19.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`, labels of
        shape `(50000, 1)` and `(10000, 1)`, all uint8 (Keras' labels are int64).

    Raises:
        ValueError: `label_mode` is another; the archive is corrupt.
        OSError: The archive is nowhere, and could not be downloaded.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cconv.datasets.cifar100.load_data()
    ```
    """
    if label_mode not in _FORMATS:
        raise ValueError(f"`label_mode`: expected 'fine' or 'coarse'. Received: {label_mode!r}")
    train, test = read_images(find("cifar100", _SOURCES), _FORMATS[label_mode])
    return train, test
