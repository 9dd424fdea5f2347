"""What fit, evaluate, predict and their kin return. Comparisons with Keras are in peers/test_training.py."""

import io
import sys
import warnings

import numpy as np
import pytest

import cconv
from cconv import layers


def dense_model(units=3, features=4, activation="softmax", **compile_arguments):
    model = cconv.Sequential([cconv.Input((features,)), layers.Dense(units, activation=activation)])
    model.compile(
        **{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compile_arguments}
    )
    return model


def classes(n=50, features=4, count=3, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, features)).astype(np.float32)
    return x, np.argmax(x[:, :count], axis=1)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def numpy_sgd(x, y, w, b, order, batch_size, rate, weights=None):
    """Softmax regression in float64 NumPy; returns the weights, and the mean loss as fit reports it."""
    w, b, losses, seen = w.astype(float), b.astype(float), 0.0, 0
    weights = np.ones(len(x)) if weights is None else weights
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        p = softmax(x[rows] @ w + b)
        losses += np.sum(-weights[rows] * np.log(p[np.arange(len(rows)), y[rows]]))
        seen += len(rows)
        d = (p - np.eye(w.shape[1])[y[rows]]) * weights[rows, None] / len(rows)
        w -= rate * x[rows].T @ d
        b -= rate * d.sum(0)
    return w, b, losses / seen


def test_one_epoch_is_gradient_descent_and_the_last_batch_may_be_smaller():
    x, y = classes(50)
    model = dense_model(optimizer=cconv.optimizers.SGD(0.5))
    w, b = model.get_weights()
    history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    expected_w, expected_b, loss = numpy_sgd(x, y, w, b, np.arange(50), 16, 0.5)
    np.testing.assert_allclose(model.get_weights()[0], expected_w, atol=2e-6)
    np.testing.assert_allclose(model.get_weights()[1], expected_b, atol=2e-6)
    np.testing.assert_allclose(history.history["loss"], [loss], rtol=1e-5)


@pytest.mark.parametrize("how", ["sample_weight", "class_weight"])
def test_weights_scale_the_loss_of_their_samples(how):
    x, y = classes(40)
    weights = np.where(y == 1, 3.0, np.where(y == 2, 0.5, 1.0))
    given = {"sample_weight": weights} if how == "sample_weight" else {"class_weight": {1: 3.0, 2: 0.5}}
    model = dense_model(optimizer=cconv.optimizers.SGD(0.5))
    w, b = model.get_weights()
    history = model.fit(x, y, batch_size=8, shuffle=False, verbose=0, **given)
    expected_w, _, loss = numpy_sgd(x, y, w, b, np.arange(40), 8, 0.5, weights)
    np.testing.assert_allclose(model.get_weights()[0], expected_w, atol=2e-6)
    np.testing.assert_allclose(history.history["loss"], [loss], rtol=1e-5)


def test_class_weight_reads_one_hot_labels():
    x, y = classes(24)
    states = []
    for labels, loss in ((y, "sparse_categorical_crossentropy"), (np.eye(3)[y], "categorical_crossentropy")):
        cconv.utils.set_random_seed(1)
        model = dense_model(loss=loss)
        model.fit(x, labels, shuffle=False, verbose=0, class_weight={0: 2.0, 2: 0.25})
        states.append(model.get_weights()[0])
    np.testing.assert_allclose(states[0], states[1], atol=1e-6)


