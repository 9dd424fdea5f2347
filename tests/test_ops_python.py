"""The functions of cconv.ops: NumPy's results at once, the same inside models, errors."""

import threading

import numpy as np
import pytest

import cconv
from cconv import ops
from cconv.ops import _apply


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


A = numbers(3, 4)
B = np.abs(numbers(3, 4, seed=1)) + 0.5
IMAGE = numbers(2, 6, 5, 3)

# name -> (the call, what NumPy says)
CALLS = {
    "add": (lambda x: ops.add(x, B), A + B),
    "subtract": (lambda x: ops.subtract(x, B), A - B),
    "multiply": (lambda x: ops.multiply(x, B), A * B),
    "divide": (lambda x: ops.divide(x, B), A / B),
    "power": (lambda x: ops.power(B, x), B**A),
    "maximum": (lambda x: ops.maximum(x, 0.1), np.maximum(A, 0.1)),
    "minimum": (lambda x: ops.minimum(x, 0.1), np.minimum(A, 0.1)),
    "equal": (lambda x: ops.equal(x, A), A == A),
    "not_equal": (lambda x: ops.not_equal(x, A), A != A),
    "greater": (lambda x: ops.greater(x, 0), A > 0),
    "greater_equal": (lambda x: ops.greater_equal(x, 0), A >= 0),
    "less": (lambda x: ops.less(x, 0), A < 0),
    "less_equal": (lambda x: ops.less_equal(x, 0), A <= 0),
    "logical_and": (lambda x: ops.logical_and(ops.greater(x, 0), ops.less(x, 1)), (A > 0) & (A < 1)),
    "logical_or": (lambda x: ops.logical_or(ops.less(x, 0), ops.greater(x, 1)), (A < 0) | (A > 1)),
    "logical_not": (lambda x: ops.logical_not(ops.less(x, 0)), ~(A < 0)),
    "where": (lambda x: ops.where(ops.greater(x, 0), x, 5), np.where(A > 0, A, 5)),
    "matmul": (lambda x: ops.matmul(x, B.T), A @ B.T),
    "matmul vector": (lambda x: ops.matmul(x, B[0]), A @ B[0]),
    "negative": (ops.negative, -A),
    "abs": (ops.abs, np.abs(A)),
    "sqrt": (lambda x: ops.sqrt(ops.abs(x)), np.sqrt(np.abs(A))),
    "rsqrt": (lambda x: ops.rsqrt(ops.abs(x) + 1), 1 / np.sqrt(np.abs(A) + 1)),
    "square": (ops.square, A**2),
    "exp": (ops.exp, np.exp(A)),
    "log": (lambda x: ops.log(ops.abs(x) + 1), np.log(np.abs(A) + 1)),
    "log1p": (lambda x: ops.log1p(ops.abs(x)), np.log1p(np.abs(A))),
    "sin": (ops.sin, np.sin(A)),
    "cos": (ops.cos, np.cos(A)),
    "expm1": (ops.expm1, np.expm1(A)),
    "floor": (ops.floor, np.floor(A)),
    "ceil": (ops.ceil, np.ceil(A)),
    "round": (ops.round, np.round(A)),
    "sign": (ops.sign, np.sign(A)),
    "reciprocal": (ops.reciprocal, 1 / A),
    "clip": (lambda x: ops.clip(x, -0.5, 0.5), np.clip(A, -0.5, 0.5)),
    "sum": (ops.sum, A.sum()),
    "sum of an axis": (lambda x: ops.sum(x, axis=-1, keepdims=True), A.sum(-1, keepdims=True)),
    "mean": (lambda x: ops.mean(x, axis=0), A.mean(0)),
    "max": (lambda x: ops.max(x, axis=1), A.max(1)),
    "min": (lambda x: ops.min(x, axis=(0, 1)), A.min()),
    "prod": (lambda x: ops.prod(x, axis=1), A.prod(1)),
    "var": (lambda x: ops.var(x, axis=0), A.var(0)),
    "std": (lambda x: ops.std(x, axis=1, keepdims=True), A.std(1, keepdims=True)),
    "logsumexp": (lambda x: ops.logsumexp(x, axis=1), np.log(np.exp(A).sum(1))),
    "argmax": (lambda x: ops.argmax(x, axis=1), A.argmax(1)),
    "argmax of all": (ops.argmax, A.argmax()),
    "argmin": (lambda x: ops.argmin(x, axis=0, keepdims=True), A.argmin(0)[None]),
    "argsort": (lambda x: ops.argsort(x, axis=0), A.argsort(0, kind="stable").astype(np.int32)),
    "argsort of all": (lambda x: ops.argsort(x, axis=None), A.argsort(None).astype(np.int32)),
    "top_k": (lambda x: ops.top_k(x, 2)[0], -np.sort(-A, -1)[:, :2]),
    "top_k positions": (lambda x: ops.top_k(x, 2)[1], (-A).argsort(-1)[:, :2].astype(np.int32)),
    "take": (lambda x: ops.take(x, [[2, 0], [1, -1]], axis=1), A[:, [[2, 0], [1, -1]]]),
    "take of all": (lambda x: ops.take(x, [3, 11]), A.ravel()[[3, 11]]),
    "take_along_axis": (lambda x: ops.take_along_axis(x, [[2], [0], [-1]], axis=1), A[[0, 1, 2], [2, 0, 3]][:, None]),
    "take_along_axis of all": (lambda x: ops.take_along_axis(x, [3, 11]), A.ravel()[[3, 11]]),
    "reshape": (lambda x: ops.reshape(x, (2, -1)), A.reshape(2, -1)),
    "transpose": (ops.transpose, A.T),
    "moveaxis": (lambda x: ops.moveaxis(x, 0, -1), np.moveaxis(A, 0, -1)),
    "expand_dims": (lambda x: ops.expand_dims(x, 1), A[:, None]),
    "squeeze": (lambda x: ops.squeeze(ops.expand_dims(x, 0)), A),
    "concatenate": (lambda x: ops.concatenate([x, B], axis=1), np.concatenate([A, B], axis=1)),
    "stack": (lambda x: ops.stack([x, B], axis=1), np.stack([A, B], axis=1)),
    "broadcast_to": (lambda x: ops.broadcast_to(x, (2, 3, 4)), np.broadcast_to(A, (2, 3, 4))),
    "get_item": (lambda x: ops.get_item(x, (slice(1, None), 2)), A[1:, 2]),
    "get_item negative": (lambda x: ops.get_item(x, (-1, slice(-3, -1))), A[-1, -3:-1]),
    "get_item steps": (lambda x: ops.get_item(x, (slice(None, None, -1), slice(0, 4, 3))), A[::-1, ::3]),
    "get_item new axis": (lambda x: ops.get_item(x, (..., None, 0)), A[..., None, 0]),
    "slice": (lambda x: ops.slice(x, (1, 0), (2, 3)), A[1:3, :3]),
    "stop_gradient": (ops.stop_gradient, A),
    "relu": (ops.relu, np.maximum(A, 0)),
    "relu6": (lambda x: ops.relu6(x * 10), np.clip(A * 10, 0, 6)),
    "leaky_relu": (ops.leaky_relu, np.where(A > 0, A, 0.2 * A)),
    "elu": (ops.elu, np.where(A > 0, A, np.expm1(A))),
    "selu": (ops.selu, 1.0507009873554805 * np.where(A > 0, A, 1.6732632423543772 * np.expm1(A))),
    "sigmoid": (ops.sigmoid, 1 / (1 + np.exp(-A))),
    "silu": (ops.silu, A / (1 + np.exp(-A))),
    "hard_sigmoid": (ops.hard_sigmoid, np.clip(A / 6 + 0.5, 0, 1)),
    "tanh": (ops.tanh, np.tanh(A)),
    "arctan": (ops.arctan, np.arctan(A)),
    "softplus": (ops.softplus, np.log1p(np.exp(A))),
    "softsign": (ops.softsign, A / (1 + np.abs(A))),
    "binary_step": (ops.binary_step, A >= 0),
    "softmax": (ops.softmax, np.exp(A) / np.exp(A).sum(-1, keepdims=True)),
    "log_softmax": (lambda x: ops.log_softmax(x, axis=0), A - np.log(np.exp(A).sum(0))),
    "operators": (lambda x: (2 - x) * x / 3 + x**2 - (-x) @ B.T @ np.ones((3, 4), np.float32),
                  (2 - A) * A / 3 + A**2 + A @ B.T @ np.ones((3, 4))),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_at_once_and_in_a_model(name):
    call, expected = CALLS[name]
    y = call(A)
    kind = {"b": np.bool_, "i": np.int32, "f": np.float32}[np.asarray(expected).dtype.kind]
    assert isinstance(y, np.ndarray) and y.dtype == (np.float32 if name == "binary_step" else kind)
    assert np.shape(y) == np.shape(expected)
    np.testing.assert_allclose(y, np.asarray(expected, np.float32), rtol=1e-4, atol=1e-5)
    x = cconv.Input(batch_shape=A.shape)
    model = cconv.Model(x, call(x))
    np.testing.assert_allclose(model(A), np.asarray(expected, np.float32), rtol=1e-4, atol=1e-5)
    # the same through a file's form
    again = cconv.saving.deserialize_object(cconv.saving.serialize_object(model))
    np.testing.assert_array_equal(again(A), model(A))


def test_a_shuffle_of_channels_first():
    x = np.arange(24, dtype=np.float32).reshape(2, 6, 2)
    y = ops.channel_shuffle(x, 3, data_format="channels_first")
    np.testing.assert_array_equal(y, x[:, [0, 2, 4, 1, 3, 5]])


def test_images():
    padded = ops.pad(IMAGE, ((0, 0), (1, 2), (0, 1), (0, 0)))
    np.testing.assert_array_equal(padded, np.pad(IMAGE, ((0, 0), (1, 2), (0, 1), (0, 0))))
    for mode in ("constant", "edge", "reflect", "symmetric"):
        for width in (1, (0, 1), ((1, 0),), ((1, 0), (2, 3), (0, 4), (1, 2))):
            np.testing.assert_array_equal(ops.pad(IMAGE, width, mode), np.pad(IMAGE, width, mode))
    np.testing.assert_array_equal(ops.pad(A, 1, constant_values=3), np.pad(A, 1, constant_values=3))
    assert ops.max_pool(IMAGE, 2).shape == (2, 3, 2, 3)
    assert ops.max_pool(IMAGE[0], 2).shape == (6, 2, 3)
    assert ops.max_pool(IMAGE[None], (1, 2, 3), 1, "same").shape == (1, *IMAGE.shape)
    assert ops.average_pool(IMAGE[0], 2, data_format="channels_first").shape == (6, 5, 1)
    assert ops.average_pool(IMAGE, 2, strides=1, padding="same").shape == (2, 6, 5, 3)
    np.testing.assert_allclose(ops.sum_pool(IMAGE, (6, 5))[:, 0, 0], IMAGE.sum((1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        ops.l2_pool(IMAGE, (6, 5))[:, 0, 0], np.sqrt((IMAGE**2).sum((1, 2))), rtol=1e-4, atol=1e-5
    )
    first = ops.max_pool(IMAGE.transpose(0, 3, 1, 2), 2, data_format="channels_first")
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), ops.max_pool(IMAGE, 2))
    kernel = numbers(3, 3, 3, 4)
    np.testing.assert_array_equal(ops.conv(IMAGE, kernel), ops.conv2d(IMAGE, kernel))
    depthwise = numbers(3, 3, 3, 2)
    assert ops.depthwise_conv(IMAGE, depthwise).shape == (2, 4, 3, 6)
    assert ops.separable_conv(IMAGE, depthwise, numbers(1, 1, 6, 5)).shape == (2, 4, 3, 5)


@pytest.mark.parametrize("shape", [(9,), (7, 6), (5, 4, 6)])
def test_convolutions_take_any_rank(shape):
    rank = len(shape)
    x, kernel = numbers(2, *shape, 4), numbers(*(3, 2, 2)[:rank], 4, 5)
    first = np.moveaxis(x, -1, 1)
    y = ops.conv(x, kernel, padding="same")
    assert y.shape == (2, *shape, 5)
    z = ops.conv(first, kernel, padding="same", data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(z, 1, -1), y)
    grouped = ops.conv(x, kernel[..., :2, :4])  # two groups, told from the kernel
    assert grouped.shape[-1] == 4
    np.testing.assert_allclose(grouped[..., :2], ops.conv(x[..., :2], kernel[..., :2, :2]), rtol=1e-5, atol=1e-5)
    large = ops.conv_transpose(x, numbers(*(3, 2, 2)[:rank], 5, 4), strides=2, padding="same", output_padding=0)
    assert large.shape == (2, *((n - 1) * 2 + k % 2 for n, k in zip(shape, (3, 2, 2), strict=False)), 5)
    z = ops.conv_transpose(first, np.swapaxes(kernel, -1, -2), strides=2, data_format="channels_first")
    y = ops.conv_transpose(x, np.swapaxes(kernel, -1, -2), strides=2)
    np.testing.assert_array_equal(np.moveaxis(z, 1, -1), y)
    apart = ops.depthwise_conv(x, kernel[..., :2])
    assert apart.shape[-1] == 8
    pointwise = numbers(*(1,) * rank, 8, 3)
    np.testing.assert_array_equal(ops.separable_conv(x, kernel[..., :2], pointwise), ops.conv(apart, pointwise))


@pytest.mark.parametrize("algorithm", ["direct", "im2col"])
@pytest.mark.parametrize(
    "settings", [{}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2, "padding": ((1, 2), (2, 0))}]
)
def test_convolution_and_its_gradients_are_adjoint(algorithm, settings):
    rng = np.random.default_rng(0)
    x, w = rng.integers(-8, 9, (2, 7, 6, 3)), rng.integers(-8, 9, (3, 3, 3, 4))
    y = ops.conv2d(x, w, algorithm=algorithm, **settings)
    dy = rng.integers(-8, 9, y.shape)
    dx = ops.conv2d_input_gradient(dy, w, x.shape, algorithm=algorithm, **settings)
    dw = ops.conv2d_weight_gradient(x, dy, w.shape, algorithm=algorithm, **settings)
    total = (dy * y.astype(float)).sum()
    assert dx.shape == x.shape and dw.shape == w.shape
    assert (dx.astype(float) * x).sum() == total and (dw.astype(float) * w).sum() == total


