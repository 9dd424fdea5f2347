"""ONNX's operators of detectors and of sampled images, in forms that the conformance cases do not have."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from .onnx_cases import run  # noqa: E402
from .onnx_nodes import case, check, expected, floats, model_of, named, rng  # noqa: E402


def places(*shape):
    return rng.uniform(-1.3, 1.3, shape).astype(np.float32)


def rois(n):
    corners = rng.uniform(0, 8, (n, 2, 2)).astype(np.float32)
    return np.sort(corners, 1).reshape(n, 4)


@named(
    [
        case("GridSample", floats(2, 3, 5, 6), places(2, 4, 3, 2), opset=opset, align_corners=corners, **settings)
        for corners in (0, 1)
        for opset, settings in [
            (16, {}),
            (16, {"mode": "nearest", "padding_mode": "border"}),
            (16, {"mode": "bicubic", "padding_mode": "zeros"}),
            (20, {"mode": "linear", "padding_mode": "reflection"}),
            (20, {"mode": "cubic", "padding_mode": "border"}),
        ]
    ]
    + [case("GridSample", floats(2, 3, 4, 5, 6), places(2, 2, 3, 4, 3), opset=20, padding_mode="border")]
    + [
        case("RoiAlign", floats(2, 3, 9, 9), rois(4), np.array([0, 1, 1, 0]), opset=opset, **settings)
        for opset, settings in [
            (10, {"output_height": 2, "output_width": 3}),
            (10, {"output_height": 2, "output_width": 2, "sampling_ratio": 2, "spatial_scale": 0.5}),
            (16, {"output_height": 3, "output_width": 2, "mode": "max", "sampling_ratio": 1}),
            (16, {"coordinate_transformation_mode": "output_half_pixel", "output_height": 2}),
        ]
    ]
)
def test_samples(one):
    check(*one)


@pytest.mark.parametrize("center", [0, 1])
@pytest.mark.parametrize("most", [1, 3, 2**62])
@pytest.mark.parametrize("threshold", [None, 0.4])
def test_non_max_suppression(center, most, threshold):
    """Rows behind the last box are -1: here sizes do not depend on values."""
    corners = np.sort(rng.uniform(0, 1, (2, 12, 2, 2)), 2).reshape(2, 12, 4)
    limits = [None if value is None else np.array(value, np.float32) for value in (0.3, threshold)]
    inputs = [corners.astype(np.float32), rng.uniform(0, 1, (2, 3, 12)).astype(np.float32), np.array([most]), *limits]
    while inputs[-1] is None:
        inputs.pop()
    model = model_of("NonMaxSuppression", inputs, range(2, len(inputs)), 11, 1, {"center_point_box": center})
    (ours,) = run(model.SerializeToString(), inputs[:2])
    (right,) = expected(model, {"x0": inputs[0], "x1": inputs[1]})
    np.testing.assert_array_equal(ours[: len(right)], right)
    assert (ours[len(right) :] == -1).all()
