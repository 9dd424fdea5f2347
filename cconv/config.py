"""Settings for the whole package: number type, small constant of the losses, image layout, algorithms, memory."""

from __future__ import annotations

import contextlib
import functools
import operator
import os

from . import _core
from .dtype_policies import DTypePolicy
from .dtype_policies import get as policy_of
from .keras_names import getattr_of

_epsilon = 1e-7
_image_data_format = "channels_last"
_program_memory: int | None = None
_interactive_logging = True


def floatx() -> str:
    """The number type of every tensor: always `"float32"`.

    Example:

    >>> cconv.config.floatx()
    'float32'
    """
    return "float32"


def set_floatx(value: str) -> None:
    """Checks that the number type is `"float32"`.

    Raises:
        ValueError: It is another one.
    """
    standardize_dtype(value)


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: always that of float32.

    Example:

    >>> cconv.config.dtype_policy()
    <DTypePolicy "float32">
    """
    return DTypePolicy()


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Checks that the policy is that of float32.

    Raises:
        ValueError: It is another one, such as `"mixed_float16"`.
    """
    policy_of(policy)


def backend() -> str:
    """What computes: `"cconv"`.

    Example:

    >>> cconv.config.backend()
    'cconv'
    """
    return "cconv"


def set_backend(backend: str) -> None:
    """Checks that the back end is `"cconv"`.

    Raises:
        ValueError: It is another one.
    """
    if backend != "cconv":
        raise ValueError(f"There is one back end: expected 'cconv'. Received: backend={backend!r}")


def epsilon() -> float:
    """The small constant that losses and metrics add or clip by.

    Example:

    >>> cconv.config.epsilon()
    1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets what `epsilon()` returns.

    Raises:
        ValueError: It is no number.

    Example:

    >>> cconv.config.set_epsilon(1e-6)
    >>> cconv.config.epsilon()
    1e-06
    >>> cconv.config.set_epsilon(1e-7)
    """
    global _epsilon
    value = float(value)
    if not value > 0:
        raise ValueError(f"`value` must be a positive number. Received: value={value}")
    _epsilon = value


def image_data_format() -> str:
    """The layout of images where a layer is not told: `"channels_last"` or `"channels_first"`.

    Example:

    >>> cconv.config.image_data_format()
    'channels_last'
    """
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets what `image_data_format()` returns.

    Raises:
        ValueError: It is neither `"channels_last"` nor `"channels_first"`.

    Example:

    >>> cconv.config.set_image_data_format("channels_first")
    >>> cconv.layers.Conv2D(4, 3)(np.zeros((1, 3, 8, 8))).shape
    (1, 4, 6, 6)
    >>> cconv.config.set_image_data_format("channels_last")
    """
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def enable_winograd() -> None:
    """Lets 3x3 and 5x5 convolutions with strides 1 use Winograd's algorithm where it is faster. That is the default."""
    _core.set_winograd(True)


def disable_winograd() -> None:
    """Keeps convolutions from choosing Winograd's algorithm.

    It multiplies up to four times less, but its rounding errors are some two times larger (five times in the gradient
    of the kernel). The setting counts when a model or function is first run with a shape: what has run before goes on
    as it was. `algorithm="winograd"` in `cconv.ops.conv2d` has it all the same.

    Example:

    >>> cconv.config.disable_winograd()
    >>> cconv.config.is_winograd_enabled()
    False
    >>> cconv.config.enable_winograd()
    """
    _core.set_winograd(False)


def is_winograd_enabled() -> bool:
    """Whether convolutions may choose Winograd's algorithm.

    Example:

    >>> cconv.config.is_winograd_enabled()
    True
    """
    return _core.winograd()


def enable_tuning() -> None:
    """Lets convolutions choose their algorithm by measuring instead of estimating.

    A model or function that is first run with a shape then times the algorithms that fit each of its convolutions,
    which may take seconds, and keeps the fastest. Times differ a little from run to run, so the choice may, and with it
    the last bits of results: where those must be the same everywhere, leave it off. What has run before goes on as it
    was.

    Example:

    >>> cconv.config.enable_tuning()
    >>> cconv.config.is_tuning_enabled()
    True
    >>> cconv.config.disable_tuning()
    """
    _core.set_tuning(True)


def disable_tuning() -> None:
    """Lets convolutions choose their algorithm by an estimate that depends on sizes only. That is the default."""
    _core.set_tuning(False)


def is_tuning_enabled() -> bool:
    """Whether convolutions measure the algorithms they may choose from.

    Example:

    >>> cconv.config.is_tuning_enabled()
    False
    """
    return _core.tunes()


