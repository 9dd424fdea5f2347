"""Fourier transforms and complex numbers, which NumPy computes: of arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Value
from ._apply import apply, shape_of
from .arguments import positive_integer
from .arrays import on_arrays, require_arrays
from .operation import operation

__all__ = [
    "angle",
    "conj",
    "conjugate",
    "extract_sequences",
    "fft",
    "fft2",
    "i0",
    "ifft2",
    "imag",
    "irfft",
    "istft",
    "polar",
    "real",
    "rfft",
    "stft",
    "view_as_complex",
    "view_as_real",
]

Pair = tuple[np.ndarray, np.ndarray]


def _complex(op: str, x: Any) -> np.ndarray:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"`{op}` takes a pair of arrays, real and imaginary parts. Received: {type(x).__name__}")
    real, imaginary = on_arrays(op, *x)
    if real.shape != imaginary.shape:
        raise ValueError(
            f"`{op}` takes real and imaginary parts of one shape. Received: shapes {real.shape} and {imaginary.shape}"
        )
    return real + 1j * imaginary.astype(np.float64)


def _pair(y: np.ndarray) -> Pair:
    return y.real.astype(np.float32), y.imag.astype(np.float32)


def _needs(op: str, x: np.ndarray, axes: int) -> np.ndarray:
    if x.ndim < axes:
        raise ValueError(f"`{op}` takes {axes} axes or more. Received: shape {x.shape}")
    return x


def fft(x: tuple[Any, Any]) -> Pair:
    """The Fourier transform along the last axis. Of arrays only.

    Args:
        x: Real and imaginary parts, two arrays of one shape.

    Returns:
        Real and imaginary parts.

    Example:

    >>> real, imaginary = cconv.ops.fft(([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]))
    >>> real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return _pair(np.fft.fft(_needs("fft", _complex("fft", x), 1)))


def fft2(x: tuple[Any, Any]) -> Pair:
    """The Fourier transform along the last two axes; see `fft`. Of arrays only.

    Example:

    >>> real, imaginary = cconv.ops.fft2((np.ones((2, 2)), np.zeros((2, 2))))
    >>> real.tolist()
    [[4.0, 0.0], [0.0, 0.0]]
    """
    return _pair(np.fft.fft2(_needs("fft2", _complex("fft2", x), 2)))


def ifft2(x: tuple[Any, Any]) -> Pair:
    """The inverse of `fft2`. Of arrays only.

    Example:

    >>> real, imaginary = cconv.ops.ifft2((np.ones((2, 2)), np.zeros((2, 2))))
    >>> real.tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    return _pair(np.fft.ifft2(_needs("ifft2", _complex("ifft2", x), 2)))


def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """The Fourier transform of real numbers along the last axis: its half, the rest is its mirror. Of arrays only.

    Args:
        x: Array.
        fft_length: How many elements are transformed, cut off or filled with 0; `None`: all.

    Example:

    >>> real, imaginary = cconv.ops.rfft([1.0, 2.0, 3.0, 4.0])
    >>> real.tolist()
    [10.0, -2.0, -2.0]
    """
    (x,) = on_arrays("rfft", x)
    n = None if fft_length is None else positive_integer(fft_length, "fft_length")
    return _pair(np.fft.rfft(_needs("rfft", x, 1).astype(np.float64), n))


def irfft(x: tuple[Any, Any], fft_length: int | None = None) -> np.ndarray:
    """The inverse of `rfft`, of `fft_length` elements (by default an even number). Of arrays only.

    Example:

    >>> cconv.ops.irfft(cconv.ops.rfft([1.0, 2.0, 3.0, 4.0])).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    n = None if fft_length is None else positive_integer(fft_length, "fft_length")
    return np.fft.irfft(_needs("irfft", _complex("irfft", x), 1), n).astype(np.float32)


