"""Keras on TensorFlow: `train_on_batch`, and inference through a `tf.function` of the model."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from work import PREDICT_BATCH, Prepared, Work, build_keras, keras_call


def start(threads: int) -> dict[str, object]:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return {"version": f"{tf.__version__}, Keras {keras.__version__}"}


def variants(work: Work) -> tuple[str, ...]:
    return () if work.layer else ("graph",)


def prepare(work: Work, variant: str) -> Prepared:
    model = build_keras(keras, work.name)
    with np.load(work.file(".npz")) as file:
        ours = list(file.values())
    model.set_weights(ours)
    if work.mode == "train":
        return keras_call(model, keras, work)
    x = tf.constant(work.images()[0])
    size = PREDICT_BATCH if work.mode == "predict" else work.batch
    infer = tf.function(lambda images: model(images, training=False))

    def call() -> list[np.ndarray]:
        return [infer(x[at : at + size]).numpy() for at in range(0, len(x), size)]

    return Prepared(call, {"y": call()[0][:8]})
