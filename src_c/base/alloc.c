/* Memory: every block is 64-byte aligned and preceded by the address and the function that give it back, so that a block made
 * before cconv_set_allocator is still released to where it came from. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* madvise */
#endif
#include "base/alloc.h"
#include "base/status.h"
#include <stdatomic.h>
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

/* Large blocks ask for huge pages, where the system gives them to those who ask: whatever streams through memory is
 * faster, for its addresses are translated and fetched ahead across more than 4 KiB. */
static void *allocate_malloc(size_t bytes, void *context)
{
    (void)context;
#ifdef MADV_HUGEPAGE
    const size_t huge = (size_t)1 << 21;
    void *memory = NULL;
    if (bytes >= 2 * huge) {
        if (posix_memalign(&memory, huge, bytes)) return NULL;
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* advice: works without, too */
        return memory;
    }
#endif
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

void *cc_alloc(uint64_t bytes)
{
    const size_t overhead = sizeof(header) + CC_ALIGN - 1;
    void *memory = bytes <= PTRDIFF_MAX - overhead ? current.allocate((size_t)bytes + overhead, current.context) : NULL;
    if (!memory) {
        cc_fail(CCONV_NO_MEMORY, "out of memory: could not allocate %.1f MiB", (double)bytes / (1024.0 * 1024.0));
        return NULL;
    }
    atomic_fetch_add(&allocations, 1);
    char *first = (char *)memory + sizeof(header); /* the earliest place the caller's bytes could begin */
    char *block = first + (CC_ALIGN - (uintptr_t)first % CC_ALIGN) % CC_ALIGN;
    /* memcpy: nothing promises that the header's place is aligned for a pointer, whatever the allocator returned. */
    memcpy(block - sizeof(header), &(header){memory, current.release, current.context}, sizeof(header));
    return block;
}

void *cc_alloc_zero(uint64_t bytes)
{
    void *block = cc_alloc(bytes);
    if (block) memset(block, 0, (size_t)bytes);
    return block;
}

void cc_free(void *memory)
{
    if (!memory) return;
    header h;
    memcpy(&h, (char *)memory - sizeof h, sizeof h);
    h.release(h.memory, h.context);
}
