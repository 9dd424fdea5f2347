"""Trains one of the field's networks on CIFAR-10: 50,000 pictures of 32x32 pixels of ten kinds of things.

    python examples/cifar10.py cifar10/
    python examples/cifar10.py cifar10/ --network MobileNetV2 --epochs 10

The folder has the folders `train` and `test`, and those a folder of image files for each class. The recipe is the usual
one for residual networks (He et al., 2015, section 4.2; borders, momentum and weight decay as Zagoruyko and Komodakis,
2016, section 3; the cosine is Loshchilov and Hutter's): in each epoch another part of each picture, mirrored or not;
steps of gradient descent with momentum that grow for an epoch, then become smaller along a cosine; and weight decay of
the kernels. Networks made for photographs of 224x224 pixels (all but the ResNets) see the pictures enlarged to twice
their sides. Prints the accuracy on the test images after each epoch, and writes `history.csv` (with the seconds since
the start) and the weights.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import cconv
from cconv import applications, layers

NETWORKS: dict[str, Callable[..., cconv.Model]] = {
    "ResNet20": applications.ResNet20,
    "SE-ResNet20": lambda **keywords: applications.ResNet20(attention="se", **keywords),
    "MobileNetV2": lambda **keywords: applications.MobileNetV2(like="torchvision", **keywords),
    "ShuffleNetV2": applications.ShuffleNetV2,
    "GhostNet": applications.GhostNet,
}
MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of the training images, by channel
LEARNING_RATE, MOMENTUM = 0.1, 0.9
WEIGHT_DECAY = 5e-3  # times the learning rate, what each step takes off: with momentum 0.9 as 5e-4 in the gradient
PADDING = 4  # pixels around a picture, its own ones mirrored; a part of 32x32 of all is taken


def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images of a folder of class folders, (n, 32, 32, 3) normalized, and their labels (n,)."""
    data = cconv.utils.image_dataset_from_directory(folder, image_size=(32, 32), shuffle=False, batch_size=500)
    images, labels = (np.concatenate(parts) for parts in zip(*data, strict=True))
    return ((images - MEAN) / DEVIATION).astype("float32"), labels


class Augmented(cconv.utils.PyDataset):
    """The training images in another order in each epoch, each moved by up to 4 pixels and perhaps mirrored."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int) -> None:
        super().__init__()
        around = (PADDING, PADDING)
        self.images = np.pad(images, ((0, 0), around, around, (0, 0)), mode="reflect")
        self.labels, self.batch_size, self.rng = labels, batch_size, np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.labels) // self.batch_size

    def on_epoch_end(self) -> None:
        n = len(self.labels)
        self.order = self.rng.permutation(n)
        self.top, self.left = self.rng.integers(0, 2 * PADDING + 1, (2, n, 1, 1))
        self.mirrored = self.rng.integers(0, 2, (n, 1, 1), dtype=bool)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rows = self.top[chosen] + np.arange(32)[:, np.newaxis]
        columns = np.arange(32)
        columns = self.left[chosen] + np.where(self.mirrored[chosen], columns[::-1], columns)
        return self.images[chosen[:, np.newaxis, np.newaxis], rows, columns], self.labels[chosen]


def build(network: str) -> cconv.Model:
    """The network with logits of ten classes for images of 32x32 pixels."""
    if "ResNet" in network:
        return NETWORKS[network](input_shape=(32, 32, 3), classes=10, classifier_activation=None)
    base = NETWORKS[network](input_shape=(64, 64, 3), classes=10, classifier_activation=None)
    inputs = cconv.Input((32, 32, 3))
    return cconv.Model(inputs, base(layers.UpSampling2D(interpolation="bilinear")(inputs)), name=network)


class History(cconv.callbacks.Callback):
    """Writes a line of seconds and results after each epoch."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.rows, self.start = path, [], time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.rows.append({"epoch": epoch + 1, "seconds": round(time.perf_counter() - self.start, 1), **(logs or {})})
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", choices=list(NETWORKS), default="ResNet20")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("demo_output/cifar10"))
    options = parser.parse_args(arguments)
    if options.batch_size < 1:
        parser.error(f"--batch-size: expected at least 1, received {options.batch_size}")

    cconv.utils.set_random_seed(options.seed)
    data = Augmented(*read(options.folder / "train"), options.batch_size, options.seed)
    test = read(options.folder / "test")
    model = build(options.network)
    steps = options.epochs * len(data)
    warmup = min(len(data), steps // 2)
    rate = cconv.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 10, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    optimizer = cconv.optimizers.SGD(rate, MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer, cconv.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    options.output.mkdir(parents=True, exist_ok=True)
    history = History(options.output / "history.csv")
    model.fit(data, epochs=options.epochs, validation_data=test, callbacks=[history], verbose=2)
    model.save_weights(options.output / "model.weights.h5")
    print(f"{options.network}: {100 * history.rows[-1]['val_accuracy']:.2f} % of {len(test[1])} test images right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
