"""Well-known collections of labelled pictures, downloaded once; each has `load_data()`."""

from . import cifar10, fashion_mnist, mnist

__all__ = ["cifar10", "fashion_mnist", "mnist"]
