"""Callbacks: which hooks are called when, and what the ready-made ones do."""

import csv

import numpy as np
import pytest

import cconv
from cconv import callbacks, layers

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
Y = np.argmax(X[:, :3], axis=1)


def make(rate=0.1):
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(cconv.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Recorder(callbacks.Callback):
    """Writes down every hook it is called at."""

    def __init__(self):
        super().__init__()
        self.calls = []


def _record(name):
    def hook(self, *arguments, **named):
        self.calls.append((name, *[a for a in (*arguments, *named.values()) if not isinstance(a, dict)]))

    return hook


for _name in [
    name
    for name in dir(callbacks.Callback)
    if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end")
]:
    setattr(Recorder, _name, _record(_name))


def names(recorder):
    return [call[0] for call in recorder.calls]


def test_order_of_hooks_in_fit():
    recorder = Recorder()
    make().fit(X, Y, batch_size=10, epochs=2, validation_data=(X[:5], Y[:5]), callbacks=[recorder], verbose=0)
    batch = ["on_train_batch_begin", "on_train_batch_end"]
    test = ["on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"]
    epoch = ["on_epoch_begin", *batch, *batch, *test, "on_epoch_end"]
    assert names(recorder) == ["on_train_begin", *epoch, *epoch, "on_train_end"]
    assert [call[1] for call in recorder.calls if call[0] == "on_train_batch_end"] == [0, 1, 0, 1]
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}


