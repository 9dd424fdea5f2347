"""Layers: steps of models, named as in Keras."""

from ..registry import register_public
from .activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from .conv import (
    Conv2D,
    Convolution2D,
    DepthwiseConv2D,
    DepthwiseConvolution2D,
    SeparableConv2D,
    SeparableConvolution2D,
)
from .core import Identity, Lambda, Rescaling
from .dense import Dense
from .input_layer import Input, InputLayer
from .input_spec import InputSpec
from .layer import Layer
from .merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .normalization import BatchNormalization
from .pooling import (
    AveragePooling2D,
    AvgPool2D,
    GlobalAveragePooling2D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    GlobalMaxPooling2D,
    L2Pooling2D,
    MaxPool2D,
    MaxPooling2D,
    SumPooling2D,
)
from .regularization import Dropout
from .reshaping import Flatten, Permute, Reshape, ZeroPadding2D

__all__ = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Convolution2D",
    "Dense",
    "DepthwiseConv2D",
    "DepthwiseConvolution2D",
    "Dropout",
    "ELU",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "L2Pooling2D",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "Rescaling",
    "Reshape",
    "SeparableConv2D",
    "SeparableConvolution2D",
    "Softmax",
    "Subtract",
    "SumPooling2D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

register_public("keras.layers", globals())
