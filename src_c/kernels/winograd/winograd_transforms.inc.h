/* Winograd's convolution F(m, r), m x m outputs of a kernel of r x r taps at a time, written once over the vocabulary of simd_*.h:
 * the transforms of tiles and weights.
 *
 * Along one axis, m outputs of a correlation with r taps, y[i] = sum over k of d[i + k] g[k], read m + r - 1 inputs. Take the
 * polynomials with the coefficients g (r terms) and e (m terms): their product has m + r - 1 coefficients, so it is known from its
 * values at m + r - 1 points; these are products of values of g and of e; and interpolation gives the coefficients (Toom, Cook).
 * Correlation is the transpose of that product, y = A^T [(G g) * (B^T d)], with elementwise * and, for the points p_j and
 * infinity, which stands for the leading coefficient (Winograd, "Arithmetic complexity of computations", 1980; Lavin, Gray,
 * "Fast algorithms for convolutional neural networks", 2016):
 *
 *     A^T[i][j] = p_j^i           column of infinity: 0 ... 0 1      values of e, transposed
 *     G[j][k] = p_j^k / N_j       row of infinity: 0 ... 0 1         values of g; N_j = product over l != j of (p_j - p_l)
 *     B^T[j] = the coefficients of M(x) / (x - p_j), row of infinity: of M(x) = product over l of (x - p_l)
 *
 * An image is treated so along both axes: Y = A^T [(G g G^T) * (B^T d B)] A. The gradients are the transposes of this: of the
 * input, a correlation again; of the weights, dg = G^T [(A dY A^T) * (B^T d B)] G. So m^2 outputs cost (m + r - 1)^2
 * multiplications, summed over channels, where r^2 m^2 are usual: 2.25 times less in F(2, 3), 4 times in F(4, 3), 2.8 in F(2, 5).
 *
 * B^T knows the points only, A and G powers of them: m of them and r. So points serve every F(m, r) of one m + r - 1. Four are
 * 0, 1, -1 and infinity; all constants are powers of two. Six need two points more. The usual ones, 2 and -2, lose
 * accuracy: their powers differ much. Points in pairs +-a, +-1/a keep the powers close and make few constants; of those a = 2/3
 * has the least error (half that of the usual points; compare Barabasz, Anderson, Soodhalter, Gregg, "Error analysis and
 * improving the accuracy of Winograd convolution for deep neural networks", 2018). With b = 1/a and
 * M(x) = x (x^2 - a^2) (x^2 - b^2), rows named by their points, each row of G and column of A^T as far as r and m go:
 *
 *     B^T   0    1     0    -s     0    1   0      s = a^2 + b^2       G   1     0      0  ..   A^T   1  1   1    1   1    0
 *          +-a   0  -+a b^2 -b^2  +-a   1   0                              u  +-u a   u a^2 ..        0  a  -a    b  -b    0
 *          +-b   0  -+b a^2 -a^2  +-b   1   0                              v  +-v b   v b^2 ..        0  a^2 a^2  b^2 b^2  0
 *          inf   0    1     0    -s     0   1                              0     0 ..  0  1           ..             ..    1
 *
 * with u = 1 / (2 a^2 (a^2 - b^2)) = -81/130 and v = 1 / (2 b^2 (b^2 - a^2)) = 8/65. A factor on a row of B^T may go to G
 * instead; it would change no rounding but its own. */
#ifndef CC_WINOGRAD_TRANSFORMS_INC_H
#define CC_WINOGRAD_TRANSFORMS_INC_H

#include "kernels/macros.h"
#include "kernels/winograd/winograd_direct.inc.h"
#include "kernels/winograd/winograd_kernels.h"

/* The most of m + r - 1, of m, of r. */
enum { POINTS = 6, OUTPUTS = 4, TAPS = 5 };

