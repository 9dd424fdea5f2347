"""Functions of boxes beside Keras: deltas, complete IoU, affine transforms."""

import inspect

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(5)
OURS, THEIRS = cconv.utils.bounding_boxes, keras.utils.bounding_boxes
NAMES = ("affine_transform", "compute_ciou", "decode_deltas_to_boxes", "encode_box_to_deltas")


def boxes(*shape):
    corner, size = RNG.uniform(0, 20, (*shape, 2)), RNG.uniform(1, 9, (*shape, 2))
    return np.concatenate([corner, corner + size], -1).astype("float32")


def near(ours, theirs):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def tensors(*arrays):
    return [keras.ops.convert_to_tensor(array) for array in arrays]


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name):
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (OURS, THEIRS))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("form", ["xyxy", "xywh", "center_xywh"])
def test_compute_ciou(form):
    for a, b in ((boxes(7), boxes(7)), (boxes(2, 3), boxes(2, 3)), (boxes(1), boxes(4))):
        near(OURS.compute_ciou(a, b, form), THEIRS.compute_ciou(*tensors(a, b), form))
    flat, others = np.array([[1, 1, 1, 1], [1, 1, 4, 1]], "float32"), boxes(2)
    near(OURS.compute_ciou(flat, others, "xyxy"), THEIRS.compute_ciou(*tensors(flat, others), "xyxy"))


@pytest.mark.parametrize("form", ["xyxy", "yxyx", "xywh", "rel_xyxy", "rel_xywh"])
@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.2, 0.3, 0.4]])
def test_deltas(form, encoding, variance):
    anchors, found = boxes(5), boxes(2, 5)
    args = ("xyxy", form, encoding, variance, (40, 30, 3))
    ours = OURS.encode_box_to_deltas(anchors, found, *args)
    near(ours, THEIRS.encode_box_to_deltas(*tensors(anchors, found), *args))
    near(
        OURS.encode_box_to_deltas(anchors, found[0], *args),
        THEIRS.encode_box_to_deltas(*tensors(anchors, found[0]), *args),
    )
    deltas = RNG.normal(size=(2, 5, 4)).astype("float32")
    near(
        OURS.decode_deltas_to_boxes(anchors, deltas, *args),
        THEIRS.decode_deltas_to_boxes(*tensors(anchors, deltas), *args),
    )
    a, d = tensors(anchors, deltas)
    ours = OURS.decode_deltas_to_boxes({"P3": anchors}, {"P3": deltas}, *args)
    near(ours["P3"], THEIRS.decode_deltas_to_boxes({"P3": a}, {"P3": d}, *args)["P3"])


@pytest.mark.parametrize("middle", [{}, {"center_x": 0.3, "center_y": 0.7}])
@pytest.mark.parametrize("which", ["angle", "translate_x", "translate_y", "scale", "shear_x", "shear_y", "all"])
def test_affine_transform(which, middle):
    x = boxes(3, 4)
    values = {
        "angle": [10.0, -40.0, 90.0], "translate_x": [0.1, 0.0, -2.0], "translate_y": [0.5, -0.2, 1.0],
        "scale": [0.5, 1.0, 2.0], "shear_x": [20.0, -10.0, 5.0], "shear_y": [-20.0, 10.0, 25.0],
    }  # fmt: skip
    still = {"scale": [1.0] * 3}
    given = {k: v if which in (k, "all") else still.get(k, [0.0] * 3) for k, v in values.items()}
    given = {k: np.array(v, "float32") for k, v in given.items()}
    theirs = THEIRS.affine_transform(tensors(x)[0], **given, height=31, width=41, **middle)
    near(OURS.affine_transform(x, **given, height=31, width=41, **middle), theirs)
