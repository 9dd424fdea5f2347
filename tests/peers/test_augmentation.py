"""Augmentation layers beside Keras: with factors of one value, which leave nothing to chance, and by distribution."""

import inspect

import numpy as np
import pytest

import cconv
from cconv.layers import augmentation

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(5)
IMAGES = RNG.uniform(0, 255, (2, 6, 9, 3)).astype("float32")
MASKS = RNG.integers(0, 4, (2, 6, 9, 1)).astype("float32")
BOXES = np.array([[[1, 2, 5, 6], [0, 0, 3, 3]], [[2, 2, 9, 5], [4, 1, 6, 4]]], "float32")


def pair(name, args):
    return getattr(cconv.layers, name)(**args), getattr(keras.layers, name)(**args)


def near(ours, theirs, tolerance=2e-3):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-5)


@pytest.mark.parametrize("name", augmentation.__all__)
def test_signatures(name):
    ours, theirs = (inspect.signature(getattr(m.layers, name).__init__).parameters for m in (cconv, keras))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


GEOMETRIC = [
    ("RandomRotation", {"factor": (0.1, 0.1)}),
    ("RandomRotation", {"factor": (-0.3, -0.3), "fill_mode": "constant", "fill_value": 7.0}),
    ("RandomRotation", {"factor": (0.13, 0.13), "fill_mode": "nearest", "interpolation": "nearest"}),
    ("RandomZoom", {"height_factor": (0.5, 0.5), "width_factor": (0.2, 0.2)}),
    ("RandomZoom", {"height_factor": (-0.3, -0.3), "fill_mode": "wrap"}),
    ("RandomTranslation", {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2)}),
    ("RandomTranslation", {"height_factor": 0.0, "width_factor": (0.25, 0.25), "fill_mode": "constant"}),
]
COLORS = [
    ("RandomBrightness", {"factor": (0.2, 0.2)}),
    ("RandomBrightness", {"factor": (-0.3, -0.3), "value_range": (0, 200)}),
    ("RandomContrast", {"factor": (0.0, 0.0)}),
    ("RandomSaturation", {"factor": (0.3, 0.3)}),
    ("RandomSaturation", {"factor": (0.6, 0.6), "data_format": "channels_first"}),
    ("RandomColorDegeneration", {"factor": (0.3, 0.3)}),
    ("RandomGrayscale", {"factor": 1.0}),
    ("RandomSharpness", {"factor": (0.3, 0.3)}),
    ("RandomSharpness", {"factor": (0.9, 0.9)}),
    ("RandomInvert", {"factor": (1.0, 1.0)}),
    ("RandomPosterization", {"factor": (3, 3)}),
    ("Solarization", {"addition_factor": 0.0, "threshold_factor": 0.0}),
    ("AutoContrast", {}),
    ("AutoContrast", {"value_range": (0, 1)}),
    ("RandomColorJitter", {"brightness_factor": (0.2, 0.2), "saturation_factor": (0.4, 0.4)}),
]


def plain(config):
    return {k: v for k, v in config.items() if k not in ("name", "dtype")}


@pytest.mark.parametrize(("name", "args"), GEOMETRIC + COLORS, ids=str)
def test_images(name, args):
    ours, theirs = pair(name, args)
    x = np.moveaxis(IMAGES, -1, 1).copy() if args.get("data_format") == "channels_first" else IMAGES
    near(ours(x), theirs(x))
    near(ours(x[0]), theirs(x[0]))
    near(ours(x, training=False), theirs(x, training=False))
    assert plain(ours.get_config()) == plain(theirs.get_config())
    symbolic = cconv.Input(x.shape[1:])
    model = cconv.Model(symbolic, ours(symbolic))
    near(np.asarray(model(x, training=True)), theirs(x))


