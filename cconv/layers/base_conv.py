"""What the layers that convolve images have in common."""

from __future__ import annotations

from typing import Any

from .. import activations, initializers
from ..config import standardize_data_format
from ..ops import layout
from ..ops._apply import apply
from ..ops.arguments import is_integer, padding_attributes, pair
from ..ops.arguments import padding as check_padding
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of


class BaseConv(Layer):
    """A window, a bias and an activation."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.strides = pair(strides, "strides")
        self.padding = check_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = pair(dilation_rate, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizer_of(bias_regularizer)
        self.bias_constraint = constraint_of(bias_constraint)
        self.input_spec = InputSpec(ndim=4)
        self.bias = None

    def _channels(self, input_shape) -> int:
        """The number of input channels, which must be known; from then on inputs must have it."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Layer '{self.name}': the channel dimension of the inputs should be defined. Found `None`. "
                f"Full input shape received: input_shape={tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=4, axes={axis: channels})
        return channels

    def _add_bias(self, size: int) -> None:
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _convolve(self, x, kernel, groups: int):
        """Convolution, bias and activation, in one op where the activation allows."""
        fused = activations.fused(self.activation)
        attributes = {
            "strides": self.strides,
            "dilation": self.dilation_rate,
            "groups": groups,
            **padding_attributes(self.padding),
            **(fused or {}),
        }
        y = apply("conv2d", [x, kernel, self.bias], attributes)
        return y, fused is None

    def _finish(self, y, first: bool, activate: bool):
        if first:
            y = layout.to_channels_first(y)
        return self.activation(y) if activate else y

    def _base_config(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }


def positive(value: Any, name: str) -> int:
    """A number of channels."""
    if not is_integer(value) or value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={value!r}."
        )
    return int(value)
