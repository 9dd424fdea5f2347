/* The only place that asks for memory: 64-byte aligned, counted, through the allocator the embedding program chose. */
#ifndef CC_ALLOC_H
#define CC_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#define CC_ALIGN           64
#define CC_ALIGN_UP(bytes) (((bytes) + (CC_ALIGN - 1)) / CC_ALIGN * CC_ALIGN) /* of an unsigned number of any width */

/* NULL, with the error text set, if it cannot be had. 0 bytes give a pointer. Bytes are counted in 64 bits where addresses have
 * less: a product of sizes that fits no memory is seen here. */
void *cc_alloc(uint64_t bytes);
void *cc_alloc_zero(uint64_t bytes); /* the same, filled with zeros */
void cc_free(void *memory);          /* NULL is allowed */

#endif