def test_order_of_hooks_in_evaluate_and_predict():
    model, recorder = make(), Recorder()
    model.evaluate(X, Y, batch_size=10, callbacks=[recorder], verbose=0)
    assert names(recorder) == ["on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end"]
    recorder = Recorder()
    model.predict(X, batch_size=10, callbacks=[recorder], verbose=0)
    batch = ["on_predict_batch_begin", "on_predict_batch_end"]
    assert names(recorder) == ["on_predict_begin", *batch * 2, "on_predict_end"]


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_all_callbacks_are_told_of_an_exception(method):
    class Breaks(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

        on_test_batch_end = on_predict_batch_end = on_train_batch_end

    recorder, model = Recorder(), make()
    data = {"x": X} if method == "predict" else {"x": X, "y": Y}
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(**data, callbacks=[Breaks(), recorder], verbose=0)
    assert names(recorder)[-1] == "on_exception" and names(recorder).count("on_exception") == 1
    assert isinstance(recorder.calls[-1][1], KeyboardInterrupt)


def test_csv_logger_closes_its_file_at_an_exception(tmp_path):
    class Breaks(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ValueError("enough")

    logger = callbacks.CSVLogger(tmp_path / "log.csv")
    with pytest.raises(ValueError, match="enough"):
        make().fit(X, Y, epochs=3, callbacks=[logger, Breaks()], verbose=0)
    assert logger._file is None
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


def test_logs_hold_the_averages_so_far():
    seen, outputs = [], []

    class Watch(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(dict(logs))

        def on_predict_batch_end(self, batch, logs=None):
            outputs.append(logs["outputs"].copy())

    model = make()
    history = model.fit(X, Y, batch_size=8, callbacks=Watch(), verbose=0).history
    assert [list(logs) for logs in seen] == [["accuracy", "loss"]] * 3
    assert seen[-1]["loss"] == history["loss"][0]
    predicted = model.predict(X, batch_size=8, callbacks=[Watch()], verbose=0)
    np.testing.assert_array_equal(np.concatenate(outputs), predicted)


def test_logs_are_not_computed_when_nobody_listens():
    container = callbacks.CallbackList([callbacks.History()])

    def logs():
        raise AssertionError("computed for nobody")

    container.on_train_batch_begin(0, logs)
    container.on_train_batch_end(0, logs)


def test_a_callback_may_stop_training_evaluation_and_prediction():
    model = make()
    steps = []

    def stop(batch, logs):
        steps.append(batch)
        model.stop_training = model.stop_evaluating = model.stop_predicting = batch == 1

    watch = [callbacks.LambdaCallback(on_train_batch_end=stop, on_test_batch_end=stop, on_predict_batch_end=stop)]
    history = model.fit(X, Y, batch_size=5, epochs=3, callbacks=watch, verbose=0)
    assert history.epoch == [0] and steps == [0, 1] and model.optimizer.iterations == 2
    model.evaluate(X, Y, batch_size=5, callbacks=watch, verbose=0)
    assert model.predict(X, batch_size=5, callbacks=watch, verbose=0).shape == (10, 3)
    assert steps == [0, 1] * 3


def test_callbacks_may_be_nested_lists_and_are_checked():
    first, second = Recorder(), Recorder()
    make().fit(X, Y, callbacks=[first, [second]], verbose=0)
    assert first.calls == second.calls != []


def test_early_stopping_and_best_weights():
    losses = iter([5.0, 3.0, 4.0, 2.9, 3.5, 3.6, 3.7])
    states = []

    def set_loss(epoch, logs):
        logs["val_loss"] = next(losses)
        states.append(model.get_weights())

    model = make()
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=7, callbacks=[callbacks.LambdaCallback(on_epoch_end=set_loss), stop], verbose=0)
    assert history.epoch == [0, 1, 2, 3, 4, 5]
    assert stop.best == 2.9 and stop.best_epoch == 3 and stop.stopped_epoch == 5
    for ours, best in zip(model.get_weights(), states[3]):
        np.testing.assert_array_equal(ours, best)


@pytest.mark.parametrize(
    "arguments, values, epochs",
    [
        ({"monitor": "loss"}, [3, 2, 2, 1], 3),
        ({"monitor": "accuracy"}, [0.1, 0.2, 0.2, 0.3], 3),
        ({"monitor": "accuracy", "mode": "min"}, [0.1, 0.2, 0.1, 0.3], 2),
        ({"monitor": "loss", "min_delta": 0.5}, [3, 2.9, 2.8, 1], 2),
        ({"monitor": "loss", "patience": 2}, [3, 3, 3, 1], 3),
        ({"monitor": "loss", "patience": 2}, [3, 2.9, 3.5, 3.6], 4),
        ({"monitor": "loss", "patience": 2, "baseline": 2.5}, [3, 2.9, 3.5, 3.6], 3),
        ({"monitor": "loss", "start_from_epoch": 2}, [3, 3, 3, 3], 4),
    ],
)
def test_when_early_stopping_stops(arguments, values, epochs):
    stop = callbacks.EarlyStopping(**arguments)
    model = make()
    stop.set_model(model)
    model.stop_training = False
    stop.on_train_begin()
    done = 0
    for epoch, value in enumerate(values):
        stop.on_epoch_end(epoch, {arguments["monitor"]: value})
        done = epoch + 1
        if model.stop_training:
            break
    assert done == epochs


def test_a_monitor_that_is_not_there_is_a_warning():
    with pytest.warns(UserWarning, match="val_loss.*accuracy, loss"):
        make().fit(X, Y, callbacks=[callbacks.EarlyStopping()], verbose=0)


def test_a_monitor_of_unknown_direction_is_an_error():
    stop = callbacks.EarlyStopping(monitor="height")
    stop.set_model(make())
    with pytest.raises(ValueError, match="mode='max'"):
        stop.on_epoch_end(0, {"height": 1.0})


def test_model_checkpoint_formats_names(tmp_path):
    model = make()
    path = tmp_path / "deep" / "{epoch:02d}-{val_loss:.2f}.keras"
    history = model.fit(
        X, Y, epochs=2, validation_split=0.2, callbacks=[callbacks.ModelCheckpoint(path)], verbose=0
    ).history
    expected = [f"{i + 1:02d}-{loss:.2f}.keras" for i, loss in enumerate(history["val_loss"])]
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == expected
    loaded = cconv.models.load_model(tmp_path / "deep" / expected[-1])
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_model_checkpoint_keeps_the_best(tmp_path):
    model = make()
    values = iter([3.0, 1.0, 2.0])
    kept = []

    def set_loss(epoch, logs):
        logs["val_loss"] = next(values)
        kept.append(model.get_weights())

    path = tmp_path / "best.weights.h5"
    save = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
    model.fit(X, Y, epochs=3, callbacks=[callbacks.LambdaCallback(on_epoch_end=set_loss), save], verbose=0)
    model.load_weights(path)
    for ours, best in zip(model.get_weights(), kept[1]):
        np.testing.assert_array_equal(ours, best)


def test_model_checkpoint_every_few_batches(tmp_path):
    save = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=3)
    make().fit(X, Y, batch_size=5, epochs=2, callbacks=[save], verbose=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1-3.keras", "2-2.keras"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"filepath": "model.h5"}, [".keras", "model.h5"]),
        ({"filepath": "model.keras", "save_weights_only": True}, [".weights.h5", "model.keras"]),
        ({"filepath": "model.keras", "save_freq": "batch"}, ["save_freq", "'batch'"]),
        ({"filepath": "model.keras", "save_freq": 0}, ["save_freq", "0"]),
    ],
)
def test_model_checkpoint_refuses(arguments, words):
    with pytest.raises(ValueError) as caught:
        callbacks.ModelCheckpoint(**arguments)
    for word in words:
        assert word in str(caught.value)


