/* Grouped convolution with few channels in a group: what its files share. */
#ifndef CC_CONV_GROUPED_H
#define CC_CONV_GROUPED_H

#include "algos/conv/conv_gather.h"

enum { CC_GROUPED_TAPS_MAX = 128 }; /* of a kernel */

/* How vectors hold groups of `in` channels of the source and `out` of the target. */
typedef struct cc_grouped_vectors {
    int64_t groups, in, out;
    int64_t vec, groups_per_vector, vectors_per_group, vectors; /* one of the two in the middle is 1 */
} cc_grouped_vectors;

cc_grouped_vectors cc_grouped_vectors_of(const cc_conv *conv, cc_conv_pass pass);

typedef struct cc_grouped_vector {
    int64_t group, source, target; /* its first group and channels */
    int source_last, lanes;        /* channels in the last vector of the source; in the target */
} cc_grouped_vector;

cc_grouped_vector cc_grouped_vector_at(const cc_grouped_vectors *v, int64_t i);

/* Lane i of row k: where channel k of the group of target lane i lies. */
void cc_grouped_permute(const cc_grouped_vectors *v, int32_t permutation[CC_VEC_MAX * CC_VEC_MAX]);

/* Taps first, first + next, ... of an axis; each one's source lies a step further on. */
typedef struct cc_grouped_taps {
    int64_t first, next;
    int count;
} cc_grouped_taps;

/* Writes the groups that together have every tap of the axis once; returns their number. */
int cc_grouped_list_taps(const cc_gather_axis *axis, cc_grouped_taps taps[CC_GROUPED_TAPS_MAX]);

/* The pixels q in begin .. end-1 of 0 .. count-1 whose source, from + q step, lies inside the image. */
void cc_grouped_clip(int64_t from, int64_t step, int64_t limit, int64_t count, int64_t *begin, int64_t *end);

/* cc_conv_algorithm.weight_gradient and its scratch. */
int64_t cc_grouped_weight_scratch(const cc_conv *conv, int nth);
void cc_grouped_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                const cc_team *team);

#endif
