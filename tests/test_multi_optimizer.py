"""MultiOptimizer in training, tapes, copies and backups; its numbers are compared with Keras' in tests/peers."""

import copy
import pickle

import numpy as np
import pytest

import cconv
from cconv import layers, optimizers

X = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
Y = np.random.default_rng(1).standard_normal((8, 1)).astype(np.float32)


def network():
    cconv.utils.set_random_seed(1)
    return cconv.Sequential([cconv.Input((3,)), layers.Dense(4, name="body"), layers.Dense(1, name="head")], name="net")


def several(**settings):
    chosen = optimizers.OptimizerMap(optimizers.SGD(0.1, momentum=0.9), {".*body/.*": optimizers.Adam(0.02)})
    return optimizers.MultiOptimizer(chosen, **settings)


def trained(steps, optimizer):
    model = network()
    model.compile(optimizer, "mse")
    model.fit(X, Y, epochs=steps, batch_size=8, verbose=0, shuffle=False)
    return model


def test_each_variable_is_changed_by_its_own():
    both, frozen = trained(3, several()), {}
    for name, rule in (("body", optimizers.Adam(0.02)), ("head", optimizers.SGD(0.1, momentum=0.9))):
        model = network()
        model.get_layer("head" if name == "body" else "body").trainable = False
        model.compile(rule, "mse")
        model.train_on_batch(X, Y)
        frozen[name] = model.get_layer(name).get_weights()
    one = trained(1, several())
    for name, weights in frozen.items():  # in the first step the other layer has not changed yet
        for a, b in zip(one.get_layer(name).get_weights(), weights, strict=True):
            assert np.array_equal(a, b)
    assert [int(o.iterations) for o in both.optimizer.optimizers] == [3, 3] and int(both.optimizer.iterations) == 3


def test_a_step_of_ones_own_is_that_of_fit():
    expected, model, optimizer = trained(3, several()), network(), several()
    for _ in range(3):
        with cconv.GradientTape() as tape:
            loss = cconv.losses.MeanSquaredError()(Y, model(X, training=True))
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_go_on_alike(again):
    model = trained(2, several())
    other = again(model)
    for m in model, other:
        m.fit(X, Y, epochs=2, batch_size=8, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_a_killed_training_goes_on(tmp_path):
    expected = trained(4, several())
    model = network()
    model.compile(several(), "mse")

    class Killed(cconv.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    options = {"epochs": 4, "batch_size": 8, "verbose": 0, "shuffle": False}
    backup = cconv.callbacks.BackupAndRestore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, callbacks=[backup, Killed()], **options)
    model = network()
    model.compile(several(), "mse")
    model.fit(X, Y, callbacks=[cconv.callbacks.BackupAndRestore(tmp_path)], **options)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_averages_schedules_and_the_scale_of_the_loss():
    rate = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    slow, fast = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75), optimizers.SGD(rate)
    optimizer = optimizers.MultiOptimizer(lambda v: slow if v.name == "a" else fast, loss_scale_factor=2.0)
    a, b = cconv.Variable([0.0], name="a"), cconv.Variable([0.0], name="b")
    for _ in range(2):
        optimizer.apply([[-8.0], [-8.0]], [a, b])
    assert (a.numpy()[0], b.numpy()[0]) == (8.0, 3.0)  # 4 + 4, and 2 + 1
    optimizer.finalize_variable_values([a, b])
    assert (a.numpy()[0], b.numpy()[0]) == (5.0, 3.0)
    assert fast.loss_scale_factor == 2.0 and float(optimizer.scale_loss(3.0)) == 6.0
    optimizer.loss_scale_factor = None
    assert slow.loss_scale_factor is None


def test_configuration():
    optimizer = several(name="both")
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is optimizers.MultiOptimizer and again.name == "both"
    assert [type(o).__name__ for o in again.optimizers] == ["Adam", "SGD"]
    assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optimizers.MultiOptimizer("sgd"), TypeError, "OptimizerMap or a function"),
        (lambda: optimizers.OptimizerMap(optimizers.SGD(), {"a": optimizers.Muon()}), ValueError, "Muon"),
        (lambda: optimizers.OptimizerMap(optimizers.SGD(), {"a": several()}), ValueError, "MultiOptimizer"),
        (lambda: optimizers.MultiOptimizer(lambda v: "sgd").build([cconv.Variable(1.0)]), ValueError, "neither"),
        (lambda: setattr(several(), "learning_rate", 0.1), AttributeError, "learning rate"),
        (lambda: optimizers.get("multioptimizer"), ValueError, r"MultiOptimizer\(OptimizerMap\(.*'multioptimizer'"),
        (lambda: network().compile("MultiOptimizer", "mse"), ValueError, r"MultiOptimizer\(OptimizerMap\("),
    ],
)
def test_what_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_callback_that_logs_rates_leaves_them_out(tmp_path):
    model = network()
    model.compile(several(), "mse")
    model.fit(X, Y, verbose=0, callbacks=[cconv.callbacks.TensorBoard(tmp_path)])
    assert list(tmp_path.glob("train/*"))
