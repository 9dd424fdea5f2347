"""Pooling, padding and cropping layers of sequences, images and volumes."""

import numpy as np
import pytest

import cconv
from cconv import layers


def images(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def windows(x, size, strides):
    n, h, w, c = x.shape
    oh, ow = (h - size[0]) // strides[0] + 1, (w - size[1]) // strides[1] + 1
    out = np.empty((n, oh, ow, size[0] * size[1], c))
    for i in range(oh):
        for j in range(ow):
            part = x[:, i * strides[0] : i * strides[0] + size[0], j * strides[1] : j * strides[1] + size[1]]
            out[:, i, j] = part.reshape(n, -1, c)
    return out


@pytest.mark.parametrize(
    ("layer", "over"),
    [
        (layers.MaxPooling2D, lambda v: v.max(axis=3)),
        (layers.AveragePooling2D, lambda v: v.mean(axis=3)),
        (layers.SumPooling2D, lambda v: v.sum(axis=3)),
        (layers.L2Pooling2D, lambda v: np.sqrt((v**2).sum(axis=3))),
    ],
)
def test_pooling_over_windows(layer, over):
    x = images(2, 7, 6, 3)
    np.testing.assert_allclose(layer((3, 2))(x), over(windows(x, (3, 2), (3, 2))), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(layer(2, strides=1, name="p")(x), over(windows(x, (2, 2), (1, 1))), rtol=1e-5, atol=1e-5)
    assert layer(2, padding="same", strides=2)(x).shape == (2, 4, 3, 3)


def test_global_pooling():
    x = images(2, 5, 4, 3)
    np.testing.assert_allclose(layers.GlobalAveragePooling2D()(x), x.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layers.GlobalMaxPooling2D()(x), x.max(axis=(1, 2)))
    assert layers.GlobalMaxPooling2D(keepdims=True)(x).shape == (2, 1, 1, 3)


def box(x, before, after, axes):
    """`x` without so many cells at the ends of these axes."""
    return x[tuple(slice(before, size - after) if axis in axes else slice(None) for axis, size in enumerate(x.shape))]


IMAGES = {1: (2, 6, 3), 2: (2, 4, 6, 3), 3: (2, 4, 6, 5, 3)}


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_layers_of_every_rank(rank):
    x = images(*IMAGES[rank])
    axes = tuple(range(1, rank + 1))

    def layer(kind, *arguments, **settings):
        return getattr(layers, f"{kind}{rank}D")(*arguments, **settings)

    def over(function):
        """Windows of 2 cells each way, the last of an odd axis left out."""
        parts = x[tuple(slice(size // 2 * 2) if axis in axes else slice(None) for axis, size in enumerate(x.shape))]
        sizes = [n for axis, size in enumerate(parts.shape) for n in ((size // 2, 2) if axis in axes else (size,))]
        return function(parts.reshape(sizes), tuple(range(2, 2 * rank + 1, 2)))

    np.testing.assert_array_equal(layer("MaxPooling")(x), over(np.max))
    np.testing.assert_allclose(layer("AveragePooling")(x), over(np.mean), rtol=1e-5, atol=1e-6)
    assert layer("MaxPooling", 3, 2, "same")(x).shape == (2, *(-(-n // 2) for n in x.shape[1:-1]), 3)
    explicit = layer("MaxPooling", 2, 1, padding=((1, 0),) * rank)
    assert explicit(x).shape == x.shape
    np.testing.assert_allclose(layer("GlobalAveragePooling")(x), x.mean(axes), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(layer("GlobalMaxPooling", keepdims=True)(x), x.max(axes, keepdims=True))
    for padding, width in [(1, (1, 1)), (2, (2, 2)), (((0, 2),) * rank if rank > 1 else (0, 2), (0, 2))]:
        expected = np.pad(x, [width if axis in axes else (0, 0) for axis in range(x.ndim)])
        np.testing.assert_array_equal(layer("ZeroPadding", padding)(x), expected)
    assert layer("ZeroPadding")(x).shape == (2, *(n + 2 for n in x.shape[1:-1]), 3)
    for cropping, (before, after) in [(1, (1, 1)), (((2, 1),) * rank if rank > 1 else (2, 1), (2, 1))]:
        np.testing.assert_array_equal(layer("Cropping", cropping)(x), box(x, before, after, axes))
    shape = layer("Cropping", 1).compute_output_shape((None, *[None] * rank, 3))
    assert shape == (None,) * (rank + 1) + (3,)
    with pytest.raises(ValueError, match="'crop' expected `cropping` to leave something"):
        layer("Cropping", 3, name="crop")(x)
    with pytest.raises(ValueError, match=f"expected ndim={rank + 2}, found ndim={rank + 3}"):
        layer("MaxPooling")(x[None])
    with pytest.raises(ValueError, match="`cropping` argument"):
        layer("Cropping", (1,) * 4)
    with pytest.raises(ValueError, match="`padding` argument"):
        layer("ZeroPadding", (1,) * 4)
    with pytest.raises(ValueError, match="`pool_size` argument"):
        layer("AveragePooling", (2,) * 4)
    with pytest.raises(ValueError, match="`padding` argument"):
        layer("MaxPooling", padding=((1, 1),) * 4)
    with pytest.raises(ValueError, match="do not satisfy `value >= 0`"):
        layer("Cropping", -1)


KINDS = ["MaxPooling", "AveragePooling", "GlobalMaxPooling", "ZeroPadding"]


@pytest.mark.parametrize(
    ("kind", "rank"),
    [*((kind, rank) for kind in KINDS for rank in (1, 2, 3)), ("Cropping", 2), ("Cropping", 3)],
)
def test_channels_first_of_every_rank(kind, rank):
    x = images(*IMAGES[rank])
    settings = {"keepdims": True} if kind == "GlobalMaxPooling" else {}
    if kind in ("ZeroPadding", "Cropping"):
        settings = {kind.replace("Zero", "").lower(): 1}
    make = getattr(layers, f"{kind}{rank}D")
    y = make(data_format="channels_first", **settings)(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    np.testing.assert_array_equal(np.moveaxis(y, 1, -1), make(**settings)(x))


def test_sizes_that_are_known_later():
    """Cropping from the end of an image of unknown size."""
    given = cconv.Input((None, None, 3))
    model = cconv.Model(given, layers.Cropping2D(((1, 2), (0, 1)))(layers.ZeroPadding2D(1)(given)))
    for size in ((5, 6), (9, 4)):
        x = images(2, *size, 3)
        np.testing.assert_array_equal(model(x), np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))[:, 1:-2, :-1])
