"""Variables: the weights of layers, one aligned buffer each, shared by NumPy and every plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _core, initializers
from .config import standardize_dtype
from .dtypes import as_numbers
from .naming import auto_name
from .scope import current_path
from .size_limit import charge
from .tensor import Operators, Tensor


class Variable(Operators):
    """Numbers that live across batches and that training may change.

    Args:
        initializer: An array with the first values, or an initializer (object, function of the shape, or its name).
        shape: Tuple of sizes, needed when `initializer` is not an array.
        dtype: `"float32"`.
        trainable: Whether optimizers change it.
        name: Name; the path is this name within the layers that are being built.
        regularizer: Optional function of the variable that returns a penalty.
        constraint: Optional function that gives the values the variable takes after each update.

    Example:

    >>> v = cconv.Variable([[1.0, 2.0]], name="v")
    >>> v.shape
    (1, 2)
    >>> (v + 1).tolist()
    [[2.0, 3.0]]
    >>> v.assign([[3.0, 4.0]])
    >>> v.numpy().tolist()
    [[3.0, 4.0]]
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        regularizer: Callable | None = None,
        constraint: Callable | None = None,
    ) -> None:
        self.name = name if name is not None else auto_name(type(self).__name__)
        if "/" in self.name:
            raise ValueError(f"The name of a variable cannot contain '/'. Received: name={self.name!r}")
        self.path = "/".join((*current_path(), self.name))
        self.dtype = standardize_dtype(dtype)
        self.trainable = bool(trainable)
        self.regularizer = regularizer
        self.constraint = constraint
        if callable(initializer) or isinstance(initializer, str):
            if shape is None:
                raise ValueError("When creating a Variable from an initializer, the `shape` argument should be given.")
            shape = check_shape(shape, self.path)
            charge(shape, self.path)
            try:
                values = initializers.get(initializer)(shape)
            except MemoryError as error:
                raise MemoryError(f"Variable '{self.path}' of shape {shape}: {error}") from None
        else:
            values = as_numbers(initializer, f"Variable '{self.path}'")
            if shape is not None and tuple(shape) != values.shape:
                raise ValueError(f"Variable '{self.path}': expected shape {tuple(shape)}, received {values.shape}.")
        values = np.asarray(values)
        if shape is not None and tuple(values.shape) != tuple(shape):
            raise ValueError(
                f"Variable '{self.path}': the initializer was asked for shape {tuple(shape)} and gave {values.shape}."
            )
        self.core = _core.Variable(values.shape)
        self.core.assign(np.ascontiguousarray(values, np.float32).reshape(values.shape))
        self.shape = tuple(int(size) for size in values.shape)
        self._node = None

    @property
    def value(self) -> np.ndarray:
        """A read-only view of the numbers, which changes when they do."""
        return self.core.array

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return np.array(self.core.array)

    def assign(self, value: Any) -> None:
        """Replaces the numbers; the shape must be the same."""
        if isinstance(value, Variable):
            value = value.value
        values = as_numbers(value, f"Variable '{self.path}'")
        if tuple(values.shape) != self.shape:
            raise ValueError(
                "The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
                "match. "
                f"variable.shape={self.shape}, Received: value.shape={tuple(values.shape)}. Target variable: "
                f"{self.path}"
            )
        self.core.assign(np.ascontiguousarray(values, np.float32).reshape(self.shape))

    def assign_add(self, value: Any) -> None:
        """Adds to the numbers."""
        self.assign(self.value + np.asarray(value, np.float32))

    def assign_sub(self, value: Any) -> None:
        """Subtracts from the numbers."""
        self.assign(self.value - np.asarray(value, np.float32))

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def node(self) -> Tensor:
        """The symbolic tensor that stands for this variable in graphs: always the same one."""
        if self._node is None:
            self._node = Tensor(self.shape, op="variable", value=self, name=self.path)
        return self._node

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        array = self.core.array
        return np.array(array, dtype or array.dtype) if copy is not False else np.asarray(array, dtype)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a variable without dimensions")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self.core.array)

    def __bool__(self) -> bool:
        return bool(self.core.array)

    def __deepcopy__(self, memo):
        memo[id(self)] = copy = _restore(self.numpy(), self._settings())
        return copy

    def __reduce__(self) -> tuple:
        return _restore, (self.numpy(), self._settings())

    def _settings(self) -> dict[str, Any]:
        names = ("name", "path", "trainable", "regularizer", "constraint", "_frozen_by_layer")
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.core.array}>"


def _restore(values: np.ndarray, settings: dict[str, Any]) -> Variable:
    """The copy of a variable."""
    variable = Variable(values, name=settings["name"])
    for name, value in settings.items():
        setattr(variable, name, value)
    return variable


def check_shape(shape: Sequence[int], path: str) -> tuple[int, ...]:
    """The shape of a variable as a tuple; every size must be known."""
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    for size in shape:
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 0:
            raise ValueError(
                f"Variable '{path}': every size of its shape must be a known, non-negative integer. Received: "
                f"shape={shape}"
            )
    return tuple(int(size) for size in shape)
