"""Inception-v1, -v2, -v4 and Inception-ResNet-v1: layers, sizes, arguments. Other libraries' are in tests/peers."""

import numpy as np
import pytest
from network_checks import check_channels_first, check_files, check_training, images

import cconv
from cconv.applications import InceptionResNetV1, InceptionV1, InceptionV2, InceptionV4, inception_v1

SMALL = {
    "v1 paper": (InceptionV1, {}, 32),
    "v1 batch_norm": (InceptionV1, {"form": "batch_norm"}, 32),
    "v2": (InceptionV2, {}, 32),
    "v4": (InceptionV4, {}, 75),
    "resnet_v1": (InceptionResNetV1, {}, 75),
}
VARIANTS = [pytest.param(name, marks=pytest.mark.slow) if name == "v4" else name for name in SMALL]


def builder(variant):
    network, settings, side = SMALL[variant]
    return lambda **others: network(**{"input_shape": (side, side, 3), "classes": 4, **settings, **others})


def trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize(
    "network, settings, count, total",
    [
        (InceptionV1, {}, 6_998_552, 6_998_552),
        (InceptionV1, {"auxiliary": True}, 13_378_280, 13_378_280),
        (InceptionV1, {"form": "batch_norm"}, 6_624_904, 6_639_464),
        (InceptionV1, {"form": "batch_norm", "auxiliary": True}, 13_004_888, 13_019_960),
        (InceptionV2, {}, 11_295_240, 11_315_272),
        (InceptionV4, {}, 42_679_816, 42_742_984),
        (InceptionResNetV1, {}, 24_357_096, 24_385_672),
        (InceptionResNetV1, {"embedding": 512, "input_shape": (160, 160, 3)}, 23_995_624, 24_025_224),
        (InceptionResNetV1, {"embedding": 512, "include_top": False}, 23_482_624, 23_512_224),
    ],
)
def test_parameters(network, settings, count, total):
    model = network(**settings)
    assert (trainable(model), model.count_params()) == (count, total)


def test_sizes():
    model = InceptionV1()
    assert (model.name, model.input_shape, model.output_shape) == ("inception_v1", (None, 224, 224, 3), (None, 1000))
    sizes = {"3a": (28, 28, 256), "3b": (28, 28, 480), "4e": (14, 14, 832), "5b": (7, 7, 1024)}
    assert {k: model.get_layer(f"inception_{k}").output.shape[1:] for k in sizes} == sizes
    assert sum("response" in operation.name for operation in model.operations) == 2
    model = InceptionV2()
    sizes = {"3b": (28, 28, 320), "3c": (14, 14, 576), "4d": (14, 14, 608), "4e": (7, 7, 1056), "5b": (7, 7, 1024)}
    assert {k: model.get_layer(f"inception_{k}").output.shape[1:] for k in sizes} == sizes
    model = InceptionV4()
    sizes = {"3a": (73, 73, 160), "5a": (35, 35, 384), "6a": (17, 17, 1024), "7a": (8, 8, 1536), "7d": (8, 8, 1536)}
    assert {k: model.get_layer(f"mixed_{k}").output.shape[1:] for k in sizes} == sizes
    model = InceptionResNetV1(include_top=False, input_shape=(160, 160, 3))
    sizes = {"block35_5_ac": (17, 17, 256), "mixed_6a": (8, 8, 896), "mixed_7a": (3, 3, 1792)}
    assert {k: model.get_layer(k).output.shape[1:] for k in sizes} == sizes
    assert model.output_shape == (None, 3, 3, 1792) and model.input_shape == (None, 160, 160, 3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_features_of_images_of_any_size(variant):
    network, settings, side = SMALL[variant]
    model = network(include_top=False, **settings)
    assert model.input_shape == (None, None, None, 3)
    for rows, columns in ((side, side), (107, 82), (90, 113)):
        y = model.predict(images(1, rows, columns, 3), verbose=0)
        known = network(include_top=False, input_shape=(rows, columns, 3), **settings)
        known.set_weights(model.get_weights())
        np.testing.assert_allclose(y, known.predict(images(1, rows, columns, 3), verbose=0), atol=1e-6)
    for pooling in ("avg", "max"):
        assert len(network(include_top=False, pooling=pooling, **settings).output_shape) == 2


@pytest.mark.parametrize("form", ["paper", "batch_norm"])
def test_auxiliary_outputs(form):
    model = InceptionV1(input_shape=(79, 80, 3), classes=2, form=form, auxiliary=True)
    assert model.output_names == ["predictions", "auxiliary_1", "auxiliary_2"]
    x, y = images(4, 79, 80, 3), np.array([0, 1, 0, 1])
    assert [p.shape for p in model.predict(x, verbose=0)] == [(4, 2)] * 3
    model.compile("sgd", ["sparse_categorical_crossentropy"] * 3, loss_weights=[1.0, 0.3, 0.3])
    before = [w.numpy() for w in model.trainable_weights]
    assert np.isfinite(model.fit(x, [y, y, y], verbose=0).history["loss"]).all()
    moved = [not np.array_equal(a, b.numpy()) for a, b in zip(before, model.trainable_weights, strict=True)]
    assert sum(moved) > 0.9 * len(moved)


def test_auxiliary_losses_of_smoothed_labels():
    """The loss that is trained is that of formulas, from the three outputs."""
    cconv.utils.set_random_seed(0)
    model = InceptionV1(input_shape=(79, 80, 3), classes=3, auxiliary=True, dropout=0)
    for layer in model.layers:
        if isinstance(layer, cconv.layers.Dropout):
            layer.rate = 0.0  # what is trained is what `predict` gives
    weights = (1.0, 0.3, 0.3)
    loss = cconv.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(cconv.optimizers.SGD(1e-2), [loss] * 3, loss_weights=list(weights))
    x, y = images(4, 79, 80, 3), np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]
    smoothed = 0.9 * y.astype(np.float64) + 0.1 / 3
    found = []
    for _ in range(3):
        outputs = [p.astype(np.float64) for p in model.predict(x, verbose=0)]
        expected = sum(w * -(smoothed * np.log(p)).sum(1).mean() for w, p in zip(weights, outputs, strict=True))
        found.append(float(model.train_on_batch(x, [y, y, y], return_dict=True)["loss"]))
        assert found[-1] == pytest.approx(expected, rel=1e-5)
    assert found[2] < found[1] < found[0]


