"""Drawings of masks, and the arguments of galleries, beside Keras."""

import inspect

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(2)
IMAGES = RNG.integers(0, 255, (2, 8, 9, 3)).astype("uint8")
MASKS = RNG.integers(0, 4, (2, 8, 9, 1)).astype("int32")
COLORS = {0: (9, 8, 7), 1: (255, 0, 0), 2: (0, 255, 30), 3: (0, 40, 255)}


@pytest.mark.parametrize(
    "name",
    [
        "draw_bounding_boxes",
        "draw_segmentation_masks",
        "plot_bounding_box_gallery",
        "plot_image_gallery",
        "plot_segmentation_mask_gallery",
    ],
)
def test_signatures(name):
    ours, theirs = (inspect.signature(getattr(m.visualization, name)).parameters for m in (cconv, keras))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


@pytest.mark.parametrize("settings", [{}, {"alpha": 0.3}, {"ignore_index": 2}, {"alpha": 1.0}, {"alpha": 0.0}], ids=str)
def test_masks(settings):
    ours, theirs = (
        m.visualization.draw_segmentation_masks(IMAGES, MASKS, 4, COLORS, **settings) for m in (cconv, keras)
    )
    assert ours.dtype == theirs.dtype == np.uint8
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("draw_bounding_boxes", (IMAGES[0], {"boxes": 0, "labels": 0}, "xyxy")),
        ("draw_segmentation_masks", (IMAGES[0], MASKS)),
        ("draw_segmentation_masks", (IMAGES, MASKS.astype("float32"))),
        ("plot_image_gallery", (IMAGES[0],)),
        ("plot_image_gallery", (IMAGES, [0, 1])),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_refused(name, arguments):
    errors = []
    for module in (cconv, keras):
        with pytest.raises((ValueError, TypeError, ImportError)) as error:
            getattr(module.visualization, name)(*arguments)
        errors.append(error.type)
    assert errors[0] is errors[1] or errors[1] is ImportError  # Keras draws boxes with OpenCV
