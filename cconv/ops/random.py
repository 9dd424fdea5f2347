"""Random numbers in models and out of them: draws of the core's generator, and dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _core
from ..scope import current_name, is_tracing
from ..seeds import SeedGenerator, next_seed
from ..tensor import Tensor, Value
from ._apply import apply, shape_of
from .arguments import is_integer, number, whole
from .operation import operation
from .unknown_sizes import input_with_sizes

__all__ = [
    "dropout",
]

Seed = int | SeedGenerator | None


def check_seed(seed: Any) -> Seed:
    """An integer, a `SeedGenerator` or `None`."""
    if seed is None or isinstance(seed, SeedGenerator):
        return seed
    if not is_integer(seed):
        raise ValueError(
            "Argument `seed` must be an integer, an instance of `cconv.random.SeedGenerator` or None. "
            f"Received: seed={seed!r}"
        )
    return int(seed)


def seed_attributes(seed: Seed) -> dict[str, Any]:
    """How the op `random` tells a seed: a number is the same numbers in every run, a generator new ones in each."""
    if isinstance(seed, SeedGenerator):
        return {"seed": seed.first}
    return {} if seed is None else {"seed": (seed + 2**63) % 2**64 - 2**63, "fixed": True}


def run_seed(seed: Seed) -> int:
    """The seed of a run that happens at once."""
    return seed.next() if isinstance(seed, SeedGenerator) else next_seed() if seed is None else 0


def draw(distribution: str, shape: Sequence[int | None], seed: Seed, like: Any = None) -> Value:
    """Numbers of a distribution: of the core's generator, at once or as a node of the model that is being traced.

    Args:
        distribution: `"uniform"` (0 up to 1), `"normal"` or `"truncated_normal"` (mean 0, deviation 1).
        shape: Sizes; in a traced call `None` for one that is not known yet.
        seed: Integer, `SeedGenerator` or `None`.
        like: The tensor that has the sizes that are `None`, along the same axes; by default one of the layer's inputs.
    """
    if not is_tracing() and not isinstance(like, Tensor):
        attributes = {"distribution": distribution, "shape": _sizes(shape, like), **seed_attributes(seed)}
        if isinstance(seed, SeedGenerator):
            del attributes["seed"]  # one program for all
        return apply("random", [None], attributes, seed=run_seed(seed))
    sizes = [-1 if size is None else size for size in shape]
    if -1 not in sizes:
        like = None
    elif like is None:
        like = input_with_sizes(shape, "random numbers")
    attributes = {"distribution": distribution, "shape": sizes, **seed_attributes(seed)}
    if like is not None:
        return apply("random", [like], attributes)
    told, dtype = _core.infer_value("random", [None], (None,), attributes, current_name())
    return Tensor(told, op="random", inputs=(None,), attributes=attributes, name=current_name(), dtype=dtype)


def _sizes(shape: Sequence[int | None], like: Any) -> list[int]:
    known = () if like is None else shape_of(like)
    return [known[k] if size is None and k < len(known) else size for k, size in enumerate(shape)]


def dropped(x: Any, rate: float, noise_shape: Sequence[int | None], seed: Seed) -> Value:
    """`x` with a share `rate` of it 0, whole axes together where `noise_shape` is 1; the rest divided by `1 - rate`."""
    if rate == 1:
        return apply("multiply", [x, 0.0])
    kept = apply("greater_equal", [draw("uniform", noise_shape, seed, like=x), rate])
    return apply("where", [kept, apply("multiply", [x, 1 / (1 - rate)]), 0.0])


def noise_sizes(noise_shape: Any, x: Any) -> list[int | None]:
    """`noise_shape` of an input: `None` is the size that the input has.

    Raises:
        ValueError: It cannot stretch to the shape of the input.
    """
    shape = shape_of(x)
    try:
        sizes = [own if size is None else int(size) for size, own in zip(noise_shape, shape, strict=True)]
        fits = all(a == 1 or a == b or b is None for a, b in zip(sizes, shape, strict=True))
    except (TypeError, ValueError):
        fits = False
    if not fits:
        owner = f"{current_name()}: " if current_name() else ""
        raise ValueError(
            f"{owner}`noise_shape` must have a size for each axis of the input: 1, the input's own or None for it. "
            f"Received: noise_shape={noise_shape!r} for an input of shape {shape}"
        )
    return sizes


@operation("x", module="nn")
def dropout(x: Any, rate: float, seed: int | None = None) -> Value:
    """Sets a share `rate` of the values to 0 and multiplies the others by `1 / (1 - rate)`.

    Example:

    >>> sorted(set(cconv.ops.dropout(np.ones(100), 0.5, seed=1).tolist()))
    [0.0, 2.0]
    """
    rate = number(rate, "rate", 0, 1, open_top=True)
    seed = next_seed() if seed is None else whole(seed, "seed") % 2**63
    # the attribute tells nodes of one graph apart, the run's seed one call from the next
    return apply("dropout", [x], {"rate": rate, "seed": 0 if not isinstance(x, Tensor) else seed}, seed=seed)
