"""Functions as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .layer import Layer


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
        self, function: Callable, output_shape: Any = None, mask: Any = None, arguments: dict | None = None, **kwargs: Any
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