#define POINT_A (2.0 / 3)
#define POINT_B 1.5
#define A2      ((float)(4.0 / 9))
#define B2      2.25f
#define SUM_AB  ((float)(97.0 / 36)) /* a^2 + b^2 */

/* The point p of which there are p and -p, of pair 0 or, among six, 1; 1 / N of both; 1 / N of the point 0. */
ALWAYS_INLINE double pair_point(const int points, const int pair)
{
    return points == 4 ? 1 : pair == 0 ? POINT_A : POINT_B;
}

ALWAYS_INLINE double pair_factor(const int points, const int pair)
{
    return points == 4 ? 0.5 : pair == 0 ? -81.0 / 130 : 8.0 / 65;
}

ALWAYS_INLINE float zero_factor(const int points)
{
    return points == 4 ? -1 : 1;
}

/* p^exponent, which is below TAPS: a constant. */
ALWAYS_INLINE double power(const double p, const int exponent)
{
    return exponent == 0 ? 1 : exponent == 1 ? p : exponent == 2 ? p * p : exponent == 3 ? p * p * p : p * p * p * p;
}

ALWAYS_INLINE vec scaled(const float factor, vec x)
{
    return factor == 1 ? x : vec_mul(vec_set1(factor), x);
}

/* y + factor x */
ALWAYS_INLINE vec plus_scaled(vec y, const float factor, vec x)
{
    return factor == 1 ? vec_add(y, x) : vec_fma(vec_set1(factor), x, y);
}

/* r = B^T d: as many values as points. */
ALWAYS_INLINE void input_line(const int points, vec *r, const vec *d)
{
    if (points == 4) {
        r[0] = plus_scaled(d[2], -1, d[0]);
        r[1] = vec_add(d[2], d[1]);
        r[2] = plus_scaled(d[2], -1, d[1]);
        r[3] = plus_scaled(d[3], -1, d[1]);
        return;
    }
    const float a = (float)POINT_A, b = (float)POINT_B;
    const vec even_a = plus_scaled(d[4], -B2, d[2]), odd_a = plus_scaled(d[3], -B2, d[1]);
    const vec even_b = plus_scaled(d[4], -A2, d[2]), odd_b = plus_scaled(d[3], -A2, d[1]);
    r[0] = plus_scaled(vec_add(d[0], d[4]), -SUM_AB, d[2]);
    r[1] = plus_scaled(even_a, a, odd_a);
    r[2] = plus_scaled(even_a, -a, odd_a);
    r[3] = plus_scaled(even_b, b, odd_b);
    r[4] = plus_scaled(even_b, -b, odd_b);
    r[5] = plus_scaled(vec_add(d[1], d[5]), -SUM_AB, d[3]);
}

/* r = A e for the `count` = m numbers e, or G e for `count` = r: values of a polynomial, those of G over N. */
ALWAYS_INLINE void values_line(const int points, const int count, const bool over_n, vec *r, const vec *e)
{
    r[0] = over_n ? scaled(zero_factor(points), e[0]) : e[0];
    r[points - 1] = e[count - 1];
    UNROLL
    for (int pair = 0; pair < points / 2 - 1; ++pair) {
        const double p = pair_point(points, pair), factor = over_n ? pair_factor(points, pair) : 1;
        const int last_even = (count - 1) / 2 * 2, last_odd = count / 2 * 2 - 1;
        vec even = e[last_even], odd = e[last_odd];
        UNROLL
        for (int k = last_even - 2; k >= 0; k -= 2) even = plus_scaled(e[k], (float)(p * p), even);
        UNROLL
        for (int k = last_odd - 2; k > 0; k -= 2) odd = plus_scaled(e[k], (float)(p * p), odd);
        even = scaled((float)factor, even);
        r[1 + 2 * pair] = plus_scaled(even, (float)(factor * p), odd);
        r[2 + 2 * pair] = plus_scaled(even, (float)(-factor * p), odd);
    }
}

