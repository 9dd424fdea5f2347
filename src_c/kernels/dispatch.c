/* Chooses the instruction set, once: the best that the build has, the CPU can run and the operating system saves; the environment
 * variable CCONV_ISA lowers it. No arithmetic here. */
#include "cconv.h"
#include "kernels/kernels.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#include <cpuid.h>
#define CC_X86 1
#endif

enum { LEVELS = 3 };

static struct {
    atomic_int state; /* 0: nobody has looked, 1: somebody is looking, 2: done */
    const cc_kernels *chosen;
    char names[40]; /* what can run, lowest first */
    char error[160];
} dispatch;

/* Whether this CPU and operating system run the level (0 portable, 1 avx2, 2 avx512). */
static int runs(int level)
{
    if (level == 0) return 1;
#ifdef CC_X86
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
    if ((c & (fma | osxsave | avx)) != (fma | osxsave | avx)) return 0;
    /* XCR0 says which registers survive a task switch: bits 1, 2 of xmm and ymm; 5, 6, 7 of the masks and zmm. */
    unsigned xcr0, high;
    __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
    if ((xcr0 & 0x06) != 0x06 || !(b & avx2)) return 0;
    if (level == 1) return 1;
    return (xcr0 & 0xe6) == 0xe6 && (b & avx512) == avx512;
#else
    return 0;
#endif
}

static void dispatch_choose(void)
{
    const cc_kernels *const tables[LEVELS] = {cc_kernels_portable, cc_kernels_avx2, cc_kernels_avx512};
    static const char *const known[LEVELS] = {"portable", "avx2", "avx512"};
    int best = 0, wanted = -1;
    dispatch.names[0] = 0;
    for (int i = 0; i < LEVELS; ++i) {
        if (!tables[i] || !runs(i)) continue;
        best = i;
        if (i) strcat(dispatch.names, " ");
        strcat(dispatch.names, known[i]);
    }
    const char *text = getenv("CCONV_ISA");
    if (text && *text) {
        for (int i = 0; i < LEVELS; ++i)
            if (!strcmp(text, known[i])) wanted = i;
        if (wanted < 0)
            snprintf(dispatch.error, sizeof dispatch.error, "CCONV_ISA: expected portable, avx2 or avx512, received \"%.40s\"",
                     text);
        else if (wanted > best || !tables[wanted])
            snprintf(dispatch.error, sizeof dispatch.error, "CCONV_ISA: this machine runs %s, received \"%s\"", dispatch.names,
                     text);
        else
            best = wanted;
    }
    dispatch.chosen = tables[best];
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
    return dispatch.chosen;
}

const char *cconv_isa(void)
{
    return cc_kernels_get()->name;
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
