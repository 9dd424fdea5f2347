"""Layers: what they compute, how they are configured, that they come back from their configuration."""

import numpy as np
import pytest

import cconv
from cconv import layers


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def correlate(x, w, strides=(1, 1), dilation=(1, 1)):
    """Convolution without padding, written as its definition."""
    n, h, wd, _ = x.shape
    kh, kw, _, oc = w.shape
    oh = (h - (kh - 1) * dilation[0] - 1) // strides[0] + 1
    ow = (wd - (kw - 1) * dilation[1] - 1) // strides[1] + 1
    y = np.zeros((n, oh, ow, oc))
    for i in range(oh):
        for j in range(ow):
            for a in range(kh):
                for b in range(kw):
                    pixel = x[:, i * strides[0] + a * dilation[0], j * strides[1] + b * dilation[1], :]
                    y[:, i, j, :] += pixel.astype(float) @ w[a, b].astype(float)
    return y


def test_dense_is_a_product_with_the_kernel():
    layer = layers.Dense(3, bias_initializer="ones")
    x = images(4, 5)
    np.testing.assert_allclose(layer(x), x @ layer.kernel.numpy() + 1, rtol=1e-5, atol=1e-5)
    assert [w.path for w in layer.weights] == [f"{layer.name}/kernel", f"{layer.name}/bias"]


def test_dense_works_on_the_last_axis():
    assert layers.Dense(3)(images(2, 4, 5)).shape == (2, 4, 3)


