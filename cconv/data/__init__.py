"""What `fit`, `evaluate` and `predict` are given, on its way to the core: checked arrays, and batches of them."""

from .arrays import Data, Slots, make_data, split
from .batches import ArrayFeed, BatchFeed, Feed, is_batches, refuse
from .outputs import by_output, deal, named

__all__ = [
    "ArrayFeed",
    "BatchFeed",
    "Data",
    "Feed",
    "Slots",
    "by_output",
    "deal",
    "is_batches",
    "make_data",
    "named",
    "refuse",
    "split",
]