def test_every_epoch_sees_every_sample_once_in_a_new_order():
    from cconv.data import ArrayFeed, make_data

    data = make_data(np.arange(10.0)[:, None], inputs=None, outputs=None)
    feed = ArrayFeed(data, 4, None, True, seed=5)
    epochs = [np.concatenate([rows for _, rows, _ in feed.epoch()]) for _ in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert len({tuple(epoch) for epoch in epochs}) == 3
    batches = [rows for _, rows, _ in ArrayFeed(data, 4, None, "batch", seed=5).epoch()]
    assert sorted(len(rows) for rows in batches) == [2, 4, 4]
    assert all((np.diff(rows) == 1).all() for rows in batches)


def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped():
    from cconv.data import ArrayFeed, make_data

    data = make_data(np.arange(10.0)[:, None], inputs=None, outputs=None)
    feed = ArrayFeed(data, 2, 2, False)
    first, second = ([rows.tolist() for _, rows, _ in feed.epoch()] for _ in range(2))
    assert first == [[0, 1], [2, 3]] and second == [[4, 5], [6, 7]]
    with pytest.warns(UserWarning, match="ran out"):
        assert [rows.tolist() for _, rows, _ in feed.epoch()] == [[8, 9]]


def test_validation_split_takes_the_end_before_shuffling():
    x, y = classes(50)
    model = dense_model(optimizer=cconv.optimizers.SGD(0.0))
    history = model.fit(x, y, validation_split=0.3, verbose=0).history
    assert list(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    held_out = model.evaluate(x[35:], y[35:], verbose=0)
    np.testing.assert_allclose([history["val_loss"][0], history["val_accuracy"][0]], held_out, rtol=1e-6)
    np.testing.assert_allclose(history["loss"][0], model.evaluate(x[:35], y[:35], verbose=0)[0], rtol=1e-5)


def test_validation_data_and_frequency():
    x, y = classes(20)
    model = dense_model()
    history = model.fit(x, y, epochs=5, validation_data=(x, y, np.ones(20)), validation_freq=2, verbose=0).history
    assert len(history["loss"]) == 5 and len(history["val_loss"]) == 2
    history = model.fit(x, y, epochs=5, validation_data=(x, y), validation_freq=[1, 4, 5], verbose=0).history
    assert len(history["val_loss"]) == 3


def test_initial_epoch_counts_from_there():
    x, y = classes(20)
    model = dense_model()
    history = model.fit(x, y, epochs=7, initial_epoch=4, verbose=0)
    assert history.epoch == [4, 5, 6]
    assert model.history is history


def test_it_learns():
    x, y = classes(300)
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    model.compile(cconv.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=20, verbose=0).history
    assert history["accuracy"][-1] > 0.93 and history["loss"][-1] < history["loss"][0] / 3


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.float16, np.float32, np.float64, bool])
def test_arrays_of_any_number_type_are_accepted(dtype):
    x = (np.arange(24).reshape(6, 4) % 2).astype(dtype)
    model = dense_model()
    expected = softmax(x.astype(float) @ model.get_weights()[0] + model.get_weights()[1])
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-6)


def test_arrays_of_any_layout_are_accepted():
    x, y = classes(30)
    model = dense_model()
    expected = model.predict(x, verbose=0)
    wide = np.repeat(x, 2, axis=1)
    for same in (np.asfortranarray(x), wide[:, ::2], x[::-1][::-1], x.astype(">f4"), x.tolist()):
        np.testing.assert_array_equal(model.predict(same, verbose=0), expected)
    x.flags.writeable = False
    model.fit(x, y.tolist(), verbose=0)


def test_predict_does_not_depend_on_the_batch_size():
    x, _ = classes(33)
    model = dense_model()
    expected = model.predict(x, verbose=0)
    for batch_size in (1, 7, 32, 33, 1000):
        np.testing.assert_array_equal(model.predict(x, batch_size=batch_size, verbose=0), expected)
    np.testing.assert_array_equal(model.predict_on_batch(x), expected)
    assert model.predict(x, batch_size=8, steps=2, verbose=0).shape == (16, 3)


def test_predict_returns_a_new_array_each_time():
    x, _ = classes(8)
    model = dense_model()
    first = model.predict(x, verbose=0)
    copy = first.copy()
    model.predict(x[::-1], verbose=0)
    np.testing.assert_array_equal(first, copy)