@pytest.mark.parametrize(
    "activation", ["relu", "sigmoid", "tanh", "softplus", "softsign", "elu", "leaky_relu", "arctan"]
)
def test_fused_activations_equal_their_functions(activation):
    x = images(4, 5)
    layer = layers.Dense(3, activation=activation)
    plain = layers.Dense(3)
    plain.build((None, 5))
    y = layer(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(y, cconv.activations.get(activation)(plain(x)), rtol=1e-5, atol=1e-6)


def test_softmax_and_custom_activations_follow_the_layer():
    x = images(4, 5)
    y = layers.Dense(3, activation="softmax")(x)
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-5)
    doubled = layers.Dense(3, activation=lambda z: 2 * z, kernel_initializer="ones")(x)
    np.testing.assert_allclose(doubled, np.repeat(2 * x.sum(axis=1, keepdims=True), 3, axis=1), rtol=1e-4, atol=1e-5)
    as_layer = layers.Dense(3, activation=layers.LeakyReLU(0.5), kernel_initializer="ones")(x)
    s = np.repeat(x.sum(axis=1, keepdims=True), 3, axis=1)
    np.testing.assert_allclose(as_layer, np.where(s > 0, s, 0.5 * s), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
@pytest.mark.parametrize("dilation", [(1, 1), (1, 2)])
def test_conv2d_is_the_correlation(strides, dilation):
    x = images(2, 7, 8, 3)
    layer = layers.Conv2D(4, (3, 2), strides=strides, dilation_rate=dilation, bias_initializer="ones")
    y = layer(x)
    np.testing.assert_allclose(y, correlate(x, layer.kernel.numpy(), strides, dilation) + 1, rtol=1e-4, atol=1e-4)


def test_conv2d_same_puts_the_odd_zero_at_the_end():
    x = images(1, 4, 4, 1)
    layer = layers.Conv2D(1, 2, padding="same", use_bias=False)
    y = layer(x)
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
    np.testing.assert_allclose(y, correlate(padded, layer.kernel.numpy()), rtol=1e-4, atol=1e-5)


def test_conv2d_takes_explicit_padding():
    x = images(1, 4, 4, 2)
    layer = layers.Conv2D(3, 3, padding=((2, 0), (1, 3)), use_bias=False)
    y = layer(x)
    padded = np.pad(x, ((0, 0), (2, 0), (1, 3), (0, 0)))
    np.testing.assert_allclose(y, correlate(padded, layer.kernel.numpy()), rtol=1e-4, atol=1e-5)


def test_conv2d_groups_convolve_apart():
    x = images(2, 5, 5, 4)
    layer = layers.Conv2D(6, 3, groups=2, use_bias=False)
    y = layer(x)
    w = layer.kernel.numpy()
    assert w.shape == (3, 3, 2, 6)
    expected = np.concatenate([correlate(x[..., :2], w[..., :3]), correlate(x[..., 2:], w[..., 3:])], axis=-1)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


def test_a_causal_convolution_sees_nothing_later():
    layer = layers.Conv1D(3, 4, padding="causal", dilation_rate=2)
    x = images(2, 12, 5)
    y = layer(x)
    assert y.shape == (2, 12, 3)
    changed = x.copy()
    changed[:, 7:] += 1
    later = layer(changed)
    np.testing.assert_array_equal(later[:, :7], y[:, :7])
    assert np.all(later[:, 7:] != y[:, 7:])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions_of_every_rank_train_and_go_through_files(rank, data_format, tmp_path):
    """A network that makes images smaller and large again learns to return them; its file gives the same outputs."""
    size = (8, 6, 4)[:rank]
    shape = (*size, 3) if data_format == "channels_last" else (3, *size)
    down, up = (getattr(layers, f"Conv{rank}D{kind}") for kind in ("", "Transpose"))
    model = cconv.Sequential(
        [
            cconv.Input(shape),
            down(8, 3, strides=2, padding="same", activation="relu", data_format=data_format),
            up(3, 2, strides=2, data_format=data_format),
        ]
    )
    x = images(16, *shape)
    model.compile("adam", "mse")
    history = model.fit(x, x, epochs=5, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
    y = model.predict(x, verbose=0)
    assert y.shape == x.shape
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(cconv.saving.load_model(tmp_path / "model.keras").predict(x, verbose=0), y)


def test_a_transposed_convolution_adds_what_overlaps():
    x = images(2, 3, 4, 5)
    layer = layers.Conv2DTranspose(6, (3, 2), strides=(2, 1), bias_initializer="ones")
    y = layer(x)
    expected = np.ones((2, 7, 5, 6))
    for i in range(3):
        for j in range(4):
            expected[:, 2 * i : 2 * i + 3, j : j + 2] += np.einsum("nc,hwoc->nhwo", x[:, i, j], layer.kernel.numpy())
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


def test_depthwise_and_separable_convolutions():
    x = images(2, 5, 5, 3)
    depthwise = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    y = depthwise(x)
    w = depthwise.kernel.numpy()
    assert w.shape == (3, 3, 3, 2) and y.shape == (2, 3, 3, 6)
    for c in range(3):
        np.testing.assert_allclose(
            y[..., 2 * c : 2 * c + 2], correlate(x[..., c : c + 1], w[:, :, c : c + 1]), rtol=1e-4, atol=1e-4
        )
    separable = layers.SeparableConv2D(5, 3, depth_multiplier=2)
    separable.build((None, 5, 5, 3))
    separable.depthwise_kernel.assign(w)
    np.testing.assert_allclose(separable(x), y @ separable.pointwise_kernel.numpy()[0, 0], rtol=1e-4, atol=1e-4)


def test_batch_normalization_in_both_modes():
    x = images(64, 3) * 2 + 5
    layer = layers.BatchNormalization(momentum=0.9)
    y = layer(x, training=True)
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-4)
    before = layer.moving_mean.numpy()
    y = layer(x)
    expected = (x - before) / np.sqrt(layer.moving_variance.numpy() + 1e-3)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    assert np.array_equal(layer.moving_mean.numpy(), before)
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]
    assert [w.name for w in layer.non_trainable_weights] == ["moving_mean", "moving_variance"]


def test_a_frozen_batch_normalization_uses_its_averages():
    x = images(16, 3) + 4
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    layer.trainable = False
    assert np.array_equal(layer(x, training=True), layer(x))
    assert np.array_equal(layer.moving_mean.numpy(), np.zeros(3))
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 4
    layer.trainable = True
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]


def test_a_layer_frozen_before_it_is_built_has_frozen_weights():
    layer = layers.Dense(2, trainable=False)
    layer.build((None, 3))
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 2
    layer.trainable = True
    assert len(layer.trainable_weights) == 2


