"""Layers: steps of models, named as in Keras."""

from .conv import (
    Conv2D,
    Convolution2D,
    DepthwiseConv2D,
    DepthwiseConvolution2D,
    SeparableConv2D,
    SeparableConvolution2D,
)
from .core import Lambda
from .dense import Dense
from .input_layer import Input, InputLayer
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "Conv2D",
    "Convolution2D",
    "Dense",
    "DepthwiseConv2D",
    "DepthwiseConvolution2D",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "SeparableConv2D",
    "SeparableConvolution2D",
]
