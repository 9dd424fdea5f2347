"""What fit validates with and in which order it sees its data: epochs, passes, weights and labels of later batches."""

import itertools

import numpy as np
import pytest

import cconv
from cconv import layers

X = np.random.RandomState(0).rand(40, 4).astype(np.float32)
Y = np.random.RandomState(1).randint(0, 3, 40)


def classifier(rate=0.0, **arguments):
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(cconv.optimizers.SGD(rate), "sparse_categorical_crossentropy", **arguments)
    return model


def loss_of(model, x, y):
    """The mean loss in float64."""
    w, b = (a.astype(float) for a in model.get_weights())
    z = x @ w + b
    return float(np.mean(np.log(np.exp(z).sum(-1)) - z[np.arange(len(y)), y]))


class Batches(cconv.utils.PyDataset):
    """Batch i holds rows i * size to (i + 1) * size; remembers what it was asked."""

    def __init__(self, count, size=5, x=X, y=Y):
        super().__init__()
        self.count, self.size, self.x, self.y, self.log = count, size, x, y, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.log.append(index)
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.x[rows], self.y[rows]

    def on_epoch_begin(self):
        self.log.append("begin")

    def on_epoch_end(self):
        self.log.append("end")


class Iterable:
    """Can be iterated over again, and does not know its length."""

    def __init__(self, count, size=5, x=X, y=Y):
        self.batches = Batches(count, size, x, y)
        self.log, self.passes = self.batches.log, 0

    def __iter__(self):
        self.passes += 1
        for index in range(self.batches.count):
            yield self.batches[index]


def generator(count, log, size=5):
    batches = Batches(count, size)
    for index in range(count):
        log.append(index)
        yield batches[index]


def read(log):
    return [entry for entry in log if isinstance(entry, int)]


# ---- validation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["arrays", "dataset", "iterable"])
def test_each_validation_takes_the_same_batches(source):
    model = classifier()
    validation = {"arrays": (X, Y), "dataset": Batches(8), "iterable": Iterable(8)}[source]
    size = {"validation_batch_size": 5} if source == "arrays" else {}
    history = model.fit(X, Y, epochs=4, validation_data=validation, validation_steps=2, verbose=0, **size).history
    np.testing.assert_allclose(history["val_loss"], [loss_of(model, X[:10], Y[:10])] * 4, rtol=1e-5)
    if source != "arrays":
        assert read(validation.log) == [0, 1] * 4


def test_validation_split_and_steps_begin_with_the_first_rows_held_out():
    model = classifier()
    history = model.fit(
        X, Y, 4, epochs=3, validation_split=0.5, validation_steps=2, validation_batch_size=6, verbose=0
    ).history
    np.testing.assert_allclose(history["val_loss"], [loss_of(model, X[20:32], Y[20:32])] * 3, rtol=1e-5)


def test_validations_of_some_epochs_only_take_the_same_batches():
    model, validation = classifier(), Batches(8)
    fitted = model.fit(
        X, Y, epochs=5, validation_data=validation, validation_steps=3, validation_freq=[1, 3, 5], verbose=0
    )
    assert read(validation.log) == [0, 1, 2] * 3
    np.testing.assert_allclose(fitted.history["val_loss"], [loss_of(model, X[:15], Y[:15])] * 3, rtol=1e-5)


@pytest.mark.parametrize("source", [Batches, Iterable])
def test_arrays_are_validated_with_batches(source):
    model = classifier()
    history = model.fit(X, Y, 4, validation_data=source(8), verbose=0).history
    np.testing.assert_allclose(history["val_loss"], [loss_of(model, X, Y)], rtol=1e-5)
    with pytest.raises(ValueError, match="validation_data: `batch_size` cannot be given"):
        model.fit(X, Y, 4, validation_data=source(8), validation_batch_size=4, verbose=0)


def test_a_generator_validates_with_what_comes_next():
    model, log = classifier(), []
    history = model.fit(X, Y, epochs=3, validation_data=generator(6, log), validation_steps=2, verbose=0).history
    assert log == [0, 1, 2, 3, 4, 5]
    expected = [loss_of(model, X[i : i + 10], Y[i : i + 10]) for i in (0, 10, 20)]
    np.testing.assert_allclose(history["val_loss"], expected, rtol=1e-5)


