"""`Dataset`, which makes batches of arrays, files and functions; and what `fit`, `evaluate` and `predict` are given, on
its way to the core: checked arrays, and batches of them."""

from ..pipeline import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset
from .arrays import Data, Slots, make_data, split
from .batches import ArrayFeed, BatchFeed, Feed, is_batches, refuse
from .outputs import by_output, deal, named

__all__ = [
    "AUTOTUNE",
    "ArrayFeed",
    "BatchFeed",
    "Data",
    "Dataset",
    "Feed",
    "INFINITE_CARDINALITY",
    "Slots",
    "UNKNOWN_CARDINALITY",
    "by_output",
    "deal",
    "is_batches",
    "make_data",
    "named",
    "refuse",
    "split",
]
