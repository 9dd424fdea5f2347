"""Operators of ONNX that networks are made of, in forms that the conformance cases do not have."""

import itertools

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from .onnx_cases import run  # noqa: E402
from .onnx_nodes import expected, floats, model_of, rng  # noqa: E402


def whole(dtype, *shape):
    limits = np.iinfo(dtype)
    return rng.integers(max(limits.min, -(2**15)), min(limits.max, 2**15), shape, dtype=dtype, endpoint=True)


def number(value, dtype=np.float32):
    return np.array(value, dtype)


def made(op, inputs, known=(), opset=21, outputs=1, **attributes):
    """A model of one node, and what it is fed with. `known`: which inputs are initializers, by number."""
    known = [i for i in known if inputs[i] is not None]
    fed = {f"x{i}": x for i, x in enumerate(inputs) if x is not None and i not in known}
    return model_of(op, inputs, known, opset, outputs, attributes), fed


def check(op, inputs, rtol=1e-5, atol=2e-6, **settings):
    model, fed = made(op, inputs, **settings)
    ours = run(model.SerializeToString(), list(fed.values()))
    for y, right in zip(ours, expected(model, fed), strict=True):
        assert y.shape == right.shape
        if right.dtype.kind == "f":
            np.testing.assert_allclose(y, right, rtol, atol)
        else:
            np.testing.assert_array_equal(y, right)


def refused(words, op, inputs, **settings):
    model, fed = made(op, inputs, **settings)
    with pytest.raises(NotImplementedError, match=words):
        run(model.SerializeToString(), list(fed.values()))


# ---- Windows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_conv(axes, groups, auto_pad):
    sizes, kernel = (9, 8, 7)[:axes], (3, 2, 4)[:axes]
    known = (1, 2) if axes != 2 else ()  # weights of a file, and computed ones
    settings = {"group": groups, "auto_pad": auto_pad, "strides": [2, 1, 2][:axes]}
    if auto_pad == "NOTSET":
        settings |= {"pads": [1, 0, 2, 0, 3, 1][: 2 * axes], "dilations": [2, 3, 1][:axes]}
    inputs = [floats(2, 4, *sizes), floats(6, 4 // groups, *kernel), floats(6)]
    check("Conv", inputs, atol=2e-5, known=known, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"strides": [2, 3], "pads": [1, 0, 0, 2]},
        {"strides": [2, 3], "output_padding": [1, 2], "pads": [1, 1, 1, 1]},
        {"strides": [2, 2], "dilations": [2, 3], "group": 2},
        {"strides": [2, 3], "output_shape": [9, 12]},
        {"strides": [2, 3], "output_shape": [8, 11], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 3], "output_shape": [8, 11], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER", "group": 2},
        {"strides": [2, 2], "auto_pad": "VALID", "output_padding": [1, 0]},
    ],
)
def test_conv_transpose(settings):
    check("ConvTranspose", [floats(2, 4, 4, 5), floats(4, 3, 3, 4), floats(3 * settings.get("group", 1))], **settings)


POOLS = [
    {"kernel_shape": [3, 2]},
    {"kernel_shape": [3, 2], "strides": [2, 3], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 2, 1]},
    {"kernel_shape": [2, 3], "strides": [2, 3], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [2, 3], "strides": [2, 3], "auto_pad": "SAME_LOWER"},
    {"kernel_shape": [2, 3], "strides": [2, 3], "auto_pad": "VALID"},
    {"kernel_shape": [2, 3], "dilations": [2, 3]},
    {"kernel_shape": [2, 3], "dilations": [3, 2], "strides": [2, 1], "pads": [1, 2, 1, 1]},
    {"kernel_shape": [2, 2], "dilations": [3, 2], "strides": [2, 2], "ceil_mode": 1},
]


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
@pytest.mark.parametrize("settings", POOLS)
def test_pool(op, settings):
    if op == "LpPool":
        settings = dict(settings, p=3)
    check(op, [floats(2, 3, 9, 8)], opset=22, **settings)


@pytest.mark.parametrize("settings", POOLS)
def test_average_pool_with_padding(settings):
    check("AveragePool", [floats(2, 3, 9, 8)], opset=22, count_include_pad=1, **settings)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_lp_pool(p):
    check("LpPool", [floats(2, 3, 9)], p=p, kernel_shape=[3], strides=[2], pads=[1, 1])
    check("GlobalLpPool", [floats(2, 3, 4, 5)], p=p)


def test_max_pool_of_bytes():
    check("MaxPool", [whole(np.uint8, 1, 2, 6, 6)], kernel_shape=[2, 2], strides=[2, 2])
    check("MaxPool", [whole(np.int8, 1, 2, 6)], kernel_shape=[3], dilations=[2])


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5), (2, 3, 4, 5, 2)])
def test_global_pool(op, shape):
    check(op, [floats(*shape)])


