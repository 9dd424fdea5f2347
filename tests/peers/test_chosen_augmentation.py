"""Layers that equalize, blur, distort and choose, beside Keras."""

import numpy as np
import pytest

import cconv

from .test_image_filters import IMAGES, distance, near

keras = pytest.importorskip("keras")


def test_how_far_pixels_move():
    ramps = np.stack(np.broadcast_arrays(np.arange(50)[:, None], np.arange(60)), -1)[None].repeat(12, 0)
    ramps = ramps.astype("float32")
    settings = {"factor": (1.0, 1.0), "scale": (0.7, 0.7), "value_range": (-999, 999), "seed": 1}
    ours, theirs = (distance(m.layers.RandomElasticTransform(**settings), ramps) for m in (cconv, keras))
    np.testing.assert_allclose(ours, theirs, rtol=0.1)


CALM = [
    ("Equalization", {}),
    ("Equalization", {"bins": 7}),
    ("Equalization", {"value_range": (40, 130)}),
    ("Equalization", {"data_format": "channels_first"}),
    ("ContrastLimitedAdaptiveHistogramEqualization", {}),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 3), "clip_limit": 20.0}),
    (
        "ContrastLimitedAdaptiveHistogramEqualization",
        {"tile_grid_size": (5, 2), "clip_limit": 3e3, "value_range": (9, 180)},
    ),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (1, 1), "data_format": "channels_first"}),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "kernel_size": 3, "sigma": (0.8, 0.8)}),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "kernel_size": 5, "sigma": (0.9, 0.9), "value_range": (0, 100)}),
    ("RandomGaussianBlur", {"factor": (0.0, 0.0)}),
    ("RandomElasticTransform", {"factor": (0.0, 0.0)}),
    ("RandomElasticTransform", {"scale": (0.0, 0.0), "interpolation": "nearest"}),
    ("RandAugment", {"num_ops": 0}),
]


def plain(config):
    return {k: v for k, v in config.items() if k not in ("name", "dtype")}


@pytest.mark.parametrize(("name", "settings"), CALM, ids=str)
def test_layers_that_leave_nothing_to_chance(name, settings):
    """Images one by one: Keras' equalization mixes those of a batch."""
    ours, theirs = (getattr(module.layers, name)(**settings) for module in (cconv, keras))
    x = (IMAGES[:, :12, :12] * 255).astype("float32")
    if settings.get("data_format") == "channels_first":
        x = np.moveaxis(x, -1, 1).copy()
    for training in (True, False):
        wanted = [keras.ops.convert_to_numpy(theirs(x[k : k + 1], training=training)) for k in range(2)]
        near(ours(x, training=training), np.concatenate(wanted), 5e-4)
        near(ours(x[1], training=training), theirs(x[1], training=training), 5e-4)
    assert plain(ours.get_config()) == plain(theirs.get_config())
    there = keras.layers.deserialize(cconv.layers.serialize(ours))
    back = cconv.layers.deserialize(keras.layers.serialize(theirs))
    assert type(there) is type(theirs) and type(back) is type(ours)
    assert plain(there.get_config()) == plain(back.get_config()) == plain(ours.get_config())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("RandAugment", {}),
        ("RandAugment", {"factor": (0.2, 0.8), "value_range": (0, 1), "interpolation": "nearest", "seed": 3}),
        ("AugMix", {}),
        ("AugMix", {"all_ops": False, "factor": 0.05, "num_chains": 2, "chain_depth": 1, "alpha": 0.5}),
    ],
    ids=str,
)
def test_what_is_chosen_from(name, settings):
    """The same layers of the same strengths."""
    ours, theirs = (getattr(module.layers, name)(**settings) for module in (cconv, keras))
    assert plain(ours.get_config()) == plain(theirs.get_config())
    wanted = {type(v).__name__: v for v in theirs._layers}
    found = {type(v).__name__: v for v in ours._changes}
    assert set(found) == set(wanted)
    for key, layer in found.items():
        a, b = plain(layer.get_config()), plain(wanted[key].get_config())
        assert {k: v for k, v in a.items() if k != "seed"} == {k: v for k, v in b.items() if k != "seed"}


def test_a_share_of_the_images():
    """How many images are blurred, and how often images are changed at all."""
    x = np.repeat(IMAGES[:1, :6, :6] * 255, 600, axis=0)
    for settings in ({"factor": 0.6}, {"factor": (0.2, 0.4)}):
        shares = []
        for module in (cconv, keras):
            layer = module.layers.RandomGaussianBlur(sigma=(0.5, 0.5), seed=2, **settings)
            y = keras.ops.convert_to_numpy(layer(x))
            shares.append(np.mean(np.abs(y - x).max((1, 2, 3)) > 1e-3))
        assert abs(shares[0] - shares[1]) < 0.09


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("RandomGaussianBlur", {"kernel_size": 4}),
        ("RandomGaussianBlur", {"sigma": -1}),
        ("RandomGaussianBlur", {"factor": 2}),
        ("RandomElasticTransform", {"scale": 2}),
        ("RandomElasticTransform", {"interpolation": "x"}),
        ("RandomElasticTransform", {"fill_mode": "x"}),
        ("RandAugment", {"factor": 2}),
        ("RandAugment", {"interpolation": "x"}),
        ("RandAugment", {"value_range": 3}),
        ("AugMix", {"factor": (0, 2)}),
    ],
    ids=str,
)
def test_refused(name, settings):
    errors = []
    for module in (cconv, keras):
        with pytest.raises((ValueError, NotImplementedError)) as error:
            getattr(module.layers, name)(**settings)
        errors.append(error.type)
    assert errors[0] is errors[1]
