"""Figures: what is drawn in them, what arrays stand behind them, and what cannot be drawn."""

import sys

import numpy as np
import pytest

import cconv
from cconv import layers

pytest.importorskip("matplotlib")
V = cconv.visualization


def classifier(last="softmax", classes=3, seed=0):
    cconv.utils.set_random_seed(seed)
    return cconv.Sequential(
        [
            cconv.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.BatchNormalization(),
            layers.Conv2D(5, 3, name="second"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation=last, name="out"),
        ]
    )


X = np.random.default_rng(1).normal(size=(3, 8, 8, 3)).astype("float32")
THREE = np.random.default_rng(2).uniform(size=(3, 10, 8, 3)).astype("float32")


def axes(figure):
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


# ---- curves


def test_curves_draw_what_the_history_holds():
    model = cconv.Sequential([cconv.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(np.ones((8, 2)), np.ones(8), validation_split=0.5, epochs=3, verbose=0)
    figure = V.training_curves(history)
    loss, mae = axes(figure)
    assert (loss.get_title(), mae.get_title()) == ("loss", "mae")
    lines = {line.get_label(): line.get_ydata() for line in loss.lines}
    np.testing.assert_allclose(lines["training"], history.history["loss"])
    np.testing.assert_allclose(lines["validation"], history.history["val_loss"])
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3]
    assert f"{min(history.history['val_loss']):.4g}" in [text.get_text() for text in loss.texts]
    assert [ax.get_title() for ax in axes(V.training_curves(history, metrics=["mae"]))] == ["mae"]
    assert V.training_curves(history)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("history", "arguments", "words"),
    [({}, {}, "empty"), ({"loss": [1.0]}, {"metrics": ["acc"]}, "'acc'"), (3, {}, "History")],
)
def test_curves_of_nothing(history, arguments, words):
    with pytest.raises(ValueError, match=words):
        V.training_curves(history, **arguments)


