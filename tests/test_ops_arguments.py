"""Functions of `cconv.ops`: batches of unknown size, what arrays of odd sizes give, what is refused, and how."""

import numpy as np
import pytest

import cconv
from cconv import ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 5)).astype(np.float32)

# Of a batch: the first size is not known.
BATCHED = {
    "flip": lambda x: ops.flip(x, axis=(1, 2)),
    "roll": lambda x: ops.roll(x, (1, -2), axis=(1, 2)),
    "rot90": lambda x: ops.rot90(x, 3, axes=(1, 2)),
    "repeat": lambda x: ops.repeat(x, 2, axis=1),
    "repeat of the batch": lambda x: ops.repeat(x, 2, axis=0),
    "tile": lambda x: ops.tile(x, (2, 1, 3)),
    "swapaxes": lambda x: ops.swapaxes(x, 0, 2),
    "diagonal": lambda x: ops.diagonal(x, 1, 1, 2),
    "trace": lambda x: ops.trace(x, 0, 2, 1),
    "tril": ops.tril,
    "triu": lambda x: ops.triu(x, 1),
    "cumsum": lambda x: ops.cumsum(x, 1),
    "cumprod of the batch": lambda x: ops.cumprod(x, 0),
    "diff": lambda x: ops.diff(x, 2),
    "sort": lambda x: ops.sort(x, 1),
    "median": lambda x: ops.median(x, (1, 2), keepdims=True),
    "quantile": lambda x: ops.quantile(x, [0.2, 0.7], axis=2),
    "nanquantile": lambda x: ops.nanquantile(ops.where(x > 0.8, np.nan, x), 0.4, axis=(1, 2)),
    "split": lambda x: ops.concatenate(ops.split(x, [1, 3], axis=1)[::-1], axis=1),
    "unstack": lambda x: ops.stack(ops.unstack(x, axis=2), axis=0),
    "hstack": lambda x: ops.hstack([x, x]),
    "norm": lambda x: ops.norm(x, axis=(1, 2), ord=1),
    "normalize": lambda x: ops.normalize(x, axis=1),
    "searchsorted": lambda x: ops.searchsorted([-1.0, 0.0, 1.0], x),
    "zeros_like": lambda x: ops.zeros_like(x, "int32") + ops.ones_like(x),
    "full_like": lambda x: ops.full_like(x, 3, "int32"),
    "slice_update": lambda x: ops.slice_update(x, [0, 1, 0], x[:, :2] * 2),
    "cdist": lambda x: ops.cdist(x, x[:, :2]),
    "moments": lambda x: ops.moments(x, [1])[1],
    "extract_sequences": lambda x: ops.extract_sequences(x, 2, 2),
    "unfold": lambda x: ops.unfold(x[:, None], 2, padding=1),
    "fold": lambda x: ops.fold(ops.unfold(x[:, None], 2), (4, 5), 2),
    "depth_to_space": lambda x: ops.depth_to_space(ops.repeat(x[..., None], 4, axis=-1), 2),
    "space_to_depth": lambda x: ops.space_to_depth(x[:, :, :4, None], 2),
    "segments": lambda x: ops.segment_max(x, np.int32([1, 0, 1]), 3),
    "isfinite": lambda x: ops.isfinite(1 / ops.maximum(x, 0.0)),
    "select": lambda x: ops.select([x > 1, x < -1], [x, 2 * x], 0.0),
    "average": lambda x: ops.average(x, axis=1, weights=[1.0, 2.0, 3.0, 4.0]),
    "cross": lambda x: ops.cross(x[..., :3], x[..., 1:4]),
    "unravel_index": lambda x: ops.stack(
        ops.unravel_index(ops.argmax(ops.reshape(x, (-1, 20)), axis=1), (4, 5)), axis=1
    ),
    "scatter_update": lambda x: ops.scatter_update(
        np.zeros((4, 4, 5), np.float32), np.int32([[3], [0], [3]]), x, "add"
    ),
}


