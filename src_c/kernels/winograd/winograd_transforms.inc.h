/* Winograd's convolution with a 3x3 kernel, written once over the vocabulary of simd_*.h: the transforms of
 * tiles and weights.
 *
 * Along one axis, m outputs of a correlation with 3 taps, y[i] = sum over k of d[i + k] g[k], read m + 2 inputs. Take the
 * polynomials with the coefficients g and e (of m terms): their product has m + 2 coefficients, so it is known from its values
 * at m + 2 points; these are products of values of g and of e; and interpolation gives the coefficients (Toom, Cook).
 * Correlation is the transpose of that product, y = A^T [(G g) * (B^T d)], with elementwise * and, for the points p_j and
 * infinity, which stands for the leading coefficient (Winograd, "Arithmetic complexity of computations", 1980; Lavin, Gray,
 * "Fast algorithms for convolutional neural networks", 2016):
 *
 *     A^T[i][j] = p_j^i           column of infinity: 0 ... 0 1      values of e, transposed
 *     G[j][k] = p_j^k / N_j       row of infinity: 0 0 1             values of g; N_j = product over l != j of (p_j - p_l)
 *     B^T[j] = the coefficients of M(x) / (x - p_j), row of infinity: of M(x) = product over l of (x - p_l)
 *
 * An image is treated so along both axes: Y = A^T [(G g G^T) * (B^T d B)] A. The gradients are the transposes of this: of the
 * input, a correlation again; of the weights, dg = G^T [(A dY A^T) * (B^T d B)] G. So m^2 outputs cost (m + 2)^2
 * multiplications, summed over channels, where 9 m^2 are usual: 2.25 times less for m = 2, 4 times for m = 4.
 *
 * m = 2 uses the points 0, 1, -1; all constants are powers of two. m = 4 needs two points more. The usual ones, 2 and -2, lose
 * accuracy: their powers differ much. Points in pairs +-a, +-1/a keep the powers close and make few constants; of those a = 2/3
 * has the least error (half that of the usual points; compare Barabasz, Anderson, Soodhalter, Gregg, "Error analysis and
 * improving the accuracy of Winograd convolution for deep neural networks", 2018). With b = 1/a and
 * M(x) = x (x^2 - a^2) (x^2 - b^2), rows named by their points:
 *
 *     B^T   0    1     0    -s     0    1   0      s = a^2 + b^2       G   1     0      0       A^T   1  1   1    1   1    0
 *          +-a   0  -+a b^2 -b^2  +-a   1   0                              u  +-u a   u a^2           0  a  -a    b  -b    0
 *          +-b   0  -+b a^2 -a^2  +-b   1   0                              v  +-v b   v b^2           0  a^2 a^2  b^2 b^2  0
 *          inf   0    1     0    -s     0   1                              0     0      1             0  a^3 -a^3 b^3 -b^3 1
 *
 * with u = 1 / (2 a^2 (a^2 - b^2)) = -81/130 and v = 1 / (2 b^2 (b^2 - a^2)) = 8/65. A factor on a row of B^T may go to G
 * instead; it would change no rounding but its own. */
#ifndef CC_WINOGRAD_TRANSFORMS_INC_H
#define CC_WINOGRAD_TRANSFORMS_INC_H

#include "kernels/macros.h"
#include "kernels/winograd/winograd_direct.inc.h"
#include "kernels/winograd/winograd_kernels.h"

#define POINT_A  ((float)(2.0 / 3))
#define POINT_B  1.5f
#define A2       ((float)(4.0 / 9))
#define B2       2.25f
#define A3       ((float)(8.0 / 27))
#define B3       3.375f
#define SUM_AB   ((float)(97.0 / 36))   /* a^2 + b^2 */
#define FACTOR_A ((float)(-81.0 / 130)) /* u */
#define FACTOR_B ((float)(8.0 / 65))    /* v */

ALWAYS_INLINE vec scaled(float factor, vec x)
{
    return vec_mul(vec_set1(factor), x);
}

/* y + factor x */
ALWAYS_INLINE vec plus_scaled(vec y, float factor, vec x)
{
    return vec_fma(vec_set1(factor), x, y);
}

