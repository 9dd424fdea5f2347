"""Boxes selected and parts of images beside ONNX Runtime, where it is installed."""

import numpy as np
import pytest
from op_harness import OneOp


def boxes_and_scores(n=2, classes=3, k=60):
    rng = np.random.default_rng(0)
    middle, size = rng.uniform(0, 9, (n, k, 2)), rng.uniform(-2, 2, (n, k, 2))
    corners = np.concatenate([middle - size, middle + size], axis=-1)
    return corners.astype(np.float32), rng.permutation(n * classes * k).reshape(n, classes, k).astype(np.float32)


def images_and_rois(seed=0):
    """Images have channels last; rois are beyond them, and some turned around."""
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(-3, 9, (40, 2)), rng.uniform(-1, 9, (40, 2))
    rois = np.concatenate([corner, corner + size], axis=-1).astype(np.float32)
    return rng.standard_normal((3, 9, 11, 4)).astype(np.float32), rois, rng.integers(0, 3, 40)


def of_onnx(op, inputs, opset=16, **attributes):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    names = [f"x{i}" for i in range(len(inputs))]
    node = onnx.helper.make_node(op, names, ["y"], **attributes)
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in zip(names, inputs, strict=True)
    ]
    kind = onnx.TensorProto.INT64 if op == "NonMaxSuppression" else onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph([node], op, values, [onnx.helper.make_tensor_value_info("y", kind, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, inputs, strict=True)))[0]


def selected(boxes, scores, **settings):
    y = OneOp("non_max_suppression", [boxes, scores], settings).run([boxes, scores]).y.astype(int)
    count = int((y[:, 0] >= 0).sum())
    assert (y[count:] == -1).all()
    return y[:count]


@pytest.mark.parametrize("center", [0, 1])
@pytest.mark.parametrize("most, overlap, score", [(5, 0.0, None), (60, 0.3, None), (9, 0.5, 200.0), (3, 0.9, 1e9)])
def test_suppression_as_onnx_runtime_does_it(most, overlap, score, center):
    boxes, scores = boxes_and_scores()
    boxes[..., 2:] = np.abs(boxes[..., 2:]) if center else boxes[..., 2:]
    inputs = [boxes, scores, np.array([most]), np.float32([overlap])] + ([] if score is None else [np.float32([score])])
    expected = of_onnx("NonMaxSuppression", inputs, opset=11, center_point_box=center)
    threshold = {} if score is None else {"score_threshold": score}
    y = selected(
        boxes, scores, max_output_boxes_per_class=most, iou_threshold=overlap, center_point_box=center, **threshold
    )
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("place", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize(
    "size, ratio, scale", [((3, 2), 2, 1.0), ((2, 5), 0, 0.75), ((1, 1), 3, 1.5), ((7, 7), 0, 1.0)]
)
def test_roi_align_as_onnx_runtime_does_it(mode, place, size, ratio, scale):
    x, rois, images = images_and_rois()
    expected = of_onnx(
        "RoiAlign",
        [np.ascontiguousarray(np.moveaxis(x, -1, 1)), rois, images],
        mode=mode,
        coordinate_transformation_mode=place,
        output_height=size[0],
        output_width=size[1],
        sampling_ratio=ratio,
        spatial_scale=scale,
    )
    settings = {"size": size, "sampling_ratio": ratio, "spatial_scale": scale, "mode": mode}
    arrays = [x, rois, images.astype(np.int32)]
    found = OneOp("roi_align", arrays, {**settings, "coordinate_transformation": place}).run(arrays)
    np.testing.assert_allclose(found.y, np.moveaxis(expected, 1, -1), rtol=1e-4, atol=1e-5)
