"""Boxes: told from anchors and back, compared by complete IoU, moved, beside NumPy."""

import numpy as np
import pytest

import cconv
from cconv.utils import bounding_boxes as boxes_of

RNG = np.random.default_rng(3)
FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "rel_xyxy", "rel_yxyx", "rel_xywh")


def boxes(*shape):
    corner, size = RNG.uniform(0, 20, (*shape, 2)), RNG.uniform(1, 9, (*shape, 2))
    return np.concatenate([corner, corner + size], -1).astype("float32")


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
def test_deltas(source, encoding):
    anchors, found, variance = boxes(5), boxes(3, 5), [0.1, 0.2, 0.3, 0.4]
    given = boxes_of.convert_format(found, "xyxy", source, 40, 30)
    settings = {"variance": variance, "image_shape": (40, 30, 3)}
    deltas = boxes_of.encode_box_to_deltas(anchors, given, "xyxy", source, encoding, **settings)
    middles = [(x[..., :2] + x[..., 2:]) / 2 for x in (anchors, found)]
    sides = [x[..., 2:] - x[..., :2] for x in (anchors, found)]
    way, ratio = (middles[1] - middles[0]) / sides[0], np.log(sides[1] / sides[0])
    if encoding == "center_yxhw":
        way, ratio = way[..., ::-1], ratio[..., ::-1]
    np.testing.assert_allclose(deltas, np.concatenate([way, ratio], -1) / variance, rtol=2e-3, atol=2e-4)
    back = boxes_of.decode_deltas_to_boxes(anchors, deltas, "xyxy", source, encoding, **settings)
    np.testing.assert_allclose(back, given, rtol=1e-4, atol=1e-4)
    levels = boxes_of.decode_deltas_to_boxes({3: anchors}, {3: deltas}, "xyxy", source, encoding, **settings)
    np.testing.assert_array_equal(levels[3], back)


def complete_iou(a, b):
    wide = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).prod()
    iou = wide / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - wide)
    distance = (((a[2:] + a[:2] - b[2:] - b[:2]) / 2) ** 2).sum()
    around = ((np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])) ** 2).sum()
    v = 4 / np.pi**2 * np.subtract(*(np.arctan((x[2] - x[0]) / (x[3] - x[1])) for x in (a, b))) ** 2
    return iou - distance / around - v * v / (1 - iou + v)


@pytest.mark.parametrize("source", FORMATS)
def test_compute_ciou(source):
    a, b = boxes(6), boxes(6)
    b[0] = a[0] + 0.5
    wanted = [complete_iou(x, y) for x, y in zip(a.astype(float), b.astype(float), strict=True)]
    both = [boxes_of.convert_format(x, "xyxy", source, 40, 30) for x in (a, b)]
    np.testing.assert_allclose(boxes_of.compute_ciou(*both, source, (40, 30, 3)), wanted, rtol=1e-3, atol=1e-4)


def test_boxes_are_learnt_by_ciou():
    aim = boxes(4)
    x = cconv.Variable(aim + np.array([2, -1, 1, 1], "float32"))
    optimizer = cconv.optimizers.Adam(0.05)
    for _ in range(80):
        with cconv.GradientTape() as tape:
            loss = -cconv.ops.mean(boxes_of.compute_ciou(x, aim, "xyxy"))
        optimizer.apply_gradients([(tape.gradient(loss, x), x)])
    assert float(np.asarray(loss)) < -0.9


def test_affine_transform_by_steps():
    x = boxes(3, 4)
    still = {"angle": 0, "translate_x": 0, "translate_y": 0, "scale": 1, "shear_x": 0, "shear_y": 0}
    size = {"height": 31, "width": 41}

    def moved(data=x, **settings):
        return boxes_of.affine_transform(data, **{**still, **size, **settings})

    np.testing.assert_allclose(moved(), x, atol=1e-5)
    np.testing.assert_allclose(moved(translate_x=0.1, translate_y=-0.2), x + [4, -6, 4, -6], atol=1e-5)
    np.testing.assert_allclose(moved(scale=2, center_x=0, center_y=0), 2 * x, atol=1e-4)
    np.testing.assert_allclose(moved(scale=[1, 2, 3], center_x=0, center_y=0), x * [[[1]], [[2]], [[3]]], atol=1e-4)
    turned = moved(angle=90)  # around (20, 15): what was right is up
    wanted = np.stack([x[..., 1] + 5, 35 - x[..., 2], x[..., 3] + 5, 35 - x[..., 0]], -1)
    np.testing.assert_allclose(turned, wanted, atol=1e-4)
    slanting = moved(shear_x=45)
    np.testing.assert_allclose(slanting[..., [0, 2]], x[..., [0, 2]] + x[..., [1, 3]] - 15, atol=1e-4)
    np.testing.assert_allclose(moved(x[0], scale=1.5), moved(scale=1.5)[0], atol=1e-5)
    relative = boxes_of.convert_format(x, "xyxy", "rel_xywh", 31, 41)
    found = moved(relative, scale=1.5, bounding_box_format="rel_xywh")
    wanted = boxes_of.convert_format(moved(scale=1.5), "xyxy", "rel_xywh", 31, 41)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_what_is_refused():
    x = boxes(2)
    for name, keyword in (("encode_box_to_deltas", "encoding_format"), ("decode_deltas_to_boxes", "encoded_format")):
        function = getattr(boxes_of, name)
        with pytest.raises(ValueError, match="four numbers"):
            function(x, x, "xyxy", "xyxy", variance=[1, 2, 3])
        with pytest.raises(ValueError, match=keyword):
            function(x, x, "xyxy", "xyxy", **{keyword: "xyxy"})
        with pytest.raises(ValueError, match="height"):
            function(x, x, "rel_xyxy", "xyxy")
    with pytest.raises(ValueError, match="same keys"):
        boxes_of.decode_deltas_to_boxes({1: x}, {2: x}, "xyxy", "xyxy")
