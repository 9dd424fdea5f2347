"""Tells handwritten digits apart as time series, by convolution along time.

    python examples/time_series.py
    python examples/time_series.py --epochs 1 --samples 2000

A digit of MNIST is read row by row: 28 moments with 28 values each. Convolutions along time with growing gaps
(`dilation_rate`) look back over the whole series without ever looking ahead (`padding="causal"`), so that the network
can be asked at each moment what it takes the digit for so far. Prints and draws the accuracy by the share of the series
that has been seen. The images are found or downloaded by `cconv.datasets.mnist`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers


def build() -> cconv.Model:
    """From a series `(n, 28, 28)` to the scores at each moment `(n, 28, 10)`."""
    x = inputs = cconv.Input((28, 28))
    for dilation in (1, 2, 4, 8):
        y = layers.Conv1D(48, 3, dilation_rate=dilation, padding="causal", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
        x = y if dilation == 1 else layers.Add()([x, y])
    return cconv.Model(inputs, layers.Conv1D(10, 1, activation="softmax")(x), name="time_series")


def draw(path: Path, right: np.ndarray, series: np.ndarray, scores: np.ndarray) -> None:
    """The share of right answers after each moment; and one series (28, 28) above what is said of it, (28, 10)."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    axes[0].plot(np.arange(28) + 1, 100 * right, color="#2f6fab", marker="o", markersize=3)
    axes[0].set(title="right answers, %", xlabel="moments seen", ylim=(0, 100))
    axes[0].spines[["top", "right"]].set_visible(False)
    axes[1].imshow(series.T, cmap="gray", aspect="auto")
    axes[1].set(title="a series", xlabel="moment", ylabel="value")
    axes[2].imshow(scores.T, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    axes[2].set(title="what it is taken for", xlabel="moment", ylabel="digit", yticks=range(10))
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--samples", type=int, help="how many training series to use; default: all")
    parser.add_argument("--output", type=Path, default=Path("demo_output/time_series"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = cconv.datasets.mnist.load_data()
    x_train, y_train = x_train[: options.samples].astype(np.float32) / 255, y_train[: options.samples]
    x_test, y_test = x_test[:2000].astype(np.float32) / 255, y_test[:2000]

    model = build()
    model.compile(cconv.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    # at each moment the answer is the same; the early ones can only be guessed
    moments = np.repeat(y_train[:, None], 28, 1)
    model.fit(x_train, moments, batch_size=64, epochs=options.epochs, verbose=2)

    scores = model.predict(x_test, verbose=0)
    right = (scores.argmax(-1) == y_test[:, None]).mean(0)
    for moment in (7, 14, 21, 28):
        print(f"after {moment} of 28 moments: {100 * right[moment - 1]:.1f} % right")
    # what comes later changes nothing of what was said before
    cut = x_test[:8].copy()
    cut[:, 14:] = 0
    same = np.allclose(model.predict(cut, verbose=0)[:, :14], scores[:8, :14], atol=1e-6)
    print(f"the future is {'not ' if same else ''}looked at")

    options.output.mkdir(parents=True, exist_ok=True)
    draw(options.output / "accuracy.png", right, x_test[1], scores[1])
    model.save(options.output / "model.keras")
    print(f"the model and a picture are in {options.output}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
