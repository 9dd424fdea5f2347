"""AlexNet in both forms, VGG with batch normalization, U-Net: sizes, names, training, files."""

import numpy as np
import pytest

import cconv
from cconv import applications
from cconv.applications import VGG11, VGG13, VGG16, VGG19, AlexNet, UNet


@pytest.fixture
def channels_first():
    cconv.config.set_image_data_format("channels_first")
    yield
    cconv.config.set_image_data_format("channels_last")


def trained(model):
    return sum(np.prod(w.shape, dtype=int) for w in model.trainable_weights)


def images(*shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def step_by_step(model, x, t, loss, rate=0.003):
    """The losses of a few steps of training."""
    model.compile(cconv.optimizers.Adam(rate), loss)
    return model.fit(x, t, epochs=4, batch_size=len(x), verbose=0).history["loss"]


# ---- AlexNet


@pytest.mark.slow
@pytest.mark.parametrize("form, side, count", [("two_towers", 227, 60_965_224), ("one_tower", 224, 61_100_840)])
def test_alexnet_whole(form, side, count):
    model = AlexNet(form=form)
    assert trained(model) == count
    assert (model.name, model.input_shape, model.output_shape) == ("alexnet", (None, side, side, 3), (None, 1000))


def test_alexnet_of_two_towers():
    model = AlexNet(include_top=False, input_shape=(227, 227, 3))
    assert [w.shape[:3] for w in model.weights[::2]] == [(11, 11, 3), (5, 5, 48), (3, 3, 256), (3, 3, 192), (3, 3, 192)]
    sides = [model.get_layer(f"pool{i}").output.shape[1] for i in (1, 2, 5)]
    assert sides == [27, 13, 6] and model.get_layer("conv1").output.shape == (None, 55, 55, 96)
    steps = [step["class_name"] for step in model.get_config()["layers"]]
    assert steps[1:5] == ["Conv2D", "LocalResponseNormalization", "MaxPooling2D", "Conv2D"]


def test_alexnet_of_one_tower():
    model = AlexNet(include_top=False, input_shape=(224, 224, 3), form="one_tower")
    assert [w.shape[2:] for w in model.weights[::2]] == [(3, 64), (64, 192), (192, 384), (384, 256), (256, 256)]
    assert model.output_shape == (None, 6, 6, 256)


@pytest.mark.parametrize("form", ["two_towers", "one_tower"])
def test_alexnet_learns_and_is_saved(form, tmp_path):
    cconv.utils.set_random_seed(2)
    base = AlexNet(include_top=False, pooling="avg", form=form)
    assert base.input_shape == (None, None, None, 3)
    model = cconv.Sequential([cconv.Input((70, 67, 3)), base, cconv.layers.Dense(2, activation="softmax")])
    x = images(4, 70, 67, 3)
    losses = step_by_step(model, x, np.array([0, 1, 0, 1]), "sparse_categorical_crossentropy", 1e-4)
    assert losses[-1] < losses[0]
    base.save(tmp_path / "net.keras")
    again = cconv.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), base.predict(x, verbose=0))
    base.save_weights(tmp_path / "net.weights.h5")
    other = AlexNet(include_top=False, weights=tmp_path / "net.weights.h5", pooling="avg", form=form)
    np.testing.assert_array_equal(other.predict(x, verbose=0), base.predict(x, verbose=0))


