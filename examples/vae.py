"""Trains a convolutional variational autoencoder, with a train_step of its own, on Fashion-MNIST.

    python examples/vae.py
    python examples/vae.py --epochs 1 --samples 1000

An encoder gives each image a mean and a variance in a plane, a decoder makes an image of a point drawn from there, and
both learn to rebuild the images while the points stay near the origin (Kingma and Welling, "Auto-Encoding Variational
Bayes", 2013). Prints a line per epoch and saves what the decoder makes of a grid of points as a PGM file.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers, ops


class Sampling(layers.Layer):
    """A point of the normal distribution that a mean and the logarithm of a variance describe."""

    def call(self, inputs):
        mean, log_variance = inputs
        return mean + ops.exp(0.5 * log_variance) * cconv.random.normal(ops.shape(mean))


def encoder() -> cconv.Model:
    """From (n, 28, 28, 1) images to (n, 2) means, (n, 2) logarithms of variances and (n, 2) points."""
    images = cconv.Input((28, 28, 1))
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(images)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    mean, log_variance = layers.Dense(2, name="mean")(x), layers.Dense(2, name="log_variance")(x)
    return cconv.Model(images, [mean, log_variance, Sampling()([mean, log_variance])], name="encoder")


def decoder() -> cconv.Sequential:
    """From (n, 2) points to (n, 28, 28, 1) images of 0 to 1."""
    return cconv.Sequential(
        [
            cconv.Input((2,)),
            layers.Dense(7 * 7 * 32, activation="relu"),
            layers.Reshape((7, 7, 32)),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ],
        name="decoder",
    )


class VAE(cconv.Model):
    """Encoder and decoder, trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder(), decoder()
        names = ("loss", "reconstruction_loss", "kl_loss")
        self.trackers = [cconv.metrics.Mean(name) for name in names]

    @property
    def metrics(self):
        return self.trackers

    def train_step(self, data):
        with cconv.GradientTape() as tape:
            mean, log_variance, points = self.encoder(data, training=True)
            rebuilt = self.decoder(points, training=True)
            pixels = cconv.losses.binary_crossentropy(data, rebuilt)
            reconstruction = ops.mean(ops.sum(pixels, axis=(1, 2)))
            divergence = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            divergence = ops.mean(ops.sum(divergence, axis=1))
            loss = reconstruction + divergence
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        for tracker, value in zip(self.trackers, (loss, reconstruction, divergence), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--samples", type=int, help="how many images to use; default: all 60,000")
    parser.add_argument("--output", type=Path, default=Path("demo_output/vae.pgm"), help="the grid of pictures")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(options.seed)
    images = cconv.datasets.fashion_mnist.load_data()[0][0][: options.samples, ..., None].astype(np.float32) / 255
    model = VAE()
    model.compile(optimizer="adam")
    model.fit(images, epochs=options.epochs, batch_size=options.batch_size, verbose=2)

    side = np.linspace(-1.5, 1.5, 15, dtype=np.float32)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    made = model.decoder.predict(points, verbose=0).reshape(15, 15, 28, 28).swapaxes(1, 2).reshape(15 * 28, 15 * 28)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(b"P5 420 420 255\n" + (255 * made).astype(np.uint8).tobytes())
    print(f"225 pictures: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
