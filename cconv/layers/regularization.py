"""Layers that only act in training: what they drop, what they add, what they penalize."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config import standardize_data_format
from ..ops._apply import apply, shape_of
from ..ops.arguments import number
from ..ops.random import check_seed, draw, dropped, noise_sizes
from ..regularizers import L1L2
from ..seeds import SeedGenerator
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class BaseNoise(Layer):
    """A layer that draws numbers in training."""

    supports_masking = True

    def __init__(self, seed: int | SeedGenerator | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(seed, dict):
            seed = SeedGenerator(**seed.get("config", {}))
        self.seed = check_seed(seed)
        # draws anew in every step, as a number would not
        self._stream = seed if isinstance(seed, SeedGenerator) or seed is None else SeedGenerator(seed)
        self.built = True

    def get_config(self):
        return {**super().get_config(), "seed": self.seed.seed if isinstance(self.seed, SeedGenerator) else self.seed}


class Dropout(BaseNoise):
    """In training, sets a share of the values to 0 and multiplies the others by `1 / (1 - rate)`.

    Args:
        rate: The share, from 0 to 1 (everything).
        noise_shape: Sizes of what is drawn, `None` for one of the input's: along an axis where it is 1, all values are
            dropped or none. `None`: the shape of the input.
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.

    Output shape:
        That of the input.

    Raises:
        ValueError: `rate` is out of its range, or `noise_shape` does not fit the input.

    Example:

    >>> layer = cconv.layers.Dropout(0.5)
    >>> layer(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    >>> sorted(set(layer(np.ones((1, 100)), training=True)[0].tolist()))
    [0.0, 2.0]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | SeedGenerator | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.rate = number(rate, "rate", 0, 1)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs, training=None):
        if not training or self.rate == 0:
            return inputs
        if self.noise_shape is not None or self.rate == 1:
            sizes = shape_of(inputs) if self.noise_shape is None else noise_sizes(self.noise_shape, inputs)
            return dropped(inputs, self.rate, sizes, self._stream)
        return apply("dropout", [inputs], {"rate": self.rate, "seed": self._stream.first if self._stream else 0})

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class BaseSpatialDropout(BaseNoise):
    """Drops whole channels."""

    rank: int

    def __init__(self, rate: float, data_format: str | None, seed: Any, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = number(rate, "rate", 0, 1)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs, training=None):
        if not training or self.rate == 0:
            return inputs
        sizes = list(shape_of(inputs))
        first = 1 if self.data_format == "channels_last" else 2
        sizes[first : first + self.rank] = [1] * self.rank
        return dropped(inputs, self.rate, sizes, self._stream)

    def get_config(self):
        config = {**super().get_config(), "rate": self.rate}
        del config["trainable"]  # which the constructor does not take
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


class SpatialDropout1D(BaseSpatialDropout):
    """In training, drops whole channels of sequences, multiplying others by `1 / (1 - rate)` (Tompson et al., 2014).

    Args:
        rate: The share of channels, from 0 to 1 (everything).
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.
        name: Name of the layer.
        dtype: `"float32"`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        The same.

    Example:

    >>> y = cconv.layers.SpatialDropout1D(0.5)(np.ones((9, 4, 3)), training=True)
    >>> sorted(set(y.sum(axis=1).ravel().tolist()))
    [0.0, 8.0]
    """

    rank = 1

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, "channels_last", seed, name=name, dtype=dtype)