def test_the_textbook_convolution():
    x, w = np.arange(9).reshape(1, 3, 3, 1), np.arange(4).reshape(2, 2, 1, 1)
    assert ops.conv2d(x, w)[0, :, :, 0].tolist() == [[19, 25], [37, 43]]
    assert ops.conv2d(x, w, bias=[1])[0, :, :, 0].tolist() == [[20, 26], [38, 44]]


def test_one_hot_and_losses():
    assert ops.one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert ops.one_hot([2, 0], 3, axis=0).tolist() == [[0, 1], [0, 0], [1, 0]]
    p = np.exp(A) / np.exp(A).sum(-1, keepdims=True)
    labels = np.array([1, 3, 0])
    expected = -np.log(p[np.arange(3), labels])
    np.testing.assert_allclose(ops.sparse_categorical_crossentropy(labels, p), expected, rtol=1e-4)
    np.testing.assert_allclose(ops.sparse_categorical_crossentropy(labels, A, from_logits=True), expected, rtol=1e-4)
    np.testing.assert_allclose(ops.categorical_crossentropy(np.eye(4)[labels], p), expected, rtol=1e-4)
    t, q = (A > 0).astype(float), 1 / (1 + np.exp(-A))
    expected = -t * np.log(q) - (1 - t) * np.log(1 - q)
    np.testing.assert_allclose(ops.binary_crossentropy(t, q), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(ops.binary_crossentropy(t, A, from_logits=True), expected, rtol=1e-3, atol=1e-5)


def test_batch_normalization_and_dropout():
    y = ops.batch_normalization(A, A.mean(0), A.var(0), scale=2 * np.ones(4), offset=np.ones(4), epsilon=0.0)
    np.testing.assert_allclose(y, 2 * (A - A.mean(0)) / A.std(0) + 1, rtol=1e-3, atol=1e-4)
    mask = ops.dropout(np.ones(1000), 0.5, seed=1)
    assert set(np.unique(mask)) == {0, 2} and np.array_equal(mask, ops.dropout(np.ones(1000), 0.5, seed=1))
    assert not np.array_equal(mask, ops.dropout(np.ones(1000), 0.5, seed=2))


def test_unknown_sizes():
    x = cconv.Input((None, 4))
    assert ops.shape(x) == (None, None, 4) and ops.ndim(x) == 3 and ops.size(x) is None
    assert ops.reshape(x, (ops.shape(x)[0], -1)).shape == (None, None)
    assert ops.sum(x, axis=1).shape == (None, 4)
    assert (x + x).shape == (None, None, 4)
    assert x[:, 1:3].shape == (None, 2, 4)
    with pytest.raises(IndexError, match="known size"):
        x[:, -1]


def test_arrays_of_any_number_type():
    for dtype in (np.float64, np.float16, np.int8, np.uint8, np.int64, np.uint16, bool, ">f4"):
        assert ops.add(np.ones(3, dtype), 1).tolist() == [2, 2, 2]
    assert ops.add(A[::2, ::-1], 0).tolist() == A[::2, ::-1].tolist()
    assert ops.add(2, 3) == 5
    for wrong in (np.array(["a"]), np.array([None]), np.array([1j])):
        with pytest.raises(TypeError, match="numbers"):
            ops.add(wrong, 1)


def test_helpers():
    assert ops.cast([1.7, -1.7], "int32").tolist() == [1, -1]
    x = cconv.Input((2,))
    model = cconv.Model(x, [ops.cast(x, "int32"), ops.cast(x, "bool"), ops.cast(x, "float32") + 0])
    whole, truth, same = model(np.array([[1.7, -1.7]]))
    assert whole.tolist() == [[1, -1]] and truth.tolist() == [[1, 1]] and same.shape == (1, 2)
    v = cconv.Variable([1.0, 2.0])
    assert ops.convert_to_numpy(v).tolist() == [1, 2] and ops.is_tensor(v)
    assert (v * 2).tolist() == [2, 4] and (np.ones(2) - v).tolist() == [0, -1] and v[1] == 2
    assert ops.zeros((2,)).tolist() == [0, 0] and ops.ones((1, 1)).shape == (1, 1)
    assert ops.arange(3).tolist() == [0, 1, 2] and ops.full((2,), 7).tolist() == [7, 7]
    with pytest.raises(TypeError, match="no value yet"):
        ops.convert_to_numpy(x)
    with pytest.raises(TypeError):
        float(x)
    with pytest.raises(TypeError):
        list(x)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.conv2d(IMAGE, np.ones((3, 3, 4, 1))), ValueError, r"3.*4|4.*3"),
        (lambda: ops.conv2d(IMAGE, np.ones((9, 9, 3, 1))), ValueError, "conv: expected a window no larger"),
        (lambda: ops.conv2d(IMAGE, np.ones((3, 3, 3, 1)), strides=0), ValueError, "strides=0"),
        (lambda: ops.conv(IMAGE, np.ones((3, 3))), ValueError, r"`kernel` must have the shape.*\(3, 3\)"),
        (lambda: ops.conv(IMAGE, np.ones((3, 3, 1))), ValueError, "x of rank 4.*w of rank 3"),
        (lambda: ops.conv_transpose(IMAGE, np.ones((3, 3, 1, 4))), ValueError, "x with 4 channels.*received 3"),
        (lambda: ops.channel_shuffle(IMAGE, 2), ValueError, "received 2 groups"),
        (lambda: ops.channel_shuffle(IMAGE, 0), ValueError, "received 0 groups"),
        (lambda: ops.channel_shuffle(IMAGE[0, 0, 0], 3), ValueError, "channels on its last axis, behind others"),
        (lambda: ops.conv_transpose(IMAGE, np.ones((3, 3, 1, 3)), 2, output_padding=2), ValueError, "output_padding"),
        (lambda: ops.conv2d(IMAGE, np.ones((3, 3, 3, 1)), padding="full"), ValueError, "padding='full'"),
        (lambda: ops.conv2d(IMAGE, np.ones((3, 3, 3, 1)), algorithm="fft"), ValueError, "fft"),
        (lambda: ops.conv2d(IMAGE[0], np.ones((3, 3, 3, 1))), ValueError, "rank 4"),
        (
            lambda: ops.conv2d_input_gradient(np.ones((1, 9, 9, 1)), np.ones((3, 3, 3, 1)), (1, 6, 6, 3)),
            ValueError,
            "shape",
        ),
        (lambda: ops.matmul(A, A), ValueError, "matmul"),
        (lambda: ops.add(A, np.ones(3)), ValueError, "add"),
        (lambda: ops.reshape(A, (5, 5)), ValueError, "reshape"),
        (lambda: ops.reshape(A, (-2, 5)), ValueError, r"newshape=\(-2, 5\)"),
        (lambda: ops.concatenate([A, np.ones((2, 2))], axis=1), ValueError, "concatenate"),
        (lambda: ops.sum(A, axis=5), ValueError, "5"),
        (lambda: ops.pad(A, -1), ValueError, "pad_width=-1"),
        (lambda: ops.pad(A, ((0, 1), (0, 1), (0, 1))), ValueError, "`pad_width` argument"),
        (lambda: ops.pad(A, 1, mode="wrap"), ValueError, "mode='wrap'"),
        (lambda: ops.pad(A, 1, mode="edge", constant_values=0), ValueError, "constant_values=0"),
        (lambda: ops.pad(A, 1, constant_values="x"), ValueError, "constant_values='x'"),
        (lambda: ops.pad(A, 99, mode="reflect"), ValueError, "pads smaller than the axis, received a pad of 99"),
        (lambda: ops.max_pool(A, 2), ValueError, r"images of one to three axes.*shape="),
        (lambda: ops.get_item(A, (0, 0, 0)), IndexError, "Too many"),
        (lambda: ops.get_item(A, 7), IndexError, "7 is out of bounds"),
        (lambda: ops.get_item(A, slice(None, None, 0)), ValueError, "step cannot be zero"),
        (lambda: ops.get_item(A, "x"), TypeError, "'x'"),
        (lambda: ops.dropout(A, 1.0), ValueError, "rate=1.0"),
        (lambda: ops.one_hot([1], 0), ValueError, "num_classes=0"),
        (lambda: ops.max_pool(IMAGE, (0, 2)), ValueError, "pool_size"),
    ],
)
def test_wrong_use(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_cache_of_plans_is_bounded_and_used():
    for n in range(1, 100):
        ops.relu(np.ones(n))
    assert len(_apply._programs) == _apply._programs.size
    before = cconv._core.allocations()
    ops.relu(np.ones(99))
    assert cconv._core.allocations() == before


def test_several_threads_at_once():
    wrong = []

    def work(value):
        for _ in range(50):
            if (ops.add(np.full(64, value), 1) != value + 1).any():
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_every_op_of_the_core_can_be_reached():
    """Not every op has a function of its own here, but none that a model needs is missing."""
    missing = {name for name in cconv._core.ops() if not hasattr(ops, name)} - {
        "avg_pool", "global_avg_pool", "global_max_pool", "adaptive_avg_pool",
        "batch_norm", "group_norm", "layer_norm", "lrn", "dense", "top_k_indices", "gelu_tanh",
        "resize", "projective_transform",  # in `ops.image`
        "assign",  # `Variable.assign` in a layer's call
        "flatten", "weight_penalty", "mean_squared_error", "mean_absolute_error", "l1_loss", "l2_loss",
        "mean_squared_logarithmic_error", "mean_absolute_percentage_error", "hinge", "kl_divergence",
    }  # fmt: skip
    assert missing == set()
