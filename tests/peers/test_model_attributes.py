"""Attributes of models and layers beside Keras'."""

import keras
import numpy as np
import pytest

import cconv

X, Y = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)


def compiled(library):
    layers = library.layers
    model = library.Sequential([library.Input((3,)), layers.Dense(2, kernel_regularizer="l2", name="d")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("name", ["run_eagerly", "jit_compile", "steps_per_execution"])
def test_how_steps_are_run(name):
    value = 3 if name == "steps_per_execution" else True
    seen = []
    for library in (cconv, keras):
        model = compiled(library)
        seen.append([getattr(model, name)])
        setattr(model, name, value)
        seen[-1].append(getattr(model, name))
        seen[-1].append(getattr(library.Sequential([library.layers.Dense(2)]), name))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("name", ["dtype", "input_dtype", "compute_dtype", "variable_dtype"])
def test_types(name):
    for ours, theirs in zip([compiled(cconv), *compiled(cconv).layers], [compiled(keras), *compiled(keras).layers],
                            strict=True):  # fmt: skip
        assert getattr(ours, name) == getattr(theirs, name)


def test_what_is_refused_as_there():
    for library in (cconv, keras):
        with pytest.raises(NotImplementedError, match="metrics"):
            compiled(library).layers[0].add_metric(1.0, name="one")


def test_stateless_compute_loss():
    ours, theirs = compiled(cconv), compiled(keras)
    ours.set_weights(theirs.get_weights())
    theirs.train_on_batch(X, Y)
    ours.train_on_batch(X, Y)
    ours.set_weights(theirs.get_weights())
    y_pred = ours.predict_on_batch(X)
    results = []
    for model in (ours, theirs):
        kinds = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
        values = [[v.value for v in kind] for kind in kinds]
        results.append(model.stateless_compute_loss(*values, x=X, y=Y, y_pred=y_pred))
    assert float(results[0][0]) == pytest.approx(float(results[1][0]), rel=1e-5)
    assert [len(group) for group in results[0][1]] == [len(group) for group in results[1][1]]


def test_layers_tell_the_metrics_they_hold():
    found = []
    for library in (keras, cconv):

        class Inner(library.layers.Layer):
            def __init__(self, library=library):
                super().__init__()
                self.seen = library.metrics.Mean("seen")

            def call(self, x):
                return x

        class Outer(library.layers.Layer):
            def __init__(self, library=library, inner=Inner):
                super().__init__()
                self.own = library.metrics.MeanSquaredError("own")
                self.parts = [inner(), inner()]

            def call(self, x):
                return self.parts[1](self.parts[0](x))

        layer = Outer()
        layer.own.update_state([1.0], [3.0])
        values = [np.asarray(v.numpy() if library is cconv else v.value).tolist() for v in layer.metrics_variables]
        found.append(([metric.name for metric in layer.metrics], values, library.layers.Dense(1).metrics))
    assert found[0] == found[1] == (["own", "seen", "seen"], [4.0, 1.0, 0.0, 0.0, 0.0, 0.0], [])


def test_add_variable_is_add_weight():
    for library in (keras, cconv):
        layer = library.layers.Layer()
        weight = layer.add_variable((2,), "ones", name="scale")
        assert layer.weights == [weight] and weight.numpy().tolist() == [1.0, 1.0] and weight.trainable
