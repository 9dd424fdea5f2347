"""A training by steps of one's own that was killed goes on from its backup, bit for bit."""

import numpy as np
import pytest

import cconv
from cconv import layers
from cconv.callbacks import BackupAndRestore, Callback, ReduceLROnPlateau

X = np.random.default_rng(0).random((40, 5), np.float32)


class Interrupt(Callback):
    """Raises before a batch of the training, counted from 1; with `end` at the end of the first epoch."""

    def __init__(self, batch=0, end=False):
        super().__init__()
        self.left, self.end = batch, end

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise InterruptedError

    def on_epoch_end(self, epoch, logs=None):
        if self.end:
            raise InterruptedError


class Noise(layers.Layer):
    """Adds random numbers of a stream of its own."""

    def __init__(self):
        super().__init__()
        self.generator = cconv.random.SeedGenerator(5)

    def call(self, x):
        return x + 0.1 * cconv.random.normal(cconv.ops.shape(x), seed=self.generator)


class Adversaries(cconv.Model):
    """Two networks trained in turns, each by its optimizer; random numbers and metrics of its own."""

    def __init__(self):
        super().__init__()
        self.generator = cconv.Sequential([cconv.Input((3,)), layers.Dense(8, activation="relu"), layers.Dense(5)])
        self.discriminator = cconv.Sequential(
            [cconv.Input((5,)), Noise(), layers.Dense(8, activation="tanh"), layers.Dropout(0.3), layers.Dense(1)]
        )
        self.seeds = cconv.random.SeedGenerator(11)
        self.rounds = self.add_weight(shape=(), initializer="zeros", trainable=False, name="rounds")
        self.trackers = {"d": cconv.metrics.Mean(name="d_loss"), "g": cconv.metrics.Mean(name="g_loss")}

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.optimizers = {"d": d_optimizer, "g": g_optimizer}
        self.loss_of = cconv.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, data):
        real = data[0] if isinstance(data, tuple) else data
        n = real.shape[0]
        self.rounds.assign_add(1.0)
        for who, labels in (("d", None), ("g", np.ones((n, 1), np.float32))):
            noise = cconv.random.normal((n, 3), seed=self.seeds)
            with cconv.GradientTape() as tape:
                fake = self.discriminator(self.generator(noise, training=True), training=True)
                if labels is None:
                    loss = self.loss_of(np.ones((n, 1)), self.discriminator(real, training=True))
                    loss = loss + self.loss_of(np.zeros((n, 1)), fake)
                else:
                    loss = self.loss_of(labels, fake)
            network = self.discriminator if who == "d" else self.generator
            gradients = tape.gradient(loss, network.trainable_variables)
            self.optimizers[who].apply_gradients(zip(gradients, network.trainable_variables, strict=True))
            self.trackers[who].update_state(loss)
        return {**{m.name: m.result() for m in self.trackers.values()}, "last": loss}


def made():
    cconv.utils.set_random_seed(4)
    model = Adversaries()
    model.compile(cconv.optimizers.Adam(0.01), cconv.optimizers.SGD(0.05, momentum=0.9))
    return model


def state_of(model):
    optimizers = [v.numpy() for o in model.optimizers.values() for v in o.variables]
    return [*model.get_weights(), *optimizers, model.seeds.state.numpy()]


def train(model, folder, *callbacks, save_freq=3):
    backup = BackupAndRestore(folder, save_freq=save_freq)
    plateau = ReduceLROnPlateau(monitor="last", patience=1, min_delta=10.0, mode="min")
    return model.fit(X, batch_size=8, epochs=3, verbose=0, callbacks=[backup, plateau, *callbacks]).history


@pytest.mark.parametrize(
    ("save_freq", "interrupt"),
    [(3, {"batch": 8}), ("epoch", {"batch": 7}), (1, {"batch": 2}), (5, {"end": True})],
    ids=["within an epoch", "epochs", "early", "behind the last batch of an epoch"],
)
def test_it_ends_as_it_would_have_ended(tmp_path, save_freq, interrupt):
    whole = made()
    expected = train(whole, tmp_path / "whole", save_freq=save_freq)
    killed = made()
    with pytest.raises(InterruptedError):
        train(killed, tmp_path / "backup", Interrupt(**interrupt), save_freq=save_freq)
    again = made()
    np.random.default_rng().random()
    cconv.random.normal((3,))  # the global stream is elsewhere, too
    again.seeds.next()
    history = train(again, tmp_path / "backup", save_freq=save_freq)
    for name, values in history.items():
        assert values == expected[name][-len(values) :], name
    for a, b in zip(state_of(again), state_of(whole), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_stored_or_restored_says_so(tmp_path):
    model = made()
    outside = cconv.Variable([1.0], name="outside")
    model.optimizers["d"].build([outside])
    with pytest.raises(ValueError, match="trains variables that are not those of model"):
        train(model, tmp_path / "a")
    with pytest.raises(InterruptedError):
        train(made(), tmp_path / "b", Interrupt(8))
    other = made()
    other.more = cconv.metrics.Mean()
    with pytest.raises(ValueError, match="is of another training: it holds .* 2 optimizers|3 metrics|4 metrics"):
        train(other, tmp_path / "b")
    unlike = made()
    unlike.optimizers["d"] = cconv.optimizers.SGD()
    with pytest.raises(ValueError, match="its optimizer holds"):
        train(unlike, tmp_path / "b")


def test_a_model_without_weights_yet_is_built_first(tmp_path):
    class Lazy(cconv.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(5)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            with cconv.GradientTape() as tape:
                loss = cconv.ops.mean(cconv.ops.square(self(data[0], training=True) - data[1]))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {"own": loss}

    def fit(build, *callbacks):
        cconv.utils.set_random_seed(2)
        model = Lazy()
        model.compile("sgd", "mse")
        if build:
            model.build((None, 5))
        callbacks = [BackupAndRestore(tmp_path, save_freq=2), *callbacks]
        model.fit(X, X, batch_size=8, verbose=0, callbacks=callbacks)

    with pytest.raises(InterruptedError):
        fit(False, Interrupt(4))
    with pytest.raises(ValueError, match=r"has layers without weights yet.*call the model once, or `build`"):
        fit(False)
    fit(True)
