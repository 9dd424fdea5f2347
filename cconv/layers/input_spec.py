"""What a layer expects of its inputs, and the errors when it gets something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dtypes import of, standardize
from ..ops.arguments import whole
from ..tensor import Tensor
from ..tree import flatten

__all__ = ["InputSpec"]


class InputSpec:
    """Rank, sizes and type of one input of a layer.

    Args:
        dtype: Expected type of the values, `"float32"`, `"int32"` or `"bool"`; `None`: any. An array counts as the type
            it has as a value, whole numbers of any size as int32.
        shape: Expected shape; `None` for sizes that may be anything.
        ndim: Expected rank.
        max_ndim: Largest rank.
        min_ndim: Smallest rank.
        axes: Expected sizes by axis.
        allow_last_axis_squeeze: Whether a last size of 1 may be missing or there in excess.
        name: Name of the input.
        optional: Whether it may be `None`.

    Example:

    >>> class Pairs(cconv.layers.Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.input_spec = cconv.layers.InputSpec(ndim=2, axes={-1: 2})
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else standardize(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else _rank(ndim, "ndim")
        self.max_ndim = _rank(max_ndim, "max_ndim")
        self.min_ndim = _rank(min_ndim, "min_ndim")
        if not isinstance(axes, (Mapping, type(None))):
            raise TypeError(f"`axes` must be a dictionary from an axis to its size. Received: axes={axes!r}")
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        return cls(**config)


def _rank(value: int | None, name: str) -> int | None:
    return None if value is None else whole(value, name, 0)


def check_inputs(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raises a ValueError that says what the layer expected and what it received."""
    if spec is None:
        return
    specs = flatten(spec)
    if isinstance(inputs, dict) and all(s.name is not None for s in specs):
        inputs = [inputs.get(s.name) for s in specs]
    values = flatten(inputs)
    if len(values) != len(specs):
        raise ValueError(
            f"Layer '{layer_name}' expected {len(specs)} input(s). Received {len(values)} instead. "
            f"Inputs: {[getattr(v, 'shape', v) for v in values]}"
        )
    for i, (s, x) in enumerate(zip(specs, values, strict=True)):
        if s is None or (x is None and s.optional):
            continue
        if not hasattr(x, "shape"):
            raise ValueError(f"Input {i} of layer '{layer_name}' must be a tensor. Received: {x!r}")
        shape = tuple(x.shape)
        found = f"Full shape received: {shape}"
        name = f"Input {i}"
        if isinstance(x, Tensor) and s.name:
            name = f"Input {i} with name '{s.name}'"
        start = f"{name} of layer '{layer_name}' is incompatible with the layer"
        if s.dtype is not None and of(x) != s.dtype:
            raise ValueError(f"{start}: expected dtype={s.dtype}, found dtype={of(x)}")
        if s.ndim is not None and s.shape is None and len(shape) != s.ndim:
            raise ValueError(f"{start}: expected ndim={s.ndim}, found ndim={len(shape)}. {found}")
        if s.max_ndim is not None and len(shape) > s.max_ndim:
            raise ValueError(f"{start}: expected max_ndim={s.max_ndim}, found ndim={len(shape)}. {found}")
        if s.min_ndim is not None and len(shape) < s.min_ndim:
            raise ValueError(f"{start}: expected min_ndim={s.min_ndim}, found ndim={len(shape)}. {found}")
        for axis, size in s.axes.items():
            if size is None:
                continue
            if not -len(shape) <= axis < len(shape) or shape[axis] not in (size, None):
                raise ValueError(
                    f"{start}: expected axis {axis} of input shape to have value {size}, but received input with "
                    f"shape {shape}"
                )
        if s.shape is not None:
            expected = s.shape
            if s.allow_last_axis_squeeze:
                if expected and expected[-1] == 1 and len(shape) == len(expected) - 1:
                    expected = expected[:-1]
                elif shape and shape[-1] == 1 and len(shape) == len(expected) + 1:
                    shape = shape[:-1]
            if len(shape) != len(expected) or any(
                e is not None and r is not None and e != r for e, r in zip(expected, shape, strict=True)
            ):
                raise ValueError(f"{start}: expected shape={s.shape}, found shape={tuple(x.shape)}")
