"""Training beside Keras: the same weights and batches in, the same losses, weights, logs and results out."""

import keras
import numpy as np
import pytest

import cconv

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 10, 10, 2)).astype(np.float32)
KIND = RANDOM.integers(0, 4, 80)
SIZE = RANDOM.normal(size=(80, 1)).astype(np.float32)
WEIGHTS = RANDOM.uniform(0.2, 2, 80).astype(np.float32)


def convnet(library):
    layers = library.layers
    return library.Sequential(
        [
            library.Input((10, 10, 2)),
            layers.Conv2D(6, 3, activation="relu", padding="same", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, activation="tanh"),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(4, activation="softmax"),
        ]
    )


def two_headed(library):
    layers = library.layers
    x = library.Input((10, 10, 2), name="image")
    features = layers.Flatten()(layers.AveragePooling2D(2)(layers.Conv2D(4, 3, activation="relu")(x)))
    kind = layers.Dense(4, activation="softmax", name="kind")(features)
    return library.Model(x, [kind, layers.Dense(1, name="size")(features)])


def pair(make):
    """The same model in Keras and cconv, with the same weights."""
    theirs, ours = make(keras), make(cconv)
    ours.set_weights(theirs.get_weights())
    return theirs, ours


OPTIMIZERS = {
    "sgd": lambda library: library.optimizers.SGD(0.05),
    "momentum": lambda library: library.optimizers.SGD(0.02, momentum=0.9),
    "nesterov": lambda library: library.optimizers.SGD(0.02, momentum=0.9, nesterov=True),
    "adam": lambda library: library.optimizers.Adam(0.002),
    "rmsprop": lambda library: library.optimizers.RMSprop(0.001),
    "clipnorm": lambda library: library.optimizers.SGD(0.1, clipnorm=0.5),
    "decay": lambda library: library.optimizers.SGD(library.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps(name):
    models = pair(convnet)
    for library, model in zip((keras, cconv), models):
        model.compile(OPTIMIZERS[name](library), "sparse_categorical_crossentropy")
    losses = [[], []]
    for step in range(20):
        rows = np.arange(step * 16, step * 16 + 16) % len(X)
        for values, model in zip(losses, models):
            values.append(float(model.train_on_batch(X[rows], KIND[rows])))
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-4)
    for theirs, ours in zip(models[0].weights, models[1].weights):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=3e-4, err_msg=ours.path)


def equal_logs(ours, theirs, rtol=2e-4):
    assert list(ours) == list(theirs)
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"validation_split": 0.25},
        {"sample_weight": WEIGHTS},
        {"class_weight": {0: 2.0, 3: 0.1}},
        {"validation_data": (X[:30], KIND[:30], WEIGHTS[:30]), "validation_batch_size": 7},
        {"steps_per_epoch": 3},
    ],
    ids=lambda arguments: "-".join(arguments) or "plain",
)
def test_fit(arguments):
    models = pair(convnet)
    histories = []
    for library, model in zip((keras, cconv), models):
        model.compile(
            library.optimizers.SGD(0.05),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            weighted_metrics=["accuracy"],
        )
        history = model.fit(X, KIND, batch_size=24, epochs=2, shuffle=False, verbose=0, **arguments)
        histories.append(history.history)
    equal_logs(histories[1], histories[0])


def compile_two(library, model):
    model.compile(
        library.optimizers.Adam(0.001),
        loss={"kind": "sparse_categorical_crossentropy", "size": "mse"},
        loss_weights={"kind": 0.5, "size": 2.0},
        metrics={"kind": ["accuracy"], "size": ["mae", "mse"]},
    )


def test_two_outputs():
    models = pair(two_headed)
    histories, results, named = [], [], []
    for library, model in zip((keras, cconv), models):
        compile_two(library, model)
        history = model.fit(
            X,
            [KIND, SIZE],
            batch_size=24,
            epochs=2,
            shuffle=False,
            verbose=0,
            validation_split=0.2,
            sample_weight=WEIGHTS,
        )
        histories.append(history.history)
        results.append(model.evaluate(X, {"kind": KIND, "size": SIZE}, verbose=0))
        named.append(model.evaluate(X, [KIND, SIZE], verbose=0, return_dict=True))
    equal_logs(histories[1], histories[0])
    np.testing.assert_allclose(results[1], results[0], rtol=2e-4)
    assert set(named[1]) == set(named[0])
    for ours, theirs in zip(models[1].predict(X, verbose=0), models[0].predict(X, verbose=0)):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_evaluate_and_predict():
    theirs, ours = pair(convnet)
    for model in (theirs, ours):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    for arguments in ({}, {"batch_size": 7}, {"sample_weight": WEIGHTS}, {"steps": 2}):
        expected = theirs.evaluate(X, KIND, verbose=0, **arguments)
        np.testing.assert_allclose(ours.evaluate(X, KIND, verbose=0, **arguments), expected, rtol=1e-5)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), atol=1e-5)
    np.testing.assert_allclose(ours.predict_on_batch(X[:5]), theirs.predict_on_batch(X[:5]), atol=1e-5)


@pytest.mark.parametrize(
    "loss, units, activation, labels",
    [
        ("binary_crossentropy", 1, "sigmoid", (KIND > 1).astype("float32")),
        ("categorical_crossentropy", 4, "softmax", np.eye(4, dtype="float32")[KIND]),
        ("crossentropy", 4, "softmax", KIND),
        ("mse", 1, None, SIZE[:, 0]),
        ("mae", 1, None, SIZE),
        ("hinge", 1, "tanh", np.where(KIND > 1, 1.0, -1.0).astype("float32")),
        ("kl_divergence", 4, "softmax", np.eye(4, dtype="float32")[KIND]),
    ],
)
def test_losses_and_accuracy_by_name(loss, units, activation, labels):
    histories = []

    def make(library):
        layers = library.layers
        return library.Sequential([library.Input((10, 10, 2)), layers.Flatten(), layers.Dense(units, activation)])

    for model in pair(make):
        model.compile("sgd", loss, metrics=["accuracy"])
        history = model.fit(X, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
        histories.append(history.history)
    equal_logs(histories[1], histories[0])


def test_display_has_the_same_words(capsys):
    lines = []
    for model in pair(convnet):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, KIND, epochs=2, verbose=2, shuffle=False)
        lines.append(capsys.readouterr().out.splitlines())
    words = [
        [[word.rstrip("0123456789.e-") for word in line.split() if "/step" not in word] for line in own]
        for own in lines
    ]
    assert words[1] == words[0]


def test_frozen_batch_normalization():
    models = pair(convnet)
    for library, model in zip((keras, cconv), models):
        model.layers[1].trainable = False
        model.compile(library.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
        model.fit(X, KIND, shuffle=False, verbose=0)
    for theirs, ours in zip(models[0].weights, models[1].weights):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-4, err_msg=ours.path)


def test_callbacks_reach_the_same_rates():
    rates = []
    for library, model in zip((keras, cconv), pair(convnet)):
        model.compile(library.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        watch = [
            library.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=0.05),
            library.callbacks.EarlyStopping(monitor="loss", patience=3, min_delta=0.02),
        ]
        history = model.fit(X, KIND, epochs=8, shuffle=False, verbose=0, callbacks=watch)
        rates.append(history.history["learning_rate"])
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-6)
