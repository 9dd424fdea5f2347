"""First values of weights.

An initializer is called with a shape and returns an array. Those that draw numbers give the same ones at every call
when they have a `seed`; without, they take a fresh seed from the global stream (`cconv.utils.set_random_seed`) at every
call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .config import standardize_dtype
from .naming import to_snake_case
from .random import SeedGenerator, next_seed

_PIECE = 1 << 20  # numbers drawn at a time


class Initializer:
    """Base of all initializers: subclasses implement `__call__(shape, dtype=None)`.

    Example:

    >>> class Sevens(cconv.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return 7 * np.ones(shape)
    >>> cconv.layers.Dense(1, kernel_initializer=Sevens()).kernel_initializer((1, 2)).tolist()
    [[7.0, 7.0]]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} must implement `__call__(self, shape, dtype=None)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments from which an equal initializer can be made."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        return cls(**config)

    def clone(self) -> Initializer:
        return type(self).from_config(self.get_config())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """All equal to one value.

    Args:
        value: A number (or an array that broadcasts to the shape).
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        return np.full(shape, self.value, np.float32)

    def get_config(self):
        return {"value": self.value.tolist() if isinstance(self.value, (np.ndarray, np.generic)) else self.value}


class Identity(Initializer):
    """The identity matrix times `gain`, for matrices.

    Args:
        gain: Number on the diagonal.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = _number(gain, "gain")

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        if len(shape) != 2:
            raise ValueError(f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape}")
        return (self.gain * np.eye(*shape)).astype(np.float32)

    def get_config(self):
        return {"gain": self.gain}


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

    def get_config(self):
        if isinstance(self.seed, SeedGenerator):
            return {"seed": self.seed.seed}
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        self.mean = _number(mean, "mean")
        self.stddev = _number(stddev, "stddev", 0)
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        rng = self.generator()
        return _drawn(shape, lambda n: rng.normal(self.mean, self.stddev, n))

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomInitializer):
    """Normal distribution; values further than two standard deviations from the mean are drawn again.

    Args:
        mean: Mean.
        stddev: Standard deviation before truncation.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        self.mean = _number(mean, "mean")
        self.stddev = _number(stddev, "stddev", 0)
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        rng = self.generator()
        return _drawn(shape, lambda n: self.mean + self.stddev * _truncated(rng, n))

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class RandomUniform(RandomInitializer):
    """Uniform distribution.

    Args:
        minval: Smallest value.
        maxval: Bound of the largest values.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        self.minval = _number(minval, "minval")
        self.maxval = _number(maxval, "maxval")
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        rng = self.generator()
        return _drawn(shape, lambda n: rng.uniform(self.minval, self.maxval, n))

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
        self.scale = _number(scale, "scale")
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

    def __call__(self, shape, dtype=None):
        standardize_dtype(dtype)
        fan_in, fan_out = compute_fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        rng = self.generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return _drawn(shape, lambda n: rng.uniform(-limit, limit, n))
        if self.distribution == "untruncated_normal":
            return _drawn(shape, lambda n: rng.normal(0, math.sqrt(variance), n))
        # cutting the tails off leaves 0.8796 of the standard deviation
        stddev = math.sqrt(variance) / 0.87962566103423978
        return _drawn(shape, lambda n: stddev * _truncated(rng, n))

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

    Example:

    >>> w = cconv.initializers.GlorotUniform(seed=1)((3, 3, 1, 32))
    >>> bool(abs(w).max() <= (6 / (9 + 288)) ** 0.5)
    True
    """

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform in +-sqrt(3 / fan_in)."""

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in."""

    settings = (1.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform in +-sqrt(6 / fan_in) (He et al., 2015)."""

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al., 2015)."""

    settings = (2.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A matrix with orthogonal rows or columns (Saxe et al., 2014); leading axes are folded into the rows.

    Args:
        gain: Factor on the matrix.
        seed: Integer or `SeedGenerator`; `None` draws anew at every call.
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        self.gain = _number(gain, "gain")
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


def _drawn(shape: Sequence[int], draw: Callable[[int], np.ndarray]) -> np.ndarray:
    """A float32 array of what `draw(n)` returns, which is called for a piece at a time: float64 numbers of all weights
    at once would be the largest memory that making a network takes."""
    values = np.empty(math.prod(shape), np.float32)
    for first in range(0, values.size, _PIECE):
        piece = values[first : first + _PIECE]
        piece[:] = draw(piece.size)
    return values.reshape(shape)


def _truncated(rng: np.random.Generator, count: int) -> np.ndarray:
    """Standard normal numbers of magnitude at most 2."""
    values = rng.standard_normal(count)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = rng.standard_normal(outside.size)
        outside = outside[np.abs(values[outside]) > 2]
    return values


def _number(value: Any, name: str, least: float | None = None) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not math.isfinite(value)
    ):
        raise ValueError(f"Argument `{name}` must be a finite number. Received: {name}={value!r}")
    if least is not None and value < least:
        raise ValueError(f"Argument `{name}` must be at least {least}. Received: {name}={value!r}")
    return value


_CLASSES = (
    Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling, GlorotUniform,
    GlorotNormal, LecunUniform, LecunNormal, HeUniform, HeNormal, Orthogonal,
)  # fmt: skip
_BY_NAME = {name: cls for cls in _CLASSES for name in (cls.__name__, to_snake_case(cls.__name__))}
_BY_NAME.update(
    {
        "zero": Zeros,
        "one": Ones,
        "normal": RandomNormal,
        "uniform": RandomUniform,
        "identity": Identity,
        "eye": Identity,
    },
    OrthogonalInitializer=Orthogonal,
    IdentityInitializer=Identity,
)

# Keras' other spellings
zeros, ones, constant, identity = Zeros, Ones, Constant, Identity
random_normal, random_uniform, truncated_normal, variance_scaling = (
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
glorot_uniform, glorot_normal, lecun_uniform, lecun_normal = GlorotUniform, GlorotNormal, LecunUniform, LecunNormal
he_uniform, he_normal, orthogonal = HeUniform, HeNormal, Orthogonal


def serialize(initializer: Initializer) -> dict[str, Any]:
    """The JSON form of an initializer."""
    from .saving.serialization import serialize_object

    return serialize_object(initializer)


def deserialize(config: dict[str, Any], custom_objects: dict | None = None) -> Initializer:
    """The initializer of a JSON form."""
    if "module" not in config and config.get("class_name") in _BY_NAME:
        return _BY_NAME[config["class_name"]].from_config(config.get("config", {}))
    from .saving.serialization import deserialize_object

    return deserialize_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Initializer | Callable | None:
    """The initializer meant by a name, a JSON form, a class, a function of the shape, an array or `None`.

    Example:

    >>> cconv.initializers.get("he_normal")
    HeNormal(seed=None)
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = _BY_NAME.get(identifier)
    elif isinstance(identifier, np.ndarray):
        found = Constant(identifier)
    else:
        found = identifier
    if isinstance(found, type):
        found = found()
    if callable(found):
        return found
    raise ValueError(f"Could not interpret initializer identifier: {identifier}")
