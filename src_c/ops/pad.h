/* The attributes of pad: passes over graphs read them. */
#ifndef CC_PAD_H
#define CC_PAD_H

#include "base/attributes.h"

typedef enum cc_pad_mode { CC_PAD_CONSTANT = 0, CC_PAD_REFLECT, CC_PAD_SYMMETRIC, CC_PAD_EDGE } cc_pad_mode;

typedef struct cc_pad_attributes {
    cc_list pads; /* before each axis of x, then after each */
    int mode;     /* a cc_pad_mode */
    float value;  /* of the mode constant */
} cc_pad_attributes;

#endif
