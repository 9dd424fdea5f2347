"""Symbolic tensors: the nodes of the light graph that tracing leaves behind.

A `Tensor` has a shape and says by which op and from what it comes; it holds no numbers. `graph.py` turns a set of them
into a graph of the C core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .dtypes import as_numbers, converted, of_array

Shape = tuple["int | None", ...]


class Operators:
    """The base of tensors and variables. Their operators `+ - * / ** @ < [...]` are ops: `ops.operators` sets them."""

    __slots__ = ()

    # NumPy then leaves `array + tensor` to the tensor
    __array_priority__ = 1000

    def __pos__(self):
        return self

    __hash__ = object.__hash__

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def rank(self) -> int:
        return len(self.shape)


class Tensor(Operators):
    """A value that a graph will compute.

    Made by `cconv.Input` and by calling layers and `cconv.ops` functions on other tensors. It is immutable.

    Attributes:
        shape: Tuple of sizes; `None` where a size is not known yet (the batch, or the sides of an image).
        dtype: `"float32"`, `"int32"` or `"bool"`.
        name: Name of the layer or op that made it.
        op: Name of the op of the C core, or `"input"`, `"variable"`, `"constant"`.
        inputs: The tensors the op reads; `None` for an optional one left out.
        attributes: The op's attributes.
        mask: A tensor of bools that says which steps count, where a mask came with the input of a layer.

    Example:

    >>> x = cconv.Input((4,))
    >>> y = 2 * x + 1
    >>> y.shape
    (None, 4)
    """

    # with `None` NumPy's operators give way to ours
    __array_ufunc__ = None

    __slots__ = ("shape", "dtype", "name", "op", "inputs", "attributes", "value", "history", "node", "mask",
                 "__weakref__")  # fmt: skip

    def __init__(
        self,
        shape: Sequence[int | None],
        op: str = "input",
        inputs: tuple[Tensor | None, ...] = (),
        attributes: Mapping[str, Any] | None = None,
        name: str | None = None,
        value: Any = None,
        dtype: str = "float32",
    ) -> None:
        self.shape = tuple(None if size is None else int(size) for size in shape)
        self.dtype = dtype
        self.op = op
        self.inputs = inputs
        self.attributes = dict(attributes or {})
        self.name = name
        self.value = value  # the array of a constant, the Variable of a variable
        self.history = None  # (layer, number of its call, number of the output): how functional models find the layers
        self.node = None  # that call
        self.mask = None

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape}, dtype={self.dtype}, op={self.op}, name={self.name}>"

    def __bool__(self) -> bool:
        raise TypeError(
            f"A symbolic tensor has no value yet, so Python cannot decide on it (`if`, `and`, `in`). "
            f"Use `cconv.ops.where` to choose between values. Received: {self!r}"
        )

    def __float__(self) -> float:
        raise TypeError(f"Expected a number: a symbolic tensor has no value yet. Received: {self!r}")

    __int__ = __index__ = __float__

    def __len__(self) -> int:
        raise TypeError(f"`len()` of a symbolic tensor: use its `.shape`. Received: {self!r}")

    def __iter__(self):
        if not self.shape or self.shape[0] is None:
            raise TypeError(
                "A symbolic tensor can be iterated over, or unpacked, along a first axis of known size only. "
                f"Received: {self!r}"
            )
        return (self[i] for i in range(self.shape[0]))

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Expected an array: a symbolic tensor has no value yet, only the functions of `cconv.ops`, layers and "
            f"losses take it. Received: {self!r}"
        )


Value = Tensor | np.ndarray  # what ops return: a node of a model, or numbers


def is_symbolic(x: Any) -> bool:
    """True for `Tensor`."""
    return isinstance(x, Tensor)


def constant(value: Any, dtype: str | None = None) -> Tensor:
    """A tensor that holds these numbers, as the type they have or another one."""
    array = as_numbers(value, f"Constant {value!r:.60}")
    dtype = dtype or of_array(array.dtype)
    array = converted(array, dtype)
    return Tensor(array.shape, op="constant", value=array, dtype=dtype)
