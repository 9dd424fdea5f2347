"""Images seen through windows of weights: blurred, their edges, how alike two of them are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Value
from .._apply import apply, shape_of
from ..arguments import integers, number, whole
from ..operation import operation
from ..shapes import stack
from ..tensors import cast
from .batch import as_batch, like

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]


def gaussian(size: int, sigma: float, middle: float | None = None) -> np.ndarray:
    """`size` weights that sum to 1, around a `middle`, by default the cell `(size - 1) // 2`."""
    distance = np.arange(size) - ((size - 1) // 2 if middle is None else middle)
    weights = np.exp(-0.5 * (distance / max(sigma, 1e-6)) ** 2)
    return weights / weights.sum()


def along_both(x: Any, down: np.ndarray, right: np.ndarray, padding: str = "same") -> Value:
    """Each channel of `(n, h, w, c)` by weights along the columns, then by others along the rows."""
    c = shape_of(x)[-1]
    for weights, shape in ((down, (-1, 1, 1, 1)), (right, (1, -1, 1, 1))):
        kernel = np.repeat(weights.reshape(shape), c, axis=-1).astype(np.float32)
        x = apply("conv", [x, kernel], {"padding": padding, "groups": c})
    return x


@operation("images", module="image")
def gaussian_blur(
    images: Any,
    kernel_size: tuple[int, int] = (3, 3),
    sigma: tuple[float, float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Value:
    """Images blurred: each pixel a mean of those around it, weighted by the normal distribution.

    Beyond the edges there are zeros, so borders become darker. Square windows are Keras' on TensorFlow; on PyTorch and
    JAX Keras 3.15 blurs along one axis only, and the weights of windows that are not square it mixes up.

    Args:
        images: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        kernel_size: Rows and columns of the window; of an even number the middle is the left of two.
        sigma: Standard deviations along rows and columns, in pixels; 0 leaves an axis as it is.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Tensor of shape and type of `images`; whole numbers are rounded.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> x = np.zeros((3, 3, 1))
    >>> x[1, 1] = 1
    >>> cconv.ops.image.gaussian_blur(x)[..., 0].astype(float).round(2).tolist()
    [[0.08, 0.12, 0.08], [0.12, 0.2, 0.12], [0.08, 0.12, 0.08]]
    """
    sizes = integers(kernel_size, 2, "kernel_size")
    if not isinstance(sigma, (list, tuple)) or len(sigma) != 2:
        raise ValueError(f"The `sigma` argument must be two numbers, of rows and columns. Received: sigma={sigma!r}")
    down, right = (gaussian(size, number(s, "sigma", 0)) for size, s in zip(sizes, sigma, strict=True))
    x, back = as_batch(images, data_format)
    return back(like(along_both(cast(x, "float32"), down, right), images))


@operation("images", module="image")
def sobel_edges(images: Any, data_format: str | None = None) -> Value:
    """How fast images change from row to row and from column to column: Sobel's operator.

    Beyond an edge stands what lies as far inside of it, as on TensorFlow; Keras on PyTorch and JAX puts zeros there,
    which makes edges of the image's border.

    Args:
        images: Tensor `(n, h, w, c)`, or `(n, c, h, w)` with channels first.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        `(n, h, w, c, 2)`, or `(n, c, h, w, 2)`: downwards, and to the right; of the type of `images`.

    Raises:
        ValueError: The images have not four axes, or fewer than two rows or columns.

    Example:

    >>> x = np.arange(9).reshape(1, 3, 3, 1)
    >>> cconv.ops.image.sobel_edges(x)[0, 1, 1, 0].tolist()
    [24, 8]
    """
    if len(shape_of(images)) != 4:
        raise ValueError(
            f"`sobel_edges` takes a batch of images, of rank 4. Received input with shape: {shape_of(images)}"
        )
    x, back = as_batch(images, data_format)
    smooth, difference = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    x = apply("pad", [cast(x, "float32")], {"pads": [0, 1, 1, 0, 0, 1, 1, 0], "mode": "reflect"})
    edges = along_both(x, difference, smooth, "valid"), along_both(x, smooth, difference, "valid")
    return stack([like(back(edge), images) for edge in edges], axis=-1)


@operation("image1", "image2", module="image", class_name="SSIM")
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Value:
    """How alike two images are to the eye, -1 to 1, 1 for equal ones: the structural similarity.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
    Transactions on Image Processing 13, 2004: of means, variances and covariance in windows weighted by the normal
    distribution, for each channel; the mean of all.

    Args:
        image1: Tensor `(n, h, w, c)` or `(h, w, c)`, or with channels first.
        image2: Tensor of the same shape.
        max_val: Highest number that pixels can have, the lowest being 0.
        filter_size: Rows and columns of the window, which must fit into the image.
        filter_sigma: Standard deviation of its weights.
        k1: Share of `max_val` that steadies the ratio of means where these are small.
        k2: Share of `max_val` that steadies the ratio of deviations, likewise.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        `(n,)`, or a scalar of one pair; float32 (Keras rounds it for whole numbers).

    Raises:
        ValueError: The shapes differ, the window does not fit, or an argument is out of its range.

    Example:

    >>> x = np.random.default_rng(0).uniform(size=(2, 16, 16, 3))
    >>> cconv.ops.image.ssim(x, x).tolist()
    [1.0, 1.0]
    """
    shape = shape_of(image1)
    if len(shape) != len(shape_of(image2)) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(shape, shape_of(image2), strict=True)
    ):
        raise ValueError(
            f"`ssim` takes two images of the same shape. Received: image1.shape={shape}, "
            f"image2.shape={shape_of(image2)}"
        )
    a, _ = as_batch(image1, data_format, "image1")
    b, _ = as_batch(image2, data_format, "image2")
    size = whole(filter_size, "filter_size", 1)
    if any(side is not None and side < size for side in shape_of(a)[1:3]):
        raise ValueError(
            f"`ssim` takes images of at least `filter_size` rows and columns. Received: filter_size={size}, "
            f"image1.shape={shape}"
        )
    weights = gaussian(size, number(filter_sigma, "filter_sigma", 0), (size - 1) / 2)
    most = number(max_val, "max_val")
    c1, c2 = (number(k1, "k1") * most) ** 2, (number(k2, "k2") * most) ** 2

    def mean(x: Any) -> Any:
        return along_both(x, weights, weights, "valid")

    a, b = cast(a, "float32"), cast(b, "float32")
    mean_a, mean_b = mean(a), mean(b)
    squares = mean_a * mean_a + mean_b * mean_b
    products = mean_a * mean_b
    variances = mean(a * a + b * b) - squares
    covariance = mean(a * b) - products
    alike = ((2.0 * products + c1) * (2.0 * covariance + c2)) / ((squares + c1) * (variances + c2))
    values = apply("mean", [alike], {"axes": [1, 2, 3]})
    return apply("squeeze", [values], {"axes": [0]}) if len(shape) == 3 else values