def test_model_checkpoint_names_a_field_that_is_not_there(tmp_path):
    save = callbacks.ModelCheckpoint(tmp_path / "{val_loss:.2f}.keras")
    with pytest.raises(KeyError, match="val_loss"):
        make().fit(X, Y, callbacks=[save], verbose=0)


def test_terminate_on_nan(capsys):
    x = X.copy()
    x[7] = np.nan
    history = make().fit(x, Y, batch_size=5, epochs=3, shuffle=False, callbacks=[callbacks.TerminateOnNaN()], verbose=0)
    assert history.epoch == [0]
    assert "Batch 1: Invalid loss" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="nan at batch 1"):
        make().fit(x, Y, batch_size=5, shuffle=False, callbacks=[callbacks.TerminateOnNaN(raise_error=True)], verbose=0)


def test_learning_rate_scheduler():
    model = make(0.5)
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = model.fit(X, Y, epochs=3, callbacks=[schedule], verbose=0).history
    np.testing.assert_allclose(history["learning_rate"], [0.25, 0.125, 0.0625])
    model.fit(X, Y, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.7)], verbose=0)
    np.testing.assert_allclose(float(model.optimizer.learning_rate), 0.7)
    with pytest.raises(ValueError, match="'fast'"):
        model.fit(X, Y, callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: "fast")], verbose=0)


def test_the_scheduled_rate_is_the_one_used():
    frozen = make(0.5)
    before = frozen.get_weights()
    frozen.fit(X, Y, callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: 0.0)], verbose=0)
    for old, new in zip(before, frozen.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_reduce_lr_on_plateau():
    model = make(1.0)
    reduce = callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2, cooldown=1, min_lr=0.2)
    reduce.set_model(model)
    reduce.on_train_begin()
    rates = []
    for epoch in range(10):
        logs = {"loss": 1.0}
        reduce.on_epoch_end(epoch, logs)
        rates.append(float(model.optimizer.learning_rate))
    # The first epoch sets the best; two without improvement reduce; one epoch of cooldown does not count.
    np.testing.assert_allclose(rates, [1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2], atol=1e-6)
    with pytest.raises(ValueError, match="factor"):
        callbacks.ReduceLROnPlateau(factor=1.0)


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    model = make()
    first = model.fit(X, Y, epochs=2, validation_split=0.2, callbacks=[callbacks.CSVLogger(path)], verbose=0).history
    model.fit(X, Y, epochs=1, validation_split=0.2, callbacks=[callbacks.CSVLogger(path, append=True)], verbose=0)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert [float(row["loss"]) for row in rows[:2]] == first["loss"]


def test_csv_logger_leaves_room_for_later_validation(tmp_path):
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path, separator=";")
    make().fit(X, Y, epochs=2, validation_data=(X, Y), validation_freq=2, callbacks=[logger], verbose=0)
    rows = path.read_text().splitlines()
    assert rows[0] == "epoch;accuracy;loss;val_accuracy;val_loss" and rows[1].endswith(";NA;NA")
    assert "NA" not in rows[2]


def test_lambda_callback_checks_its_hooks():
    with pytest.raises(ValueError, match="on_epoch_start.*on_epoch_begin"):
        callbacks.LambdaCallback(on_epoch_start=print)
    with pytest.raises(TypeError, match="on_epoch_end"):
        callbacks.LambdaCallback(on_epoch_end="print")


def test_history_goes_on_in_the_model():
    model = make()
    history = model.fit(X, Y, epochs=2, verbose=0)
    assert model.history is history and history.epoch == [0, 1]
    assert set(history.history) == {"loss", "accuracy"} and len(history.history["loss"]) == 2


def test_an_error_in_a_callback_ends_fit_and_the_next_one_works():
    def fail(batch, logs):
        raise OSError("disk full")

    model = make()
    with pytest.raises(OSError, match="disk full"):
        model.fit(X, Y, callbacks=[callbacks.LambdaCallback(on_train_batch_end=fail)], verbose=0)
    model.fit(X, Y, verbose=0)
