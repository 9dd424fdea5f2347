"""Every layer in many configurations that Keras takes: (class, arguments, shapes of the inputs, the batch first).

Sizes are those at which something ends: one pixel, a kernel larger than its image, strides longer than the kernel, one
channel, and 7 or 17 of them, which fill no vector.
"""

import numpy as np

FIRST = {"data_format": "channels_first"}
ROWS, IMAGE, VOLUME = (9, 4), (6, 5, 4), (4, 5, 3, 2)
SHAPES = {1: ROWS, 2: IMAGE, 3: VOLUME}


def formats(name, arguments, *shapes):
    """A configuration in both data formats: images are given with channels last."""
    yield name, {**arguments, "data_format": "channels_last"}, list(shapes)
    yield name, {**arguments, **FIRST}, [(shape[-1], *shape[:-1]) for shape in shapes]


def sized(rank, *sizes):
    """The first `rank` sizes of an image's axes, and its channels."""
    return (*sizes[:-1][:rank], sizes[-1])


def convolutions():
    for rank in (1, 2, 3):
        name = f"Conv{rank}D"
        for arguments, shape in (
            ({"filters": 1, "kernel_size": 1}, sized(rank, 1, 1, 1, 1)),
            ({"filters": 17, "kernel_size": 1, "use_bias": False}, sized(rank, 3, 2, 2, 7)),
            ({"filters": 2, "kernel_size": 5, "padding": "same"}, sized(rank, 2, 3, 1, 1)),
            ({"filters": 7, "kernel_size": 2, "strides": 3}, sized(rank, 7, 6, 5, 3)),
            ({"filters": 6, "kernel_size": 3, "groups": 3, "padding": "same"}, sized(rank, 4, 3, 2, 6)),
            ({"filters": 4, "kernel_size": 3, "dilation_rate": 2, "activation": "tanh"}, sized(rank, 6, 5, 5, 2)),
        ):
            yield from formats(name, arguments, shape)
    penalties = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2"}
    bounds = {"kernel_constraint": "unit_norm", "bias_constraint": "non_neg"}
    for rank in (1, 2, 3):
        yield f"Conv{rank}D", {"filters": 3, "kernel_size": 2, **penalties}, [SHAPES[rank]]
        yield f"Conv{rank}D", {"filters": 3, "kernel_size": 2, **bounds, **FIRST}, [SHAPES[rank]]
        yield f"Conv{rank}D", {"filters": 3, "kernel_size": 2, "trainable": False}, [SHAPES[rank]]
    for arguments in ({"dilation_rate": 3}, {"strides": 4}, {"groups": 2, "use_bias": False}):
        yield from formats("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", **arguments}, ROWS)


