"""Shows where in pictures of clothes a network sees what it calls them: Grad-CAM, saliency and occlusion.

    python examples/grad_cam.py
    python examples/grad_cam.py --epochs 1 --samples 2000

Trains a small convolutional network on Fashion-MNIST and draws, for a few test images, the parts that speak for the
class. The images are found or downloaded by `cconv.datasets.fashion_mnist`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers

NAMES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


def build() -> cconv.Sequential:
    return cconv.Sequential(
        [
            cconv.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="looked_into"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ],
        name="clothes",
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--samples", type=int, help="how many training images to use; default: all")
    parser.add_argument("--output", type=Path, default=Path("demo_output/grad_cam"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = cconv.datasets.fashion_mnist.load_data()
    x_train, y_train = x_train[: options.samples, ..., None], y_train[: options.samples]
    x_test = x_test[..., None]
    model = build()
    model.compile(cconv.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=64, epochs=options.epochs, verbose=2)
    _, accuracy = model.evaluate(x_test[:2000], y_test[:2000], verbose=0)
    print(f"right of 2,000 test images: {100 * accuracy:.1f} %")

    images = np.stack([x_test[np.flatnonzero(y_test == label)[0]] for label in range(0, 10, 2)])
    heat = cconv.visualization.grad_cam_heatmap(model, images, layer="looked_into")
    inside = images[..., 0] > 0
    enlarged = np.kron(heat, np.ones((2, 2)))
    print(
        f"of the heat on what is predicted, {100 * enlarged[inside].sum() / enlarged.sum():.0f} % lies on the clothes"
    )

    options.output.mkdir(parents=True, exist_ok=True)
    draw = cconv.visualization
    draw.grad_cam(model, images, layer="looked_into", class_names=NAMES).savefig(options.output / "grad_cam.png")
    draw.saliency(model, images, class_names=NAMES).savefig(options.output / "saliency.png")
    draw.occlusion_map(model, images, class_names=NAMES).savefig(options.output / "occlusion.png")
    draw.feature_maps(model, images[0], "looked_into").savefig(options.output / "feature_maps.png")
    print(f"pictures are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