@pytest.mark.parametrize(("name", "args"), GEOMETRIC, ids=str)
def test_boxes_and_masks(name, args):
    ours, theirs = pair(name, args | {"bounding_box_format": "xyxy"})
    data = {
        "images": IMAGES,
        "segmentation_masks": MASKS,
        "bounding_boxes": {"boxes": BOXES, "labels": np.array([[1, 2], [3, 4]])},
        "labels": np.array([0, 1]),
    }
    found, wanted = ours(data), theirs(data)
    near(found["images"], wanted["images"])
    if name == "RandomRotation":  # Keras turns masks by another angle than their images
        turned = getattr(cconv.layers, name)(**args | {"interpolation": "nearest"})(MASKS)
        np.testing.assert_array_equal(found["segmentation_masks"], turned)
    else:
        near(found["segmentation_masks"], wanted["segmentation_masks"])
    np.testing.assert_allclose(found["bounding_boxes"]["boxes"], np.array(wanted["bounding_boxes"]["boxes"]), atol=1e-3)
    assert found["bounding_boxes"]["labels"].tolist() == np.array(wanted["bounding_boxes"]["labels"]).tolist()
    assert found["labels"].tolist() == [0, 1]


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_flip_gives_what_keras_gives(mode):
    """The same set of results, and boxes that go with the images."""
    ours, theirs = pair("RandomFlip", {"mode": mode, "seed": 4, "bounding_box_format": "xyxy"})
    data = {"images": IMAGES, "bounding_boxes": {"boxes": BOXES, "labels": np.array([[1, 2], [3, 4]])}}
    found = [set(), set()]
    for layer, kinds in zip((ours, theirs), found, strict=True):
        for _ in range(24):
            y = layer(data)
            boxes = keras.ops.convert_to_numpy(y["bounding_boxes"]["boxes"])
            for image, own in zip(keras.ops.convert_to_numpy(y["images"]), boxes, strict=True):
                kinds.add((image.tobytes(), tuple(own.round(2).ravel().tolist())))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("RandomContrast", {"factor": (0.3, 0.5)}),
        ("RandomContrast", {"factor": 0.4}),
        ("RandomBrightness", {"factor": 0.3}),
        ("RandomBrightness", {"factor": (0.1, 0.2)}),
        ("RandomHue", {"factor": (0.4, 0.4)}),
        ("RandomSaturation", {"factor": 0.4}),
        ("RandomSharpness", {"factor": 1.0}),
        ("RandomColorDegeneration", {"factor": 0.4}),
        ("RandomGrayscale", {"factor": 0.3}),
        ("RandomInvert", {"factor": (0.2, 0.6)}),
        ("RandomPosterization", {"factor": 5}),
        ("RandomPosterization", {"factor": (3, 6)}),
        ("Solarization", {"addition_factor": (0.3, 0.4), "threshold_factor": (0.2, 0.5)}),
        ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
        ("RandomPerspective", {"factor": 0.9, "scale": 0.4}),
        ("RandomRotation", {"factor": 0.2}),
        ("RandomZoom", {"height_factor": 0.4}),
        ("RandomTranslation", {"height_factor": 0.3, "width_factor": (0.1, 0.4)}),
    ],
    ids=str,
)
def test_distributions(name, args):
    """Of one pixel, over many samples: the quantiles."""
    ours, theirs = pair(name, args | {"seed": 1})
    image = np.array([[[200, 40, 90], [10, 200, 60]], [[70, 30, 220], [130, 120, 140]]], "float32")
    x = np.repeat(image[None], 1500, axis=0)
    quantiles = np.linspace(0.05, 0.95, 19)
    found, wanted = (keras.ops.convert_to_numpy(layer(x)) for layer in (ours, theirs))
    for place in ((0, 1, 0), (1, 1, 2)):
        a, b = np.sort(found[(slice(None), *place)]), np.sort(wanted[(slice(None), *place)])
        both = np.concatenate([a, b])
        for at in np.quantile(both, quantiles) + 0.01:
            assert abs(np.mean(a <= at) - np.mean(b <= at)) < 0.065


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("RandomRotation", {"factor": "a"}),
        ("RandomRotation", {"factor": (0.1, 0.2, 0.3)}),
        ("RandomRotation", {"factor": 0.1, "fill_mode": "x"}),
        ("RandomRotation", {"factor": 0.1, "interpolation": "x"}),
        ("RandomRotation", {"factor": 0.1, "seed": 0.5}),
        ("RandomZoom", {"height_factor": (-2, 0.1)}),
        ("RandomTranslation", {"height_factor": 2, "width_factor": 0.1}),
        ("RandomContrast", {"factor": 2}),
        ("RandomBrightness", {"factor": 2}),
        ("RandomBrightness", {"factor": 0.1, "value_range": 1}),
        ("RandomShear", {"x_factor": 2}),
        ("RandomHue", {"factor": 2}),
        ("RandomPosterization", {"factor": 9}),
    ],
    ids=str,
)
def test_refused(name, args):
    errors = []
    for module in (cconv, keras):
        with pytest.raises((ValueError, NotImplementedError)) as error:
            getattr(module.layers, name)(**args)
        errors.append(error.type)
    assert errors[0] is errors[1]


