"""Convolutions and poolings of `applications_torch`: Keras' settings and weights as modules of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

Pads = tuple[tuple[int, int], tuple[int, int]]  # rows and columns, before and behind


class Padded(nn.Module):
    """A window over an image that is padded unevenly before.

    With Keras' zeros until `pad_evenly` is called, so that outputs can be compared before times are; then with as many
    on all sides, if the result has the same size.
    """

    def __init__(self, window: nn.Module, pads: Pads, value: float, sides: tuple[int, int]) -> None:
        super().__init__()
        self.window, self.value = window, value
        self.outside: tuple[int, ...] | None = (*pads[1], *pads[0])
        self._pads, self._sides = pads, sides

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.outside is not None:
            x = functional.pad(x, self.outside, value=self.value)
        return self.window(x)

    def pad_evenly(self) -> bool:
        """Whether it pads in another way from now on."""
        if self.outside is None:
            return False
        even = tuple(max(pads) for pads in self._pads)
        size, stride = pair(self.window.kernel_size), pair(self.window.stride)

        def results(pads: tuple[int, int]) -> list[int]:
            return [(n + p - k) // s + 1 for n, p, k, s in zip(self._sides, pads, size, stride, strict=True)]

        if results(tuple(map(sum, self._pads))) != results(tuple(2 * p for p in even)):
            return False
        if isinstance(self.window, nn.MaxPool2d | nn.AvgPool2d) and any(2 * p > k for p, k in zip(even, size)):
            return False
        self.outside, self.window.padding = None, even
        return True


def pair(x: Any) -> tuple[int, int]:
    return (x, x) if isinstance(x, int) else tuple(x)


def same_pads(shape: tuple, size: Any, stride: Any, dilation: Any = (1, 1)) -> Pads:
    """What "same" of Keras pads."""
    pads = []
    for n, k, s, d in zip(shape[1:3], size, stride, dilation, strict=True):
        both = max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n)
        pads.append((both // 2, both - both // 2))
    return pads[0], pads[1]


def pads_of(config: dict, shape: tuple, size: Any, outside: Pads | None) -> Pads:
    """What a layer pads, or one before it."""
    padding = config["padding"]
    if padding == "same":
        return same_pads(shape, size, config["strides"], config.get("dilation_rate", (1, 1)))
    if padding == "valid":
        return outside or ((0, 0), (0, 0))
    return tuple(map(tuple, padding))


def windowed(kind: str, config: dict, shape: tuple, outside: Pads | None, arrays: list[np.ndarray]) -> nn.Module:
    """A convolution of images of this shape (n, h, w, c)."""
    kernel, *bias = arrays
    channels, size = shape[-1], kernel.shape[:2]
    settings = {"stride": tuple(config["strides"]), "dilation": tuple(config["dilation_rate"]), "bias": bool(bias)}
    with torch.device("meta"):
        if kind == "Conv2DTranspose":
            if config["padding"] != "valid" or config["output_padding"] is not None:
                raise NotImplementedError(f"a transposed convolution with padding {config['padding']}")
            module: nn.Module = nn.ConvTranspose2d(channels, kernel.shape[2], size, **settings)
            kernel, pads = kernel.transpose(3, 2, 0, 1), ((0, 0), (0, 0))
        else:
            pads = pads_of(config, shape, size, outside)
            if kind == "DepthwiseConv2D":
                filters, groups = channels * kernel.shape[3], channels
                kernel = kernel.transpose(2, 3, 0, 1).reshape(filters, 1, *size)
            else:
                filters, groups = kernel.shape[3], config["groups"]
                kernel = kernel.transpose(3, 2, 0, 1)
            even = pads[0][0] == pads[0][1] and pads[1][0] == pads[1][1]
            padding = (pads[0][0], pads[1][0]) if even else (0, 0)
            module = nn.Conv2d(channels, filters, size, groups=groups, padding=padding, **settings)
            if not even:
                module = Padded(module, pads, 0.0, shape[1:3])
    inner = module.window if isinstance(module, Padded) else module
    inner.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(kernel)))
    if bias:
        inner.bias = nn.Parameter(torch.from_numpy(bias[0]))
    return module


def pooling(kind: str, config: dict, shape: tuple, outside: Pads | None) -> nn.Module:
    """A pooling of images of this shape."""
    size, stride = tuple(config["pool_size"]), tuple(config["strides"])
    pads = pads_of(config, shape, size, outside)
    zeros = config["padding"] == "valid"  # in windows of a layer that pads itself, only what is inside counts
    even = pads[0][0] == pads[0][1] and pads[1][0] == pads[1][1]
    padding = (pads[0][0], pads[1][0])
    fits = all(2 * p <= k for p, k in zip(padding, size, strict=True))
    if kind == "AveragePooling2D":
        if even and fits:
            return nn.AvgPool2d(size, stride, padding, count_include_pad=zeros)
        if not zeros and padding == (0, 0) and ceiled(shape, size, stride, pads):
            return nn.AvgPool2d(size, stride, ceil_mode=True, count_include_pad=False)
        if zeros:
            return Padded(nn.AvgPool2d(size, stride), pads, 0.0, shape[1:3])
        raise NotImplementedError(f"averages padded by {pads}")
    if not zeros and even and fits:
        return nn.MaxPool2d(size, stride, padding)
    if not zeros and padding == (0, 0) and ceiled(shape, size, stride, pads):
        return nn.MaxPool2d(size, stride, ceil_mode=True)
    if pads == ((0, 0), (0, 0)):
        return nn.MaxPool2d(size, stride)
    return Padded(nn.MaxPool2d(size, stride), pads, 0.0 if zeros else float("-inf"), shape[1:3])


def ceiled(shape: tuple, size: tuple, stride: tuple, pads: Pads) -> bool:
    """Whether rounding up makes as many windows as the padding."""
    return all(
        -(-(n - k) // s) == (n + sum(p) - k) // s for n, k, s, p in zip(shape[1:3], size, stride, pads, strict=True)
    )
