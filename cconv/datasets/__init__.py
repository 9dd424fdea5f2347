"""Well-known collections of labelled pictures, downloaded once; each has `load_data()`."""

from ..keras_names import getattr_of
from . import cifar10, cifar100, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist"]
__getattr__ = getattr_of(globals())
