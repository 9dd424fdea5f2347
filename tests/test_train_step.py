"""Models with steps of their own: `train_step` and its kin, `compute_loss`, `compute_metrics`, wherever they count."""

import numpy as np
import pytest

import cconv
from cconv import layers, metrics, ops
from cconv.utils import unpack_x_y_sample_weight

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((22, 6)).astype(np.float32), RNG.integers(0, 3, 22)
WEIGHTS = RNG.random(22).astype(np.float32)
CROSSENTROPY = cconv.losses.SparseCategoricalCrossentropy(from_logits=True)


class Net(cconv.Model):
    def __init__(self, drop=0.0):
        super().__init__()
        self.first = layers.Dense(8, activation="relu", kernel_regularizer="l2")
        self.norm, self.drop = layers.BatchNormalization(), layers.Dropout(drop, seed=3)
        self.last = layers.Dense(3)

    def call(self, x):
        return self.last(self.drop(self.norm(self.first(x))))


class Guide(Net):
    """The step that Keras' guide writes."""

    def train_step(self, data):
        x, y, weights = unpack_x_y_sample_weight(data)
        with cconv.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weights)
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def trained(kind, fit=None, seed=1, **options):
    cconv.utils.set_random_seed(seed)
    model = kind()
    model.compile(cconv.optimizers.Adam(0.01), CROSSENTROPY, metrics=[metrics.SparseCategoricalAccuracy("accuracy")])
    fit = {"x": X, "y": Y, "batch_size": 8, "epochs": 3, "verbose": 0, **(fit or {})}
    return model, model.fit(**fit, **options).history


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation_data": (X, Y)},
        {"validation_split": 0.3},
        {"sample_weight": WEIGHTS},
        {"class_weight": {1: 2.0}},
    ],
)
def test_the_guides_step_trains_as_fit_does(options):
    plain, expected = trained(Net, **options)
    own, history = trained(Guide, **options)
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), own.get_weights(), strict=True))
    assert history.keys() == expected.keys()
    assert all(np.allclose(history[name], expected[name], rtol=1e-6) for name in history)
    assert plain.evaluate(X, Y, verbose=0) == own.evaluate(X, Y, verbose=0)
    assert int(own.optimizer.iterations) == int(plain.optimizer.iterations)


@pytest.mark.parametrize("several", [False, True])
def test_run_eagerly_calls_the_methods_and_gives_the_same(several):
    def make(eager):
        cconv.utils.set_random_seed(4)
        inputs = cconv.Input((6,), name="in")
        a, b = layers.Dense(3, name="a")(inputs), layers.Dense(1, name="b")(inputs)
        model = cconv.Model(inputs, [a, b] if several else a)
        loss = [CROSSENTROPY, "mse"] if several else CROSSENTROPY
        weights = [1.0, 0.5] if several else None
        measured = [["accuracy"], ["mae"]] if several else ["accuracy"]
        model.compile("adam", loss, loss_weights=weights, metrics=measured, weighted_metrics=None, run_eagerly=eager)
        return model

    y = [Y, WEIGHTS] if several else Y
    plain, eager = make(False), make(True)
    for model in (plain, eager):
        cconv.utils.set_random_seed(9)
        model.fit(X, y, batch_size=8, epochs=2, verbose=0, validation_data=(X, y))
    expected, found = plain.history.history, eager.history.history
    assert found.keys() == expected.keys() and all(np.allclose(found[k], expected[k], rtol=1e-6) for k in found)
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), eager.get_weights(), strict=True))
    expected, found = (m.evaluate(X, y, verbose=0, return_dict=True) for m in (plain, eager))
    assert found.keys() == expected.keys() and all(np.isclose(found[k], expected[k], rtol=1e-6) for k in found)
    both = [np.concatenate([np.ravel(p) for p in np.atleast_1d(m.predict(X, verbose=0))]) if not several else
            np.concatenate([p.ravel() for p in m.predict(X, verbose=0)]) for m in (plain, eager)]  # fmt: skip
    assert np.array_equal(*both)


