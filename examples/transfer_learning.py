"""Learns from few photographs what it could not learn from them alone: transfer from a network that has seen others.

    python examples/transfer_learning.py photos/ resnet8_cifar10.h5
    python examples/transfer_learning.py photos/ mobilenet.h5 --scale 0.00392157 --epochs 10

The folder has a folder of image files for each class; the second argument is a trained classifier, a `.keras` or `.h5`
file of Keras. Its last layer is replaced by a new head, which is trained first while all else stays as it is; then all
layers are trained on, in small steps (Yosinski et al.: "How transferable are features in deep neural networks?",
2014). Beside it the same network is trained from random weights, as long. Prints how many of 500 photographs that are
held out each gets right, and draws it. A ResNet-8 trained on CIFAR-10 learns 100 hands of the Sign Language Digits to
80 %, from random weights to 69 %.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers


def read(folder: Path, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The images (n, h, w, 3) of a folder of class folders in a random order, their labels, the names of classes."""
    data = cconv.utils.image_dataset_from_directory(folder, image_size=size, seed=0)
    images, labels = (np.concatenate(parts) for parts in zip(*data, strict=True))
    return images, labels, data.class_names


def with_new_head(base: cconv.Model, scale: float, classes: int, trained: bool) -> cconv.Model:
    """A classifier on top of a model that gives vectors, with augmentation in front of it."""
    inputs = cconv.Input(base.input_shape[1:])
    x = layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")(inputs)
    x = layers.RandomRotation(0.03, fill_mode="nearest")(x)
    # batch normalization of a trained model keeps the averages it has
    x = base(layers.Rescaling(scale)(x), training=False if trained else None)
    x = layers.Dropout(0.2)(layers.BatchNormalization(momentum=0.9)(x))
    return cconv.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path, help="a trained classifier of images")
    parser.add_argument("--scale", type=float, default=1.0, help="what it wants pixels from 0 to 255 multiplied by")
    parser.add_argument("--samples", type=int, default=100, help="how many photographs to train on")
    parser.add_argument("--epochs", type=int, default=30, help="with the head alone, and again with all layers")
    parser.add_argument("--output", type=Path, default=Path("demo_output/transfer_learning"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    trained = cconv.models.load_model(options.model, compile=False)
    size = trained.input_shape[1:3]
    images, labels, names = read(options.folder, size)
    x, y = images[: options.samples], labels[: options.samples]
    test = images[options.samples :][:500], labels[options.samples :][:500]
    print(f"{len(y)} photographs of {size[0]}x{size[1]} pixels to train on, {len(test[1])} held out", flush=True)

    def train(model: cconv.Model, learning_rate: float, epochs: int) -> list[float]:
        steps = epochs * -(-len(y) // 16)
        optimizer = cconv.optimizers.Adam(cconv.optimizers.schedules.CosineDecay(learning_rate, steps))
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, batch_size=16, epochs=epochs, validation_data=test, verbose=2)
        return history.history["val_accuracy"]

    base = cconv.Model(trained.inputs, trained.layers[-2].output, name="base")
    model = with_new_head(base, options.scale, len(names), trained=True)
    base.trainable = False
    print("--- the new head alone")
    frozen = train(model, 1e-2, options.epochs)
    base.trainable = True
    print("--- all layers, in small steps")
    tuned = train(model, 1e-3, options.epochs)
    print("--- from random weights")
    other = with_new_head(cconv.models.clone_model(base), options.scale, len(names), trained=False)
    scratch = train(other, 2e-3, 2 * options.epochs)
    print(f"right of {len(test[1])} photographs: new head {100 * frozen[-1]:.1f} %, all layers {100 * tuned[-1]:.1f} %")
    print(f"the same network from random weights: {100 * scratch[-1]:.1f} %")

    options.output.mkdir(parents=True, exist_ok=True)
    draw_comparison(options.output / "comparison.png", frozen, tuned, scratch)
    scores = model.predict(test[0][:18], verbose=0)
    cconv.visualization.prediction_gallery(test[0][:18], scores, test[1][:18], names, columns=6).savefig(
        options.output / "predictions.png"
    )
    model.save(options.output / "model.keras")
    print(f"the model and pictures are in {options.output}")
    return 0


def draw_comparison(path: Path, frozen: list[float], tuned: list[float], scratch: list[float]) -> None:
    """The accuracy on the photographs held out after each epoch."""
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
    epochs = np.arange(len(scratch)) + 1
    change = len(frozen)
    ax.plot(epochs, 100 * np.array(scratch), color="#666666", label="from random weights")
    ax.plot(epochs[:change], 100 * np.array(frozen), color="#dd8033", label="trained before: new head alone")
    ax.plot(epochs[change:], 100 * np.array(tuned), color="#2f6fab", label="then all layers, in small steps")
    ax.axvline(change + 0.5, color="#bbbbbb", linewidth=1, linestyle="--")
    ax.set(xlabel="epoch", ylabel="held-out photographs right, %", ylim=(0, 100))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
