"""Networks of the benchmark that `applications` does not have, from Keras' names: `keras` is Keras or cconv."""


def mnist_convnet(keras):
    """The simple MNIST convnet of Keras' examples."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def resnet20(keras):
    """ResNet-20 for 32x32 images in ten classes: three stacks of three blocks, a 1x1 convolution where sizes change."""
    layers = keras.layers

    def unit(x, name, filters, kernel=3, strides=1):
        conv = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False, name=f"{name}_conv")
        return layers.BatchNormalization(name=f"{name}_bn")(conv(x))

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU(name="stem_relu")(unit(inputs, "stem", 16))
    for stack, filters in enumerate((16, 32, 64)):
        for i in range(3):
            name, grows = f"stack{stack}_block{i}", stack > 0 and i == 0
            y = layers.ReLU(name=f"{name}_1_relu")(unit(x, f"{name}_1", filters, strides=2 if grows else 1))
            y = unit(y, f"{name}_2", filters)
            if grows:
                x = unit(x, f"{name}_0", filters, kernel=1, strides=2)
            x = layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="predictions")(x), name="resnet20")
