"""Initializers that draw numbers.

They give the same ones at every call when they have a `seed`; without, they take a fresh seed from the global stream
(`cconv.utils.set_random_seed`) at every call.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..config import standardize_dtype
from ..seeds import SeedGenerator, next_seed
from .initializer import Initializer, number

_PIECE = 1 << 20  # numbers drawn at a time


class RandomInitializer(Initializer):
    """Base of the initializers that draw numbers."""

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        if isinstance(seed, dict):
            seed = SeedGenerator(**seed.get("config", {}))
        if seed is not None and not isinstance(seed, SeedGenerator):
            if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
                raise ValueError(
                    "`seed` argument should be an instance of `cconv.random.SeedGenerator` or an integer. "
                    f"Received: seed={seed!r}"
                )
            seed = int(seed)
        self.seed = seed

    def generator(self) -> np.random.Generator:
        """The numbers of this call."""
        if self.seed is None:
            return np.random.default_rng(next_seed())
        if isinstance(self.seed, SeedGenerator):
            return np.random.default_rng(self.seed.next())
        return np.random.default_rng(self.seed % 2**64)

    def drawing(self, shape: Sequence[int]) -> Callable[[int], np.ndarray]:
        """A function that returns the next `n` numbers of an array of `shape`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `drawing(self, shape)` or `__call__`.")

    def pieces(self, shape: Sequence[int]) -> Iterator[np.ndarray]:
        """The numbers of an array of `shape` in order, float32, some at a time: the generator's float64 numbers of all
        weights at once would be the largest memory that making a network takes."""
        draw, left = self.drawing(shape), math.prod(shape)
        while left > 0:
            yield np.asarray(draw(min(left, _PIECE)), np.float32)
            left -= _PIECE

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        shape = tuple(operator.index(size) for size in shape)
        values, at = np.empty(math.prod(shape), np.float32), 0
        for piece in self.pieces(shape):
            values[at : at + piece.size] = piece
            at += piece.size
        return values.reshape(shape)

    def get_config(self):
        if isinstance(self.seed, SeedGenerator):
            return {"seed": self.seed.seed}
        return {"seed": self.seed}


