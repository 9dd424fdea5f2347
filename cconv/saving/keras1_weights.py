"""Weights in the layout of Keras 1 in today's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose")


def of_keras1(
    kind: str, values: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], backend: str, where: str
) -> list[np.ndarray]:
    """The weights of a layer as they are now.

    A kernel stood as (filters, channels, height, width) where channels come first, that of `Convolution1D` had an axis
    of one, and Theano's was turned around.

    Args:
        kind: The class of the layer.
        values: Its weights in the file.
        shapes: The shapes that they are to have.
        backend: That of the Keras which wrote the file.
        where: What errors call the layer.

    Raises:
        ValueError: There are more or fewer, or their shapes cannot be those.
    """
    values = list(values)
    if kind in _CONVOLUTIONS and values:
        values[0] = _kernel(kind, values[0], shapes[0], backend)
    found = [tuple(value.shape) for value in values]
    if found != list(shapes):
        raise ValueError(f"{where}: expected weights of shapes {list(shapes)}, received {found}.")
    return values


def _kernel(kind: str, kernel: np.ndarray, shape: tuple[int, ...], backend: str) -> np.ndarray:
    if kind == "Conv1D" and kernel.ndim == 4:
        if kernel.shape[1] == 1:
            kernel = kernel[:, 0]
        else:  # (filters, channels, length, 1)
            kernel = kernel[..., 0].transpose(2, 1, 0)
    elif kernel.ndim == len(shape) and kernel.shape != shape:
        spatial = tuple(range(2, kernel.ndim))
        # a transposed convolution's first axis is that of its inputs
        kernel = kernel.transpose(*spatial, 1, 0)
    if backend == "theano":
        kernel = np.flip(kernel, tuple(range(kernel.ndim - 2)))
    return kernel
