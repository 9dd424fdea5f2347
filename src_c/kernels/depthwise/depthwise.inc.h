/* Rows of depthwise convolutions, written once over the vocabulary of simd_*.h. A vector holds channels; the sums of up to eight
 * pixels side by side stay in registers, and each vector of x is loaded once for all the taps of a kernel row that see it:
 *
 *     sum[p] += x[p step + t] w[t]        for j = p step + t in 0 .. (pixels - 1) step + taps - 1
 *
 * Bodies take pixels, taps and step as constants; the usual kernel widths have bodies of their own, the rest share a general one.
 * Blocks whose cells all lie inside the image skip the test of each cell. Sums go through the kernel row by row, left to
 * right, whatever the block: a pixel's bits do not depend on its neighbours. */
#ifndef CC_DEPTHWISE_INC_H
#define CC_DEPTHWISE_INC_H

#include "kernels/column.inc.h"
#include "kernels/depthwise/depthwise_kernels.h"

/* The channels from i on of c >= VEC: the last vector is moved back so that it is full, and computes some channels again. */
ALWAYS_INLINE column depthwise_column(int64_t i, int64_t c)
{
    return (column){i + VEC <= c ? i : c - VEC, mask_first(VEC), true};
}

/* `pixels` <= DEPTHWISE_PIXELS from `first` on, with tap_step 1; all of them if `inside`. Of fewer, cells of the others are left
 * out like those outside the image. */
ALWAYS_INLINE void depthwise_block(const cc_depthwise *k, float *y, const float *x, const float *w, const int64_t first,
                                   const int pixels, const int taps, const int step, const bool inside)
{
    enum { MOST = DEPTHWISE_PIXELS };
    const int64_t cell = first * step + k->offset; /* j = 0 */
    const int span = (MOST - 1) * step + taps, seen = (pixels - 1) * step + taps;
    const int64_t begin = -cell, end = k->limit - cell < seen ? k->limit - cell : seen;
    for (int64_t i = 0; i < k->c; i += VEC) {
        const column at = depthwise_column(i, k->c);
        vec sum[MOST];
        const vec start = k->bias ? column_load(k->bias, at) : vec_zero();
        UNROLL
        for (int p = 0; p < MOST; ++p) sum[p] = start;
        for (int64_t r = 0; r < k->rows; ++r) {
            const float *from = x + r * k->x_row, *row = w + r * k->w_row;
            vec tap[8];
            UNROLL
            for (int t = 0; t < taps; ++t) tap[t] = column_load(row + t * k->w_tap, at);
            UNROLL_LONG
            for (int j = 0; j < span; ++j) {
                if (!inside && (j < begin || j >= end)) continue;
                const vec v = column_load(from + (cell + j) * k->x_pixel, at);
                UNROLL
                for (int t = 0; t < taps; ++t) {
                    const int from_first = j - t;
                    if (from_first >= 0 && from_first % step == 0 && from_first / step < MOST)
                        sum[from_first / step] = vec_fma(v, tap[t], sum[from_first / step]);
                }
            }
        }
        for (int64_t r = k->rows; r < k->rows + k->fresh; ++r) {
            const float *next = x + r * k->x_row + cell * k->x_pixel + at.i;
            for (int j = 0; j < pixels * step; ++j) PREFETCH_L2(next + j * k->x_pixel);
        }
        if (k->act != CC_ACT_LINEAR) {
            const vec most = vec_set1(k->act == CC_ACT_RELU6 ? 6 : INFINITY);
            UNROLL
            for (int p = 0; p < MOST; ++p) sum[p] = vec_min(most, vec_max(vec_zero(), sum[p]));
        }
        UNROLL
        for (int p = 0; p < MOST; ++p)
            if (inside || p < pixels) column_store(y + (first + p) * k->y_pixel, at, sum[p]);
    }
}

ALWAYS_INLINE void depthwise_pixels(const cc_depthwise *k, float *y, const float *x, const float *w, const int taps,
                                    const int step)
{
    enum { MOST = DEPTHWISE_PIXELS };
    for (int64_t i = 0; i < k->count; i += MOST) {
        const int64_t cell = i * step + k->offset;
        const int pixels = k->count - i < MOST ? (int)(k->count - i) : MOST;
        if (pixels == MOST && cell >= 0 && cell + (MOST - 1) * step + taps <= k->limit)
            depthwise_block(k, y, x, w, i, MOST, taps, step, true);
        else
            depthwise_block(k, y, x, w, i, pixels, taps, step, false);
    }
}

/* Pixels first .. first + DEPTHWISE_PIXELS - 1 of a column, of which those from count on are computed in vain. A cell in the
 * padding is read from zeros: a branch for each would cost more. */
