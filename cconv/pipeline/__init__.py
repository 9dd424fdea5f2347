"""Elements on their way to a model: data sets made of steps, and the threads that the steps run in."""

from .dataset import Dataset
from .elements import AUTOTUNE
from .steps import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]
