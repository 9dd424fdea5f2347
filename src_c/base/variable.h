/* Parameters, and constants: one aligned buffer each, shared by every graph, plan and optimizer that uses it. */
#ifndef CC_VARIABLE_H
#define CC_VARIABLE_H

#include "base/shape.h"
#include <stdatomic.h>

struct cconv_variable {
    float *data; /* of a constant: elements of shape.type, as they are stored */
    cc_shape shape;
    size_t count;
    /* Grows when a change is complete. Who derives something from the values reads it before them: should they change meanwhile,
     * what was derived is out of date the next time somebody looks. */
    _Atomic uint64_t version;
    atomic_int references;
};

/* A new one of any element type, filled with zeros; NULL, with the error text set, without memory. The shape must be known. */
cconv_variable *cc_variable_of(const cc_shape *shape);

/* What is read of the values afterwards is at least as new. */
static inline uint64_t cc_variable_version(cconv_variable *variable)
{
    return atomic_load_explicit(&variable->version, memory_order_acquire);
}

#endif
