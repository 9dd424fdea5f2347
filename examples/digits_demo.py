"""Trains a small convolutional network on scikit-learn's handwritten digits: 1,797 real images of 8x8 pixels.

    python examples/digits_demo.py

Shows the training, a table of the results per class and two pictures (the learning curves, the misclassified digits),
saves the model, loads it in a new process and checks that it predicts the same.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import cconv
from cconv import layers

BATCH_SIZE = 32


def load_digits(seed: int = 0):
    """Images (n, 8, 8, 1) in 0..1 and labels, a fifth held out: (x_train, y_train), (x_test, y_test)."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., None]
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits.target, test_size=0.2, random_state=seed, stratify=digits.target
    )
    return (x_train, y_train), (x_test, y_test)


def build() -> cconv.Sequential:
    return cconv.Sequential(
        [
            cconv.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def plot_curves(history: dict, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    for axis, key, title in zip(axes, ("loss", "accuracy"), ("Loss", "Accuracy")):
        axis.plot(epochs, history[key], label="training")
        axis.plot(epochs, history["val_" + key], label="held out")
        axis.set(xlabel="epoch", title=title, xlim=(1, max(2, len(epochs))))
        axis.grid(alpha=0.3)
    axes[0].set_yscale("log")
    axes[1].axhline(0.98, color="gray", linestyle=":", label="98 %")
    for axis in axes:
        axis.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def plot_mistakes(x: np.ndarray, y: np.ndarray, probabilities: np.ndarray, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    predicted = probabilities.argmax(-1)
    wrong = np.flatnonzero(predicted != y)[:10]
    columns = max(3, min(5, len(wrong)))
    rows = max(1, -(-len(wrong) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(1.9 * columns, 2.5 * rows), squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, wrong):
        axis.imshow(x[i, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(f"is {y[i]}, seen as {predicted[i]}\n({probabilities[i, predicted[i]]:.0%} sure)", fontsize=9)
    figure.suptitle(f"{np.sum(predicted != y)} of {len(y)} held-out digits misclassified")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def predict_elsewhere(model: Path, images: Path, result: Path) -> np.ndarray:
    """Predictions of the saved model, made by a new process."""
    program = (
        "import sys, numpy, cconv\n"
        "model, images, result = sys.argv[1:]\n"
        "numpy.save(result, cconv.saving.load_model(model).predict(numpy.load(images), verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(model), str(images), str(result)], check=True)
    return np.load(result)


def main(argv: list[str] | None = None) -> float:
    """Returns the accuracy on the held-out fifth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training images (default: 30)")
    parser.add_argument(
        "--output", type=Path, default=Path("demo_output"), help="folder for pictures and model (default: demo_output)"
    )
    parser.add_argument(
        "--verbose", type=int, default=2, choices=(0, 1, 2), help="0 silent, 1 bar, 2 one line per epoch (default)"
    )
    arguments = parser.parse_args(argv)
    arguments.output.mkdir(parents=True, exist_ok=True)

    cconv.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = load_digits()
    model = build()
    model.summary()
    # The rate falls to nothing by the end: at a fixed one the last epochs jump up and down by a per cent.
    steps = arguments.epochs * -(-len(x_train) // BATCH_SIZE)
    rate = cconv.optimizers.schedules.CosineDecay(3e-3, max(1, steps))
    model.compile(optimizer=cconv.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=arguments.epochs,
        validation_data=(x_test, y_test),
        verbose=arguments.verbose,
    )
    seconds = time.perf_counter() - start

    from sklearn.metrics import classification_report

    probabilities = model.predict(x_test, verbose=0)
    accuracy = float(np.mean(probabilities.argmax(-1) == y_test))
    print(classification_report(y_test, probabilities.argmax(-1), digits=3, zero_division=0))
    print(
        f"{accuracy:.2%} of {len(y_test)} held-out digits are right, "
        f"after {seconds:.1f} s of training on {cconv.get_num_threads()} threads"
    )

    curves, mistakes = arguments.output / "curves.png", arguments.output / "mistakes.png"
    plot_curves(history.history, curves)
    plot_mistakes(x_test, y_test, probabilities, mistakes)
    saved, images = arguments.output / "digits.keras", arguments.output / "test_images.npy"
    model.save(saved)
    np.save(images, x_test)
    again = predict_elsewhere(saved, images, arguments.output / "predictions.npy")
    same = np.array_equal(again, probabilities)
    print(f"pictures: {curves}, {mistakes}")
    verdict = "the same, bit for bit" if same else "SOMETHING ELSE"
    print(f"model:    {saved}; loaded in a new process it predicts {verdict}")
    if not same:
        raise SystemExit(1)
    return accuracy


if __name__ == "__main__":
    main()