@pytest.mark.parametrize("form", ["two_towers", "one_tower"])
def test_alexnet_channels_first(form, channels_first):
    model = AlexNet(include_top=False, input_shape=(3, 70, 80), pooling="max", form=form)
    cconv.config.set_image_data_format("channels_last")
    same = AlexNet(include_top=False, input_shape=(70, 80, 3), pooling="max", form=form)
    same.set_weights(model.get_weights())
    x = images(2, 70, 80, 3)
    y = model.predict(x.transpose(0, 3, 1, 2), verbose=0)
    np.testing.assert_allclose(y, same.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


def test_preprocessing_of_alexnet_follows_its_form():
    x = 255 * images(2, 4, 5, 3)
    for form, mode in (("two_towers", "caffe"), ("one_tower", "torch")):
        want = applications.imagenet_utils.preprocess_input(x, mode=mode)
        np.testing.assert_array_equal(applications.alexnet.preprocess_input(x, form=form), want)


# ---- VGG


@pytest.mark.slow
@pytest.mark.parametrize(
    "network, settings, count",
    [(VGG11, {}, 132_863_336), (VGG13, {}, 133_047_848), (VGG11, {"batch_norm": True}, 132_868_840),
     (VGG13, {"batch_norm": True}, 133_053_736), (VGG16, {"batch_norm": True}, 138_365_992),
     (VGG19, {"batch_norm": True}, 143_678_248)],
)  # fmt: skip
def test_vgg_whole(network, settings, count):
    assert trained(network(**settings)) == count


@pytest.mark.parametrize("network, convolutions", [(VGG11, 8), (VGG13, 10), (VGG16, 13), (VGG19, 16)])
def test_vgg_with_batch_normalization(network, convolutions):
    plain, model = (network(include_top=False, batch_norm=b) for b in (False, True))
    assert len(plain.weights) == 2 * convolutions and len(model.weights) == 6 * convolutions
    names = [layer.name for layer in model.layers[1:]]
    assert names[:3] == ["block1_conv1", "block1_conv1_bn", "block1_conv1_relu"] and names[-1] == "block5_pool"
    assert model.name == f"vgg{convolutions + 3}"


def test_vgg_learns_and_is_saved(tmp_path):
    cconv.utils.set_random_seed(2)
    base = VGG11(include_top=False, input_shape=(32, 32, 3), batch_norm=True, pooling="avg")
    model = cconv.Sequential([base, cconv.layers.Dense(2, activation="softmax")])
    x = images(4, 32, 32, 3)
    losses = step_by_step(model, x, np.array([0, 1, 0, 1]), "sparse_categorical_crossentropy")
    assert losses[-1] < losses[0]
    base.save_weights(tmp_path / "net.weights.h5")
    settings = {"include_top": False, "input_shape": (32, 32, 3), "pooling": "avg"}
    other = VGG11(weights=tmp_path / "net.weights.h5", batch_norm=True, **settings)
    np.testing.assert_array_equal(other.predict(x, verbose=0), base.predict(x, verbose=0))
    with pytest.raises(ValueError, match="layer"):
        VGG11(weights=tmp_path / "net.weights.h5", **settings)


# ---- U-Net


def test_unet():
    model = UNet()
    assert trained(model) == 31_037_698
    assert (model.name, model.input_shape, model.output_shape) == ("unet", (None, None, None, 3), (None, None, None, 2))
    assert model.get_layer("bottom_relu2").output.shape[-1] == 1024
    assert model.predict(images(1, 32, 48, 3), verbose=0).shape == (1, 32, 48, 2)


@pytest.mark.parametrize(
    "settings",
    [{}, {"up": "resize", "normalization": "instance"}, {"normalization": None, "attention": "scse"},
     {"attention": "nonlocal"}, {"attention": lambda x: cconv.layers.CBAM(4, 3)(x)},
     {"classes": 1, "classifier_activation": "sigmoid"}, {"classifier_activation": None}],
    ids=str,
)  # fmt: skip
def test_unet_learns_and_is_saved(settings, tmp_path):
    cconv.utils.set_random_seed(2)
    given = {"input_shape": (32, 40, 1), "depth": 3, "width": 4, **settings}
    model = UNet(**given)
    x = images(4, 32, 40, 1)
    if given.get("classes") == 1:
        losses = step_by_step(model, x, (x > 0.5).astype(np.float32), "binary_crossentropy")
    else:
        logits = "classifier_activation" in given
        loss = cconv.losses.SparseCategoricalCrossentropy(from_logits=logits)
        losses = step_by_step(model, x, (x[..., 0] > 0.5).astype(np.int32), loss)
    assert losses[-1] < losses[0]
    y = model.predict(x, verbose=0)
    if "classifier_activation" not in given:
        np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-5)
    model.save(tmp_path / "net.keras")
    np.testing.assert_array_equal(cconv.saving.load_model(tmp_path / "net.keras").predict(x, verbose=0), y)
    model.save_weights(tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(UNet(weights=tmp_path / "net.weights.h5", **given).predict(x, verbose=0), y)


def test_unet_as_features_of_any_depth():
    for depth in (1, 2, 5):
        model = UNet(include_top=False, depth=depth, width=2)
        assert model.output_shape == (None, None, None, 2)
        assert model.predict(images(1, 64, 32, 3), verbose=0).shape == (1, 64, 32, 2)


@pytest.mark.parametrize("settings", [{}, {"up": "resize", "normalization": "instance", "attention": "cbam"}], ids=str)
def test_unet_channels_first(settings, channels_first):
    model = UNet(input_shape=(3, 32, 48), depth=2, width=4, **settings)
    assert model.output_shape == (None, 2, 32, 48)
    cconv.config.set_image_data_format("channels_last")
    same = UNet(input_shape=(32, 48, 3), depth=2, width=4, **settings)
    same.set_weights(model.get_weights())
    x = images(2, 32, 48, 3)
    y = model.predict(x.transpose(0, 3, 1, 2), verbose=0).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(y, same.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: AlexNet(form="three"), "form='three'"),
        (lambda: AlexNet(input_shape=(66, 70, 3)), "at least 67x67"),
        (lambda: AlexNet(input_shape=(62, 64, 3), form="one_tower"), "at least 63x63"),
        (lambda: AlexNet(weights="nowhere.h5"), "weights='nowhere.h5'"),
        (lambda: VGG11(input_shape=(31, 64, 3)), "at least 32x32"),
        (lambda: UNet(input_shape=(40, 64, 3)), "multiples of 16"),
        (lambda: UNet(depth=0), "depth=0"),
        (lambda: UNet(normalization="layer"), "normalization='layer'"),
        (lambda: UNet(up="bilinear"), "up='bilinear'"),
        (lambda: UNet(input_tensor=np.zeros((1, 32, 32, 3))), "symbolic tensor"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
