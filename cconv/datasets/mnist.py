"""MNIST: 70,000 handwritten digits (LeCun, Cortes, Burges; CC BY-SA 3.0)."""

from __future__ import annotations

import numpy as np

from .files import Source, find
from .idx import load_idx_dataset

_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
_FILES = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads the MNIST digits.

    The four published files are looked for in `$CCONV_DATASETS/mnist`, then in `~/.cconv/datasets/mnist`, and are
    downloaded there once if they are in neither.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape `(60000, 28, 28)` and `(10000, 28, 28)`, labels of shape
        `(60000,)` and `(10000,)`, all uint8.

    Raises:
        ValueError: A file is corrupt.
        OSError: A file is nowhere, and could not be downloaded.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cconv.datasets.mnist.load_data()
    ```
    """
    sources = [Source(name, sha256, tuple(url + name for url in _MIRRORS)) for name, sha256 in _FILES.items()]
    return load_idx_dataset(tuple(find("mnist", [source]) for source in sources))
