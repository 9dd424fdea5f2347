"""Tells bodies apart by convolution in three dimensions.

    python examples/volumes.py
    python examples/volumes.py --epochs 1 --samples 300

The bodies are handwritten digits (scikit-learn's, 8x8 pixels): each is thickened to a solid, turned about all three
axes and placed in 16x16x16 voxels with noise. Digits of the test are other ones than those of the training. Prints
the accuracy, and draws slices of some bodies.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers

SIZE = 16


def rotation(random: np.random.Generator, largest: float = 0.5) -> np.ndarray:
    """A matrix that turns by up to so many radians about each axis."""
    turn = np.eye(3)
    for axis in range(3):
        angle = random.uniform(-largest, largest)
        i, j = (k for k in range(3) if k != axis)
        about = np.eye(3)
        about[i, i] = about[j, j] = np.cos(angle)
        about[i, j], about[j, i] = -np.sin(angle), np.sin(angle)
        turn = turn @ about
    return turn


def body(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Voxels `(16, 16, 16)` of a digit `(8, 8)`."""
    at = np.stack(np.meshgrid(*[np.arange(SIZE) - (SIZE - 1) / 2] * 3, indexing="ij"), -1)
    z, y, x = np.moveaxis(at @ rotation(random), -1, 0)
    row, column = (np.clip(np.rint(v / 1.6 + 3.5), -1, 8).astype(int) for v in (y, x))
    padded = np.pad(image, 1)
    solid = padded[row + 1, column + 1] * (np.abs(z) < 3)
    return solid + random.normal(0, 0.15, solid.shape)


def build() -> cconv.Sequential:
    model = cconv.Sequential([cconv.Input((SIZE, SIZE, SIZE, 1))], name="volumes")
    for filters in (16, 32, 64):
        model.add(layers.Conv3D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling3D())
    model.add(layers.GlobalAveragePooling3D())
    model.add(layers.Dense(10, activation="softmax"))
    return model


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--samples", type=int, help="how many digits to use; default: all 1,797")
    parser.add_argument("--output", type=Path, default=Path("demo_output/volumes"))
    options = parser.parse_args(arguments)
    from sklearn.datasets import load_digits

    cconv.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    digits = load_digits()
    order = random.permutation(len(digits.target))[: options.samples]
    bodies = np.stack([body(digits.images[i] / 16, random) for i in order]).astype(np.float32)[..., None]
    labels = digits.target[order]
    held_out = len(order) // 5

    model = build()
    model.compile(cconv.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(bodies[held_out:], labels[held_out:], batch_size=32, epochs=options.epochs, verbose=2)
    _, accuracy = model.evaluate(bodies[:held_out], labels[:held_out], verbose=0)
    print(f"right of {held_out} bodies it has not seen: {100 * accuracy:.1f} %")

    options.output.mkdir(parents=True, exist_ok=True)
    depths = (4, 6, 8, 10, 12)
    shown = [np.flatnonzero(labels == digit)[0] for digit in (0, 2, 4, 6, 8)]
    slices = np.concatenate([bodies[i, list(depths)] for i in shown])
    titles = [f"{labels[i]}, slice {depth}" for i in shown for depth in depths]
    cconv.visualization.image_gallery(np.clip(slices, 0, 1), titles, columns=5).savefig(options.output / "slices.png")
    model.save(options.output / "model.keras")
    print(f"the model and a picture are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
