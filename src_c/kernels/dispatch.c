/* Makes the table of kernels, once: of all levels that the build has and the CPU runs, or those that the environment variable
 * CCONV_ISA leaves. No arithmetic here. */
#include "cconv.h"
#include "kernels/cpu.h"
#include "kernels/kernels.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
#define CC_LEVEL(name, features, flags) LEVEL_##name,
#include "kernels/levels.def"
    LEVELS
};

static const char *const level_names[LEVELS] = {
#define CC_LEVEL(name, features, flags) #name,
#include "kernels/levels.def"
};

static const unsigned level_features[LEVELS] = {
#define CC_LEVEL(name, features, flags) features,
#include "kernels/levels.def"
};

static const cc_unit *const *const level_units[LEVELS] = {
#define CC_LEVEL(name, features, flags) &cc_unit_##name,
#include "kernels/levels.def"
};

#define CC_LEVEL(name, features, flags) #name " "
static const char every_name[] =
#include "kernels/levels.def"
    ;

static struct {
    atomic_int state; /* 0: nobody has looked, 1: somebody is looking, 2: done */
    cc_kernels kernels;
    int level;                     /* the highest of those it was made of */
    char names[sizeof every_name]; /* what can run, lowest first */
    char error[160];
} dispatch;

static bool runs(int level, unsigned features)
{
    return *level_units[level] && (level_features[level] & ~features) == 0;
}

static int level_of_name(const char *name)
{
    for (int i = 0; i < LEVELS; ++i)
        if (!strcmp(name, level_names[i])) return i;
    return -1;
}

/* The table of a CPU with these features; returns the highest of the levels it was made of. */
static int fill(cc_kernels *kernels, unsigned features)
{
    int highest = 0;
    for (int i = 0; i < LEVELS; ++i) {
        if (!runs(i, features)) continue;
        const cc_unit *unit = *level_units[i];
#define TAKE(family)                                                                                                           \
    if (unit->family) kernels->family = *unit->family;
        CC_EACH_FAMILY(TAKE)
#undef TAKE
        highest = i;
    }
    return highest;
}

bool cc_kernels_of_level(const char *name, cc_kernels *kernels)
{
    const int level = level_of_name(name);
    if (level < 0 || !*level_units[level]) return false;
    fill(kernels, level_features[level]);
    return true;
}

/* "portable, avx2 or avx512" of all levels. */
static void list_levels(char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < LEVELS && used < size; ++i)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i == 0            ? ""
                                 : i == LEVELS - 1 ? " or "
                                                   : ", ",
                                 level_names[i]);
}

static void dispatch_choose(void)
{
    unsigned features = cc_cpu_features();
    for (int i = 0; i < LEVELS; ++i) {
        if (!runs(i, features)) continue;
        if (i) strcat(dispatch.names, " ");
        strcat(dispatch.names, level_names[i]);
    }
    const char *text = getenv("CCONV_ISA");
    if (text && *text) {
        const int wanted = level_of_name(text);
        if (wanted >= 0 && runs(wanted, features)) {
            features = level_features[wanted];
        } else if (wanted >= 0) {
            snprintf(dispatch.error, sizeof dispatch.error, "CCONV_ISA: this machine runs %s, received \"%s\"", dispatch.names,
                     text);
        } else {
            char known[2 * sizeof every_name + 8];
            list_levels(known, sizeof known);
            snprintf(dispatch.error, sizeof dispatch.error, "CCONV_ISA: expected %s, received \"%.40s\"", known, text);
        }
    }
    dispatch.level = fill(&dispatch.kernels, features);
}

static void ensure(void)
{
    if (atomic_load_explicit(&dispatch.state, memory_order_acquire) == 2) return;
    int nobody = 0;
    if (atomic_compare_exchange_strong(&dispatch.state, &nobody, 1)) {
        dispatch_choose();
        atomic_store_explicit(&dispatch.state, 2, memory_order_release);
    }
    while (atomic_load_explicit(&dispatch.state, memory_order_acquire) != 2) {
        /* another thread is looking: a microsecond */
    }
}

const cc_kernels *cc_kernels_get(void)
{
    ensure();
    return &dispatch.kernels;
}

const char *cconv_isa(void)
{
    ensure();
    return level_names[dispatch.level];
}

const char *cconv_isas(void)
{
    ensure();
    return dispatch.names;
}

const char *cconv_isa_error(void)
{
    ensure();
    return dispatch.error[0] ? dispatch.error : NULL;
}