def test_dropout_drops_in_training_only():
    x = np.ones((100, 100), np.float32)
    layer = layers.Dropout(0.25)
    assert np.array_equal(layer(x), x)
    y = layer(x, training=True)
    assert set(np.unique(y)) == {np.float32(0), np.float32(4 / 3)}
    assert abs((y == 0).mean() - 0.25) < 0.02
    assert not np.array_equal(y, layer(x, training=True))
    assert np.array_equal(layers.Dropout(0)(x, training=True), x)


def test_dropout_repeats_with_the_global_seed():
    x = np.ones((4, 50))
    masks = []
    for _ in range(2):
        cconv.utils.set_random_seed(3)
        masks.append(layers.Dropout(0.5)(x, training=True))
    assert np.array_equal(*masks)


def test_shapes():
    x = images(2, 4, 6, 3)
    np.testing.assert_array_equal(layers.Flatten()(x), x.reshape(2, -1))
    assert layers.Flatten()(np.ones(3)).shape == (3, 1)
    np.testing.assert_array_equal(layers.Reshape((8, -1))(x), x.reshape(2, 8, 9))
    np.testing.assert_array_equal(layers.Permute((3, 1, 2))(x), x.transpose(0, 3, 1, 2))
    padded = np.pad(x, ((0, 0), (1, 2), (3, 4), (0, 0)))
    np.testing.assert_array_equal(layers.ZeroPadding2D(((1, 2), (3, 4)))(x), padded)
    assert layers.ZeroPadding2D()(x).shape == (2, 6, 8, 3)
    assert layers.ZeroPadding2D((1, 0))(x).shape == (2, 6, 6, 3)


def test_merges():
    a, b = images(2, 3), images(2, 3, seed=1)
    for layer, expected in [
        (layers.Add(), a + b),
        (layers.Subtract(), a - b),
        (layers.Multiply(), a * b),
        (layers.Average(), (a + b) / 2),
        (layers.Maximum(), np.maximum(a, b)),
        (layers.Minimum(), np.minimum(a, b)),
        (layers.Concatenate(), np.concatenate([a, b], axis=-1)),
        (layers.Concatenate(axis=1), np.concatenate([a, b], axis=1)),
    ]:
        np.testing.assert_allclose(layer([a, b]), expected, rtol=1e-6)
    np.testing.assert_allclose(layers.add([a, b, b]), a + 2 * b, rtol=1e-5, atol=1e-6)
    channels = images(2, 4, 4, 3)
    scaled = layers.Multiply()([channels, np.ones((2, 1, 1, 3))])
    np.testing.assert_array_equal(scaled, channels)


