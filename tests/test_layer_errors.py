"""Wrong use of layers: an error at the earliest call that can know, with what was expected and received."""

import numpy as np
import pytest

import cconv
from cconv import layers

CONSTRUCTION = [
    (lambda: layers.Conv2D(0, 3), r"filters=0"),
    (lambda: layers.Conv2D(-1, 3), r"filters=-1"),
    (lambda: layers.Conv2D(1.5, 3), r"filters=1.5"),
    (lambda: layers.Conv2D(4, 0), r"kernel_size=0.*values \{0\}"),
    (lambda: layers.Conv2D(4, (3, -2)), r"kernel_size=\(3, -2\)"),
    (lambda: layers.Conv2D(4, (3, 3, 3)), r"tuple of 2 integers.*kernel_size=\(3, 3, 3\)"),
    (lambda: layers.Conv2D(4, "3"), r"kernel_size='3'"),
    (lambda: layers.Conv2D(4, 3, strides=0), r"strides=0"),
    (lambda: layers.Conv2D(4, 3, strides=(1, -1)), r"strides=\(1, -1\)"),
    (lambda: layers.Conv2D(4, 3, dilation_rate=0), r"dilation_rate=0"),
    (lambda: layers.Conv2D(4, 3, padding="full"), r"'valid', 'same'.*padding='full'"),
    (lambda: layers.Conv2D(4, 3, padding=((1, -1), (0, 0))), r"padding=\(1, -1\)"),
    (lambda: layers.Conv2D(4, 3, groups=3), r"groups=3, filters=4"),
    (lambda: layers.Conv2D(4, 3, groups=0), r"groups=0"),
    (lambda: layers.Conv2D(4, 3, data_format="nchw"), r"data_format=nchw"),
    (lambda: layers.Conv2D(4, 3, activation="rellu"), r"activation function identifier: rellu"),
    (lambda: layers.Conv2D(4, 3, kernel_initializer="glorot"), r"initializer identifier: glorot"),
    (lambda: layers.Conv2D(4, 3, dtype="float16"), r"float32 only.*'float16'"),
    (lambda: layers.Layer().add_weight((2,), dtype="int64"), r"bool, int32, float32.*'int64'"),
    (
        lambda: layers.Layer(name="own").add_weight((2,), autocast=False, name="w"),
        r"Layer 'own', weight 'w'.*expected autocast=True.*autocast=False",
    ),
    (
        lambda: layers.Layer(name="own").add_weight((2,), aggregation="max", name="w"),
        r"Layer 'own', weight 'w'.*none, mean, sum, only_first_replica.*aggregation='max'",
    ),
    (lambda: layers.InputSpec(dtype="float16"), r"float32.*dtype='float16'"),
    (
        lambda: layers.Conv2D(4, 3, colour="red"),
        r"Unrecognized keyword arguments passed to Conv2D: \{'colour': 'red'\}",
    ),
    (lambda: layers.Conv1D(4, (3, 3)), r"tuple of 1 integer\b.*kernel_size=\(3, 3\)"),
    (lambda: layers.Conv1D(4, 3, padding="full"), r"'valid', 'same', 'causal'.*padding='full'"),
    (lambda: layers.Conv2D(4, 3, padding="causal"), r"'valid', 'same' or.*padding='causal'"),
    (lambda: layers.Conv3D(4, 3, strides=(1, 2)), r"tuple of 3 integers.*strides=\(1, 2\)"),
    (lambda: layers.Conv3D(4, 3, padding=((1, 1), (1, 1))), r"\(front, back\).*padding=\(\(1, 1\), \(1, 1\)\)"),
    (lambda: layers.Conv2DTranspose(0, 3), r"filters=0"),
    (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), r"output_padding=\(2, 2\), strides=\(2, 2\)"),
    (lambda: layers.Conv2DTranspose(4, 3, output_padding=-1), r"output_padding=-1"),
    (lambda: layers.Dense(0), r"units=0"),
    (lambda: layers.Dense(2.0), r"units=2.0"),
    (lambda: layers.Dense(True), r"units=True"),
    (lambda: layers.Dense(2, name="a/b"), r"name='a/b'"),
    (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), r"depth_multiplier=0"),
    (lambda: layers.MaxPooling2D(0), r"pool_size=0"),
    (lambda: layers.MaxPooling2D(2, strides=-1), r"strides=-1"),
    (lambda: layers.AveragePooling2D(2, padding="reflect"), r"padding='reflect'"),
    (lambda: layers.Dropout(1.5), r"rate=1.5"),
    (lambda: layers.Dropout(-0.1), r"rate=-0.1"),
    (lambda: layers.Dropout(float("nan")), r"rate=nan"),
    (lambda: layers.Dropout("0.5"), r"rate='0.5'"),
    (lambda: layers.BatchNormalization(momentum=float("nan")), r"momentum=nan"),
    (lambda: layers.BatchNormalization(momentum=1.5), r"momentum=1.5"),
    (lambda: layers.BatchNormalization(epsilon=-1e-3), r"epsilon=-0.001"),
    (lambda: layers.BatchNormalization(axis=1.0), r"axis=1.0"),
    (lambda: layers.LeakyReLU(-1), r"negative_slope=-1"),
    (lambda: layers.LeakyReLU(float("inf")), r"negative_slope=inf"),
    (lambda: layers.ELU(float("nan")), r"alpha=nan"),
    (lambda: layers.ReLU(max_value=-1), r"max_value=-1"),
    (lambda: layers.Rescaling(float("nan")), r"scale=nan"),
    (lambda: layers.Reshape((-1, -1)), r"target_shape=\(-1, -1\)"),
    (lambda: layers.Reshape((0,)), r"target_shape=\(0,\)"),
    (lambda: layers.Permute((1, 3)), r"dims=\(1, 3\)"),
    (lambda: layers.ZeroPadding2D(-1), r"padding=-1"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), r"padding=\(1, 2, 3\)"),
    (lambda: layers.Softmax(axis="x"), r"axis='x'"),
    (lambda: cconv.Input(3), r"shape=3"),
    (lambda: cconv.Input((0, 3)), r"shape=\(0, 3\)"),
    (lambda: cconv.Input((-1,)), r"shape=\(-1,\)"),
    (lambda: cconv.Input(), r"must pass a `shape`"),
    (lambda: cconv.Input((3,), batch_shape=(1, 3)), r"both `shape` and `batch_shape`"),
]