def test_evaluate_and_predict_begin_with_the_first_batch():
    model = classifier()
    for make in (lambda: Batches(8), lambda: Iterable(8)):
        data = make()
        for _ in range(2):
            data.log.clear()
            loss = model.evaluate(data, steps=2, verbose=0)
            np.testing.assert_allclose(loss, loss_of(model, X[:10], Y[:10]), rtol=1e-5)
            assert read(data.log) == [0, 1]
            data.log.clear()
            assert model.predict(data, steps=3, verbose=0).shape == (15, 3)
            assert read(data.log) == [0, 1, 2]
    for _ in range(2):
        loss = model.evaluate(X, Y, batch_size=5, steps=2, verbose=0)
        np.testing.assert_allclose(loss, loss_of(model, X[:10], Y[:10]), rtol=1e-5)
        np.testing.assert_array_equal(model.predict(X, 5, steps=2, verbose=0), model.predict(X[:10], verbose=0))


# ---- weights in validation -------------------------------------------------------------------------------------------


def test_classes_do_not_weigh_in_the_split_off_validation():
    weights = {0: 10.0, 1: 0.1, 2: 3.0}
    model = classifier(weighted_metrics=["accuracy"])
    split = model.fit(X, Y, validation_split=0.4, class_weight=weights, verbose=0).history
    given = model.fit(X[:24], Y[:24], validation_data=(X[24:], Y[24:]), class_weight=weights, verbose=0).history
    right = float(np.mean(model.predict(X[24:], verbose=0).argmax(-1) == Y[24:]))
    np.testing.assert_allclose(split["val_loss"], loss_of(model, X[24:], Y[24:]), rtol=1e-5)
    np.testing.assert_allclose(split["val_accuracy"], right, rtol=1e-6)
    for name in ("val_loss", "val_accuracy"):
        np.testing.assert_allclose(split[name], given[name], rtol=1e-6)
    np.testing.assert_allclose(split["loss"], given["loss"], rtol=1e-5)


def test_samples_weigh_in_the_split_off_validation():
    weights = np.linspace(0.1, 3, 40)
    model = classifier(weighted_metrics=["accuracy"])
    split = model.fit(X, Y, validation_split=0.4, sample_weight=weights, verbose=0).history
    held_out = model.evaluate(X[24:], Y[24:], sample_weight=weights[24:], verbose=0)
    np.testing.assert_allclose([split["val_loss"][0], split["val_accuracy"][0]], held_out, rtol=1e-5)


# ---- epochs over batches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [Batches, Iterable])
def test_steps_per_epoch_goes_on_within_a_pass(source):
    data = source(4)
    classifier().fit(data, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0)
    assert read(data.log) == [0, 1, 2, 3, 0, 1, 2, 3]
    if source is Batches:
        assert data.log == ["begin", 0, 1, "end", "begin", 2, 3, "end"] * 2


@pytest.mark.parametrize("source", [Batches, Iterable])
def test_a_pass_that_ends_within_an_epoch_ends_it(source):
    data = source(4)
    with pytest.warns(UserWarning, match="ran out after 1 of 3 batches"):
        history = classifier().fit(data, steps_per_epoch=3, epochs=4, shuffle=False, verbose=0)
    assert read(data.log) == [0, 1, 2, 3, 0, 1, 2, 3]
    assert len(history.history["loss"]) == 4


def test_shuffled_batches_come_once_in_each_pass():
    data = Batches(8)
    classifier().fit(data, steps_per_epoch=2, epochs=12, verbose=0)
    order = read(data.log)
    passes = [order[k : k + 8] for k in (0, 8, 16)]
    assert [sorted(one) for one in passes] == [list(range(8))] * 3
    assert len({tuple(one) for one in passes}) == 3


@pytest.mark.parametrize("source", [Batches, Iterable])
def test_all_batches_are_an_epoch(source):
    data, validation = source(4), source(3)
    classifier().fit(data, epochs=3, shuffle=False, validation_data=validation, verbose=0)
    assert read(data.log) == [0, 1, 2, 3] * 3 and read(validation.log) == [0, 1, 2] * 3
    if source is Batches:
        assert data.log == ["begin", 0, 1, 2, 3, "end"] * 3 and validation.log == ["begin", 0, 1, 2, "end"] * 3


