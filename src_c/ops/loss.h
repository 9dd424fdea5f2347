/* The settings of the cross-entropies, read from text: see loss_crossentropy.c and loss_elementwise.c. */
#ifndef CC_OPS_LOSS_H
#define CC_OPS_LOSS_H

#include "ops/op.h"

typedef struct cc_crossentropy_attributes {
    int from_logits;
    float label_smoothing;
    int64_t axis; /* of the classes, in categorical_crossentropy: the others have them last */
} cc_crossentropy_attributes;

#endif