@pytest.mark.parametrize(
    "settings",
    [{"gradient_accumulation_steps": 2}, {"use_ema": True}, {"loss_scale_factor": 8.0}, {"global_clipnorm": 0.1}],
)
def test_what_optimizers_do_besides_is_done(settings):
    found = []
    for eager in (False, True):
        cconv.utils.set_random_seed(1)
        model = Net()
        model.compile(cconv.optimizers.Adam(0.01, **settings), CROSSENTROPY, run_eagerly=eager)
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        found.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_what_a_step_is_given():
    seen = []

    class Seeing(Net):
        def train_step(self, data):
            seen.append(data)
            return {"seen": len(seen)}

        test_step = train_step

        def predict_step(self, data):
            seen.append(data)
            return {"twice": data * 2, "same": data}

    model = Seeing()
    model.compile()
    history = model.fit(X.astype(np.float64), batch_size=16, shuffle=False, epochs=2, verbose=0).history
    assert history == {"seen": [2.0, 4.0]}
    assert [d.shape for d in seen] == [(16, 6), (6, 6)] * 2 and seen[0].dtype == "float32"
    assert np.array_equal(seen[0], X[:16])
    model.fit({"a": X, "b": [Y]}, Y, sample_weight=WEIGHTS, batch_size=22, shuffle=False, verbose=0)
    x, y, weights = seen[-1]
    assert np.array_equal(x["a"], X) and np.array_equal(x["b"][0], Y) and np.array_equal(weights, WEIGHTS)
    assert y.dtype == "int32" and y.numpy().dtype == Y.dtype
    model.fit(((X[i : i + 2], Y[i : i + 2]) for i in (0, 2)), verbose=0)
    assert np.array_equal(seen[-1][1], Y[2:4])
    model.train_on_batch(X, Y)
    assert len(seen[-1]) == 2
    assert model.evaluate(X, Y, batch_size=22, verbose=0) == len(seen)
    assert model.test_on_batch(X, Y, return_dict=True) == {"seen": float(len(seen))}
    found = model.predict(X, batch_size=5, verbose=0)
    assert np.array_equal(found["twice"], 2 * X) and np.array_equal(found["same"], X)
    assert np.array_equal(model.predict_on_batch(X)["twice"], 2 * X)


def test_compute_loss_and_compute_metrics_are_called():
    class Own(Net):
        def __init__(self):
            super().__init__()
            self.tracker = metrics.Mean("loss")
            self.largest = metrics.Mean("largest")
            self.modes = []

        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            self.modes.append(training)
            loss = ops.mean(ops.square(y_pred - ops.one_hot(y, 3))) + ops.sum(self.losses)
            self.tracker.update_state(loss)
            return loss

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.largest.update_state(ops.max(y_pred, axis=-1))
            results["largest"] = self.largest.result()
            return results

        @property
        def metrics(self):
            return [self.tracker, self.largest]

        def reset_metrics(self):
            for metric in self.metrics:
                metric.reset_state()

    cconv.utils.set_random_seed(1)
    model = Own()
    model.compile(cconv.optimizers.SGD(0.1))
    history = model.fit(X, Y, epochs=4, batch_size=11, verbose=0, validation_data=(X, Y)).history
    assert set(history) == {"loss", "largest", "val_loss", "val_largest"}
    assert history["loss"] == sorted(history["loss"], reverse=True)
    assert model.modes == [True, True, False, False] * 4
    first = np.asarray(model(X))
    expected = np.mean((first - np.eye(3)[Y]) ** 2) + 0.01 * np.sum(model.first.kernel.numpy() ** 2)
    assert np.isclose(model.evaluate(X, Y, batch_size=22, verbose=0, return_dict=True)["loss"], expected, rtol=1e-5)


def test_no_plan_is_made_after_the_first_epoch(monkeypatch):
    made = []
    init = cconv.program.Program.__init__
    monkeypatch.setattr(cconv.program.Program, "__init__", lambda self, *a, **k: made.append(1) or init(self, *a, **k))
    counts = []
    each = cconv.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: counts.append(len(made)))
    trained(Guide, callbacks=[each], validation_data=(X, Y))
    assert counts[0] == counts[-1] > 0


