"""Trains the network of the page on MNIST's 60,000 handwritten digits, and writes it as digits.onnx beside this file.

    python examples/web/train.py

Images are moved, turned and stretched a little in training: what is drawn with a mouse is not as even as what was scanned.
"""

import argparse
import sys
from pathlib import Path

import cconv
from cconv import layers


def build() -> cconv.Sequential:
    """The network: 42,186 parameters. It gives scores; the page and the loss take their softmax."""
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


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--samples", type=int, help="how many training and test images to use; default: all")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "digits.onnx", help="the written model")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(options.seed)
    (x_train, y_train), (x_test, y_test) = cconv.datasets.mnist.load_data()
    x_train, y_train = x_train[: options.samples, ..., None] / 255.0, y_train[: options.samples]
    x_test, y_test = x_test[: options.samples, ..., None] / 255.0, y_test[: options.samples]

    network = build()
    model = cconv.Sequential([cconv.Input((28, 28, 1)), distortion(), network])
    model.compile(
        optimizer=cconv.optimizers.Adam(cconv.optimizers.schedules.CosineDecay(2e-3, options.epochs * (len(x_train) // 128))),
        loss=cconv.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x_train.astype("float32"), y_train, batch_size=128, epochs=options.epochs, verbose=2)
    loss, accuracy = model.evaluate(x_test.astype("float32"), y_test, verbose=0)
    print(f"{network.count_params():,} parameters, test loss {loss:.4f}, test accuracy {100 * accuracy:.2f} %")
    network.save(options.output.with_suffix(".keras"))
    return accuracy


if __name__ == "__main__":
    sys.exit(0 if main() > 0.985 else 1)
