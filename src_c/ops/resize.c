/* resize: images of another size, x (n, w, c), (n, h, w, c) or (n, d, h, w, c) -> y with sizes `size` between batch and channels.
 *
 * An output cell i of an axis lies at s = (i + 1/2 - translation) / scale of the input, whose cell k has its centre at k + 1/2. It
 * is the sum of x[k] K((k + 1/2 - s) / f) over the cells there are, divided by the sum of its weights K. f is 1, and with
 * antialias 1 / scale where that is larger: then no cell of a shrunken image is passed over. The weights of an axis are a band, and
 * those of dx are the band with rows and columns exchanged, so that both passes are one function.
 *
 * A row of the output is first the sum of rows of the input, and then, along the last axis, of cells of that sum. */
#include "kernels/kernels.h"
#include "ops/infer.h"
#include <math.h>
#include <string.h>

enum { NEAREST, BILINEAR, BICUBIC, LANCZOS3, LANCZOS5, AXES = 3, TAPS = 16 };

typedef struct resize {
    cc_list size;
    int interpolation, antialias;
    cc_floats scale, translation;
} resize;

static const cc_attr resize_attributes[] = {
    {"size", CC_LIST, offsetof(resize, size), "", NULL,
     "cells of the output along each axis between batch and channels; none: those of the input times scale, rounded down"},
    {"interpolation", CC_ENUM, offsetof(resize, interpolation), "bilinear", "nearest|bilinear|bicubic|lanczos3|lanczos5",
     "nearest: the cell it lies in; the others: a weighted mean of cells less than 1, 2, 3, 5 away"},
    {"antialias", CC_BOOL, offsetof(resize, antialias), "0", NULL,
     "1: where the image shrinks, the mean is taken over as many more cells; nearest does not read it"},
    {"scale", CC_FLOATS, offsetof(resize, scale), "", NULL,
     "output cells for each input cell, an axis each; none: the size of the output divided by that of the input"},
    {"translation", CC_FLOATS, offsetof(resize, translation), "", NULL,
     "cells of the output by which the image is moved along each axis; what lies outside is 0; none: 0"},
    {0}};

/* Cells of one axis, and how they are weighted. */
typedef struct axis {
    int64_t in, out;
    double scale, translation, reach, factor; /* reach: of the kernel, in input cells */
    bool exact;                               /* scale is out / in, and nothing is moved */
} axis;

static axis resize_axis(const cc_call *call, int k, int rank)
{
    static const double radius[] = {0.5, 1, 2, 3, 5};
    const resize *a = call->attributes;
    const int own = k - (AXES - rank); /* an image of fewer axes has ones of a single cell before its own */
    axis s = {.in = 1, .out = 1, .scale = 1, .factor = 1, .exact = true};
    if (own >= 0) {
        s.in = call->xs[0].dim[1 + own];
        const double scaled = a->scale.n ? floor((double)s.in * (double)a->scale.v[own]) : 0;
        s.out = a->size.n ? a->size.v[own] : s.in < 0 ? CC_UNKNOWN : scaled < (double)INT32_MAX ? (int64_t)scaled : INT32_MAX;
        s.exact = !a->scale.n && !a->translation.n;
        s.scale = a->scale.n ? (double)a->scale.v[own] : (double)s.out / (double)s.in;
        s.translation = a->translation.n ? (double)a->translation.v[own] : 0;
    }
    if (a->antialias && a->interpolation != NEAREST && s.scale < 1) s.factor = 1 / s.scale;
    s.reach = radius[a->interpolation] * s.factor;
    return s;
}

static int64_t resize_most_taps(const axis *s)
{
    const double most = ceil(2 * s->reach) + 1;
    return most < (double)s->in ? (int64_t)most : s->in;
}

