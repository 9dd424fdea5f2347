/* Sums, products, maxima and minima over some axes of a tensor, the same bit for bit for any number of threads.
 *
 * Each output is folded in double, so that sums of 10^7 terms are as good as the final rounding. If there are few outputs and many
 * terms, the terms are divided into blocks whose number depends on the shape only; the blocks' results wait in scratch and are
 * joined in order.
 *
 * What is reduced need not be stored: the terms come from a function, given a stretch of the tensor. */
#ifndef CC_REDUCE_H
#define CC_REDUCE_H

#include "base/team.h"
#include "base/shape.h"
#include <stddef.h>

typedef enum cc_fold { CC_FOLD_SUM, CC_FOLD_PROD, CC_FOLD_MAX, CC_FOLD_MIN } cc_fold;

/* The n terms at elements begin .. begin+n-1 of the reduced tensor: a pointer to them where they lie, or `buffer` (room for
 * CC_TERMS) filled with them. n is 1 .. CC_TERMS. */
#define CC_TERMS 256
typedef const float *(*cc_terms)(const void *context, int64_t begin, int64_t n, float *buffer);

/* The terms of a stored tensor, whose pointer is the context. */
const float *cc_terms_stored(const void *context, int64_t begin, int64_t n, float *buffer);

typedef struct cc_reduction {
    int64_t outputs, terms; /* elements of the result, and how many each of them folds */
    int64_t blocks;         /* the terms are divided into */
    bool columns;           /* the last axis is kept: outputs lie side by side, and are folded side by side */
    int64_t run;            /* length of the last axis, after merging; the other axes are: */
    int kept_rank, reduced_rank;
    int64_t kept[CCONV_MAX_RANK], kept_stride[CCONV_MAX_RANK];
    int64_t reduced[CCONV_MAX_RANK], reduced_stride[CCONV_MAX_RANK];
} cc_reduction;

/* To reduce a tensor of shape xs over the axes whose bits are set. */
void cc_reduction_init(cc_reduction *reduction, const cc_shape *xs, unsigned axes);

/* Bytes of scratch; never less for a tensor with more elements. */
size_t cc_reduction_scratch(const cc_reduction *reduction);

/* Writes reduction->outputs values to y, or, if y is NULL, to wide. Sums are divided by divisor. Entered by every thread of the
 * team; contains a barrier. The scratch may be used again after another one. */
void cc_reduce(const cc_reduction *reduction, cc_fold fold, cc_terms terms, const void *context, double divisor, float *y,
               double *wide, void *scratch, const cc_team *team);

/* The same of stored integers, exactly: sums and products wrap around. Needs no scratch; contains no barrier. */
void cc_reduce_ints(const cc_reduction *reduction, cc_fold fold, const int32_t *x, int32_t *y, const cc_team *team);

#endif