@pytest.mark.parametrize("name", BATCHED)
def test_of_a_batch(name):
    x = cconv.Input((4, 5))
    model = cconv.Model(x, BATCHED[name](x))
    np.testing.assert_allclose(np.asarray(model(X)), np.asarray(BATCHED[name](X)), rtol=1e-6, atol=1e-6)
    again = cconv.saving.deserialize_object(cconv.saving.serialize_object(model))
    np.testing.assert_array_equal(np.asarray(again(X)), np.asarray(model(X)))


def test_what_numpy_says():
    """Where Keras on PyTorch is no measure."""
    np.testing.assert_allclose(ops.average(X, None, np.abs(X)), np.average(X, None, np.abs(X)), rtol=1e-5)
    assert [a.tolist() for a in ops.nonzero(X > 1)] == [a.tolist() for a in np.nonzero(X > 1)]
    assert [a.tolist() for a in ops.where(X > 1)] == [a.tolist() for a in np.nonzero(X > 1)]
    np.testing.assert_array_equal(ops.bincount([[1, 1], [0, 3]]), [[0, 2, 0, 0], [1, 0, 0, 1]])
    np.testing.assert_allclose(ops.linspace(X[0], X[1], 3, axis=-1), np.linspace(X[0], X[1], 3, axis=-1), rtol=1e-5)
    numbers, step = ops.linspace(0, 1, 4, endpoint=False, retstep=True)
    assert numbers.tolist() == [0, 0.25, 0.5, 0.75] and step == 0.25
    square = X[0, :3, :3]
    np.testing.assert_allclose(ops.cross(square, square[::-1]), np.cross(square, square[::-1]), rtol=1e-5, atol=1e-6)
    assert ops.cross([1.0, 2.0], [3.0, 5.0]) == -1
    np.testing.assert_allclose(ops.cross([1, 2], [3, 5, 6]), [12, -6, -1])
    for side in ("left", "right"):
        np.testing.assert_array_equal(
            ops.searchsorted(np.sort(X.ravel()), X, side), np.searchsorted(np.sort(X.ravel()), X, side)
        )
    values, first, inverse, counts = ops.unique([3, 1, 3], True, True, True, True, size=3, fill_value=9)
    assert (values.tolist(), first.tolist(), inverse.tolist(), counts.tolist()) == (
        [1, 3, 9],
        [1, 0, 0],
        [1, 0, 1],
        [1, 2, 0],
    )
    assert ops.max(X, initial=9) == 9 and ops.min(X, initial=9) == X.min()
    assert ops.prod([2, 3], dtype="float32").dtype == np.float32
    assert ops.tile([1, 2], 0).shape == (0,) and ops.tile([[1]], (2, 0)).shape == (2, 0)