/* r = B^T d: m + 2 values from m + 2. */
ALWAYS_INLINE void input_line(const int m, vec *r, const vec *d)
{
    if (m == 2) {
        r[0] = plus_scaled(d[2], -1, d[0]);
        r[1] = vec_add(d[2], d[1]);
        r[2] = plus_scaled(d[2], -1, d[1]);
        r[3] = plus_scaled(d[3], -1, d[1]);
        return;
    }
    const vec even_a = plus_scaled(d[4], -B2, d[2]), odd_a = plus_scaled(d[3], -B2, d[1]);
    const vec even_b = plus_scaled(d[4], -A2, d[2]), odd_b = plus_scaled(d[3], -A2, d[1]);
    r[0] = plus_scaled(vec_add(d[0], d[4]), -SUM_AB, d[2]);
    r[1] = plus_scaled(even_a, POINT_A, odd_a);
    r[2] = plus_scaled(even_a, -POINT_A, odd_a);
    r[3] = plus_scaled(even_b, POINT_B, odd_b);
    r[4] = plus_scaled(even_b, -POINT_B, odd_b);
    r[5] = plus_scaled(vec_add(d[1], d[5]), -SUM_AB, d[3]);
}

/* y = A^T r: m values from m + 2. */
ALWAYS_INLINE void output_line(const int m, vec *y, const vec *r)
{
    const vec sum_a = vec_add(r[1], r[2]), difference_a = plus_scaled(r[1], -1, r[2]);
    if (m == 2) {
        y[0] = vec_add(r[0], sum_a);
        y[1] = vec_add(r[3], difference_a);
        return;
    }
    const vec sum_b = vec_add(r[3], r[4]), difference_b = plus_scaled(r[3], -1, r[4]);
    y[0] = vec_add(r[0], vec_add(sum_a, sum_b));
    y[1] = plus_scaled(scaled(POINT_A, difference_a), POINT_B, difference_b);
    y[2] = plus_scaled(scaled(A2, sum_a), B2, sum_b);
    y[3] = plus_scaled(plus_scaled(r[5], A3, difference_a), B3, difference_b);
}

/* r = A e: m + 2 values from m. */
ALWAYS_INLINE void gradient_line(const int m, vec *r, const vec *e)
{
    r[0] = e[0];
    r[m + 1] = e[m - 1];
    if (m == 2) {
        r[1] = vec_add(e[0], e[1]);
        r[2] = plus_scaled(e[0], -1, e[1]);
        return;
    }
    const vec even_a = plus_scaled(e[0], A2, e[2]), odd_a = plus_scaled(e[1], A2, e[3]);
    const vec even_b = plus_scaled(e[0], B2, e[2]), odd_b = plus_scaled(e[1], B2, e[3]);
    r[1] = plus_scaled(even_a, POINT_A, odd_a);
    r[2] = plus_scaled(even_a, -POINT_A, odd_a);
    r[3] = plus_scaled(even_b, POINT_B, odd_b);
    r[4] = plus_scaled(even_b, -POINT_B, odd_b);
}

/* r = G g: m + 2 values from 3. */
ALWAYS_INLINE void weight_line(const int m, vec *r, const vec *g)
{
    r[m + 1] = g[2];
    if (m == 2) {
        const vec even = vec_add(g[0], g[2]);
        r[0] = scaled(-1, g[0]);
        r[1] = scaled(0.5f, vec_add(even, g[1]));
        r[2] = scaled(0.5f, plus_scaled(even, -1, g[1]));
        return;
    }
    const vec even_a = scaled(FACTOR_A, plus_scaled(g[0], A2, g[2])), odd_a = scaled(FACTOR_A * POINT_A, g[1]);
    const vec even_b = scaled(FACTOR_B, plus_scaled(g[0], B2, g[2])), odd_b = scaled(FACTOR_B * POINT_B, g[1]);
    r[0] = g[0];
    r[1] = vec_add(even_a, odd_a);
    r[2] = plus_scaled(even_a, -1, odd_a);
    r[3] = vec_add(even_b, odd_b);
    r[4] = plus_scaled(even_b, -1, odd_b);
}