ALWAYS_INLINE void depthwise_general_block(const cc_depthwise *k, float *y, const float *x, const float *w, int64_t first,
                                           const column at, const bool inside)
{
    enum { MOST = DEPTHWISE_PIXELS };
    static const float zeros[VEC];
    const column here = {0, at.part, at.full};
    vec sum[MOST];
    UNROLL
    for (int p = 0; p < MOST; ++p) sum[p] = k->bias ? column_load(k->bias, at) : vec_zero();
    for (int64_t r = 0; r < k->rows; ++r) {
        const float *row = x + r * k->x_row + at.i;
        int64_t cell = first * k->step + k->offset;
        for (int64_t t = 0; t < k->taps; ++t, cell += k->tap_step) {
            const vec tap = column_load(w + r * k->w_row + t * k->w_tap, at);
            UNROLL
            for (int p = 0; p < MOST; ++p) {
                const int64_t of = cell + p * k->step;
                const float *from = inside || (of >= 0 && of < k->limit) ? row + of * k->x_pixel : zeros;
                sum[p] = vec_fma(column_load(from, here), tap, sum[p]);
            }
        }
    }
    UNROLL
    for (int p = 0; p < MOST; ++p)
        if (first + p < k->count) column_store(y + (first + p) * k->y_pixel, at, clamp(sum[p], k->act));
}

/* Any geometry, any number of channels. */
static void depthwise_general(const cc_depthwise *k, float *y, const float *x, const float *w)
{
    enum { MOST = DEPTHWISE_PIXELS };
    for (int64_t first = 0; first < k->count; first += MOST) {
        const int64_t cell = first * k->step + k->offset, reach = (MOST - 1) * k->step + (k->taps - 1) * k->tap_step;
        const bool inside = cell >= 0 && cell + reach < k->limit;
        if (k->c < VEC) depthwise_general_block(k, y, x, w, first, PART(0, k->c), false);
        for (int64_t i = 0; i < k->c && k->c >= VEC; i += VEC) {
            if (inside)
                depthwise_general_block(k, y, x, w, first, depthwise_column(i, k->c), true);
            else
                depthwise_general_block(k, y, x, w, first, depthwise_column(i, k->c), false);
        }
    }
}

/* Steps and kernel widths with bodies of their own; where few pixels go side by side, 3 only. */
enum { DEPTHWISE_WIDE = DEPTHWISE_PIXELS > 4 };
#define DEPTHWISE_EACH(X) X(3, 1) X(5, 1) X(7, 1) X(3, 2) X(5, 2)
#define DEPTHWISE_DEFINE(taps, step)                                                                                           \
    static void depthwise_##taps##_##step(const cc_depthwise *k, float *y, const float *x, const float *w)                     \
    {                                                                                                                          \
        if (taps == 3 || DEPTHWISE_WIDE)                                                                                       \
            depthwise_pixels(k, y, x, w, taps, step);                                                                          \
        else                                                                                                                   \
            depthwise_general(k, y, x, w);                                                                                     \
    }
DEPTHWISE_EACH(DEPTHWISE_DEFINE)

static void depthwise_row(const cc_depthwise *k, float *y, const float *x, const float *w)
{
    if (k->c >= VEC && k->tap_step == 1) {
#define DEPTHWISE_TAKE(wide, stride)                                                                                           \
    if (k->taps == wide && k->step == stride) {                                                                                \
        depthwise_##wide##_##stride(k, y, x, w);                                                                               \
        return;                                                                                                                \
    }
        DEPTHWISE_EACH(DEPTHWISE_TAKE)
#undef DEPTHWISE_TAKE
    }
    depthwise_general(k, y, x, w);
}

/* ---- The gradient of the weights ---- */

enum { DEPTHWISE_SUMS = 9 };

/* sum[r taps + t] += x[r][p step + t] dy[p] for pixels first .. first + pixels - 1 */
ALWAYS_INLINE void depthwise_weights_block(const cc_depthwise *k, vec *sum, const float *x, const float *dy,
                                           const int64_t first, const int pixels, const int rows, const int taps,
                                           const int step, const bool inside, const column at, int64_t fresh)
{
    const int64_t cell = first * step + k->offset;
    const int span = (pixels - 1) * step + taps;
    const int64_t begin = inside ? 0 : -cell, end = inside ? span : k->limit - cell;
    vec g[8];
    UNROLL
    for (int p = 0; p < pixels; ++p) g[p] = column_load(dy + (first + p) * k->y_pixel, at);
    for (int64_t r = rows; r < rows + fresh; ++r) {
        const float *next = x + r * k->x_row + cell * k->x_pixel + at.i;
        UNROLL
        for (int j = 0; j < pixels * step; ++j) PREFETCH_L2(next + j * k->x_pixel);
    }
    UNROLL
    for (int p = 0; p < pixels; ++p)
        if (fresh > 0) PREFETCH_L2(dy + (first + p + k->count) * k->y_pixel + at.i);
    UNROLL
    for (int r = 0; r < rows; ++r) {
        UNROLL_LONG
        for (int j = 0; j < span; ++j) {
            if (!inside && (j < begin || j >= end)) continue;
            const vec v = column_load(x + r * k->x_row + (cell + j) * k->x_pixel, at);
            UNROLL
            for (int t = 0; t < taps; ++t) {
                const int past = j - t;
                if (past >= 0 && past % step == 0 && past / step < pixels)
                    sum[r * taps + t] = vec_fma(v, g[past / step], sum[r * taps + t]);
            }
        }
    }
}