def test_train_on_batch_and_test_on_batch():
    x, y = classes(20)
    model = dense_model(optimizer=cconv.optimizers.SGD(0.5))
    before = model.test_on_batch(x, y, return_dict=True)
    assert list(before) == ["accuracy", "loss"]
    np.testing.assert_allclose(model.train_on_batch(x, y), [before["loss"], before["accuracy"]], rtol=1e-6)
    assert model.test_on_batch(x, y)[0] < before["loss"]
    assert model.optimizer.iterations == 1
    weighted = model.test_on_batch(x, y, sample_weight=np.full(20, 2.0))
    np.testing.assert_allclose(weighted[0], 2 * model.test_on_batch(x, y)[0], rtol=1e-6)


def test_evaluate_returns_a_number_a_list_or_a_dictionary():
    x, y = classes(20)
    assert isinstance(dense_model(metrics=None).evaluate(x, y, verbose=0), float)
    model = dense_model()
    values = model.evaluate(x, y, verbose=0)
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    assert values == [named["loss"], named["accuracy"]]
    assert model.metrics_names == ["loss", "accuracy"]
    labels = model.predict(x, verbose=0).argmax(1)
    np.testing.assert_allclose(named["accuracy"], np.mean(labels == y), rtol=1e-6)


def two_outputs(**arguments):
    a, b = cconv.Input((4,), name="a"), cconv.Input((2,), name="b")
    both = layers.Concatenate()([a, b])
    model = cconv.Model(
        [a, b], [layers.Dense(3, activation="softmax", name="kind")(both), layers.Dense(1, name="size")(a)]
    )
    model.compile(**{"optimizer": "sgd", "loss": ["sparse_categorical_crossentropy", "mse"], **arguments})
    return model


def two_arrays(n=24):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(n, 4)).astype("float32"), random.normal(size=(n, 2)).astype("float32")
    return a, b, random.integers(0, 3, n), random.normal(size=(n, 1))


def test_several_inputs_and_outputs_by_position_and_by_name():
    a, b, kind, size = two_arrays()
    model = two_outputs(metrics={"kind": ["accuracy"], "size": ["mae", "mse"]})
    lists = model.evaluate([a, b], [kind, size], verbose=0, return_dict=True)
    names = model.evaluate({"b": b, "a": a}, {"size": size, "kind": kind}, verbose=0, return_dict=True)
    assert lists == names
    assert list(lists) == ["kind_accuracy", "kind_loss", "loss", "size_loss", "size_mae", "size_mse"]
    np.testing.assert_allclose(lists["loss"], lists["kind_loss"] + lists["size_loss"], rtol=1e-6)
    np.testing.assert_allclose(lists["size_mse"], lists["size_loss"], rtol=1e-6)
    assert model.metrics_names[:3] == ["loss", "kind_loss", "size_loss"]
    history = model.fit([a, b], [kind, size], verbose=0, validation_split=0.25).history
    assert set(history) == set(lists) | {f"val_{name}" for name in lists}
    p_kind, p_size = model.predict([a, b], verbose=0)
    assert p_kind.shape == (24, 3) and p_size.shape == (24, 1)


def test_loss_weights_and_weights_per_output():
    a, b, kind, size = two_arrays()
    plain = two_outputs().evaluate([a, b], [kind, size], verbose=0, return_dict=True)
    model = two_outputs()
    plain = model.evaluate([a, b], [kind, size], verbose=0, return_dict=True)
    model.compile(
        "sgd", {"kind": "sparse_categorical_crossentropy", "size": "mse"}, loss_weights={"kind": 0.5, "size": 2.0}
    )
    total = model.evaluate([a, b], [kind, size], verbose=0, return_dict=True)
    np.testing.assert_allclose(total["loss"], 0.5 * plain["kind_loss"] + 2 * plain["size_loss"], rtol=1e-5)
    np.testing.assert_allclose(total["size_loss"], plain["size_loss"], rtol=1e-6)
    doubled = model.evaluate(
        [a, b], [kind, size], sample_weight={"size": np.full(24, 2.0)}, verbose=0, return_dict=True
    )
    np.testing.assert_allclose(doubled["size_loss"], 2 * plain["size_loss"], rtol=1e-5)
    np.testing.assert_allclose(doubled["kind_loss"], plain["kind_loss"], rtol=1e-6)


