"""Networks as LiteRT's files (.tflite), from Keras on TensorFlow."""

from __future__ import annotations

from pathlib import Path

import conversion
from work import Work


def suffix(work: Work) -> str:
    return f".{work.at_once}.tflite"


def exported(work: Work) -> Path:
    """The network's file for batches of the work's size."""
    return conversion.converted(work, suffix(work), "litert_file.py")


def write(work: Work) -> None:
    """Converts the network with the weights cconv has left."""
    import engine_tensorflow
    import keras
    import tensorflow as tf

    images = keras.Input(batch_shape=(work.at_once, *work.network.image))
    fixed = keras.Model(images, engine_tensorflow.loaded(work)(images))
    part = work.file(".part.tflite")
    part.write_bytes(tf.lite.TFLiteConverter.from_keras_model(fixed).convert())
    part.replace(work.file(suffix(work)))


if __name__ == "__main__":
    conversion.main(write)
