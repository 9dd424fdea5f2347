"""Train a classifier on a folder of class folders: a saved model, and a report to read.

DIR holds a folder for each class with its image files. What comes out stands in the output folder: `model.keras`, of
the epoch that was best in validation, with the preprocessing inside; `labels.txt`; `history.csv`; and `report.html`
with the learning curves, the confusion matrix and the most confident mistakes. Images that do not fit in memory are
read from their files in each epoch, while the network computes. Ctrl-C ends the training: what was reached is kept and
reported.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from .. import applications, layers
from ..callbacks import CSVLogger, ModelCheckpoint
from ..config import program_memory
from ..layers.input_layer import Input
from ..models import Model, Sequential, load_model
from ..optimizers import Adam
from ..optimizers.schedules import CosineDecay
from ..pipeline import AUTOTUNE, Dataset
from ..utils import set_random_seed
from .arguments import number, positive, share, size
from .failure import Failure
from .image_files import class_folders, memory_of, read_batch, read_images
from .report import write_report

_BEST = "val_accuracy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of class folders")
    parser.add_argument("--output", type=Path, help="folder for what comes out; default: trained/ and the name of DIR")
    parser.add_argument("--model", choices=sorted(_MODELS), default="small", help="the network; default: small")
    parser.add_argument("--image-size", type=size, default=(96, 96), metavar="N|HxW", help="default: 96")
    parser.add_argument("--epochs", type=positive, default=15, help="default: 15")
    parser.add_argument("--batch-size", type=positive, default=32, help="default: 32")
    parser.add_argument("--learning-rate", type=number, default=1e-3, help="of Adam, falling to 0; default: 0.001")
    parser.add_argument("--validation-split", type=share, default=0.2, help="share that is held out; default: 0.2")
    parser.add_argument(
        "--augment", action="store_true", help="mirror, move, turn and zoom the images, other ones in each epoch"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split, the weights, the order; default: 0")


def run(options: argparse.Namespace) -> int:
    output = options.output or Path("trained") / options.folder.resolve().name
    names, paths, labels = class_folders(options.folder)
    needed = 4 * memory_of(options.batch_size, options.image_size)  # as floats
    if needed > program_memory():
        raise Failure(
            f"a batch of {options.batch_size} images of {options.image_size[0]}x{options.image_size[1]} takes "
            f"{needed / 1e9:.1f} GB, more than a third of the memory: choose smaller ones (--image-size) or fewer "
            "(--batch-size)"
        )
    set_random_seed(options.seed)
    training, held_out = _split(labels, options.validation_split, options.seed)
    print(f"{len(paths)} images of {len(names)} classes: {len(training)} to train on, {len(held_out)} held out")
    images, damaged = read_images(paths, options.image_size)
    if damaged:
        broken = set(damaged)
        kept = np.array([path not in broken for path in paths])
        labels = labels[kept]
        paths = [path for path in paths if path not in broken]
        training, held_out = _split(labels, options.validation_split, options.seed)
    if images is None:
        print("they do not fit in memory: each epoch reads them from their files again")

    def batch(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if images is not None:
            return images[places], labels[places]
        return read_batch([paths[i] for i in places], options.image_size), labels[places]

    def batches(places: Dataset) -> Dataset:
        threads = None if images is not None else AUTOTUNE
        return places.batch(options.batch_size).map(batch, threads).prefetch(AUTOTUNE)

    steps = options.epochs * -(-len(training) // options.batch_size)
    model = _MODELS[options.model](options.image_size, len(names), options.augment)
    optimizer = Adam(CosineDecay(options.learning_rate, steps))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    output.mkdir(parents=True, exist_ok=True)
    (output / "labels.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    file = output / "model.keras"
    file.unlink(missing_ok=True)
    callbacks = [
        ModelCheckpoint(file, monitor=_BEST, save_best_only=True, mode="max"),
        CSVLogger(output / "history.csv"),
    ]
    order = Dataset.from_tensor_slices(training).shuffle(len(training), options.seed)
    validation = batches(Dataset.from_tensor_slices(held_out))
    start, interrupted = time.monotonic(), False
    try:
        model.fit(batches(order), epochs=options.epochs, validation_data=validation, callbacks=callbacks)
    except KeyboardInterrupt:
        interrupted = True
        print("\ninterrupted: what was reached is kept")
    seconds = time.monotonic() - start
    history = {} if model.history is None else model.history.history
    if history:
        model = load_model(file)
    else:  # not one epoch
        model.save(file)
    report = write_report(
        output / "report.html",
        model=model,
        history=history,
        scores=model.predict(validation, verbose=0),
        labels=labels[held_out],
        paths=[paths[i] for i in held_out],
        names=names,
        settings=_settings(options, len(training), len(held_out), seconds, interrupted, damaged),
    )
    accuracy = f", right of held-out images: {100 * report:.1f} %" if report is not None else ""
    print(f"{output / 'model.keras'} and {output / 'report.html'} are written{accuracy}")
    return 130 if interrupted else 0


def _settings(
    options: argparse.Namespace, training: int, held_out: int, seconds: float, interrupted: bool, damaged: list[Path]
) -> dict[str, str]:
    """What the report tells of the training."""
    height, width = options.image_size
    told = {
        "folder": str(options.folder.resolve()),
        "network": options.model,
        "image size": f"{height} x {width}",
        "images": f"{training} to train on, {held_out} held out",
        "epochs": f"{options.epochs}{' asked for; interrupted' if interrupted else ''}",
        "augmentation": "mirrored, moved, turned, zoomed" if options.augment else "none",
        "batch size": str(options.batch_size),
        "learning rate": f"{options.learning_rate:g}, falling to 0 along a cosine",
        "seed": str(options.seed),
        "time": f"{seconds:.0f} s",
    }
    if damaged:
        told["left out"] = ", ".join(map(str, damaged))
    return told


def _split(labels: np.ndarray, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of images to train on and of those held out: the same share of each class, at least one of each."""
    random = np.random.default_rng(seed)
    training, validation = [], []
    for label in range(labels.max() + 1):
        places = random.permutation(np.flatnonzero(labels == label))
        count = min(max(round(held_out * len(places)), 1), len(places) - 1)
        if count < 1:
            raise Failure(f"class number {label} has {len(places)} images that can be read: at least 2 are needed")
        validation.append(places[:count])
        training.append(places[count:])
    return np.sort(np.concatenate(training)), np.sort(np.concatenate(validation))


