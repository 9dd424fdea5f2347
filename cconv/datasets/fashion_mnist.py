"""Fashion-MNIST: 70,000 pictures of clothes, in MNIST's format (Zalando Research; MIT)."""

from __future__ import annotations

import numpy as np

from .files import Source, find
from .idx import load_idx_dataset

_MIRRORS = (
    "https://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
_FILES = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads the Fashion-MNIST pictures.

    The ten classes are t-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and ankle boot. The
    four published files are looked for in `$CCONV_DATASETS/fashion_mnist`, then in `~/.cconv/datasets/fashion_mnist`,
    and are downloaded there once if they are in neither.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of shape `(60000, 28, 28)` and `(10000, 28, 28)`, labels of shape
        `(60000,)` and `(10000,)`, all uint8.

    Raises:
        ValueError: A file is corrupt.
        OSError: A file is nowhere, and could not be downloaded.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cconv.datasets.fashion_mnist.load_data()
    ```
    """
    sources = [Source(name, sha256, tuple(url + name for url in _MIRRORS)) for name, sha256 in _FILES.items()]
    return load_idx_dataset(tuple(find("fashion_mnist", [source]) for source in sources))
