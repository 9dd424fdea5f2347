"""A described network (`zoo.Net`) as a model from Keras' names: `keras` is Keras or cconv."""

from __future__ import annotations

from zoo import EPSILON, Net, Node


def built(net: Net, keras, name: str):
    """The model; its output is the softmax of the logits."""
    values = [keras.Input(net.nodes[0].shape)]
    for node in net.nodes[1:]:
        values.append(applied(keras, node, [values[i] for i in node.inputs]))
    return keras.Model(values[0], keras.layers.Softmax(name="softmax")(values[-1]), name=name)


def applied(keras, node: Node, inputs: list):
    """What one layer makes of its inputs."""
    layers, settings, name = keras.layers, node.settings, node.name
    if node.op in ("conv", "depthwise", "pool"):
        return windowed(keras, node, inputs[0])
    if node.op == "shuffle":
        height, width, channels = node.shape
        groups = settings["groups"]
        x = layers.Reshape((height, width, groups, channels // groups), name=f"{name}_apart")(inputs[0])
        x = layers.Permute((1, 2, 4, 3), name=f"{name}_turned")(x)
        return layers.Reshape(node.shape, name=name)(x)
    if node.op in ("add", "multiply", "concat"):
        layer = {"add": layers.Add, "multiply": layers.Multiply, "concat": layers.Concatenate}[node.op]
        return layer(name=name)(inputs)
    if node.op == "norm":
        layer = layers.BatchNormalization(momentum=0.99, epsilon=EPSILON, name=name)
    elif node.op == "act":
        if settings["function"] == "leaky_relu":
            layer = layers.LeakyReLU(negative_slope=0.1, name=name)
        else:
            layer = layers.Activation(settings["function"], name=name)
    elif node.op == "pool_same":
        layer = layers.MaxPooling2D(settings["size"], settings["stride"], padding="same", name=name)
    elif node.op == "mean":
        layer = layers.GlobalAveragePooling2D(keepdims=settings["keep"], name=name)
    elif node.op == "flatten":
        layer = layers.Flatten(name=name)
    else:
        layer = layers.Dense(node.shape[0], name=name)
    return layer(inputs[0])


def windowed(keras, node: Node, x):
    """A convolution or pooling. "same" where it pads evenly as well, else a layer before pads."""
    layers, settings = keras.layers, node.settings
    size, stride, pad = (settings[name] for name in ("size", "stride", "pad"))
    same = node.op != "pool" and pad and stride == 1 and 2 * pad == size - 1
    if pad and not same:
        x = layers.ZeroPadding2D(pad, name=f"{node.name}_pad")(x)
    padding = "same" if same else "valid"
    if node.op == "pool":
        layer = layers.MaxPooling2D if settings["kind"] == "max" else layers.AveragePooling2D
        return layer(size, stride, name=node.name)(x)
    rest = {"padding": padding, "use_bias": settings["bias"], "name": node.name}
    if node.op == "depthwise":
        return layers.DepthwiseConv2D(size, stride, **rest)(x)
    return layers.Conv2D(node.shape[-1], size, stride, groups=settings["groups"], **rest)(x)
