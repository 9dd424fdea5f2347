"""Layers and models taken apart: the values, shapes and kinds of errors beside Keras'."""

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

X = np.arange(12.0, dtype=np.float32).reshape(2, 3, 2)
MASK = np.array([[True, True, False], [True, False, False]])


def value(x):
    return np.asarray(x.detach().cpu().numpy() if hasattr(x, "detach") else x)


def penalties(k):
    layer = k.layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l2", kernel_initializer="ones")
    layer(X)
    layer(2 * X)
    return np.array([float(value(x)) for x in layer.losses])


def other_size(k):
    model = k.Sequential([k.layers.Conv2D(2, 3, kernel_initializer="ones"), k.layers.GlobalAveragePooling2D()])
    model(np.ones((1, 8, 8, 1), np.float32))
    return model.predict(np.ones((1, 12, 12, 1), np.float32), verbose=0)


def through_a_model(k):
    x = k.Input((3, 2))
    y = k.layers.GlobalAveragePooling1D()(k.layers.Activation("relu")(k.layers.Dropout(0.5)(x)))
    return k.Model(x, y)(X, mask=MASK)


SAME = {
    "pooling": lambda k: k.layers.GlobalAveragePooling1D()(X, mask=MASK),
    "softmax": lambda k: k.layers.Softmax()(X[..., 0], mask=MASK),
    "mask of a model": through_a_model,
    "mask of a stack": lambda k: k.Sequential([k.layers.ReLU(), k.layers.GlobalAveragePooling1D()])(X, mask=MASK),
    "penalties": penalties,
    "other size": other_size,
    "slices": lambda k: np.array(k.Input((8, 6))[:, 5:1:-2, ::4].shape[1:]),
}


@pytest.mark.parametrize("name", SAME)
def test_values(name):
    np.testing.assert_allclose(value(SAME[name](cconv)), value(SAME[name](keras)), rtol=1e-5, atol=1e-6)


def without_call(k):
    return type("Without", (k.layers.Layer,), {})()(X)


def weight_in_call(k):
    def call(self, x):
        return x * self.add_weight(shape=(), name="late")

    return type("Late", (k.layers.Layer,), {"call": call})()(X)


def by_place(k):
    return type("Takes", (k.layers.Layer,), {"call": lambda self, x, y=None: x})()(X, "flag")


def wrong_key(k):
    x = k.Input((3, 2))
    model = k.Model(x, {"out": k.layers.Dense(2)(x)})
    model.compile("sgd", loss={"wrong": "mse"})
    model.fit(X, {"out": X}, verbose=0)


WRONG = {
    "no call": without_call,
    "weight in call": weight_in_call,
    "text by place": by_place,
    "wrong key": wrong_key,
    "trainable": lambda k: k.layers.Dense(2, trainable="yes"),
    "add_loss": lambda k: k.layers.Dense(2).add_loss(0.5),
    "no file": lambda k: k.models.load_model("/nowhere/model.keras"),
    "no loss": lambda k: k.losses.Loss()(X, X),
    "no metric": lambda k: k.metrics.Metric().result(),
    "no initializer": lambda k: k.initializers.Initializer()((2,)),
    "step 0": lambda k: k.Input((8,))[:, ::0],
    "unknown argument": lambda k: k.layers.Dense(2, foo=1),
    "unknown argument of fit": lambda k: k.Sequential([k.layers.Dense(2)]).fit(X, epoch=1),
}


@pytest.mark.parametrize("name", WRONG)
def test_kinds_of_errors(name):
    with pytest.raises(Exception) as theirs:
        WRONG[name](keras)
    with pytest.raises(type(theirs.value)):
        WRONG[name](cconv)
