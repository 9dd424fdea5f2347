"""The operators `+ - * / ** @ < [...]` of tensors and variables: importing this module installs them.

The classes are below the ops, so they cannot name them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..tensor import Operators
from .arithmetic import absolute, add, divide, matmul, multiply, negative, power, subtract
from .comparison import equal, greater, greater_equal, less, less_equal, not_equal
from .indexing import get_item


def _reflected(function: Callable) -> Callable:
    return lambda self, other: function(other, self)


for _name, _function in {
    "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul,
}.items():  # fmt: skip
    setattr(Operators, f"__{_name}__", _function)
    setattr(Operators, f"__r{_name}__", _reflected(_function))

for _name, _function in {
    "neg": negative, "abs": absolute, "getitem": get_item,
    "lt": less, "le": less_equal, "gt": greater, "ge": greater_equal, "eq": equal, "ne": not_equal,
}.items():  # fmt: skip
    setattr(Operators, f"__{_name}__", _function)