def test_embeddings_have_length_1():
    model = InceptionResNetV1(include_top=False, input_shape=(75, 80, 3), embedding=16)
    y = model.predict(images(3, 75, 80, 3), verbose=0)
    assert y.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(y, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "v2"])
def test_dropout(variant):
    kinds = [[type(x).__name__ for x in builder(variant)(dropout=rate).layers] for rate in (0.5, 0)]
    assert "Dropout" in kinds[0] and "Dropout" not in kinds[1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_lowers_the_loss(variant):
    network, settings, _ = SMALL[variant]
    dropout = {} if variant == "v2" else {"dropout": 0}
    # with more than a pixel at the end: there batch normalization has few values to normalize
    rate = {"v1 paper": 1e-2, "resnet_v1": 1e-4, "v4": 1e-4}.get(variant, 1e-6)
    steps = 9 if variant == "v4" else 2
    check_training(network, cconv.optimizers.SGD(rate), steps, input_shape=(107, 107, 3), **settings, **dropout)


@pytest.mark.parametrize("variant", VARIANTS)
def test_files_hold_it(variant, tmp_path):
    check_files(builder(variant), tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_channels_first(variant):
    check_channels_first(builder(variant), (76, 81, 3))


def test_channels_first_with_heads():
    def build(**others):
        model = InceptionV1(classes=3, auxiliary=True, **others)
        return cconv.Model(model.inputs, model.outputs[2])

    check_channels_first(build, (82, 79, 3))


def test_preprocessing():
    x = 255 * images(2, 4, 5, 3)
    utils = cconv.applications.imagenet_utils
    np.testing.assert_array_equal(inception_v1.preprocess_input(x), utils.preprocess_input(x, mode="caffe"))
    scaled = inception_v1.preprocess_input(x, form="batch_norm")
    np.testing.assert_array_equal(scaled, utils.preprocess_input(x, mode="tf"))
    with pytest.raises(ValueError, match="form='other'"):
        inception_v1.preprocess_input(x, form="other")


@pytest.mark.parametrize(
    "network, settings, message",
    [
        (InceptionV1, {"form": "other"}, "form='other'"),
        (InceptionV1, {"include_top": False, "auxiliary": True}, "include_top=True"),
        (InceptionV1, {"auxiliary": True, "input_shape": (78, 79, 3)}, "at least 79x79"),
        (InceptionV1, {"weights": "imagenet"}, "weights='imagenet'"),
        (InceptionV2, {"input_shape": (31, 32, 3)}, "at least 32x32"),
        (InceptionV2, {"input_shape": (None, 32, 3)}, "include_top=True"),
        (InceptionV4, {"input_shape": (74, 75, 3)}, "at least 75x75"),
        (InceptionV4, {"include_top": False, "pooling": "mean"}, "pooling='mean'"),
        (InceptionResNetV1, {"input_shape": (75, 74, 3)}, "at least 75x75"),
        (InceptionResNetV1, {"include_top": False, "embedding": 8, "pooling": "max"}, "pooling='max'"),
    ],
)
def test_wrong_arguments(network, settings, message):
    with pytest.raises(ValueError, match=message):
        network(**settings)