/* Blocks of whole vectors whose cells all lie inside the image; others pixel by pixel. */
ALWAYS_INLINE void depthwise_weights_column(const cc_depthwise *k, float *dw, const float *x, const float *dy, const int pixels,
                                            const int rows, const int taps, const int step, const column at, int64_t fresh)
{
    vec sum[DEPTHWISE_SUMS];
    UNROLL
    for (int s = 0; s < rows * taps; ++s) sum[s] = column_load(dw + s / taps * k->w_row + s % taps * k->w_tap, at);
    for (int64_t p = 0; p < k->count;) {
        const int64_t cell = p * step + k->offset;
        if (pixels > 1 && cell >= 0 && p + pixels <= k->count && cell + (pixels - 1) * step + taps <= k->limit) {
            depthwise_weights_block(k, sum, x, dy, p, pixels, rows, taps, step, true, at, fresh);
            p += pixels;
            continue;
        }
        if (cell >= 0 && cell + taps <= k->limit)
            depthwise_weights_block(k, sum, x, dy, p, 1, rows, taps, step, true, at, fresh);
        else
            depthwise_weights_block(k, sum, x, dy, p, 1, rows, taps, step, false, at, fresh);
        ++p;
    }
    UNROLL
    for (int s = 0; s < rows * taps; ++s) column_store(dw + s / taps * k->w_row + s % taps * k->w_tap, at, sum[s]);
}

/* `together` rows of the kernel at a time, then single ones: their few sums wait for each other, however many pixels. */
ALWAYS_INLINE void depthwise_weights_rows(const cc_depthwise *k, float *dw, const float *x, const float *dy, const int together,
                                          const int taps, const int step)
{
    for (int64_t i = 0; i < k->c; i += VEC) {
        int64_t r = 0;
#define DEPTHWISE_ROWS(many, pixels, at)                                                                                       \
    depthwise_weights_column(k, dw + r * k->w_row, x + r * k->x_row, dy, pixels, many, taps, step, at,                         \
                             r + many < k->rows ? 0 : k->fresh)
        if (i + VEC <= k->c) {
            for (; r + together <= k->rows; r += together) DEPTHWISE_ROWS(together, DEPTHWISE_DYS, WHOLE(i));
            for (; together > 1 && r < k->rows; ++r) DEPTHWISE_ROWS(1, 1, WHOLE(i));
        } else {
            for (; r + together <= k->rows; r += together) DEPTHWISE_ROWS(together, 1, PART(i, k->c));
            for (; together > 1 && r < k->rows; ++r) DEPTHWISE_ROWS(1, 1, PART(i, k->c));
        }
#undef DEPTHWISE_ROWS
    }
}

static void depthwise_weights_general(const cc_depthwise *k, float *dw, const float *x, const float *dy)
{
    for (int64_t i = 0; i < k->c; i += VEC) {
        const column at = {i, mask_first((int)(k->c - i < VEC ? k->c - i : VEC)), false};
        for (int64_t r = 0; r < k->rows; ++r)
            for (int64_t t = 0; t < k->taps; ++t) {
                float *to = dw + r * k->w_row + t * k->w_tap;
                vec sum = column_load(to, at);
                for (int64_t p = 0; p < k->count; ++p) {
                    const int64_t cell = p * k->step + k->offset + t * k->tap_step;
                    if (cell < 0 || cell >= k->limit) continue;
                    const vec v = column_load(x + r * k->x_row + cell * k->x_pixel, at);
                    sum = vec_fma(v, column_load(dy + p * k->y_pixel, at), sum);
                }
                column_store(to, at, sum);
            }
    }
}

#define DEPTHWISE_WEIGHTS_EACH(X) X(3, 3, 1) X(3, 3, 2) X(1, 5, 1) X(1, 7, 1) X(1, 5, 2)
#define DEPTHWISE_WEIGHTS_DEFINE(together, taps, step)                                                                         \
    static void depthwise_weights_##taps##_##step(const cc_depthwise *k, float *dw, const float *x, const float *dy)           \
    {                                                                                                                          \
        if (taps == 3 || DEPTHWISE_WIDE)                                                                                       \
            depthwise_weights_rows(k, dw, x, dy, together, taps, step);                                                        \
        else                                                                                                                   \
            depthwise_weights_general(k, dw, x, dy);                                                                           \
    }
DEPTHWISE_WEIGHTS_EACH(DEPTHWISE_WEIGHTS_DEFINE)

static void depthwise_weights(const cc_depthwise *k, float *dw, const float *x, const float *dy)
{
    if (k->tap_step == 1) {
#define DEPTHWISE_TAKE(together, wide, stride)                                                                                 \
    if (k->taps == wide && k->step == stride) {                                                                                \
        depthwise_weights_##wide##_##stride(k, dw, x, dy);                                                                     \
        return;                                                                                                                \
    }
        DEPTHWISE_WEIGHTS_EACH(DEPTHWISE_TAKE)
#undef DEPTHWISE_TAKE
    }
    depthwise_weights_general(k, dw, x, dy);
}

static const cc_depthwise_kernels depthwise_kernels = {
    .row = depthwise_row,
    .weights = depthwise_weights,
};

#endif
