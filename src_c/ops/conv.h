/* What the ops conv and conv_transpose share: attributes, shapes, the choice of algorithms and the passes. conv_transpose is
 * conv with the passes in other places (algos/conv/conv.h):
 *
 *                       y                  dx                 dw
 *     conv              forward            input gradient     weight gradient of x and dz
 *     conv_transpose    input gradient     forward            weight gradient of dz and x */
#ifndef CC_OPS_CONV_H
#define CC_OPS_CONV_H

#include "algos/conv/conv.h"
#include "ops/op.h"

typedef struct cc_conv_attributes {
    cc_list strides, dilation, pads;
    cc_list output_padding; /* of conv_transpose only */
    int64_t groups;
    int padding, activation, algorithm;
    float alpha;
} cc_conv_attributes;

#define CC_CONV_ATTRIBUTES                                                                                                     \
    {"strides", CC_LIST, offsetof(cc_conv_attributes, strides), "1", NULL},                                                    \
        {"padding", CC_ENUM, offsetof(cc_conv_attributes, padding), "valid", CC_PADDING_CHOICES},                              \
        {"pads", CC_LIST, offsetof(cc_conv_attributes, pads), "", NULL},                                                       \
        {"dilation", CC_LIST, offsetof(cc_conv_attributes, dilation), "1", NULL},                                              \
        {"groups", CC_INT, offsetof(cc_conv_attributes, groups), "1", NULL},                                                   \
        {"activation", CC_ENUM, offsetof(cc_conv_attributes, activation), "linear", CC_ACT_CHOICES},                           \
        {"alpha", CC_FLOAT, offsetof(cc_conv_attributes, alpha), "0", NULL},                                                   \
    {                                                                                                                          \
        "algorithm", CC_ENUM, offsetof(cc_conv_attributes, algorithm), CC_CONV_AUTO, CC_CONV_CHOICES                           \
    }

extern const cc_op cc_op_conv, cc_op_conv_transpose;

cconv_status cc_conv_infer(const cc_call *call, cc_shape *ys);
void cc_conv_need(const cc_call *call, int nth, cc_need *need);
void cc_conv_pack(const cc_call *call, const cc_team *team);
void cc_conv_forward(const cc_call *call, const cc_team *team);
void cc_conv_backward(const cc_call *call, const cc_team *team);

#endif
