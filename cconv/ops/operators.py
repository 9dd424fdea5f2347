"""The operators `+ - * / // % ** @ & | ^ ~ < [...]` of tensors and variables: importing this module installs them.

The classes are below the ops, so they cannot name them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..tensor import Operators
from .arithmetic import absolute, add, divide, floor_divide, matmul, mod, multiply, negative, subtract
from .bitwise import bitwise_and, bitwise_not, bitwise_or, bitwise_xor
from .comparison import equal, greater, greater_equal, less, less_equal, not_equal
from .powers import power
from .shapes import reshape, squeeze, transpose
from .subscripts import get_item


def _subscript(self, key):
    return get_item(self, np.asarray(key) if isinstance(key, list) else key)


def _reflected(function: Callable) -> Callable:
    return lambda self, other: function(other, self)


for _name, _function in {
    "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul,
    "floordiv": floor_divide, "mod": mod, "and": bitwise_and, "or": bitwise_or, "xor": bitwise_xor,
}.items():  # fmt: skip
    setattr(Operators, f"__{_name}__", _function)
    setattr(Operators, f"__r{_name}__", _reflected(_function))

Operators.T = property(transpose, doc="With its axes in reverse.")
Operators.reshape = lambda self, *newshape: reshape(self, newshape[0] if len(newshape) == 1 else newshape)
Operators.squeeze = squeeze

for _name, _function in {
    "neg": negative, "abs": absolute, "invert": bitwise_not, "getitem": _subscript,
    "lt": less, "le": less_equal, "gt": greater, "ge": greater_equal, "eq": equal, "ne": not_equal,
}.items():  # fmt: skip
    setattr(Operators, f"__{_name}__", _function)
