/* Element types: a row for each, which alone knows its name, its bytes, and its way from and to what the core computes with.
 *
 * Values have one of three types: float32, int32 or bool. The others come in and go out only. A bool is stored as the float32 0
 * or 1, so that masks multiply and average without a conversion; outside it is a byte. Every stored type has four bytes: ops
 * that only move elements move them as floats, whatever they are. */
#ifndef CC_TYPE_H
#define CC_TYPE_H

#include "cconv.h"
#include <stdbool.h>

typedef struct cc_type {
    const char *name;
    size_t bytes;       /* of an element outside */
    cconv_dtype value;  /* the type of a value that comes in like this and is told nothing else */
    cconv_dtype stored; /* of such a value: the row whose bytes its elements are inside */
    /* Elements first .. first+n-1 of an array outside, from and to what is inside. NULL: that would lose what the number is. */
    void (*to_float)(float *to, const void *from, int64_t first, int64_t n);
    void (*to_int)(int32_t *to, const void *from, int64_t first, int64_t n); /* of numbers that fit, see cc_type_misfit */
    void (*from_float)(void *to, const float *from, int64_t first, int64_t n);
    void (*from_int)(void *to, const int32_t *from, int64_t first, int64_t n);
} cc_type;

/* The row of a type, or NULL. */
const cc_type *cc_type_of(cconv_dtype dtype);

/* Whether values have this type inside: float32, int32, bool. */
static inline bool cc_type_is_computed(cconv_dtype dtype)
{
    return dtype == CCONV_FLOAT32 || dtype == CCONV_INT32 || dtype == CCONV_BOOL;
}

/* Whether an array of type `from` can be read as a value, and a value be written as an array of type `to`. */
bool cc_type_reads(cconv_dtype value, cconv_dtype from);
bool cc_type_writes(cconv_dtype value, cconv_dtype to);

/* Both for arrays that may; `to` of the one and `from` of the other have the value's stored type. */
void cc_type_read(cconv_dtype value, void *to, cconv_dtype dtype, const void *from, int64_t first, int64_t n);
void cc_type_write(cconv_dtype value, const void *from, cconv_dtype dtype, void *to, int64_t first, int64_t n);

/* Whether one of the elements first .. first+n-1 is an integer beyond int32; *number is then the first. */
bool cc_type_misfit(cconv_dtype dtype, const void *from, int64_t first, int64_t n, int64_t *number);

#endif
