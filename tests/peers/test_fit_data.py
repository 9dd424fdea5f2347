"""Data and epochs beside Keras' and PyTorch's: loaders, tensors, tables, class weights, validations."""

import warnings

import numpy as np
import pytest

import cconv

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pandas = pytest.importorskip("pandas")

X = np.random.RandomState(0).rand(24, 4).astype(np.float32)
Y = np.random.RandomState(1).randint(0, 3, 24)
KERNEL = np.linspace(-1, 1, 12).reshape(4, 3).astype(np.float32)


def classifier(library, loss="sparse_categorical_crossentropy", rate=0.5, **arguments):
    model = library.Sequential([library.Input((4,)), library.layers.Dense(3, activation="softmax")])
    model.compile(library.optimizers.SGD(rate), loss, **arguments)
    model.set_weights([KERNEL, np.zeros(3, np.float32)])
    return model


def both(run):
    """What both libraries return; Keras' warnings are its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = run(keras)
    return run(cconv), expected


def agree(got, expected):
    assert got.keys() == expected.keys()
    for name in got:
        np.testing.assert_allclose(got[name], expected[name], rtol=2e-5, err_msg=name)


# ---- epochs and validations ------------------------------------------------------------------------------------------


def dataset(library, count):
    class Batches(library.utils.PyDataset):
        log = []

        def __len__(self):
            return count

        def __getitem__(self, index):
            self.log.append(index)
            return X[index * 4 : index * 4 + 4], Y[index * 4 : index * 4 + 4]

    return Batches()


@pytest.mark.parametrize("steps", [2, 3, 6, None])
@pytest.mark.parametrize("source", ["dataset", "loader", "arrays"])
def test_epochs_see_the_batches_that_keras_sees(source, steps):
    def run(library):
        model = classifier(library)
        arguments = {"steps_per_epoch": steps, "epochs": 4, "verbose": 0}
        if source == "arrays":
            return model.fit(X[:16], Y[:16], 4, shuffle=False, **arguments).history
        data = dataset(library, 4)
        if source == "loader":
            rows = torch.utils.data.TensorDataset(torch.tensor(X[:16]), torch.tensor(Y[:16]))
            data = torch.utils.data.DataLoader(rows, batch_size=4)
        return model.fit(data, **({} if source == "loader" else {"shuffle": False}), **arguments).history

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(*both(run))


@pytest.mark.parametrize("source", ["dataset", "loader", "arrays"])
@pytest.mark.parametrize("steps", [2, None])
def test_validations_see_the_batches_that_keras_sees(source, steps):
    def run(library):
        rows = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
        loader = torch.utils.data.DataLoader(rows, batch_size=4)
        validation = {"dataset": dataset(library, 6), "loader": loader, "arrays": (X, Y)}[source]
        arguments = {"validation_batch_size": 4} if source == "arrays" else {}
        model = classifier(library, metrics=["accuracy"])
        return model.fit(
            X, Y, 8, 4, 0, shuffle=False, validation_data=validation, validation_steps=steps, **arguments
        ).history

    agree(*both(run))


@pytest.mark.parametrize("weights", ["class_weight", "sample_weight"])
def test_weights_and_a_validation_that_is_split_off(weights):
    given = {0: 5.0, 2: 0.25} if weights == "class_weight" else np.linspace(0.1, 2, 24)

    def run(library):
        model = classifier(library, weighted_metrics=["accuracy"])
        return model.fit(X, Y, 5, 2, 0, shuffle=False, validation_split=0.4, **{weights: given}).history

    agree(*both(run))


@pytest.mark.parametrize(
    "labels",
    [Y, Y[:, None], Y.astype(np.float32), torch.tensor(Y), pandas.Series(Y), np.eye(3, dtype=np.float32)[Y]],
    ids=["classes", "column", "float32", "tensor", "series", "one-hot"],
)
@pytest.mark.parametrize(
    "class_weight",
    [
        {0: 2.0, 1: 0.5, 2: 1.5},
        {1: 3},
        {np.int64(0): np.float32(2), np.int8(2): np.array(0.5)},
        {0.0: 2.0, True: 0.5},
        {0: torch.tensor(2.0), 7: 1.0},
        {0: -1.0},
        {},
    ],
    ids=["all", "one", "numpy", "equal numbers", "tensor", "negative", "none"],
)
def test_class_weights_as_keras_takes_them(class_weight, labels):
    def run(library):
        loss = "categorical_crossentropy" if np.shape(labels)[-1] == 3 else "sparse_categorical_crossentropy"
        return classifier(library, loss).fit(X, labels, 5, 2, 0, shuffle=False, class_weight=class_weight).history

    agree(*both(run))


def test_class_weights_of_batches():
    def run(library):
        one = classifier(library)
        history = one.fit(dataset(library, 4), epochs=2, shuffle=False, class_weight={0: 3.0}, verbose=0).history
        history["on_batch"] = [float(classifier(library).train_on_batch(X, Y, class_weight={2: 3.0}))]
        return history

    agree(*both(run))


# ---- loaders and tensors ---------------------------------------------------------------------------------------------


class Rows(torch.utils.data.IterableDataset):
    """Knows no length."""

    def __iter__(self):
        return iter([(torch.tensor(X[i]), int(Y[i])) for i in range(24)])


@pytest.mark.parametrize("kind", ["map", "workers", "stream"])
def test_a_loader_serves_every_epoch_and_every_method(kind):
    rows = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(Rows() if kind == "stream" else rows, 5, num_workers=2 * (kind == "workers"))
    model, plain = classifier(cconv), classifier(cconv)
    history = model.fit(loader, epochs=3, validation_data=loader, verbose=0).history
    expected = plain.fit(X, Y, 5, 3, shuffle=False, validation_data=(X, Y), verbose=0).history
    for name, values in expected.items():
        np.testing.assert_array_equal(history[name], values)
    np.testing.assert_array_equal(model.predict(loader, verbose=0), plain.predict(X, 5, verbose=0))
    assert model.evaluate(loader, verbose=0) == plain.evaluate(X, Y, 5, verbose=0)


@pytest.mark.parametrize("form", ["plain", "strided", "grad", "bfloat16", "float64", "list of numbers"])
def test_tensors_are_arrays(form):
    x, y = torch.tensor(X), torch.tensor(Y)
    if form == "strided":
        x = torch.tensor(X.T.copy()).T
    elif form == "grad":
        x.requires_grad_()
    elif form == "bfloat16":
        x = x.bfloat16()
    elif form == "float64":
        x = x.double()
    else:
        y = list(y)
    rows = x.detach().float().numpy()
    results = []
    for a, b in ((x, y), (rows, Y)):
        model = classifier(cconv)
        results.append([model(a), model.predict(a, verbose=0), model.predict_on_batch(a)])
        results[-1].append(model.train_on_batch(a, b))
        results[-1] += model.fit(a, b, 5, shuffle=False, verbose=0).history["loss"]
        results[-1] += [*model.get_weights(), model.evaluate(a, b, verbose=0)]
        results[-1] += [cconv.ops.sum(a)]
    for got, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


# ---- tables ----------------------------------------------------------------------------------------------------------

TABLE = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1] > 0.5, "c": Y, "d": X[:, 3].astype(np.float64)})
ROWS = np.stack([X[:, 0], X[:, 1] > 0.5, Y, X[:, 3]], axis=1).astype(np.float32)


def test_tables_of_numbers_and_booleans_as_keras_takes_them():
    def run(library):
        model = classifier(library)
        history = model.fit(TABLE, pandas.Series(Y), 5, 2, 0, shuffle=False, validation_split=0.25).history
        return {**history, "evaluated": model.evaluate(TABLE, pandas.Series(Y), verbose=0)}

    agree(*both(run))


@pytest.mark.parametrize("table", [TABLE, TABLE.convert_dtypes(), TABLE[::-1][::-1]], ids=["plain", "nullable", "view"])
@pytest.mark.parametrize("labels", [pandas.Series(Y), pandas.Series(Y, dtype="Int64"), pandas.DataFrame({"y": Y})])
def test_tables_and_columns_are_arrays(table, labels):
    results = []
    for a, b in ((table, labels), (ROWS, Y)):
        model = classifier(cconv)
        results.append([model(a), model.predict(a, verbose=0), model.predict_on_batch(a)])
        results[-1] += [model.train_on_batch(a, b), model.evaluate(a, b, verbose=0)]
        results[-1] += model.fit(a, b, 5, shuffle=False, verbose=0, sample_weight=None).history["loss"]
        results[-1] += model.get_weights()
    for got, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_what_a_table_lacks_is_no_number_and_its_words_are_refused():
    table = TABLE.convert_dtypes()
    table.loc[3, "b"] = pandas.NA
    predicted = classifier(cconv).predict(table, verbose=0)
    assert np.isnan(predicted[3]).all() and np.isfinite(np.delete(predicted, 3, 0)).all()
    with pytest.raises(TypeError, match="x .*column 'day' has dtype datetime64"):
        classifier(cconv).predict(
            TABLE.assign(d=pandas.Timestamp("2020-01-01")).rename(columns={"d": "day"}), verbose=0
        )
    with pytest.raises(TypeError, match="x .*column 'name' .*str"):
        classifier(cconv).predict(TABLE.assign(name="cat")[["a", "b", "c", "name"]].astype({"name": object}), verbose=0)


# ---- checkpoints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [None, 1.0, 0.5, 1.5])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_first_value_to_beat(threshold, mode, tmp_path):
    def run(library):
        path = tmp_path / f"{library.__name__}-{{epoch}}.keras"
        callback = library.callbacks.ModelCheckpoint(
            str(path), "loss", save_best_only=True, mode=mode, initial_value_threshold=threshold
        )
        model = classifier(library, rate=0.5)
        model.fit(X, Y, 5, 3, 0, callbacks=[callback], shuffle=False)
        return sorted(file.name.split("-")[1] for file in tmp_path.glob(f"{library.__name__}-*")), callback.best

    (got, best), (expected, keras_best) = both(run)
    assert got == expected
    assert best == keras_best or best == pytest.approx(keras_best, rel=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_keras_opens_a_checkpoint_that_tells_what_it_was_kept_for(suffix, tmp_path):
    path = str(tmp_path / f"best{suffix}")
    callback = cconv.callbacks.ModelCheckpoint(
        path, "loss", save_best_only=True, save_weights_only=suffix == ".weights.h5"
    )
    model = classifier(cconv)
    model.fit(X, Y, 5, 1, 0, callbacks=[callback])  # the first epoch is the best so far
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = classifier(keras)
        opened.load_weights(path)
        models = [opened] if suffix == ".weights.h5" else [opened, keras.saving.load_model(path)]
    for other in models:
        for got, expected in zip(other.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(got, expected)