/* y = A^T r or G^T r, the transpose of that. */
ALWAYS_INLINE void sums_line(const int points, const int count, const bool over_n, vec *y, const vec *r)
{
    vec sums[2], differences[2];
    UNROLL
    for (int pair = 0; pair < points / 2 - 1; ++pair) {
        sums[pair] = vec_add(r[1 + 2 * pair], r[2 + 2 * pair]);
        differences[pair] = plus_scaled(r[1 + 2 * pair], -1, r[2 + 2 * pair]);
    }
    UNROLL
    for (int k = 0; k < count; ++k) {
        if (k == 0) y[k] = over_n ? scaled(zero_factor(points), r[0]) : r[0];
        if (k == count - 1) y[k] = r[points - 1];
        UNROLL
        for (int pair = 0; pair < points / 2 - 1; ++pair) {
            const double factor = (over_n ? pair_factor(points, pair) : 1) * power(pair_point(points, pair), k);
            const vec term = k % 2 ? differences[pair] : sums[pair];
            const bool first = pair == 0 && k > 0 && k < count - 1;
            y[k] = first ? scaled((float)factor, term) : plus_scaled(y[k], (float)factor, term);
        }
    }
}

/* The same two times, down the columns and along the rows, of a from x from array whose lines become `to` long. */
#define DEFINE_SQUARE(name, line, from, to)                                                                                    \
    ALWAYS_INLINE void name(const int points, const int count, const bool over_n, vec *out, const vec *in)                     \
    {                                                                                                                          \
        vec half[POINTS][POINTS];                                                                                              \
        UNROLL                                                                                                                 \
        for (int j = 0; j < (from); ++j) {                                                                                     \
            vec before[POINTS], after[POINTS];                                                                                 \
            UNROLL                                                                                                             \
            for (int i = 0; i < (from); ++i) before[i] = in[i * (from) + j];                                                   \
            line(points, count, over_n, after, before);                                                                        \
            UNROLL                                                                                                             \
            for (int i = 0; i < (to); ++i) half[i][j] = after[i];                                                              \
        }                                                                                                                      \
        UNROLL                                                                                                                 \
        for (int i = 0; i < (to); ++i) line(points, count, over_n, out + i * (to), half[i]);                                   \
    }

DEFINE_SQUARE(values_square, values_line, count, points)
DEFINE_SQUARE(sums_square, sums_line, points, count)

/* A vector of each plane, and back. */
ALWAYS_INLINE void load_planes(const int points, vec *in, const float *from, int64_t plane)
{
    UNROLL
    for (int i = 0; i < points; ++i) {
        UNROLL
        for (int j = 0; j < points; ++j) in[i * points + j] = vec_load(from + (i * points + j) * plane);
    }
}

ALWAYS_INLINE void store_planes(const int points, float *to, int64_t plane, const vec *out)
{
    UNROLL
    for (int i = 0; i < points; ++i) {
        UNROLL
        for (int j = 0; j < points; ++j) vec_store(to + (i * points + j) * plane, out[i * points + j]);
    }
}

/* Rows first .. last-1 of a transformed tile, one vector of channels, each number into its plane. Few rows at a time stay in
 * the registers, which is worth reading pixels more than once; what the rows do not need is not computed. */
ALWAYS_INLINE void tile_rows(float *to, int64_t plane, const float *from, int64_t row, int64_t step, const int points,
                             const int side, const bool gradient, const int first, const int last)
{
    vec half[4][POINTS];
    UNROLL
    for (int j = 0; j < side; ++j) {
        vec pixels[POINTS], line[POINTS];
        UNROLL
        for (int i = 0; i < side; ++i) pixels[i] = vec_load(from + i * row + j * step);
        if (gradient)
            values_line(points, side, false, line, pixels);
        else
            input_line(points, line, pixels);
        UNROLL
        for (int i = first; i < last; ++i) half[i - first][j] = line[i];
    }
    UNROLL
    for (int i = first; i < last; ++i) {
        vec out[POINTS];
        if (gradient)
            values_line(points, side, false, out, half[i - first]);
        else
            input_line(points, out, half[i - first]);
        UNROLL
        for (int j = 0; j < points; ++j) vec_store(to + (i * points + j) * plane, out[j]);
    }
}

