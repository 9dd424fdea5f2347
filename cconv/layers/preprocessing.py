"""Layers that learn from data before training: normalization by its statistics, bins, categories as vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..array_like import is_array_like
from ..config import epsilon
from ..dtypes import as_numbers
from ..ops._apply import apply
from ..ops.arguments import is_integer, number
from .layer import Layer

__all__ = ["CategoryEncoding", "Discretization", "Normalization"]


def _batches(layer: Layer, data: Any) -> Iterable[np.ndarray]:
    """The arrays of what `adapt` is given: one, or those of an iterable of batches."""
    what = f"Layer '{layer.name}': `adapt`"
    if is_array_like(data) or isinstance(data, (list, tuple)) and not any(is_array_like(x) for x in data):
        return [as_numbers(data, what)]
    if isinstance(data, (list, tuple)):
        return [as_numbers(np.stack([as_numbers(x, what) for x in data]), what)]
    if not isinstance(data, Iterable):
        raise TypeError(f"{what}: expected an array, or an iterable of batches. Received: {type(data).__name__}")
    return _arrays(what, data)


def _arrays(what: str, data: Iterable[Any]) -> Iterable[np.ndarray]:
    for batch in data:
        if isinstance(batch, tuple):
            raise ValueError(f"{what}: expected batches of inputs alone. Received a tuple of {len(batch)}")
        yield as_numbers(batch, what)


class Normalization(Layer):
    """`(x - mean) / sqrt(variance)`, with the statistics that `adapt` finds in data, or given ones.

    Args:
        axis: The axis or axes whose positions have statistics of their own; `None`: one mean and variance for all.
        mean: The mean, if it is known: a number, or numbers that broadcast to the sizes on `axis`.
        variance: The variance, likewise; both or none.
        invert: Whether the layer does the reverse, `x * sqrt(variance) + mean`.

    Input shape:
        Any; the sizes on `axis` must be known.

    Output shape:
        The same.

    Raises:
        ValueError: Only one of mean and variance is given, or the input has no such axis.

    Example:

    >>> layer = cconv.layers.Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(np.array([[1.0, 40.0]])).tolist()
    [[-1.0, 2.0]]
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        axis = () if axis is None else (axis,) if is_integer(axis) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        self.axis = axis
        self.invert = bool(invert)
        self.input_mean = None if mean is None else np.asarray(mean, np.float32)
        self.input_variance = None if variance is None else np.asarray(variance, np.float32)
        self.adapt_mean = self.adapt_variance = self.count = None
        self._rank = 0

    def build(self, input_shape):
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                f"Layer '{self.name}': all `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={rank}, while axis={self.axis}"
            )
        kept = sorted(a % rank for a in self.axis)
        sizes = tuple(input_shape[a] for a in kept)
        if None in sizes:
            raise ValueError(
                f"Layer '{self.name}': all `axis` values to be kept must have a known shape. Received: "
                f"axis={self.axis}, input_shape={input_shape}"
            )
        self._rank = rank
        self._kept = tuple(kept)
        self._broadcast = tuple(input_shape[a] if a in kept else 1 for a in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(name="mean", shape=sizes, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(name="variance", shape=sizes, initializer="ones", trainable=False)
            # a weight that Keras' files have; nothing reads it
            self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)

    def adapt(self, data: Any) -> None:
        """Finds mean and variance, anew at each call.

        Args:
            data: An array with the batch first, or an iterable of batches, such as a data set or generator.

        Raises:
            ValueError: The layer was given its statistics, the data are empty or of another shape than before.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"Layer '{self.name}': cannot `adapt` a Normalization layer that is initialized with static `mean` and "
                "`variance`."
            )
        count, mean, squares = 0.0, 0.0, 0.0
        for batch in _batches(self, data):
            if not self.built:
                self.build((None, *batch.shape[1:]))
            if batch.ndim != self._rank or any(batch.shape[a] != self._broadcast[a] for a in self._kept):
                raise ValueError(
                    f"Layer '{self.name}': the layer was built for inputs of shape {self._broadcast} (1 stands for any "
                    f"size), but adapt() is being called with data with an incompatible shape, {batch.shape}"
                )
            axes = tuple(a for a in range(batch.ndim) if a not in self._kept)
            batch = batch.astype(np.float64)
            n = float(np.prod([batch.shape[a] for a in axes]))
            if n:
                own = batch.mean(axes)
                difference = own - mean
                squares = squares + batch.var(axes) * n + difference**2 * (count * n / (count + n))
                mean = mean + difference * (n / (count + n))
                count += n
        if not count:
            raise ValueError(f"Layer '{self.name}': `adapt` expects data. Received: none")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)

    @property
    def mean(self) -> Any:
        """The mean, in a shape that broadcasts to the input; `None` before it is known."""
        return self._statistic(self.input_mean, self.adapt_mean)

    @property
    def variance(self) -> Any:
        """The variance, likewise."""
        return self._statistic(self.input_variance, self.adapt_variance)

    def _statistic(self, given: Any, found: Any) -> Any:
        if not self._rank:
            return given
        if given is None:
            return ops.reshape(found, self._broadcast)
        sizes = tuple(self._broadcast[a] for a in self._kept)
        return np.broadcast_to(given, sizes).reshape(self._broadcast)

    def call(self, inputs):
        deviation = ops.maximum(ops.sqrt(self.variance), epsilon())
        if self.invert:
            return ops.add(ops.multiply(inputs, deviation), self.mean)
        return ops.divide(ops.subtract(inputs, self.mean), deviation)

    def get_config(self):
        given = [None if x is None else x.tolist() for x in (self.input_mean, self.input_variance)]
        config = {"axis": self.axis, "invert": self.invert, "mean": given[0], "variance": given[1]}
        return {**super().get_config(), **config}


_MODES = ("int", "one_hot", "multi_hot", "count")


def _encoded(x: Any, depth: int, mode: str, weights: Any = None) -> Any:
    """Whole numbers as vectors of `depth`: each by itself, or those of a sample (along axis 1) together."""
    if mode == "int":
        return x
    shape = x.shape
    if mode == "one_hot" and len(shape) > 1 and shape[-1] == 1:
        x = ops.squeeze(x, -1)
    vectors = ops.one_hot(x, depth)
    if mode == "one_hot" or not shape:
        return vectors
    if weights is not None:
        vectors = ops.multiply(vectors, ops.expand_dims(weights, -1))
    reduce: Callable = ops.max if mode == "multi_hot" else ops.sum
    return reduce(vectors, axis=1 if len(shape) > 1 else 0)


class Discretization(Layer):
    """The number of the bin that a value falls into, or vectors of these numbers.

    Args:
        bin_boundaries: Where bins meet, from the lowest on: bin 0 is below the first, and a value at a boundary is in
            the bin above it. Or:
        num_bins: How many bins `adapt` makes, of as many values each.
        epsilon: Of Keras' approximation; `adapt` finds exact quantiles, and does not need it.
        output_mode: `"int"`: the numbers, as int32; `"one_hot"`: a vector for each; `"multi_hot"`: one for the values
            along axis 1, 1 for each bin that one is in; `"count"`: how many.
        sparse: Must be False.
        dtype: `"float32"`: of what comes in, and of the vectors. Numbers of bins are int32, of whatever type is asked.
        name: Name of the layer.

    Input shape:
        Any.

    Output shape:
        The same, with an axis of `num_bins` more (`"one_hot"`) or in place of axis 1 (`"multi_hot"`, `"count"`).

    Raises:
        ValueError: Both boundaries and number are given, or neither; the layer is called before it has boundaries.

    Example:

    >>> layer = cconv.layers.Discretization(bin_boundaries=[0.0, 1.0])
    >>> layer(np.array([-5.0, 0.0, 0.5, 7.0])).tolist()
    [0, 1, 1, 2]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        whole = output_mode == "int" and dtype in ("int32", "int64")  # numbers of bins are int32 anyway
        super().__init__(name=name, dtype=None if whole else dtype)
        if sparse:
            raise ValueError("`sparse=True` is not supported: expected False. Received: sparse=True")
        if output_mode not in _MODES:
            raise ValueError(
                "Unknown value for `output_mode` argument of Discretization. "
                f"Allowed values are: {_MODES}. Received: output_mode={output_mode}"
            )
        if num_bins is not None and (not is_integer(num_bins) or num_bins < 0):
            raise ValueError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                "Expected one of `num_bins` and `bin_boundaries`. "
                f"Received: num_bins={num_bins} and bin_boundaries={bin_boundaries}"
            )
        self.bin_boundaries = None if bin_boundaries is None else tuple(map(float, sorted(bin_boundaries)))
        self.num_bins = num_bins
        self.epsilon = number(epsilon, "epsilon", 0)
        self.output_mode = output_mode
        self.sparse = False
        self.built = True

    def adapt(self, data: Any) -> None:
        """Finds boundaries between `num_bins` bins of as many values each: the quantiles of the data.

        Args:
            data: An array with the batch first, or an iterable of batches. All of it is held in memory.

        Raises:
            ValueError: The layer was made with boundaries, or the data are empty.
        """
        if self.num_bins is None:
            raise ValueError(f"Layer '{self.name}': cannot `adapt` a Discretization layer made with `bin_boundaries`.")
        parts = [np.ravel(batch) for batch in _batches(self, data)]
        values = np.concatenate(parts) if parts else np.zeros(0)
        if not values.size:
            raise ValueError(f"Layer '{self.name}': `adapt` expects data. Received: none")
        shares = np.arange(1, self.num_bins) / self.num_bins
        self.bin_boundaries = tuple(np.quantile(values.astype(np.float64), shares).tolist())

    def call(self, inputs):
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer '{self.name}': you need to either pass the `bin_boundaries` argument at construction time or "
                "call `adapt(dataset)` before you can start using the `Discretization` layer."
            )
        reached = ops.greater_equal(ops.expand_dims(inputs, -1), np.asarray(self.bin_boundaries, np.float32))
        bins = ops.sum(ops.cast(reached, "int32"), axis=-1)
        return _encoded(bins, len(self.bin_boundaries) + 1, self.output_mode)

    @classmethod
    def from_config(cls, config):
        """Makes a layer from what `get_config` returned; one that `adapt` gave its boundaries has both arguments."""
        config = dict(config)
        both = config.get("bin_boundaries") is not None and config.get("num_bins") is not None
        boundaries = config.pop("bin_boundaries") if both else None
        layer = cls(**config)
        if both:
            layer.bin_boundaries = tuple(boundaries)
        return layer

    def get_config(self):
        return {
            "bin_boundaries": None if self.bin_boundaries is None else list(self.bin_boundaries),
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype,
        }


