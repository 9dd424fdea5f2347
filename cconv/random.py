"""Random numbers, as `keras.random`.

Each function draws at once, or in the `call` of a layer as part of the model, where it gives new numbers in every run.
The `seed` of all of them is an integer (the same numbers each time, as arrays and in models), a `SeedGenerator` (the
next numbers of its stream) or `None` (of the global stream, which `cconv.utils.set_random_seed` starts anew). The
numbers are the same for any number of threads; they are not those that Keras draws from a seed.

In a call the batch may be unknown: `None` in a shape is the size that the layer's input has along the same axis.

>>> class Sampling(cconv.layers.Layer):
...     def __init__(self, **kwargs):
...         super().__init__(**kwargs)
...         self.seed_generator = cconv.random.SeedGenerator(1337)
...
...     def call(self, inputs):
...         mean, log_variance = inputs
...         noise = cconv.random.normal(cconv.ops.shape(mean), seed=self.seed_generator)
...         return mean + cconv.ops.exp(0.5 * log_variance) * noise
>>> Sampling()([cconv.Input((4,)), cconv.Input((4,))]).shape
(None, 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .config import standardize_dtype
from .keras_names import getattr_of
from .ops._apply import apply, is_eager, shape_of
from .ops.arguments import axis as number_of_axis
from .ops.arguments import is_integer, number, positive_integer
from .ops.random import Seed, check_seed, draw, dropped, noise_sizes, run_seed
from .registry import register_public
from .scope import is_tracing
from .seeds import SeedGenerator as SeedGenerator
from .seeds import next_seed as next_seed
from .seeds import set_global_seed as set_global_seed
from .tensor import Value

_MOST = 2**24  # whole numbers that one uniform number tells apart


def uniform(
    shape: Sequence[int | None],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: str | None = None,
    seed: Seed = None,
) -> Value:
    """Numbers spread evenly from `minval` up to `maxval`, which is not drawn.

    Args:
        shape: Sizes of the result.
        minval: Lowest number.
        maxval: End of the range.
        dtype: `"float32"`.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> x = cconv.random.uniform((2, 3), minval=-1, maxval=1, seed=1)
    >>> x.shape, bool(np.all(np.abs(x) <= 1))
    ((2, 3), True)
    """
    standardize_dtype(dtype)
    low, high = number(minval, "minval"), number(maxval, "maxval")
    y = draw("uniform", _shape(shape), check_seed(seed))
    if (low, high) == (0, 1):
        return y
    y = apply("add", [apply("multiply", [y, high - low]), low])
    return apply("minimum", [y, np.nextafter(np.float32(high), np.float32(low))]) if low < high else y


def normal(
    shape: Sequence[int | None],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: Seed = None,
) -> Value:
    """Numbers of the normal distribution (Box and Muller, 1958).

    Args:
        shape: Sizes of the result.
        mean: Their mean.
        stddev: Their standard deviation.
        dtype: `"float32"`.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> a, b = cconv.random.normal((2,), seed=1), cconv.random.normal((2,), seed=1)
    >>> bool(np.all(a == b))
    True
    """
    standardize_dtype(dtype)
    return _moved(draw("normal", _shape(shape), check_seed(seed)), mean, stddev)


def truncated_normal(
    shape: Sequence[int | None],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: Seed = None,
) -> Value:
    """Numbers of the normal distribution of which none lies more than two standard deviations from the mean.

    Arguments and errors as for `normal`; `stddev` is the deviation before the tails are cut.

    Example:

    >>> x = cconv.random.truncated_normal((100,), seed=1)
    >>> bool(abs(x).max() <= 2)
    True
    """
    standardize_dtype(dtype)
    return _moved(draw("truncated_normal", _shape(shape), check_seed(seed)), mean, stddev)


def _moved(y: Value, mean: Any, stddev: Any) -> Value:
    for value, name in ((mean, "mean"), (stddev, "stddev")):
        if not hasattr(value, "shape"):  # a tensor may stand here, too
            number(value, name)
    y = y if isinstance(stddev, (int, float)) and stddev == 1 else apply("multiply", [y, stddev])
    return y if isinstance(mean, (int, float)) and mean == 0 else apply("add", [y, mean])


def randint(
    shape: Sequence[int | None], minval: int, maxval: int, dtype: str | None = "int32", seed: Seed = None
) -> Value:
    """Whole numbers from `minval` up to `maxval`, which is not drawn.

    Args:
        shape: Sizes of the result.
        minval: Lowest number.
        maxval: End of the range; in a model at most 2**24 above `minval`.
        dtype: `"int32"`; for arrays any type of whole numbers.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> set(cconv.random.randint((100,), 2, 4, seed=1).tolist()) == {2, 3}
    True
    """
    shape, seed, name = _shape(shape), check_seed(seed), np.dtype(dtype or "int32")
    for value, what in ((minval, "minval"), (maxval, "maxval")):
        if not is_integer(value):
            raise ValueError(f"Argument `{what}` must be an integer. Received: {what}={value!r}")
    if name.kind not in "iu" or (is_tracing() and name.name != "int32"):
        raise ValueError(f"`dtype` must be a type of whole numbers, in a model int32. Received: dtype={dtype!r}")
    if minval >= maxval:
        raise ValueError(f"Expected minval < maxval. Received: minval={minval}, maxval={maxval}")
    if maxval - minval > _MOST:
        if is_tracing():
            raise ValueError(
                f"In a model `maxval` may be at most 2**24 above `minval`. Received: minval={minval}, maxval={maxval}"
            )
        return _generator(seed).integers(minval, maxval, _known(shape), dtype=np.int64).astype(name)
    y = apply("floor", [apply("multiply", [draw("uniform", shape, seed), float(maxval - minval)])])
    y = apply("add", [apply("cast", [y], {"to": "int32"}), int(minval)])
    return y if is_tracing() else y.astype(name)


def categorical(logits: Any, num_samples: int, dtype: str | None = "int32", seed: Seed = None) -> Value:
    """Classes drawn by their probabilities, by the largest of logits with Gumbel's noise.

    Args:
        logits: Array or tensor `(n, classes)` of logarithms of probabilities, up to a number for each row.
        num_samples: How many are drawn of each row.
        dtype: `"int32"`.
        seed: Integer, `SeedGenerator` or `None`.

    Returns:
        Class numbers `(n, num_samples)`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.random.categorical(np.log([[1.0, 1e-9], [1e-9, 1.0]]), 3, seed=1).tolist()
    [[0, 0, 0], [1, 1, 1]]
    """
    shape = shape_of(logits)
    if len(shape) != 2:
        raise ValueError(f"`logits` must have shape (n, classes). Received: shape {shape}")
    if dtype not in (None, "int32"):
        raise ValueError(f"`dtype` must be int32. Received: dtype={dtype!r}")
    num_samples = positive_integer(num_samples, "num_samples")
    logits = apply("expand_dims", [logits], {"axis": 1})
    u = draw("uniform", (shape[0], num_samples, shape[1]), check_seed(seed), like=logits)
    noise = apply("negative", [apply("log", [apply("negative", [apply("log", [u])])])])
    return apply("argmax", [apply("add", [logits, noise])], {"axis": -1})


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None) -> Value:
    """A share `rate` of the values becomes 0, the others are divided by `1 - rate`.

    Args:
        inputs: Array or tensor.
        rate: The share, from 0 to 1 (everything).
        noise_shape: Sizes of what is drawn; along an axis where it is 1, all are dropped or none. `None`: the input's.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> x = cconv.random.dropout(np.ones((50, 4)), 0.5, noise_shape=(50, 1), seed=1)
    >>> sorted(set(x.sum(axis=1).tolist()))
    [0.0, 8.0]
    """
    rate, seed = number(rate, "rate", 0, 1), check_seed(seed)
    if noise_shape is None and seed is None and rate < 1:
        return apply("dropout", [inputs], {"rate": rate}, seed=run_seed(seed))
    return dropped(inputs, rate, noise_sizes(shape_of(inputs) if noise_shape is None else noise_shape, inputs), seed)


def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Value:
    """The slices of `x` along an axis in random order.

    Args:
        x: Array or tensor.
        axis: The axis; in a model its size must be known, unless it is the batch.
        seed: Integer, `SeedGenerator` or `None`.

    Example:

    >>> sorted(cconv.random.shuffle(np.array([3, 1, 2]), seed=1).tolist())
    [1, 2, 3]
    """
    shape, seed = shape_of(x), check_seed(seed)
    axis = number_of_axis(axis, len(shape))
    if shape[axis] is None and axis != 0:
        raise ValueError(f"`shuffle` expects an axis of a size that is known. Received: axis={axis} of shape {shape}")
    order = apply("argsort", [draw("uniform", shape[axis : axis + 1], seed, like=x)])
    return apply("take", [x, order], {"axis": axis})


def binomial(shape: Sequence[int], counts: Any, probabilities: Any, dtype: str | None = None, seed: Seed = None) -> Any:
    """How many of `counts` trials succeed, each with probability `probabilities`. By NumPy: for arrays only.

    Args:
        shape: Sizes of the result.
        counts: Numbers of trials, of a shape that stretches to `shape`.
        probabilities: From 0 to 1, likewise.
        dtype: `"float32"`.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        NotImplementedError: It is called in a model.

    Example:

    >>> cconv.random.binomial((2,), 5, [0.0, 1.0]).tolist()
    [0.0, 5.0]
    """
    generator = _for_arrays("binomial", shape, dtype, seed, counts, probabilities)
    return generator.binomial(np.int64(np.asarray(counts)), probabilities, _known(shape)).astype(np.float32)


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: str | None = None, seed: Seed = None) -> Any:
    """Numbers of the beta distribution. By NumPy: for arrays only.

    Args:
        shape: Sizes of the result.
        alpha: Positive numbers, of a shape that stretches to `shape`.
        beta: Likewise.
        dtype: `"float32"`.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        NotImplementedError: It is called in a model.

    Example:

    >>> cconv.random.beta((2, 3), 2.0, 1.0, seed=1).shape
    (2, 3)
    """
    return _for_arrays("beta", shape, dtype, seed, alpha, beta).beta(alpha, beta, _known(shape)).astype(np.float32)


def gamma(shape: Sequence[int], alpha: Any, dtype: str | None = None, seed: Seed = None) -> Any:
    """Numbers of the gamma distribution of scale 1. By NumPy: for arrays only.

    Args:
        shape: Sizes of the result.
        alpha: Positive numbers, of a shape that stretches to `shape`.
        dtype: `"float32"`.
        seed: Integer, `SeedGenerator` or `None`.

    Raises:
        NotImplementedError: It is called in a model.

    Example:

    >>> cconv.random.gamma((2, 3), 2.0, seed=1).shape
    (2, 3)
    """
    return _for_arrays("gamma", shape, dtype, seed, alpha).gamma(alpha, 1.0, _known(shape)).astype(np.float32)


def _for_arrays(name: str, shape: Any, dtype: str | None, seed: Any, *inputs: Any) -> np.random.Generator:
    standardize_dtype(dtype)
    if is_tracing() or not is_eager(*inputs) or None in _shape(shape):
        raise NotImplementedError(
            f"`cconv.random.{name}` draws arrays, not numbers of a model: expected a call outside of layers, on arrays."
        )
    return _generator(check_seed(seed))


def _generator(seed: Seed) -> np.random.Generator:
    return np.random.default_rng(run_seed(seed) if not is_integer(seed) else seed % 2**64)


def _shape(shape: Any) -> tuple[int | None, ...]:
    try:
        sizes = tuple(shape)
    except TypeError:
        sizes = (-1,)
    if not all(size is None or (is_integer(size) and size >= 0) for size in sizes):
        raise ValueError(f"`shape` must be a sequence of sizes of at least 0, or None. Received: shape={shape!r}")
    if None in sizes and not is_tracing():
        raise ValueError(
            "`shape`: a size can be None in the `call` of a layer only, where it is the input's. "
            f"Received: shape={shape}"
        )
    return sizes


def _known(shape: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in shape)


__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip
register_public("keras.random", {"__all__": ["SeedGenerator"], "SeedGenerator": SeedGenerator})
__getattr__ = getattr_of(globals(), ["next_seed", "set_global_seed"])
