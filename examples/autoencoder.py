"""Takes noise away from handwritten digits by a convolutional autoencoder.

    python examples/autoencoder.py
    python examples/autoencoder.py --epochs 1 --samples 2000

The network narrows 28x28 pixels to 7x7 of a few channels and widens them again, and is trained to give the clean
image for the noisy one. Prints the mean squared error of the noisy images and of what the network makes of them, and
draws some. The images are found or downloaded by `cconv.datasets.mnist`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers


def build() -> cconv.Sequential:
    return cconv.Sequential(
        [
            cconv.Input((28, 28, 1)),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="code"),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ],
        name="autoencoder",
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, help="how many training images to use; default: all")
    parser.add_argument("--noise", type=float, default=0.4, help="deviation of the noise, where white is 1")
    parser.add_argument("--output", type=Path, default=Path("demo_output/autoencoder"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    (x_train, _), (x_test, _) = cconv.datasets.mnist.load_data()
    clean = x_train[: options.samples, ..., None].astype(np.float32) / 255
    test = x_test[:1000, ..., None].astype(np.float32) / 255
    random = np.random.default_rng(0)
    noisy, noisy_test = (
        np.clip(x + options.noise * random.standard_normal(x.shape, np.float32), 0, 1) for x in (clean, test)
    )

    model = build()
    model.compile(cconv.optimizers.Adam(3e-3), "binary_crossentropy")
    history = model.fit(
        noisy, clean, batch_size=64, epochs=options.epochs, validation_data=(noisy_test, test), verbose=2
    )
    made = model.predict(noisy_test, verbose=0)
    before, after = float(np.mean((noisy_test - test) ** 2)), float(np.mean((made - test) ** 2))
    print(f"mean squared error of the noisy images: {before:.4f}, of the network's: {after:.4f}")

    options.output.mkdir(parents=True, exist_ok=True)
    rows = np.concatenate([noisy_test[:10], made[:10], test[:10]])
    titles = [what for what in ("noisy", "made", "clean") for _ in range(10)]
    cconv.visualization.image_gallery(rows, titles, columns=10).savefig(options.output / "digits.png")
    cconv.visualization.training_curves(history).savefig(options.output / "curves.png")
    print(f"pictures are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
