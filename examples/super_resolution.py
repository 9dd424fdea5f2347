"""Doubles the resolution of pictures: a sub-pixel convolutional network.

    python examples/super_resolution.py
    python examples/super_resolution.py --epochs 1 --samples 2000

All convolutions work on the small image; the last one gives four channels, which are the four pixels in the place of
each one (Shi et al., 2016, section 3.2). What is learned is what linear interpolation lacks. Prints the peak signal-
to-noise ratio of interpolation and of the network on test images, and draws some. The images are found or downloaded
by `cconv.datasets.fashion_mnist`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers


def interpolated(small: np.ndarray) -> np.ndarray:
    """Images `(n, h, w, c)` of twice the size, linear between the middles of pixels."""
    for axis in (1, 2):
        before = np.take(small, [0, *range(small.shape[axis] - 1)], axis)
        behind = np.take(small, [*range(1, small.shape[axis]), small.shape[axis] - 1], axis)
        pairs = np.stack([0.75 * small + 0.25 * before, 0.75 * small + 0.25 * behind], axis + 1)
        small = pairs.reshape(*small.shape[:axis], -1, *small.shape[axis + 1 :])
    return small


def build(height: int, width: int) -> cconv.Model:
    """From `(n, h, w, 1)` to what is to be added to the interpolated `(n, 2 h, 2 w, 1)`."""
    x = inputs = cconv.Input((height, width, 1))
    for filters, size in ((48, 5), (32, 3), (32, 3)):
        x = layers.Conv2D(filters, size, padding="same", activation="relu")(x)
    x = layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros")(x)
    x = layers.Reshape((height, width, 2, 2))(x)
    x = layers.Permute((1, 3, 2, 4))(x)  # (h, 2, w, 2)
    return cconv.Model(inputs, layers.Reshape((2 * height, 2 * width, 1))(x), name="super_resolution")


def decibels(made: np.ndarray, true: np.ndarray) -> float:
    """The peak signal-to-noise ratio of images from 0 to 1."""
    return float(-10 * np.log10(np.mean((np.clip(made, 0, 1) - true) ** 2)))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--samples", type=int, help="how many training images to use; default: all")
    parser.add_argument("--output", type=Path, default=Path("demo_output/super_resolution"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    (x_train, _), (x_test, _) = cconv.datasets.fashion_mnist.load_data()
    large, test = (x[..., None].astype(np.float32) / 255 for x in (x_train[: options.samples], x_test[:1000]))
    small, small_test = (x.reshape(-1, 14, 2, 14, 2, 1).mean((2, 4)) for x in (large, test))

    model = build(14, 14)
    model.compile(cconv.optimizers.Adam(2e-3), "mse")
    model.fit(small, large - interpolated(small), batch_size=64, epochs=options.epochs, verbose=2)
    linear = interpolated(small_test)
    made = np.clip(linear + model.predict(small_test, verbose=0), 0, 1)
    print(f"PSNR: interpolated {decibels(linear, test):.2f} dB, network {decibels(made, test):.2f} dB")

    options.output.mkdir(parents=True, exist_ok=True)
    tiles = [np.kron(small_test[:6], np.ones((1, 2, 2, 1))), linear[:6], made[:6], test[:6]]
    titles = [name for name in ("14 x 14", "interpolated", "network", "28 x 28") for _ in range(6)]
    cconv.visualization.image_gallery(np.concatenate(tiles), titles, columns=6).savefig(options.output / "clothes.png")
    print(f"pictures are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
