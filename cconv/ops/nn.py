"""The functions of `cconv.ops` that networks are made of, as `keras.ops.nn` has them."""

from .activations import (
    elu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    swish,
)
from .blocks import *
from .convolution import conv, conv_transpose, depthwise_conv, separable_conv
from .distances import normalize, psnr
from .fourier import polar
from .indexing import multi_hot, one_hot
from .losses import *
from .normalization import *
from .pooling import average_pool, max_pool
from .reductions import moments

__all__ = [name for name in dir() if not name.startswith("_")]
