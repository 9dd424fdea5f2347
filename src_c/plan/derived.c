/* The copies of what is derived from variables, and who may write one: see derived.h. */
#include "plan/derived.h"
#include "base/alloc.h"
#include "base/fork.h"
#include "cconv.h"
#include <string.h>

/* ---- One at a time ------------------------------------------------------------------------------------------------ */

/* A word is 0, or the mark of the process in which somebody has it. A child made by fork() has none of its parent's threads: what
 * one of them had is free there. */
static unsigned derived_mark(void)
{
    return cc_forks() + 1;
}

static bool derived_try(atomic_uint *word)
{
    unsigned found = atomic_load_explicit(word, memory_order_relaxed);
    const unsigned mine = derived_mark();
    return found != mine &&
           atomic_compare_exchange_strong_explicit(word, &found, mine, memory_order_acquire, memory_order_relaxed);
}

/* ---- The copies --------------------------------------------------------------------------------------------------- */

static cc_derived *all;
static atomic_uint all_busy; /* held for a moment only */

static void derived_lock(void)
{
    while (!derived_try(&all_busy)) continue;
}

static void derived_unlock(void)
{
    atomic_store_explicit(&all_busy, 0, memory_order_release);
}

static uint64_t derived_hash(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *key; ++key) hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return hash;
}

/* One more use of the copy of that key, or NULL. Locked. */
static cc_derived *derived_find(const char *key, uint64_t hash)
{
    for (cc_derived *d = all; d; d = d->next)
        if (d->hash == hash && !strcmp(d->key, key)) {
            ++d->references;
            return d;
        }
    return NULL;
}

static cc_derived *derived_new(const char *key, uint64_t hash, size_t bytes)
{
    const size_t length = strlen(key) + 1;
    cc_derived *d = cc_alloc_zero(sizeof *d + length);
    if (!d) return NULL;
    memcpy(d->key, key, length);
    d->references = 1, d->hash = hash, d->bytes = CC_ALIGN_UP(bytes);
    return d;
}

cc_derived *cc_derived_get(const char *key, size_t bytes)
{
    const uint64_t hash = derived_hash(key);
    derived_lock();
    cc_derived *found = derived_find(key, hash);
    derived_unlock();
    if (found) return found;
    cc_derived *made = derived_new(key, hash, bytes);
    if (!made) return NULL;
    derived_lock();
    found = derived_find(key, hash); /* another thread may have been faster */
    if (!found) {
        made->next = all;
        all = made;
    }
    derived_unlock();
    if (found) cc_free(made);
    return found ? found : made;
}

/* Bytes of all copies without a place. Locked. */
static size_t derived_unplaced(void)
{
    size_t bytes = 0;
    for (const cc_derived *d = all; d; d = d->next) bytes += d->data ? 0 : d->bytes;
    return bytes;
}

/* In the order in which they were asked for, the last of which is the first of all. Locked. */
static void derived_place_in(cc_derived_block *block, size_t bytes)
{
    char *end = (char *)block + CC_ALIGN + bytes;
    *block = (cc_derived_block){0};
    for (cc_derived *d = all; d; d = d->next) {
        if (d->data) continue;
        end -= d->bytes;
        d->block = block, d->data = (float *)(void *)end;
        ++block->references;
    }
}

/* Nobody waits while memory is asked for. */
cconv_status cc_derived_place(void)
{
    for (;;) {
        derived_lock();
        const size_t bytes = derived_unplaced();
        derived_unlock();
        if (bytes == 0) return CCONV_OK;
        cc_derived_block *block = cc_alloc((uint64_t)bytes + CC_ALIGN);
        if (!block) return CCONV_NO_MEMORY;
        derived_lock();
        const bool fits = derived_unplaced() == bytes; /* and no other thread has placed them */
        if (fits) derived_place_in(block, bytes);
        derived_unlock();
        if (!fits) cc_free(block);
    }
}

void cc_derived_release(cc_derived *derived)
{
    if (!derived) return;
    derived_lock();
    const bool last = --derived->references == 0;
    cc_derived **at = &all;
    while (last && *at != derived) at = &(*at)->next;
    if (last) *at = derived->next;
    const bool emptied = last && derived->data && --derived->block->references == 0;
    derived_unlock();
    if (emptied) cc_free(derived->block);
    if (last) cc_free(derived);
}

size_t cconv_shared_bytes(void)
{
    size_t bytes = 0;
    derived_lock();
    for (const cc_derived *d = all; d; d = d->next) bytes += d->bytes;
    derived_unlock();
    return bytes;
}

/* ---- Who writes one ----------------------------------------------------------------------------------------------- */

/* A run has one copy at a time and waits for nobody while it has it, so that runs which write several in any order get on. */
bool cc_derived_begin(cc_derived *derived, uint64_t version)
{
    for (;;) {
        const unsigned round =
            atomic_load_explicit(&derived->written.rounds, memory_order_acquire) & ~(unsigned)CC_BARRIER_SLEEPS;
        if (cc_derived_version(derived) >= version) return false; /* versions only grow */
        if (derived_try(&derived->writer)) {
            if (cc_derived_version(derived) < version) {
                atomic_store_explicit(&derived->version, 0, memory_order_relaxed);
                return true;
            }
            cc_derived_end(derived, cc_derived_version(derived));
            return false;
        }
        cc_barrier_await(&derived->written, round);
    }
}

/* The round ends after the next writer may have begun: who sees a writer sees the number of a round that is yet to end. */
void cc_derived_end(cc_derived *derived, uint64_t version)
{
    atomic_store_explicit(&derived->version, version, memory_order_release);
    atomic_store_explicit(&derived->writer, 0, memory_order_release);
    unsigned word = atomic_load_explicit(&derived->written.rounds, memory_order_relaxed), next;
    do next = (word & ~(unsigned)CC_BARRIER_SLEEPS) + CC_BARRIER_ROUND;
    while (!atomic_compare_exchange_weak_explicit(&derived->written.rounds, &word, next, memory_order_acq_rel,
                                                  memory_order_relaxed));
    if (word & CC_BARRIER_SLEEPS) cc_barrier_wake(&derived->written);
}
