"""Wrong uses of compile, fit, evaluate and predict: each message names what was expected and what was received."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.data import make_data


def model(loss="sparse_categorical_crossentropy", units=3, activation="softmax", shape=(4,), **arguments):
    made = cconv.Sequential(
        [cconv.Input(shape, name="pixels"), layers.Flatten(), layers.Dense(units, activation, name="kind")]
    )
    made.compile(**{"optimizer": "sgd", "loss": loss, **arguments})
    return made


X = np.zeros((6, 4), np.float32)
Y = np.array([0, 1, 2, 0, 1, 2])
ONE_HOT = np.eye(3)[Y]


def two_outputs():
    x = cconv.Input((4,), name="pixels")
    made = cconv.Model(x, [layers.Dense(3, activation="softmax", name="kind")(x), layers.Dense(1, name="size")(x)])
    made.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    return made


# name: (call, exception, words the message must hold)
WRONG = {
    "fit before compile": (
        lambda: cconv.Sequential([cconv.Input((4,)), layers.Dense(1)]).fit(X, Y),
        ValueError,
        ["compile()", "fit()"],
    ),
    "evaluate before compile": (
        lambda: cconv.Sequential([cconv.Input((4,)), layers.Dense(1)]).evaluate(X, Y),
        ValueError,
        ["compile()", "evaluate()"],
    ),
    "train_on_batch before compile": (
        lambda: cconv.Sequential([cconv.Input((4,)), layers.Dense(1)]).train_on_batch(X, Y),
        ValueError,
        ["compile()", "train_on_batch()"],
    ),
    "x and y of different lengths": (lambda: model().fit(X, Y[:5]), ValueError, ["x: 6", "y: 5"]),
    "sample weights of another length": (
        lambda: model().fit(X, Y, sample_weight=np.ones(3)),
        ValueError,
        ["x: 6", "sample_weight: 3"],
    ),
    "no samples": (lambda: model().fit(X[:0], Y[:0]), ValueError, ["at least one sample", "0"]),
    "no samples to predict": (lambda: model().predict(X[:0]), ValueError, ["at least one sample", "0"]),
    "label too high": (lambda: model().fit(X, Y + 1), ValueError, ["kind", "0 to 2", "1 to 3", "sample 2"]),
    "label negative": (lambda: model().fit(X, Y - 1), ValueError, ["kind", "0 to 2", "-1 to 1", "sample 0"]),
    "one label of the last batch too high": (
        lambda: model().fit(np.zeros((100, 4)), np.where(np.arange(100) == 99, 7, 0), batch_size=10),
        ValueError,
        ["0 to 2", "7", "sample 99"],
    ),
    "label not an integer": (lambda: model().fit(X, Y + 0.5), ValueError, ["integers", "0.5", "sample 0"]),
    "label not a number": (lambda: model().fit(X, Y * np.nan), ValueError, ["integers", "nan", "sample 0"]),
    "label in validation too high": (
        lambda: model().fit(X, Y, validation_data=(X, Y + 1)),
        ValueError,
        ["validation", "0 to 2", "1 to 3"],
    ),
    "label too high in train_on_batch": (lambda: model().train_on_batch(X, Y + 1), ValueError, ["0 to 2", "1 to 3"]),
    "label too high in evaluate": (lambda: model().evaluate(X, Y + 1), ValueError, ["0 to 2", "1 to 3"]),
    "one-hot labels for class numbers": (lambda: model().fit(X, ONE_HOT), ValueError, ["kind", "(None, 3)"]),
    "class numbers for one-hot labels": (
        lambda: model("categorical_crossentropy").fit(X, Y),
        ValueError,
        ["kind", "categorical_crossentropy", "(None, 3)"],
    ),
    "one-hot labels of another width": (
        lambda: model("categorical_crossentropy").fit(X, np.eye(4)[Y]),
        ValueError,
        ["kind", "(None, 4)", "(None, 3)"],
    ),
    "targets of another width": (
        lambda: model("mse").fit(X, np.zeros((6, 2))),
        ValueError,
        ["kind", "(None, 2)", "(None, 3)"],
    ),
    "no labels": (lambda: model().fit(X), ValueError, ["kind", "labels", "None"]),
    "labels None in evaluate": (lambda: model().evaluate(X), ValueError, ["kind", "labels", "None"]),
    "no loss": (lambda: model(None).fit(X, Y), ValueError, ["No loss", "compile()"]),
    "x of another rank": (
        lambda: model(shape=(8, 8, 1)).fit(np.zeros((6, 8, 8, 8, 1)), Y),
        ValueError,
        ["pixels", "(None, 8, 8, 1)", "(6, 8, 8, 8, 1)"],
    ),
    "x with other channels": (
        lambda: model(shape=(8, 8, 1)).predict(np.zeros((6, 8, 8, 3))),
        ValueError,
        ["pixels", "(None, 8, 8, 1)", "(6, 8, 8, 3)"],
    ),
    "x with other features": (lambda: model().predict(np.zeros((6, 5))), ValueError, ["(None, 4)", "(6, 5)"]),
    "one sample without its batch axis": (lambda: model().predict(np.zeros(4)), ValueError, ["(None, 4)", "(4,)"]),
    "x is a number": (lambda: model().predict(np.float32(3)), ValueError, ["x", "single number"]),
    "x is None": (lambda: model().fit(None, Y), TypeError, ["NumPy arrays", "NoneType"]),
    "x is text": (lambda: model().predict("digits.npy"), TypeError, ["NumPy arrays", "str"]),
    "x holds objects": (
        lambda: model().predict(np.array([[1, 2], [3]], dtype=object)),
        TypeError,
        ["numbers", "object"],
    ),
    "x holds rows of different lengths": (lambda: model().predict([[1, 2], [3]]), TypeError, ["numbers"]),
    "x holds text": (lambda: model().predict(np.array([["a"] * 4])), TypeError, ["numbers", "<U1"]),
    "x is complex": (lambda: model().predict(X.astype(complex)), TypeError, ["numbers", "complex128"]),
    "two arrays for one input": (lambda: model().fit([X, X], Y), ValueError, ["1 array", "pixels", "2"]),
    "dictionary without the input": (lambda: model().fit({"image": X}, Y), ValueError, ["pixels", "image"]),
    "one array of labels for two outputs": (lambda: two_outputs().fit(X, Y), ValueError, ["kind", "size", "2 arrays"]),
    "labels by a wrong name": (
        lambda: two_outputs().fit(X, {"kind": Y, "weight": Y}),
        ValueError,
        ["kind", "size", "weight"],
    ),
    "labels of one of two outputs": (lambda: two_outputs().fit(X, {"kind": Y}), ValueError, ["size", "['kind']"]),
    "class weights for two outputs": (
        lambda: two_outputs().fit(X, [Y, Y], class_weight={0: 1.0}),
        ValueError,
        ["class_weight", "one output", "2"],
    ),
    "class weights and sample weights": (
        lambda: model().fit(X, Y, class_weight={0: 1.0}, sample_weight=np.ones(6)),
        ValueError,
        ["class_weight", "sample_weight"],
    ),
    "class weights as a list": (lambda: model().fit(X, Y, class_weight=[1, 2]), TypeError, ["dictionary", "[1, 2]"]),
    "class weight by name": (
        lambda: model().fit(X, Y, class_weight={"cat": 1.0}),
        ValueError,
        ["class numbers", "'cat'"],
    ),
    "class weight NaN": (lambda: model().fit(X, Y, class_weight={0: float("nan")}), ValueError, ["finite", "nan"]),
    "sample weight NaN": (
        lambda: model().fit(X, Y, sample_weight=np.full(6, np.nan)),
        ValueError,
        ["sample_weight", "finite"],
    ),
    "sample weights of a wrong shape": (
        lambda: model().fit(X, Y, sample_weight=np.ones((6, 2))),
        ValueError,
        ["weight", "(None, 2)"],
    ),
    "batch size 0": (lambda: model().fit(X, Y, batch_size=0), ValueError, ["batch_size", "at least 1", "0"]),
    "batch size negative": (lambda: model().fit(X, Y, batch_size=-8), ValueError, ["batch_size", "-8"]),
    "batch size not an integer": (lambda: model().fit(X, Y, batch_size=2.5), ValueError, ["batch_size", "2.5"]),
    "batch size NaN": (lambda: model().predict(X, batch_size=float("nan")), ValueError, ["batch_size", "nan"]),
    "epochs negative": (lambda: model().fit(X, Y, epochs=-1), ValueError, ["epochs", "-1"]),
    "epochs NaN": (lambda: model().fit(X, Y, epochs=float("nan")), ValueError, ["epochs", "nan"]),
    "initial_epoch negative": (lambda: model().fit(X, Y, initial_epoch=-1), ValueError, ["initial_epoch", "-1"]),
    "steps_per_epoch 0": (lambda: model().fit(X, Y, steps_per_epoch=0), ValueError, ["steps_per_epoch", "0"]),
    "validation_freq 0": (lambda: model().fit(X, Y, validation_freq=0), ValueError, ["validation_freq", "0"]),
    "validation_split 1": (lambda: model().fit(X, Y, validation_split=1.0), ValueError, ["validation_split", "1.0"]),
    "validation_split negative": (
        lambda: model().fit(X, Y, validation_split=-0.1),
        ValueError,
        ["validation_split", "-0.1"],
    ),
    "validation_split NaN": (
        lambda: model().fit(X, Y, validation_split=float("nan")),
        ValueError,
        ["validation_split", "nan"],
    ),
    "validation_split leaves nothing": (
        lambda: model().fit(X[:1], Y[:1], validation_split=0.5),
        ValueError,
        ["validation_split=0.5", "1 samples"],
    ),
    "validation_data is an array": (lambda: model().fit(X, Y, validation_data=X), ValueError, ["(x, y)", "ndarray"]),
    "validation_data of four": (lambda: model().fit(X, Y, validation_data=(X, Y, Y, Y)), ValueError, ["(x, y)", "4"]),
    "validation_data of another shape": (
        lambda: model().fit(X, Y, validation_data=(np.zeros((6, 5)), Y)),
        ValueError,
        ["(None, 4)", "(6, 5)"],
    ),
    "verbose 3": (lambda: model().fit(X, Y, verbose=3), ValueError, ["verbose", "3"]),
    "shuffle by name": (lambda: model().fit(X, Y, shuffle="yes"), ValueError, ["shuffle", "'batch'", "'yes'"]),
    "callback class": (
        lambda: model().fit(X, Y, callbacks=[cconv.callbacks.TerminateOnNaN], verbose=0),
        TypeError,
        ["Callback", "TerminateOnNaN()"],
    ),
    "callback function": (lambda: model().fit(X, Y, callbacks=[print], verbose=0), TypeError, ["Callback", "print"]),
    "y beside a generator": (lambda: model().fit(iter([(X, Y)]), Y), ValueError, ["`y`", "batches"]),
    "generator without batches": (lambda: model().fit(iter([])), ValueError, ["at least one batch"]),
    "unknown loss": (lambda: model("mean_cubed_error"), ValueError, ["mean_cubed_error", "mean_squared_error"]),
    "unknown metric": (lambda: model(metrics=["acuracy"]), ValueError, ["acuracy", "accuracy"]),
    "unknown optimizer": (lambda: model(optimizer="sgdd"), ValueError, ["sgdd", "sgd"]),
    "fit with optimizer None": (lambda: model(optimizer=None).fit(X, Y), ValueError, ["fit", "optimizer=None"]),
    "metrics as text": (lambda: model(metrics="accuracy"), ValueError, ["metrics", "list", "'accuracy'"]),
    "losses for outputs that are not there": (lambda: model(["mse", "mse"]), ValueError, ["loss", "kind", "2"]),
    "loss by a wrong name": (lambda: model({"size": "mse"}), KeyError, ["loss", "kind", "size"]),
    "loss weights that do not fit": (lambda: model(loss_weights=[1.0, 2.0]), ValueError, ["loss_weights", "kind", "2"]),
    "loss weight NaN": (lambda: model(loss_weights=[float("nan")]), ValueError, ["loss_weights", "finite", "nan"]),
    "steps_per_execution": (lambda: model(steps_per_execution=0), ValueError, ["steps_per_execution", "0"]),
    "jit_compile": (lambda: model(jit_compile="yes"), ValueError, ["jit_compile", "yes"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(name):
    call, exception, words = WRONG[name]
    with pytest.raises(exception) as caught:
        call()
    message = str(caught.value)
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"


def test_there_are_enough_wrong_uses():
    assert len(WRONG) >= 60


def test_a_refused_fit_changes_nothing():
    made = model()
    before = made.get_weights()
    with pytest.raises(ValueError):
        made.fit(np.zeros((100, 4)), np.where(np.arange(100) == 99, 7, 0), batch_size=10, verbose=0)
    for old, new in zip(before, made.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert made.optimizer.iterations == 0
    made.fit(X, Y, verbose=0)


def test_memory_that_cannot_be_had_is_a_memory_error():
    made = cconv.Sequential([cconv.Input((4,)), layers.Dense(3)])
    made.compile("sgd", "mse")
    # One row, but a plan for 2**50 of them: refused when its arena is laid out, long before a run.
    with pytest.raises(MemoryError):
        made._trainer.step("predict", make_data(X, inputs=None, outputs=None), 2**50)
    assert made.predict(X, verbose=0).shape == (6, 3)


def test_label_that_the_loss_ignores_is_not_out_of_range():
    loss = cconv.losses.SparseCategoricalCrossentropy(ignore_class=255)
    made = model(loss)
    made.fit(X, np.where(Y == 2, 255, Y), verbose=0)
    with pytest.raises(ValueError, match="0 to 2"):
        made.fit(X, np.where(Y == 2, 254, Y), verbose=0)