def test_an_output_without_a_loss_is_not_trained_and_needs_no_labels():
    a, b, kind, _ = two_arrays()
    model = two_outputs(loss={"kind": "sparse_categorical_crossentropy"})
    before = [v.numpy() for v in model.get_layer("size").weights]
    logs = model.fit([a, b], {"kind": kind}, verbose=0).history
    assert list(logs) == ["loss"]
    for old, new in zip(before, model.get_layer("size").weights):
        np.testing.assert_array_equal(old, new.numpy())


def test_metrics_weighted_and_not():
    x, y = classes(30)
    weights = (y == 0).astype("float32") + 0.5
    model = dense_model(metrics=["accuracy"], weighted_metrics=["accuracy"])
    logs = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    right = model.predict(x, verbose=0).argmax(1) == y
    np.testing.assert_allclose(logs["accuracy"], right.mean(), rtol=1e-6)
    np.testing.assert_allclose(logs["weighted_accuracy"], np.average(right, weights=weights), rtol=1e-5)


def test_custom_loss_and_metric_functions():
    def quartic(y_true, y_pred):
        return cconv.ops.mean((y_true - y_pred) ** 4, axis=-1)

    def largest(y_true, y_pred):
        return cconv.ops.max(cconv.ops.abs(y_true - y_pred), axis=-1)

    x, _ = classes(16)
    y = np.random.default_rng(1).normal(size=(16, 2))
    model = dense_model(2, activation=None, loss=quartic, metrics=[largest])
    p = model.predict(x, verbose=0)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["loss"], np.mean((y - p) ** 4), rtol=1e-5)
    np.testing.assert_allclose(logs["largest"], np.abs(y - p).max(1).mean(), rtol=1e-5)
    assert model.fit(x, y, epochs=3, verbose=0).history["loss"][-1] < logs["loss"]


def test_regularizers_are_part_of_the_loss():
    x, y = classes(16)
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, kernel_regularizer=cconv.regularizers.L2(0.1))])
    model.compile("sgd", cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
    loss = model.evaluate(x, y, verbose=0)
    w, b = model.get_weights()
    p = softmax(x @ w + b)
    expected = np.mean(-np.log(p[np.arange(16), y])) + 0.1 * np.sum(w**2)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_frozen_layers_do_not_move_and_thaw():
    x, y = classes(30)
    first, second = layers.Dense(5, "relu"), layers.Dense(3, "softmax")
    model = cconv.Sequential([cconv.Input((4,)), first, second])
    model.compile("sgd", "sparse_categorical_crossentropy")

    def moved():
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        return [not np.array_equal(old, new) for old, new in zip(before, model.get_weights())]

    assert moved() == [True] * 4
    first.trainable = False
    assert moved() == [False, False, True, True]
    first.trainable = True
    assert moved() == [True] * 4


def test_layers_added_after_training_are_trained():
    x, y = classes(30)
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3)])
    model.compile("sgd", cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, verbose=0)
    assert model.predict(x, verbose=0).shape == (30, 3)
    model.add(layers.Dense(7))
    assert model.predict(x, verbose=0).shape == (30, 7)


def test_subclassed_model():
    class Net(cconv.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(8, "relu")
            self.drop = layers.Dropout(0.5)
            self.out = layers.Dense(3, "softmax")

        def call(self, x, training=None):
            return self.out(self.drop(self.hidden(x), training=training))

    x, y = classes(60)
    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, verbose=0)
    assert model.predict(x, verbose=0).shape == (60, 3)
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