def enable_nonfinite_check() -> None:
    """Keeps a NaN, an infinity or a number near the largest where it belongs. That is the default."""
    _core.set_nonfinite_check(True)


def disable_nonfinite_check() -> None:
    """Lets convolutions spread what is not finite.

    Winograd's algorithm computes square tiles of pixels together: by itself it turns all outputs of a tile into NaN if
    one of the pixels below is NaN or infinite, and loses all digits of them if one is near the largest float32.
    Therefore it looks at its sums, and computes tiles in which one is not finite, or is 2^62 or more, as the other
    algorithms do. That look takes less than a hundredth of the time of a convolution; without it a step over finite
    numbers computes the same bits. The setting counts when a model or function is first run with a shape: what has run
    before goes on as it was.

    Example:

    >>> cconv.config.disable_nonfinite_check()
    >>> cconv.config.is_nonfinite_check_enabled()
    False
    >>> cconv.config.enable_nonfinite_check()
    """
    _core.set_nonfinite_check(False)


def is_nonfinite_check_enabled() -> bool:
    """Whether convolutions keep what is not finite where it belongs.

    Example:

    >>> cconv.config.is_nonfinite_check_enabled()
    True
    """
    return _core.checks_nonfinite()


def enable_interactive_logging() -> None:
    """Shows progress and messages on standard output. That is the default."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging() -> None:
    """Sends progress and messages to Python's `logging` (the logger `"cconv"`, level `INFO`) instead of the terminal.

    Example:

    >>> cconv.config.disable_interactive_logging()
    >>> cconv.config.is_interactive_logging_enabled()
    False
    >>> cconv.config.enable_interactive_logging()
    """
    global _interactive_logging
    _interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages are shown on standard output."""
    return _interactive_logging


def program_memory() -> int:
    """How many bytes the programs that are kept for later runs may take in all.

    What has been run with a shape (a training step, a prediction, a layer, a function of `cconv.ops`) stays planned,
    with the memory for its values. Where the sum passes this limit, programs that have not run for longest are dropped,
    and planned again when they are needed; the newest stays however large it is. By default it is a third of the memory
    of the machine or of the container, whichever is smaller.

    Example:

    >>> cconv.config.set_program_memory(2**30)
    >>> cconv.config.program_memory()
    1073741824
    >>> cconv.config.set_program_memory(None)  # the default
    """
    return _memory() // 3 if _program_memory is None else _program_memory


def set_program_memory(limit: int | None) -> None:
    """Sets what `program_memory()` returns, for the programs made from now on.

    Args:
        limit: Bytes; `None` for the default.

    Raises:
        TypeError: `limit` is no integer.
        ValueError: It is negative.

    Example:

    >>> cconv.config.set_program_memory(2**30)
    >>> cconv.config.program_memory()
    1073741824
    >>> cconv.config.set_program_memory(None)
    """
    global _program_memory
    if limit is not None:
        try:
            limit = operator.index(limit)
        except TypeError:
            raise TypeError(f"`limit` must be a number of bytes or None. Received: limit={limit!r}") from None
        if limit < 0:
            raise ValueError(f"`limit` must not be negative. Received: limit={limit}")
    _program_memory = limit


@functools.cache
def _memory() -> int:
    """Bytes of memory that this process may hope for."""
    found = [6 << 30]  # where nothing can be found out
    with contextlib.suppress(AttributeError, ValueError, OSError):
        found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError), open(path) as file:
            found.append(int(file.read()))  # "max" is no limit
    return min(found)


def standardize_data_format(data_format: str | None) -> str:
    """Checks a `data_format` argument; `None` stands for `image_data_format()`."""
    if data_format is None:
        return _image_data_format
    text = str(data_format).lower()
    if text not in ("channels_last", "channels_first"):
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={data_format}"
        )
    return text


def standardize_dtype(dtype) -> str:
    """Checks a `dtype` argument of a layer or variable: everything is computed in float32.

    Accepts `None`, `"float32"`, NumPy's `float32` and the serialized form of a Keras dtype policy of that name.

    Example:

    >>> cconv.config.standardize_dtype(None)
    'float32'
    """
    name = dtype
    if isinstance(dtype, dict):
        config = dtype.get("config")
        name = config.get("name", dtype) if isinstance(config, dict) else dtype
    elif dtype is not None and not isinstance(dtype, str):
        name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    if name not in (None, "float32"):
        raise ValueError(f"cconv computes in float32 only: expected dtype='float32'. Received: dtype={dtype!r}")
    return "float32"


__getattr__ = getattr_of(globals())
