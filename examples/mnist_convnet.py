"""Trains the well-known simple convolutional network on MNIST's 60,000 handwritten digits.

    python examples/mnist_convnet.py
    python examples/mnist_convnet.py --epochs 1 --samples 2000

Two convolutions with pooling, dropout and one dense layer; after 12 epochs it knows 99 % of the 10,000 test images.
Prints a line per epoch, the final accuracy and the time per epoch, saves the model, loads it again and checks that the
loaded one predicts the same. The images are found or downloaded by `cconv.datasets.mnist`.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import cconv
from cconv import layers


def load_images(samples: int | None):
    """(x_train, y_train), (x_test, y_test); images (n, 28, 28, 1) as the bytes they are; `samples` of each."""
    (x_train, y_train), (x_test, y_test) = cconv.datasets.mnist.load_data()
    return (x_train[:samples, ..., None], y_train[:samples]), (x_test[:samples, ..., None], y_test[:samples])


def build() -> cconv.Sequential:
    """The network: 34,826 parameters."""
    return cconv.Sequential(
        [
            cconv.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="mnist_convnet",
    )


class EpochTimes(cconv.callbacks.Callback):
    """Notes how many seconds each epoch takes."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        self.seconds.append(time.perf_counter() - self._start)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--samples", type=int, help="how many training and test images to use; default: all")
    parser.add_argument("--output", type=Path, default=Path("demo_output/mnist_convnet.keras"), help="the saved model")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(options.seed)
    (x_train, y_train), (x_test, y_test) = load_images(options.samples)
    print(f"{len(x_train)} training images, {len(x_test)} test images")
    model = build()
    model.summary()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    times = EpochTimes()
    model.fit(x_train, y_train, batch_size=options.batch_size, epochs=options.epochs, verbose=2, callbacks=[times])

    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\ntest loss {loss:.4f}, test accuracy {100 * accuracy:.2f} %, {np.mean(times.seconds):.1f} s per epoch")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    model.save(options.output)
    loaded = cconv.models.load_model(options.output)
    same = np.array_equal(loaded.predict(x_test[:256], verbose=0), model.predict(x_test[:256], verbose=0))
    print(f"saved as {options.output}; the loaded model predicts {'the same' if same else 'something else'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
