"""What convolution layers have in common: the window, the bias and the activation, for one, two or three axes."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import Any

from .. import activations, initializers
from ..config import standardize_data_format
from ..ops import layout
from ..ops._apply import apply
from ..ops.arguments import integers, is_integer, padding_attributes
from ..ops.arguments import padding as check_padding
from .input_spec import InputSpec
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part


class BaseConv(Layer):
    """A layer that lays a window over images. Subclasses say of how many axes."""

    rank: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("rank", 1) > 1:
            ones = (1,) * cls.rank
            cls.__init__ = with_defaults(cls.__init__, strides=ones, dilation_rate=ones)

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
        activity_regularizer: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = integers(kernel_size, self.rank, "kernel_size")
        self.strides = integers(strides, self.rank, "strides")
        self.padding = self._padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = integers(dilation_rate, self.rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizer_of(bias_regularizer)
        self.bias_constraint = constraint_of(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.bias = None

    def _padding(self, value: Any) -> str | tuple[tuple[int, int], ...]:
        return check_padding(value, rank=self.rank)

    def _channels(self, input_shape) -> int:
        """The number of input channels, which must be known; from then on inputs must have it."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Layer '{self.name}': the channel dimension of the inputs should be defined. Found `None`. "
                f"Full input shape received: input_shape={tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
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

    def _window(self) -> dict[str, Any]:
        """The attributes of the op that describe the window."""
        return {
            "strides": self.strides,
            "dilation": self.dilation_rate,
            **padding_attributes(self.padding, rank=self.rank),
        }

    def _convolve(self, inputs, kernel, op: str = "conv", before=None, **attributes: Any):
        """Convolution, bias and activation. `before` changes the image first."""
        x, first = layout.channels_last(self.data_format, inputs)
        if before is not None:
            x = before(x)
        y = apply(op, [x, kernel, self.bias], attributes)
        return activations.get(self.activation)(layout.to_channels_first(y) if first else y)

    def _window_config(self) -> dict[str, Any]:
        return {
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }

    def _parts_config(self, *kernels: str) -> dict[str, Any]:
        """Activation, and initializers, regularizers and constraints of the kernels called so, and of the bias."""
        names = (*kernels, "bias")
        config: dict[str, Any] = {
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }
        config |= {f"{n}_initializer": initializers.serialize(getattr(self, f"{n}_initializer")) for n in names}
        for part in ("regularizer", "constraint"):
            config |= {f"{n}_{part}": serialize_part(getattr(self, f"{n}_{part}")) for n in names}
        return config


def with_defaults(function: FunctionType, **defaults: Any) -> FunctionType:
    """A copy of `function` with other defaults: one body, and signatures that say what each number of axes has."""
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, None, function.__closure__)
    functools.update_wrapper(copy, function)
    del copy.__wrapped__  # whose signature would be shown
    parameters = [p for p in inspect.signature(function).parameters.values() if p.default is not p.empty]
    optional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    copy.__defaults__ = tuple(defaults.get(p.name, p.default) for p in optional)
    copy.__kwdefaults__ = {p.name: defaults.get(p.name, p.default) for p in parameters if p not in optional} or None
    return copy


def positive(value: Any, name: str) -> int:
    """A number of filters, groups or the like."""
    if not is_integer(value) or value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={value!r}."
        )
    return int(value)
