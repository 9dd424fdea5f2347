"""Layers that take images with masks, boxes and labels in a dictionary, in training and out of it."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.utils.bounding_boxes import convert_format

RNG = np.random.default_rng(7)
IMAGES = RNG.uniform(0, 255, (2, 24, 36, 3)).astype("float32")
SQUARES = np.zeros((1, 24, 36, 1), "float32")
SQUARES[0, 6:18, 12:24] = 1
BOXES = {"boxes": np.array([[[12.0, 6, 24, 18], [0, 0, 2, 2]]]), "labels": np.array([[3, 4]])}

LAYERS = [
    ("Resizing", {"height": 48, "width": 18}),
    ("Resizing", {"height": 48, "width": 48, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 36, "width": 36, "pad_to_aspect_ratio": True}),
    ("Resizing", {"height": 37, "width": 20, "pad_to_aspect_ratio": True}),
    ("Resizing", {"height": 33, "width": 20, "crop_to_aspect_ratio": True}),
    ("CenterCrop", {"height": 14, "width": 17}),
    ("CenterCrop", {"height": 48, "width": 40}),
]


@pytest.mark.parametrize("form", ["xyxy", "xywh", "rel_yxyx", "center_xywh"])
@pytest.mark.parametrize(("name", "settings"), LAYERS, ids=str)
def test_masks_and_boxes_are_where_the_images_are(name, settings, form):
    layer = getattr(layers, name)(**settings, bounding_box_format=form)
    boxes = {**BOXES, "boxes": convert_format(BOXES["boxes"], "xyxy", form, 24, 36)}
    data = {"images": SQUARES, "segmentation_masks": SQUARES.astype("int32"), "bounding_boxes": boxes, "labels": "any"}
    y = layer(data)
    assert y["images"].shape == (1, layer.height, layer.width, 1) and y["labels"] == "any"
    rows, columns = np.nonzero(y["segmentation_masks"][0, ..., 0])
    found = convert_format(y["bounding_boxes"]["boxes"], form, "xyxy", layer.height, layer.width)[0]
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(found[0], edges, atol=0.75)  # a cell is in the mask by its middle
    rows, columns = np.nonzero(y["images"][0, ..., 0] > 0.5)
    np.testing.assert_allclose(found[0], (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), atol=0.75)
    gone = (found[1, 2] - found[1, 0]) * (found[1, 3] - found[1, 1]) == 0
    assert y["bounding_boxes"]["labels"].tolist() == [[3, -1 if gone else 4]]
    one = layer({"images": SQUARES[0], "bounding_boxes": {key: value[0] for key, value in boxes.items()}})
    np.testing.assert_allclose(one["bounding_boxes"]["boxes"], y["bounding_boxes"]["boxes"][0], atol=1e-4)
    first = getattr(layers, name)(**settings, bounding_box_format=form, data_format="channels_first")
    turned = first({**data, "images": np.moveaxis(SQUARES, -1, 1), "segmentation_masks": np.moveaxis(SQUARES, -1, 1)})
    np.testing.assert_allclose(turned["bounding_boxes"]["boxes"], y["bounding_boxes"]["boxes"])
    np.testing.assert_allclose(turned["segmentation_masks"][:, 0], y["segmentation_masks"][..., 0])


@pytest.mark.parametrize(("name", "settings"), LAYERS[:2] + LAYERS[-2:], ids=str)
def test_images_alone_and_in_a_dictionary(name, settings):
    layer = getattr(layers, name)(**settings)
    wanted = layer(IMAGES)
    np.testing.assert_array_equal(layer({"images": IMAGES})["images"], wanted)
    np.testing.assert_array_equal(layer(IMAGES, training=True), wanted)
    given = cconv.Input(IMAGES.shape[1:])
    np.testing.assert_allclose(cconv.Model(given, layer(given)).predict(IMAGES, verbose=0), wanted, atol=1e-3)
    config = type(layer)(**settings, bounding_box_format="xywh").get_config()
    assert type(layer).from_config(config).get_config() == config


def test_a_pipeline_of_a_dictionary_in_a_model():
    pipeline = layers.Pipeline(
        [layers.Resizing(12, 18, bounding_box_format="xyxy"), layers.CenterCrop(12, 12, bounding_box_format="xyxy")]
    )
    images, boxes, labels = cconv.Input((24, 36, 1)), cconv.Input((2, 4)), cconv.Input((2,), dtype="int32")
    made = pipeline({"images": images, "bounding_boxes": {"boxes": boxes, "labels": labels}})
    outputs = [made["images"], made["bounding_boxes"]["boxes"], made["bounding_boxes"]["labels"]]
    model = cconv.Model([images, boxes, labels], outputs)
    wanted = pipeline({"images": SQUARES, "bounding_boxes": BOXES})
    found = model.predict([SQUARES, BOXES["boxes"], BOXES["labels"]], verbose=0)
    np.testing.assert_allclose(found[0], wanted["images"], atol=1e-5)
    np.testing.assert_allclose(found[1], [[[3, 3, 9, 9], [0, 0, 0, 1]]], atol=1e-5)
    assert found[2].tolist() == wanted["bounding_boxes"]["labels"].tolist() == [[3, -1]]


def test_boxes_that_leave_the_image_lose_their_label():
    data = {"images": SQUARES, "bounding_boxes": BOXES}
    move = layers.RandomTranslation((0, 0), (-0.2, -0.2), bounding_box_format="xyxy")
    found = move(data)["bounding_boxes"]
    assert found["labels"].tolist() == [[3, -1]]
    np.testing.assert_allclose(found["boxes"][0, 0], [4.8, 6, 16.8, 18], atol=1e-4)
    outside = {"boxes": np.array([[[-3.0, -3, 99, 99]]]), "labels": np.array([[1]])}
    still = layers.RandomBrightness(0.1, bounding_box_format="xyxy")({"images": SQUARES, "bounding_boxes": outside})
    assert still["bounding_boxes"] is outside


def test_what_is_refused():
    with pytest.raises(ValueError, match="bounding_box_format"):
        layers.Resizing(3, 3)({"images": SQUARES, "bounding_boxes": BOXES})
    with pytest.raises(ValueError, match="expected a dictionary with 'images'"):
        layers.CenterCrop(3, 3)({"labels": 1})
    with pytest.raises(ValueError, match="must be one of"):
        layers.Resizing(3, 3, bounding_box_format="corners")


def test_sizes_of_images_that_are_known_when_they_come():
    pictures = cconv.Input((None, None, 3))
    crop, resize = layers.CenterCrop(3, 3), layers.Resizing(3, 3, bounding_box_format="xyxy")
    cropped = cconv.Model(pictures, crop(pictures))
    assert cropped.output_shape == (None, 3, 3, 3)
    given = {"images": pictures, "bounding_boxes": {"boxes": cconv.Input((2, 4)), "labels": cconv.Input((2,))}}
    resized = cconv.Model(given, resize(given))
    rng = np.random.default_rng(0)
    for h, w in (12, 9), (2, 9), (20, 31):
        x = rng.random((2, h, w, 3), np.float32)
        np.testing.assert_array_equal(cropped.predict(x, verbose=0), crop(x))
        boxes = {"boxes": rng.random((2, 2, 4), np.float32) * min(h, w), "labels": np.ones((2, 2), np.float32)}
        got = resized({"images": x, "bounding_boxes": boxes})
        wanted = resize({"images": x, "bounding_boxes": boxes})
        np.testing.assert_array_equal(got["images"], wanted["images"])
        np.testing.assert_array_equal(got["bounding_boxes"]["boxes"], wanted["bounding_boxes"]["boxes"])
