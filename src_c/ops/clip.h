/* The settings of clip, read from text: see clip.c. */
#ifndef CC_OPS_CLIP_H
#define CC_OPS_CLIP_H

#include "ops/op.h"

typedef struct cc_clip_attributes {
    float minimum, maximum;
} cc_clip_attributes;

#endif
