"""`steps_per_execution`: what callbacks hear of several batches; the steps themselves are the same."""

import numpy as np
import pytest

import cconv

X, Y = np.random.default_rng(0).normal(size=(32, 3)).astype("float32"), np.ones((32, 1), "float32")


class Noting(cconv.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.heard = []

    def on_train_batch_begin(self, batch, logs=None):
        self.heard.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.heard.append(("end", batch, round(logs["loss"], 5)))

    def on_test_batch_end(self, batch, logs=None):
        self.heard.append(("test", batch))

    def on_predict_batch_end(self, batch, logs=None):
        self.heard.append(("predict", batch, logs["outputs"].shape))


def model(steps):
    cconv.utils.set_random_seed(3)
    made = cconv.Sequential([cconv.Input((3,)), cconv.layers.Dense(1)])
    made.compile("sgd", "mse", steps_per_execution=steps)
    return made


def test_callbacks_hear_of_groups_of_batches():
    noting, single = Noting(), Noting()
    made = model(3)
    history = made.fit(X, Y, 4, verbose=0, callbacks=[noting], validation_data=(X[:16], Y[:16]), shuffle=False)
    model(1).fit(X, Y, 4, verbose=0, callbacks=[single], shuffle=False)
    ends = [event for event in single.heard if event[0] == "end"]
    assert noting.heard[:6] == [("begin", 0), ends[2], ("begin", 3), ends[5], ("begin", 6), ends[7]]
    assert noting.heard[6:] == [("test", 2), ("test", 3)]
    assert round(history.history["loss"][0], 5) == ends[7][2]


def test_predictions_of_a_group_are_told_together():
    noting = Noting()
    made = model(3)
    y = made.predict(X, batch_size=5, verbose=0, callbacks=[noting])
    assert noting.heard == [("predict", 2, (15, 1)), ("predict", 5, (15, 1)), ("predict", 6, (2, 1))]
    np.testing.assert_array_equal(y, model(1).predict(X, verbose=0))


def test_weights_are_the_same():
    results = []
    for steps in (1, 3, 100):
        made = model(steps)
        made.fit(X, Y, 4, epochs=2, verbose=0)
        results.append(made.get_weights())
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("jit", ["auto", True, False, None])
def test_what_was_asked_for_is_saved(jit):
    made = cconv.Sequential([cconv.Input((3,)), cconv.layers.Dense(1)])
    made.compile("sgd", "mse", steps_per_execution=7, jit_compile=jit)
    config = made.get_compile_config()
    assert config["steps_per_execution"] == 7 and config["jit_compile"] is (jit is True)
    other = cconv.Sequential([cconv.Input((3,)), cconv.layers.Dense(1)])
    other.compile_from_config(config)
    assert other.get_compile_config() == config


@pytest.mark.parametrize("steps", [0, -1, 1.5, "2", None, True])
def test_what_is_no_number_of_batches(steps):
    with pytest.raises(ValueError, match="steps_per_execution"):
        model(steps)