/* All of them; rows that share much of their arithmetic together. */
ALWAYS_INLINE void tile_vector(float *to, int64_t plane, const float *from, int64_t row, int64_t step, const int points,
                               const int side, const bool gradient)
{
    if (points == 4) {
        tile_rows(to, plane, from, row, step, points, side, gradient, 0, 4);
        return;
    }
    tile_rows(to, plane, from, row, step, points, side, gradient, 0, 1);
    tile_rows(to, plane, from, row, step, points, side, gradient, 1, 3);
    tile_rows(to, plane, from, row, step, points, side, gradient, 3, 5);
    tile_rows(to, plane, from, row, step, points, side, gradient, 5, 6);
}

ALWAYS_INLINE void prefetch_square(const float *from, int64_t row, int64_t step, const int side)
{
    UNROLL
    for (int i = 0; i < side; ++i) {
        UNROLL
        for (int j = 0; j < side; ++j) PREFETCH(from + i * row + j * step);
    }
}

/* A tile of an image, VEC channels at a time: reads `side` x `side` pixels, those outside the image as zeros, and writes one
 * vector into each plane. Where there are such pixels, or a part of a vector, the tile is copied first. The pixels that the tile
 * below is the first to read are prefetched. */
ALWAYS_INLINE void tile_body(const cc_winograd_tile *tile, const int m, const int points, const bool gradient)
{
    const int side = gradient ? m : points;
    const bool inside = tile->y0 == 0 && tile->x0 == 0 && tile->y1 == side && tile->x1 == side;
    float *to = tile->to;
    vec copy[POINTS * POINTS];
    for (int i = 0; !inside && i < side * side; ++i) copy[i] = vec_zero();
    for (int64_t k = 0; k < tile->channels; k += VEC, to += tile->block) {
        const float *from = tile->from + k, *below = from + side * tile->row + (side - m) * tile->column;
        const int64_t left = tile->channels - k;
        int64_t row = tile->row, step = tile->column;
        if (m == 4)
            prefetch_square(below, row, step, 4);
        else
            prefetch_square(below, row, step, 2);
        if (!inside || left < VEC) {
            const mask part = mask_first(left < VEC ? (int)left : VEC);
            for (int i = tile->y0; i < tile->y1; ++i)
                for (int j = tile->x0; j < tile->x1; ++j) copy[i * side + j] = vec_load_part(from + i * row + j * step, part);
            from = (const float *)copy;
            row = side * VEC;
            step = VEC;
        }
        tile_vector(to, tile->plane, from, row, step, points, side, gradient);
    }
}

