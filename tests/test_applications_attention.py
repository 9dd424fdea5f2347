"""Residual networks of basic blocks, and attention in residual networks: sizes, places, training, files."""

import numpy as np
import pytest

import cconv
from cconv import applications, layers
from cconv.applications import ResNet18, ResNet20, ResNet34, ResNet50, ResNet101, UNet

NAMED = ["se", "scse", "cbam", "gc", "nonlocal"]


@pytest.fixture
def channels_first():
    cconv.config.set_image_data_format("channels_first")
    yield
    cconv.config.set_image_data_format("channels_last")


def trained(model):
    return sum(np.prod(w.shape, dtype=int) for w in model.trainable_weights)


def images(n=2, side=32, channels=3):
    return np.random.default_rng(0).random((n, side, side, channels), dtype=np.float32)


def test_resnet18():
    model = ResNet18()
    assert trained(model) == 11_689_512
    assert (model.name, model.input_shape, model.output_shape) == ("resnet18", (None, 224, 224, 3), (None, 1000))
    names = [layer.name for layer in model.layers[1:]]
    assert names[:6] == ["conv1_pad", "conv1_conv", "conv1_bn", "conv1_relu", "pool1_pad", "pool1_pool"]
    assert names[-4:] == ["conv5_block2_add", "conv5_block2_out", "avg_pool", "predictions"]
    assert model.get_layer("conv3_block1_out").output.shape == (None, 28, 28, 128)
    assert "conv2_block1_0_conv" not in names and "conv3_block1_0_conv" in names


@pytest.mark.parametrize(
    "network, settings, count",
    [
        (ResNet34, {}, 21_797_672),
        (ResNet18, {"attention": "cbam"}, 11_779_392),
        (ResNet34, {"attention": "cbam"}, 21_960_468),
        (ResNet18, {"attention": lambda x: layers.SqueezeExcitation(divisor=8)(x)}, 11_779_624),
        (ResNet20, {}, 269_722),
        (ResNet20, {"shortcut": "projection"}, 272_474),
        (ResNet20, {"depth": 32}, 464_154),
        (ResNet20, {"attention": "se"}, 272_095),
    ],
)
def test_numbers_of_trained_weights(network, settings, count):
    assert trained(network(**settings)) == count


@pytest.mark.parametrize(
    "attention, more", [("se", 2_530_992), ("cbam", 2_532_592), ("gc", 2_521_741), ("nonlocal", 7_358_464)]
)
def test_what_attention_adds_to_resnet50(attention, more):
    """The differences between the authors' networks and theirs without attention."""
    plain, model = (ResNet50(include_top=False, attention=a) for a in (None, attention))
    assert trained(model) - trained(plain) == more


def test_stages_of_attention():
    def found(attention):
        names = [layer.name for layer in ResNet50(include_top=False, attention=attention).layers]
        return [name.removesuffix(f"_{attention}") for name in names if name.endswith(f"_{attention}")]

    counts = (3, 4, 6, 3)
    every = [f"conv{i}_block{j}" for i, n in enumerate(counts, 2) for j in range(1, n + 1)]
    assert found("se") == every and found("gc") == every[3:]
    assert found("nonlocal") == [f"conv{i}_block{j}" for i, j in ((3, 2), (3, 4), (4, 2), (4, 4), (4, 6))]
    model = ResNet50(include_top=False, attention="nonlocal")
    assert model.get_layer("conv3_block2_nonlocal").input is model.get_layer("conv3_block2_out").output
    model = ResNet18(include_top=False, attention="cbam")
    assert model.get_layer("conv3_block2_cbam").input is model.get_layer("conv3_block2_2_bn").output


