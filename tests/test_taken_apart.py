"""Models and layers where they are taken apart and put together: the values and the errors are those of Keras."""

import inspect

import numpy as np
import pytest

import cconv
from cconv import layers, ops

X = np.ones((1, 4), np.float32)


def image(side, channels=1):
    return np.ones((1, side, side, channels), np.float32)


# ---- sequential models


def test_a_stack_on_a_built_model_is_built():
    inner = cconv.Sequential([cconv.Input((4,)), layers.Dense(3)])
    model = cconv.Sequential([inner, layers.Dense(2)])
    assert model.built and len(model.weights) == 4 and (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    x = cconv.Input((4,), dtype="int32")
    functional = cconv.Model(x, ops.cast(x, "float32"))
    model = cconv.Sequential([functional, layers.Dense(2)])
    assert model.built and model.inputs[0].dtype == "int32"
    model = cconv.Sequential()
    model.add(inner)
    assert not model.built
    model.add(layers.Dense(2))
    assert model.built and len(model.layers) == 2


def stack():
    return cconv.Sequential([layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])


def test_a_stack_built_from_data_takes_other_sizes():
    model = stack()
    small = model(image(8))
    assert model(image(12)).shape == (1, 2) and model.predict(image(12), verbose=0).shape == (1, 2)
    np.testing.assert_array_equal(model(image(8)), small)
    assert model.input_shape == (None, 8, 8, 1)
    model.compile(loss="mse")
    model.fit(image(12), np.ones((1, 2)), verbose=0)
    assert np.isfinite(model.evaluate(image(16), np.ones((1, 2)), verbose=0))
    again = cconv.Sequential.from_config(model.get_config())
    assert again.built and again(image(12)).shape == (1, 2)
    inside = cconv.Sequential([model, layers.Dense(3)])
    assert inside.built and inside(image(12)).shape == (1, 3)


def test_sizes_that_the_layers_do_not_take():
    model = stack()
    model(image(8))
    with pytest.raises(ValueError, match="axis -1 of input shape to have value 1.*8, 8, 3"):
        model(image(8, 3))
    with pytest.raises(ValueError, match="axis -1 of input shape to have value 1.*8, 8, 3"):
        model.predict(image(8, 3), verbose=0)
    flat = cconv.Sequential([layers.Flatten(), layers.Dense(2)])
    flat(image(8))
    with pytest.raises(ValueError, match="to have value 64, but received input with shape \\(1, 144\\)"):
        flat(image(12))
    given = cconv.Sequential([cconv.Input((8, 8, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="expected shape=\\(None, 8, 8, 1\\)"):
        given(image(12))


# ---- penalties


def test_losses_after_a_call_are_numbers():
    layer = layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l2", kernel_initializer="ones")
    model = cconv.Sequential([cconv.Input((4,)), layer])
    assert [float(x) for x in model.losses] == pytest.approx([0.08])
    for call in (model, layer):
        for _ in range(2):  # once each, however often it is called
            call(X)
            assert [float(x) for x in call.losses] == pytest.approx([0.32, 0.08])
    model(2 * X)
    assert [float(x) for x in model.losses] == pytest.approx([1.28, 0.08])


def test_added_losses_are_numbers_of_the_last_call():
    class Sum(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    class Twice(cconv.Model):
        def __init__(self):
            super().__init__()
            self.sum = Sum()

        def call(self, x):
            return self.sum(3 * self.sum(x))

    layer, model = Sum(), Twice()
    layer(X)
    assert [float(x) for x in layer.losses] == [4.0]
    layer(2 * X)
    assert [float(x) for x in layer.losses] == [8.0]
    model(X)
    assert [float(x) for x in model.losses] == [4.0, 12.0]


@pytest.mark.parametrize("loss", [0.5, np.float32(3), "x", None, np.ones(2)])
def test_only_tensors_are_losses(loss):
    with pytest.raises(ValueError, match="add_loss"):
        layers.Dense(2).add_loss(loss)


# ---- configurations


class Sized(layers.Layer):
    def __init__(self, size=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        return x


class SizedModel(cconv.Model):
    def __init__(self, size=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("cls", [Sized, SizedModel])
def test_tuples_stay_tuples(cls):
    size = (3, {"a": (4, 5)})
    made = cls(size=size)
    assert made.get_config()["size"] == size and cls.from_config(made.get_config()).size == size
    config = cconv.saving.serialize_object(made)
    assert cconv.saving.deserialize_object(config, {cls.__name__: cls}).size == size


def test_tuples_of_tensors_stay_tuples():
    x = cconv.Input((4,))
    model = cconv.Model((x,), (layers.Dense(2)(x),))
    again = cconv.Model.from_config(model.get_config())
    assert isinstance(again((X,)), tuple) and isinstance(again.input, tuple)


class Extra(cconv.Model):
    def __init__(self, inputs, outputs, name=None, extra=1, **kwargs):
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.extra = extra

    def get_config(self):
        return {**super().get_config(), "extra": self.extra}


class ExtraStack(cconv.Sequential):
    def __init__(self, layers=None, extra=1, **kwargs):
        super().__init__(layers, **kwargs)
        self.extra = extra

    def get_config(self):
        return {**super().get_config(), "extra": self.extra}


def extra_functional():
    x = cconv.Input((4,))
    return Extra(x, layers.Dense(2)(x), extra=7)


@pytest.mark.parametrize("make", [extra_functional, lambda: ExtraStack([cconv.Input((4,)), layers.Dense(2)], extra=7)])
def test_own_entries_of_a_configuration_come_back(make, tmp_path):
    model = make()
    cls = type(model)
    assert cls.from_config(model.get_config()).extra == 7
    model.save(tmp_path / "m.keras")
    loaded = cconv.models.load_model(tmp_path / "m.keras", custom_objects={cls.__name__: cls})
    assert loaded.extra == 7 and isinstance(loaded, cls)
    np.testing.assert_array_equal(loaded(X), model(X))


# ---- activations, own shapes, masks, slices


def dense(**kwargs):
    return layers.Dense(1, kernel_initializer="ones", **kwargs), -np.ones((1, 1), np.float32)


def conv(cls, rank, **names):
    def make(**kwargs):
        return cls(*names.get("args", (1, 1)), **dict.fromkeys(names["ones"], "ones"), **kwargs), -np.ones(
            (1,) * (rank + 2)
        )

    return make


WITH_ACTIVATION = {
    "Dense": dense,
    "Conv1D": conv(layers.Conv1D, 1, ones=["kernel_initializer"]),
    "Conv2D": conv(layers.Conv2D, 2, ones=["kernel_initializer"]),
    "Conv3D": conv(layers.Conv3D, 3, ones=["kernel_initializer"]),
    "Conv2DTranspose": conv(layers.Conv2DTranspose, 2, ones=["kernel_initializer"]),
    "DepthwiseConv2D": conv(layers.DepthwiseConv2D, 2, args=(1,), ones=["depthwise_initializer"]),
    "SeparableConv2D": conv(layers.SeparableConv2D, 2, ones=["depthwise_initializer", "pointwise_initializer"]),
    "Activation": lambda activation: (layers.Activation(activation), -X),
}


@pytest.mark.parametrize("name", WITH_ACTIVATION)
def test_an_activation_of_none_is_none(name):
    layer, x = WITH_ACTIVATION[name](activation="relu")
    assert np.all(layer(x) == 0)
    layer.activation = None
    assert np.all(layer(x) == -1)
    assert layer.get_config()["activation"] is None
    layer.activation = "relu"
    assert np.all(layer(x) == 0)


class Repeat(layers.Layer):
    def call(self, x):
        return ops.concatenate([x, x], -1)

    def compute_output_shape(self, shape):
        return (shape[0], 2 * shape[1])


def test_own_output_shape():
    assert Repeat().compute_output_shape((None, 4)) == (None, 8)
    assert Repeat()(cconv.Input((4,))).shape == (None, 8)
    assert cconv.Sequential([cconv.Input((4,)), Repeat()]).output_shape == (None, 8)

    class Known(layers.Layer):  # tells more than the call
        def call(self, x):
            return ops.relu(x)

        def compute_output_shape(self, shape):
            return (shape[0], 6, shape[2])

    model = cconv.Sequential([cconv.Input((None, 2)), Known(), layers.Flatten(), layers.Dense(1)])
    assert model.layers[1].output.shape == (None, 12)
    assert model(np.ones((3, 6, 2))).shape == (3, 1)


def test_own_output_shape_that_contradicts_the_call():
    class Wrong(layers.Layer):
        def call(self, x):
            return x

        def compute_output_shape(self, shape):
            return (shape[0], 99)

    with pytest.raises(ValueError, match=r"'wrong.*compute_output_shape.*\(None, 99\) and \(None, 4\)"):
        Wrong()(cconv.Input((4,)))


def test_own_output_shape_may_ask_what_the_call_returns():
    class Asks(layers.Layer):
        def call(self, x):
            return x

        def compute_output_shape(self, shape):
            return super().compute_output_shape(shape)

    assert Asks()(cconv.Input((4,))).shape == (None, 4)
    assert Asks().compute_output_shape((2, 4)) == (2, 4)


@pytest.mark.parametrize("shape", ["x", None, 3, (-1, 4)])
def test_what_is_no_shape(shape):
    with pytest.raises(ValueError, match="shape"):
        layers.Dense(2).compute_output_shape(shape)


MASK = np.array([[True, True, False], [True, False, False]])


def test_masks_of_layers():
    x = np.arange(12.0, dtype=np.float32).reshape(2, 3, 2)
    assert layers.GlobalAveragePooling1D()(x, mask=MASK).tolist() == [[1.0, 2.0], [6.0, 7.0]]
    assert layers.GlobalAveragePooling1D("channels_first", keepdims=True)(np.swapaxes(x, 1, 2), mask=MASK).tolist() == [
        [[1.0], [2.0]],
        [[6.0], [7.0]],
    ]
    y = layers.Softmax()(np.arange(6.0).reshape(2, 3), mask=MASK)
    np.testing.assert_allclose(y, [[0.2689414, 0.7310586, 0.0], [1.0, 0.0, 0.0]], rtol=1e-5)
    assert layers.Softmax()(np.ones((1, 2)), mask=np.zeros((1, 2), bool)).tolist() == [[0.0, 0.0]]
    norm = layers.BatchNormalization()
    np.testing.assert_array_equal(norm(x, mask=MASK), norm(x))
    with pytest.raises(TypeError, match="mask"):
        layers.Dense(2)(X, mask=np.ones(1, bool))


class Sees(layers.Layer):
    """Says which mask it was given."""

    supports_masking = True

    def call(self, x, mask=None):
        return x if mask is None else ops.where(ops.expand_dims(mask, -1), x, -1.0)


def test_models_hand_masks_on():
    x = np.ones((2, 3, 2), np.float32)
    masked = np.where(MASK[..., None], x, -1)
    tensor = cconv.Input((3, 2))
    between = [layers.Dropout(0.5), layers.ReLU(), layers.Activation("relu"), layers.Identity()]
    y = tensor
    for layer in between:
        y = layer(y)
    for model in (
        cconv.Model(tensor, Sees()(y)),
        cconv.Sequential([cconv.Sequential([layers.ReLU()]), Sees()]),
        cconv.Model(tensor, cconv.Model(tensor, Sees()(tensor))(y)),
    ):
        np.testing.assert_array_equal(model(x, mask=MASK), masked)
        np.testing.assert_array_equal(model(x), x)
        np.testing.assert_array_equal(model(x, training=False, mask=None), x)
    # a layer that does not support masks hands none on
    stops = cconv.Sequential([cconv.Input((3, 2)), layers.MaxPooling1D(1), Sees()])
    np.testing.assert_array_equal(stops(x, mask=MASK), x)


def test_masks_of_several_inputs():
    a, b = cconv.Input((3, 2)), cconv.Input((3, 2))
    x = np.ones((2, 3, 2), np.float32)
    model = cconv.Model([a, b], Sees()(layers.Add()([a, b])))
    np.testing.assert_array_equal(model([x, x], mask=[MASK, ~MASK]), 2 * x)  # a step counts if it does in one
    np.testing.assert_array_equal(model([x, x], mask=[MASK, MASK]), np.where(MASK[..., None], 2 * x, -1))
    np.testing.assert_array_equal(model([x, x], mask=[MASK, None]), 2 * x)
    model = cconv.Model([a, b], Sees()(layers.Concatenate()([a, b])))
    np.testing.assert_array_equal(model([x, x], mask=[MASK, MASK])[..., 0], np.where(MASK, 1, -1))
    with pytest.raises(ValueError, match="mask"):
        model([x, x], mask=MASK)
    assert layers.Dense(2).compute_mask(x, 3) == 3


def test_slices_have_steps():
    x = cconv.Input((8, 6))
    assert x[:, ::2].shape == (None, 4, 6) and x[:, 1::3].shape == (None, 3, 6) and x[:, ::-1].shape == (None, 8, 6)
    assert x[..., ::2].shape == (None, 8, 3) and x[:, 5:1:-2].shape == (None, 2, 6) and x[:, None, ::2].shape[2] == 4
    data = np.arange(96.0, dtype=np.float32).reshape(2, 8, 6)
    keys = np.s_[:, ::2], np.s_[:, ::-1], np.s_[..., 1::3], np.s_[:, 6:0:-2, 1], np.s_[:, None, ::3, ::-2]
    for key in keys:
        model = cconv.Model(x, x[key])
        np.testing.assert_array_equal(model(data), data[key])
        again = cconv.Model.from_config(model.get_config())
        np.testing.assert_array_equal(again(data), data[key])
    variable = cconv.Variable(data)
    np.testing.assert_array_equal(variable[::-1, ::3], data[::-1, ::3])
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(4, use_bias=False), layers.Lambda(lambda y: y[:, ::2])])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(X, np.zeros((1, 2)), verbose=0)
    changed = model.get_weights()[0] != before
    assert changed[:, ::2].all() and not changed[:, 1::2].any()


def test_slices_that_cannot_be():
    x = cconv.Input((8,))
    for key, words in ((np.s_[:, ::0], "zero"), (np.s_[::2], "known size"), (np.s_[:, 4:2:2], "empty")):
        with pytest.raises(ValueError, match=words):
            x[key]


# ---- dtype= means something, or is refused


def with_dtype():
    for module in (layers, cconv.losses, cconv.metrics, cconv.initializers, ops):
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item) and issubclass(item, cconv.Initializer):
                if item is not cconv.Initializer:
                    yield f"{module.__name__}.{name}", lambda dtype, item=item: item()((2, 2), dtype=dtype)
                continue
            layer = inspect.isclass(item) and issubclass(item, layers.Layer)
            if (layer and item is not layers.Pipeline) or (
                callable(item) and "dtype" in inspect.signature(item).parameters
            ):
                yield f"{module.__name__}.{name}", lambda dtype, item=item: made(item, dtype)


def made(item, dtype):
    errors = []
    for args in (
        (),
        (2,),
        (2, 3),
        ("relu",),
        (0.5,),
        ((1,),),
        (ops.relu,),
        ([1.0],),
        ((2,), 1.0),
        (2, 2, 1),
        (layers.ReLU(),),
    ):
        try:
            return item(*args, dtype=dtype)
        except Exception as error:
            errors.append(error)
    raise next((e for e in errors if "dtype" in str(e)), errors[0])


@pytest.mark.parametrize("name, make", [pytest.param(*case, id=case[0]) for case in with_dtype()])
def test_other_dtypes_are_refused_at_once(name, make):
    for dtype in ("float16", "foo", 3, object()):
        with pytest.raises(ValueError, match="dtype"):
            make(dtype)


# ---- errors


class NoCall(layers.Layer):
    pass


class NoCallModel(cconv.Model):
    pass


class NotPlain(layers.Layer):
    def __init__(self, function):
        super().__init__()


MISSING = [
    lambda: NoCall()(X),
    lambda: NoCallModel()(X),
    lambda: cconv.Model()(X),
    lambda: NotPlain(len).get_config(),
    lambda: cconv.Loss()(X, X),
    lambda: cconv.Metric().update_state(X),
    lambda: cconv.Metric().result(),
    lambda: cconv.Initializer()((2,)),
    lambda: cconv.Regularizer()(X),
    lambda: cconv.optimizers.schedules.LearningRateSchedule()(1),
    lambda: cconv.optimizers.schedules.LearningRateSchedule().get_config(),
    lambda: cconv.utils.PyDataset()[0],
]


@pytest.mark.parametrize("use", MISSING)
def test_a_missing_method(use):
    with pytest.raises(NotImplementedError):
        use()


def test_a_missing_file(tmp_path):
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(2)])
    for name, use, error in (
        ("no.keras", cconv.models.load_model, ValueError),
        ("no", cconv.models.load_model, ValueError),
        ("no.h5", cconv.models.load_model, FileNotFoundError),
        ("no.weights.h5", model.load_weights, FileNotFoundError),
        ("no.keras", model.load_weights, FileNotFoundError),
        ("no.bin", model.load_weights, ValueError),
    ):
        with pytest.raises(error, match=name):
            use(str(tmp_path / name))
    with pytest.raises(ValueError, match="File not found"):
        cconv.models.load_model(str(tmp_path))


class TakesTwo(layers.Layer):
    def call(self, x, y=None):
        return x


class Passes(layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = TakesTwo()

    def call(self, x):
        return self.inner(x, 2)


@pytest.mark.parametrize(
    "use",
    [
        lambda: TakesTwo()(X, "flag"),
        lambda: TakesTwo()(X, True),
        lambda: TakesTwo()("flag", X),
        lambda: TakesTwo()(X, [X, 2.0]),
        lambda: TakesTwo()(cconv.Input((4,)), 2),
        lambda: Passes()(X),
    ],
)
def test_only_tensors_come_by_place(use):
    with pytest.raises(ValueError, match="only tensors may be positional"):
        use()


def test_what_may_come_by_place():
    for y in (None, X, np.float32(3), [X, None], cconv.Variable([1.0])):
        assert TakesTwo()(X, y).shape == X.shape
    assert TakesTwo()(X, y="flag").shape == X.shape


@pytest.mark.parametrize("trainable", ["yes", 1, None, 0.5, []])
def test_trainable_is_a_bool(trainable):
    for make in (lambda: layers.Dense(2, trainable=trainable), lambda: cconv.Sequential(trainable=trainable)):
        with pytest.raises(ValueError, match="`trainable` to be a boolean"):
            make()


class MakesWeight(layers.Layer):
    def call(self, x):
        return ops.matmul(x, self.add_weight(shape=(4, 2), name="late"))


class MakesVariable(layers.Layer):
    def call(self, x):
        self.late = cconv.Variable(np.ones((4, 2)))
        return ops.matmul(x, self.late)


class MakesLayer(cconv.Model):
    def call(self, x):
        self.late = layers.Dense(2, name="late")
        return self.late(x)


class MakesListed(cconv.Model):
    def __init__(self):
        super().__init__()
        self.parts = []

    def call(self, x):
        self.parts.append(layers.Dense(2, name="late"))
        return self.parts[-1](x)


@pytest.mark.parametrize("cls", [MakesWeight, MakesVariable, MakesLayer, MakesListed])
def test_weights_are_not_made_in_call(cls):
    for use in (lambda layer: layer(X), lambda layer: layer(cconv.Input((4,)))):
        with pytest.raises(ValueError, match=r"made in `__init__\(\)` or `build\(\)`.*'late'"):
            use(cls())


def test_what_call_may_set():
    class Sets(layers.Layer):
        def __init__(self):
            super().__init__()
            self.part = layers.Dense(2)

        def call(self, x):
            self.again = self.part  # an old one by another name
            self.last = self.part(x)
            return self.last

    layer = Sets()
    assert layer(X).shape == (1, 2) and len(layer.weights) == 2
    layer.part = layers.Dense(3)
    assert layer(X).shape == (1, 3)


@pytest.mark.parametrize("argument", ["loss", "metrics", "loss_weights"])
def test_a_wrong_key(argument):
    x = cconv.Input((4,))
    model = cconv.Model(x, {"out": layers.Dense(2)(x)})
    with pytest.raises(KeyError, match=f"`{argument}`.*'out'.*'wrong'"):
        model.compile("sgd", **{"loss": {"out": "mse"}, argument: {"wrong": 2.0 if "weights" in argument else "mae"}})
