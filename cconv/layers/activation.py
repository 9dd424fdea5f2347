"""Activation functions as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import activations, initializers, ops
from ..dtypes import of
from ..ops._apply import apply
from ..ops.arguments import is_integer, number, one_axis_or_more
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: Name or function.

    Output shape:
        That of the input.

    Raises:
        ValueError: There is no function of this name.

    Example:

    >>> cconv.layers.Activation("relu")(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs):
        return activations.get(self.activation)(inputs)

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class ReLU(Layer):
    """`max(x, 0)`, or a variant of it.

    Args:
        max_value: Largest value of the result; `None`: no limit.
        negative_slope: Slope below `threshold`.
        threshold: Values below it are damped.

    Output shape:
        That of the input.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.ReLU(max_value=1)(np.array([-1.0, 0.5, 2.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(max_value, "max_value", 0)
        self.negative_slope = number(negative_slope, "negative_slope", 0)
        self.threshold = number(threshold, "threshold", 0)
        self.built = True

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self):
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """`x` if positive, else `negative_slope * x`.

    Args:
        negative_slope: Slope below 0.

    Output shape:
        That of the input.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> cconv.layers.LeakyReLU(0.5)(np.array([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = number(negative_slope, "negative_slope", 0)
        self.built = True

    def call(self, inputs):
        return apply("leaky_relu", [inputs], {"alpha": self.negative_slope})

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


class PReLU(Layer):
    """`x` if positive, else `alpha * x` with learned slopes.

    Args:
        alpha_initializer: First values of alpha.
        alpha_regularizer: Penalty on alpha.
        alpha_constraint: Applied to alpha after each update.
        shared_axes: Axes along which all positions have the same slope (`[1, 2]`: one for each channel of an image).

    Output shape:
        That of the input.

    Example:

    >>> cconv.layers.PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizer_of(alpha_regularizer)
        self.alpha_constraint = constraint_of(alpha_constraint)
        self.shared_axes = (
            [shared_axes] if is_integer(shared_axes) else None if shared_axes is None else list(shared_axes)
        )
        self.alpha = None

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(
                f"Layer '{self.name}': the sizes of the input must be known, or in `shared_axes`. "
                f"Received: input_shape={input_shape}, shared_axes={self.shared_axes}"
            )
        self.alpha = self.add_weight(
            shape=shape,
            name="alpha",
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        axes = {i: n for i, n in enumerate(input_shape) if i and i not in (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs):
        negative = apply("negative", [apply("relu", [apply("negative", [inputs])])])
        return apply("add", [apply("relu", [inputs]), apply("multiply", [self.alpha, negative])])

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": serialize_part(self.alpha_regularizer),
            "alpha_constraint": serialize_part(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class ELU(Layer):
    """`x` if positive, else `alpha * (exp(x) - 1)`.

    Args:
        alpha: Where the function goes for large negative values, negated.

    Output shape:
        That of the input.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> print(cconv.layers.ELU()(np.array([-1.0, 2.0])).round(3))
    [-0.632  2.   ]
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(alpha, "alpha")
        self.built = True

    def call(self, inputs):
        return apply("elu", [inputs], {"alpha": self.alpha})

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(Layer):
    """`exp(x)` divided by its sum over an axis, or over several.

    A call takes `mask` (bools, or numbers of which those above 0.5 count, of a shape that stretches to the input's):
    values outside of it count for nothing and become 0.

    Output shape:
        That of the input.

    Args:
        axis: The axis, a list of several, or `None` for all, that of the batch too.

    Raises:
        ValueError: `axis` is neither; a call finds no such axis.

    Example:

    >>> cconv.layers.Softmax()(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] | None = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = one_axis_or_more(axis, "axis")
        if self.axis in ([], ()):
            raise ValueError(f"Argument `axis` must name an axis. Received: axis={axis!r}")
        self.built = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.softmax(inputs, self.axis)
        kept = mask if of(mask) == "bool" else ops.greater(mask, 0.5)
        y = ops.softmax(ops.where(kept, inputs, -1e9), self.axis)
        return ops.where(kept, y, 0.0)  # also where nothing of an axis is kept

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
