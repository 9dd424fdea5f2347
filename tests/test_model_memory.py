"""Models and whatever was made for them go when their last name goes: nothing waits for the collector of cycles."""

import gc
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest

import cconv
from cconv import callbacks, layers, ops, program

X, Y = np.ones((8, 8, 8, 1), np.float32), np.zeros((8, 2), np.float32)


def sequential():
    return cconv.Sequential(
        [cconv.Input((8, 8, 1)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Flatten(), layers.Dense(2)]
    )


def unbuilt():
    return cconv.Sequential(
        [layers.Conv2D(3, 3, activation="relu"), layers.Dropout(0.5), layers.Flatten(), layers.Dense(2)]
    )


def functional():
    x = cconv.Input((8, 8, 1))
    a = layers.Conv2D(3, 3, padding="same")(x)
    shared = layers.Conv2D(3, 3, padding="same")
    y = layers.Add()([shared(shared(a)), a * 2 + 1])
    y = ops.relu(y)
    return cconv.Model(x, layers.Dense(2, kernel_regularizer="l2")(layers.Flatten()(y)))


def nested():
    inner = functional()
    x = cconv.Input((8, 8, 1))
    return cconv.Model(x, layers.Dense(2)(inner(x)))


class Own(cconv.Model):
    def __init__(self):
        super().__init__()
        self.parts = [layers.Conv2D(2, 3), layers.Flatten()]
        self.head = cconv.Sequential([layers.Dense(2)])
        self.count = self.add_weight(initializer="zeros", trainable=False, name="count")

    def call(self, x):
        self.count.assign_add(1.0)
        for part in self.parts:
            x = part(x)
        self.add_loss(ops.mean(x))
        return self.head(x)


KINDS = [sequential, unbuilt, functional, nested, Own]


def nothing(model, path):
    pass


def fit(model, path):
    model.compile("adam", "mse", metrics=["mae"])
    watching = [
        callbacks.EarlyStopping(patience=1),
        callbacks.ReduceLROnPlateau(),
        callbacks.ModelCheckpoint(path / "m.keras"),
    ]
    model.fit(X, Y, batch_size=4, epochs=2, validation_split=0.25, callbacks=watching, verbose=0)
    model.history.model  # noqa: B018
    return watching


def with_history(model, path):
    model.compile("sgd", "mse")
    return model.fit(X, Y, verbose=0)


def evaluate(model, path):
    model.compile(loss="mse")
    model.evaluate(X, Y, verbose=0)
    model.test_on_batch(X, Y)


def predict(model, path):
    model.predict(X, verbose=0)
    model.predict_on_batch(X)
    model(X)
    model.summary(print_fn=lambda text: None)


def save(model, path):
    model.predict(X, verbose=0)
    model.save_weights(path / "m.weights.h5")
    model.load_weights(path / "m.weights.h5")
    model.get_config()


def refused(model, path):
    with pytest.raises(ValueError):
        model.predict(X[..., None, None], verbose=0)


def remains(model):
    """Weak references to everything that belongs to a model."""
    found = [model, *model._flatten_layers(), *model.weights, model._trainer, model._trainer.planner]
    found += [p for _, p in model._trainer.planner.programs.items()]
    found += [p for _, p in model._array_calls._programs.items()]
    found += [v.core for v in model.weights]
    if model.optimizer is not None:
        found += [model.optimizer, model.optimizer.core]
    if model._structure is not None:
        found += [model._structure, *model._structure.nodes, *model._structure.inputs, *model._structure.outputs]
    return [(weakref.ref(x), repr(x)[:80]) for x in found if x is not None and type(x).__weakrefoffset__]


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def left_to_the_collector():
    """Objects of ours, and weights, that are unreachable and still there."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = [repr(x)[:80] for x in gc.garbage if type(x).__module__.startswith("cconv") or isinstance(x, np.ndarray)]
    gc.garbage.clear()
    return found


@pytest.mark.parametrize("use", [nothing, fit, with_history, evaluate, predict, save, refused])
@pytest.mark.parametrize("make", KINDS)
def test_nothing_remains(make, use, tmp_path, no_collector):
    model = make()
    kept = use(model, tmp_path)
    references = remains(model)
    del model
    left = [text for reference, text in references if reference() is not None]
    assert not left
    del kept
    assert not left_to_the_collector()


@pytest.mark.parametrize("make", [sequential, functional])
@pytest.mark.parametrize("copy", ["file", "pickle", "config"])
def test_nothing_remains_of_copies(make, copy, tmp_path, no_collector):
    model = make()
    if copy == "file":
        fit(model, tmp_path)
        model = cconv.saving.load_model(tmp_path / "m.keras")
        model.fit(X, Y, verbose=0)
    elif copy == "pickle":
        model = pickle.loads(pickle.dumps(model))
    else:
        model = type(model).from_config(model.get_config())
    model.predict(X, verbose=0)
    references = remains(model)
    del model
    assert not [text for reference, text in references if reference() is not None]


def test_layers_that_are_taken_off_go(no_collector):
    model = sequential()
    model.predict(X, verbose=0)
    gone = weakref.ref(model.layers[-1]), weakref.ref(model.layers[-1].kernel)
    model.pop()
    model.add(layers.Dense(2))
    model.predict(X, verbose=0)
    assert gone[0]() is None and gone[1]() is None


def test_results_that_are_dropped_go(no_collector):
    x = cconv.Input((4,))
    layer = layers.Dense(3)
    y = layer(x)
    gone = weakref.ref(y), weakref.ref(layers.Dense(2)(y)), weakref.ref(x.history[0])
    assert gone[1]() is None
    assert layer.output is y and layer.input is x
    model = cconv.Model(layer.input, layer.output)
    del x, y, layer
    assert gone[0]() is not None
    del model
    assert gone[0]() is None and gone[2]() is None


def test_programs_go_with_their_model(no_collector):
    cconv.utils.clear_session()
    before = program.kept_bytes()
    model = functional()
    fit_history = with_history(model, None)
    assert program.kept_bytes() > before
    del model
    assert program.kept_bytes() == before
    assert fit_history.model is None and len(fit_history.history["loss"]) == 1


TEN = """
import numpy as np
import cconv
from cconv import layers

def peak():
    # KB of this process at most so far; `ru_maxrss` begins with what the parent had at the fork
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

x, y = np.ones((4, 3000), np.float32), np.zeros((4, 3000), np.float32)
def one(kind):
    if kind:
        inputs = cconv.Input((3000,))
        model = cconv.Model(inputs, layers.Dense(3000)(layers.Dense(3000)(inputs)))
    else:
        model = cconv.Sequential([layers.Dense(3000), layers.Dense(3000)])
    model.compile("sgd", "mse")
    history = model.fit(x, y, verbose=0)
    model.predict(x, verbose=0)
    model(x)
    return history

start = peak()
one(0)
first = peak() - start
for i in range(9):
    history = one(i % 2)
print((peak() - start) / first)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_ten_large_models_one_after_the_other():
    """At most 2.5 times the memory of one."""
    done = subprocess.run([sys.executable, "-c", TEN], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 2.5