class SpatialDropout2D(BaseSpatialDropout):
    """In training, drops whole channels of images and multiplies the others by `1 / (1 - rate)` (Tompson et al., 2014).

    Args:
        rate: The share of channels, from 0 to 1 (everything).
        data_format: `"channels_last"` or `"channels_first"`.
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.
        name: Name of the layer.
        dtype: `"float32"`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        The same.

    Example:

    >>> y = cconv.layers.SpatialDropout2D(0.5)(np.ones((9, 2, 2, 3)), training=True)
    >>> sorted(set(y.sum(axis=(1, 2)).ravel().tolist()))
    [0.0, 8.0]
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, data_format, seed, name=name, dtype=dtype)


class SpatialDropout3D(SpatialDropout2D):
    """In training, drops whole channels of volumes. Arguments as for `SpatialDropout2D`.

    Input shape:
        `(batch, depth, height, width, channels)`.

    Output shape:
        The same.

    Example:

    >>> y = cconv.layers.SpatialDropout3D(0.5, seed=1)(np.ones((1, 2, 2, 2, 8)), training=True)
    >>> sorted(set(y.ravel().tolist()))
    [0.0, 2.0]
    """

    rank = 3


class GaussianNoise(BaseNoise):
    """In training, adds normal numbers of mean 0.

    Args:
        stddev: Their standard deviation, at least 0.
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.

    Output shape:
        That of the input.

    Raises:
        ValueError: `stddev` is negative.

    Example:

    >>> layer = cconv.layers.GaussianNoise(0.1)
    >>> layer(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    >>> bool(0.05 < layer(np.ones((1, 1000)), training=True).std() < 0.15)
    True
    """

    def __init__(self, stddev: float, seed: int | SeedGenerator | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.stddev = number(stddev, "stddev", 0)

    def call(self, inputs, training=None):
        if not training or self.stddev == 0:
            return inputs
        noise = draw("normal", shape_of(inputs), self._stream, like=inputs)
        return apply("add", [inputs, apply("multiply", [noise, float(self.stddev)])])

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(BaseNoise):
    """In training, multiplies by normal numbers of mean 1 and variance `rate / (1 - rate)` (Srivastava et al., 2014,
    section 10).

    Args:
        rate: At least 0 and below 1.
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.

    Output shape:
        That of the input.

    Raises:
        ValueError: `rate` is out of its range.

    Example:

    >>> y = cconv.layers.GaussianDropout(0.5, seed=1)(np.ones((1, 10000)), training=True)
    >>> bool(0.95 < y.std() < 1.05)
    True
    """

    def __init__(self, rate: float, seed: int | SeedGenerator | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = number(rate, "rate", 0, 1, open_top=True)

    def call(self, inputs, training=None):
        if not training or self.rate == 0:
            return inputs
        noise = draw("normal", shape_of(inputs), self._stream, like=inputs)
        factor = apply("add", [apply("multiply", [noise, (self.rate / (1 - self.rate)) ** 0.5]), 1.0])
        return apply("multiply", [inputs, factor])

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(BaseNoise):
    """Dropout that keeps mean 0 and variance 1 of what `selu` computes (Klambauer et al., 2017).

    In training a share of the values takes the value that `selu` has far below 0, about -1.7581; then all are scaled
    and shifted.

    Args:
        rate: The share, at least 0 and below 1.
        noise_shape: As for `Dropout`.
        seed: Integer or `SeedGenerator` of its own; `None`: the model's.

    Output shape:
        That of the input.

    Raises:
        ValueError: `rate` is out of its range, or `noise_shape` does not fit the input.

    Example:

    >>> y = cconv.layers.AlphaDropout(0.5, seed=1)(np.random.default_rng(0).normal(size=(1, 10000)), training=True)
    >>> bool(abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05)
    True
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | SeedGenerator | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.rate = number(rate, "rate", 0, 1, open_top=True)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs, training=None):
        if not training or self.rate == 0:
            return inputs
        floor = -1.0507009873554805 * 1.6732632423543772
        scale = ((1 - self.rate) * (1 + self.rate * floor**2)) ** -0.5
        sizes = noise_sizes(shape_of(inputs) if self.noise_shape is None else self.noise_shape, inputs)
        kept = apply("greater_equal", [draw("uniform", sizes, self._stream, like=inputs), self.rate])
        y = apply("multiply", [apply("where", [kept, inputs, floor]), scale])
        return apply("add", [y, -scale * floor * self.rate])

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class ActivityRegularization(Layer):
    """Returns its input, of which a penalty is added to the loss: `l1 * sum(|x|) + l2 * sum(x**2)`, per sample.

    Args:
        l1: Weight of the absolute values.
        l2: Weight of the squares.

    Output shape:
        That of the input.

    Raises:
        ValueError: `l1` or `l2` is negative.

    Example:

    >>> layer = cconv.layers.ActivityRegularization(l2=0.5)
    >>> _ = layer(np.array([[2.0, 0.0], [0.0, 4.0]]))
    >>> float(layer.losses[0])
    5.0
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = number(l1, "l1", 0), number(l2, "l2", 0)
        self.built = True

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
