"""Tapes beside PyTorch's autograd, and steps of one's own beside Keras' on PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import inspect

import keras
import numpy as np
import pytest
import torch

import cconv

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 8, 8, 2)).astype(np.float32)
LABELS = RNG.integers(0, 3, 12)


def both(make):
    """The same model in both libraries, with the same weights."""
    own, other = make(cconv), make(keras)
    for model in (own, other):
        model(X[:1])
    other.set_weights(own.get_weights())
    return own, other


def close(a, b, rtol=2e-4, atol=2e-6):
    assert np.allclose(np.asarray(a), b.detach().numpy() if hasattr(b, "detach") else b, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda o, a, b: o.sum(o.exp(a) * b), lambda a, b: (a.exp() * b).sum()),
        (lambda o, a, b: o.mean(o.square(o.matmul(a, o.transpose(b)))), lambda a, b: ((a @ b.T) ** 2).mean()),
        (lambda o, a, b: o.softmax(a) * b, lambda a, b: a.softmax(-1) * b),
        (
            lambda o, a, b: o.concatenate([a, b * 2])[1:4] / (1 + a[:3] ** 2),
            lambda a, b: torch.cat([a, b * 2])[1:4] / (1 + a[:3] ** 2),
        ),
        (lambda o, a, b: o.where(a > b, a * b, o.tanh(a)), lambda a, b: torch.where(a > b, a * b, a.tanh())),
        (
            lambda o, a, b: o.log(o.sigmoid(a)) - o.max(b, axis=1, keepdims=True),
            lambda a, b: a.sigmoid().log() - b.amax(1, keepdim=True),
        ),
        (lambda o, a, b: o.stop_gradient(a) * a + b, lambda a, b: a.detach() * a + b),
    ],
)  # fmt: skip
def test_gradients_are_those_of_autograd(ours, theirs):
    a, b = (RNG.standard_normal((4, 5)).astype(np.float32) for _ in range(2))
    v = cconv.Variable(a)
    with cconv.GradientTape(persistent=True) as tape:
        tape.watch(b)
        y = ours(cconv.ops, v, cconv.ops.convert_to_tensor(b))
    ta, tb = (torch.tensor(x, requires_grad=True) for x in (a, b))
    ty = theirs(ta, tb)
    dy = RNG.standard_normal(ty.shape).astype(np.float32)
    close(y, ty)
    for weights in (None, dy):
        expected = torch.autograd.grad(ty, [ta, tb], torch.ones_like(ty) if weights is None else torch.tensor(dy),
                                       retain_graph=True)  # fmt: skip
        for g, e in zip(tape.gradient(y, [v, b], output_gradients=weights), expected, strict=True):
            close(g, e)


def convnet(lib):
    return lib.Sequential(
        [
            lib.Input((8, 8, 2)),
            lib.layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
            lib.layers.BatchNormalization(momentum=0.9),
            lib.layers.MaxPooling2D(),
            lib.layers.Flatten(),
            lib.layers.Dense(3),
        ]
    )


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [("SGD", {"momentum": 0.9}), ("Adam", {"clipnorm": 0.5}), ("RMSprop", {}), ("AdamW", {"global_clipnorm": 1.0})],
)
def test_steps_of_a_tape_are_those_of_keras(optimizer, settings):
    own, other = both(convnet)
    ours = getattr(cconv.optimizers, optimizer)(0.01, **settings)
    theirs = getattr(keras.optimizers, optimizer)(0.01, **settings)
    our_loss = cconv.losses.SparseCategoricalCrossentropy(from_logits=True)
    their_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for _ in range(3):
        with cconv.GradientTape() as tape:
            loss = our_loss(LABELS, own(X, training=True)) + sum(own.losses)
        gradients = tape.gradient(loss, own.trainable_weights)
        ours.apply(gradients, own.trainable_weights)
        other.zero_grad()
        expected = their_loss(LABELS, other(X, training=True)) + sum(other.losses)
        expected.backward()
        their_gradients = [v.value.grad for v in other.trainable_weights]
        close(loss, expected)
        for g, e in zip(gradients, their_gradients, strict=True):
            close(g, e, atol=2e-5)
        with torch.no_grad():
            theirs.apply(their_gradients, other.trainable_weights)
    for a, b in zip(own.get_weights(), other.get_weights(), strict=True):
        close(a, b, rtol=1e-3, atol=2e-5)


def gradients_of(lib, model, loss_of):
    """A step's loss and gradients in either library's way."""
    if lib is cconv:
        with cconv.GradientTape() as tape:
            loss = loss_of()
        return loss, tape.gradient(loss, model.trainable_weights)
    model.zero_grad()
    loss = loss_of()
    loss.backward()
    return loss, [v.value.grad for v in model.trainable_weights]


def step_with(lib, optimizer, gradients, variables):
    if lib is cconv:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    else:
        with torch.no_grad():
            optimizer.apply(gradients, variables)


def guide(lib):
    class Guide(lib.Model):
        def __init__(self):
            super().__init__()
            self.inner = convnet(lib)

        def call(self, x, training=None):
            return self.inner(x, training=training)

        def train_step(self, data):
            x, y, weights = lib.utils.unpack_x_y_sample_weight(data)
            kept = []

            def loss_of():
                kept.append(self(x, training=True))
                return self.compute_loss(y=y, y_pred=kept[0], sample_weight=weights)

            loss, gradients = gradients_of(lib, self, loss_of)
            step_with(lib, self.optimizer, gradients, self.trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, kept[0])
            return {"loss": self.metrics[0].result()}

    return Guide()


def own_loss(lib):
    class OwnLoss(lib.Model):
        def __init__(self):
            super().__init__()
            self.inner = convnet(lib)

        def call(self, x, training=None):
            return self.inner(x, training=training)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            distance = lib.ops.square(y_pred - lib.ops.one_hot(lib.ops.cast(y, "int32"), 3))
            return lib.ops.mean(distance) + 0.1 * super().compute_loss(x, y, y_pred, sample_weight)

    return OwnLoss()


@pytest.mark.parametrize("make", [guide, own_loss])
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_with_a_step_of_ones_own_is_that_of_keras(make, weighted):
    own, other = both(make)
    weights = np.linspace(0.5, 2, 12).astype(np.float32) if weighted else None
    histories = []
    for lib, model in ((cconv, own), (keras, other)):
        model.compile(
            lib.optimizers.SGD(0.05),
            lib.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[lib.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
        fitted = model.fit(X, LABELS, sample_weight=weights, batch_size=6, epochs=3, shuffle=False, verbose=0)
        histories.append(fitted.history)
    assert set(histories[0]) == set(histories[1])
    for name in histories[0]:
        close(histories[0][name], np.array(histories[1][name]), rtol=1e-3)
    for a, b in zip(own.get_weights(), other.get_weights(), strict=True):
        close(a, b, rtol=1e-3, atol=2e-5)
    ours, theirs = (m.evaluate(X, LABELS, verbose=0, return_dict=True) for m in (own, other))
    assert set(ours) == set(theirs) and all(np.isclose(ours[k], theirs[k], rtol=1e-3) for k in ours)


def turns(lib, weights, noises, real):
    """Two networks trained in turns: the losses, and all weights."""
    critic = lib.Sequential([lib.Input((5,)), lib.layers.Dense(8, activation="relu"), lib.layers.Dense(1)])
    parts = [lib.layers.Dense(8, use_bias=False), lib.layers.BatchNormalization(), lib.layers.Dense(5)]
    maker = lib.Sequential([lib.Input((3,)), *parts])
    for model, values in zip((critic, maker), weights or (), strict=False):
        model.set_weights(values)
    weights = critic.get_weights(), maker.get_weights()
    loss_fn = lib.losses.BinaryCrossentropy(from_logits=True)
    optimizers = lib.optimizers.Adam(0.01), lib.optimizers.Adam(0.01)
    labels = np.concatenate([np.ones((6, 1)), np.zeros((6, 1))]).astype(np.float32)
    losses = []
    for noise in noises:
        made = lib.ops.stop_gradient(maker(noise))
        mixed = lib.ops.concatenate([made, lib.ops.convert_to_tensor(real)], axis=0)
        both_losses = (
            lambda mixed=mixed: loss_fn(labels, critic(mixed, training=True)),
            lambda noise=noise: loss_fn(0 * labels[:6], critic(maker(noise, training=True))),
        )
        for loss_of, model, optimizer in zip(both_losses, (critic, maker), optimizers, strict=True):
            loss, gradients = gradients_of(lib, model, loss_of)
            step_with(lib, optimizer, gradients, model.trainable_weights)
            losses.append(loss.item())
    return losses, weights, critic.get_weights() + maker.get_weights()


def test_two_networks_in_turns_are_trained_as_by_keras():
    noises, real = RNG.standard_normal((4, 6, 3)).astype(np.float32), RNG.standard_normal((6, 5)).astype(np.float32)
    losses, weights, after = turns(cconv, None, noises, real)
    expected, _, their_weights = turns(keras, weights, noises, real)
    assert np.allclose(losses, expected, rtol=1e-3)
    for a, b in zip(after, their_weights, strict=True):
        close(a, b, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(
    "method", ["train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "get_metrics_result"]
)
def test_signatures_are_those_of_keras(method):
    ours, theirs = (inspect.signature(getattr(lib.Model, method)) for lib in (cconv, keras))
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]


def test_metrics_begin_with_the_loss():
    for lib in (cconv, keras):
        model = convnet(lib)
        assert model.metrics == []
        model.compile("sgd", lib.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["mae"])
        assert [m.name for m in model.metrics][:1] == ["loss"]
        assert isinstance(model.metrics[0], lib.metrics.Mean)
