"""Teaches a small network by a large one: knowledge distillation, with a train_step of its own, on Fashion-MNIST.

    python examples/distillation.py
    python examples/distillation.py --epochs 1 --samples 2000

What a trained teacher takes for possible - a shirt that might be a coat - tells more than the label does. A student
learns from both: the labels, and the teacher's probabilities, softened by a temperature (Hinton, Vinyals, Dean:
"Distilling the Knowledge in a Neural Network", 2015). Prints the test accuracy of the teacher, of the student taught by
it and of one that is left alone with the labels (90.5, 87.6 and 87.2 %), and draws what the teacher says of some
images. The images are found or downloaded by `cconv.datasets.fashion_mnist`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers, ops

NAMES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


def network(filters: int, name: str, dropout: float = 0.0) -> cconv.Sequential:
    """From (n, 28, 28, 1) images of bytes to (n, 10) logits."""
    model = cconv.Sequential([cconv.Input((28, 28, 1)), layers.Rescaling(1 / 255)], name=name)
    for stage in (1, 2):
        model.add(layers.Conv2D(stage * filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10))
    return model


class Distiller(cconv.Model):
    """A student beside its teacher.

    Args:
        student: From images to logits; is trained.
        teacher: Likewise; stays as it is.
        temperature: What logits are divided by: 1 leaves probabilities as they are, more evens them out.
        share: Of the teacher in the loss; the rest is that of the labels.
    """

    def __init__(self, student: cconv.Model, teacher: cconv.Model, temperature: float = 4.0, share: float = 0.9):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.teacher.trainable = False
        self.temperature, self.share = temperature, share
        self.label_loss = cconv.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.soft_loss = cconv.losses.KLDivergence()
        self.loss_tracker = cconv.metrics.Mean("loss")
        self.accuracy = cconv.metrics.SparseCategoricalAccuracy("accuracy")

    @property
    def metrics(self):
        return [self.loss_tracker, self.accuracy]

    def call(self, inputs, training=None):
        return self.student(inputs, training=training)

    def train_step(self, data):
        images, labels = data
        with cconv.GradientTape() as tape:
            soft = ops.softmax(ops.stop_gradient(self.teacher(images, training=False)) / self.temperature)
            logits = self.student(images, training=True)
            # gradients of soft targets shrink with the square of the temperature
            taught = self.temperature**2 * self.soft_loss(soft, ops.softmax(logits / self.temperature))
            loss = self.share * taught + (1 - self.share) * self.label_loss(labels, logits)
        weights = self.student.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.loss_tracker.update_state(loss)
        self.accuracy.update_state(labels, logits)
        return {metric.name: metric.result() for metric in self.metrics}


def draw_soft_targets(path: Path, images: np.ndarray, logits: np.ndarray, temperature: float) -> None:
    """Images above what the teacher says of them: its probabilities, and those that the student learns from."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, len(images), figsize=(2 * len(images), 4.6), layout="constrained")
    at = np.arange(len(NAMES))
    for (above, below), image, row in zip(axes.T, images, logits, strict=True):
        above.imshow(image[..., 0], cmap="gray")
        above.axis("off")
        for shift, heat, color in ((-0.2, 1.0, "#bbbbbb"), (0.2, temperature, "#2f6fab")):
            powers = np.exp((row - row.max()) / heat)
            below.barh(at + shift, powers / powers.sum(), 0.4, color=color, label=f"temperature {heat:g}")
        below.set_yticks(at, NAMES if below is axes[1, 0] else [], fontsize=8)
        below.set_xlim(0, 1)
        below.invert_yaxis()
        below.spines[["top", "right"]].set_visible(False)
    axes[1, -1].legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--samples", type=int, default=20000, help="how many training images to use")
    parser.add_argument("--temperature", type=float, default=4.0, help="how much the teacher's answers are evened out")
    parser.add_argument("--output", type=Path, default=Path("demo_output/distillation"))
    options = parser.parse_args(arguments)

    (x_train, y_train), (x_test, y_test) = cconv.datasets.fashion_mnist.load_data()
    x_train, y_train = x_train[: options.samples, ..., None], y_train[: options.samples]
    x_test = x_test[..., None]
    label_loss = cconv.losses.SparseCategoricalCrossentropy(from_logits=True)

    def train(model: cconv.Model, what: str) -> float:
        steps = options.epochs * -(-len(x_train) // 64)
        optimizer = cconv.optimizers.Adam(cconv.optimizers.schedules.CosineDecay(3e-3, steps))
        if isinstance(model, Distiller):
            model.compile(optimizer)
        else:
            model.compile(optimizer, label_loss, metrics=["accuracy"])
        print(f"--- {what}", flush=True)
        model.fit(x_train, y_train, batch_size=64, epochs=options.epochs, verbose=2)
        return 100 * float(np.mean(model.predict(x_test, verbose=0).argmax(1) == y_test))

    cconv.utils.set_random_seed(0)
    teacher = network(32, "teacher", dropout=0.4)
    taught_by = train(teacher, f"the teacher: {teacher.count_params():,} parameters")
    cconv.utils.set_random_seed(1)
    student = network(4, "student")
    start = student.get_weights()
    alone = train(student, f"the student alone: {student.count_params():,} parameters")
    cconv.utils.set_random_seed(1)
    student.set_weights(start)
    distilled = train(Distiller(student, teacher, options.temperature), "the student, taught by the teacher")
    print(f"right of {len(y_test)} test images: teacher {taught_by:.1f} %, "
          f"student alone {alone:.1f} %, taught {distilled:.1f} %")  # fmt: skip

    options.output.mkdir(parents=True, exist_ok=True)
    logits = teacher.predict(x_test[:1000], verbose=0)
    # of six classes the image that the teacher is least sure of
    gap = np.diff(np.sort(logits, axis=1)[:, -2:])[:, 0]
    chosen = [min(np.flatnonzero(y_test[:1000] == label), key=lambda i: gap[i]) for label in (0, 2, 4, 6, 7, 8)]
    draw_soft_targets(options.output / "soft_targets.png", x_test[chosen], logits[chosen], options.temperature)
    student.save(options.output / "student.keras")
    print(f"the student and a picture are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
