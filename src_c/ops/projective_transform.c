/* projective_transform: images seen through a projective map, each its own: x (n, h, w, c), transform (n, 8) or (8,) -> y of x's
 * shape or, in rows and columns, of `size`. With transform a0 a1 a2 b0 b1 b2 c0 c1 the cell in row i and column j of y is x at
 *
 *     column (a0 j + a1 i + a2) / k,   row (b0 j + b1 i + b2) / k,   k = c0 j + c1 i + 1
 *
 * interpolated between the cells around that place. A cell outside of the image is one inside, or a value: fill_mode. dx gets each
 * dy where it came from, summed in the order of rows and columns of y; no gradient flows to the transform. */
#include "ops/infer.h"
#include <math.h>
#include <string.h>

enum { NEAREST, BILINEAR };
enum { FILL_CONSTANT, FILL_NEAREST, FILL_REFLECT, FILL_WRAP, FILL_MIRROR };

typedef struct projective_transform {
    int interpolation, fill_mode;
    float fill_value;
    cc_list size;
} projective_transform;

static const cc_attr projective_transform_attributes[] = {
    {"interpolation", CC_ENUM, offsetof(projective_transform, interpolation), "bilinear", "nearest|bilinear",
     "nearest: the nearest cell; bilinear: the weighted mean of the four around"},
    {"fill_mode", CC_ENUM, offsetof(projective_transform, fill_mode), "constant", "constant|nearest|reflect|wrap|mirror",
     "what stands outside: fill_value; the nearest cell; the image mirrored at its edge; repeated; mirrored at its last cells"},
    {"fill_value", CC_FLOAT, offsetof(projective_transform, fill_value), "0", NULL,
     "of fill_mode=constant: what stands outside"},
    {"size", CC_LIST, offsetof(projective_transform, size), "", NULL, "rows and columns of the output; none: those of x"},
    {0}};

static cconv_status projective_transform_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0], *ts = &call->xs[1];
    char text[2][CC_SHAPE_TEXT];
    CC_TRY(cc_op_check_rank(call, 0, 4, "n, h, w, c"));
    const bool fits =
        (ts->rank == 1 || (ts->rank == 2 && cc_agree(ts->dim[0], xs->dim[0]))) && cc_agree(ts->dim[ts->rank - 1], 8);
    if (!fits)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected a transform of 8 numbers, or 8 for each image, received shape %s for %s",
                          cc_shape_text(ts, text[0]), cc_shape_text(xs, text[1]));
    if (xs->dim[1] > INT32_MAX / 4 || xs->dim[2] > INT32_MAX / 4)
        return cc_op_fail(call, CCONV_INVALID, "expected images of at most %d cells a side, received shape %s", INT32_MAX / 4,
                          cc_shape_text(xs, text[0]));
    const cc_list *size = &((const projective_transform *)call->attributes)->size;
    if (size->n &&
        (size->n != 2 || size->v[0] < 1 || size->v[1] < 1 || size->v[0] > INT32_MAX / 4 || size->v[1] > INT32_MAX / 4))
        return cc_op_fail(call, CCONV_INVALID, "expected a size of two numbers from 1 to %d, or none, received %d numbers",
                          INT32_MAX / 4, size->n);
    *ys = *xs;
    for (int k = 0; k < size->n; ++k) ys->dim[1 + k] = size->v[k];
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a result that fits in memory, received shape %s",
                          cc_shape_text(ys, text[0]));
    if (ts->rank == 2 && ys->dim[0] < 0) ys->dim[0] = ts->dim[0];
    return CCONV_OK;
}

/* The cell of an axis that stands at i, or -1: the fill value. */
static inline int64_t projective_transform_cell(int64_t i, int64_t n, int fill_mode)
{
    if (i >= 0 && i < n) return i;
    switch (fill_mode) {
    case FILL_NEAREST: return i < 0 ? 0 : n - 1;
    case FILL_WRAP: return ((i % n) + n) % n;
    case FILL_REFLECT: {
        const int64_t k = ((i % (2 * n)) + 2 * n) % (2 * n);
        return k < n ? k : 2 * n - 1 - k;
    }
    case FILL_MIRROR: {
        if (n == 1) return 0;
        const int64_t period = 2 * (n - 1), k = ((i % period) + period) % period;
        return k < n ? k : period - k;
    }
    default: return -1;
    }
}

/* Up to four cells of x that make one of y: their weights, and their elements, or -1. */
typedef struct sample {
    int n;
    float weight[4];
    int64_t element[4];
} sample;

/* A place far away is told from others no more. */
static inline float projective_transform_bounded(float place)
{
    const float most = 1e9f;
    return place < -most ? -most : place > most ? most : place;
}

static inline int64_t projective_transform_element(const projective_transform *a, int64_t i, int64_t j, int64_t h, int64_t w,
                                                   int64_t c)
{
    const int64_t row = projective_transform_cell(i, h, a->fill_mode), column = projective_transform_cell(j, w, a->fill_mode);
    return row < 0 || column < 0 ? -1 : (row * w + column) * c;
}