def test_pydataset_and_generators():
    x, y = classes(20)

    class Batches(cconv.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return x[index * 5 : index * 5 + 5], y[index * 5 : index * 5 + 5]

    def forever():
        while True:
            for i in range(4):
                yield x[i * 5 : i * 5 + 5], y[i * 5 : i * 5 + 5]

    expected = None
    for source, arguments in (((x, y), {"batch_size": 5}), ((Batches(),), {}), ((forever(),), {"steps_per_epoch": 4})):
        cconv.utils.set_random_seed(2)
        model = dense_model()
        model.fit(*source, epochs=3, shuffle=False, verbose=0, **arguments)
        if expected is None:
            expected = model.get_weights()
        for ours, theirs in zip(model.get_weights(), expected):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(model.evaluate(Batches(), verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6)
    np.testing.assert_array_equal(model.predict(Batches(), verbose=0), model.predict(x, verbose=0))


def test_image_data_without_its_channel_axis_is_accepted():
    model = cconv.Sequential([cconv.Input((6, 6, 1)), layers.Flatten(), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(5, 6, 6)).astype("float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x[..., None], verbose=0))
    model.fit(x, np.zeros(5), verbose=0)


def test_constraints_hold_after_every_step():
    x, y = classes(30)
    layer = layers.Dense(3, "softmax", kernel_constraint=cconv.constraints.NonNeg())
    model = cconv.Sequential([cconv.Input((4,)), layer])
    model.compile(cconv.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, verbose=0)
    assert (model.get_weights()[0] >= 0).all()


# ---- display ---------------------------------------------------------------------------------------------------------


def test_without_a_terminal_there_is_one_line_per_epoch(capsys):
    x, y = classes(40)
    dense_model().fit(x, y, epochs=2, batch_size=20)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Epoch")] == ["Epoch 1/2", "Epoch 2/2"]
    assert len(lines) == 4
    assert lines[1].startswith("2/2 - 0s - ") and "/step - accuracy: " in lines[1] and " - loss: " in lines[1]


def test_verbose_0_is_silent(capsys):
    x, y = classes(10)
    model = dense_model()
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


class Terminal(io.TextIOWrapper):
    """A terminal in memory."""

    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self):
        return True

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.mark.parametrize("encoding, cell", [("utf-8", "━"), ("cp1252", "=")])
def test_a_terminal_shows_a_bar_it_can_encode(monkeypatch, encoding, cell):
    x, y = classes(40)
    model = dense_model()
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    model.fit(x, y, epochs=2, batch_size=4)
    text = terminal.text()
    assert "Epoch 1/2\n" in text and "\r" in text and "10/10" in text and cell * 20 in text
    # Ten steps of microseconds: drawn at the start and at the end, not ten times.
    assert text.count("\r") <= 6


def test_an_interrupted_bar_leaves_its_line(monkeypatch):
    class Breaks(cconv.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                raise KeyboardInterrupt

    x, y = classes(40)
    model = dense_model()
    terminal = Terminal("utf-8")
    monkeypatch.setattr(sys, "stdout", terminal)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=4, callbacks=[Breaks()])
    text = terminal.text()
    assert "/10" in text and text.endswith("\n") and not text.endswith("\n\n")


def test_a_closed_standard_output_does_not_stop_training(monkeypatch):
    x, y = classes(10)
    model = dense_model()
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stdout", stream)
        history = model.fit(x, y, epochs=2)
        assert len(history.history["loss"]) == 2


def test_a_loss_that_is_not_a_number_is_visible(capsys):
    x, y = classes(10)
    x[3, 1] = np.nan
    history = dense_model().fit(x, y, epochs=2)
    assert np.isnan(history.history["loss"]).all()
    assert "loss: nan" in capsys.readouterr().out


def test_no_warnings():
    x, y = classes(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = dense_model()
        model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
        model.evaluate(x, y, verbose=0)