@pytest.mark.parametrize(("make", "message"), CONSTRUCTION, ids=[m for _, m in CONSTRUCTION])
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def image(*shape):
    return cconv.Input(shape)


CALLS = [
    (lambda: layers.Conv2D(4, 3, name="conv")(image(10)), r"layer 'conv'.*expected ndim=4, found ndim=2.*\(None, 10\)"),
    (lambda: layers.Conv2D(4, 3, name="conv")(image(8, 8, None)), r"conv.*channel dimension.*\(None, 8, 8, None\)"),
    (lambda: layers.Conv2D(4, 3, groups=2, name="conv")(image(8, 8, 3)), r"conv.*groups=2, input_channels=3"),
    (lambda: layers.Conv2D(4, 5, name="conv")(image(3, 3, 1)), r"conv.*3"),
    (lambda: layers.Conv1D(4, 3, name="conv")(image(8, 8, 3)), r"layer 'conv'.*expected ndim=3, found ndim=4"),
    (lambda: layers.Conv3D(4, 5, name="conv")(image(3, 8, 8, 1)), r"conv.*5 cells along the depth.*3"),
    (
        lambda: layers.Conv1DTranspose(4, 2, padding=((9, 9),), name="up")(image(3, 1)),
        r"up.*pads that leave some output, received 18 along the width, where the windows cover 4 cells",
    ),
    (
        lambda: layers.Conv2DTranspose(4, 3, name="up")(image(8, 8, None)),
        r"up.*channel dimension.*\(None, 8, 8, None\)",
    ),
    (lambda: layers.MaxPooling2D(5, name="pool")(image(3, 3, 1)), r"pool.*3"),
    (lambda: layers.MaxPooling2D(name="pool")(image(3, 3)), r"layer 'pool'.*expected ndim=4, found ndim=3"),
    (lambda: layers.Dense(2, name="dense")(cconv.Input(())), r"layer 'dense'.*expected min_ndim=2, found ndim=1"),
    (lambda: layers.Dense(2, name="dense")(image(4, None)), r"dense.*last size.*\(None, 4, None\)"),
    (lambda: layers.Dense(2, name="dense")("x"), r"dense.*expected a symbolic tensor.*'x'"),
    (lambda: layers.Add(name="sum")([image(3), image(4)]), r"\(3,\) and \(4,\).*'sum'"),
    (lambda: layers.Add(name="sum")(image(3)), r"called on a list.*\(None, 3\).*'sum'"),
    (lambda: layers.Subtract()([image(3), image(3), image(3)]), r"exactly 2 inputs"),
    (lambda: layers.Concatenate(name="c")([image(3, 2), image(4, 5)]), r"\(None, 3, 2\), \(None, 4, 5\).*'c'"),
    (lambda: layers.Concatenate(axis=3)([image(3), image(3)]), r"axis=3"),
    (lambda: layers.Reshape((3, 4), name="r")(image(5)), r"r.*5"),
    (lambda: layers.BatchNormalization(axis=4, name="bn")(image(3)), r"bn.*axis=4"),
    (lambda: layers.Permute((2, 1), name="p")(image(3)), r"'p'.*expected ndim=3, found ndim=2"),
    (lambda: layers.GlobalMaxPooling2D(name="g")(image(3)), r"'g'.*expected ndim=4, found ndim=2"),
]