def test_callbacks_see_the_logs_and_stop():
    logs = []
    stop = cconv.callbacks.LambdaCallback(on_train_batch_end=lambda batch, values: logs.append(values))
    model, _ = trained(Guide, {"epochs": 1}, callbacks=[stop])
    assert [sorted(values) for values in logs] == [["accuracy", "loss"]] * 3
    assert all(isinstance(value, float) for value in logs[0].values())

    class Stop(cconv.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    before = int(model.optimizer.iterations)
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[Stop()])
    assert int(model.optimizer.iterations) == before + 1


def test_errors_of_steps():
    class Nothing(Net):
        def train_step(self, data):
            pass

    model = Nothing()
    with pytest.raises(ValueError, match="call `compile"):
        model.fit(X, Y, verbose=0)
    model.compile()
    with pytest.raises(ValueError, match="`train_step` of model 'nothing.*dictionary"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="same number of samples"):
        model.fit(X, Y[:3], verbose=0)
    own = Guide()
    own.first = layers.Dense(8)
    own.compile()
    with pytest.raises(ValueError, match="No loss to compute"):
        own.fit(X, Y, verbose=0)


def test_dropout_and_threads_in_steps():
    class Dropping(Guide):
        def __init__(self):
            super().__init__(drop=0.5)

    before = cconv.get_num_threads()
    try:
        found = []
        for threads in (1, 3):
            cconv.set_num_threads(threads)
            found.append(trained(Dropping)[0].get_weights())
    finally:
        cconv.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


# ---- what people write


class Adversarial(cconv.Model):
    """Two networks in turns, as in Keras' DCGAN example."""

    def __init__(self, size=2):
        super().__init__()
        self.size = size
        self.critic = cconv.Sequential(
            [cconv.Input((6,)), layers.Dense(16), layers.LeakyReLU(), layers.Dropout(0.2), layers.Dense(1)]
        )
        self.maker = cconv.Sequential([cconv.Input((size,)), layers.Dense(16, activation="relu"), layers.Dense(6)])
        self.seeds = cconv.random.SeedGenerator(1)

    def compile(self, critic_optimizer, maker_optimizer, loss_fn):
        super().compile()
        self.critic_optimizer, self.maker_optimizer, self.loss_fn = critic_optimizer, maker_optimizer, loss_fn
        self.critic_metric, self.maker_metric = metrics.Mean("critic"), metrics.Mean("maker")

    @property
    def metrics(self):
        return [self.critic_metric, self.maker_metric]

    def _noise(self, n):
        return np.random.default_rng(self.seeds.next()).standard_normal((n, self.size)).astype(np.float32)

    def train_step(self, real):
        n = ops.shape(real)[0]
        mixed = ops.concatenate([self.maker(self._noise(n)), real], axis=0)
        labels = ops.concatenate([np.ones((n, 1)), np.zeros((n, 1))], axis=0)
        with cconv.GradientTape() as tape:
            critic_loss = self.loss_fn(labels, self.critic(mixed, training=True))
        gradients = tape.gradient(critic_loss, self.critic.trainable_weights)
        self.critic_optimizer.apply_gradients(zip(gradients, self.critic.trainable_weights, strict=True))
        noise = self._noise(n)
        with cconv.GradientTape() as tape:
            maker_loss = self.loss_fn(np.zeros((n, 1)), self.critic(self.maker(noise)))
        gradients = tape.gradient(maker_loss, self.maker.trainable_weights)
        self.maker_optimizer.apply_gradients(zip(gradients, self.maker.trainable_weights, strict=True))
        self.critic_metric.update_state(critic_loss)
        self.maker_metric.update_state(maker_loss)
        return {"critic": self.critic_metric.result(), "maker": self.maker_metric.result()}


def test_two_networks_in_turns():
    cconv.utils.set_random_seed(0)
    model = Adversarial()
    loss = cconv.losses.BinaryCrossentropy(from_logits=True)
    model.compile(cconv.optimizers.Adam(0.01), cconv.optimizers.Adam(0.01), loss)
    real = (RNG.standard_normal((64, 6)) * 0.1 + [3, -2, 1, 0, 2, -1]).astype(np.float32)
    made = [model.maker.get_weights(), model.critic.get_weights()]
    history = model.fit(real, epochs=10, batch_size=32, verbose=0).history
    assert set(history) == {"critic", "maker"} and history["critic"][3] < history["critic"][0]
    assert all(not np.array_equal(a, v) for a, v in zip(made[0], model.maker.get_weights(), strict=True))
    assert int(model.critic_optimizer.iterations) == int(model.maker_optimizer.iterations) == 20


