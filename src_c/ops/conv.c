/* Convolution (cross-correlation) of images of one to three axes, bias and activation fused; rank from x. Along each axis:
 *
 *     y[n][o..][oc] = act(r[n][o..][oc] + b[oc] + sum over t.., c of x[n][o s - p + d t ..][c] w[t..][c][oc])
 *
 * with an optional residual r. With dz = dy act':  dr = dz,  dx = the transposed convolution of dz,  dw = the correlation of x
 * with dz,  db = the sum of dz over pixels. What it shares with conv_transpose is in conv_common.c, the arithmetic in
 * algos/conv/conv_*.c. */
#include "ops/conv.h"

static const cc_attr attributes[] = {CC_CONV_ATTRIBUTES, {0}};

const cc_op cc_op_conv = {
    .name = "conv",
    .inputs = "x w b? r?",
    .meaning = "x: images; w: the kernels; b: added to each channel, nothing if left out; r: added to the sum before the "
               "activation, in the output's shape",
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
    .forward_rows = cc_conv_forward_rows,
    .rows_read = cc_conv_rows_read,
};
