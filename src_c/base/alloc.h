/* The only place that asks for memory: 64-byte aligned, counted, through the allocator the embedding program chose. */
#ifndef CC_ALLOC_H
#define CC_ALLOC_H

#include <stddef.h>

#define CC_ALIGN           64
#define CC_ALIGN_UP(bytes) (((bytes) + (size_t)(CC_ALIGN - 1)) & ~(size_t)(CC_ALIGN - 1))

void *cc_alloc(size_t bytes);      /* NULL, with the error text set, if it cannot be had. 0 bytes give a pointer. */
void *cc_alloc_zero(size_t bytes); /* the same, filled with zeros */
void cc_free(void *memory);        /* NULL is allowed */

#endif
