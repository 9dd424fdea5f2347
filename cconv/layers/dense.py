"""Fully connected layers."""

from __future__ import annotations

from typing import Any

from .. import activations, initializers
from ..ops._apply import apply
from ..ops.arguments import is_integer
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["Dense"]


class Dense(Layer):
    """`activation(x @ kernel + bias)`.

    Args:
        units: Size of the output.
        activation: Name or function; `None`: none.
        use_bias: Whether there is a bias.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output, for each sample: it is divided by the batch size.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Applied to the bias after each update.

    Input shape:
        `(batch, ..., inputs)`.

    Output shape:
        `(batch, ..., units)`.

    Example:

    >>> layer = cconv.layers.Dense(2, kernel_initializer="ones")
    >>> layer(np.array([[1.0, 2.0, 3.0]])).tolist()
    [[6.0, 6.0]]
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        if not is_integer(units) or units <= 0:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. Received: units={units!r}"
            )
        if quantization_config is not None:
            raise ValueError(f"Quantization is not supported. Received: quantization_config={quantization_config}")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizer_of(kernel_regularizer)
        self.bias_regularizer = regularizer_of(bias_regularizer)
        self.kernel_constraint = constraint_of(kernel_constraint)
        self.bias_constraint = constraint_of(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.kernel = self.bias = None

    def build(self, input_shape):
        inputs = input_shape[-1]
        if inputs is None:
            raise ValueError(
                f"Layer '{self.name}': the last size of the input of a `Dense` layer must be known. "
                f"Received: input_shape={input_shape}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(inputs, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, inputs):
        return activations.get(self.activation)(apply("dense", [inputs, self.kernel, self.bias]))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": serialize_part(self.kernel_regularizer),
            "bias_regularizer": serialize_part(self.bias_regularizer),
            "kernel_constraint": serialize_part(self.kernel_constraint),
            "bias_constraint": serialize_part(self.bias_constraint),
        }
