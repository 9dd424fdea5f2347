"""Names that do not exist: errors tell which there are, which are like it, and which Keras has and cconv has not."""

import importlib
import inspect

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.keras_names import KERAS_ONLY
from cconv.naming import nearest

X = np.ones((2, 4), np.float32)
T = cconv.Input((4,))


def compiled(*args, **kwargs):
    cconv.Sequential([layers.Dense(2)]).compile(*args, **kwargs)


def dense():
    return cconv.Sequential([layers.Dense(2)])


@pytest.mark.parametrize(
    "use, error, words",
    [
        (lambda: layers.Dense(2, activation="rellu"), ValueError, "rellu.*mean 'relu'"),
        (lambda: layers.Conv2D(2, 3, activation="zzz"), ValueError, "zzz.*Expected one of .*relu"),
        (lambda: layers.Dense(2, kernel_initializer="he_normall"), ValueError, "he_normall.*'he_normal'"),
        (lambda: layers.Dense(2, kernel_initializer="zzz"), ValueError, "zzz.*Expected one of .*GlorotUniform"),
        (lambda: layers.Dense(2, kernel_regularizer="l3"), ValueError, "'l3'.*Expected one of .*l1_l2"),
        (lambda: layers.Dense(2, kernel_constraint="maxnorm"), ValueError, "'maxnorm'.*'MaxNorm'"),
        (lambda: layers.Dense(2, activaton="relu"), ValueError, "'activaton'.*mean 'activation'"),
        (lambda: layers.Dense(2, trainabel=True), ValueError, "'trainabel'.*mean 'trainable'"),
        (lambda: layers.Dense(unit=2), TypeError, "Dense.*'unit'.*mean 'units'"),
        (lambda: layers.Conv2D(2, 3, stride=2), ValueError, "'stride'.*mean 'strides'"),
        (lambda: layers.Flatten(foo=1), ValueError, "'foo'.*Expected one of .*data_format, dtype, name"),
        (lambda: cconv.Model(T, layers.Dense(2)(T), nme="x"), ValueError, "'nme'.*mean 'name'"),
        (lambda: compiled("sgdd", "mse"), ValueError, "'sgdd'.*mean 'SGD'"),
        (lambda: compiled("sgd", "msee"), ValueError, "'msee'.*mean 'mse'"),
        (lambda: compiled("sgd", "mse", metrics=["acuracy"]), ValueError, "'acuracy'.*mean 'accuracy'"),
        (lambda: compiled("sgd", "mse", metric=["mae"]), TypeError, r"^compile\(\).*'metric'.*mean 'metrics'"),
        (lambda: dense().fit(X, epoch=3), TypeError, r"^fit\(\).*'epoch'.*mean 'epochs'"),
        (lambda: dense().evaluate(X, stepz=3), TypeError, r"^evaluate\(\).*'stepz'.*mean 'steps'"),
        (lambda: dense().predict(X, batchsize=3), TypeError, r"^predict\(\).*'batchsize'.*mean 'batch_size'"),
        (lambda: dense().train_on_batch(X, sample_weights=X), TypeError, r"'sample_weights'.*mean 'sample_weight'"),
    ],
)
def test_misspelt(use, error, words):
    with pytest.raises(error, match=words):
        use()


@pytest.mark.parametrize(
    "module, name, words",
    [
        ("cconv.layers", "Con2D", "mean 'Conv2D'"),
        ("cconv", "aplications", "mean 'applications'"),
        ("cconv", "layer", "mean 'Layer' or 'layers'"),
        ("cconv.optimizers", "Adamm", "mean 'Adam'"),
        ("cconv.optimizers.schedules", "CosineDecayy", "mean 'CosineDecay'"),
        ("cconv.callbacks", "EarlyStop", "mean 'EarlyStopping'"),
        ("cconv.layers", "GRU", r"cconv has no 'GRU' \(Keras has\)"),
        ("cconv.ops", "ctc_decode", r"cconv has no 'ctc_decode' \(Keras has\)"),
        ("cconv", "mixed_precision", r"cconv has no 'mixed_precision' \(Keras has\)"),
    ],
)
def test_attributes_of_modules(module, name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(importlib.import_module(module), name)


def test_names_that_only_keras_has_are_not_here():
    for name, names in KERAS_ONLY.items():
        module = importlib.import_module(name)
        assert not set(names) & set(dir(module))
        for item in names:
            assert not hasattr(module, item)
        assert all(hasattr(module, item) for item in getattr(module, "__all__", ()))


@pytest.mark.parametrize(
    "use",
    [
        lambda: layers.Dense(2, kernel_initializer="stft"),
        lambda: compiled("lossscaleoptimizer", "mse"),
        lambda: compiled("sgd", "ctc"),
    ],
)
def test_identifiers_that_only_keras_knows(use):
    with pytest.raises(ValueError, match=r"\(Keras has\)"):
        use()


@pytest.mark.parametrize(
    "config, words",
    [
        ({"module": "keras.layers", "class_name": "GRU"}, "cconv has no 'GRU' .Keras has.: recurrent"),
        ({"module": "keras.optimizers", "class_name": "LossScaleOptimizer"}, "no .LossScaleOptimizer. .Keras has"),
        ({"module": "keras.layers", "class_name": "Con2D"}, "mean 'Conv2D'"),
    ],
)
def test_configurations(config, words):
    with pytest.raises(ValueError, match=words):
        cconv.saving.deserialize_object({"config": {}, **config})


def test_operations_of_functional_models():
    x = cconv.Input((4,))
    config = cconv.Model(x, cconv.ops.exp(x)).get_config()
    config["layers"][1]["class_name"] = "CtcDecode"
    with pytest.raises(ValueError, match=r"'CtcDecode'.*cconv has no 'ctc_decode' \(Keras has\)"):
        cconv.Model.from_config(config)
    config["layers"][1]["class_name"] = "Expp"
    with pytest.raises(ValueError, match=r"'Expp'.*mean 'Exp'"):
        cconv.Model.from_config(config)


@pytest.mark.parametrize(
    "use, words",
    [
        (lambda: cconv.utils.to_categorical(T), "to_categorical"),
        (lambda: cconv.utils.normalize(T), "normalize"),
        (lambda: cconv.ops.convert_to_numpy(T), "convert_to_numpy"),
        (lambda: cconv.ops.full((2,), T), "full"),
        (lambda: cconv.Variable(T), "Variable"),
        (lambda: cconv.Variable([1.0], name="v").assign(T), "'v'"),
        (lambda: dense().predict(T), "x: expected an array"),
        (lambda: cconv.metrics.Mean(name="m").update_state(T), "'m' takes arrays only.*name=input_layer"),
        (lambda: cconv.metrics.MeanSquaredError(name="m")(X, T), "'m' takes arrays only.*name=input_layer"),
        (lambda: cconv.metrics.AUC(name="m")(X, y_pred=T), "'m' takes arrays only.*name=input_layer"),
        (lambda: np.asarray(T), "Expected an array: a symbolic tensor has no value"),
        (lambda: float(T), "Expected a number: a symbolic tensor has no value"),
    ],
)
def test_symbolic_tensors_where_arrays_are_taken(use, words):
    with pytest.raises(TypeError, match=words):
        use()


def test_signatures_are_those_of_the_methods():
    for name in ("fit", "compile", "predict"):
        assert "kwargs" not in inspect.signature(getattr(cconv.Model, name)).parameters


def test_nearest():
    assert nearest("rellu", ["elu", "relu", "tanh"]) == "Did you mean 'relu' or 'elu'?"
    assert nearest(3, ["b", "a"]) == "Expected one of a, b."