/* g = G^T r: 3 values from m + 2. */
ALWAYS_INLINE void weight_gradient_line(const int m, vec *g, const vec *r)
{
    const vec sum_a = vec_add(r[1], r[2]), difference_a = plus_scaled(r[1], -1, r[2]);
    if (m == 2) {
        g[0] = plus_scaled(scaled(-1, r[0]), 0.5f, sum_a);
        g[1] = scaled(0.5f, difference_a);
        g[2] = plus_scaled(r[3], 0.5f, sum_a);
        return;
    }
    const vec sum_b = vec_add(r[3], r[4]), difference_b = plus_scaled(r[3], -1, r[4]);
    g[0] = plus_scaled(plus_scaled(r[0], FACTOR_A, sum_a), FACTOR_B, sum_b);
    g[1] = plus_scaled(scaled(FACTOR_A * POINT_A, difference_a), FACTOR_B * POINT_B, difference_b);
    g[2] = plus_scaled(plus_scaled(r[5], FACTOR_A * A2, sum_a), FACTOR_B * B2, sum_b);
}

/* The same two times, down the columns and along the rows, of a from x from array whose lines become `to` long. */
#define DEFINE_SQUARE(name, line, from, to)                                                                                    \
    ALWAYS_INLINE void name(const int m, vec *out, const vec *in)                                                              \
    {                                                                                                                          \
        vec half[6][6];                                                                                                        \
        UNROLL                                                                                                                 \
        for (int j = 0; j < (from); ++j) {                                                                                     \
            vec before[6], after[6];                                                                                           \
            UNROLL                                                                                                             \
            for (int i = 0; i < (from); ++i) before[i] = in[i * (from) + j];                                                   \
            line(m, after, before);                                                                                            \
            UNROLL                                                                                                             \
            for (int i = 0; i < (to); ++i) half[i][j] = after[i];                                                              \
        }                                                                                                                      \
        UNROLL                                                                                                                 \
        for (int i = 0; i < (to); ++i) line(m, out + i * (to), half[i]);                                                       \
    }

DEFINE_SQUARE(output_square, output_line, m + 2, m)
DEFINE_SQUARE(weight_square, weight_line, 3, m + 2)
DEFINE_SQUARE(weight_gradient_square, weight_gradient_line, m + 2, 3)

/* Rows first .. last-1 of a transformed tile, one vector of channels, each number into its plane. Few rows at a time stay in
 * the registers, which is worth reading pixels more than once; what the rows do not need is not computed. `inside` if there is
 * no pixel outside the image and no part of a vector, else masks[i * side + j] are the channels of each pixel. */
ALWAYS_INLINE void tile_rows(const cc_winograd_tile *tile, float *to, const float *from, const mask *masks, const int m,
                             const int side, const bool gradient, const bool inside, const int first, const int last)
{
    const int64_t row = tile->row, step = tile->column, plane = tile->plane;
    vec half[4][6];
    UNROLL
    for (int j = 0; j < side; ++j) {
        vec pixels[6], line[6];
        UNROLL
        for (int i = 0; i < side; ++i) {
            const float *pixel = from + i * row + j * step;
            pixels[i] = inside ? vec_load(pixel) : vec_load_part(pixel, masks[i * side + j]);
        }
        if (gradient)
            gradient_line(m, line, pixels);
        else
            input_line(m, line, pixels);
        UNROLL
        for (int i = first; i < last; ++i) half[i - first][j] = line[i];
    }
    UNROLL
    for (int i = first; i < last; ++i) {
        vec out[6];
        if (gradient)
            gradient_line(m, out, half[i - first]);
        else
            input_line(m, out, half[i - first]);
        UNROLL
        for (int j = 0; j < m + 2; ++j) vec_store(to + (i * (m + 2) + j) * plane, out[j]);
    }
}

/* All of them; rows that share much of their arithmetic together. */
ALWAYS_INLINE void tile_vector(const cc_winograd_tile *tile, float *to, const float *from, const mask *masks, const int m,
                               const int side, const bool gradient, const bool inside)
{
    if (m == 2) {
        tile_rows(tile, to, from, masks, m, side, gradient, inside, 0, 4);
        return;
    }
    tile_rows(tile, to, from, masks, m, side, gradient, inside, 0, 1);
    tile_rows(tile, to, from, masks, m, side, gradient, inside, 1, 3);
    tile_rows(tile, to, from, masks, m, side, gradient, inside, 3, 5);
    tile_rows(tile, to, from, masks, m, side, gradient, inside, 5, 6);
}

/* A tile of an image, VEC channels at a time: reads `side` x `side` pixels, those outside the image as zeros, and writes one
 * vector into each plane. The pixels that the tile below is the first to read are prefetched. */
