"""ConvNeXt: layers, sizes, arguments; its layer scale and stochastic depth. Keras' weights are for tests/peers."""

import network_checks as checks
import numpy as np
import pytest

import cconv
from cconv.applications import ConvNeXtTiny, convnext


def test_layers():
    model = ConvNeXtTiny()
    assert model.count_params() == 28_589_128
    assert (model.name, model.input_shape, model.output_shape) == ("convnext_tiny", (None, 224, 224, 3), (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:3] == [
        "convnext_tiny_prestem_normalization",
        "convnext_tiny_stem",
        "convnext_tiny_stage_0_block_0_depthwise_conv",
    ]
    assert names[-3:] == ["convnext_tiny_head_gap", "convnext_tiny_head_layernorm", "convnext_tiny_head_dense"]
    assert model.get_layer("convnext_tiny_downsampling_block_2").layers[1].name == "convnext_tiny_downsampling_conv_2"
    assert model.get_layer("convnext_tiny_stage_3_block_2_identity").output.shape == (None, 7, 7, 768)


def test_sizes():
    checks.check_sizes(ConvNeXtTiny, {32: 1, 70: 2}, 768, brightest=255.0)
    model = ConvNeXtTiny(include_top=False, include_preprocessing=False, input_shape=(32, 32, 3))
    assert isinstance(model.layers[1], cconv.Sequential)


def test_training():
    checks.check_training(ConvNeXtTiny, input_shape=(32, 32, 3), drop_path_rate=0.1, brightest=255.0)


def test_files(tmp_path):
    checks.check_files(ConvNeXtTiny, tmp_path, input_shape=(32, 32, 3), classes=3, drop_path_rate=0.2, brightest=255.0)


def test_channels_first():
    checks.check_channels_first(ConvNeXtTiny, (33, 40, 3), classes=3, classifier_activation=None, brightest=255.0)
    checks.check_channels_first(ConvNeXtTiny, (33, 40, 3), include_top=False, brightest=255.0)


def test_blocks_are_left_out_the_deeper_the_more():
    model = ConvNeXtTiny(include_top=False, drop_path_rate=0.17)
    dropping = [layer for layer in model.layers if isinstance(layer, cconv.layers.StochasticDepth)]
    assert [layer.drop_path_rate for layer in dropping] == pytest.approx([0.01 * i for i in range(1, 18)])


def test_images_are_normalized_within():
    checks.check_transparent(convnext)


def test_layer_scale():
    layer = cconv.layers.LayerScale(0.25, 3)
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    np.testing.assert_array_equal(layer(x), 0.25 * x)
    layer.set_weights([np.array([1.0, 2.0, -1.0])])
    np.testing.assert_array_equal(layer(x), x * np.array([1, 2, -1], np.float32))
    assert len(layer.trainable_weights) == 1
    again = cconv.layers.deserialize(cconv.layers.serialize(layer))
    assert (again.init_values, again.projection_dim) == (0.25, 3)
    with pytest.raises(ValueError, match="expected 4 channels"):
        cconv.layers.LayerScale(0.25, 4)(x)


def test_stochastic_depth():
    layer = cconv.layers.StochasticDepth(0.25, seed=1)
    x = np.ones((4000, 2, 3), np.float32)
    np.testing.assert_array_equal(layer(x), x)
    y = np.asarray(layer(x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert set(y[:, 0, 0].tolist()) == {0.0, float(np.float32(1 / 0.75))}
    assert 0.22 < (y[:, 0, 0] == 0).mean() < 0.28
    again = cconv.layers.deserialize(cconv.layers.serialize(layer))
    assert (again.drop_path_rate, again.seed) == (0.25, 1)
    with pytest.raises(ValueError, match="drop_path_rate"):
        cconv.layers.StochasticDepth(1.0)
