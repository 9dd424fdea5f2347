"""Attributes of models and layers that say how they run and in which types."""

import copy

import numpy as np
import pytest

import cconv
from cconv import layers

X, Y = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)


def compiled(**options):
    model = cconv.Sequential([cconv.Input((3,)), layers.Dense(2, kernel_regularizer="l2"), layers.BatchNormalization()])
    model.compile("sgd", "mse", metrics=["mae"], **options)
    return model


def test_run_eagerly_is_what_compile_was_told_until_it_is_set():
    assert cconv.Sequential([layers.Dense(2)]).run_eagerly is False
    assert compiled().run_eagerly is False and compiled(run_eagerly=True).run_eagerly is True
    model = compiled()
    model.run_eagerly = True
    assert model.get_compile_config()["run_eagerly"] is True
    assert copy.copy(model).run_eagerly is True
    copied = copy.copy(model)
    copied.run_eagerly = False
    assert model.run_eagerly is True
    model.compile("sgd", "mse")
    assert model.run_eagerly is False


def test_a_step_that_is_set_to_run_eagerly_runs_the_python_of_a_step():
    planned, eager = compiled(), compiled()
    eager.set_weights(planned.get_weights())
    steps = []
    original = type(eager).train_step
    eager.run_eagerly = True
    cconv.Model.train_step = lambda self, data: steps.append(1) or original(self, data)
    cconv.Model.train_step.is_default = True
    try:
        for _ in range(2):
            np.testing.assert_allclose(eager.train_on_batch(X, Y), planned.train_on_batch(X, Y), rtol=1e-6)
    finally:
        del cconv.Model.train_step
    assert len(steps) == 2
    for a, b in zip(eager.get_weights(), planned.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    eager.run_eagerly = False
    assert not eager._trainer.own.are_used("train")


def test_jit_compile_and_steps_per_execution():
    model = compiled(jit_compile=True, steps_per_execution=3)
    assert model.jit_compile is True and model.steps_per_execution == 3
    model.jit_compile = "auto"
    model.steps_per_execution = 2
    assert model.jit_compile is False and model.steps_per_execution == 2
    assert model.get_compile_config()["steps_per_execution"] == 2
    seen = []
    watch = cconv.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(X, Y, batch_size=1, verbose=0, callbacks=[watch])
    assert len(seen) == 2
    with pytest.raises(ValueError, match="`jit_compile`: expected"):
        model.jit_compile = "maybe"
    for wrong in (0, 1.5, None):
        with pytest.raises(ValueError, match="`steps_per_execution`: expected an integer"):
            model.steps_per_execution = wrong


def test_stateless_compute_loss_leaves_the_model_alone():
    model = compiled()
    before = model.get_weights()
    kinds = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    values = [[np.full(v.shape, 2.0) for v in kind] for kind in kinds]
    y_pred = np.full((4, 2), 3.0, np.float32)
    loss, (trainable, fixed, metrics) = model.stateless_compute_loss(*values, x=X, y=Y, y_pred=y_pred)
    assert float(loss) == pytest.approx(9 + 0.01 * 6 * 4)
    assert [v.shape for v in trainable] == [v.shape for v in model.trainable_variables] and (trainable[0] == 2).all()
    assert len(fixed) == 2 and len(metrics) == len(model.metrics_variables)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="metrics_variables"):
        model.stateless_compute_loss(values[0], values[1], [], y=Y, y_pred=y_pred)


def test_there_are_no_functions_of_steps():
    model = compiled()
    for mode in ("train", "test", "predict"):
        with pytest.raises(NotImplementedError, match=f"no `make_{mode}_function`.*`{mode}_step`"):
            getattr(model, f"make_{mode}_function")()
    with pytest.raises(NotImplementedError, match="Class Own: there is no `make_train_function`"):

        class Own(cconv.Model):
            def make_train_function(self, force=False):
                return None


def test_types_of_layers():
    for layer in (layers.Dense(2), layers.Embedding(3, 2), compiled()):
        assert layer.dtype == layer.input_dtype == layer.compute_dtype == layer.variable_dtype == "float32"
        with pytest.raises(AttributeError):
            layer.input_dtype = "float16"
        with pytest.raises(NotImplementedError, match=r"compile\(metrics=\[...\]\)"):
            layer.add_metric(1.0, name="sum")
