"""Trains the network of the page on MNIST's 60,000 handwritten digits, and writes what the page takes.

    python examples/web/train.py

Beside this file: digits.onnx, the network, and rehearsal.bin, the first twenty training images of each digit, a byte
for each pixel, which the page mixes with the user's drawings. Images are moved, turned and stretched a little in
training: what is drawn with a mouse is less even than what was scanned.
"""

import argparse
from pathlib import Path

import numpy as np

import cconv
from cconv import layers

BATCH = 128


def build() -> cconv.Sequential:
    """The network: 43,738 parameters. It gives scores; the loss takes their softmax, and so does the page."""
    return cconv.Sequential(
        [
            cconv.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(32, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(48, activation="relu", name="dense"),
            layers.Dense(10, name="scores"),
        ],
        name="digits",
    )


def distortion() -> cconv.Sequential:
    return cconv.Sequential(
        [
            cconv.Input((28, 28, 1)),
            layers.RandomRotation(0.03, fill_mode="constant"),
            layers.RandomZoom((-0.1, 0.15), (-0.1, 0.15), fill_mode="constant"),
            layers.RandomTranslation(0.05, 0.05, fill_mode="constant"),
        ],
        name="distortion",
    )


def numbers(images: np.ndarray) -> np.ndarray:
    return images[..., None].astype("float32") / 255


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--samples", type=int, help="how many training and test images to use; default: all")
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent, help="the folder written to")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(options.seed)
    (x_train, y_train), (x_test, y_test) = cconv.datasets.mnist.load_data()
    rehearsal = np.concatenate([x_train[y_train == digit][:20] for digit in range(10)])
    x_train, y_train = numbers(x_train[: options.samples]), y_train[: options.samples]

    network = build()
    model = cconv.Sequential([cconv.Input((28, 28, 1)), distortion(), network])
    steps = options.epochs * -(-len(x_train) // BATCH)
    model.compile(
        optimizer=cconv.optimizers.Adam(cconv.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss=cconv.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x_train, y_train, batch_size=BATCH, epochs=options.epochs, verbose=2)
    loss, accuracy = model.evaluate(numbers(x_test), y_test, verbose=0)
    print(f"{network.count_params():,} parameters, test loss {loss:.4f}, test accuracy {100 * accuracy:.2f} %")
    network.export(options.output / "digits.onnx")
    (options.output / "rehearsal.bin").write_bytes(rehearsal.tobytes())
    return accuracy


if __name__ == "__main__":
    main()
