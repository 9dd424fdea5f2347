"""Micro-batches: predictions of many samples in several runs of fewer, whose values then stay in the cache."""

from __future__ import annotations

from ..program import Program

# What the second-level caches of two cores hold. (The MNIST convnet in runs of 16 images is a fifth faster than in runs
# of 125, in runs of 64 it is not.) Not told from the machine or the threads: results would differ.
CACHE_BYTES = 2 << 20
_MIN_SIZE = 8  # samples: fewer would not keep every core busy


def micro_batch_size(program: Program) -> int:
    """How many samples a run should take of those that the program could."""
    weights = sum(4 * variable.size for variable in program.variables)
    fits = CACHE_BYTES * program.max_batch // max(program.bytes, 1)
    if fits >= program.max_batch or fits < _MIN_SIZE or weights > CACHE_BYTES // 4 or not program.per_sample:
        return program.max_batch
    return 1 << (fits.bit_length() - 1)