class CategoryEncoding(Layer):
    """Numbers of categories as vectors.

    Args:
        num_tokens: How many categories there are.
        output_mode: `"one_hot"`: a vector for each number; `"multi_hot"`: one for the numbers along axis 1, 1 for
            each category among them; `"count"`: how often each is among them.
        sparse: Must be False.

    Call arguments:
        inputs: Whole numbers of 0 .. `num_tokens` - 1.
        count_weights: With `"count"`, what each number counts: the shape of the inputs.

    Output shape:
        `(..., num_tokens)`.

    Raises:
        ValueError: When it runs: a number is no category.

    Example:

    >>> layer = cconv.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    >>> layer(np.array([[0, 1, 1], [3, 0, 0]])).tolist()
    [[1.0, 2.0, 0.0, 0.0], [2.0, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if output_mode not in _MODES[1:]:
            raise ValueError(
                f"Unknown argument for output_mode. Expected one of {_MODES[1:]}. Received: output_mode={output_mode}"
            )
        if not is_integer(num_tokens) or num_tokens < 1:
            raise ValueError(
                "num_tokens must be set to use this layer: expected an integer of at least 1. "
                f"Received: num_tokens={num_tokens!r}"
            )
        if sparse:
            raise ValueError("`sparse=True` is not supported: expected False. Received: sparse=True")
        self.num_tokens = int(num_tokens)
        self.output_mode = output_mode
        self.built = True

    def call(self, inputs, count_weights=None):
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"Layer '{self.name}': `count_weights` is not used when `output_mode` is not 'count'. Received: "
                f"output_mode={self.output_mode!r}"
            )
        numbers = ops.cast(inputs, "int32")
        # adds 0, and refuses what is no category
        zeros = np.zeros(self.num_tokens, np.int32)
        numbers = ops.add(numbers, apply("take", [zeros, numbers], {"axis": 0, "checked": True}))
        return _encoded(numbers, self.num_tokens, self.output_mode, count_weights)

    def get_config(self):
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
