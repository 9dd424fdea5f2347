/* The innermost loops: pointers and counts in, results out. They know no shapes, threads, errors or memory.
 *
 * Kernels come in families, a folder each: a header with what a kernel is told and the family's table of functions, and bodies
 * (*.inc.h) over a small vocabulary of vectors (simd_*.h), whose sizes are made for the registers of an instruction set. One
 * translation unit for each level (isa_*.c) compiles the bodies over its vocabulary and exports nothing but a pointer to const
 * data: the families it holds. levels.def lists the levels with the CPU features they need. A process has one table: portable
 * kernels first, replaced family by family by those of the levels whose features the CPU has. Each family has its own sizes, so a
 * level need not hold all.
 *
 * To add a kernel: a body, a field in its family's table. To add a family: a folder, a word in CC_EACH_FAMILY, an include here and
 * in families.inc.h. To add an instruction set: a vocabulary simd_<name>.h, isa_<name>.c, a row in levels.def. */
#ifndef CC_KERNELS_H
#define CC_KERNELS_H

#include "kernels/blend/blend_kernels.h"
#include "kernels/depthwise/depthwise_kernels.h"
#include "kernels/elementwise/elementwise_kernels.h"
#include "kernels/gemm/gemm_kernels.h"
#include "kernels/grouped/grouped_kernels.h"
#include "kernels/norm/norm_kernels.h"
#include "kernels/planar/planar_kernels.h"
#include "kernels/pool/pool_kernels.h"
#include "kernels/random/random_kernels.h"
#include "kernels/transpose/transpose_kernels.h"
#include "kernels/winograd/winograd_kernels.h"

#define CC_EACH_FAMILY(X)                                                                                                      \
    X(gemm) X(winograd) X(grouped) X(depthwise) X(planar) X(norm) X(pool) X(elementwise) X(random) X(blend) X(transpose)

/* A table of each family: cc_kernels_get()->gemm.tile, ->pool.max and so on. */
typedef struct cc_kernels {
#define CC_MEMBER(family) cc_##family##_kernels family;
    CC_EACH_FAMILY(CC_MEMBER)
#undef CC_MEMBER
} cc_kernels;

/* What an isa_*.c holds; NULL for families it leaves to lower levels. */
typedef struct cc_unit {
#define CC_MEMBER(family) const cc_##family##_kernels *family;
    CC_EACH_FAMILY(CC_MEMBER)
#undef CC_MEMBER
} cc_unit;

/* cc_unit_<level>: NULL where the compiler or the target does not have the instruction set. */
#define CC_LEVEL(name, features, flags) extern const cc_unit *const cc_unit_##name;
#include "kernels/levels.def"

/* The table in use. Made when first asked for; the same for the life of the process. */
const cc_kernels *cc_kernels_get(void);

/* The table of a CPU with the features of a level (levels.def), whatever this one has; false if the name or its unit does not
 * exist. */
bool cc_kernels_of_level(const char *name, cc_kernels *kernels);

static inline void cc_act_forward(cc_activation act, float alpha, float *y, const float *x, int64_t n)
{
    if (act != CC_ACT_LINEAR || y != x) cc_kernels_get()->elementwise.act_forward(act, alpha, y, x, n);
}

/* Over rows of n floats, `step` apart: at once where they lie side by side, since a row may be shorter than a vector. */
static inline void cc_act_rows(cc_activation act, float alpha, float *y, int64_t rows, int64_t step, int64_t n)
{
    const int64_t together = step == n ? rows : 1;
    for (int64_t i = 0; i < rows; i += together) cc_act_forward(act, alpha, y + i * step, y + i * step, together * n);
}

static inline void cc_act_backward(cc_activation act, float alpha, float *dx, const float *dy, const float *y, int64_t n)
{
    if (act != CC_ACT_LINEAR || dx != dy) cc_kernels_get()->elementwise.act_backward(act, alpha, dx, dy, y, n);
}

#endif