@operation("x", module="math")
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Value:
    """Windows of the last axis: (..., n) -> (..., windows, sequence_length).

    Args:
        x: Tensor whose last axis has a known size.
        sequence_length: Elements of a window.
        sequence_stride: From the start of one to that of the next.

    Example:

    >>> cconv.ops.extract_sequences([1, 2, 3, 4, 5], 3, 2).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    shape = shape_of(x)
    length, stride = (
        positive_integer(sequence_length, "sequence_length"),
        positive_integer(sequence_stride, "sequence_stride"),
    )
    n = shape[-1] if shape else None
    if n is None or n < length:
        raise ValueError(
            f"`extract_sequences` takes a last axis of a known size, {length} at least. Received: shape {shape}"
        )
    starts = np.arange(0, n - length + 1, stride, dtype=np.int32)
    return apply("take", [x, starts[:, None] + np.arange(length, dtype=np.int32)], {"axis": len(shape) - 1})


def _window(op: str, window: Any, length: int, fft_length: int) -> np.ndarray:
    """A window of `length` elements in the middle of `fft_length`."""
    if length > fft_length:
        raise ValueError(
            f"`{op}` takes a `sequence_length` of at most `fft_length`. Received: {length} and {fft_length}"
        )
    if window is None:
        values = np.ones(length)
    elif isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                f"The `window` of `{op}` must be 'hann', 'hamming', an array or None. Received: {window!r}"
            )
        turn = 2 * np.pi * np.arange(length) / length
        values = 0.5 - 0.5 * np.cos(turn) if window == "hann" else 0.54 - 0.46 * np.cos(turn)
    else:
        (values,) = on_arrays(op, window)
        if values.shape != (length,):
            raise ValueError(f"`{op}` takes a window of shape {(length,)}. Received: shape {values.shape}")
    before = (fft_length - length) // 2
    return np.pad(values.astype(np.float64), (before, fft_length - length - before))


def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> Pair:
    """The Fourier transforms of windows of the last axis. Of arrays only.

    Args:
        x: Array, (..., n).
        sequence_length: Elements of a window.
        sequence_stride: From the start of one to that of the next.
        fft_length: How many elements are transformed, at least `sequence_length`; zeros on both sides fill them.
        window: What a window is multiplied with: `"hann"`, `"hamming"`, an array, or `None`.
        center: Whether windows are centred: `x` is mirrored at both ends by half of `fft_length`.

    Returns:
        Real and imaginary parts, (..., windows, fft_length // 2 + 1).

    Example:

    >>> real, imaginary = cconv.ops.stft(np.ones(16), 8, 4, 8)
    >>> real.shape
    (5, 5)
    """
    (x,) = on_arrays("stft", x)
    n = positive_integer(fft_length, "fft_length")
    values = _window("stft", window, positive_integer(sequence_length, "sequence_length"), n)
    x = _needs("stft", x, 1).astype(np.float64)
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(n // 2, n // 2)], mode="reflect")
    if x.shape[-1] < n:
        raise ValueError(f"`stft` takes {n} elements or more along the last axis. Received: {x.shape[-1]}")
    frames = np.lib.stride_tricks.sliding_window_view(x, n, -1)[
        ..., :: positive_integer(sequence_stride, "sequence_stride"), :
    ]
    return _pair(np.fft.rfft(frames * values))


def istft(
    x: tuple[Any, Any],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> np.ndarray:
    """The inverse of `stft`. Of arrays only.

    Windows are added up, and divided by the sum of the squares of what they were multiplied with.

    Args:
        x: Real and imaginary parts, (..., windows, fft_length // 2 + 1).
        sequence_length: As for `stft`.
        sequence_stride: As for `stft`.
        fft_length: As for `stft`.
        length: Elements of the result; `None`: as many as there are.
        window: As for `stft`.
        center: As for `stft`.

    Returns:
        An array (..., n).

    Example:

    >>> sound = np.sin(np.arange(16.0))
    >>> parts = cconv.ops.stft(sound, 8, 4, 8)
    >>> bool(np.allclose(cconv.ops.istft(parts, 8, 4, 8, length=16), sound, atol=1e-5))
    True
    """
    n, stride = positive_integer(fft_length, "fft_length"), positive_integer(sequence_stride, "sequence_stride")
    values = _window("istft", window, positive_integer(sequence_length, "sequence_length"), n)
    frames = np.fft.irfft(_needs("istft", _complex("istft", x), 2), n) * values
    count = frames.shape[-2]
    y = np.zeros((*frames.shape[:-2], n + stride * (count - 1)))
    weight = np.zeros(y.shape[-1])
    for k in range(count):
        y[..., k * stride : k * stride + n] += frames[..., k, :]
        weight[k * stride : k * stride + n] += values**2
    y = np.divide(y, weight, out=np.zeros_like(y), where=weight > 1e-11)
    start = n // 2 if center else 0
    end = start + length if length is not None else y.shape[-1] - start
    y = y[..., start:end]
    if length is not None and y.shape[-1] < length:
        y = np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, length - y.shape[-1])])
    return y.astype(np.float32)


def _maybe_complex(op: str, x: Any) -> np.ndarray:
    require_arrays(op, x)
    if np.asarray(x).dtype.kind == "c":
        return np.asarray(x, np.complex64)
    return on_arrays(op, x)[0]


def real(x: Any) -> np.ndarray:
    """The real part. Of arrays only.

    Example:

    >>> cconv.ops.real(np.array([1 + 2j])).tolist()
    [1.0]
    """
    return np.array(np.real(_maybe_complex("real", x)))


def imag(x: Any) -> np.ndarray:
    """The imaginary part, 0 of real numbers. Of arrays only.

    Example:

    >>> cconv.ops.imag(np.array([1 + 2j])).tolist()
    [2.0]
    """
    return np.array(np.imag(_maybe_complex("imag", x)))


def conj(x: Any) -> np.ndarray:
    """The complex conjugate. Of arrays only.

    Example:

    >>> cconv.ops.conj(np.array([1 + 2j])).tolist()
    [(1-2j)]
    """
    return np.conjugate(_maybe_complex("conj", x))


def conjugate(x: Any) -> np.ndarray:
    """The same as `conj`. Of arrays only.

    Example:

    >>> cconv.ops.conjugate(np.array([1 + 2j])).tolist()
    [(1-2j)]
    """
    return np.conjugate(_maybe_complex("conjugate", x))


def angle(x: Any) -> np.ndarray:
    """The angle of complex numbers in radians, of real ones 0 or pi. Of arrays only.

    Example:

    >>> print(cconv.ops.angle(np.array([1j])).round(4))
    [1.5708]
    """
    return np.angle(_maybe_complex("angle", x)).astype(np.float32)


def polar(abs_: Any, angle: Any) -> np.ndarray:
    """The complex numbers of this size and this angle in radians, as complex64. Of arrays only.

    Example:

    >>> print(cconv.ops.polar(np.array([2.0]), np.array([0.0])).tolist())
    [(2+0j)]
    """
    size, turn = on_arrays("polar", abs_, angle)
    return (size * np.exp(1j * turn.astype(np.float64))).astype(np.complex64)


def view_as_complex(x: Any) -> np.ndarray:
    """The complex numbers of pairs along the last axis, as complex64. Of arrays only.

    Example:

    >>> cconv.ops.view_as_complex([[1.0, 2.0]]).tolist()
    [(1+2j)]
    """
    (x,) = on_arrays("view_as_complex", x)
    if x.ndim == 0 or x.shape[-1] != 2:
        raise ValueError(f"`view_as_complex` takes a last axis of size 2. Received: shape {x.shape}")
    return (x[..., 0] + 1j * x[..., 1]).astype(np.complex64)


def view_as_real(x: Any) -> np.ndarray:
    """The real and imaginary parts of complex numbers along a new last axis, as float32. Of arrays only.

    Example:

    >>> cconv.ops.view_as_real(np.array([1 + 2j])).tolist()
    [[1.0, 2.0]]
    """
    x = _maybe_complex("view_as_real", x)
    return np.stack([np.real(x), np.imag(x)], -1).astype(np.float32)


def i0(x: Any) -> np.ndarray:
    """The modified Bessel function of the first kind of order 0. Of arrays only.

    Example:

    >>> print(cconv.ops.i0([0.0, 1.0]).round(4))
    [1.     1.2661]
    """
    (x,) = on_arrays("i0", x)
    return np.i0(x.astype(np.float64)).reshape(x.shape).astype(np.float32)
