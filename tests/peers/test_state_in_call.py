"""Variables assigned in a layer's `call` hold what Keras' hold after the same calls."""

import keras
import numpy as np
import pytest

import cconv

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = np.zeros((12, 3), np.float32)


def remembering(package):
    class Remembering(package.layers.Layer):
        def build(self, shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
            self.mean = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False, name="mean")
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

        def call(self, x, training=None):
            self.count.assign_add(1.0)
            if training:
                self.mean.assign(0.75 * self.mean + 0.25 * package.ops.mean(x, axis=0))
            self.count.assign_sub(0.25)
            return (x - self.mean) * self.scale * self.count

        def compute_output_shape(self, shape):
            return shape

    layer = Remembering()
    model = package.Sequential([package.layers.Input((3,)), layer])
    model.compile(package.optimizers.SGD(0.001), "mse")
    return layer, model


CALLS = [
    ("train_on_batch", lambda model: model.train_on_batch(X, Y)),
    ("test_on_batch", lambda model: model.test_on_batch(X, Y)),
    ("predict_on_batch", lambda model: model.predict_on_batch(X)),
    ("call", lambda model: keras.ops.convert_to_numpy(model(X))),
    ("predict", lambda model: model.predict(X, batch_size=5, verbose=0)),
    ("evaluate", lambda model: model.evaluate(X, Y, batch_size=4, verbose=0)),
    ("fit", lambda model: model.fit(X, Y, batch_size=4, shuffle=False, epochs=2, verbose=0).history["loss"]),
]


@pytest.mark.parametrize("name, call", CALLS)
def test_what_is_remembered(name, call):
    layer, model = remembering(cconv)
    theirs, peer = remembering(keras)
    # what a peer counts while it looks at shapes is no step
    theirs.count.assign(0.0)
    theirs.mean.assign(np.ones(3))
    for _ in range(2):
        result, expected = call(model), call(peer)
        np.testing.assert_allclose(result, np.asarray(expected), rtol=1e-4, atol=1e-5)
        assert float(layer.count) == float(theirs.count)
        np.testing.assert_allclose(layer.mean.numpy(), keras.ops.convert_to_numpy(theirs.mean), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(layer.scale.numpy(), keras.ops.convert_to_numpy(theirs.scale), rtol=1e-4)