@pytest.mark.parametrize(("call", "message"), CALLS, ids=[m for _, m in CALLS])
def test_wrong_inputs(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call()


def test_a_layer_refuses_inputs_of_another_type():
    class Codes(layers.Layer):
        def __init__(self):
            super().__init__(name="codes")
            self.input_spec = layers.InputSpec(dtype="int32", ndim=2)

        def call(self, x):
            return x + 1

    codes = Codes()
    assert codes(np.array([[1, 2]], np.int64)).tolist() == [[2, 3]]
    assert codes(cconv.Input((2,), dtype="int32")).dtype == "int32"
    for wrong in (np.ones((1, 2)), cconv.Input((2,))):
        with pytest.raises(ValueError, match="Input 0 of layer 'codes'.*expected dtype=int32, found dtype=float32"):
            codes(wrong)


def test_a_built_layer_refuses_other_channels():
    layer = layers.Conv2D(4, 3, name="conv")
    layer(np.zeros((1, 8, 8, 3)))
    with pytest.raises(ValueError, match=r"'conv'.*axis -1 .* value 3.*\(1, 8, 8, 1\)"):
        layer(np.zeros((1, 8, 8, 1)))
    dense = layers.Dense(4, name="dense")
    dense(np.zeros((1, 8)))
    with pytest.raises(ValueError, match=r"'dense'.*axis -1 .* value 8.*\(1, 9\)"):
        dense(np.zeros((1, 9)))


def test_a_layer_without_super_init():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.dense = layers.Dense(2)

    with pytest.raises(RuntimeError, match=r"Forgetful.*super\(\).__init__\(\)"):
        Forgetful()


def test_a_layer_without_call():
    class Empty(layers.Layer):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty does not have a `call"):
        Empty()(np.ones((1, 2)))


def test_text_is_no_input():
    with pytest.raises(TypeError, match="numbers"):
        layers.Dense(2)(np.array([["a", "b"]]))


def test_count_params_before_build():
    with pytest.raises(ValueError, match=r"layer 'unbuilt'.*isn't built"):
        layers.Dense(2, name="unbuilt").count_params()


def test_outputs_of_layers_never_called():
    with pytest.raises(AttributeError, match="never been called"):
        _ = layers.Dense(2, name="lonely").output


def test_variables_name_what_they_expected():
    v = cconv.Variable(np.zeros((2, 3)), name="v")
    with pytest.raises(ValueError, match=r"variable.shape=\(2, 3\), Received: value.shape=\(3,\).*v"):
        v.assign(np.zeros(3))
    with pytest.raises(ValueError, match=r"shape=\(2, None\)"):
        cconv.Variable("zeros", shape=(2, None))
    with pytest.raises(ValueError, match="`shape`"):
        cconv.Variable("zeros")
    with pytest.raises(TypeError, match="numbers"):
        v.assign(np.array([["a"] * 3] * 2))


def test_wrong_numbers_of_arguments_name_the_layer():
    x = cconv.Input((4,))
    with pytest.raises(TypeError, match="'d': too many"):
        layers.Dense(2, name="d")(x, x)
    with pytest.raises(TypeError, match="'d': missing"):
        layers.Dense(2, name="d")()


def test_memory_that_cannot_be_had():
    with pytest.raises(MemoryError, match=r"huge/kernel.*\(1000000, 1000000000\)"):
        layers.Dense(10**9, name="huge")(cconv.Input((10**6,)))
