/* Winograd's convolution where a tile holds numbers that its transforms would spread: a NaN, an infinity, or numbers so large
 * that their rounding errors, or sums beyond the largest float32, bury the others. Such tiles are computed without transforms. */
#ifndef CC_WINOGRAD_DIRECT_INC_H
#define CC_WINOGRAD_DIRECT_INC_H

#include "kernels/macros.h"
#include "kernels/winograd/winograd_kernels.h"
#include <math.h>

/* Whether all side x side are finite and so small that the sum of their squares is: below 2^61 they are. Looked at are planes, or
 * the sums made of them, each of which has what is not finite: these are fewer, but if they are few indeed, large terms that have
 * buried others may cancel in all of them to the last bit. */
ALWAYS_INLINE bool are_moderate(const vec *sums, const int side)
{
    vec squares[2] = {vec_zero(), vec_zero()};
    UNROLL
    for (int i = 0; i < side; ++i) {
        UNROLL
        for (int j = 0; j < side; ++j) squares[j % 2] = vec_fma(sums[i * side + j], sums[i * side + j], squares[j % 2]);
    }
    return vec_below(vec_add(squares[0], squares[1]), vec_set1(INFINITY));
}

/* The weights of tap t that channels k .. k+depth-1 have for VEC output channels, of which `columns` exist. */
ALWAYS_INLINE void direct_weights(vec *weights, const cc_winograd_source *s, int t, int64_t k, int depth, int64_t channel,
                                  int columns)
{
    const float *w = s->w + t * s->tap + k * s->step + channel * s->next;
    if (s->next == 1) {
        const mask part = mask_first(columns);
        for (int i = 0; i < depth; ++i) weights[i] = vec_load_part(w + i * s->step, part);
        return;
    }
    const mask part = mask_first(depth);
    for (int j = 0; j < VEC; ++j) weights[j] = j < columns ? vec_load_part(w + j * s->next, part) : vec_zero();
    vec_transpose(weights);
}

/* The sums of VEC channels from k on of a tile: to[(i * m + j) * VEC + channel], plain sums over taps and channels. */
ALWAYS_INLINE void direct_body(float *to, const cc_winograd_output *tile, int k, const int m, const int r)
{
    static const float outside[VEC] = {0};
    const cc_winograd_source *s = tile->source;
    for (int i = 0; i < m * m; ++i) vec_store(to + i * VEC, vec_zero());
    for (int t = 0; t < r * r; ++t)
        for (int64_t c = 0; c < s->c; c += VEC) {
            const int depth = s->c - c < VEC ? (int)(s->c - c) : VEC;
            vec weights[VEC];
            direct_weights(weights, s, t, c, depth, tile->channel + k, tile->channels - k);
            for (int i = 0; i < m; ++i) {
                const int64_t y = tile->i - s->top + i + t / r;
                const float *from[4];
                vec acc[4];
                UNROLL
                for (int j = 0; j < m; ++j) {
                    const int64_t x = tile->j - s->left + j + t % r;
                    const bool inside = y >= 0 && y < s->h && x >= 0 && x < s->width;
                    from[j] = inside ? s->x + ((tile->image * s->h + y) * s->width + x) * s->c + c : outside;
                    acc[j] = vec_load(to + (i * m + j) * VEC);
                }
                for (int d = 0; d < depth; ++d) {
                    UNROLL
                    for (int j = 0; j < m; ++j) acc[j] = vec_fma(vec_set1(from[j][d]), weights[d], acc[j]);
                }
                UNROLL
                for (int j = 0; j < m; ++j) vec_store(to + (i * m + j) * VEC, acc[j]);
            }
        }
}

NEVER_INLINE void winograd_direct_2(float *to, const cc_winograd_output *tile, int k, int r)
{
    direct_body(to, tile, k, 2, r);
}

NEVER_INLINE void winograd_direct_4(float *to, const cc_winograd_output *tile, int k, int r)
{
    direct_body(to, tile, k, 4, r);
}

#endif
