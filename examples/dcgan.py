"""Trains a DCGAN, with a train_step of its own, on Fashion-MNIST: pictures of clothes that nobody has made.

    python examples/dcgan.py
    python examples/dcgan.py --epochs 1 --samples 1000

A generator makes images of random numbers, a discriminator tells them from real ones, and they learn in turns (Radford,
Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks", 2015).
Each `GradientTape` becomes one plan, which the next step uses again. Prints a line per epoch and saves a grid of
pictures, made of the same random numbers all along. The images are found or downloaded by
`cconv.datasets.fashion_mnist`; the grid is a PGM file, which needs no other package.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers, ops

LATENT = 64


def generator() -> cconv.Sequential:
    """From (n, 64) random numbers to (n, 28, 28, 1) images of -1 to 1."""
    return cconv.Sequential(
        [
            cconv.Input((LATENT,)),
            layers.Dense(7 * 7 * 64, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
        ],
        name="generator",
    )


def discriminator() -> cconv.Sequential:
    """From (n, 28, 28, 1) images to (n, 1) numbers, above 0 for real ones."""
    return cconv.Sequential(
        [
            cconv.Input((28, 28, 1)),
            layers.Conv2D(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="discriminator",
    )


class DCGAN(cconv.Model):
    """Two networks that are trained in turns."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(), discriminator()
        self.loss_of = cconv.losses.BinaryCrossentropy(from_logits=True)
        self.d_loss, self.g_loss = cconv.metrics.Mean("d_loss"), cconv.metrics.Mean("g_loss")

    def compile(self, d_optimizer, g_optimizer) -> None:
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        n = ops.shape(real)[0]
        noise = cconv.random.normal((n, LATENT))
        ones, zeros = np.ones((n, 1), np.float32), np.zeros((n, 1), np.float32)

        with cconv.GradientTape() as tape:
            made = ops.stop_gradient(self.generator(noise, training=True))
            loss = self.loss_of(0.9 * ones, self.discriminator(real, training=True))
            d_loss = 0.5 * (loss + self.loss_of(zeros, self.discriminator(made, training=True)))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

        with cconv.GradientTape() as tape:
            made = self.generator(noise, training=True)
            g_loss = self.loss_of(ones, self.discriminator(made, training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {metric.name: metric.result() for metric in self.metrics}


def grid(images: np.ndarray, columns: int) -> np.ndarray:
    """One picture (bytes) of many, (n, h, w, 1) of -1 to 1."""
    n, h, w = images.shape[:3]
    rows = np.clip(127.5 * images[..., 0] + 127.5, 0, 255).astype(np.uint8)
    return rows.reshape(n // columns, columns, h, w).swapaxes(1, 2).reshape(n // columns * h, columns * w)


def save_pgm(path: Path, picture: np.ndarray) -> None:
    """Writes a grey picture in the simplest of formats."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"P5 {picture.shape[1]} {picture.shape[0]} 255\n".encode() + picture.tobytes())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--samples", type=int, help="how many images to use; default: all 60,000")
    parser.add_argument("--output", type=Path, default=Path("demo_output/dcgan.pgm"), help="the grid of pictures")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(options.seed)
    images = cconv.datasets.fashion_mnist.load_data()[0][0][: options.samples]
    images = images[..., None].astype(np.float32) / 127.5 - 1
    model = DCGAN()
    adam = [cconv.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    model.compile(*adam)
    fixed = np.random.default_rng(options.seed).standard_normal((64, LATENT)).astype(np.float32)

    def show(epoch: int, logs: dict) -> None:
        save_pgm(options.output, grid(model.generator.predict(fixed, verbose=0), 8))

    callbacks = [cconv.callbacks.LambdaCallback(on_epoch_end=show)]
    model.fit(images, epochs=options.epochs, batch_size=options.batch_size, verbose=2, callbacks=callbacks)
    print(f"64 pictures: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
