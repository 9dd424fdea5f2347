"""Tells clothes apart by attention instead of convolution: a small Vision Transformer on Fashion-MNIST.

    python examples/vision_transformer.py
    python examples/vision_transformer.py --epochs 1 --samples 2000

An image is cut into 49 patches of 4x4 pixels; each becomes a vector, to which one for its place is added, and layers of
attention let all of them look at each other (Dosovitskiy et al.: "An Image is Worth 16x16 Words", 2020; with the mean
of the patches instead of a class token). Prints the test accuracy (86 %), and draws what is learned: how much the
patches of some images are looked at, and which places have similar vectors. The images are found or downloaded by
`cconv.datasets.fashion_mnist`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers, ops

NAMES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
PATCH, SIDE = 4, 7  # pixels of a patch, patches of an image


@cconv.saving.register_keras_serializable("examples")
class PatchEncoder(layers.Layer):
    """From (n, 28, 28, 1) images to (n, 49, width) vectors: each patch's pixels, and the place it has.

    Args:
        width: Length of the vectors.
    """

    def __init__(self, width: int, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.projection = layers.Dense(width)
        self.position = layers.Embedding(SIDE * SIDE, width, name="position")

    def call(self, images):
        patches = ops.image.extract_patches(images, PATCH, PATCH)  # (n, 7, 7, 16)
        vectors = self.projection(ops.reshape(patches, (-1, SIDE * SIDE, PATCH * PATCH)))
        return vectors + self.position(np.arange(SIDE * SIDE, dtype=np.int32))

    def get_config(self):
        return {**super().get_config(), "width": self.width}


def build(width: int = 48, depth: int = 3, heads: int = 4) -> tuple[cconv.Model, cconv.Model]:
    """The classifier, and a model of the same weights that gives the attention of its last layer (n, heads, 49, 49)."""
    images = cconv.Input((28, 28, 1))
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(layers.RandomFlip("horizontal")(images))
    x = PatchEncoder(width, name="patches")(x)
    for _ in range(depth):
        normed = layers.LayerNormalization(epsilon=1e-6)(x)
        seen, attention = layers.MultiHeadAttention(heads, width // heads, dropout=0.1)(
            normed, normed, return_attention_scores=True
        )
        x = layers.Add()([x, seen])
        y = layers.Dense(2 * width, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(x))
        x = layers.Add()([x, layers.Dropout(0.1)(layers.Dense(width)(y))])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(x))
    classifier = cconv.Model(images, layers.Dense(10)(x), name="vision_transformer")
    return classifier, cconv.Model(images, attention)


def draw_attention(path: Path, images: np.ndarray, seen: np.ndarray, titles: list[str]) -> None:
    """Images, and over each how much its patches are looked at, (n, 49)."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, len(images), figsize=(1.5 * len(images), 3.3), layout="constrained")
    for (above, below), image, share, title in zip(axes.T, images, seen, titles, strict=True):
        above.imshow(image[..., 0], cmap="gray")
        above.set_title(title, fontsize=9)
        below.imshow(image[..., 0], cmap="gray")
        below.imshow(share.reshape(SIDE, SIDE), cmap="inferno", alpha=0.6, extent=(-0.5, 27.5, 27.5, -0.5))
    for ax in axes.flat:
        ax.axis("off")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def draw_positions(path: Path, vectors: np.ndarray) -> None:
    """For each place (49, width), in its place, how similar the vectors of all places are to its own."""
    from matplotlib import pyplot as plt

    vectors = vectors - vectors.mean(0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    figure, axes = plt.subplots(SIDE, SIDE, figsize=(5, 5), layout="constrained")
    for ax, row in zip(axes.flat, unit @ unit.T, strict=True):
        ax.imshow(row.reshape(SIDE, SIDE), vmin=-1, vmax=1, cmap="RdBu_r")
        ax.axis("off")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--samples", type=int, default=30000, help="how many training images to use")
    parser.add_argument("--output", type=Path, default=Path("demo_output/vision_transformer"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = cconv.datasets.fashion_mnist.load_data()
    x_train, y_train = x_train[: options.samples, ..., None], y_train[: options.samples]
    x_test, y_test = x_test[:5000, ..., None], y_test[:5000]

    model, attention = build()
    steps = options.epochs * -(-len(x_train) // 64)
    schedule = cconv.optimizers.schedules.CosineDecay(1e-4, steps, warmup_target=2e-3, warmup_steps=steps // 10)
    loss = cconv.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(cconv.optimizers.AdamW(schedule, weight_decay=1e-3), loss, metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=64, epochs=options.epochs, verbose=2)
    taken = model.predict(x_test, verbose=0).argmax(1)
    print(f"right of {len(y_test)} test images: {100 * np.mean(taken == y_test):.1f} %")

    options.output.mkdir(parents=True, exist_ok=True)
    chosen = [np.flatnonzero(y_test == label)[1] for label in (0, 1, 3, 5, 6, 7, 8, 9)]
    seen = attention.predict(x_test[chosen], verbose=0).mean((1, 2))  # over heads and over who looks
    titles = [NAMES[i] for i in taken[chosen]]
    draw_attention(options.output / "attention.png", x_test[chosen], seen, titles)
    draw_positions(options.output / "positions.png", model.get_layer("patches").position.get_weights()[0])
    model.save(options.output / "model.keras")
    print(f"the model and pictures are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