def transposed():
    for rank in (1, 2, 3):
        name = f"Conv{rank}DTranspose"
        for arguments, shape in (
            ({"filters": 1, "kernel_size": 1}, sized(rank, 1, 1, 1, 1)),
            ({"filters": 7, "kernel_size": 3, "strides": 2, "use_bias": False}, sized(rank, 3, 2, 2, 17)),
            ({"filters": 2, "kernel_size": 2, "strides": 3, "padding": "same"}, sized(rank, 2, 3, 2, 3)),
            ({"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same"}, sized(rank, 3, 1, 2, 1)),
            ({"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1}, sized(rank, 2, 3, 2, 2)),
        ):
            yield from formats(name, arguments, shape)
    penalties = {"kernel_regularizer": "l1", "bias_regularizer": "l2", "bias_constraint": "non_neg"}
    for rank in (1, 2, 3):
        yield f"Conv{rank}DTranspose", {"filters": 3, "kernel_size": 2, **penalties}, [sized(rank, 3, 2, 2, 2)]
        yield f"Conv{rank}DTranspose", {"filters": 3, "kernel_size": 2, "trainable": False}, [sized(rank, 3, 2, 2, 2)]


def of_each_channel():
    for rank in (1, 2):
        for arguments, shape in (
            ({"kernel_size": 1}, sized(rank, 1, 1, 1)),
            ({"kernel_size": 3, "depth_multiplier": 3, "use_bias": False}, sized(rank, 5, 4, 1)),
            ({"kernel_size": 5, "padding": "same", "activation": "relu"}, sized(rank, 3, 2, 17)),
            ({"kernel_size": 2, "strides": 3, "depth_multiplier": 2}, sized(rank, 7, 6, 7)),
            ({"kernel_size": 2, "dilation_rate": 2, "padding": "same"}, sized(rank, 5, 4, 3)),
        ):
            yield from formats(f"DepthwiseConv{rank}D", arguments, shape)
            yield from formats(f"SeparableConv{rank}D", {"filters": 5, **arguments}, shape)
        penalties = {"depthwise_regularizer": "l2", "bias_regularizer": "l1", "depthwise_constraint": "max_norm"}
        yield f"DepthwiseConv{rank}D", {"kernel_size": 2, **penalties}, [SHAPES[rank]]
        yield f"DepthwiseConv{rank}D", {"kernel_size": 2, "trainable": False}, [SHAPES[rank]]
        penalties |= {"pointwise_regularizer": "l1", "pointwise_constraint": "unit_norm"}
        yield f"SeparableConv{rank}D", {"filters": 2, "kernel_size": 2, **penalties}, [SHAPES[rank]]


def poolings():
    for rank in (1, 2, 3):
        for kind in ("Max", "Average"):
            name = f"{kind}Pooling{rank}D"
            for arguments, shape in (
                ({"pool_size": 1}, sized(rank, 1, 1, 1, 1)),
                ({"pool_size": 2, "strides": 3}, sized(rank, 7, 6, 5, 7)),
                ({"pool_size": 3, "strides": 1}, sized(rank, 5, 4, 3, 17)),
            ):
                yield from formats(name, arguments, shape)
            # of averages with padding TensorFlow's rule holds, test_pooling.py
            if kind == "Max":
                yield from formats(name, {"pool_size": 4, "padding": "same"}, sized(rank, 3, 2, 2, 3))
                yield from formats(name, {"pool_size": 2, "strides": 3, "padding": "same"}, sized(rank, 5, 7, 4, 1))
            for keepdims, shape in ((False, sized(rank, 1, 1, 1, 1)), (True, sized(rank, 3, 2, 4, 7))):
                yield from formats(f"Global{kind}Pooling{rank}D", {"keepdims": keepdims}, shape)
            for size, shape in (
                (1, sized(rank, 3, 2, 4, 5)),
                (3, sized(rank, 7, 4, 3, 17)),
                (2, sized(rank, 2, 2, 2, 1)),
            ):
                yield from formats(f"Adaptive{kind}Pooling{rank}D", {"output_size": size}, shape)


def borders():
    for rank in (1, 2, 3):
        shape = SHAPES[rank]
        pairs = {1: (0, 2), 2: ((1, 0), (0, 2)), 3: ((1, 0), (0, 2), (1, 1))}[rank]
        for padding in (1, pairs):
            yield from formats(f"ZeroPadding{rank}D", {"padding": padding}, shape)
        for cropping in (1, pairs):
            if rank > 1:
                yield from formats(f"Cropping{rank}D", {"cropping": cropping}, shape)
            else:
                yield "Cropping1D", {"cropping": cropping}, [shape]
    yield "UpSampling1D", {"size": 3}, [(1, 1)]
    yield "UpSampling1D", {}, [(4, 7)]
    for interpolation in ("nearest", "bilinear"):
        for size, shape in ((2, (1, 1, 1)), ((3, 1), (2, 3, 7)), ((2, 3), (3, 2, 17))):
            yield from formats("UpSampling2D", {"size": size, "interpolation": interpolation}, shape)
    for size, shape in ((2, (1, 1, 1, 1)), ((1, 2, 3), (2, 3, 1, 7))):
        yield from formats("UpSampling3D", {"size": size}, shape)
    for interpolation in ("nearest", "bilinear"):
        for size, shape in (((3, 4), (5, 7, 3)), ((8, 2), (3, 3, 1)), ((1, 1), (4, 3, 7))):
            arguments = {"height": size[0], "width": size[1], "interpolation": interpolation}
            yield from formats("Resizing", arguments, shape)
    yield from formats("Resizing", {"height": 4, "width": 4, "crop_to_aspect_ratio": True}, (6, 9, 3))
    yield from formats("Resizing", {"height": 4, "width": 6, "pad_to_aspect_ratio": True}, (6, 6, 3))
    yield from formats("CenterCrop", {"height": 3, "width": 2}, (5, 6, 3))
    yield from formats("CenterCrop", {"height": 8, "width": 5}, (5, 6, 1))
    yield "Rescaling", {"scale": 0.5, "offset": 0.1}, [(3, 2, 1)]
    yield "Rescaling", {"scale": [0.5, 2.0, 1.0], "offset": [0.1, 0.0, 1.0]}, [(3, 2, 3)]


def shapes():
    yield "Flatten", {}, [(3,)]
    yield "Flatten", {}, [(1, 1, 7)]
    yield from formats("Flatten", {}, (3, 2, 5))
    yield "Reshape", {"target_shape": (-1,)}, [(3, 4)]
    yield "Reshape", {"target_shape": (2, -1, 1)}, [(3, 4)]
    yield "Permute", {"dims": (2, 1)}, [(3, 4)]
    yield "Permute", {"dims": (3, 1, 2)}, [(3, 4, 1)]
    yield "RepeatVector", {"n": 1}, [(5,)]
    yield "RepeatVector", {"n": 4}, [(1,)]
    yield "Identity", {}, [(3, 2)]
    yield "Masking", {}, [(3, 2)]
    yield "Masking", {"mask_value": 0.25}, [(3, 2)]
    for axis, a, b in ((-1, (3, 2), (3, 5)), (1, (1, 2), (7, 2)), (2, (3, 4, 1), (3, 17, 1))):
        yield "Concatenate", {"axis": axis}, [a, b]
    yield "Concatenate", {}, [(1,), (2,), (17,)]
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        yield name, {}, [(3, 2), (3, 2), (3, 2)]
        yield name, {}, [(3, 2, 4), (1, 4)]
        yield name, {}, [(1,), (7,)]
    yield "Subtract", {}, [(3, 2), (3, 2)]
    yield "Subtract", {}, [(2, 3, 4), (3, 1)]
    yield "Dot", {"axes": 1}, [(1,), (1,)]
    yield "Dot", {"axes": (1, 2), "normalize": True}, [(7, 3), (2, 7)]


def activations():
    for shape in ((1,), (3, 17)):
        yield "ReLU", {}, [shape]
        yield "ReLU", {"max_value": 0.5, "negative_slope": 0.2, "threshold": 0.1}, [shape]
        yield "LeakyReLU", {"negative_slope": 0.1}, [shape]
        yield "ELU", {"alpha": 2.0}, [shape]
        yield "PReLU", {"alpha_regularizer": "l2", "alpha_constraint": "non_neg"}, [shape]
        yield "Softmax", {}, [shape]
        yield "Activation", {"activation": "gelu"}, [shape]
        yield "ActivityRegularization", {"l1": 0.01, "l2": 0.02}, [shape]
    yield "PReLU", {"shared_axes": [1, 2]}, [(3, 2, 7)]
    yield "PReLU", {"shared_axes": [1]}, [(3, 2, 1)]
    yield "PReLU", {"trainable": False}, [(4,)]
    yield "Softmax", {"axis": 1}, [(3, 2, 5)]
    yield "Softmax", {"axis": [1, 2]}, [(3, 2, 5)]
    for name in (
        "celu", "elu", "exponential", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
        "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
        "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink",
    ):  # fmt: skip
        yield "Activation", {"activation": name}, [(2, 6)]


def dense():
    for arguments, shape in (
        ({"units": 1}, (1,)),
        ({"units": 17, "use_bias": False}, (7,)),
        ({"units": 3, "activation": "softmax"}, (2, 1, 5)),
        ({"units": 3, "kernel_regularizer": "l1", "bias_regularizer": "l2", "activity_regularizer": "l1"}, (5,)),
        ({"units": 3, "kernel_constraint": "max_norm", "bias_constraint": "non_neg"}, (5,)),
        ({"units": 3, "trainable": False}, (5,)),
    ):
        yield "Dense", arguments, [shape]
    yield "EinsumDense", {"equation": "abc,cd->abd", "output_shape": (3, 7), "trainable": False}, [(3, 5)]
    yield "EinsumDense", {"equation": "ab,bc->ac", "output_shape": 1, "kernel_constraint": "unit_norm"}, [(1,)]


def normalizations():
    for arguments, shape in (
        ({"momentum": 0.7}, (1,)),
        ({"center": False, "momentum": 0.7}, (3, 2, 17)),
        ({"scale": False, "momentum": 0.7}, (3, 1)),
        ({"axis": 1, "momentum": 0.7, "epsilon": 0.1}, (7, 2, 3)),
        ({"axis": 2, "momentum": 0.7, "gamma_regularizer": "l2", "beta_constraint": "non_neg"}, (2, 3, 2)),
        ({"trainable": False}, (3, 4)),
    ):
        yield "BatchNormalization", arguments, [shape]
    for arguments, shape in (
        ({}, (1,)),
        ({"axis": [1, 2], "center": False}, (3, 17)),
        ({"epsilon": 0.5, "scale": False, "trainable": False}, (17,)),
    ):
        yield "LayerNormalization", arguments, [shape]
    for arguments, shape in (
        ({"groups": 1}, (1,)),
        ({"groups": 7}, (3, 7)),
        ({"groups": -1, "axis": 1}, (3, 2, 2)),
        ({"groups": 2, "trainable": False}, (2, 1, 4)),
        ({"groups": 17, "center": False, "scale": False}, (2, 17)),
    ):
        yield "GroupNormalization", arguments, [shape]
    for axis, shape in ((-1, (1,)), (-1, (3, 17)), ([1, 2], (2, 3))):  # PyTorch normalizes trailing axes only
        yield "RMSNormalization", {"axis": axis, "epsilon": 1e-3}, [shape]
        yield "UnitNormalization", {"axis": axis}, [shape]
    yield "UnitNormalization", {"axis": 1}, [(7, 2)]
    yield "RMSNormalization", {"trainable": False}, [(3, 4)]
    for arguments in ({"mean": 0.5, "variance": 2.0}, {"mean": [1.0, 2.0], "variance": [0.5, 4.0], "invert": True}):
        yield "Normalization", arguments, [(3, 2)]


def attention():
    yield "MultiHeadAttention", {"num_heads": 1, "key_dim": 1}, [(1, 1), (1, 1)]
    yield "MultiHeadAttention", {"num_heads": 3, "key_dim": 2, "value_dim": 5, "use_bias": False}, [(5, 7), (3, 7)]
    yield "MultiHeadAttention", {"num_heads": 2, "key_dim": 7, "output_shape": 17}, [(2, 4), (1, 4), (1, 3)]
    yield "MultiHeadAttention", {"num_heads": 2, "key_dim": 2, "kernel_constraint": "max_norm"}, [(2, 4), (3, 4)]
    grouped = {"head_dim": 3, "num_query_heads": 6, "num_key_value_heads": 3}
    yield "GroupQueryAttention", grouped, [(1, 7), (5, 7)]
    yield "GroupQueryAttention", {**grouped, "use_bias": False, "kernel_regularizer": "l2"}, [(4, 1), (2, 1)]
    for name in ("Attention", "AdditiveAttention"):
        yield name, {}, [(1, 1), (1, 1)]
        yield name, {"use_scale": True}, [(5, 7), (2, 7), (2, 7)]


def quiet():
    """What draws at random, with nothing to draw."""
    yield "Dropout", {"rate": 0.0}, [(3, 4)]
    yield "AlphaDropout", {"rate": 0.0}, [(3, 4)]
    yield "GaussianDropout", {"rate": 0.0}, [(3, 4)]
    yield "GaussianNoise", {"stddev": 0.0}, [(3, 4)]
    for rank in (1, 2, 3):
        name = f"SpatialDropout{rank}D"
        yield from formats(name, {"rate": 0.0}, SHAPES[rank]) if rank > 1 else [(name, {"rate": 0.0}, [ROWS])]


FAMILIES = (
    convolutions, transposed, of_each_channel, poolings, borders, shapes, activations, dense, normalizations, attention,
    quiet,
)  # fmt: skip
ROWS_OF_TABLE = [case for family in FAMILIES for case in family()]
LAYERS = [
    (name, arguments, [(1 if i % 4 == 3 else 3, *shape) for shape in shapes])
    for i, (name, arguments, shapes) in enumerate(ROWS_OF_TABLE)
    if len(shapes[0]) < 4 or (i // 2 + i) % 2 == 0  # volumes take their time: the formats by turns
]

# class, arguments, data: whole numbers and bools, through which no gradient flows
COUNTED = [
    ("Embedding", {"input_dim": 7, "output_dim": 1}, np.int32([[0, 6, 3]])),
    ("Embedding", {"input_dim": 1, "output_dim": 17}, np.int32([[0], [0]])),
    (
        "Embedding",
        {"input_dim": 5, "output_dim": 3, "embeddings_constraint": "unit_norm"},
        np.int32([[[1, 4], [2, 2]]]),
    ),
    ("Embedding", {"input_dim": 5, "output_dim": 3, "trainable": False}, np.int32([[1, 4], [2, 2]])),
]