ALWAYS_INLINE void output_body(const cc_winograd_output *tile, const int m, const int r)
{
    const int points = m + r - 1;
    const int64_t row = tile->row, step = tile->column;
    const bool relu = tile->relu;
    for (int k = 0; k < tile->channels; k += VEC) {
        vec sums[POINTS * POINTS], out[OUTPUTS * OUTPUTS];
        UNROLL
        for (int i = m; i < 2 * m; ++i) {
            UNROLL
            for (int j = 0; j < m; ++j) PREFETCH_WRITE(tile->y + k + i * row + j * step);
        }
        load_planes(points, sums, tile->from + k, tile->plane);
        const bool early = m < 4 && tile->source && !are_moderate(sums, points);
        sums_square(points, m, false, out, sums);
        if (early || (m == 4 && tile->source && !are_moderate(out, m))) {
            float direct[OUTPUTS * OUTPUTS * VEC];
            if (m == 2)
                winograd_direct_2(direct, tile, k, r);
            else
                winograd_direct_4(direct, tile, k, r);
            UNROLL
            for (int i = 0; i < m * m; ++i) out[i] = vec_load(direct + i * VEC);
        }
        const mask part = mask_first(tile->channels - k);
        const vec bias = tile->bias ? vec_load_part(tile->bias + k, part) : vec_zero();
        float *y = tile->y + k;
        UNROLL
        for (int i = 0; i < m * m; ++i) out[i] = vec_add(out[i], bias);
        if ((PARTS_ARE_FREE || tile->channels - k >= VEC) && tile->rows == m && tile->columns == m && !tile->accumulate) {
            UNROLL
            for (int i = 0; i < m; ++i) {
                UNROLL
                for (int j = 0; j < m; ++j) {
                    float *pixel = y + i * row + j * step;
                    const vec v = relu ? vec_max(vec_zero(), out[i * m + j]) : out[i * m + j];
                    if (PARTS_ARE_FREE)
                        vec_store_part(pixel, part, v);
                    else
                        vec_store(pixel, v);
                }
            }
            continue;
        }
        vec made[OUTPUTS * OUTPUTS];
        UNROLL
        for (int i = 0; i < m * m; ++i) made[i] = out[i];
        for (int i = 0; i < tile->rows; ++i)
            for (int j = 0; j < tile->columns; ++j) {
                float *pixel = y + i * row + j * step;
                vec v = made[i * m + j];
                if (tile->accumulate) v = vec_add(v, vec_load_part(pixel, part));
                vec_store_part(pixel, part, relu ? vec_max(vec_zero(), v) : v);
            }
    }
}

/* Weights transformed: those of tap t are the vector at taps + t * step. */
ALWAYS_INLINE void taps_body(float *to, int64_t plane, const float *taps, int64_t step, const int m, const int r)
{
    const int points = m + r - 1;
    vec in[TAPS * TAPS], out[POINTS * POINTS];
    UNROLL_LONG
    for (int t = 0; t < r * r; ++t) in[t] = vec_load(taps + t * step);
    values_square(points, r, true, out, in);
    store_planes(points, to, plane, out);
}

typedef void winograd_taps(float *to, int64_t plane, const float *taps, int64_t step);

ALWAYS_INLINE void weights_body(float *to, int64_t plane, const float *w, int64_t tap, int columns, winograd_taps *transform,
                                const int r)
{
    for (int k = 0; k < NR; k += VEC) {
        if (k + VEC <= columns) {
            transform(to + k, plane, w + k, tap);
            continue;
        }
        vec taps[TAPS * TAPS];
        const mask part = mask_first(columns - k);
        for (int t = 0; t < r * r; ++t) taps[t] = vec_load_part(w + t * tap + (k < columns ? k : 0), part);
        transform(to + k, plane, (const float *)taps, VEC);
    }
}

/* The same for `depth` <= VEC channels of the transposed, rotated kernel: their numbers are contiguous in w, the columns
 * `next` apart. */
ALWAYS_INLINE void transposed_body(float *to, int64_t plane, const float *w, int64_t tap, int64_t next, int depth, int columns,
                                   winograd_taps *transform, const int r)
{
    const mask part = mask_first(depth);
    for (int j = 0; j < NR; j += VEC) {
        vec taps[TAPS * TAPS][VEC];
        for (int t = 0; t < r * r; ++t) {
            const float *from = w + (r * r - 1 - t) * tap + j * next;
            for (int i = 0; i < VEC; ++i) taps[t][i] = j + i < columns ? vec_load_part(from + i * next, part) : vec_zero();
            vec_transpose(taps[t]);
        }
        for (int k = 0; k < depth; ++k) transform(to + k * NR + j, plane, (const float *)&taps[0][k], VEC * VEC);
    }
}

