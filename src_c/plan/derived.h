/* What plans derive from variables alone and keep from run to run: packed and folded weights. One copy serves all plans that
 * derive the same from the same variables; the last of them takes it along. Here it is only kept: a run that finds it out of
 * date writes it, and another run that wants it meanwhile waits. */
#ifndef CC_DERIVED_H
#define CC_DERIVED_H

#include "base/barrier.h"
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* Copies that were made together lie together: blocks of some megabytes get huge pages. It goes with the last of them. */
typedef struct cc_derived_block {
    int references;
} cc_derived_block;

typedef struct cc_derived {
    struct cc_derived *next;
    int references; /* plans' uses of it */
    uint64_t hash;  /* of the key */
    size_t bytes;
    cc_derived_block *block;
    float *data; /* NULL: it has no place yet */
    _Atomic uint64_t version; /* of what it was derived from, see constants.c; 0: it is not there yet, or being written */
    atomic_uint writer;       /* whether a run writes it, see derived.c */
    cc_barrier written;       /* its rounds: each writing ends one */
    char key[];
} cc_derived;

/* The copy of that key, which says what is derived from which variables and how; made, with the version 0 and without a place, if
 * there is none. Two users of a key want as many bytes. NULL, with the error text set, without memory. */
cc_derived *cc_derived_get(const char *key, size_t bytes);
cconv_status cc_derived_place(void); /* all that have none yet, in one block */
void cc_derived_release(cc_derived *derived); /* NULL is allowed */

/* What is read of it afterwards is at least as new. */
static inline uint64_t cc_derived_version(cc_derived *derived)
{
    return atomic_load_explicit(&derived->version, memory_order_acquire);
}

/* Whether the caller must write what it holds for this version or a later one, and then call cc_derived_end: nobody else does
 * until then, and who writes waits for nobody. False: it is there; if another run was writing it, that has ended. */
bool cc_derived_begin(cc_derived *derived, uint64_t version);
void cc_derived_end(cc_derived *derived, uint64_t version); /* 0: what was written is no good */

#endif
