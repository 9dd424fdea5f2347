"""Deterministic layers of images with masks, boxes and labels, beside Keras."""

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(5)
IMAGES = RNG.uniform(0, 255, (2, 8, 12, 3)).astype("float32")
MASKS = RNG.integers(0, 4, (2, 8, 12, 1)).astype("int32")
BOXES = np.array([[[1, 2, 5, 6], [0, 0, 12, 8], [9, 1, 12, 3]]] * 2, "float32")
LABELS = np.array([[1, 2, 3]] * 2, "int32")

# not those that pad, nor those whose proportions are no whole numbers: there Keras rounds the place of boxes
CASES = [
    ("Resizing", {"height": 4, "width": 6}),
    ("Resizing", {"height": 13, "width": 5, "interpolation": "nearest"}),
    ("Resizing", {"height": 4, "width": 4, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 2, "width": 6, "crop_to_aspect_ratio": True}),
    ("CenterCrop", {"height": 4, "width": 6}),
    ("CenterCrop", {"height": 5, "width": 7}),
    ("CenterCrop", {"height": 10, "width": 6}),
    ("CenterCrop", {"height": 16, "width": 20}),
]


def near(ours, theirs):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("form", ["xyxy", "xywh", "yxyx"])
@pytest.mark.parametrize(("name", "settings"), CASES, ids=str)
def test_dictionaries(name, settings, form):
    boxes = cconv.utils.bounding_boxes.convert_format(BOXES, "xyxy", form)
    found = []
    for module in (cconv, keras):
        layer = getattr(module.layers, name)(**settings, bounding_box_format=form)
        data = {"images": IMAGES, "segmentation_masks": MASKS, "labels": np.array([4, 5])}
        found.append(layer({**data, "bounding_boxes": {"boxes": boxes.copy(), "labels": LABELS}}))
    ours, theirs = found
    near(ours["images"], theirs["images"])
    if name == "Resizing" or settings["height"] <= 8:  # of masks that it makes larger Keras' CenterCrop mixes classes
        near(ours["segmentation_masks"], theirs["segmentation_masks"])
    near(ours["bounding_boxes"]["boxes"], theirs["bounding_boxes"]["boxes"])
    near(ours["bounding_boxes"]["labels"], theirs["bounding_boxes"]["labels"])
    assert list(ours["labels"]) == list(theirs["labels"])


@pytest.mark.parametrize(("name", "settings"), CASES[:1] + CASES[4:5], ids=str)
def test_configurations(name, settings):
    configs = []
    for module in (cconv, keras):
        config = getattr(module.layers, name)(**settings, bounding_box_format="xywh", name="a").get_config()
        configs.append({k: v for k, v in config.items() if k != "dtype"})
    assert configs[0] == configs[1]
