"""The forms in which data may come: arrays of any layout and byte order, in files, in lists; class weights; logs."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest

import cconv
from cconv import layers

X = np.random.RandomState(0).rand(24, 4).astype(np.float32)
Y = np.random.RandomState(1).randint(0, 3, 24)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(cconv.__file__).resolve().parent.parent)}


def classifier(rate=0.5, **arguments):
    model = cconv.Sequential(
        [
            cconv.Input((4,)),
            layers.Dense(3, kernel_initializer=cconv.initializers.GlorotUniform(3), activation="softmax"),
        ]
    )
    model.compile(cconv.optimizers.SGD(rate), "sparse_categorical_crossentropy", **arguments)
    return model


def fitted(model, x, y, **arguments):
    cconv.utils.set_random_seed(1)
    history = model.fit(x, y, 5, verbose=0, **arguments).history
    return [*model.get_weights(), *history.values()]


METHODS = {
    "fit": lambda model, x, y: fitted(model, x, y, shuffle=False),
    "fit shuffled": fitted,
    "fit and validate": lambda model, x, y: fitted(model, x, y, validation_split=0.4),
    "evaluate": lambda model, x, y: [model.evaluate(x, y, verbose=0)],
    "predict": lambda model, x, y: [model.predict(x, 5, verbose=0)],
    "train_on_batch": lambda model, x, y: [model.train_on_batch(x, y), *model.get_weights()],
    "test_on_batch": lambda model, x, y: [model.test_on_batch(x, y)],
    "predict_on_batch": lambda model, x, y: [model.predict_on_batch(x)],
    "call": lambda model, x, y: [model(x)],
}


def misaligned(x, folder):
    path = folder / "odd"
    path.write_bytes(b"x" + x.tobytes())
    array = np.frombuffer(path.read_bytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    assert not array.flags.aligned
    return array


def mapped(x, folder, dtype=None, offset=0, order="C"):
    dtype = np.dtype(dtype or x.dtype)
    path = folder / f"map{len(list(folder.iterdir()))}"
    path.write_bytes(b"x" * offset + np.asarray(x, dtype).tobytes(order))
    return np.memmap(path, dtype, "r", offset, x.shape, order)


def in_hdf5(x, folder, dtype=None):
    return h5py.File(folder / f"{len(list(folder.iterdir()))}.h5", "w").create_dataset("x", data=x, dtype=dtype)


class Tensor:
    """An array of another library: no more than `__array__`."""

    def __init__(self, array):
        self.array = array
        self.ndim = array.ndim

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


def explicit(array):
    made = array.astype(array.dtype.newbyteorder("<" if sys.byteorder == "little" else ">"))
    assert memoryview(made).format[0] in "<>"
    return made


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


FORMS = {
    "misaligned": lambda a, folder: misaligned(a, folder),
    "memory map": lambda a, folder: mapped(a, folder),
    "memory map of an odd offset": lambda a, folder: mapped(a, folder, offset=3),
    "memory map of foreign byte order": lambda a, folder: mapped(a, folder, a.dtype.newbyteorder()),
    "memory map by columns": lambda a, folder: mapped(a, folder, order="F"),
    "part of a memory map": lambda a, folder: mapped(np.repeat(a, 2, 0), folder)[::2],
    "explicit byte order": lambda a, folder: explicit(a),
    "foreign byte order": lambda a, folder: a.astype(a.dtype.newbyteorder()),
    "hdf5": lambda a, folder: in_hdf5(a, folder),
    "hdf5 of foreign byte order": lambda a, folder: in_hdf5(a, folder, a.dtype.newbyteorder()),
    "hdf5 of float64": lambda a, folder: in_hdf5(a, folder, "f8" if a.dtype.kind == "f" else "u8"),
    "read only": lambda a, folder: read_only(a),
    "strided": lambda a, folder: np.repeat(a, 2, axis=0)[::2],
    "backwards": lambda a, folder: a[::-1].copy()[::-1],
    "by columns": lambda a, folder: np.asfortranarray(a),
    "longdouble": lambda a, folder: a.astype("g"),
    "another library's": lambda a, folder: Tensor(a),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_array_gives_the_same(form, method, tmp_path):
    expected = METHODS[method](classifier(), X, Y)
    results = METHODS[method](classifier(), FORMS[form](X, tmp_path), FORMS[form](Y, tmp_path))
    for result, wanted in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, wanted)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "train_on_batch", "predict_on_batch"])
def test_lists_are_arrays(method):
    expected = METHODS[method](classifier(), X, Y)
    for x, y in [(X.tolist(), Y.tolist()), (X, [np.int64(v) for v in Y]), (X, [np.array(v) for v in Y])]:
        for result, wanted in zip(METHODS[method](classifier(), x, y), expected, strict=True):
            np.testing.assert_array_equal(result, wanted)


@pytest.mark.parametrize("method", METHODS)
def test_half_precision(method):
    x = X.astype(np.float16)
    expected = METHODS[method](classifier(), x.astype(np.float32), Y)
    for result, wanted in zip(METHODS[method](classifier(), x, Y), expected, strict=True):
        np.testing.assert_array_equal(result, wanted)


def test_lists_within_a_dictionary_are_arrays():
    class Named(cconv.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x["a"]) + self.dense(x["b"])

    for x in ({"a": X.tolist(), "b": X}, {"b": X.tolist(), "a": tuple(map(tuple, X.tolist()))}):
        np.testing.assert_allclose(Named().predict(x, verbose=0)[:, 1], 2 * X.sum(1), rtol=1e-6)


@pytest.mark.parametrize("x", [{1: X}.keys(), {3}, np.load], ids=["keys", "set", "function"])
def test_what_has_no_order_or_no_batches_is_refused(x):
    with pytest.raises((TypeError, ValueError), match="^(?!Batch)"):
        classifier().fit(x, verbose=0)


def test_archives_of_arrays_are_no_batches(tmp_path):
    np.savez(tmp_path / "a.npz", x=X)
    with np.load(tmp_path / "a.npz") as archive, pytest.raises(TypeError, match="^x .*expected an array of numbers"):
        classifier().fit(archive, verbose=0)


def test_a_single_number_is_no_data():
    for x in (np.float32(1), np.array(1.0), 3.0):
        with pytest.raises(ValueError, match="one row per sample.*single number"):
            classifier().predict(x, verbose=0)


# ---- files -----------------------------------------------------------------------------------------------------------


class Counting:
    """A data set in a file, as h5py and its kin show it; remembers what was read of it."""

    chunks = None

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, []

    def __getitem__(self, rows):
        self.read.append((rows.start, rows.stop))
        return self.array[rows]

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole file is read")

    def rows(self):
        return [row for first, last in self.read for row in range(first, last)]


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_files_are_read_a_batch_at_a_time_and_each_row_once(shuffle):
    x, y = Counting(X), Counting(np.eye(3, dtype=np.float32)[Y])
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    model.fit(x, y, 5, epochs=2, shuffle=shuffle, verbose=0)
    for data in (x, y):
        assert sorted(data.rows()) == sorted([*range(24)] * 2)
        assert max(last - first for first, last in data.read) <= 5
    assert x.read == y.read
    x.read.clear()
    assert model.predict(x, 6, steps=2, verbose=0).shape == (12, 3)
    assert x.read == [(0, 6), (6, 12)]
    x.read.clear(), y.read.clear()
    model.evaluate(x, y, 6, verbose=0)
    assert x.read == y.read == [(0, 6), (6, 12), (12, 18), (18, 24)]
    x.read.clear()
    model.fit(x, y, 6, validation_split=0.5, shuffle=False, verbose=0)
    assert x.read == [(0, 6), (6, 12), (12, 18), (18, 24)]


def test_files_of_several_inputs_and_of_weights():
    first, second = cconv.Input((4,), name="first"), cconv.Input((4,), name="second")
    y = layers.Dense(3, kernel_initializer="ones")(layers.Concatenate()([first, second]))
    model = cconv.Model([first, second], layers.Reshape((3, 1))(y))
    model.compile(cconv.optimizers.SGD(0.0), "mse")
    weights = np.random.RandomState(2).rand(24, 3).astype(np.float32)
    wanted = np.random.RandomState(3).rand(24, 3, 1).astype(np.float32)
    expected = model.evaluate({"first": X, "second": X}, wanted, 5, 0, weights)
    files = {"first": Counting(X), "second": X}
    assert model.evaluate(files, Counting(wanted), 5, 0, Counting(weights)) == expected
    weights[7, 1] = np.nan
    with pytest.raises(ValueError, match="sample_weight: expected finite numbers"):
        model.evaluate(files, wanted, 5, 0, Counting(weights))


def test_a_sequence_of_signals_of_one_value_gains_its_axis_from_a_file():
    model = cconv.Sequential([cconv.Input((6, 1)), layers.Flatten(), layers.Dense(1, kernel_initializer="ones")])
    x = np.random.RandomState(0).rand(10, 6).astype(np.float32)
    np.testing.assert_array_equal(model.predict(Counting(x), 3, verbose=0), model.predict(x, 3, verbose=0))


def test_labels_in_files_are_checked_by_batch():
    model = cconv.Sequential([cconv.Input((2, 2, 1)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    masks = np.zeros((20, 2, 2), np.int32)
    masks[13, 1, 0] = 7
    before = model.get_weights()[0].copy()
    with pytest.raises(ValueError, match="y of batch 2 .*from 0 to 2.*7"):
        model.fit(np.ones((20, 2, 2, 1)), Counting(masks), 5, shuffle=False, verbose=0)
    assert not np.array_equal(before, model.get_weights()[0])  # two batches were fine


def test_class_weights_of_labels_in_a_file(monkeypatch):
    monkeypatch.setattr("cconv.data.stored._PART", 60)
    weights = {0: 3.0, 2: 0.25}

    def trained(y):
        model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, kernel_initializer="ones", activation="softmax")])
        model.compile("sgd", "categorical_crossentropy")
        model.fit(X, y, 5, shuffle=False, class_weight=weights, verbose=0)
        return model.get_weights()[0]

    one_hot = np.eye(3, dtype=np.float32)[Y]
    np.testing.assert_array_equal(trained(Counting(one_hot)), trained(one_hot))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_memory_map_larger_than_memory(tmp_path):
    """64 GB of images and as much of masks, none of them written: the file system holds no block of them."""
    code = """
        import numpy as np, cconv
        from cconv import layers
        n, shape = 1 << 16, (256, 256, 4)
        def images(name, dtype, shape):
            with open(name, "wb") as file:
                file.truncate(n * int(np.prod(shape)) * np.dtype(dtype).itemsize)
            return np.memmap(name, dtype, "r", shape=(n, *shape))
        model = cconv.Sequential([cconv.Input(shape), layers.Conv2D(2, 1, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        for order in "<>":
            x, y = images("x", order + "f4", shape), images("y", order + "i4", shape[:2])
            model.fit(x, y, 2, steps_per_epoch=3, validation_split=0.5, validation_steps=2, verbose=0)
            model.evaluate(x, y, 2, steps=2, verbose=0)
            assert model.predict(x, 2, steps=2, verbose=0).shape == (4, 256, 256, 2)
        with open("/proc/self/status") as status:  # `ru_maxrss` begins with what the parent had at the fork
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        assert peak < 1 << 20, f"{peak} KB"
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# ---- batches of other libraries --------------------------------------------------------------------------------------


class Pipeline:
    """A data set as TensorFlow's: iterated over anew each epoch, of unknown length, called to make another of it."""

    def __init__(self, batches):
        self.batches, self.passes = batches, 0

    def __iter__(self):
        self.passes += 1
        return iter(self.batches)

    def __len__(self):
        raise TypeError("The dataset length is unknown.")

    def __call__(self, function):
        return function(self)


def test_what_can_be_iterated_over_again_serves_every_epoch_and_method():
    def pipeline():
        return Pipeline([(Tensor(X[i : i + 5]), Tensor(Y[i : i + 5])) for i in range(0, 24, 5)])

    training, validation, model, plain = pipeline(), pipeline(), classifier(), classifier()
    history = model.fit(training, epochs=3, validation_data=validation, verbose=0).history
    expected = plain.fit(X, Y, 5, 3, shuffle=False, validation_data=(X, Y), verbose=0).history
    assert history == expected and training.passes == validation.passes == 3
    assert model.evaluate(pipeline(), verbose=0) == plain.evaluate(X, Y, 5, verbose=0)
    np.testing.assert_array_equal(model.predict(pipeline(), verbose=0), plain.predict(X, 5, verbose=0))


def test_a_dictionary_of_inputs_may_be_a_batch():
    inputs = {name: cconv.Input((4,), name=name) for name in ("first", "second")}
    model = cconv.Model(inputs, layers.Dense(1, kernel_initializer="ones")(layers.Concatenate()(list(inputs.values()))))
    batches = [{"first": Tensor(X[i : i + 6]), "second": X[i : i + 6]} for i in range(0, 24, 6)]
    np.testing.assert_allclose(model.predict(Pipeline(batches), verbose=0)[:, 0], 2 * X.sum(1), rtol=1e-6)


# ---- class weights ---------------------------------------------------------------------------------------------------


def still(loss="sparse_categorical_crossentropy"):
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(cconv.optimizers.SGD(0.0), loss)
    model.set_weights([np.linspace(-1, 1, 12).reshape(4, 3).astype(np.float32), np.zeros(3, np.float32)])
    return model


@pytest.mark.parametrize(
    "class_weight",
    [
        {0: 2.0, 1: 0.5},
        {np.int64(0): np.float32(2), np.uint8(1): np.float64(0.5)},
        {0.0: 2, 1.0: np.array(0.5)},
        {False: 2.0, True: 0.5},
        {0: 2.0, 1: 0.5, 99: 7.0},
    ],
    ids=repr,
)
def test_class_weights_may_be_given_by_any_number(class_weight):
    expected = still().evaluate(X, Y, sample_weight=np.array([2.0, 0.5, 1.0])[Y], verbose=0)
    one_hot = np.eye(3)[Y]
    for loss, labels in {
        "sparse_categorical_crossentropy": (Y, Y[:, None], Y.astype(np.float32), Y.tolist()),
        "categorical_crossentropy": (one_hot, one_hot.astype(bool), one_hot.tolist()),
    }.items():
        for y in labels:
            history = still(loss).fit(X, y, class_weight=class_weight, verbose=0).history
            np.testing.assert_allclose(history["loss"], expected, rtol=1e-6)


class Parts(cconv.utils.PyDataset):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, index):
        return self.parts[index]


@pytest.mark.parametrize("how", ["generator", "dataset", "on_batch"])
def test_class_weights_of_batches(how):
    weights, expected = {0: 2.0, 1: 0.5}, {}
    for given in (True, False):
        model = classifier()
        parts = [(X[i : i + 6], Y[i : i + 6]) for i in range(0, 24, 6)]
        if not given:
            parts = [(x, y, np.array([2.0, 0.5, 1.0])[y]) for x, y in parts]
        arguments = {"class_weight": weights} if given else {}
        if how == "on_batch":
            for part in parts:
                model.train_on_batch(*part, **arguments)
        else:
            model.fit(iter(parts) if how == "generator" else Parts(parts), shuffle=False, verbose=0, **arguments)
        expected[given] = model.get_weights()
    for one, other in zip(expected[True], expected[False], strict=True):
        np.testing.assert_array_equal(one, other)


def test_class_and_sample_weights_exclude_each_other_in_batches():
    batch = (X, Y, np.ones(24))
    with pytest.raises(ValueError, match="Batch 0: `class_weight` and `sample_weight`"):
        classifier().fit(iter([batch]), class_weight={0: 1.0}, verbose=0)


# ---- callbacks -------------------------------------------------------------------------------------------------------


def test_hooks_are_given_a_dictionary():
    given = {}

    def hook_of(name):
        def hook(self, first=None, logs=None):
            given.setdefault(name, []).append(first if logs is None else logs)

        return hook

    hooks = [name for name in dir(cconv.callbacks.Callback) if name.startswith("on_")]
    Record = type("Record", (cconv.callbacks.Callback,), {name: hook_of(name) for name in hooks})
    model = classifier(metrics=["accuracy"])
    model.fit(X, Y, validation_split=0.5, callbacks=[Record()], verbose=0)
    model.evaluate(X, Y, callbacks=[Record()], verbose=0)
    model.predict(X, callbacks=[Record()], verbose=0)
    model.fit(X, Y, epochs=0, callbacks=[Record()], verbose=0)
    missing = {"on_batch_begin", "on_batch_end", "on_exception"}
    assert set(given) == set(hooks) - missing
    assert all(type(logs) is dict for values in given.values() for logs in values), given