def test_live_curves_write_a_picture_after_each_epoch(tmp_path):
    model = cconv.Sequential([cconv.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    path = tmp_path / "curves.png"
    model.fit(np.ones((8, 2)), np.ones(8), epochs=1, verbose=0, callbacks=[V.LiveCurves(path)])
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="notebook"):
        model.fit(np.ones((8, 2)), np.ones(8), verbose=0, callbacks=[V.LiveCurves()])


def test_live_curves_take_one_place_in_a_notebook(monkeypatch):
    shown = []

    class Handle:
        def update(self, figure):
            shown.append(("update", len(figure.axes[0].lines[0].get_xdata())))

    class Display:
        @staticmethod
        def display(figure, display_id):
            shown.append(("display", len(figure.axes[0].lines[0].get_xdata())))
            return Handle()

    monkeypatch.setitem(sys.modules, "IPython.display", Display)
    model = cconv.Sequential([cconv.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0, callbacks=[V.LiveCurves()])
    assert shown == [("display", 1), ("update", 2), ("update", 3)]


# ---- confusion matrix


def test_confusion_matrix_counts():
    true, pred = [0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0]
    assert V.count_confusions(true, pred).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    one_hot = np.eye(3)[pred]
    figure = V.confusion_matrix(np.eye(3)[true], one_hot, ["a", "b", "c"])
    ax = axes(figure)[0]
    assert ax.get_title() == "66.7 % right (4 of 6)"
    assert {(t.get_position(), t.get_text()) for t in ax.texts} == {
        ((0, 0), "1"),
        ((1, 0), "1"),
        ((1, 1), "1"),
        ((0, 2), "1"),
        ((2, 2), "2"),
    }
    percent = axes(V.confusion_matrix(true, pred, normalize=True))[0]
    assert sorted(t.get_text() for t in percent.texts) == ["100", "33", "50", "50", "67"]
    assert V.confusion_matrix(np.arange(50), np.arange(50)).axes  # many classes: no numbers


@pytest.mark.parametrize(
    ("true", "pred", "names", "words"),
    [
        ([0], [0, 1], None, "as many"),
        ([], [], None, "empty"),
        ([0, 5], [0, 1], ["a", "b"], "0 to 1"),
        ([0.5], [0], None, "y_true"),
        ([[[0]]], [0], None, "y_true"),
    ],
)
def test_what_cannot_be_counted(true, pred, names, words):
    with pytest.raises(ValueError, match=words):
        V.confusion_matrix(true, pred, names)


# ---- images


def test_galleries():
    figure = V.image_gallery(THREE * 255, ["a", "b", "c"], columns=2, title="all")
    assert [ax.get_title() for ax in axes(figure)] == ["a", "b", "c"]
    np.testing.assert_allclose(axes(figure)[1].images[0].get_array(), THREE[1], atol=1e-6)
    figure = V.prediction_gallery(THREE, [[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]], [1, 1, 1], ["cat", "dog"])
    assert [ax.get_title() for ax in axes(figure)] == ["dog 80 %", "cat 90 %\nis dog", "dog 60 %"]
    assert len({ax.title.get_color() for ax in axes(figure)}) == 2
    assert [ax.get_title() for ax in axes(V.prediction_gallery(THREE[0], [[0.2, 0.8]]))] == ["1 80 %"]


def test_augmentation_is_called_for_every_column():
    class Add(layers.Layer):
        def call(self, x, training=False):
            return x + (0.25 if training else 0.0)

    figure = V.augmentation_preview(Add(), np.zeros((2, 4, 4, 1), "float32"), count=2)
    values = [float(np.max(ax.images[0].get_array())) for ax in axes(figure)]
    assert values == [0.0, 0.25, 0.25, 0.0, 0.25, 0.25]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: V.image_gallery(np.zeros((2, 2, 2, 2))), r"\(2, 2, 2, 2\)"),
        (lambda: V.image_gallery(THREE, ["a"]), "title"),
        (lambda: V.prediction_gallery(THREE, [[1.0]]), "predictions"),
        (lambda: V.prediction_gallery(THREE, np.ones((3, 2)), [1]), "label"),
        (lambda: V.augmentation_preview(lambda x: x[:1], THREE), "1 images for 3"),
        (lambda: V.augmentation_preview(lambda x: x[:, 0, 0], THREE), "augmentation returned"),
    ],
)
def test_what_are_no_images(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- inside


def test_feature_maps_are_what_the_layer_gives():
    model = classifier()
    figure = V.feature_maps(model, X[0], "first")
    expected = model.layers[0](X[:1])
    for i, ax in enumerate(axes(figure)[1:]):
        np.testing.assert_allclose(ax.images[0].get_array(), expected[0, ..., i], rtol=1e-5, atol=1e-6)
    assert axes(V.feature_maps(model, X[0]))[1].get_title() == "0"  # the last that gives maps: five
    assert len(axes(V.feature_maps(model, X[0]))) == 6 and len(axes(V.feature_maps(model, X[0], count=2))) == 3
    with pytest.raises(ValueError, match="no layer 'c'.*'first'"):
        V.feature_maps(model, X[0], "c")
    with pytest.raises(ValueError, match="'out'.*no maps"):
        V.feature_maps(model, X[0], "out")
    with pytest.raises(ValueError, match="one image"):
        V.feature_maps(model, X)


def test_filters():
    model = cconv.Sequential([cconv.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.DepthwiseConv2D(3, name="deep")])
    assert len(axes(V.filters(model))) == 4
    mean = axes(V.filters(model, "deep"))[2].images[0].get_array()
    np.testing.assert_array_equal(mean, model.get_layer("deep").kernel.numpy()[..., 2, 0])
    flat = cconv.Sequential([cconv.Input((2,)), layers.Dense(2)], name="flat")
    with pytest.raises(ValueError, match="'flat'.*convolution"):
        V.filters(flat)
    with pytest.raises(ValueError, match="kernel"):
        V.filters(flat, flat.layers[0])


# ---- where


def split(model, name, images):
    """The output of a layer, and the rest of the model as a function of it, before a last softmax."""
    at = [layer.name for layer in model.layers].index(name) + 1
    inner = cconv.Model(model.inputs, model.layers[at - 1].output).predict(images, verbose=0)

    def rest(values):
        for layer in model.layers[at:-1]:
            values = layer(values)
        return values @ model.layers[-1].kernel.numpy() + model.layers[-1].bias.numpy()

    return inner, rest


@pytest.mark.parametrize("last", ["softmax", None])
def test_grad_cam_is_the_formula(last):
    model = classifier(last)
    chosen = 1
    inner, rest = split(model, "second", X)
    step, gradient = 1e-2, np.zeros_like(inner)
    for index in np.ndindex(*inner.shape[1:]):
        moved = [inner.copy(), inner.copy()]
        moved[0][(slice(None), *index)] -= step
        moved[1][(slice(None), *index)] += step
        low, high = (rest(values)[:, chosen] for values in moved)
        gradient[(slice(None), *index)] = (high - low) / (2 * step)
    maps = np.maximum((gradient.mean((1, 2), keepdims=True) * inner).sum(3), 0)
    maps /= np.maximum(maps.max((1, 2), keepdims=True), 1e-9)
    np.testing.assert_allclose(V.grad_cam_heatmap(model, X, chosen, "second"), maps, atol=2e-3)
    np.testing.assert_array_equal(  # the last that gives maps
        V.grad_cam_heatmap(model, X, chosen), V.grad_cam_heatmap(model, X, chosen, model.get_layer("second"))
    )


def test_the_predicted_class_is_the_default_and_the_model_stays_as_it_was():
    model = classifier()
    before = model.predict(X, verbose=0)
    for maps in (V.grad_cam_heatmap, V.saliency_heatmap, V.occlusion_heatmap):
        np.testing.assert_array_equal(maps(model, X), maps(model, X, before.argmax(1)))
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert all("call" not in vars(layer) for layer in model.layers)


def test_grad_cam_looks_into_models_inside_and_into_classes():
    base = cconv.Sequential([cconv.Input((8, 8, 3)), layers.Conv2D(4, 3, name="deep"), layers.ReLU()], name="base")
    head = [layers.GlobalAveragePooling2D(), layers.Dense(2)]
    model = cconv.Sequential([cconv.Input((8, 8, 3)), base, *head])

    class Own(cconv.Model):
        def __init__(self):
            super().__init__()
            self.parts = [base, *head]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    maps = V.grad_cam_heatmap(model, X, 0, "deep")
    assert maps.shape == (3, 6, 6) and maps.max() == 1
    np.testing.assert_array_equal(V.grad_cam_heatmap(Own(), X, 0, "deep"), maps)


def test_saliency_is_the_gradient():
    model = cconv.Sequential([cconv.Input((4, 4, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    kernel = np.abs(model.layers[-1].kernel.numpy()[:, 1]).reshape(4, 4, 3).max(2)
    np.testing.assert_allclose(V.saliency_heatmap(model, X[:1, :4, :4], 1)[0], kernel / kernel.max(), rtol=1e-5)


def test_occlusion_is_what_covering_takes_away():
    model = cconv.Sequential([cconv.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1, use_bias=False)])
    kernel = np.zeros((16, 1), "float32")
    kernel[5] = 2.0  # only the pixel in row 1, column 1 counts
    model.set_weights([kernel])
    image = np.zeros((4, 4, 1), "float32")
    image[1, 1] = 1.0
    fall = V.occlusion_heatmap(model, image, 0, size=2, stride=2)[0]
    expected = np.zeros((4, 4))
    expected[:2, :2] = 2.0 - 2.0 / 16
    np.testing.assert_allclose(fall, expected, atol=1e-6)


@pytest.mark.parametrize("draw", [V.grad_cam, V.saliency, V.occlusion_map])
def test_overlays(draw):
    model = classifier()
    scores = model.predict(X, verbose=0)
    figure = draw(model, X, class_names=["a", "b", "c"])
    titles = [ax.get_title() for ax in axes(figure)[::2]][:3]
    assert titles == [f"{'abc'[row.argmax()]} ({row.max():.2f})" for row in scores]
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: V.grad_cam(classifier(), X, 3), "0 to 2"),
        (lambda: V.grad_cam(classifier(), X, "cat"), "class numbers"),
        (lambda: V.grad_cam(classifier(), X, 0, "no"), "no layer 'no'"),
        (lambda: V.grad_cam(classifier(), X, 0, "out"), "no maps"),
        (lambda: V.saliency(cconv.Sequential([cconv.Input((8, 8, 3)), layers.Conv2D(1, 3)]), X), "classifier"),
        (lambda: V.grad_cam(cconv.Sequential([cconv.Input((8, 8, 3)), layers.Flatten()]), X), "no layer that gives"),
        (lambda: V.occlusion_map(classifier(), X, size=9), "size=9"),
    ],
)
def test_where_there_is_nothing_to_see(call, words):
    with pytest.raises(ValueError, match=words):
        call()
