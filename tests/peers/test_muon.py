"""Muon beside Keras': weights over steps, state, configuration, signature, files both ways."""

import inspect

import keras
import numpy as np
import pytest

import cconv

SETTINGS = [
    {}, {"nesterov": False, "rms_rate": None}, {"momentum": 0.5, "ns_steps": 2, "weight_decay": None},
    {"adam_lr_ratio": 0.5, "adam_weight_decay": 0.3, "adam_beta_1": 0.8, "adam_beta_2": 0.9, "epsilon": 1e-2},
    {"exclude_layers": ["last"], "clipnorm": 0.5}, {"exclude_embeddings": False, "clipvalue": 0.01},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}, {"gradient_accumulation_steps": 2},
]  # fmt: skip
X = np.random.default_rng(0).integers(0, 7, (6, 5))
Y = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)


def model_of(library, settings):
    L = library.layers
    model = library.Sequential([library.Input((5,), dtype="int32"), L.Embedding(7, 4), L.Conv1D(3, 2), L.Flatten(),
                                L.Dense(8, activation="tanh"), L.Dense(2, name="last")])  # fmt: skip
    model.compile(library.optimizers.Muon(0.02, **settings), "mse")
    return model


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_five_steps(settings):
    ours, theirs = model_of(cconv, settings), model_of(keras, settings)
    ours.set_weights(theirs.get_weights())
    for _ in range(5):
        np.testing.assert_allclose(ours.train_on_batch(X, Y), theirs.train_on_batch(X, Y), rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    state, other = ours.optimizer.variables, theirs.optimizer.variables
    assert [v.shape for v in state] == [tuple(v.shape) for v in other]
    for a, b in zip(state[1:], other[1:], strict=True):
        assert a.name.rpartition("_")[2] == b.name.rpartition("_")[2]
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-4)


def test_configuration_and_signature():
    ours, theirs = cconv.optimizers.Muon(), keras.optimizers.Muon()
    a, b = ours.get_config(), theirs.get_config()
    assert a.keys() == b.keys()
    for name in a.keys() - {"name", "learning_rate"}:
        assert a[name] == b[name], name
    expected = [p for p in inspect.signature(keras.optimizers.Muon.__init__).parameters.values() if p.name != "kwargs"]
    found = list(inspect.signature(cconv.optimizers.Muon.__init__).parameters.values())
    assert [(p.name, p.default) for p in found] == [(p.name, p.default) for p in expected]
    assert type(cconv.optimizers.deserialize(keras.optimizers.serialize(theirs))) is cconv.optimizers.Muon


def test_training_continues_from_files_both_ways(tmp_path):
    path = str(tmp_path / "model.keras")
    for one, other in ((keras, cconv), (cconv, keras)):
        model = model_of(one, {"exclude_layers": ["last"]})
        model.train_on_batch(X, Y)
        model.save(path)
        again = other.models.load_model(path)
        for _ in range(2):
            np.testing.assert_allclose(again.train_on_batch(X, Y), model.train_on_batch(X, Y), rtol=1e-4)
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
