"""Plain layers: identity, rescaling, any function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import of
from ..ops._apply import apply
from ..ops.arguments import is_integer, number
from ..tree import flatten, is_nested
from .layer import Layer
from .shapes import map_shapes, shapes_of

__all__ = ["Identity", "Lambda", "Masking", "Rescaling"]


class Identity(Layer):
    """Returns its input.

    Output shape:
        That of the input.

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


class Masking(Layer):
    """Masks the steps of sequences in which every value is `mask_value`, and sets them to 0.

    Layers behind it that take a mask (`GlobalAveragePooling1D`, `BatchNormalization`, `Softmax`) leave these steps out,
    and so do the losses of an output that has a mask. Layers with `supports_masking` hand it on.

    Args:
        mask_value: What a step without data is filled with.

    Input shape:
        `(batch, steps, features)`.

    Output shape:
        The same.

    Example:

    >>> x = np.array([[[1.0], [0.0], [3.0]]])
    >>> model = cconv.Sequential([cconv.layers.Masking(), cconv.layers.GlobalAveragePooling1D()])
    >>> model(x).tolist()
    [[2.0]]
    """

    supports_masking = makes_mask = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = number(mask_value, "mask_value")
        self.built = True

    def _counted(self, inputs: Any, keepdims: bool) -> Any:
        """Whether a step has another value than `mask_value`."""
        other = apply("cast", [apply("not_equal", [inputs, float(self.mask_value)])], {"to": "float32"})
        return apply("greater", [apply("max", [other], {"axes": [-1], "keepdims": keepdims}), 0.5])

    def compute_mask(self, inputs, previous_mask=None):
        return self._counted(inputs, False)

    def call(self, inputs):
        return apply("where", [self._counted(inputs, True), inputs, 0.0 if of(inputs) == "float32" else 0])

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}


class Rescaling(Layer):
    """`x * scale + offset`.

    Args:
        scale: Number, or a sequence with one for each channel.
        offset: Number, or a sequence with one for each channel.

    Output shape:
        That of the input.

    Raises:
        ValueError: `scale` or `offset` is no number.

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
        output_shape: The shape of the result without its batch axis, a structure of them for several results, or a
            function that makes the whole shape (with the batch axis) of that of the input; `None` stands for any size.
            The shape follows from the function in any case; this one is held against it.
        mask: Must be `None`.
        arguments: More arguments for the function, by name.

    Raises:
        ValueError: An argument is out of its range, or the function's result has not the `output_shape`.

    Output shape:
        That of the function's result.

    Example:

    >>> cconv.layers.Lambda(lambda x: 2 * x)(np.ones((1, 2))).tolist()
    [[2.0, 2.0]]
    >>> cconv.layers.Lambda(lambda x: x[:, :1], output_shape=(1,))(np.ones((4, 2))).shape
    (4, 1)
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
        if output_shape is not None and not callable(output_shape):
            _check_is_shape(output_shape)
        self.function = function
        self._expected = output_shape
        self.arguments = dict(arguments or {})
        self.built = True

    def call(self, inputs):
        outputs = self.function(inputs, **self.arguments)
        if self._expected is not None:
            self._check_shape(inputs, outputs)
        return outputs

    def _check_shape(self, inputs: Any, outputs: Any) -> None:
        shapes = shapes_of(outputs)
        if callable(self._expected):
            expected = self._expected(shapes_of(inputs))
        else:
            expected = map_shapes(lambda shape: (None, *shape), self._expected)
        wanted, found = [], []
        map_shapes(wanted.append, expected)
        map_shapes(found.append, shapes)
        if len(wanted) != len(found) or not all(map(_agree, wanted, found)):
            raise ValueError(
                f"Layer '{self.name}': the function must return the shape {expected}, as `output_shape` says. "
                f"Received from it: {shapes}"
            )

    def get_config(self):
        config = {"function": self.function, "output_shape": self._expected, "arguments": self.arguments}
        return {**super().get_config(), **config}


def _agree(a: Sequence[int | None], b: Sequence[int | None]) -> bool:
    """Whether two shapes can be one: `None` is any size."""
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))


def _check_is_shape(value: Any) -> None:
    """Refuses what is no structure of shapes."""
    try:
        sizes = flatten(value)
        good = is_nested(value) and all(s is None or (is_integer(s) and s >= 0) for s in sizes)
        map_shapes(tuple, value if good else None)
    except (TypeError, ValueError):
        raise ValueError(
            "`output_shape` must be a shape without the batch axis, a structure of such shapes, or a function. "
            f"Received: output_shape={value!r}"
        ) from None
