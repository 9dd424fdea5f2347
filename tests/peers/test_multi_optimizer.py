"""MultiOptimizer and OptimizerMap beside Keras': which optimizer is chosen, the weights after steps, files."""

import keras
import numpy as np
import pytest

import cconv

X = np.random.default_rng(0).standard_normal((16, 6)).astype(np.float32)
Y = np.random.default_rng(1).standard_normal((16, 2)).astype(np.float32)


def network(k):
    k.utils.set_random_seed(0)  # of a gradient that is nearly 0, Adam's step is decided by rounding
    return k.Sequential(
        [
            k.Input((6,)),
            k.layers.Dense(5, activation="tanh", name="body"),
            k.layers.Dense(4, activation="tanh", name="neck"),
            k.layers.Dense(2, name="head"),
        ],
        name="net",
    )


def by_map(k, **settings):
    o = k.optimizers
    chosen = o.OptimizerMap(
        o.SGD(0.1, momentum=0.5), {".*body/.*": o.Adam(0.01, clipnorm=0.5), ".*head/bias": o.RMSprop(0.05)}
    )
    return o.MultiOptimizer(chosen, **settings)


def by_function(k, **settings):
    o = k.optimizers
    matrices, others = o.AdamW(0.02, weight_decay=0.1), o.SGD(o.schedules.ExponentialDecay(0.1, 1, 0.5))
    return o.MultiOptimizer(lambda v: matrices if len(v.shape) > 1 else others, **settings)


MADE = {"map": by_map, "function": by_function, "scaled": lambda k: by_map(k, loss_scale_factor=8.0)}


@pytest.mark.parametrize("made", MADE)
def test_three_steps_give_keras_weights(made):
    ours, theirs = network(cconv), network(keras)
    ours.set_weights(theirs.get_weights())
    optimizers = MADE[made](cconv), MADE[made](keras)
    for model, optimizer in zip((ours, theirs), optimizers, strict=True):
        model.compile(optimizer=optimizer, loss="mse")
        for _ in range(3):
            model.train_on_batch(X, Y)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-6)
    names = [[type(inner).__name__ for inner in optimizer.optimizers] for optimizer in optimizers]
    assert names[0] == names[1] and int(optimizers[0].iterations) == int(optimizers[1].iterations) == 3
    counts = [[int(inner.iterations) for inner in optimizer.optimizers] for optimizer in optimizers]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("made", MADE)
def test_gradients_are_applied_as_keras_does(made):
    values = {"body/kernel": np.ones((2, 3)), "head/bias": np.full(3, 2.0), "head/kernel": np.full((3, 1), 3.0)}
    found = []
    for k in cconv, keras:
        optimizer = MADE[made](k)
        variables = [k.Variable(value.astype("float32"), name=name.split("/")[1]) for name, value in values.items()]
        for variable, name in zip(variables, values, strict=True):
            if k is cconv:
                variable.path = name
            else:
                variable._path = name
        for i in range(2):
            gradients = [(value * (i + 1)).astype("float32") for value in values.values()]
            optimizer.apply([k.ops.convert_to_tensor(gradient) for gradient in gradients], variables)
        state = optimizer.variables
        found.append(([k.ops.convert_to_numpy(v) for v in variables], [k.ops.convert_to_numpy(v) for v in state]))
    for ours, theirs in zip(*found, strict=True):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("k", [cconv, keras], ids=["cconv", "keras"])
def test_a_map_looks_up_as_keras_does(k):
    a, b, rest = k.optimizers.SGD(), k.optimizers.Adam(), k.optimizers.RMSprop()
    chosen = k.optimizers.OptimizerMap(rest)
    chosen["encoder/.*"], chosen["encoder/dense"] = a, b
    assert (chosen["encoder/dense"], chosen["encoder/other"], chosen["encoder"]) == (b, a, rest)
    assert list(chosen) == ["encoder/.*", "encoder/dense"] and len(chosen) == 2
    chosen["enc.*"] = b
    with pytest.raises(ValueError):
        chosen["encoder/other"]
    for key, value, error in (("enc.*", a, ValueError), (1, a, ValueError), ("x", "sgd", ValueError)):
        with pytest.raises(error):
            chosen[key] = value
    del chosen["enc.*"]
    with pytest.raises(TypeError):
        k.optimizers.OptimizerMap("sgd")
    with pytest.raises(AttributeError):
        float(k.optimizers.MultiOptimizer(chosen).learning_rate)
    with pytest.raises(ValueError):
        chosen["deep"] = k.optimizers.MultiOptimizer(k.optimizers.OptimizerMap(a))


@pytest.mark.parametrize("direction", ["to keras", "from keras"])
def test_files_are_exchanged(direction, tmp_path):
    writer, reader = (cconv, keras) if direction == "to keras" else (keras, cconv)
    model = network(writer)
    model.compile(optimizer=by_map(writer), loss="mse")
    for _ in range(2):
        model.train_on_batch(X, Y)
    model.save(tmp_path / "model.keras")
    read = reader.saving.load_model(tmp_path / "model.keras")
    for k in model, read:
        k.train_on_batch(X, Y)
    for a, b in zip(model.get_weights(), read.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-6)
