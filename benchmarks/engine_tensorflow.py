"""Keras on TensorFlow: `train_on_batch`, and a `tf.function` for inference, with its compiler XLA and without."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from work import Prepared, Work, build_keras, training_step


def start(threads: int) -> dict[str, object]:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return {"version": f"{tf.__version__}, Keras {keras.__version__}"}


def variants(work: Work) -> tuple[str, ...]:
    return () if not work.whole else ("graph", "xla")


def loaded(work: Work) -> keras.Model:
    """The network with the weights cconv has left in a file."""
    model = build_keras(keras, work.name)
    with np.load(work.file(".npz")) as file:
        model.set_weights(list(file.values()))
    return model


def prepare(work: Work, variant: str) -> Prepared:
    model = loaded(work)
    if work.mode == "train":
        return training_step(model, keras, work, jit_compile=variant == "xla")
    x = tf.constant(work.images()[0])
    size = work.at_once
    infer = tf.function(lambda images: model(images, training=False), jit_compile=variant == "xla")

    def call() -> list[np.ndarray]:
        return [infer(x[at : at + size]).numpy() for at in range(0, len(x), size)]

    return Prepared(call, {"y": call()[0][:8]})
