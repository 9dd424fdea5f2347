"""Compiled losses and metrics where a mask comes with the predictions, beside Keras.

Keras on PyTorch multiplies the sample weights with the loss' mask in place, which its metrics then see: where as many
steps count in each batch that makes no difference.
"""

import keras
import numpy as np
import pytest

import cconv

RNG = np.random.default_rng(0)
TOKENS = np.array([[1, 2, 0, 0], [3, 1, 2, 0], [1, 0, 0, 0], [4, 4, 4, 4]])
STEPS = RNG.normal(size=(4, 4, 3)).astype(np.float32)
STEPS[TOKENS == 0] = 0
CLASSES, VALUES = RNG.integers(0, 3, (4, 4)), RNG.normal(size=(4, 4, 2)).astype(np.float32)
WEIGHTS = RNG.uniform(0.5, 2, size=(4, 4)).astype(np.float32)


def embedding(k):
    L = k.layers
    return [k.Input((4,), dtype="int32"), L.Embedding(5, 3, mask_zero=True), L.Dense(3, activation="softmax")]


def masking(k):
    return [k.Input((4, 3)), k.layers.Masking(), k.layers.Dropout(0.0), k.layers.Dense(2)]


def pooled(k):
    return [k.Input((4,), dtype="int32"), k.layers.Embedding(5, 3, mask_zero=True), k.layers.GlobalAveragePooling1D()]


SPARSE = "sparse_categorical_crossentropy"
CASES = [
    (embedding, TOKENS, CLASSES, SPARSE, {"metrics": ["accuracy"]}),
    (embedding, TOKENS, CLASSES, SPARSE, {"weighted_metrics": ["accuracy", SPARSE]}),
    (embedding, TOKENS, np.eye(3)[CLASSES], "kl_divergence", {"metrics": ["mae"], "weighted_metrics": ["mse"]}),
    (masking, STEPS, VALUES, "mse", {"metrics": ["mae", "mse", "cosine_similarity"]}),
    (masking, STEPS, VALUES, "mae", {"weighted_metrics": ["mae", "mse"]}),
    (masking, STEPS, VALUES, "mse", {"metrics": ["root_mean_squared_error"]}),
    (pooled, TOKENS, VALUES[:, 0, [0, 1, 1]], "mse", {"metrics": ["mae"]}),
]  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("build, x, y, loss, metrics", CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_evaluation_and_training(build, x, y, loss, metrics, weighted):
    if "root_mean_squared_error" in metrics.get("metrics", []):
        metrics = None
    weights = WEIGHTS if weighted and build is not pooled else None
    models = []
    for k in (cconv, keras):
        models.append(k.Sequential(build(k)))
        given = {"metrics": [k.metrics.RootMeanSquaredError()]} if metrics is None else metrics
        models[-1].compile(k.optimizers.SGD(0.1), loss, **given)
    models[0].set_weights(models[1].get_weights())
    for call in ("evaluate", "train_on_batch", "train_on_batch", "test_on_batch"):
        quiet = {"verbose": 0, "batch_size": 2} if call == "evaluate" else {}
        ours, theirs = (getattr(m, call)(x, y, sample_weight=weights, return_dict=True, **quiet) for m in models)
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            assert ours[name] == pytest.approx(float(value), rel=2e-4, abs=1e-6), (call, name)


def own(k):
    class Own(k.Model):
        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
            return {**self.compute_metrics(x, y, y_pred), "own": loss}

    inputs, *layers = masking(k)
    outputs = inputs
    for layer in layers:
        outputs = layer(outputs)
    model = Own(inputs, outputs)
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_a_step_of_ones_own():
    ours, theirs = own(cconv), own(keras)
    ours.set_weights(theirs.get_weights())
    a, b = (m.evaluate(STEPS, VALUES, return_dict=True, verbose=0) for m in (ours, theirs))
    for name in ("own", "mae"):
        assert a[name] == pytest.approx(float(b[name]), rel=1e-4)