ALWAYS_INLINE void tile_body(const cc_winograd_tile *tile, const int m, const int side, const bool gradient)
{
    const bool inside = tile->y0 == 0 && tile->x0 == 0 && tile->y1 == side && tile->x1 == side;
    float *to = tile->to;
    mask masks[36];
    for (int64_t k = 0; k < tile->channels; k += VEC, to += tile->block) {
        const float *from = tile->from + k, *below = from + side * tile->row + (side - m) * tile->column;
        const int64_t left = tile->channels - k;
        UNROLL
        for (int i = 0; i < m; ++i) {
            UNROLL
            for (int j = 0; j < m; ++j) PREFETCH(below + i * tile->row + j * tile->column);
        }
        if (inside && left >= VEC) {
            tile_vector(tile, to, from, NULL, m, side, gradient, true);
            continue;
        }
        if (k == 0 || left < VEC) {
            const mask none = mask_first(0), part = mask_first(left < VEC ? (int)left : VEC);
            for (int i = 0; i < side * side; ++i) masks[i] = none;
            for (int i = tile->y0; i < tile->y1; ++i)
                for (int j = tile->x0; j < tile->x1; ++j) masks[i * side + j] = part;
        }
        tile_vector(tile, to, from, masks, m, side, gradient, false);
    }
}

static void winograd_input_2(const cc_winograd_tile *tile)
{
    tile_body(tile, 2, 4, false);
}

static void winograd_input_4(const cc_winograd_tile *tile)
{
    tile_body(tile, 4, 6, false);
}

static void winograd_gradient_2(const cc_winograd_tile *tile)
{
    tile_body(tile, 2, 2, true);
}

static void winograd_gradient_4(const cc_winograd_tile *tile)
{
    tile_body(tile, 4, 4, true);
}

ALWAYS_INLINE void output_body(const cc_winograd_output *tile, const int m)
{
    for (int k = 0; k < tile->channels; k += VEC) {
        vec sums[36], out[16];
        UNROLL
        for (int i = m; i < 2 * m; ++i) {
            UNROLL
            for (int j = 0; j < m; ++j) PREFETCH_WRITE(tile->y + k + i * tile->row + j * tile->column);
        }
        UNROLL
        for (int i = 0; i < m + 2; ++i) {
            UNROLL
            for (int j = 0; j < m + 2; ++j) sums[i * (m + 2) + j] = vec_load(tile->from + (i * (m + 2) + j) * tile->plane + k);
        }
        output_square(m, out, sums);
        if (tile->source && !are_moderate(out, m * m)) {
            float direct[16 * VEC];
            if (m == 2)
                winograd_direct_2(direct, tile, k);
            else
                winograd_direct_4(direct, tile, k);
            UNROLL
            for (int i = 0; i < m * m; ++i) out[i] = vec_load(direct + i * VEC);
        }
        const mask part = mask_first(tile->channels - k);
        const bool full = tile->channels - k >= VEC;
        const vec bias = tile->bias ? vec_load_part(tile->bias + k, part) : vec_zero();
        float *y = tile->y + k;
        const bool inside = full && tile->rows == m && tile->columns == m;
        UNROLL
        for (int i = 0; i < m * m; ++i) {
            out[i] = vec_add(out[i], bias);
            if (tile->accumulate && i / m < tile->rows && i % m < tile->columns)
                out[i] = vec_add(out[i], vec_load_part(y + i / m * tile->row + i % m * tile->column, part));
            if (tile->relu) out[i] = vec_max(vec_zero(), out[i]);
        }
        if (inside) {
            UNROLL
            for (int i = 0; i < m; ++i) {
                UNROLL
                for (int j = 0; j < m; ++j) vec_store(y + i * tile->row + j * tile->column, out[i * m + j]);
            }
        } else {
            UNROLL
            for (int i = 0; i < m; ++i) {
                UNROLL
                for (int j = 0; j < m; ++j)
                    if (i < tile->rows && j < tile->columns)
                        vec_store_part(y + i * tile->row + j * tile->column, part, out[i * m + j]);
            }
        }
    }
}

static void winograd_output_2(const cc_winograd_output *tile)
{
    output_body(tile, 2);
}

static void winograd_output_4(const cc_winograd_output *tile)
{
    output_body(tile, 4);
}

