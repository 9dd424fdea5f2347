"""What Keras tells and sets of its back end, of which there is one here: the C core, in float32."""

from __future__ import annotations

from typing import Any

from . import dtypes
from .config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_image_data_format,
)
from .keras_names import getattr_of
from .tensor import is_symbolic
from .utils.session import clear_session

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

_uids: dict[str, int] = {}


def backend() -> str:
    """The name of what computes: `"cconv"`.

    Example:

    >>> cconv.backend.backend()
    'cconv'
    """
    return "cconv"


def set_floatx(value: str) -> None:
    """Accepts `"float32"`, the type that layers compute in.

    Raises:
        ValueError: It is another one.
    """
    if value != floatx():
        raise ValueError(f"Layers compute in {floatx()}. Received: value={value!r}")


def get_uid(prefix: str = "") -> int:
    """How often it was asked for this prefix.

    Example:

    >>> first = cconv.backend.get_uid("block")
    >>> cconv.backend.get_uid("block") - first
    1
    """
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def standardize_dtype(dtype: Any) -> str:
    """The name of an element type given as a name, a NumPy or Python type or another library's; `None`: `floatx()`.

    Raises:
        ValueError: There is no such type.

    Example:

    >>> cconv.backend.standardize_dtype(np.int32)
    'int32'
    """
    if dtype is None:
        return floatx()
    name = dtypes.name_of(dtype).removeprefix("torch.")
    if name not in dtypes.ACCEPTED:
        raise ValueError(f"Invalid dtype: {dtype}")
    return name


def is_float_dtype(dtype: Any) -> bool:
    """Whether an element type is floating point.

    Example:

    >>> cconv.backend.is_float_dtype("float16")
    True
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether an element type is of whole numbers.

    Example:

    >>> cconv.backend.is_int_dtype("uint8")
    True
    """
    return "int" in standardize_dtype(dtype)


def is_keras_tensor(x: Any) -> bool:
    """Whether it is a symbolic tensor.

    Example:

    >>> cconv.backend.is_keras_tensor(cconv.Input((3,)))
    True
    """
    return is_symbolic(x)


def result_type(*dtypes_: Any) -> str:
    """The type that values of these types become together: bool, int32 or float32.

    Example:

    >>> cconv.backend.result_type("int32", "float32")
    'float32'
    """
    names = [standardize_dtype(dtype) for dtype in dtypes_]
    if not names:
        return floatx()
    return dtypes.result_type(*("bool" if n == "bool" else "int32" if "int" in n else "float32" for n in names))


__getattr__ = getattr_of(globals())
