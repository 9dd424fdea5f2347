"""`cconv.ops.image`: known numbers, gradients' way through symbolic tensors, and what is refused."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.ops import image as ops

RNG = np.random.default_rng(1)


def test_bicubic_and_lanczos_keep_straight_lines_inside():
    """A ramp stays a ramp away from the edges, and constants stay constant everywhere."""
    ramp = np.arange(20, dtype="float32").reshape(1, 20, 1)
    for way, tolerance in (("bilinear", 1e-4), ("bicubic", 1e-4), ("lanczos3", 0.02), ("lanczos5", 0.02)):
        y = ops.resize(ramp, (1, 40), way)[0, 10:-10, 0]
        np.testing.assert_allclose(y, (np.arange(40)[10:-10] + 0.5) / 2 - 0.5, atol=tolerance)
        np.testing.assert_allclose(ops.resize(np.ones((5, 7, 2)), (9, 3), way, antialias=True), 1, rtol=1e-5)


def test_antialias_counts_every_cell():
    x = RNG.uniform(0, 1, (1, 16, 16, 2)).astype("float32")
    y = ops.resize(x, (8, 8), antialias=True)
    assert abs(y.mean() - x.mean()) < 0.02
    assert np.ptp(y) < np.ptp(ops.resize(x, (8, 8), "nearest"))


def test_whole_numbers_are_rounded():
    assert ops.resize(np.array([[[0], [10]]]), (1, 4)).ravel().tolist() == [0, 2, 8, 10]


def test_transforms_undo_each_other():
    x = RNG.uniform(0, 1, (2, 9, 9, 1)).astype("float32")
    quarter = [0, 1, 0, -1, 0, 8, 0, 0]
    y = x
    for _ in range(4):
        y = ops.affine_transform(y, quarter, "nearest")
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(ops.affine_transform(x, quarter, "nearest"), np.rot90(x, -1, (1, 2)))


def test_up_sampling_takes_any_size():
    model = cconv.Sequential([cconv.Input((None, None, 3)), layers.UpSampling2D(2, interpolation="bilinear")])
    assert model.output_shape == (None, None, None, 3)
    for h, w in ((3, 4), (5, 2)):
        assert model.predict(np.zeros((1, h, w, 3)), verbose=0).shape == (1, 2 * h, 2 * w, 3)


def test_gradients_pass():
    """A network learns through resizing, transforms and patches."""
    x = cconv.Input((4, 4, 1))
    y = layers.Conv2D(2, 1)(x)
    y = ops.resize(y, (6, 6), "bicubic")
    y = ops.affine_transform(y, np.array([1, 0.1, 0, 0, 1, 0.2, 0, 0]), fill_mode="reflect")
    y = layers.Dense(1)(layers.Flatten()(ops.extract_patches(y, 3)))
    model = cconv.Model(x, y)
    model.compile(cconv.optimizers.SGD(0.01), "mse")
    before = [w.copy() for w in model.get_weights()]
    model.fit(RNG.normal(size=(8, 4, 4, 1)), np.ones((8, 1)), epochs=2, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_models_with_image_functions_are_saved(tmp_path):
    x = cconv.Input((4, 6, 3))
    model = cconv.Model(x, ops.rgb_to_grayscale(ops.resize(x, (3, 3), antialias=True)))
    model.save(tmp_path / "m.keras")
    data = RNG.normal(size=(2, 4, 6, 3))
    again = cconv.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: ops.resize(x, 3), "tuple of 2 integers"),
        (lambda x: ops.resize(x, (2, 2), "area"), "Expected one of"),
        (lambda x: ops.resize(x[0, 0], (2, 2)), "expected rank 3"),
        (lambda x: ops.affine_transform(x, np.zeros((3, 8))), "8 for each image"),
        (lambda x: ops.affine_transform(x, np.zeros(8), fill_mode="x"), "fill_mode"),
        (lambda x: ops.perspective_transform(x, np.zeros((4, 2)), np.zeros((3, 2))), "end_points"),
        (lambda x: ops.rgb_to_hsv(x.astype(int)), "float dtype"),
        (lambda x: ops.hsv_to_rgb(x[..., :2]), "3 channels"),
        (lambda x: ops.crop_images(x, 1), "exactly two"),
        (lambda x: ops.pad_images(x, 1, 1, target_height=2, target_width=9), "must be 0 or more"),
        (lambda x: ops.extract_patches(x, (2,)), "length 2 or 3"),
        (lambda x: ops.extract_patches(x, 9), "at least one window"),
        (lambda x: ops.scale_and_translate(x, x.shape, (1.0,), (0.0,), (1,), "area"), "method"),
        (lambda x: ops.scale_and_translate(x, (1, 2), (1.0,), (0.0,), (1,), "linear"), "sizes of `spatial_dims`"),
        (lambda x: ops.resize(cconv.Input((None, 4, 3)), (2, 2), crop_to_aspect_ratio=True), "known"),
    ],
)
def test_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(RNG.uniform(0, 1, (2, 5, 6, 3)).astype("float32"))