ALWAYS_INLINE void weights_body(float *to, int64_t plane, const float *w, int64_t tap, int columns, const int m)
{
    for (int k = 0; k < NR; k += VEC) {
        vec taps[9], out[36];
        const mask part = mask_first(columns - k);
        UNROLL
        for (int i = 0; i < 9; ++i) taps[i] = vec_load_part(w + i * tap + (k < columns ? k : 0), part);
        weight_square(m, out, taps);
        UNROLL
        for (int i = 0; i < m + 2; ++i) {
            UNROLL
            for (int j = 0; j < m + 2; ++j) vec_store(to + (i * (m + 2) + j) * plane + k, out[i * (m + 2) + j]);
        }
    }
}

static void winograd_weights_2(float *to, int64_t plane, const float *w, int64_t tap, int columns)
{
    weights_body(to, plane, w, tap, columns, 2);
}

static void winograd_weights_4(float *to, int64_t plane, const float *w, int64_t tap, int columns)
{
    weights_body(to, plane, w, tap, columns, 4);
}

/* The same for `depth` <= VEC channels of the transposed, rotated kernel: their numbers are contiguous in w, the columns
 * `next` apart. */
ALWAYS_INLINE void turned_body(float *to, int64_t plane, const float *w, int64_t tap, int64_t next, int depth, int columns,
                               const int m)
{
    const mask part = mask_first(depth);
    for (int j = 0; j < NR; j += VEC) {
        vec taps[9][VEC];
        for (int t = 0; t < 9; ++t) {
            const float *from = w + (8 - t) * tap + j * next;
            for (int i = 0; i < VEC; ++i) taps[t][i] = j + i < columns ? vec_load_part(from + i * next, part) : vec_zero();
            vec_transpose(taps[t]);
        }
        for (int k = 0; k < depth; ++k) {
            vec in[9], out[36];
            UNROLL
            for (int t = 0; t < 9; ++t) in[t] = taps[t][k];
            weight_square(m, out, in);
            UNROLL
            for (int i = 0; i < m + 2; ++i) {
                UNROLL
                for (int l = 0; l < m + 2; ++l) vec_store(to + (i * (m + 2) + l) * plane + k * NR + j, out[i * (m + 2) + l]);
            }
        }
    }
}

static void winograd_turned_2(float *to, int64_t plane, const float *w, int64_t tap, int64_t next, int depth, int columns)
{
    turned_body(to, plane, w, tap, next, depth, columns, 2);
}

static void winograd_turned_4(float *to, int64_t plane, const float *w, int64_t tap, int64_t next, int depth, int columns)
{
    turned_body(to, plane, w, tap, next, depth, columns, 4);
}

ALWAYS_INLINE bool weight_gradient_body(float *dw, int64_t tap, const float *from, int64_t plane, int columns, const int m)
{
    bool moderate = true;
    for (int k = 0; k < columns; k += VEC) {
        vec sums[36], out[9];
        const mask part = mask_first(columns - k);
        UNROLL
        for (int i = 0; i < m + 2; ++i) {
            UNROLL
            for (int j = 0; j < m + 2; ++j) sums[i * (m + 2) + j] = vec_load(from + (i * (m + 2) + j) * plane + k);
        }
        weight_gradient_square(m, out, sums);
        UNROLL
        for (int i = 0; i < 9; ++i) vec_store_part(dw + i * tap + k, part, out[i]);
        moderate &= are_moderate(out, 9);
    }
    return moderate;
}

static bool winograd_weight_gradient_2(float *dw, int64_t tap, const float *from, int64_t plane, int columns)
{
    return weight_gradient_body(dw, tap, from, plane, columns, 2);
}

static bool winograd_weight_gradient_4(float *dw, int64_t tap, const float *from, int64_t plane, int columns)
{
    return weight_gradient_body(dw, tap, from, plane, columns, 4);
}

static const cc_winograd_transforms winograd_2 = {
    .input = winograd_input_2,
    .gradient = winograd_gradient_2,
    .output = winograd_output_2,
    .weights = winograd_weights_2,
    .transposed = winograd_turned_2,
    .weight_gradient = winograd_weight_gradient_2,
};

static const cc_winograd_transforms winograd_4 = {
    .input = winograd_input_4,
    .gradient = winograd_gradient_4,
    .output = winograd_output_4,
    .weights = winograd_weights_4,
    .transposed = winograd_turned_4,
    .weight_gradient = winograd_weight_gradient_4,
};

#endif
