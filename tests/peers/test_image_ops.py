"""`cconv.ops.image` and the layers that resize, beside Keras."""

import inspect

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(3)
IMAGES = RNG.uniform(0, 1, (2, 6, 9, 3)).astype("float32")
FIRST = np.moveaxis(IMAGES, -1, 1).copy()


def near(ours, theirs, tolerance=2e-5):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-5)


@pytest.mark.parametrize("name", cconv.ops.image.__all__)
def test_signatures(name):
    ours, theirs = (inspect.signature(getattr(m.ops.image, name)).parameters for m in (cconv, keras))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


# bicubic and lanczos follow TensorFlow, whose kernel and borders PyTorch has not
@pytest.mark.parametrize(
    "settings",
    [
        {"size": (4, 5)},
        {"size": (13, 4)},
        {"size": (13, 4), "interpolation": "nearest"},
        {"size": (4, 5), "antialias": True},
        {"size": (5, 3), "antialias": True, "interpolation": "nearest"},
        {"size": (4, 4), "crop_to_aspect_ratio": True},
        {"size": (7, 3), "crop_to_aspect_ratio": True},
        {"size": (4, 4), "pad_to_aspect_ratio": True},
        {"size": (7, 3), "pad_to_aspect_ratio": True, "fill_value": 2.0},
        {"size": (3, 12), "pad_to_aspect_ratio": True, "interpolation": "nearest"},
    ],
    ids=str,
)
def test_resize(settings):
    ours, theirs = cconv.ops.image.resize, keras.ops.image.resize
    near(ours(IMAGES, **settings), theirs(IMAGES, **settings))
    near(ours(IMAGES[0], **settings), theirs(IMAGES[0], **settings))
    near(ours(FIRST, data_format="channels_first", **settings), theirs(FIRST, data_format="channels_first", **settings))
    whole = (IMAGES * 255).astype("int32")
    near(ours(whole, **settings), theirs(whole, **settings), 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"size": (0, 2)},
        {"size": (1, 2, 3)},
        {"size": (2, 2), "interpolation": "area"},
        {"size": (2, 2), "fill_mode": "x"},
    ],
    ids=str,
)
def test_resize_refuses(settings):
    for module in (cconv, keras):
        with pytest.raises(ValueError):
            module.ops.image.resize(IMAGES, pad_to_aspect_ratio=True, **settings)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("UpSampling1D", {"size": 3}),
        ("UpSampling2D", {}),
        ("UpSampling2D", {"size": (3, 2), "interpolation": "bilinear"}),
        ("UpSampling2D", {"size": (1, 2), "data_format": "channels_first"}),
        ("UpSampling3D", {"size": (2, 1, 3)}),
        ("UpSampling3D", {"data_format": "channels_first"}),
        ("Resizing", {"height": 4, "width": 11}),
        ("Resizing", {"height": 4, "width": 3, "crop_to_aspect_ratio": True, "interpolation": "nearest"}),
        ("Resizing", {"height": 4, "width": 5, "antialias": True, "data_format": "channels_first"}),
        ("CenterCrop", {"height": 3, "width": 4}),
        ("CenterCrop", {"height": 8, "width": 4}),
        ("CenterCrop", {"height": 2, "width": 2, "data_format": "channels_first"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_layers(name, args, dtype):
    rank = {"UpSampling1D": 3, "UpSampling3D": 5}.get(name, 4)
    x = (RNG.uniform(0, 9, (2, 5, 7, 4, 3)[:rank])).astype(dtype)
    ours, theirs = getattr(cconv.layers, name)(**args), getattr(keras.layers, name)(**args)
    near(ours(x), theirs(x), 1 if dtype == "int32" else 2e-5)
    assert {k: v for k, v in ours.get_config().items() if k not in ("dtype", "name")} == {
        k: v for k, v in theirs.get_config().items() if k not in ("dtype", "name")
    }
    symbolic = ours(cconv.Input(x.shape[1:]))
    assert symbolic.shape == tuple(theirs(keras.Input(x.shape[1:])).shape)


TRANSFORMS = np.array([[1, 0.25, -1, -0.25, 1, 2, 0, 0], [0.5, 0, 2.5, 0, -1.5, 7.25, 0, 0]], "float32")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_affine_transform(interpolation, fill_mode):
    settings = {"interpolation": interpolation, "fill_mode": fill_mode, "fill_value": 0.5}
    ours, theirs = cconv.ops.image.affine_transform, keras.ops.image.affine_transform
    near(ours(IMAGES, TRANSFORMS, **settings), theirs(IMAGES, TRANSFORMS, **settings))
    near(ours(IMAGES[0], TRANSFORMS[0], **settings), theirs(IMAGES[0], TRANSFORMS[0], **settings))
    first = settings | {"data_format": "channels_first"}
    near(ours(FIRST, TRANSFORMS, **first), theirs(FIRST, TRANSFORMS, **first))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_perspective_transform(interpolation):
    start = np.array([[0, 0], [8, 0], [0, 5], [8, 5]], "float32") + np.zeros((2, 1, 1), "float32")
    end = start + RNG.uniform(-1.3, 1.4, (2, 4, 2)).astype("float32")
    settings = {"interpolation": interpolation, "fill_value": 0.25}
    ours, theirs = cconv.ops.image.perspective_transform, keras.ops.image.perspective_transform
    near(ours(IMAGES, start, end, **settings), theirs(IMAGES, start, end, **settings), 1e-4)
    near(ours(IMAGES[0], start[0], end[0], **settings), theirs(IMAGES[0], start[0], end[0], **settings), 1e-4)


@pytest.mark.parametrize("name", ["rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb"])
def test_colors(name):
    ours, theirs = getattr(cconv.ops.image, name), getattr(keras.ops.image, name)
    x = IMAGES.copy()
    x[0, 0, :4] = [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.2], [0.2, 0.5, 0.5]]
    near(ours(x), theirs(x))
    near(ours(x[0]), theirs(x[0]))
    near(ours(FIRST, data_format="channels_first"), theirs(FIRST, data_format="channels_first"))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("crop_images", {"top_cropping": 1, "left_cropping": 2, "target_height": 3, "target_width": 4}),
        ("crop_images", {"top_cropping": 1, "left_cropping": 2, "bottom_cropping": 0, "right_cropping": 3}),
        ("crop_images", {"bottom_cropping": 1, "right_cropping": 2, "target_height": 3, "target_width": 4}),
        ("pad_images", {"top_padding": 1, "left_padding": 2, "target_height": 8, "target_width": 14}),
        ("pad_images", {"top_padding": 1, "left_padding": 2, "bottom_padding": 0, "right_padding": 3}),
        ("pad_images", {"bottom_padding": 1, "right_padding": 2, "target_height": 9, "target_width": 12}),
    ],
    ids=str,
)
def test_borders(name, settings):
    ours, theirs = getattr(cconv.ops.image, name), getattr(keras.ops.image, name)
    near(ours(IMAGES, **settings), theirs(IMAGES, **settings))
    near(ours(IMAGES[0], **settings), theirs(IMAGES[0], **settings))
    for module in (cconv, keras):
        with pytest.raises(ValueError):
            getattr(module.ops.image, name)(IMAGES, 1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 2},
        {"size": (2, 3)},
        {"size": (2, 3), "strides": 1},
        {"size": 3, "strides": 2, "padding": "same"},
        {"size": 2, "strides": 1, "dilation_rate": 2},
        {"size": 4, "padding": "same"},
    ],
    ids=str,
)
def test_extract_patches(settings):
    ours, theirs = cconv.ops.image.extract_patches, keras.ops.image.extract_patches
    near(ours(IMAGES, **settings), theirs(IMAGES, **settings))
    near(ours(IMAGES[0], **settings), theirs(IMAGES[0], **settings))
    near(ours(FIRST, data_format="channels_first", **settings), theirs(FIRST, data_format="channels_first", **settings))


@pytest.mark.parametrize("settings", [{"size": 2}, {"size": (1, 2, 3), "strides": 1, "padding": "same"}], ids=str)
def test_extract_patches_3d(settings):
    volumes = RNG.uniform(0, 1, (2, 4, 5, 6, 2)).astype("float32")
    near(
        cconv.ops.image.extract_patches_3d(volumes, **settings), keras.ops.image.extract_patches_3d(volumes, **settings)
    )
