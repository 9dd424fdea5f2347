/* Shapes, and the letters that name their sizes everywhere in the C core:
 *
 *   n h w c      batch, height, width, channels of an input x      oh ow oc   the same of an output y
 *   kh kw        kernel height and width     sh sw   strides       dh dw (in geometry)  dilation
 *   pt pl pb pr  padding at top, left, bottom, right               m n k      only inside gemm: rows, columns, depth
 *   x w b y      input, weights, bias, output                      dx dw db dy  the gradients of the loss by them */
#ifndef CC_SHAPE_H
#define CC_SHAPE_H

#include "cconv.h"
#include <stdbool.h>

#define CC_UNKNOWN (-1) /* a size not known yet: the batch, or an image side the plan will fix */

typedef struct cc_shape {
    int rank; /* -1: no tensor (an optional input left out) */
    int64_t dim[CCONV_MAX_RANK];
    cconv_dtype type; /* of the elements: float32 (0), int32 or bool */
} cc_shape;

/* Number of elements. Every size must be known; shapes that passed cc_shape_check cannot overflow. */
static inline int64_t cc_shape_count(const cc_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; ++i) count *= shape->dim[i];
    return count;
}

/* Product of dim[from .. to-1]. */
static inline int64_t cc_shape_product(const cc_shape *shape, int from, int to)
{
    int64_t count = 1;
    for (int i = from; i < to; ++i) count *= shape->dim[i];
    return count;
}

static inline bool cc_shape_known(const cc_shape *shape)
{
    for (int i = 0; i < shape->rank; ++i)
        if (shape->dim[i] < 0) return false;
    return true;
}

/* Whether the sizes are the same; nothing is said of the types. */
static inline bool cc_shape_equal(const cc_shape *a, const cc_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; ++i)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

/* Bytes that a tensor of this shape takes where it is computed with. Every size must be known. */
size_t cc_shape_bytes(const cc_shape *shape);

/* False if a tensor of the known sizes would be larger than any memory, or the rank or a size is invalid. */
bool cc_shape_check(const cc_shape *shape);

/* Writes "(None, 28, 28, 1)" as Python prints it; returns text. */
#define CC_SHAPE_TEXT 192
const char *cc_shape_text(const cc_shape *shape, char text[CC_SHAPE_TEXT]);

#endif
