"""Learns from few photographs with a network that another program trained: an ONNX file with a new last layer.

    python examples/onnx_transfer.py photos/ squeezenet1.1.onnx --bgr

The folder has a folder of image files for each class. All layers of the network before its last weights are kept as
they are; what they see in each photograph is computed once, and a layer of the new classes is trained on that. The
whole is written as ONNX again. SqueezeNet 1.1, which was trained on ImageNet, tells ten signs of hands apart after 200
photographs: 85.2 % of 500 that are held out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import cconv
from cconv import layers


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path, help="a classifier of images, .onnx")
    parser.add_argument("--bgr", action="store_true", help="it wants blue first")
    parser.add_argument("--scale", type=float, default=1.0, help="what it wants pixels from 0 to 255 multiplied by")
    parser.add_argument("--samples", type=int, default=200, help="how many photographs to train on")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--output", type=Path, default=Path("demo_output/onnx_transfer.onnx"))
    options = parser.parse_args(arguments)

    cconv.utils.set_random_seed(0)
    network = cconv.onnx.load(options.model, data_format="channels_last")
    size = network.input_shape[1:3]
    data = cconv.utils.image_dataset_from_directory(options.folder, image_size=size, seed=0)
    images, labels = (np.concatenate(parts) for parts in zip(*data, strict=True))
    images, labels = images[: options.samples + 500] * options.scale, labels[: options.samples + 500]
    images = images[..., ::-1] if options.bgr else images

    last = max(k for k, layer in enumerate(network.layers) if layer.weights)
    seen = network.layers[last - 1].output
    seen = layers.GlobalAveragePooling2D()(seen) if len(seen.shape) == 4 else seen
    base = cconv.Model(network.inputs, seen)
    base.trainable = False

    x = base.predict(images, verbose=0)
    x_train, y_train, test = (
        x[: options.samples],
        labels[: options.samples],
        (x[options.samples :], labels[options.samples :]),
    )
    head = cconv.Sequential(
        [
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(0.3),
            layers.Dense(len(data.class_names), activation="softmax"),
        ]
    )
    head.compile(cconv.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    print(f"{len(y_train)} photographs of {size[0]}x{size[1]} pixels to train on, {len(test[1])} held out", flush=True)
    history = head.fit(x_train, y_train, batch_size=20, epochs=options.epochs, validation_data=test, verbose=0)
    print(f"right of the photographs held out: {100 * history.history['val_accuracy'][-1]:.1f} %")

    options.output.parent.mkdir(parents=True, exist_ok=True)
    cconv.Model(base.inputs, head(base.output)).export(options.output, format="onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
