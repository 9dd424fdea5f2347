"""Variables: the weights of layers, one aligned buffer each, shared by NumPy and every plan."""

from __future__ import annotations

import itertools
import math
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _core, initializers
from .changes import Observed
from .config import standardize_dtype
from .dtypes import as_numbers, name_of, standardize
from .naming import auto_name
from .scope import assignments, changing, current_path, current_record, is_recording, settle
from .size_limit import charge
from .tensor import Operators, Tensor, constant

_serials = itertools.count(1)


class Variable(Operators, Observed):
    """Numbers that live across batches and that training may change.

    Assigned in a layer's `call`, it takes its new value in every run of the call, in training, evaluation and
    prediction: at the end of the step, all such variables or, if the step is interrupted, none. What is read of it
    later in the same call is the new value, whose gradient is the variable's, while none flows to what it was computed
    from: an optimizer that trains the variable in the same step changes the new value. Its numbers (`numpy()`,
    `float()`) are not known while the call is traced.

    Args:
        initializer: An array with the first values, or an initializer (object, function of the shape, or its name).
        shape: Tuple of sizes, needed when `initializer` is not an array.
        dtype: `"float32"` (also for `None`), `"int32"` (also as `"int"`) or `"bool"`. Whole numbers are held from
            -2**24 to 2**24; values of other types are cast when they are assigned.
        trainable: Whether optimizers change it. Whole numbers and bools are never trained.
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

    Counting calls:

    >>> class Counting(cconv.layers.Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.count = self.add_weight(initializer="zeros", trainable=False)
    ...
    ...     def call(self, x):
    ...         self.count.assign_add(1.0)
    ...         return x * self.count
    >>> layer = Counting()
    >>> [layer(np.ones(2)).tolist() for _ in range(3)]
    [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    """

    _unobserved = frozenset({"_node", "_dependents", "name", "path", "serial"})

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
        self.dtype = _kept(dtype)
        self.trainable = bool(trainable) and self.dtype == "float32"
        self.regularizer = regularizer
        self.constraint = constraint
        if callable(initializer) or isinstance(initializer, str):
            if shape is None:
                raise ValueError("When creating a Variable from an initializer, the `shape` argument should be given.")
            self.shape = check_shape(shape, self.path)
            charge(self.shape, self.path)
            try:
                self.core = self._initialized(initializers.get(initializer))
            except MemoryError as error:
                raise MemoryError(f"Variable '{self.path}' of shape {self.shape}: {error}") from None
        else:
            values = as_numbers(initializer, f"Variable '{self.path}'")
            self.shape = values.shape
            if shape is not None and tuple(shape) != self.shape:
                raise ValueError(f"Variable '{self.path}': expected shape {tuple(shape)}, received {self.shape}.")
            self.core = _core.Variable(self.shape)
            self.core.assign(self._held(values))
        self._node = None
        self.serial = next(_serials)  # a number of its own, which no other variable gets when this one is gone

    @property
    def value(self) -> Any:
        """A read-only view of the numbers, which changes when they do; a tensor while a call is traced or a tape
        records."""
        if assignments() is not None:
            return self.current()
        if is_recording():
            return current_record().op("identity", [self], {}, None)
        return self._numbers()

    def _numbers(self) -> np.ndarray:
        """The numbers, where they are known."""
        if assignments() is not None:
            raise RuntimeError(
                f"Variable '{self.path}': its numbers are not known while a call is traced, only in its runs: expected "
                "operators and functions of `cconv.ops` on the variable instead."
            )
        settle()
        return self.core.array if self.dtype == "float32" else self.core.array.astype(self.dtype)

    def _initialized(self, initializer: Callable) -> _core.Variable:
        """The numbers of an initializer; those of many weights come in pieces, and are nowhere else as a whole."""
        if math.prod(self.shape) > sys.maxsize // 8:  # what the core can count
            raise MemoryError("more numbers than there are addresses for")
        if initializers.by_pieces(initializer) and self.dtype == "float32":
            core = _core.Variable(self.shape)
            core.fill(initializer.pieces(self.shape))
            return core
        if type(initializer) is initializers.Zeros:
            return _core.Variable(self.shape)  # has them from the system, which gives memory when it is written to
        values = np.asarray(initializer(self.shape))
        if values.shape != self.shape:
            raise ValueError(
                f"Variable '{self.path}': the initializer was asked for shape {self.shape} and gave {values.shape}."
            )
        core = _core.Variable(self.shape)
        core.assign(self._held(values))
        return core

    def _adopt(self, core: _core.Variable) -> None:
        """Has the core's variable for its own from now on, with its numbers, of which there is no copy."""
        self._check_shape(core.shape)
        changing()
        self.core = core

    def _held(self, values: np.ndarray) -> np.ndarray:
        """Values as the core holds them, which has float32 only."""
        if self.dtype != "float32":
            values = values.astype(self.dtype)
        if self.dtype == "int32" and (np.abs(values.astype(np.int64)) > 2**24).any():
            raise ValueError(
                f"Variable '{self.path}': whole numbers are held from -2**24 to 2**24. "
                f"Received: values from {values.min()} to {values.max()}"
            )
        return np.ascontiguousarray(values, np.float32).reshape(self.shape)

    def numpy(self) -> np.ndarray:
        """A copy of the numbers.

        Raises:
            RuntimeError: A call is being traced, in which they are not known.
        """
        return np.array(self._numbers())

    def assign(self, value: Any) -> None:
        """Replaces the numbers; the shape must be the same. In a traced call: at the end of each run.

        Args:
            value: Numbers or a variable; in the `call` of a layer also a symbolic tensor.

        Raises:
            ValueError: The shape is another one.
            TypeError: The value is a symbolic tensor, outside of a layer's `call`.
        """
        if isinstance(value, Variable):
            value = value.value
        assigned = assignments()
        if assigned is not None:
            assigned[id(self)] = (self, self._assignment(value))
            return
        if isinstance(value, Tensor):
            raise TypeError(
                f"Variable '{self.path}': a symbolic tensor can be assigned in the `call` of a layer only. "
                f"Received: value={value!r}"
            )
        values = as_numbers(value, f"Variable '{self.path}'")
        self._check_shape(tuple(values.shape))
        changing()
        self.core.assign(self._held(values))

    def _assignment(self, value: Any) -> Tensor:
        """The node that assigns a value in each run, and is that value."""
        value = value if isinstance(value, Tensor) else constant(value, self.dtype)
        self._check_shape(value.shape)
        value = self._cast(self._cast(value, self.dtype), "float32")
        value = Tensor(self.shape, op="stop_gradient", inputs=(value,), name=self.path)
        return Tensor(self.shape, op="assign", inputs=(self.node(), value), name=self.path)

    def _cast(self, value: Tensor, dtype: str) -> Tensor:
        if value.dtype == dtype:
            return value
        return Tensor(value.shape, op="cast", inputs=(value,), attributes={"to": dtype}, name=self.path, dtype=dtype)

    def _check_shape(self, shape: tuple[int | None, ...]) -> None:
        if shape != self.shape:
            raise ValueError(
                "The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
                f"match. variable.shape={self.shape}, Received: value.shape={shape}. Target variable: {self.path}"
            )

    def assign_add(self, value: Any) -> None:
        """Adds to the numbers; see `assign`.

        Example:

        >>> v = cconv.Variable([1.0, 2.0])
        >>> v.assign_add([0.5, 0.5])
        >>> v.numpy().tolist()
        [1.5, 2.5]
        """
        self.assign(self.value + (value if isinstance(value, (Tensor, Variable)) else np.asarray(value, np.float32)))

    def assign_sub(self, value: Any) -> None:
        """Subtracts from the numbers; see `assign`."""
        self.assign(self.value - (value if isinstance(value, (Tensor, Variable)) else np.asarray(value, np.float32)))

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def node(self) -> Tensor:
        """The symbolic tensor that stands for this variable in graphs: the same one as long as somebody holds it."""
        node = None if self._node is None else self._node()
        if node is None:
            node = Tensor(self.shape, op="variable", value=self, name=self.path)
            self._node = weakref.ref(node)  # the tensor holds the variable
        return node

    def current(self) -> Tensor:
        """The tensor of the value it has at this point of a trace: the one assigned last, or `node()`."""
        _, value = (assignments() or {}).get(id(self), (self, None))
        return self.typed(self.node() if value is None else value)

    def typed(self, held: Tensor) -> Tensor:
        """The tensor that the core holds as a value of this variable's type."""
        return self._cast(held, self.dtype)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        array = self._numbers()
        return np.array(array, dtype or array.dtype) if copy is not False else np.asarray(array, dtype)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a variable without dimensions")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self._numbers())

    def __bool__(self) -> bool:
        return bool(self._numbers())

    def __deepcopy__(self, memo):
        memo[id(self)] = copy = _restore(np.array(self.core.array), self._settings())
        return copy

    def __reduce__(self) -> tuple:
        return _restore, (np.array(self.core.array), self._settings())

    def _settings(self) -> dict[str, Any]:
        names = ("name", "path", "dtype", "trainable", "regularizer", "constraint", "_frozen_by_layer")
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def __repr__(self) -> str:
        shown = self.core.array if self.dtype == "float32" else self.core.array.astype(self.dtype)
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={shown}>"


def _restore(values: np.ndarray, settings: dict[str, Any]) -> Variable:
    """The copy of a variable."""
    variable = Variable(values, dtype=settings["dtype"], name=settings["name"])
    for name, value in settings.items():
        setattr(variable, name, value)
    return variable


def _kept(dtype: Any) -> str:
    """The type of a variable's values."""
    if dtype is None or isinstance(dtype, dict):
        return standardize_dtype(dtype)
    return {"int": "int32"}.get(name_of(dtype)) or standardize(dtype)


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
