/* Transposed convolution of images of one to three axes, bias and activation fused; rank from x. Each cell of x lays the kernel
 * on y, s cells on from its neighbour; kernels are (k.., oc / groups, c), and along each axis
 *
 *     y[n][i..][oc] = act(r[n][i..][oc] + b[oc] + sum over c and all t.., o.. with o s - p + d t = i of x[n][o..][c] w[t..][oc][c])
 *
 * It is the gradient of a convolution of y with the same kernel; sizes and padding are those of that one (algos/window.h). With
 * dz = dy act':  dr = dz,  dx = the convolution of dz,  dw = the correlation of dz with x,  db = the sum of dz over pixels. */
#include "ops/conv.h"

static const cc_attr attributes[] = {
    CC_CONV_ATTRIBUTES,
    {"output_padding", CC_LIST, offsetof(cc_conv_attributes, output_padding), "", NULL,
     "cells added to the end of the output, for each axis or one for all; none: none are added"},
    {0},
};

const cc_op cc_op_conv_transpose = {
    .name = "conv_transpose",
    .inputs = "x w b? r?",
    .meaning = "x: images; w: the kernels, output channels before input channels; b: added to each channel, nothing if left "
               "out; r: added to the sum before the activation, in the output's shape",
    .attributes = attributes,
    .attributes_size = sizeof(cc_conv_attributes),
    .weights = 1,
    .bias = 2,
    .residual = 3,
    .per_sample = cc_per_sample_x,
    .infer = cc_conv_infer,
    .need = cc_conv_need,
    .pack = cc_conv_pack,
    .packing = cc_conv_packing,
    .forward = cc_conv_forward,
    .backward = cc_conv_backward,
};
