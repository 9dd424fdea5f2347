"""Functions of `cconv.ops` beside Keras' that take functions, windows or structures: one row for each call.

A row's lambda is called with either library's `ops`; arrays become tensors of it first.
"""

import keras
import numpy as np
import pytest

import cconv
from cconv.tree import flatten

RNG = np.random.default_rng(8)
X = RNG.normal(size=(3, 4)).astype(np.float32)
WHOLE = RNG.integers(0, 9, (3, 4)).astype(np.int32)
ROW, IMAGE, VOLUME = (RNG.normal(size=s).astype(np.float32) for s in ((2, 7, 3), (2, 6, 5, 4), (1, 4, 3, 5, 2)))
KERNEL, POINT = RNG.normal(size=(3, 2, 4, 2)).astype(np.float32), RNG.normal(size=(1, 1, 8, 5)).astype(np.float32)
MOMENTS = [RNG.uniform(0.5, 1.5, 4).astype(np.float32) for _ in range(4)]
SYMMETRIC = X[:, :3] + X[:, :3].T
PARTS = (RNG.normal(size=(2, 5)).astype(np.float32), RNG.normal(size=(2, 5)).astype(np.float32))

CALLS = [
    *(
        (name, lambda k, x, name=name, size=size: getattr(k, name)(x, size), (x,))
        for name in ("adaptive_average_pool", "adaptive_max_pool")
        for x, size in ((ROW, 3), (IMAGE, (2, 5)), (IMAGE, 1), (VOLUME, (3, 1, 2)))
    ),
    *(
        (name, lambda k, x, name=name, f=f: getattr(k, name)(x, 2, data_format=f), (x,))
        for name in ("adaptive_average_pool", "adaptive_max_pool")
        for x, f in ((ROW, "channels_first"), (IMAGE, "channels_first"))
    ),
    ("average_pool", lambda k, x: k.average_pool(x, 2), (IMAGE,)),
    ("average_pool", lambda k, x: k.average_pool(x, 3, 1, data_format="channels_first"), (IMAGE,)),
    ("max_pool", lambda k, x: k.max_pool(x, (4, 2), 3, "same"), (IMAGE,)),
    ("depthwise_conv", lambda k, x, w: k.depthwise_conv(x, w, 2, "same"), (IMAGE, KERNEL)),
    ("depthwise_conv", lambda k, x, w: k.depthwise_conv(x, w, dilation_rate=2), (IMAGE, KERNEL)),
    ("separable_conv", lambda k, x, w, p: k.separable_conv(x, w, p, 1, "same"), (IMAGE, KERNEL, POINT)),
    ("batch_normalization", lambda k, x, *m: k.batch_normalization(x, m[0], m[1], -1, m[2], m[3]), (IMAGE, *MOMENTS)),
    ("batch_normalization", lambda k, x, m, v: k.batch_normalization(x, m, v, 1, epsilon=0.1), (X, *MOMENTS[:2])),
    ("amax", lambda k, x: k.amax(x, (0, 1), keepdims=True), (X,)),
    ("amin", lambda k, x: k.amin(x, 1), (WHOLE,)),
    ("top_k", lambda k, x: list(k.top_k(x, 3)), (X,)),
    ("true_divide", lambda k, x, y: k.true_divide(x, y + 1), (WHOLE, WHOLE)),
    (
        "sparse_categorical_crossentropy",
        lambda k, t, x: k.sparse_categorical_crossentropy(t, x, from_logits=True),
        (WHOLE[0, :3] % 4, X),
    ),
    ("nonzero", lambda k, x: list(k.nonzero(x)), (WHOLE,)),
    ("empty", lambda k: k.shape(k.empty((2, 0, 3))), ()),
    ("empty_like", lambda k, x: k.shape(k.empty_like(x)), (X,)),
    ("shape", lambda k, x: k.shape(x), (IMAGE,)),
    ("size", lambda k, x: k.size(x), (IMAGE,)),
    ("ndim", lambda k, x: k.ndim(x), (IMAGE,)),
    ("dtype", lambda k, x: k.dtype(x) == "float32", (IMAGE,)),
    ("is_tensor", lambda k, x: [k.is_tensor(x), k.is_tensor("x")], (X,)),
    ("convert_to_tensor", lambda k, x: k.convert_to_tensor(x, "int32"), (X * 3,)),
    ("convert_to_numpy", lambda k, x: k.convert_to_numpy(x), (X,)),
    ("imag", lambda k, a, b: k.imag(k.view_as_complex(k.stack([a, b], -1))), PARTS),
    ("eigh", lambda k, x: k.eigh(x)[0], (SYMMETRIC,)),
    ("eig", lambda k, x: k.sort(k.real(k.eig(x)[0])), (SYMMETRIC,)),
    ("istft", lambda k, a, b: k.istft(k.stft(a, 4, 2, 8), 4, 2, 8), (RNG.normal(size=(2, 16)).astype(np.float32), X)),
    ("cond", lambda k, x: k.cond(k.sum(x) > 0, lambda: x + 1, lambda: x - 1), (X,)),
    ("switch", lambda k, x: k.switch(2, [lambda y: y, lambda y: 2 * y, lambda y: -y], x), (X,)),
    ("while_loop", lambda k, x: k.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (0, x))[1], (X,)),
    ("fori_loop", lambda k, x: k.fori_loop(1, 4, lambda i, y: y + i, x), (X,)),
    ("map", lambda k, x: k.map(lambda row: k.sum(row) * row, x), (X,)),
    ("scan", lambda k, x: list(k.scan(lambda c, row: (c + row, c * row), x[0], x)), (X,)),
    ("scan", lambda k, x: k.scan(lambda c, row: (c + row, c), x[0], x, reverse=True)[1], (X,)),
    ("associative_scan", lambda k, x: k.associative_scan(lambda a, b: a + b, x), (X,)),
    ("associative_scan", lambda k, x: k.associative_scan(lambda a, b: a * b, x, reverse=True, axis=1), (X,)),
    ("vectorized_map", lambda k, x: k.vectorized_map(lambda row: k.max(row) - row, x), (X,)),
    ("view_as_real", lambda k, a, b: k.view_as_real(k.view_as_complex(k.stack([a, b], -1))), PARTS),
    *(
        (
            "scale_and_translate",
            lambda k, x, s, t, m=m, a=a: k.image.scale_and_translate(x, (2, 7, 6, 4), s, t, (1, 2), m, a),
            (IMAGE, *map(np.float32, places)),
        )
        for m in ("linear", "cubic", "lanczos3", "lanczos5")
        for a, places in ((True, ((0.5, 0.7), (1.0, -0.5))), (False, ((2.0, 1.5), (0.0, 0.3))))
    ),
    ("einsum", lambda k, a, b: k.einsum("ij,kj->ik", a, b), PARTS),
    ("dot_product_attention", lambda k, q, v: k.dot_product_attention(q, v, v), (IMAGE, IMAGE[:, ::2].copy())),
]  # fmt: skip


@pytest.mark.parametrize("name, call, arrays", CALLS, ids=[f"{i} {name}" for i, (name, *_) in enumerate(CALLS)])
def test_calls(name, call, arrays):
    found = flatten(call(cconv.ops, *arrays))
    expected = flatten(call(keras.ops, *map(keras.ops.convert_to_tensor, arrays)))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a), keras.ops.convert_to_numpy(b)
        wide = {np.dtype(np.int64): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.float32)}
        assert (a.shape, wide.get(a.dtype, a.dtype)) == (b.shape, wide.get(b.dtype, b.dtype))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kth", [0, 2, 3])
def test_argpartition_beside_numpy(kth):
    """Keras' by PyTorch leaves out the smallest; what stands on either side has no order."""
    found = np.take_along_axis(X, cconv.ops.argpartition(X, kth), -1)
    expected = np.sort(X, -1)
    np.testing.assert_array_equal(found[:, kth], expected[:, kth])
    np.testing.assert_array_equal(np.sort(found[:, :kth], -1), expected[:, :kth])
    np.testing.assert_array_equal(np.sort(found[:, kth:], -1), expected[:, kth:])