static cconv_status resize_infer(const cc_call *call, cc_shape *ys)
{
    const resize *a = call->attributes;
    char text[CC_SHAPE_TEXT];
    int rank;
    CC_TRY(cc_infer_image(call, 0, &rank));
    if (a->size.n != rank && (a->size.n || !a->scale.n))
        return cc_op_fail(call, CCONV_INVALID, "expected a size for each of the %d axes of the image, or a scale, received %d",
                          rank, a->size.n);
    if ((a->scale.n && a->scale.n != rank) || (a->translation.n && a->translation.n != rank))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected scale and translation for each of %d axes, or none, received %d and %d", rank, a->scale.n,
                          a->translation.n);
    *ys = call->xs[0];
    for (int k = 0; k < rank; ++k) {
        if (a->scale.n && !(a->scale.v[k] >= 1e-6f && a->scale.v[k] <= 1e6f))
            return cc_op_fail(call, CCONV_INVALID, "expected a scale from 1e-6 to 1e6, received %g", (double)a->scale.v[k]);
        if (ys->dim[1 + k] == 0 || ys->dim[1 + k] > INT32_MAX / 64)
            return cc_op_fail(call, CCONV_INVALID,
                              "expected images of at least one cell, and at most %d a side, received shape %s", INT32_MAX / 64,
                              cc_shape_text(&call->xs[0], text));
        const axis s = resize_axis(call, AXES - rank + k, rank);
        ys->dim[1 + k] = s.out;
        if (s.out == CC_UNKNOWN) continue;
        if (s.out < 1 || s.out > INT32_MAX / 64)
            return cc_op_fail(call, CCONV_INVALID, "expected sizes from 1 to %d, received %lld for shape %s", INT32_MAX / 64,
                              (long long)s.out, cc_shape_text(&call->xs[0], text));
        if (s.in > 0 && s.out > (INT32_MAX / 2) / resize_most_taps(&s))
            return cc_op_fail(call, CCONV_INVALID, "expected less than %d weights, received size %lld for shape %s",
                              INT32_MAX / 2, (long long)s.out, cc_shape_text(&call->xs[0], text));
    }
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a result that fits in memory, received shape %s",
                          cc_shape_text(ys, text));
    return CCONV_OK;
}

