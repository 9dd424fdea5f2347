/* Weights rearranged for the kernels. A *panel* holds nr neighbouring columns of a [taps][depth][n] array, taps and depth
 * outermost: panel[t][k][j], j in 0 .. nr-1, columns past n filled with zeros. n columns make ceil(n / nr) panels, one after
 * another. */
#ifndef CC_PACK_H
#define CC_PACK_H

#include "kernels/kernels.h"
#include "base/team.h"

/* Floats that the panels of a [taps][depth][n] array take. */
static inline int64_t cc_panels_count(int64_t taps, int64_t depth, int64_t n)
{
    const int64_t nr = cc_kernels_get()->gemm.nr;
    return (n + nr - 1) / nr * nr * taps * depth;
}

/* Writes one tap of one panel: columns column .. column+nr-1 of b[k][j] = from[k * row + j * step], k < depth, j < n.
 * to points to the panel's tap: [depth][nr]. */
void cc_pack_tap(float *to, const float *from, int64_t depth, int64_t n, int64_t row, int64_t step, int64_t column);

/* All panels of a matrix (one tap), split over the team; the caller puts a barrier behind it. */
void cc_pack_matrix(float *to, const float *from, int64_t depth, int64_t n, int64_t row, int64_t step, const cc_team *team);

#endif