def test_boxes_need_a_format():
    for module in (cconv, keras):
        with pytest.raises(ValueError, match="didn't specify a bounding box format"):
            module.layers.RandomFlip()({"images": IMAGES, "bounding_boxes": {"boxes": BOXES, "labels": BOXES[..., 0]}})


def test_max_num_bounding_boxes():
    boxes = {"boxes": BOXES, "labels": np.array([[1, 2], [3, 4]])}
    for number in (1, 2, 4):
        ours, theirs = pair("MaxNumBoundingBoxes", {"max_number": number, "bounding_box_format": "xyxy"})
        found, wanted = (m({"images": IMAGES, "bounding_boxes": boxes})["bounding_boxes"] for m in (ours, theirs))
        for key in ("boxes", "labels"):
            np.testing.assert_array_equal(found[key], np.array(wanted[key]))


FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


@pytest.mark.parametrize("source", FORMATS)
def test_convert_format(source):
    ours, theirs = cconv.utils.bounding_boxes, keras.utils.bounding_boxes
    for target in FORMATS:
        found = ours.convert_format(BOXES, source, target, 6, 9)
        np.testing.assert_allclose(found, np.array(theirs.convert_format(BOXES, source, target, 6, 9)), rtol=1e-5)


def test_box_functions():
    ours, theirs = cconv.utils.bounding_boxes, keras.utils.bounding_boxes
    for name in ours.__all__:
        assert str(inspect.signature(getattr(theirs, name))).replace("'", "") in _plain_signature(getattr(ours, name))
    boxes = {"boxes": BOXES * 2 - 3, "labels": np.array([[1, 2], [3, 4]])}
    found, wanted = ours.clip_to_image_size(boxes, 6, 9), theirs.clip_to_image_size(boxes, 6, 9)
    np.testing.assert_array_equal(found["boxes"], np.array(wanted["boxes"]))
    np.testing.assert_array_equal(found["labels"], np.array(wanted["labels"]))
    np.testing.assert_allclose(ours.pad(BOXES, 1, 2), np.array(theirs.pad(BOXES.copy(), 1, 2)))
    np.testing.assert_allclose(ours.crop(BOXES, 1, 2, 3, 3), np.array(theirs.crop(BOXES.copy(), 1, 2, 3, 3)))
    for masking in (False, True):
        found = ours.compute_iou(BOXES[0], BOXES[1], "xyxy", use_masking=masking)
        np.testing.assert_allclose(found, np.array(theirs.compute_iou(BOXES[0], BOXES[1], "xyxy", masking)), rtol=1e-4)


def _plain_signature(function):
    parameters = inspect.signature(function).parameters.values()
    return str(inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])).replace("'", "")
