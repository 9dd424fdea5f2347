/* Checks and prints shapes. */
#include "base/shape.h"
#include "base/type.h"
#include <inttypes.h>
#include <stdio.h>

bool cc_shape_check(const cc_shape *shape)
{
    if (shape->rank < 0 || shape->rank > CCONV_MAX_RANK) return false;
    const int64_t most = PTRDIFF_MAX / 8; /* 8: the bytes of the widest element outside */
    int64_t count = 1;
    for (int i = 0; i < shape->rank; ++i) {
        int64_t size = shape->dim[i];
        if (size < CC_UNKNOWN) return false;
        /* A size of 0 counts as 1: products of the other sizes must not overflow either. */
        if (size < 1) size = 1;
        if (size > most / count) return false;
        count *= size;
    }
    return true;
}

size_t cc_shape_bytes(const cc_shape *shape)
{
    return (size_t)cc_shape_count(shape) * cc_type_of(cc_type_of(shape->type)->stored)->bytes;
}

const char *cc_shape_text(const cc_shape *shape, char text[CC_SHAPE_TEXT])
{
    if (shape->rank < 0) {
        snprintf(text, CC_SHAPE_TEXT, "None");
        return text;
    }
    int used = snprintf(text, CC_SHAPE_TEXT, "(");
    for (int i = 0; i < shape->rank && i < CCONV_MAX_RANK; ++i) {
        const char *comma = i > 0 ? ", " : "";
        size_t room = (size_t)(CC_SHAPE_TEXT - used);
        if (shape->dim[i] < 0) {
            used += snprintf(text + used, room, "%sNone", comma);
        } else {
            used += snprintf(text + used, room, "%s%" PRId64, comma, shape->dim[i]);
        }
    }
    snprintf(text + used, (size_t)(CC_SHAPE_TEXT - used), shape->rank == 1 ? ",)" : ")");
    return text;
}
