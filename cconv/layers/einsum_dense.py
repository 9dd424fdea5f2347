"""A dense layer over any axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import activations, initializers, ops
from ..ops._apply import apply
from ..ops.arguments import is_integer
from .layer import Layer
from .parts import constraint_of, regularizer_of, serialize_part

__all__ = ["EinsumDense"]


class EinsumDense(Layer):
    """`activation(einsum(equation, x, kernel) + bias)`.

    Args:
        equation: Of `cconv.ops.einsum`, with two operands, such as `"abc,cde->abde"`; `...` stands for any axes before
            the others, or behind them.
        output_shape: Sizes of the output without the batch, `None` where they are the input's; an integer for one.
        activation: Name or function; `None`: none.
        bias_axes: The letters of the output for which the bias has an axis; `None`: no bias.
        kernel_initializer: First values of the kernel; `bias_initializer` likewise.
        kernel_regularizer: Penalty on the kernel; `bias_regularizer` likewise.
        activity_regularizer: Penalty on the output, for each sample: it is divided by the batch size.
        kernel_constraint: Applied to the kernel after each update; `bias_constraint` likewise.
        quantization_config: Must be `None`.

    Input shape:
        As the equation says, for example `(batch, steps, inputs)`.

    Output shape:
        Likewise, for example `(batch, steps, heads, units)`.

    Raises:
        ValueError: Equation, output shape and input do not fit each other.

    Example:

    >>> layer = cconv.layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de")
    >>> layer(np.ones((8, 3, 5))).shape
    (8, 3, 2, 4)
    >>> layer.kernel.shape, layer.bias.shape
    ((5, 2, 4), (2, 4))
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        quantization_config: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        if quantization_config is not None:
            raise ValueError(f"Quantization is not supported. Received: quantization_config={quantization_config}")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        text = equation.replace(" ", "") if isinstance(equation, str) else ""
        left, arrow, result = text.partition("->")
        if not arrow or left.count(",") != 1:
            raise ValueError(
                f"Layer '{self.name}': expected an equation of two operands, such as 'ab,bc->ac'. "
                f"Received: equation={equation!r}"
            )
        self._letters = (*left.split(","), result)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if is_integer(output_shape) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizer_of(kernel_regularizer)
        self.bias_regularizer = regularizer_of(bias_regularizer)
        self.kernel_constraint = constraint_of(kernel_constraint)
        self.bias_constraint = constraint_of(bias_constraint)
        self.kernel = self.bias = None

    def build(self, input_shape):
        own, kernel, result = self._letters
        sizes = self._sizes(input_shape)
        missing = [c for c in kernel if sizes.get(c) is None]
        if missing:
            raise ValueError(
                f"Layer '{self.name}': the sizes of the kernel's axes must be known, by the input or `output_shape`. "
                f"Not known: {', '.join(missing)}. Received: equation={self.equation!r}, input_shape={input_shape}, "
                f"output_shape={self.partial_output_shape}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=tuple(sizes[c] for c in kernel),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is None:
            return
        hidden = len(input_shape) - len(own.replace("...", "")) if "..." in own else 0
        letters = result.replace("...", "." * hidden)
        if not self.bias_axes or not set(self.bias_axes) <= set(letters) - {"."}:
            raise ValueError(
                f"Layer '{self.name}': `bias_axes` must be letters of the output. Received: "
                f"bias_axes={self.bias_axes!r}, equation={self.equation!r}"
            )
        first = min(letters.index(c) for c in self.bias_axes)
        shape = tuple(sizes[c] if c in self.bias_axes else 1 for c in letters[first:])
        self.bias = self.add_weight(
            name="bias",
            shape=shape,
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def _sizes(self, input_shape: Sequence[int | None]) -> dict[str, int | None]:
        """The size of each letter's axis, as far as the input and `output_shape` tell."""
        own, _, result = self._letters
        sizes: dict[str, int | None] = {}
        for letters, shape in ((own, input_shape), (result, (input_shape[0], *self.partial_output_shape))):
            before, dots, behind = letters.partition("...")
            counts = len(before) + len(behind)
            if counts > len(shape) or (not dots and counts != len(shape)):
                if letters == result and dots:
                    behind = behind[-(len(shape) - len(before)) :]
                else:
                    raise ValueError(
                        f"Layer '{self.name}': expected {letters!r} to have a letter for each axis of shape {shape}. "
                        f"Received: equation={self.equation!r}, input_shape={input_shape}"
                    )
            found = [*zip(before, shape, strict=False), *zip(reversed(behind), reversed(shape), strict=False)]
            for letter, size in found:
                if None not in (size, sizes.get(letter)) and size != sizes[letter]:
                    raise ValueError(
                        f"Layer '{self.name}': input and `output_shape` differ at {letter!r}. Received: "
                        f"equation={self.equation!r}, input_shape={input_shape}, "
                        f"output_shape={self.partial_output_shape}"
                    )
                sizes[letter] = sizes.get(letter) if size is None else size
        return sizes

    def call(self, inputs, training=None):
        own, kernel, result = self._letters
        tail = "".join(c for c in kernel if c in own)
        columns = kernel[len(tail) :]
        rows = own[: len(own) - len(tail)]
        whole = self.bias is None or self.bias.shape == self.kernel.shape[len(tail) :]
        if columns and tail and kernel == tail + columns and own == rows + tail and result == rows + columns and whole:
            y = self._as_matrices(inputs, len(tail))
        else:
            y = ops.einsum(self.equation, inputs, self.kernel)
            y = y if self.bias is None else ops.add(y, self.bias)
        return activations.get(self.activation)(y)

    def _as_matrices(self, x, contracted: int):
        """The same as one product of matrices, to which the bias is added as it is computed."""
        sizes, widths = self.kernel.shape[:contracted], self.kernel.shape[contracted:]
        rows = [0 if size is None else size for size in x.shape[: len(x.shape) - contracted]]
        n, units = math.prod(sizes), math.prod(widths)
        x = apply("reshape", [x], {"shape": [*rows, n]}) if contracted > 1 else x
        kernel, bias = self.kernel, self.bias
        if len(self.kernel.shape) > 2:
            kernel = apply("reshape", [kernel], {"shape": [n, units]})
        if bias is not None and len(widths) > 1:
            bias = apply("reshape", [bias], {"shape": [units]})
        y = apply("dense", [x, kernel, bias])
        return apply("reshape", [y], {"shape": [*rows, *widths]}) if len(widths) > 1 else y

    def get_config(self):
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": serialize_part(self.kernel_regularizer),
            "bias_regularizer": serialize_part(self.bias_regularizer),
            "activity_regularizer": serialize_part(self.activity_regularizer),
            "kernel_constraint": serialize_part(self.kernel_constraint),
            "bias_constraint": serialize_part(self.bias_constraint),
            "quantization_config": None,
        }
