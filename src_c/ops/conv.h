/* What the ops conv and conv_transpose share: attributes, shapes, the choice of algorithms and the passes. conv_transpose is
 * conv with the passes in other places (algos/conv/conv.h):
 *
 *                       y                  dx                 dw
 *     conv              forward            input gradient     weight gradient of x and dz
 *     conv_transpose    input gradient     forward            weight gradient of dz and x */
#ifndef CC_OPS_CONV_H
#define CC_OPS_CONV_H

#include "algos/conv/conv.h"
#include "ops/meanings.h"
#include "ops/op.h"

typedef struct cc_conv_attributes {
    cc_list strides, dilation, pads;
    cc_list output_padding; /* of conv_transpose only */
    int64_t groups;
    int padding, activation, algorithm;
    float alpha;
} cc_conv_attributes;

/* clang-format off */
#define CC_CONV_ATTRIBUTES                                                                                                     \
    {"strides", CC_LIST, offsetof(cc_conv_attributes, strides), "1", NULL,                                                     \
     "distance between places of the window, for each axis or one for all"},                                                   \
    {"padding", CC_ENUM, offsetof(cc_conv_attributes, padding), "valid", CC_PADDING_CHOICES, CC_PADDING_MEANING},              \
    {"pads", CC_LIST, offsetof(cc_conv_attributes, pads), "", NULL, CC_PADS_MEANING},                                          \
    {"dilation", CC_LIST, offsetof(cc_conv_attributes, dilation), "1", NULL,                                                   \
     "distance between cells of the kernel, for each axis or one for all"},                                                    \
    {"groups", CC_INT, offsetof(cc_conv_attributes, groups), "1", NULL,                                                        \
     "parts that the channels fall into: a channel of the output sees those of its part only"},                                \
    {"activation", CC_ENUM, offsetof(cc_conv_attributes, activation), "linear", CC_ACT_CHOICES, CC_ACTIVATION_MEANING},        \
    {"alpha", CC_FLOAT, offsetof(cc_conv_attributes, alpha), "0", NULL, CC_ALPHA_MEANING},                                     \
    {"algorithm", CC_ENUM, offsetof(cc_conv_attributes, algorithm), CC_CONV_AUTO, CC_CONV_CHOICES,                             \
     "how the sum is computed, which changes roundings only; auto: what should be fastest, told by sizes"}
/* clang-format on */

extern const cc_op cc_op_conv, cc_op_conv_transpose;

cconv_status cc_conv_infer(const cc_call *call, cc_shape *ys);
void cc_conv_need(const cc_call *call, int nth, cc_need *need);
void cc_conv_pack(const cc_call *call, const cc_team *team);
void cc_conv_packing(const cc_call *call, cc_writer *w);
void cc_conv_forward(const cc_call *call, const cc_team *team);
void cc_conv_backward(const cc_call *call, const cc_team *team);
void cc_conv_forward_rows(const cc_call *call, const cc_row_block *block, float *y, const float *x);
cc_row_block cc_conv_rows_read(const cc_call *call, const cc_row_block *block);

#endif