def by_pieces(initializer: Any) -> bool:
    """Whether an initializer's numbers are those of its `pieces`: a class of one's own may have another `__call__`."""
    return isinstance(initializer, RandomInitializer) and type(initializer).__call__ is RandomInitializer.__call__


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.

    Example:

    >>> cconv.initializers.RandomNormal(stddev=0.1, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        self.mean = number(mean, "mean")
        self.stddev = number(stddev, "stddev", 0)
        super().__init__(seed)

    def drawing(self, shape):
        rng = self.generator()
        return lambda n: rng.normal(self.mean, self.stddev, n)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomInitializer):
    """Normal distribution; values further than two standard deviations from the mean are drawn again.

    Args:
        mean: Mean.
        stddev: Standard deviation before truncation.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.

    Example:

    >>> w = cconv.initializers.TruncatedNormal(stddev=0.1, seed=1)((100,))
    >>> bool(abs(w).max() <= 0.2)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        self.mean = number(mean, "mean")
        self.stddev = number(stddev, "stddev", 0)
        super().__init__(seed)

    def drawing(self, shape):
        rng = self.generator()
        return lambda n: self.mean + self.stddev * _truncated(rng, n)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class RandomUniform(RandomInitializer):
    """Uniform distribution.

    Args:
        minval: Smallest value.
        maxval: Bound of the largest values.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.

    Example:

    >>> w = cconv.initializers.RandomUniform(-1.0, 1.0, seed=1)((2, 3))
    >>> bool(abs(w).max() <= 1)
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        self.minval = number(minval, "minval")
        self.maxval = number(maxval, "maxval")
        super().__init__(seed)

    def drawing(self, shape):
        rng = self.generator()
        return lambda n: rng.uniform(self.minval, self.maxval, n)

    def get_config(self):
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class VarianceScaling(RandomInitializer):
    """Zero mean, variance `scale / n`, with `n` from the shape of the weights.

    For a shape `(..., inputs, outputs)` with `k` the product of the leading sizes (a kernel's window),
    `fan_in = k * inputs` and `fan_out = k * outputs`.

    Args:
        scale: Positive number.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"` (their mean): what `n` is.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.
        input_axes: Must be `None`; `output_axes` likewise.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> w = cconv.initializers.VarianceScaling(2.0, "fan_out", seed=1)((3, 3, 16, 32))
    >>> bool(abs(w.std() - (2 / 288) ** 0.5) < 0.01)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | SeedGenerator | None = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        if input_axes is not None or output_axes is not None:
            raise ValueError(
                "The last two axes of weights are inputs and outputs: expected input_axes=None, output_axes=None. "
                f"Received: input_axes={input_axes}, output_axes={output_axes}"
            )
        self.scale = number(scale, "scale")
        if self.scale <= 0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of ('fan_in', 'fan_out', 'fan_avg').")
        distribution = str(distribution).lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f"Invalid `distribution` argument: {distribution}. "
                "Please use one of ('uniform', 'truncated_normal', 'untruncated_normal')."
            )
        self.mode = mode
        self.distribution = distribution
        super().__init__(seed)

    def drawing(self, shape):
        fan_in, fan_out = compute_fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        rng = self.generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return lambda n: rng.uniform(-limit, limit, n)
        if self.distribution == "untruncated_normal":
            return lambda n: rng.normal(0, math.sqrt(variance), n)
        # cutting the tails off leaves 0.8796 of the standard deviation
        stddev = math.sqrt(variance) / 0.87962566103423978
        return lambda n: stddev * _truncated(rng, n)

    def get_config(self):
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, **super().get_config()}


class _Scaled(VarianceScaling):
    """A `VarianceScaling` with a name of its own."""

    settings: tuple[float, str, str]

    def __init__(
        self, seed: int | SeedGenerator | None = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(*self.settings, seed, input_axes, output_axes)

    def get_config(self):
        return RandomInitializer.get_config(self)


class GlorotUniform(_Scaled):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    Args:
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.
        input_axes: Must be `None`; `output_axes` likewise.

    Example:

    >>> w = cconv.initializers.GlorotUniform(seed=1)((3, 3, 1, 32))
    >>> bool(abs(w).max() <= (6 / (9 + 288)) ** 0.5)
    True
    """

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010).

    Arguments as for `GlorotUniform`.

    Example:

    >>> w = cconv.initializers.GlorotNormal(seed=1)((3, 3, 16, 32))
    >>> w.shape
    (3, 3, 16, 32)
    """

    settings = (1.0, "fan_avg", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform in +-sqrt(3 / fan_in).

    Arguments as for `GlorotUniform`.

    Example:

    >>> w = cconv.initializers.LecunUniform(seed=1)((3, 3, 16, 32))
    >>> bool(abs(w).max() <= (3 / 144) ** 0.5)
    True
    """

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in.

    Arguments as for `GlorotUniform`.

    Example:

    >>> w = cconv.initializers.LecunNormal(seed=1)((3, 3, 16, 32))
    >>> bool(abs(w.std() - (1 / 144) ** 0.5) < 0.01)
    True
    """

    settings = (1.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform in +-sqrt(6 / fan_in) (He et al., 2015).

    Arguments as for `GlorotUniform`.

    Example:

    >>> w = cconv.initializers.HeUniform(seed=1)((3, 3, 16, 32))
    >>> bool(abs(w).max() <= (6 / 144) ** 0.5)
    True
    """

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al., 2015).

    Arguments as for `GlorotUniform`.

    Example:

    >>> w = cconv.initializers.HeNormal(seed=1)((3, 3, 16, 32))
    >>> bool(abs(w.std() - (2 / 144) ** 0.5) < 0.01)
    True
    """

    settings = (2.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A matrix with orthogonal rows or columns (Saxe et al., 2014); leading axes are folded into the rows.

    Args:
        gain: Factor on the matrix.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.

    Raises:
        ValueError: When it is called with a shape of less than two axes.

    Example:

    >>> q = cconv.initializers.Orthogonal(seed=1)((4, 3))
    >>> bool(np.allclose(q.T @ q, np.eye(3), atol=1e-5))
    True
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        self.gain = number(gain, "gain")
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        if len(shape) < 2:
            raise ValueError(
                f"The tensor to initialize must be at least two-dimensional. Received: shape={shape} of rank "
                f"{len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.generator().normal(size=(max(rows, columns), min(rows, columns))))
        # the signs of r's diagonal make the result uniform over the orthogonal matrices
        q *= np.sign(np.diag(r))
        if rows < columns:
            q = q.T
        return (self.gain * q.reshape(shape)).astype(np.float32)

    def get_config(self):
        return {"gain": self.gain, **super().get_config()}


def compute_fans(shape: Sequence[int]) -> tuple[float, float]:
    """Inputs and outputs of one unit, for weights of this shape."""
    shape = tuple(shape)
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _truncated(rng: np.random.Generator, count: int) -> np.ndarray:
    """Standard normal numbers of magnitude at most 2."""
    values = rng.standard_normal(count)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = rng.standard_normal(outside.size)
        outside = outside[np.abs(values[outside]) > 2]
    return values
