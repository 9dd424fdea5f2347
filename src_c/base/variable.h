/* Parameters, and constants: one aligned buffer each, shared by every graph, plan and optimizer that uses it. */
#ifndef CC_VARIABLE_H
#define CC_VARIABLE_H

#include "base/shape.h"

struct cconv_variable {
    float *data; /* of a constant: elements of shape.type, as they are stored */
    cc_shape shape;
    size_t count;
    uint64_t version; /* grows with every change; what was derived from the values remembers the version it saw */
    int references;   /* changed atomically */
};

/* A new one of any element type, filled with zeros; NULL, with the error text set, without memory. The shape must be known. */
cconv_variable *cc_variable_of(const cc_shape *shape);

#endif