def test_activation_layers():
    x = images(3, 4) * 3
    np.testing.assert_array_equal(layers.ReLU()(x), np.maximum(x, 0))
    np.testing.assert_array_equal(layers.ReLU(max_value=1)(x), np.clip(x, 0, 1))
    np.testing.assert_allclose(layers.ReLU(negative_slope=0.1)(x), np.where(x > 0, x, 0.1 * x), rtol=1e-6)
    np.testing.assert_allclose(
        layers.ReLU(negative_slope=0.5, threshold=1.0)(x), np.where(x > 1, x, 0.5 * (x - 1)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(layers.LeakyReLU()(x), np.where(x > 0, x, 0.3 * x), rtol=1e-6)
    np.testing.assert_allclose(layers.ELU(2.0)(x), np.where(x > 0, x, 2 * np.expm1(x)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layers.PReLU(alpha_initializer="ones")(x), x, rtol=1e-6)
    e = np.exp(x - x.max(0))
    np.testing.assert_allclose(layers.Softmax(axis=0)(x), e / e.sum(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layers.Activation("tanh")(x), np.tanh(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layers.Rescaling(2.0, -1.0)(x), 2 * x - 1, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: layers.Conv2D(4, 3, data_format=f),
        lambda f: layers.Conv2D(4, 3, data_format=f, activation="relu", padding="same"),
        lambda f: layers.DepthwiseConv2D(3, data_format=f),
        lambda f: layers.SeparableConv2D(4, 3, data_format=f),
        lambda f: layers.MaxPooling2D(2, data_format=f),
        lambda f: layers.AveragePooling2D(2, data_format=f),
        lambda f: layers.GlobalAveragePooling2D(data_format=f),
        lambda f: layers.GlobalMaxPooling2D(data_format=f, keepdims=True),
        lambda f: layers.ZeroPadding2D(((1, 2), (0, 1)), data_format=f),
    ],
)
def test_channels_first_gives_the_same_numbers(make):
    x = images(2, 6, 5, 3)
    last, first = make("channels_last"), make("channels_first")
    last.build(x.shape)
    first.build((2, 3, 6, 5))
    first.set_weights(last.get_weights())
    y = first(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    expected = last(x)
    if y.ndim == 4:
        y = y.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


ALL = [
    layers.Dense(3, activation="relu", kernel_initializer="he_normal", name="d"),
    layers.Conv2D(4, (3, 2), strides=2, padding="same", dilation_rate=1, groups=1, use_bias=False),
    layers.Conv2D(4, 3, padding=((1, 2), (3, 4))),
    layers.DepthwiseConv2D(3, depth_multiplier=2),
    layers.SeparableConv2D(4, 3, activation="elu"),
    layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
    layers.Conv3D(4, (1, 2, 3), padding=((0, 0), (1, 0), (1, 2)), kernel_regularizer="l2"),
    layers.Conv1DTranspose(4, 3, strides=2),
    layers.Conv2DTranspose(4, (3, 2), strides=(2, 3), padding="same", output_padding=(1, 0)),
    layers.Conv3DTranspose(4, 2, strides=2, padding=((0, 1), (1, 0), (1, 1)), output_padding=1, activation="relu"),
    layers.DepthwiseConv1D(3, depth_multiplier=2, depthwise_initializer="he_normal"),
    layers.SeparableConv1D(4, 3, data_format="channels_first"),
    layers.UpSampling1D(3),
    layers.UpSampling2D((2, 3), interpolation="bicubic"),
    layers.UpSampling3D((1, 2, 3)),
    layers.Resizing(4, 5, "nearest", pad_to_aspect_ratio=True, fill_value=1.0),
    layers.CenterCrop(4, 5, data_format="channels_first"),
    layers.RandomFlip("vertical", seed=3),
    layers.RandomRotation((0.1, 0.2), "constant", "nearest", fill_value=1.0),
    layers.RandomZoom(0.1, (-0.2, 0.3)),
    layers.RandomTranslation(0.1, (-0.2, 0.3), bounding_box_format="xywh"),
    layers.RandomShear(0.1, (0.2, 0.3)),
    layers.RandomPerspective(0.5, 0.3),
    layers.RandomCrop(3, 4, data_format="channels_first"),
    layers.RandomContrast((0.1, 0.2)),
    layers.RandomBrightness(0.1, (0, 1)),
    layers.RandomHue(0.2),
    layers.RandomSaturation(0.3),
    layers.RandomGrayscale(0.4),
    layers.RandomColorDegeneration(0.2),
    layers.RandomColorJitter(brightness_factor=0.2, hue_factor=(0.1, 0.2)),
    layers.RandomSharpness((0.2, 0.4)),
    layers.RandomInvert(0.3),
    layers.RandomPosterization((3, 5)),
    layers.Solarization(0.2, 0.3),
    layers.AutoContrast((0, 1)),
    layers.RandomErasing(0.5, fill_value=2.0),
    layers.RandomGaussianBlur(0.5, (3, 5), (0.5, 2.0)),
    layers.RandomElasticTransform(0.5, fill_mode="mirror"),
    layers.Equalization(bins=64),
    layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=3.0, tile_grid_size=(4, 2)),
    layers.RandAugment(num_ops=3, factor=(0.1, 0.3)),
    layers.AugMix(num_chains=2, all_ops=False),
    layers.MixUp(0.3),
    layers.CutMix((0.2, 0.4), seed=3),
    layers.MaxNumBoundingBoxes(3),
    layers.Pipeline([layers.RandomFlip(), layers.RandomContrast(0.2)]),
    layers.MaxPooling1D(3, strides=2, padding="same"),
    layers.MaxPooling2D(3, strides=2, padding="same"),
    layers.MaxPooling3D((1, 2, 3), strides=2, padding=((0, 0), (1, 0), (2, 1))),
    layers.AveragePooling1D(),
    layers.AveragePooling2D(),
    layers.AveragePooling3D(data_format="channels_first"),
    layers.SumPooling2D(),
    layers.L2Pooling2D(),
    layers.GlobalAveragePooling1D(),
    layers.GlobalAveragePooling2D(keepdims=True),
    layers.GlobalAveragePooling3D(),
    layers.GlobalMaxPooling1D(),
    layers.GlobalMaxPooling2D(),
    layers.GlobalMaxPooling3D(data_format="channels_first", keepdims=True),
    layers.BatchNormalization(momentum=0.5, center=False),
    layers.LayerNormalization(axis=[1, 2], beta_regularizer="l2"),
    layers.GroupNormalization(groups=2, axis=1, scale=False),
    layers.RMSNormalization(axis=1, epsilon=0.1),
    layers.UnitNormalization(axis=(1, 2)),
    layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de", activation="relu"),
    layers.Embedding(5, 3, mask_zero=True, embeddings_regularizer="l2"),
    layers.Attention(use_scale=True, score_mode="concat", dropout=0.1, seed=3),
    layers.AdditiveAttention(use_scale=False),
    layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=(5, 2), attention_axes=1, kernel_regularizer="l2"),
    layers.GroupQueryAttention(3, 4, 2, sliding_window=2, use_gate=True),
    layers.SqueezeExcitation(4, "silu", "hard_sigmoid", divisor=8),
    layers.ConcurrentSCSE(4, "max", data_format="channels_first"),
    layers.NonLocal("gaussian", channels=3, sub_sample=(1, 2), use_scale=True),
    layers.GlobalContext(4, "average", ["multiply", "add"]),
    layers.CBAM(4, (3, 5), batch_norm=False),
    layers.Normalization(axis=None, mean=1.0, variance=2.0),
    layers.Discretization(bin_boundaries=[0.0, 1.0], output_mode="count"),
    layers.CategoryEncoding(4, "one_hot"),
    layers.Dropout(0.3, seed=5),
    layers.Dropout(0.3, noise_shape=(None, 1), seed=5),
    layers.SpatialDropout1D(0.3),
    layers.SpatialDropout2D(0.3, data_format="channels_first", seed=4),
    layers.SpatialDropout3D(0.3),
    layers.AlphaDropout(0.3, noise_shape=(None, 1)),
    layers.GaussianDropout(0.3, seed=2),
    layers.GaussianNoise(0.3),
    layers.LayerScale(0.1, 4),
    layers.StochasticDepth(0.3),
    layers.StochasticDepth(0.2, seed=2),
    layers.ActivityRegularization(l1=0.1, l2=0.2),
    layers.Masking(-1.0),
    layers.RepeatVector(3),
    layers.SpectralNormalization(layers.Conv2D(2, 3), power_iterations=2),
    layers.TimeDistributed(layers.Dense(2, activation="relu")),
    layers.Wrapper(layers.Dense(2)),
    layers.AdaptiveAveragePooling1D(3),
    layers.AdaptiveAveragePooling2D((2, 3)),
    layers.AdaptiveAveragePooling3D(2, data_format="channels_first"),
    layers.AdaptiveMaxPooling1D(3),
    layers.AdaptiveMaxPooling2D((2, 3)),
    layers.AdaptiveMaxPooling3D(2),
    layers.Flatten(),
    layers.Reshape((2, -1)),
    layers.Permute((2, 1)),
    layers.ZeroPadding1D((2, 3)),
    layers.ZeroPadding2D(((1, 2), (3, 4))),
    layers.ZeroPadding3D((1, 2, 3)),
    layers.Cropping1D((2, 1)),
    layers.Cropping2D(((1, 2), (3, 4))),
    layers.Cropping3D(2, data_format="channels_first"),
    layers.Add(),
    layers.Subtract(),
    layers.Multiply(),
    layers.Average(),
    layers.Maximum(),
    layers.Minimum(),
    layers.Concatenate(axis=1),
    layers.Dot(axes=(1, 2), normalize=True),
    layers.Activation("softmax"),
    layers.ReLU(6.0),
    layers.LeakyReLU(0.1),
    layers.PReLU(shared_axes=[1, 2]),
    layers.ELU(0.5),
    layers.Softmax(),
    layers.Rescaling(1 / 255, offset=[1.0, 2.0]),
    layers.Identity(),
    layers.InputLayer((4, 5)),
]


@pytest.mark.parametrize("layer", ALL, ids=lambda layer: layer.name)
def test_layers_come_back_from_their_configuration(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    saved = cconv.saving.serialize_object(layer)
    loaded = cconv.saving.deserialize_object(saved)
    assert type(loaded) is type(layer) and cconv.saving.serialize_object(loaded) == saved


def test_every_public_layer_is_tested_here():
    public = {getattr(layers, name) for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    assert public - {type(layer) for layer in ALL} == {layers.Layer, layers.InputSpec, layers.Lambda}


def test_set_weights_takes_all_or_nothing():
    layer = layers.Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"weight shape \(2,\) is not compatible with provided weight shape \(3,\)"):
        layer.set_weights([np.ones((3, 2)), np.ones(3)])
    with pytest.raises(ValueError, match="length 1, but the layer was expecting 2"):
        layer.set_weights([np.ones((3, 2))])
    for a, b in zip(before, layer.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_regularizers_and_activity_regularizers_become_losses():
    inputs = cconv.Input((3,))
    layer = layers.Dense(2, kernel_regularizer="l2", kernel_initializer="ones", activity_regularizer="l1")
    layer(inputs)
    losses = layer.losses_for_tracing()
    assert len(losses) == 2 and all(t.shape == () for t in losses)
    assert float(layer.losses[-1]) == pytest.approx(0.06)


def test_sizes_of_images_may_be_unknown():
    x = cconv.Input((None, None, 3))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, padding="same")(x))
    assert y.shape == (None, 4)
    model = cconv.Model(x, y)
    assert model(images(1, 5, 6, 3)).shape == (1, 4)
    assert model(images(2, 9, 3, 3)).shape == (2, 4)


def test_compute_output_shape_does_not_need_weights():
    assert layers.Conv2D(4, 3).compute_output_shape((None, 8, 8, 3)) == (None, 6, 6, 4)
    assert layers.Concatenate().compute_output_shape([(None, 2), (None, 3)]) == (None, 5)


def test_input_shape_argument_of_a_layer_starts_a_model():
    model = cconv.Sequential([layers.Dense(2, input_shape=(4,)), layers.Dense(1)])
    assert model.built and model.input_shape == (None, 4)
    assert cconv.Sequential([layers.Dense(2, input_dim=4)]).built


def test_the_data_format_has_a_default():
    try:
        cconv.config.set_image_data_format("channels_first")
        layer = layers.Conv2D(4, 3)
        assert layer.data_format == "channels_first" and layer(images(1, 3, 6, 5)).shape == (1, 4, 4, 3)
    finally:
        cconv.config.set_image_data_format("channels_last")
    assert layers.Conv2D(4, 3).data_format == "channels_last"
    with pytest.raises(ValueError, match="data_format=nchw"):
        cconv.config.set_image_data_format("nchw")
    with pytest.raises(ValueError, match="value=-1"):
        cconv.config.set_epsilon(-1)
    assert cconv.config.epsilon() == 1e-7 and cconv.config.floatx() == "float32"


def test_clear_session_starts_the_names_anew():
    layers.Flatten()
    cconv.utils.clear_session()
    assert [layers.Flatten().name, layers.Flatten().name] == ["flatten", "flatten_1"]


def test_deep_models_are_no_deep_recursion():
    x = inputs = cconv.Input((3,))
    for _ in range(1200):
        x = layers.ReLU()(x)
    model = cconv.Model(inputs, x)
    np.testing.assert_array_equal(model(np.ones((1, 3))), np.ones((1, 3)))
    assert len(model.get_config()["layers"]) == 1201