@pytest.mark.parametrize("settings", POOLS)
@pytest.mark.parametrize("order", [0, 1])
def test_max_pool_indices(settings, order):
    check("MaxPool", [floats(2, 3, 9, 8)], opset=22, outputs=2, storage_order=order, **settings)
    check("MaxPool", [np.ones((1, 2, 9, 8), np.float32)], opset=22, outputs=2, storage_order=order, **settings)


def test_max_unpool():
    places = np.array([[[0, 3], [5, 6]], [[8, 10], [12, 15]]])[None] + np.array([0, 16])[:, None, None, None]
    check("MaxUnpool", [floats(2, 2, 2, 2)[:, :1], places[:, :1]], kernel_shape=[2, 2], strides=[2, 2])
    check("MaxPool", [floats(2, 3, 8)], outputs=2, kernel_shape=[2], strides=[2])
    check("MaxPool", [floats(2, 1, 4, 4, 6)], outputs=2, kernel_shape=[2, 3, 2], storage_order=1)


def test_windows_that_are_refused():
    refused("rank 6", "MaxPool", [floats(1, 1, 2, 2, 2, 2)], kernel_shape=[1, 1, 1, 1])


# ---- Normalization --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5), (2, 3, 2, 4, 3)])
@pytest.mark.parametrize("opset", [7, 9, 14, 15])
def test_batch_normalization(shape, opset):
    inputs = [floats(*shape), floats(3), floats(3), floats(3), abs(floats(3))]
    check("BatchNormalization", inputs, known=(1, 2, 3, 4), opset=opset, epsilon=1e-3, momentum=0.7)


@pytest.mark.parametrize("opset", [18, 21])
def test_group_normalization(opset):
    n = 2 if opset == 18 else 6
    check("GroupNormalization", [floats(2, 6, 4, 3), floats(n), floats(n)], opset=opset, num_groups=2, epsilon=1e-3)


def test_other_normalizations():
    x = floats(2, 6, 4, 3)
    check("InstanceNormalization", [x, floats(6), floats(6)], known=(1, 2))
    check("LayerNormalization", [x, floats(4, 3), floats(4, 3)], axis=2, outputs=3)
    check("LayerNormalization", [x, floats(3)], axis=-1, known=(1,))
    check("LRN", [x], size=5, alpha=0.3, beta=0.5, bias=2.0)
    check("MeanVarianceNormalization", [x])
    check("MeanVarianceNormalization", [x], axes=[1, -1])
    for p, axis in itertools.product((1, 2), (0, -1)):
        check("LpNormalization", [x], p=p, axis=axis)
    check("LpNormalization", [np.zeros((2, 3), np.float32)])


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
@pytest.mark.parametrize("opset", [7, 11, 13])
def test_softmax(op, opset):
    check(op, [floats(2, 3, 4, 5)], opset=opset)
    for axis in range(4):
        check(op, [floats(2, 3, 4, 5)], opset=opset, axis=axis)
        check(op, [floats(2, 3, 1, 1)], opset=opset, axis=axis)


def test_dropout():
    x = floats(3, 4)
    check("Dropout", [x], opset=7, ratio=0.3)
    check("Dropout", [x], opset=10)
    check("Dropout", [x, number(0.4), number(False, bool)], known=(1, 2), outputs=2)
    refused("training_mode", "Dropout", [x, number(0.4), number(True, bool)], known=(1, 2))


# ---- Products -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [None, (), (1,), (5,), (1, 5), (3, 1), (3, 5)])
@pytest.mark.parametrize("settings", [{}, {"alpha": 0.5, "beta": -2.0}, {"transA": 1}, {"transB": 1}])
def test_gemm(shape, settings):
    a, b = floats(3, 4), floats(4, 5)
    inputs = [a.T.copy() if "transA" in settings else a, b.T.copy() if "transB" in settings else b]
    inputs += [] if shape is None else [floats(*shape)]
    check("Gemm", inputs, **settings)
    check("Gemm", inputs, known=(1, 2) if len(inputs) > 2 else (1,), **settings)


