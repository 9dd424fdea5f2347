/* The settings of padding, read from text: see pad.c. */
#ifndef CC_OPS_PAD_H
#define CC_OPS_PAD_H

#include "ops/op.h"

typedef struct cc_pad_attributes {
    cc_list pads; /* top, left, bottom, right */
} cc_pad_attributes;

#endif
