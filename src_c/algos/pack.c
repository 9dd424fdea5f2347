/* Packing: see pack.h for the layout. */
#include "algos/pack.h"

#include <string.h>

void cc_pack_tap(float *to, const float *from, int64_t depth, int64_t n, int64_t row, int64_t step, int64_t column)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, width = n - column < nr ? n - column : nr;
    from += column * step;
    if (step == 1) {
        for (int64_t k = 0; k < depth; ++k, to += nr) {
            memcpy(to, from + k * row, (size_t)width * sizeof *to);
            memset(to + width, 0, (size_t)(nr - width) * sizeof *to);
        }
        return;
    }
    if (row == 1) {
        cc_kernels_get()->gemm.pack_transposed(to, from, depth, (int)width, step);
        return;
    }
    for (int64_t k = 0; k < depth; ++k, to += nr) {
        for (int64_t j = 0; j < width; ++j) to[j] = from[k * row + j * step];
        for (int64_t j = width; j < nr; ++j) to[j] = 0;
    }
}

void cc_pack_matrix(float *to, const float *from, int64_t depth, int64_t n, int64_t row, int64_t step, const cc_team *team)
{
    const int64_t nr = cc_kernels_get()->gemm.nr, panels = (n + nr - 1) / nr;
    /* The depth is divided too, so that few panels still make many tasks. */
    const int64_t block = 256, blocks = (depth + block - 1) / block;
    const cc_range mine = cc_slice(team, panels * blocks, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t panel = i / blocks, k = i % blocks * block, count = depth - k < block ? depth - k : block;
        cc_pack_tap(to + (panel * depth + k) * nr, from + k * row, count, n, row, step, panel * nr);
    }
}
