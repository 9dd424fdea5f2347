"""Micro-batches: predictions of many samples in several runs of fewer, whose values then stay in the cache."""

from __future__ import annotations

from collections.abc import Iterable

from ..tensor import Tensor

# What the second-level caches of two cores hold. (The MNIST convnet in runs of 16 images is a fifth faster than in runs
# of 125, in runs of 64 it is not.) Not told from the machine or the threads: results would differ.
CACHE_BYTES = 2 << 20
_MIN_SIZE = 8  # samples: fewer would not keep every core busy

# Ops whose outputs for one sample depend on that sample only, as long as their axis is not the batch.
_BY_SAMPLE = """
    conv2d dense max_pool avg_pool sum_pool l2_pool global_avg_pool global_max_pool batch_norm flatten
    pad concatenate softmax log_softmax relu leaky_relu elu sigmoid tanh arctan softplus softsign binary_step
    negative abs sqrt square exp log clip cast identity stop_gradient add subtract multiply divide maximum minimum
""".split()  # noqa: SIM905


def micro_batch_size(tensors: Iterable[Tensor], plan_bytes: int, max_batch: int) -> int:
    """How many samples a run should take of at most `max_batch`, whose plan has `plan_bytes`."""
    tensors = list(tensors)
    weights = sum(4 * t.value.size for t in tensors if t.op == "variable")
    fits = CACHE_BYTES * max_batch // max(plan_bytes, 1)
    if fits >= max_batch or fits < _MIN_SIZE or weights > CACHE_BYTES // 4 or not _by_sample(tensors):
        return max_batch
    return 1 << (fits.bit_length() - 1)


def _by_sample(tensors: list[Tensor]) -> bool:
    for t in tensors:
        if t.op in ("input", "variable", "constant"):
            continue
        if t.op not in _BY_SAMPLE or not t.shape or t.shape[0] is not None or t.attributes.get("training"):
            return False
        if t.attributes.get("axis", -1) % len(t.shape) == 0:
            return False
        if t.op == "pad" and any(t.attributes["pads"][:: len(t.shape)]):
            return False
        ranks = {len(x.shape) for x in t.inputs if x is not None and x.op not in ("variable", "constant")}
        if len(ranks) != 1:  # broadcasting could set the batch of one beside another axis of the other
            return False
    return True