def test_a_generator_goes_on_and_says_when_it_is_at_its_end():
    log = []
    classifier().fit(generator(8, log), steps_per_epoch=2, epochs=4, verbose=0)
    assert log == list(range(8))
    with pytest.raises(ValueError, match="ran out before this epoch. A generator gives its batches once"):
        classifier().fit(generator(4, []), steps_per_epoch=2, epochs=3, verbose=0)


def test_a_generator_that_is_needed_again_is_refused_at_once():
    trained, log = [], []
    for arguments in ({}, {"validation_data": generator(4, log)}):
        x = (X, Y) if arguments else (generator(4, log),)
        callback = cconv.callbacks.LambdaCallback(on_train_begin=trained.append)
        with pytest.raises(ValueError, match="A generator gives its batches once.*steps.*more than one epoch"):
            classifier().fit(*x, epochs=2, callbacks=[callback], verbose=0, **arguments)
    assert not trained
    for frequency in (2, [2], [1, 7]):  # one validation only
        log.clear()
        classifier().fit(X, Y, epochs=3, validation_data=generator(4, log), validation_freq=frequency, verbose=0)
        assert log == [0, 1, 2, 3]
    classifier().fit(generator(4, []), epochs=3, initial_epoch=2, verbose=0)


def test_no_more_is_taken_of_a_generator_than_is_used():
    log, model = [], classifier()
    batches = generator(20, log)
    model.evaluate(batches, steps=2, verbose=0)
    assert log == [0, 1]
    model.predict(batches, steps=1, verbose=0)
    model.fit(batches, steps_per_epoch=2, epochs=2, verbose=0)
    assert log == [0, 1, 2, 3, 4, 5, 6]


def test_arrays_go_on_within_a_pass():
    seen = []

    class Record(cconv.callbacks.Callback):
        def on_train_batch_end(self, batch, logs):
            seen.append((batch, round(logs["loss"], 3)))

    x = np.arange(8, dtype=np.float32)[:, None]
    model = cconv.Sequential([cconv.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(cconv.optimizers.SGD(0.0), "mse")
    model.fit(x, x * 0, 2, steps_per_epoch=2, epochs=4, shuffle=False, callbacks=[Record()], verbose=0)
    assert seen == [(0, 0.5), (1, 3.5), (0, 20.5), (1, 31.5)] * 2


# ---- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [7, 3, -1])
@pytest.mark.parametrize("how", ["fit", "dataset", "iterable", "validation", "evaluate", "arrays"])
def test_labels_out_of_range_are_refused_by_batch_and_change_nothing(how, label):
    y = Y.copy()
    y[17] = label  # the third sample of batch 3
    model = classifier(0.1)
    before = [w.copy() for w in model.get_weights()]
    batches, batch = Batches(8, y=y), "of batch 3 "
    weights_after_three = classifier(0.1)
    weights_after_three.set_weights(before)
    weights_after_three.fit(Batches(3), shuffle=False, verbose=0)
    with pytest.raises(ValueError, match="expected class numbers from 0 to 2") as error:
        if how == "fit":
            model.fit((batches[i] for i in itertools.count()), steps_per_epoch=8, verbose=0)
        elif how == "dataset":
            model.fit(batches, shuffle=False, verbose=0)
        elif how == "iterable":
            model.fit(Iterable(8, y=y), verbose=0)
        elif how == "validation":
            model.fit(Batches(3), shuffle=False, validation_data=batches, verbose=0)
        elif how == "evaluate":
            model.evaluate(batches, verbose=0)
        else:
            batch = ""
            model.fit(X, y, verbose=0)
    assert batch in str(error.value) and str(label) in str(error.value)
    expected = before if how in ("evaluate", "arrays") else weights_after_three.get_weights()
    for got, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_batch_of_another_shape_is_refused_by_its_number():
    batches = [(X[:5], Y[:5]), (X[5:10, :3], Y[5:10])]
    with pytest.raises(ValueError, match=r"Batch 1: x .*expected shape \(None, 4\)"):
        classifier().fit(iter(batches), verbose=0)
    with pytest.raises(TypeError, match="Batch 1: y .*numbers"):
        classifier().fit(iter([batches[0], (X[:1], ["cat"])]), verbose=0)