def test_a_variational_autoencoder():
    class Autoencoder(cconv.Model):
        def __init__(self):
            super().__init__()
            self.encoder = cconv.Sequential([cconv.Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(4)])
            self.decoder = cconv.Sequential([cconv.Input((2,)), layers.Dense(16, activation="relu"), layers.Dense(6)])
            self.total, self.divergence = metrics.Mean("loss"), metrics.Mean("divergence")

        @property
        def metrics(self):
            return [self.total, self.divergence]

        def train_step(self, x):
            with cconv.GradientTape() as tape:
                code = self.encoder(x)
                mean, spread = code[:, :2], code[:, 2:]
                noise = np.random.default_rng(len(x)).standard_normal((len(x), 2)).astype(np.float32)
                again = self.decoder(mean + ops.exp(0.5 * spread) * noise)
                rebuilt = ops.mean(ops.sum(ops.square(x - again), axis=-1))
                divergence = ops.mean(ops.sum(-0.5 * (1 + spread - ops.square(mean) - ops.exp(spread)), axis=1))
                loss = rebuilt + 0.1 * divergence
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            self.total.update_state(loss)
            self.divergence.update_state(divergence)
            return {m.name: m.result() for m in self.metrics}

    cconv.utils.set_random_seed(0)
    model = Autoencoder()
    model.compile("adam")
    x = (RNG.standard_normal((64, 2)) @ RNG.standard_normal((2, 6))).astype(np.float32)
    history = model.fit(x, epochs=60, batch_size=32, verbose=0).history
    assert history["loss"][-1] < 0.6 * history["loss"][0] and history["divergence"][-1] > 0


def test_distillation_and_contrastive_pairs():
    class Distiller(Net):
        def __init__(self, teacher):
            super().__init__()
            self.teacher = teacher
            self.teacher.trainable = False

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            soft = ops.softmax(self.teacher(x, training=False) / 2.0, axis=-1)
            distance = cconv.losses.kl_divergence(soft, ops.softmax(y_pred / 2.0, axis=-1))
            return 0.1 * super().compute_loss(x, y, y_pred, sample_weight) + ops.mean(distance)

    teacher, _ = trained(Net, {"epochs": 30})
    before = teacher.get_weights()
    student = Distiller(teacher)
    student.compile(cconv.optimizers.Adam(0.02), CROSSENTROPY)
    history = student.fit(X, Y, epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights(), strict=True))

    class Pairs(cconv.Model):
        def __init__(self):
            super().__init__()
            self.embed = cconv.Sequential([cconv.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(2)])

        def train_step(self, data):
            (a, b), same = data
            with cconv.GradientTape() as tape:
                distance = ops.sqrt(ops.sum(ops.square(self.embed(a) - self.embed(b)), axis=-1) + 1e-6)
                apart = ops.square(ops.maximum(1.0 - distance, 0.0))
                loss = ops.mean(same * ops.square(distance) + (1.0 - same) * apart)
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"loss": loss}

    cconv.utils.set_random_seed(0)
    pairs = Pairs()
    pairs.compile(cconv.optimizers.Adam(0.01))
    first, second = RNG.integers(0, 22, (2, 100))
    same = (Y[first] == Y[second]).astype(np.float32)
    history = pairs.fit([X[first], X[second]], same, epochs=40, verbose=0).history
    assert history["loss"][-1] < 0.6 * history["loss"][0]


def test_labels_of_one_output_are_not_those_of_two():
    inputs = cconv.Input((3,))
    model = cconv.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(1)(inputs)])
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 1), np.float32)
    for eager in (False, True):
        model.compile("sgd", "mse", run_eagerly=eager)
        for labels in (y, [y], [y, y, y]):
            with pytest.raises(ValueError, match="2 arrays|2 outputs"):
                model.fit(x, labels, verbose=0)
        weighted = model.evaluate(x, [y, y], sample_weight=np.zeros(4), verbose=0)
        assert weighted[0] == 0