static double resize_sinc(double x)
{
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

/* The kernel at a distance below its radius. Bicubic: Keys, "Cubic convolution interpolation for digital image processing", 1981,
 * equation 15. Lanczos: a sinc, damped by a wider one. */
static double resize_kernel(int interpolation, double x)
{
    x = fabs(x);
    switch (interpolation) {
    case BILINEAR: return x < 1 ? 1 - x : 0;
    case BICUBIC: return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    case LANCZOS3: return x < 3 ? resize_sinc(x) * resize_sinc(x / 3) : 0;
    case LANCZOS5: return x < 5 ? resize_sinc(x) * resize_sinc(x / 5) : 0;
    default: return 1;
    }
}

/* Bytes of the band of an axis, and of the same with rows and columns exchanged. */
static uint64_t resize_band_bytes(const axis *s)
{
    const uint64_t taps = (uint64_t)s->out * (uint64_t)resize_most_taps(s);
    return (2 * taps + 2 * (uint64_t)(s->in + s->out + 2)) * sizeof(float);
}

static cc_band resize_band(const axis *s, int interpolation, void *memory)
{
    int32_t *first = memory, *begin = first + s->out;
    float *weight = (float *)(void *)(begin + s->out + 1);
    int32_t taps = 0;
    for (int64_t i = 0; i < s->out; ++i) {
        const double at = ((double)i + 0.5 - s->translation) / s->scale;
        int64_t low = at < 0 ? 0 : s->in, high = low; /* its cells; outside of the image there are none */
        if (at >= 0 && at <= (double)s->in && interpolation == NEAREST) {
            low = s->exact ? (2 * i + 1) * s->in / (2 * s->out) : (int64_t)floor(at); /* by whole numbers where that can be */
            high = low + 1;
        } else if (at >= 0 && at <= (double)s->in) {
            low = (int64_t)floor(at - s->reach - 0.5) + 1;
            high = (int64_t)ceil(at + s->reach - 0.5);
        }
        if (low < 0) low = 0;
        if (high > s->in) high = s->in;
        double sum = 0;
        for (int64_t k = low; k < high; ++k) sum += resize_kernel(interpolation, ((double)k + 0.5 - at) / s->factor);
        first[i] = (int32_t)low;
        begin[i] = taps;
        for (int64_t k = low; k < high; ++k)
            weight[taps++] = (float)(resize_kernel(interpolation, ((double)k + 0.5 - at) / s->factor) / sum);
    }
    begin[s->out] = taps;
    return (cc_band){s->out, first, begin, weight};
}

/* Rows and columns exchanged. The rows that have a column follow each other, since first and last columns never go back. */
static cc_band resize_exchanged(const cc_band *band, int64_t columns, void *memory)
{
    int32_t *first = memory, *begin = first + columns;
    float *weight = (float *)(void *)(begin + columns + 1);
    memset(memory, 0, (size_t)(2 * columns + 1) * sizeof *first);
    for (int64_t r = band->rows - 1; r >= 0; --r)
        for (int32_t t = band->begin[r]; t < band->begin[r + 1]; ++t) {
            const int64_t column = band->first[r] + (t - band->begin[r]);
            first[column] = (int32_t)r;
            ++begin[column + 1];
        }
    for (int64_t k = 0; k < columns; ++k) begin[k + 1] += begin[k];
    for (int64_t r = 0; r < band->rows; ++r)
        for (int32_t t = band->begin[r]; t < band->begin[r + 1]; ++t) {
            const int64_t column = band->first[r] + (t - band->begin[r]);
            weight[begin[column] + (int32_t)r - first[column]] = band->weight[t];
        }
    return (cc_band){columns, first, begin, weight};
}

/* What both passes need to know. */
typedef struct plan {
    axis axes[AXES];
    uint64_t bands, row; /* bytes of all bands, and of a row of the input of either pass */
} plan;

static plan resize_plan(const cc_call *call, bool back)
{
    const int rank = call->xs[0].rank - 2;
    plan p = {.bands = 0};
    for (int k = 0; k < AXES; ++k) {
        p.axes[k] = resize_axis(call, k, rank);
        p.bands += resize_band_bytes(&p.axes[k]);
    }
    const axis *last = &p.axes[AXES - 1];
    p.row = (uint64_t)(back ? last->out : last->in) * (uint64_t)call->xs[0].dim[1 + rank] * sizeof(float);
    p.bands = (p.bands + 63) / 64 * 64;
    p.row = (p.row + 63) / 64 * 64;
    return p;
}

static void resize_need(const cc_call *call, int nth, cc_need *need)
{
    const plan forward = resize_plan(call, false), backward = resize_plan(call, true);
    need->forward_scratch = (uint64_t)nth * (forward.bands + forward.row);
    if (call->differentiate) need->backward_scratch = (uint64_t)nth * (backward.bands + backward.row);
}

/* Whether row r of a band and the one before it choose the same row, with the same weight. */
static bool resize_repeats(const cc_band *band, int64_t r)
{
    const int32_t *b = &band->begin[r];
    return band->first[r - 1] == band->first[r] && b[0] - b[-1] == 1 && b[1] - b[0] == 1 &&
           band->weight[b[-1]] == band->weight[b[0]];
}

/* Row (d, h) of an image made of the rows of another: the sum over both axes' taps, or where there is one the row itself. */
static const float *resize_row(const cc_band bands[AXES], const float *x, int64_t d, int64_t h, int64_t rows, int64_t n,
                               float *sum)
{
    const cc_band *outer = &bands[0], *inner = &bands[1];
    const int32_t *b = &outer->begin[d], *c = &inner->begin[h];
    const float *in[TAPS + 1];
    float weight[TAPS + 1];
    int taps = 0;
    bool begun = false;
    if (b[1] - b[0] == 1 && c[1] - c[0] == 1 && outer->weight[b[0]] * inner->weight[c[0]] == 1)
        return x + (outer->first[d] * rows + inner->first[h]) * n;
    if (b[1] == b[0] || c[1] == c[0]) memset(sum, 0, (size_t)n * sizeof *sum);
    for (int32_t i = b[0]; i < b[1]; ++i)
        for (int32_t j = c[0]; j < c[1]; ++j) {
            const int64_t plane = outer->first[d] + (i - b[0]), row = inner->first[h] + (j - c[0]);
            in[taps] = x + (plane * rows + row) * n;
            weight[taps++] = outer->weight[i] * inner->weight[j];
            if (taps < TAPS && (i + 1 < b[1] || j + 1 < c[1])) continue;
            if (begun) { /* more rows than fit: to what there is so far */
                in[taps] = sum;
                weight[taps++] = 1;
            }
            cc_kernels_get()->band.combine(sum, in, weight, taps, n);
            begun = true;
            taps = 0;
        }
    return sum;
}

static void resize_run(const cc_call *call, const cc_team *team, const float *x, float *y, bool back)
{
    const resize *a = call->attributes;
    const plan p = resize_plan(call, back);
    const int64_t n = call->xs[0].dim[0], channels = call->xs[0].dim[call->xs[0].rank - 1];
    char *memory = (char *)call->scratch + (uint64_t)team->ith * (p.bands + p.row);
    float *sum = (float *)(void *)(memory + p.bands);
    int64_t in[AXES], out[AXES];
    for (int k = 0; k < AXES; ++k) {
        in[k] = back ? p.axes[k].out : p.axes[k].in;
        out[k] = back ? p.axes[k].in : p.axes[k].out;
    }
    const int64_t row = in[2] * channels, width = out[2] * channels, volume = in[0] * in[1] * row;
    const cc_range mine = cc_slice(team, n * out[0] * out[1], 4096 / (row + width + 1) + 1);
    if (mine.begin >= mine.end) return;
    cc_band bands[AXES];
    for (int k = 0; k < AXES; ++k) {
        const axis *s = &p.axes[k];
        bands[k] = resize_band(s, a->interpolation, memory);
        memory += (2 * (uint64_t)s->out + 1 + (uint64_t)bands[k].begin[s->out]) * sizeof(float);
        if (!back) continue;
        const int32_t taps = bands[k].begin[s->out];
        bands[k] = resize_exchanged(&bands[k], s->in, memory);
        memory += (2 * (uint64_t)s->in + 1 + (uint64_t)taps) * sizeof(float);
    }
    for (int64_t r = mine.begin; r < mine.end; ++r) {
        const int64_t h = r % out[1], d = r / out[1] % out[0], image = r / (out[0] * out[1]);
        float *to = y + r * width;
        if (r > mine.begin && h > 0 && resize_repeats(&bands[1], h)) {
            memcpy(to, to - width, (size_t)width * sizeof *to);
            continue;
        }
        const float *from = resize_row(bands, x + image * volume, d, h, in[1], row, sum);
        if (in[2] == out[2] && p.axes[2].exact)
            memcpy(to, from, (size_t)width * sizeof *to);
        else
            cc_kernels_get()->band.cells(to, from, &bands[2], channels);
    }
}

static void resize_forward(const cc_call *call, const cc_team *team)
{
    resize_run(call, team, call->x[0], call->y, false);
}

static void resize_backward(const cc_call *call, const cc_team *team)
{
    if (call->dx[0]) resize_run(call, team, call->dy, call->dx[0], true);
}

const cc_op cc_op_resize = {.name = "resize",
                            .inputs = "x",
                            .attributes = resize_attributes,
                            .attributes_size = sizeof(resize),
                            .per_sample = cc_per_sample_x,
                            .infer = resize_infer,
                            .need = resize_need,
                            .forward = resize_forward,
                            .backward = resize_backward};
