"""What `fit`, `evaluate` and `predict` are given, on its way to the core: checked arrays, and batches of them."""

from .arrays import Data, Slots, make_data, split
from .batches import ArrayFeed, BatchFeed, Feed, is_batches, refuse

__all__ = ["ArrayFeed", "BatchFeed", "Data", "Feed", "Slots", "is_batches", "make_data", "refuse", "split"]
