"""Batch normalization."""

from __future__ import annotations

from typing import Any

from .. import initializers, ops
from ..config import epsilon
from ..ops._apply import apply
from ..ops.arguments import is_integer, number
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """Gives every channel mean 0 and variance 1, then scales by `gamma` and shifts by `beta` (Ioffe and Szegedy, 2015).

    In training with the mean and variance of the batch, which also move the layer's averages:
    `moving = moving * momentum + of the batch * (1 - momentum)`. Otherwise with these averages. A layer with `trainable
    = False` always uses the averages. A call takes `mask`, of the input's shape without the last axis: in training the
    moments are those of the steps where it is true.

    Args:
        axis: The axis of the channels.
        momentum: Of the moving averages.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: First values of beta; `gamma_initializer`, `moving_mean_initializer` and
            `moving_variance_initializer` likewise.
        beta_regularizer: Penalty on beta; `gamma_regularizer` likewise.
        beta_constraint: Applied to beta after each update; `gamma_constraint` likewise.
        renorm: Must be false; `synchronized` likewise.

    Input shape:
        Any of rank 2 or more.

    Output shape:
        The same.

    Example:

    >>> layer = cconv.layers.BatchNormalization()
    >>> layer(np.array([[1.0], [3.0]]), training=True).round(2).tolist()
    [[-1.0], [1.0]]
    >>> print(layer.moving_mean.numpy().round(4))
    [0.02]
    """

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if not is_integer(axis):
            raise ValueError(f"Argument `axis` must be an integer. Received: axis={axis!r}")
        if synchronized or renorm:
            raise ValueError(f"Not supported. Received: synchronized={synchronized}, renorm={renorm}")
        self.axis = int(axis)
        self.momentum = number(momentum, "momentum", 0, 1)
        self.epsilon = number(epsilon, "epsilon", 0)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizer_of(beta_regularizer)
        self.gamma_regularizer = regularizer_of(gamma_regularizer)
        self.beta_constraint = constraint_of(beta_constraint)
        self.gamma_constraint = constraint_of(gamma_constraint)
        self.gamma = self.beta = self.moving_mean = self.moving_variance = None
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"Layer '{self.name}': `axis` must be an axis of the input. Received: axis={self.axis}, "
                f"input_shape={input_shape}"
            )
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(
                f"Layer '{self.name}': axis {self.axis} of the input must have a known size. Received: "
                f"input_shape={input_shape}"
            )
        if self.scale:
            self.gamma = self.add_weight(
                shape=(size,),
                name="gamma",
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                shape=(size,),
                name="beta",
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.moving_mean = self.add_weight(
            shape=(size,), name="moving_mean", initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            shape=(size,), name="moving_variance", initializer=self.moving_variance_initializer, trainable=False
        )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: size})

    def call(self, inputs, training=None, mask=None):
        if mask is not None and training and self.trainable:
            return self._of_steps(inputs, mask)
        attributes = {
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "training": bool(training) and self.trainable,
        }
        return apply("batch_norm", [inputs, self.gamma, self.beta, self.moving_mean, self.moving_variance], attributes)

    def _of_steps(self, inputs, mask):
        """Training with the moments of the steps that count: those where `mask` is true."""
        rank = len(inputs.shape)
        if len(mask.shape) != rank - 1 or self.axis % rank != rank - 1:
            raise ValueError(
                f"Layer '{self.name}': a mask must have the axes of the input but the last one, the channels'. Received: "
                f"a mask of shape {tuple(mask.shape)} for an input of shape {tuple(inputs.shape)}, axis={self.axis}"
            )
        weight = ops.expand_dims(ops.cast(mask, "float32"), -1)
        steps = tuple(range(rank - 1))
        count = ops.sum(weight) + epsilon()
        mean = ops.sum(weight * inputs, steps) / count
        centered = inputs - mean
        variance = ops.sum(weight * ops.square(centered), steps) / count
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.stop_gradient(now) * (1 - self.momentum))
        y = centered * ops.rsqrt(variance + self.epsilon)
        y = y if self.gamma is None else y * self.gamma
        return y if self.beta is None else y + self.beta

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": serialize_part(self.beta_regularizer),
            "gamma_regularizer": serialize_part(self.gamma_regularizer),
            "beta_constraint": serialize_part(self.beta_constraint),
            "gamma_constraint": serialize_part(self.gamma_constraint),
            "synchronized": False,
        }