def _start(image_size: tuple[int, int], augment: bool, name: str) -> Sequential:
    """A model that has begun: it takes images of 0 to 255, changes them in training if wanted, scales them to -1..1."""
    model = Sequential([Input((*image_size, 3))], name=name)
    if augment:
        model.add(layers.RandomFlip("horizontal"))
        model.add(layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"))
        model.add(layers.RandomRotation(0.03, fill_mode="nearest"))  # eleven degrees
        model.add(layers.RandomZoom(0.1, fill_mode="nearest"))
    model.add(layers.Rescaling(1 / 127.5, offset=-1.0))
    return model


def _small(image_size: tuple[int, int], classes: int, augment: bool) -> Model:
    """Four to five stages of convolution, normalization and pooling, for images of 16 pixels and more."""
    model = _start(image_size, augment, "small")
    filters, smaller = 32, min(image_size)
    while smaller >= 8 and filters <= 256:
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
        filters, smaller = 2 * filters, smaller // 2
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(classes, activation="softmax"))
    return model


def _mobilenet(image_size: tuple[int, int], classes: int, augment: bool) -> Model:
    """MobileNetV2 of a third of its width, from random weights."""
    model = _start(image_size, augment, "mobilenet")
    model.add(applications.MobileNetV2(input_shape=(*image_size, 3), alpha=0.35, weights=None, classes=classes))
    return model


_MODELS = {"small": _small, "mobilenet": _mobilenet}
