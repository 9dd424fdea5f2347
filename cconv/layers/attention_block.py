"""What attention blocks have in common: images of one to three axes in either layout, and the convolutions inside."""

from __future__ import annotations

from typing import Any

from ..config import standardize_data_format
from ..ops import layout
from ..ops.arguments import number
from .dense import Dense
from .input_spec import InputSpec
from .layer import Layer


class AttentionBlock(Layer):
    """A layer that weights what an image holds by the image itself. The subclass sees the channels last.

    It makes its layers in `make(shape)` and calls them in `attend(x)`; both are of images `(batch, ..., channels)`.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=3, max_ndim=5)

    def make(self, shape: tuple[int | None, ...]) -> None:
        raise NotImplementedError

    def attend(self, x: Any) -> Any:
        raise NotImplementedError

    def build(self, input_shape):
        axis = 1 if self.data_format == "channels_first" else len(input_shape) - 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Layer '{self.name}': the number of channels must be known. Received: input_shape={input_shape}"
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: channels})
        self.make((input_shape[0], *(n for i, n in enumerate(input_shape) if i not in (0, axis)), channels))

    def call(self, inputs):
        x, first = layout.channels_last(self.data_format, inputs)
        y = self.attend(x)
        return layout.to_channels_first(y) if first else y

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


def pointwise(units: int, inputs: int, name: str, **settings: Any) -> Dense:
    """A convolution of one cell over images of any number of axes, with its weights."""
    layer = Dense(units, name=name, **settings)
    layer.build((None, inputs))
    return layer


def narrowed(channels: int, ratio: float) -> int:
    """The channels in between, `ratio` times fewer: at least one."""
    return max(1, int(channels / ratio))


def checked_ratio(ratio: Any) -> float:
    value = number(ratio, "ratio", 0)
    if value == 0:
        raise ValueError(f"Argument `ratio` must be positive. Received: ratio={ratio!r}")
    return value


def one_of(value: Any, choices: tuple[str, ...], name: str) -> str:
    if value not in choices:
        raise ValueError(f"Argument `{name}` must be one of {choices}. Received: {name}={value!r}")
    return value
