"""Plain layers: identity, rescaling, any function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops._apply import apply
from ..ops.arguments import number
from .layer import Layer

__all__ = ["Identity", "Lambda", "Rescaling"]


class Identity(Layer):
    """Returns its input.

    Example:

    >>> cconv.layers.Identity()(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs):
        return inputs


class Rescaling(Layer):
    """`x * scale + offset`.

    Args:
        scale: Number, or a sequence with one for each channel.
        offset: Number, or a sequence with one for each channel.

    Example:

    >>> cconv.layers.Rescaling(1 / 255)(np.array([[0, 255]])).tolist()
    [[0.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _numbers(scale, "scale")
        self.offset = _numbers(offset, "offset")
        self.built = True

    def call(self, inputs):
        return apply("add", [apply("multiply", [inputs, self.scale]), self.offset])

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _numbers(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        value = np.asarray(value.get("config", {}).get("value"))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_numbers(v, name) for v in value]
    return number(value, name)


class Lambda(Layer):
    """A function of tensors as a layer. It cannot be saved: files hold no code.

    Args:
        function: Function of a tensor, written with `cconv.ops`.
        output_shape: Unused; the shape follows from tracing.
        mask: Must be `None`.
        arguments: More arguments for the function, by name.

    Example:

    >>> cconv.layers.Lambda(lambda x: 2 * x)(np.ones((1, 2))).tolist()
    [[2.0, 2.0]]
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ValueError(f"`function` must be a function of tensors. Received: function={function!r}")
        if mask is not None:
            raise ValueError(f"Masks are not supported. Received: mask={mask!r}")
        self.function = function
        self.arguments = dict(arguments or {})
        self.built = True

    def call(self, inputs):
        return self.function(inputs, **self.arguments)

    def get_config(self):
        return {**super().get_config(), "function": self.function, "arguments": self.arguments}
