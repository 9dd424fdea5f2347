/* Memory: every block is 64-byte aligned and preceded by the address and the function that give it back, so that a block made
 * before cconv_set_allocator is still released to where it came from. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* madvise */
#endif
#include "base/alloc.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

typedef struct header {
    void *memory; /* what the allocator returned */
    void (*release)(void *memory, void *context);
    void *context;
} header;

static void *allocate_malloc(size_t bytes, void *context)
{
    (void)context;
    return malloc(bytes);
}

static void release_malloc(void *memory, void *context)
{
    (void)context;
    free(memory);
}

static cconv_allocator current = {allocate_malloc, release_malloc, NULL};
static _Atomic uint64_t allocations;

void cconv_set_allocator(const cconv_allocator *allocator)
{
    current = allocator && allocator->allocate && allocator->release ? *allocator
                                                                     : (cconv_allocator){allocate_malloc, release_malloc, NULL};
}

uint64_t cconv_allocations(void)
{
    return atomic_load(&allocations);
}

/* New pages of the system are zeros, which calloc knows: it does not write to them. */
static void *allocate_bytes(size_t bytes, bool zeros)
{
    if (zeros && current.allocate == allocate_malloc) return calloc(1, bytes);
    void *memory = current.allocate(bytes, current.context);
    return memory && zeros ? memset(memory, 0, bytes) : memory;
}

static void *allocate_block(uint64_t bytes, bool zeros)
{
    size_t align = CC_ALIGN;
#ifdef MADV_HUGEPAGE
    const size_t huge = (size_t)1 << 21;
    if (bytes >= 2 * huge && current.allocate == allocate_malloc) align = huge;
#endif
    const size_t overhead = sizeof(header) + align - 1;
    void *memory = bytes <= PTRDIFF_MAX - overhead ? allocate_bytes((size_t)bytes + overhead, zeros) : NULL;
    if (!memory) {
        cc_fail(CCONV_NO_MEMORY, "out of memory: could not allocate %.1f MiB", (double)bytes / (1024.0 * 1024.0));
        return NULL;
    }
    atomic_fetch_add(&allocations, 1);
    char *first = (char *)memory + sizeof(header); /* the earliest place the caller's bytes could begin */
    char *block = first + (align - (uintptr_t)first % align) % align;
    /* memcpy: nothing promises that the header's place is aligned for a pointer, whatever the allocator returned. */
    memcpy(block - sizeof(header), &(header){memory, current.release, current.context}, sizeof(header));
#ifdef MADV_HUGEPAGE
    /* Large blocks ask for huge pages, where the system gives them to those who ask: whatever streams through memory is
     * faster, for its addresses are translated and fetched ahead across more than 4 KiB. */
    if (align == huge) (void)madvise(block, (size_t)bytes, MADV_HUGEPAGE); /* advice: works without, too */
#endif
    return block;
}

void *cc_alloc(uint64_t bytes)
{
    return allocate_block(bytes, false);
}

void *cc_alloc_zero(uint64_t bytes)
{
    return allocate_block(bytes, true);
}

void cc_free(void *memory)
{
    if (!memory) return;
    header h;
    memcpy(&h, (char *)memory - sizeof h, sizeof h);
    h.release(h.memory, h.context);
}