static inline sample projective_transform_sample(const projective_transform *a, const float *t, int64_t i, int64_t j, int64_t h,
                                                 int64_t w, int64_t c)
{
    const float fi = (float)i, fj = (float)j, k = t[6] * fj + t[7] * fi + 1;
    const float column = projective_transform_bounded((t[0] * fj + t[1] * fi + t[2]) / k);
    const float row = projective_transform_bounded((t[3] * fj + t[4] * fi + t[5]) / k);
    if (isnan(row) || isnan(column)) return (sample){1, {NAN}, {-1}}; /* nowhere */
    if (a->interpolation == NEAREST) {
        const int64_t y = (int64_t)rintf(row), x = (int64_t)rintf(column);
        return (sample){1, {1}, {projective_transform_element(a, y, x, h, w, c)}};
    }
    const float top = floorf(row), left = floorf(column), v = row - top, u = column - left;
    const int64_t y = (int64_t)top, x = (int64_t)left;
    sample s = {4, {(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u}, {0}};
    if (y >= 0 && y + 1 < h && x >= 0 && x + 1 < w) {
        const int64_t first = (y * w + x) * c;
        s.element[0] = first;
        s.element[1] = first + c;
        s.element[2] = first + w * c;
        s.element[3] = first + (w + 1) * c;
        return s;
    }
    for (int k4 = 0; k4 < 4; ++k4) s.element[k4] = projective_transform_element(a, y + k4 / 2, x + k4 % 2, h, w, c);
    return s;
}

static const float *projective_transform_of(const cc_call *call, int64_t image)
{
    return call->x[1] + (call->xs[1].rank == 2 ? image * 8 : 0);
}

static void projective_transform_forward(const cc_call *call, const cc_team *team)
{
    const projective_transform *a = call->attributes;
    const int64_t n = call->ys.dim[0], h = call->xs[0].dim[1], w = call->xs[0].dim[2], c = call->ys.dim[3];
    const int64_t oh = call->ys.dim[1], ow = call->ys.dim[2];
    const cc_range mine = cc_slice(team, n * oh, 512 / (ow * (c + 4) + 1) + 1);
    for (int64_t r = mine.begin; r < mine.end; ++r) {
        const float *x = call->x[0] + r / oh * h * w * c, *t = projective_transform_of(call, r / oh);
        float *y = call->y + r * ow * c;
        for (int64_t j = 0; j < ow; ++j, y += c) {
            const sample s = projective_transform_sample(a, t, r % oh, j, h, w, c);
            if (s.n == 4 && s.element[0] >= 0 && s.element[1] >= 0 && s.element[2] >= 0 && s.element[3] >= 0) {
                const float *p = x + s.element[0], *q = x + s.element[1], *u = x + s.element[2], *v = x + s.element[3];
                for (int64_t ch = 0; ch < c; ++ch)
                    y[ch] = s.weight[0] * p[ch] + s.weight[1] * q[ch] + s.weight[2] * u[ch] + s.weight[3] * v[ch];
                continue;
            }
            for (int64_t ch = 0; ch < c; ++ch) {
                float sum = 0;
                for (int k = 0; k < s.n; ++k) sum += s.weight[k] * (s.element[k] < 0 ? a->fill_value : x[s.element[k] + ch]);
                y[ch] = sum;
            }
        }
    }
}

/* Each thread owns whole images. */
static void projective_transform_backward(const cc_call *call, const cc_team *team)
{
    const projective_transform *a = call->attributes;
    const int64_t n = call->ys.dim[0], h = call->xs[0].dim[1], w = call->xs[0].dim[2], c = call->ys.dim[3];
    const int64_t oh = call->ys.dim[1], ow = call->ys.dim[2];
    cc_no_gradient(call, 1, team);
    if (!call->dx[0]) return;
    const cc_range mine = cc_slice(team, n, 512 / (oh * ow * (c + 4) + 1) + 1);
    for (int64_t image = mine.begin; image < mine.end; ++image) {
        float *dx = call->dx[0] + image * h * w * c;
        const float *dy = call->dy + image * oh * ow * c, *t = projective_transform_of(call, image);
        memset(dx, 0, (size_t)(h * w * c) * sizeof *dx);
        for (int64_t p = 0; p < oh * ow; ++p, dy += c) {
            const sample s = projective_transform_sample(a, t, p / ow, p % ow, h, w, c);
            for (int k = 0; k < s.n; ++k) {
                if (s.element[k] < 0) continue;
                for (int64_t ch = 0; ch < c; ++ch) dx[s.element[k] + ch] += s.weight[k] * dy[ch];
            }
        }
    }
}

static bool projective_transform_per_sample(const cc_call *call)
{
    return cc_is_batched(&call->xs[0]);
}

const cc_op cc_op_projective_transform = {.name = "projective_transform",
                                          .inputs = "x transform",
                                          .meaning = "x: images; transform: a0 a1 a2 b0 b1 b2 c0 c1, of each image or of all",
                                          .attributes = projective_transform_attributes,
                                          .attributes_size = sizeof(projective_transform),
                                          .reads = CC_READS_X(1),
                                          .per_sample = projective_transform_per_sample,
                                          .infer = projective_transform_infer,
                                          .forward = projective_transform_forward,
                                          .backward = projective_transform_backward};