def test_place_of_the_strides():
    first, third = (ResNet50(include_top=False, input_shape=(64, 64, 3), like=s) for s in ("keras", "torchvision"))
    kernels = [[w.shape for w in model.weights if len(w.shape) == 4] for model in (first, third)]
    assert kernels[0] == kernels[1]
    assert first.get_layer("conv3_block1_1_conv").strides == third.get_layer("conv3_block1_2_conv").strides == (2, 2)
    assert third.get_layer("conv3_block1_1_conv").strides == (1, 1)
    assert third.get_layer("conv3_block1_0_conv").strides == (2, 2)
    assert first.output_shape == third.output_shape
    assert ResNet101(include_top=False, like="torchvision").output_shape == (None, None, None, 2048)


@pytest.mark.parametrize("attention", [None, *NAMED, lambda x: layers.SqueezeExcitation(4, squeezed_channels=3)(x)])
def test_training_and_files(attention, tmp_path):
    cconv.utils.set_random_seed(1)
    model = ResNet20(classes=3, depth=8 if attention not in ("nonlocal",) else 14, attention=attention)
    model.compile(cconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    x, t = images(6), np.array([0, 1, 2, 0, 1, 2])
    losses = model.fit(x, t, epochs=6, batch_size=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "net.keras")
    again = cconv.saving.load_model(tmp_path / "net.keras")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save_weights(tmp_path / "net.weights.h5")
    settings = {"classes": 3, "depth": 14 if attention == "nonlocal" else 8, "attention": attention}
    other = ResNet20(weights=tmp_path / "net.weights.h5", **settings)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


def test_an_identity_at_first():
    """Blocks that start as the identity leave the network what it was."""
    plain, model = (ResNet18(include_top=False, attention=a) for a in (None, "nonlocal"))
    values = {w.path: w.numpy() for w in plain.weights}
    for w in model.weights:
        if w.path in values:
            w.assign(values[w.path])
    assert set(values) < {w.path for w in model.weights}
    np.testing.assert_array_equal(model.predict(images(), verbose=0), plain.predict(images(), verbose=0))


@pytest.mark.parametrize("network, attention", [(ResNet20, a) for a in NAMED] + [(ResNet18, "se"), (UNet, "nonlocal")])
def test_channels_first(network, attention, channels_first):
    settings = {"depth": 2, "width": 4} if network is UNet else {}
    model = network(input_shape=(3, 32, 48), attention=attention, **settings)
    cconv.config.set_image_data_format("channels_last")
    same = network(input_shape=(32, 48, 3), attention=attention, **settings)
    rng = np.random.default_rng(0)
    same.set_weights([w.numpy() + 0.1 * rng.random(w.shape) for w in model.weights])
    model.set_weights(same.get_weights())
    x = rng.random((2, 32, 48, 3), dtype=np.float32)
    y = model.predict(x.transpose(0, 3, 1, 2), verbose=0)
    y = y.transpose(0, 2, 3, 1) if y.ndim == 4 else y
    np.testing.assert_allclose(y, same.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("attention", [None, *NAMED])
def test_images_of_any_size(attention):
    model = ResNet20(include_top=False, attention=attention)
    assert model.output_shape == (None, None, None, 64)
    for side in (32, 48):
        assert model.predict(images(1, side), verbose=0).shape == (1, side // 4, side // 4, 64)


@pytest.mark.parametrize("network", [ResNet18, ResNet20, ResNet50, UNet])
@pytest.mark.parametrize(
    "given, message",
    [("SE", "attention='SE'"), (3, "attention=3"), (layers.CBAM, "a function that takes a tensor"),
     (lambda x: layers.Conv2D(1, 1)(x), "of the shape it was given"), (lambda x: None, "symbolic tensor")],
)  # fmt: skip
def test_wrong_attention(network, given, message):
    with pytest.raises(ValueError, match=message):
        network(attention=given)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="like='5x5'"):
        ResNet50(like="5x5")
    with pytest.raises(ValueError, match="depth=21"):
        ResNet20(depth=21)
    with pytest.raises(ValueError, match="shortcut='none'"):
        ResNet20(shortcut="none")
    with pytest.raises(ValueError, match="input_shape"):
        ResNet18(input_shape=(31, 32, 3))
    with pytest.raises(ValueError, match="weights='nowhere.h5'"):
        applications.ResNet34(weights="nowhere.h5")
