"""Normalizations of each sample by itself: of layers, groups of channels, by the root mean square, to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import initializers, ops
from ..ops._apply import apply
from ..ops.arguments import is_integer, number
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


def _checked_axes(axis: Any) -> int | list[int]:
    """One axis, or several as a list."""
    if is_integer(axis):
        return int(axis)
    if isinstance(axis, (list, tuple)) and axis and all(is_integer(a) for a in axis):
        return [int(a) for a in axis]
    raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")


def _sizes(layer: Layer, input_shape: Sequence[int | None]) -> tuple[int, ...]:
    """The sizes of the input on the layer's axes, in the order of the axes."""
    rank = len(input_shape)
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    if any(not -rank <= a < rank for a in axes) or len({a % rank for a in axes}) < len(axes):
        raise ValueError(
            f"Layer '{layer.name}': `axis` must name axes of the input, each once. Received: axis={layer.axis}, "
            f"input_shape={input_shape}"
        )
    sizes = tuple(input_shape[a] for a in sorted(a % rank for a in axes))
    if None in sizes:
        raise ValueError(
            f"Layer '{layer.name}': the sizes of the input on `axis` must be known. Received: axis={layer.axis}, "
            f"input_shape={input_shape}"
        )
    return sizes


class _Scaled(Layer):
    """A normalization with a scale `gamma` and a shift `beta`, each of which may be left out."""

    supports_masking = True

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = number(epsilon, "epsilon", 0)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizer_of(beta_regularizer)
        self.gamma_regularizer = regularizer_of(gamma_regularizer)
        self.beta_constraint = constraint_of(beta_constraint)
        self.gamma_constraint = constraint_of(gamma_constraint)
        self.gamma = self.beta = None

    def _make_weights(self, shape: tuple[int, ...], scale: bool, center: bool) -> None:
        if scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": serialize_part(self.beta_regularizer),
            "gamma_regularizer": serialize_part(self.gamma_regularizer),
            "beta_constraint": serialize_part(self.beta_constraint),
            "gamma_constraint": serialize_part(self.gamma_constraint),
        }


class LayerNormalization(_Scaled):
    """Gives each sample mean 0 and variance 1 over `axis`, then scales by `gamma` and adds `beta` (Ba et al., 2016).

    Args:
        axis: One axis or several, over which mean and variance are taken together: the others are samples.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`. Both have the sizes of the input on `axis`, in the order of the axes.
        beta_initializer: First values of beta; `gamma_initializer` likewise.
        beta_regularizer: Penalty on beta; `gamma_regularizer` likewise.
        beta_constraint: Applied to beta after each update; `gamma_constraint` likewise.
        rms_scaling: With true the input is divided by its deviation and scaled, without taking the mean off, and there
            is no `beta`. `RMSNormalization` is another one.

    Input shape:
        Any; the sizes on `axis` must be known.

    Output shape:
        The same.

    Raises:
        TypeError: `axis` is neither an integer nor a list of them.
        ValueError: The input has no such axis.

    Example:

    >>> layer = cconv.layers.LayerNormalization(epsilon=0.0)
    >>> layer(np.array([[1.0, 3.0], [10.0, 50.0]])).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        self.axis = _checked_axes(axis)
        self.rms_scaling = bool(rms_scaling)

    def build(self, input_shape):
        rms = self.rms_scaling
        self.axis = self.axis if isinstance(self.axis, list) else [self.axis]  # as Keras' is from here on
        self._make_weights(_sizes(self, input_shape), self.scale or rms, self.center and not rms)

    def call(self, inputs):
        return ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon, self.rms_scaling)

    def get_config(self):
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


class GroupNormalization(_Scaled):
    """Gives groups of channels mean 0 and variance 1 in each sample, then scales and shifts each channel.

    Mean and variance are those of all positions and channels of a group (Wu and He, 2018).

    Args:
        groups: How many groups the channels are divided into; -1: each channel is one (instance normalization).
        axis: The axis of the channels, not that of the samples.
        epsilon: Added to the variance.
        center: Whether there is a `beta`, one number for each channel.
        scale: Whether there is a `gamma`, likewise.
        beta_initializer: First values of beta; `gamma_initializer` likewise.
        beta_regularizer: Penalty on beta; `gamma_regularizer` likewise.
        beta_constraint: Applied to beta after each update; `gamma_constraint` likewise.

    Input shape:
        Any of rank 2 or more, for example images `(n, h, w, c)`, or with `axis=1` `(n, c, h, w)`.

    Output shape:
        The same.

    Raises:
        ValueError: The number of channels is no multiple of `groups`.

    Example:

    >>> layer = cconv.layers.GroupNormalization(groups=2, epsilon=0.0)
    >>> layer(np.array([[1.0, 3.0, 10.0, 50.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if not is_integer(groups) or (groups < 1 and groups != -1):
            raise ValueError(f"Argument `groups` must be an integer of at least 1, or -1. Received: groups={groups!r}")
        if not is_integer(axis):
            raise ValueError(f"Argument `axis` must be an integer. Received: axis={axis!r}")
        self.groups = int(groups)
        self.axis = int(axis)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        (channels,) = _sizes(self, input_shape)
        if self.axis % len(input_shape) == 0:
            raise ValueError(
                f"Layer '{self.name}': `axis` must be that of the channels, not of the samples. Received: "
                f"axis={self.axis}, input_shape={input_shape}"
            )
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"Layer '{self.name}': the number of channels ({channels}) must be a multiple of the number of groups. "
                f"Received: groups={self.groups}, input_shape={input_shape}"
            )
        self._make_weights((channels,), self.scale, self.center)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
        attributes = {"groups": self.groups, "epsilon": self.epsilon}
        if self.axis in (-1, len(inputs.shape) - 1):
            return apply("group_norm", [inputs, self.gamma, self.beta], attributes)
        y = apply("group_norm", [ops.moveaxis(inputs, self.axis, -1), self.gamma, self.beta], attributes)
        return ops.moveaxis(y, -1, self.axis)

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


class RMSNormalization(Layer):
    """Divides each sample by its root mean square over `axis`, then scales (Zhang and Sennrich, 2019).

    Args:
        axis: One axis or several. The weight `scale`, first 1, has the sizes of the input on them, in the order of the
            axes.
        epsilon: Added to the mean square.

    Input shape:
        Any; the sizes on `axis` must be known.

    Output shape:
        The same.

    Example:

    >>> cconv.layers.RMSNormalization(epsilon=0.0)(np.array([[3.0, -3.0]])).tolist()
    [[1.0, -1.0]]
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _checked_axes(axis)
        self.epsilon = number(epsilon, "epsilon", 0)
        self.scale = None

    def build(self, input_shape):
        self.axis = self.axis if isinstance(self.axis, list) else [self.axis]
        self.scale = self.add_weight(name="scale", shape=_sizes(self, input_shape), initializer="ones")

    def call(self, x):
        return ops.rms_normalization(x, self.scale, self.axis, self.epsilon)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """Divides each sample by its length over `axis`, so that the sum of its squares is 1.

    Args:
        axis: One axis or several.

    Input shape:
        Any.

    Output shape:
        The same.

    Example:

    >>> cconv.layers.UnitNormalization()(np.array([[0.0, 4.0]])).tolist()
    [[0.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _checked_axes(axis)
        self.built = True

    def call(self, inputs):
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