ALWAYS_INLINE bool weight_gradient_body(float *dw, int64_t tap, const float *from, int64_t plane, int columns, const int m,
                                        const int r)
{
    const int points = m + r - 1;
    bool moderate = true;
    for (int k = 0; k < columns; k += VEC) {
        vec sums[POINTS * POINTS], out[TAPS * TAPS];
        const mask part = mask_first(columns - k);
        load_planes(points, sums, from + k, plane);
        moderate &= are_moderate(sums, points);
        sums_square(points, r, true, out, sums);
        if (columns - k >= VEC) {
            UNROLL_LONG
            for (int t = 0; t < r * r; ++t) vec_store(dw + t * tap + k, out[t]);
            continue;
        }
        for (int t = 0; t < r * r; ++t) vec_store_part(dw + t * tap + k, part, out[t]);
    }
    return moderate;
}

/* The transform of x knows only the number of points. */
NEVER_INLINE void winograd_input_4(const cc_winograd_tile *tile, int m)
{
    tile_body(tile, m, 4, false);
}

NEVER_INLINE void winograd_input_6(const cc_winograd_tile *tile, int m)
{
    tile_body(tile, m, 6, false);
}

#define DEFINE_TRANSFORMS(m_, r_)                                                                                              \
    static void winograd_input_##m_##_##r_(const cc_winograd_tile *tile)                                                       \
    {                                                                                                                          \
        if (m_ + r_ == 5)                                                                                                      \
            winograd_input_4(tile, m_);                                                                                        \
        else                                                                                                                   \
            winograd_input_6(tile, m_);                                                                                        \
    }                                                                                                                          \
    static void winograd_gradient_##m_##_##r_(const cc_winograd_tile *tile)                                                    \
    {                                                                                                                          \
        tile_body(tile, m_, m_ + r_ - 1, true);                                                                                \
    }                                                                                                                          \
    static void winograd_output_##m_##_##r_(const cc_winograd_output *tile)                                                    \
    {                                                                                                                          \
        output_body(tile, m_, r_);                                                                                             \
    }                                                                                                                          \
    NEVER_INLINE void winograd_taps_##m_##_##r_(float *to, int64_t plane, const float *taps, int64_t step)                     \
    {                                                                                                                          \
        taps_body(to, plane, taps, step, m_, r_);                                                                              \
    }                                                                                                                          \
    static void winograd_weights_##m_##_##r_(float *to, int64_t plane, const float *w, int64_t tap, int columns)               \
    {                                                                                                                          \
        weights_body(to, plane, w, tap, columns, winograd_taps_##m_##_##r_, r_);                                               \
    }                                                                                                                          \
    static void winograd_transposed_##m_##_##r_(float *to, int64_t plane, const float *w, int64_t tap, int64_t next,           \
                                                int depth, int columns)                                                        \
    {                                                                                                                          \
        transposed_body(to, plane, w, tap, next, depth, columns, winograd_taps_##m_##_##r_, r_);                               \
    }                                                                                                                          \
    static bool winograd_weight_gradient_##m_##_##r_(float *dw, int64_t tap, const float *from, int64_t plane, int columns)    \
    {                                                                                                                          \
        return weight_gradient_body(dw, tap, from, plane, columns, m_, r_);                                                    \
    }                                                                                                                          \
    static const cc_winograd_transforms winograd_##m_##_##r_ = {                                                               \
        .m = m_,                                                                                                               \
        .r = r_,                                                                                                               \
        .input = winograd_input_##m_##_##r_,                                                                                   \
        .gradient = winograd_gradient_##m_##_##r_,                                                                             \
        .output = winograd_output_##m_##_##r_,                                                                                 \
        .weights = winograd_weights_##m_##_##r_,                                                                               \
        .transposed = winograd_transposed_##m_##_##r_,                                                                         \
        .weight_gradient = winograd_weight_gradient_##m_##_##r_,                                                               \
    };
CC_WINOGRAD_SIZES(DEFINE_TRANSFORMS)

#endif
