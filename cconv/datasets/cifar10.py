"""CIFAR-10: 60,000 colour pictures of ten kinds of things (Krizhevsky, 2009)."""

from __future__ import annotations

import numpy as np

from .cifar import SITE, Format, read_images
from .files import Source, find

_FORMAT = Format("CIFAR-10", (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"), 10000, 10, "labels")
# The binary form comes first: it is plain bytes, while the other one holds Python pickles.
_SOURCES = (
    Source(
        "cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        (SITE + "cifar-10-binary.tar.gz",),
    ),
    Source(
        "cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        (SITE + "cifar-10-python.tar.gz",),
    ),
)


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads the CIFAR-10 pictures.

    The ten classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck. One of the published
    archives `cifar-10-binary.tar.gz` and `cifar-10-python.tar.gz` is looked for in `$CCONV_DATASETS/cifar10`, then in
    `~/.cconv/datasets/cifar10`; the first is downloaded there once if neither is found.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`, labels of
        shape `(50000, 1)` and `(10000, 1)`, all uint8.

    Raises:
        ValueError: The archive is corrupt.
        OSError: The archive is nowhere, and could not be downloaded.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cconv.datasets.cifar10.load_data()
    ```
    """
    path = find("cifar10", _SOURCES)
    batches = read_images(path, _FORMAT)
    images, labels = (np.concatenate(parts) for parts in zip(*batches[:5], strict=True))
    return (images, labels), batches[5]