def test_what_is_taken_apart_is_put_together_again():
    lu, pivots = ops.lu_factor(X[:, :4, :4])
    lower, upper = np.tril(lu, -1) + np.eye(4), np.triu(lu)
    for product, matrix, rows in zip(lower @ upper, X[:, :4, :4].copy(), pivots, strict=True):
        for k, row in enumerate(rows):
            matrix[[k, row]] = matrix[[row, k]]
        np.testing.assert_allclose(product, matrix, rtol=1e-5, atol=1e-6)
    u, s, v = ops.svd(X, full_matrices=False)
    np.testing.assert_allclose(u * s[:, None] @ v, X, rtol=1e-4, atol=1e-5)
    symmetric = X[:, :, :4] + X[:, :, :4].swapaxes(1, 2)
    values, vectors = ops.eigh(symmetric)
    np.testing.assert_allclose(symmetric @ vectors, vectors * values[:, None], rtol=1e-4, atol=1e-5)
    values, vectors = ops.eig(X[:, :, :4])
    np.testing.assert_allclose(X[:, :, :4] @ vectors, vectors * values[:, None], rtol=1e-4, atol=1e-4)
    signal = RNG.normal(size=(2, 50)).astype(np.float32)
    for center in (True, False):
        back = ops.istft(ops.stft(signal, 8, 2, 8, center=center), 8, 2, 8, length=50, center=center)
        inner = slice(None) if center else slice(8, 40)
        np.testing.assert_allclose(back[:, inner], signal[:, inner], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ops.ifft2(ops.fft2((X, X)))[0], X, atol=1e-6)
    pairs = ops.view_as_real(ops.view_as_complex(X[..., :2]))
    np.testing.assert_array_equal(pairs, X[..., :2])
    np.testing.assert_array_equal(ops.imag(ops.view_as_complex(X[..., :2])), X[..., 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ops.flip(x, 0), ValueError, "`flip` takes axes of known size"),
        (lambda x: ops.roll(x, 1), ValueError, "`roll` of all values takes a tensor of a known shape"),
        (lambda x: ops.roll(X, (1, 2), 0), ValueError, "a `shift` for each axis"),
        (lambda x: ops.rot90(X, axes=(1, 1)), ValueError, "each axis once"),
        (lambda x: ops.repeat(X, -1, 0), ValueError, "repeats=-1"),
        (lambda x: ops.repeat(X, [1, 2], 0), ValueError, "a number for each of 3 positions"),
        (lambda x: ops.tile(x, (0, 1, 1)), ValueError, "cannot be repeated 0 times"),
        (lambda x: ops.tile(X, 1.5), ValueError, "repeats=1.5"),
        (lambda x: ops.split(X, 2), ValueError, "`split` takes a number of parts.*which divides the axis"),
        (lambda x: ops.split(x, 2), ValueError, "`split` takes an axis of known size"),
        (lambda x: ops.split(X, [2, 1]), ValueError, "no part can be empty"),
        (lambda x: ops.unstack(x), ValueError, "its size as `num`"),
        (lambda x: ops.hstack([]), ValueError, "one tensor or more"),
        (lambda x: ops.diff(X[:1], axis=0), ValueError, "two elements or more along axis 0"),
        (lambda x: ops.diff(X, n=-1), ValueError, "n=-1"),
        (lambda x: ops.diagonal(X[0, 0]), ValueError, "2 axes or more"),
        (lambda x: ops.diagonal(X, 9), ValueError, "offset=9"),
        (lambda x: ops.diagonal(X, 2**70), ValueError, "offset=1180591620717411303424"),
        (lambda x: ops.dropout(X, 0.5, "a"), ValueError, "an integer"),
        (lambda x: ops.diag(X), ValueError, "a vector or a matrix"),
        (lambda x: ops.tril(ops.transpose(x)), ValueError, "sizes are known"),
        (lambda x: ops.cross(X, X), ValueError, "2 or 3 components"),
        (lambda x: ops.vander(X), ValueError, "takes a vector"),
        (lambda x: ops.quantile(X, 1.5), ValueError, "within its bounds. Received: q=1.5"),
        (lambda x: ops.quantile(X, 0.5, method="best"), ValueError, "method='best'"),
        (lambda x: ops.median(x), ValueError, "axes of known size"),
        (lambda x: ops.searchsorted(X, X), ValueError, "takes a vector"),
        (lambda x: ops.searchsorted([1.0], X, "middle"), ValueError, "side='middle'"),
        (lambda x: ops.scatter_update(X, [[0]], X[:1], "mean"), ValueError, "Invalid reduction: mean"),
        (lambda x: ops.scatter_update(X, [0], X), ValueError, "expected updates of the shape of the indices"),
        (lambda x: ops.scatter(np.zeros((2, 4), int), [1.0, 2.0], (2, 2)), ValueError, "each of k axes, 1 to 2"),
        (lambda x: ops.slice_update(X, [0, 3, 0], X[:, :2]), ValueError, "must lie within the tensor"),
        (lambda x: ops.segment_sum(X, X[0, 0]), ValueError, None),
        (lambda x: ops.segment_sum(x, ops.cast(x[:, 0, 0], "int32")), ValueError, "takes the number of segments"),
        (lambda x: ops.bincount([-1]), ValueError, "the lowest -1"),
        (lambda x: ops.bincount([1.5]), TypeError, "whole numbers"),
        (lambda x: ops.bincount(x), NotImplementedError, "`bincount` computes at once, of arrays only"),
        (lambda x: ops.histogram(X, 0), ValueError, "bins=0"),
        (lambda x: ops.select([], []), ValueError, "one condition or more"),
        (lambda x: ops.average(X, 0, X[0]), ValueError, "weights of the shape of `x`"),
        (lambda x: ops.moments(X, 0, synchronized=True), NotImplementedError, "several machines"),
        (lambda x: ops.where(X > 0, X), ValueError, "both values or none"),
        (lambda x: ops.where(x > 0), NotImplementedError, "`where` computes at once"),
        (lambda x: ops.norm(X, "fro", 1), ValueError, "no norm 'fro' of vectors"),
        (lambda x: ops.norm(X, 5, (0, 1)), ValueError, "no norm 5 of matrices"),
        (lambda x: ops.norm(X, 1), ValueError, "one axis or two"),
        (lambda x: ops.norm(x, "nuc", (1, 2)), NotImplementedError, "order nuc"),
        (lambda x: ops.inv(np.zeros((2, 2))), ValueError, "`inv`: Singular matrix"),
        (lambda x: ops.cholesky(-np.eye(2)), ValueError, "`cholesky`: Matrix is not positive definite"),
        (lambda x: ops.det(X), ValueError, "square matrices"),
        (lambda x: ops.solve(np.eye(3), X[0]), ValueError, "`solve` takes"),
        (lambda x: ops.qr(X, "raw"), ValueError, "'raw'"),
        (lambda x: ops.fft(X), ValueError, "a pair of arrays"),
        (lambda x: ops.fft((X, X[0])), ValueError, "of one shape"),
        (lambda x: ops.stft(X, 6, 2, 4), ValueError, "at most `fft_length`"),
        (lambda x: ops.stft(X, 2, 1, 2, window="best"), ValueError, "'best'"),
        (lambda x: ops.view_as_complex(X), ValueError, "a last axis of size 2"),
        (lambda x: ops.extract_sequences(X, 9, 1), ValueError, "9 at least"),
        (lambda x: ops.bitwise_and(X, 1), TypeError, "whole numbers or bools"),
        (lambda x: ops.gcd(X, 1), TypeError, "whole numbers"),
        (lambda x: ops.meshgrid([1], indexing="yx"), ValueError, "indexing='yx'"),
        (lambda x: ops.hanning(2.5), TypeError, "a whole number"),
        (lambda x: ops.depth_to_space(X[None], 2), ValueError, "a multiple of 4 channels"),
        (lambda x: ops.space_to_depth(X[None], 2), ValueError, "sides that 2 divides"),
        (lambda x: ops.unfold(X[None], 9), ValueError, "larger than the image"),
        (lambda x: ops.fold(X, (4, 4), 2), ValueError, "`fold` takes windows"),
        (lambda x: ops.multi_hot([1], 3, sparse=True), NotImplementedError, "sparse=True"),
        (lambda x: ops.multi_hot([1]), ValueError, "num_classes=None"),
        (lambda x: ops.convert_to_tensor(X, sparse=True), NotImplementedError, "dense tensors only"),
        (lambda x: ops.psnr(X, X[0], 1), ValueError, "of one shape"),
        (lambda x: ops.cumsum(X, 3), ValueError, "axis=3"),
        (lambda x: ops.digitize(X, X), ValueError, "a vector of bins"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(cconv.Input((4, 5)))
