"""The functions of `cconv.ops` that networks are made of, as `keras.ops.nn` has them."""

from .activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
)
from .attention import *
from .blocks import *
from .convolution import conv, conv_transpose, depthwise_conv, separable_conv
from .distances import normalize, psnr
from .fourier import polar
from .indexing import multi_hot, one_hot
from .losses import *
from .normalization import batch_normalization, layer_normalization, rms_normalization
from .piecewise import hard_shrink, hard_tanh, soft_shrink, sparse_plus, sparse_sigmoid, threshold
from .pooling import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
from .reductions import moments

__all__ = [name for name in dir() if not name.startswith("_")]
