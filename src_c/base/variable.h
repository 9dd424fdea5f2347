/* Parameters: one aligned float32 buffer each, shared by every graph, plan and optimizer that uses it. */
#ifndef CC_VARIABLE_H
#define CC_VARIABLE_H

#include "base/shape.h"

struct cconv_variable {
    float *data;
    cc_shape shape;
    size_t count;
    uint64_t version; /* grows with every change; what was derived from the values remembers the version it saw */
    int references;   /* changed atomically */
};

#endif