@pytest.mark.parametrize(
    "a, b",
    [((4,), (4,)), ((4,), (4, 3)), ((2, 4), (4,)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 2))],
)
def test_matmul(a, b):
    check("MatMul", [floats(*a), floats(*b)])
    check("MatMul", [floats(*a), floats(*b)], known=(1,))


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("bqhd,bkhd->bhqk", [(2, 4, 3, 5), (2, 6, 3, 5)]),
        ("bhqk,bkhd->bqhd", [(2, 3, 4, 6), (2, 6, 3, 5)]),
        ("i,j->ij", [(3,), (4,)]),
        ("i,i->", [(3,), (3,)]),
        ("i,i->i", [(3,), (3,)]),
        ("ab,cb->ca", [(2, 3), (4, 3)]),
        ("abc,cd->abd", [(2, 3, 4), (4, 5)]),
        ("abc,dc->bda", [(2, 3, 4), (5, 4)]),
        ("abc,ab->c", [(2, 3, 4), (2, 3)]),
        ("ab,cd->bd", [(2, 3), (4, 5)]),
        ("...ij,...jk->...ik", [(2, 3, 4, 5), (3, 5, 2)]),
        ("...ij,jk->...ki", [(2, 3, 4, 5), (5, 2)]),
        ("b...i,bi->b...", [(2, 3, 4), (2, 4)]),
        ("ij->ji", [(2, 3)]),
        ("ij->j", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("bii->bi", [(2, 3, 3)]),
        ("...ii->...i", [(2, 4, 3, 3)]),
        ("ba", [(2, 3)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("bij, bjk, bk -> bi", [(2, 3, 4), (2, 4, 5), (2, 5)]),
        ("iij,jk->ik", [(3, 3, 4), (4, 2)]),
    ],
)
def test_einsum(equation, shapes):
    inputs = [floats(*shape) for shape in shapes]
    ours = run(made("Einsum", inputs, equation=equation)[0].SerializeToString(), inputs)[0]
    np.testing.assert_allclose(ours, np.einsum(equation, *inputs), 1e-5, 2e-6)


# ---- Quantized numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_quantize(dtype):
    x, zero = floats(3, 4, 5) * 100, number(7, dtype)
    check("QuantizeLinear", [x, number(0.5), zero], known=(1, 2))
    check("QuantizeLinear", [np.arange(-6, 6, dtype=np.float32), number(4), zero])  # halves go to the even one
    check("QuantizeLinear", [x, abs(floats(4)) + 0.1, whole(dtype, 4)], axis=1)
    check("DequantizeLinear", [whole(dtype, 3, 4, 5), number(0.3), zero])
    check("DequantizeLinear", [whole(dtype, 3, 4, 5), floats(5), whole(dtype, 5)], axis=-1)
    check("DequantizeLinear", [whole(dtype, 3, 6), floats(3, 2), whole(dtype, 3, 2)], axis=1, block_size=3)


def test_quantize_without_zero_point():
    check("QuantizeLinear", [floats(3, 4) * 300, number(0.5)])
    check("DequantizeLinear", [whole(np.int32, 3, 4), number(0.5)])
    check("DynamicQuantizeLinear", [floats(3, 4)], outputs=3)
    check("DynamicQuantizeLinear", [abs(floats(3, 4)) + 1], outputs=3)


@pytest.mark.parametrize("k", [3, 300, 5000])
def test_quantized_matmul(k):
    a, b = whole(np.uint8, 3, k), whole(np.int8, k, 4)
    check("MatMulInteger", [a, b, number(255, np.uint8), number(-128, np.int8)])
    check("MatMulInteger", [a, b, None, whole(np.int8, 4)])
    check("MatMulInteger", [np.full_like(a, 255), np.full_like(b, -128), None, number(127, np.int8)], known=(1, 3))
    scales = [number(0.01), number(3, np.uint8), number(0.02), number(-4, np.int8), number(0.5), number(100, np.uint8)]
    check("QLinearMatMul", [a, *scales[:2], b, *scales[2:]])


@pytest.mark.parametrize("channels", [2, 80])
@pytest.mark.parametrize("groups", [1, 2])
def test_quantized_conv(channels, groups):
    x, w = whole(np.uint8, 2, channels, 7, 6), whole(np.int8, 4, channels // groups, 3, 3)
    settings = {"group": groups, "pads": [1, 0, 2, 1], "strides": [1, 2]}
    check("ConvInteger", [x, whole(np.uint8, *w.shape), number(9, np.uint8)], **settings)
    scales = [number(0.01), number(30, np.uint8), abs(floats(4)), np.zeros(4, np.int8), number(2), number(90, np.uint8)]
    inputs = [x, *scales[:2], w, *scales[2:], rng.integers(-5000, 5000, 4).astype(np.int32)]
    check("QLinearConv", inputs, known=range(1, 9), **settings)


# ---- Functions of one element ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "op, settings",
    [
        ("LeakyRelu", {"alpha": -0.3}),
        ("Elu", {"alpha": -0.5}),
        ("Elu", {"alpha": 2.0}),
        ("Selu", {"alpha": 2.0, "gamma": 0.5}),
        ("Celu", {"alpha": 0.7}),
        ("HardSigmoid", {}),
        ("HardSigmoid", {"alpha": 1 / 6}),
        ("HardSwish", {}),
        ("Gelu", {}),
        ("Gelu", {"approximate": "tanh"}),
        ("Mish", {}),
        ("ThresholdedRelu", {"alpha": 0.2}),
        ("Shrink", {"lambd": 0.6, "bias": 0.2}),
        ("Clip", {}),
        ("Softplus", {}),
    ],
)
def test_activation(op, settings):
    check(op, [3 * floats(3, 4)], **settings)


@pytest.mark.parametrize("slope", [(), (1,), (4,), (4, 1), (3, 1, 1), (3, 4, 4)])
def test_prelu(slope):
    check("PRelu", [floats(2, 3, 4, 4), floats(*slope)])
    check("PRelu", [floats(2, 3, 4, 4), floats(*slope)], known=(1,))


def test_clip():
    x = 3 * floats(3, 4)
    for low, high in [(None, 1), (-1, None), (0, None), (0, 6), (1, -1)]:
        bounds = [None if v is None else number(v) for v in (low, high)]
        check("Clip", [x, *bounds], known=(1, 2))
        check("Clip", [x, *bounds])
        bounds = [None if v is None else number(v, np.int32) for v in (low, high)]
        check("Clip", [whole(np.int32, 3, 4), *bounds])
    check("Clip", [x], opset=6, min=-1.0)
    check("Clip", [x], opset=10, min=-1.0, max=0.5)
    check("Relu", [whole(np.int32, 3, 4)], opset=14)


# ---- Resize ---------------------------------------------------------------------------------------------------------

PLACES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_resize_nearest(places, rounding):
    settings = {"coordinate_transformation_mode": places, "nearest_mode": rounding, "mode": "nearest"}
    for height, width in [(10, 12), (7, 5), (4, 13), (1, 4), (5, 6), (15, 18)]:
        check("Resize", [floats(1, 2, 5, 6), None, None, np.array([1, 2, height, width])], known=(3,), **settings)
    check("Resize", [whole(np.uint8, 1, 2, 5, 6), None, number([1, 1, 2, 0.5])], known=(2,), **settings)


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "linear"},
        {"mode": "cubic"},
        {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1},
        {"mode": "linear", "antialias": 1},
        {"mode": "cubic", "antialias": 1},
    ],
)
def test_resize_weighted(places, settings):
    settings = dict(settings, coordinate_transformation_mode=places)
    for height, width in [(10, 12), (7, 5), (3, 13), (5, 3), (2, 2)]:
        check("Resize", [floats(1, 2, 5, 6), None, None, np.array([1, 2, height, width])], known=(3,), **settings)
    if places != "align_corners":
        check("Resize", [floats(1, 2, 5, 6), None, number([1, 1, 1.7, 0.6])], known=(2,), **settings)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_forms(mode):
    x, roi = floats(1, 2, 5, 6), number([0, 0, -0.1, 0.2, 1, 1, 0.7, 1.3])
    crop = {"coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 3.0, "mode": mode}
    check("Resize", [x, roi, None, np.array([1, 2, 7, 4])], known=(1, 3), **crop)
    check("Resize", [floats(5, 4), None, number([1.9, 0.7])], known=(2,), mode=mode)
    check("Resize", [x, number([1, 1, 2, 3])], known=(1,), opset=10, mode=mode)
    check("Resize", [x, number([1, 1, 0.7, 1.6])], known=(1,), opset=10, mode=mode)
    check("Upsample", [x, number([1, 1, 2, 1.5])], known=(1,), opset=9, mode=mode)
    check("Upsample", [x], opset=7, mode=mode, scales=[1.0, 1.0, 2.0, 2.0])
    for policy in ("not_larger", "not_smaller"):
        settings = {"keep_aspect_ratio_policy": policy, "axes": [3, 2], "mode": mode}
        check("Resize", [x, None, None, np.array([13, 8])], known=(3,), opset=18, **settings)


@pytest.mark.parametrize("mode, newer", [("nearest", "nearest"), ("bilinear", "linear")])
def test_upsample_of_opset_6(mode, newer):
    x = floats(1, 2, 3, 4)
    old = model_of("Upsample", [x], (), 6, 1, {"mode": mode, "height_scale": 2.0, "width_scale": 3.0})
    new = model_of("Upsample", [x], (), 7, 1, {"mode": newer, "scales": [1.0, 1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(*(run(model.SerializeToString(), [x])[0] for model in (old, new)))
