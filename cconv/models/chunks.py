"""Predictions of many samples in several runs of fewer: what a run reads and writes then stays in the cache."""

from __future__ import annotations

from collections.abc import Iterable

from ..tensor import Tensor

# Of a plan: what the second-level caches of two cores hold. (The MNIST convnet in runs of 16 images is a fifth faster
# than in runs of 125, in runs of 64 it is not.) Not told from the machine or the threads: results would differ.
_BYTES = 2 << 20
_LEAST = 8  # samples of a run: fewer would not keep every core busy


def chunk_size(tensors: Iterable[Tensor], plan_bytes: int, max_batch: int) -> int:
    """How many samples a run should take of at most `max_batch`, whose plan has `plan_bytes`, if samples stay apart."""
    weights = sum(4 * t.value.size for t in tensors if t.op == "variable")
    fits = _BYTES * max_batch // max(plan_bytes, 1)
    if fits >= max_batch or fits < _LEAST or weights > _BYTES // 4:
        return max_batch
    return 1 << (fits.bit_length() - 1)
