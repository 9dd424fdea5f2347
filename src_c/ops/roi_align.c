/* roi_align: parts of images brought to one size (He, Gkioxari, Dollar, Girshick: Mask R-CNN, ICCV 2017; ONNX' RoiAlign).
 * x (n, h, w, c), rois (r, 4) and batch_indices (r) -> y (r, oh, ow, c), where size is oh, ow.
 *
 * A roi is x1, y1, x2, y2 in its image, times spatial_scale, less 1/2 in cells counted from the centre of the first. It is divided
 * into oh times ow bins, a bin into as many samples along each axis as sampling_ratio says, or as a bin has cells, rounded up. A
 * sample is the mean of the four cells around its place, weighted by how near they are; one more than a cell away from all of them
 * is 0. A bin is the mean of its samples, or the largest of all products of a cell and its weight.
 *
 * dx gets each dy where it was taken from, summed in the order of rois and bins. No gradient flows to the rois. */
#include "kernels/kernels.h"
#include "ops/infer.h"
#include <math.h>
#include <string.h>

enum { AVG, MAX };
enum { HALF_PIXEL, OUTPUT_HALF_PIXEL };
enum { TAPS = 16, CHANNELS = 64, MOST_SAMPLES = 4096 };

typedef struct roi_align {
    cc_list size;
    int64_t sampling_ratio;
    float spatial_scale;
    int mode, coordinate_transformation;
} roi_align;

static const cc_attr roi_align_attributes[] = {
    {"size", CC_LIST, offsetof(roi_align, size), NULL, NULL, "rows and columns of the output"},
    {"sampling_ratio", CC_INT, offsetof(roi_align, sampling_ratio), "0", NULL,
     "samples of a bin along each axis; 0: as many as it has cells, rounded up"},
    {"spatial_scale", CC_FLOAT, offsetof(roi_align, spatial_scale), "1", NULL, "cells of x for each unit of the rois"},
    {"mode", CC_ENUM, offsetof(roi_align, mode), "avg", "avg|max",
     "avg: the mean of the samples; max: the largest of the products that they are sums of"},
    {"coordinate_transformation", CC_ENUM, offsetof(roi_align, coordinate_transformation), "half_pixel",
     "half_pixel|output_half_pixel",
     "half_pixel: 1/2 is taken off, since the centre of a cell lies there; output_half_pixel: it is not, and a roi has a cell "
     "or "
     "more a side"},
    {0}};

static cconv_status roi_align_infer(const cc_call *call, cc_shape *ys)
{
    const roi_align *a = call->attributes;
    const cc_shape *xs = &call->xs[0], *rs = &call->xs[1], *bs = &call->xs[2];
    char text[2][CC_SHAPE_TEXT];
    CC_TRY(cc_op_check_rank(call, 0, 4, "n, h, w, c"));
    if (rs->rank != 2 || bs->rank != 1 || !cc_agree(rs->dim[1], 4) || !cc_agree(rs->dim[0], bs->dim[0]))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected rois of shape (r, 4) and a batch index for each, received shapes %s and %s",
                          cc_shape_text(rs, text[0]), cc_shape_text(bs, text[1]));
    if (a->size.n != 2 || a->size.v[0] < 1 || a->size.v[1] < 1 || a->size.v[0] > INT32_MAX / 4 || a->size.v[1] > INT32_MAX / 4)
        return cc_op_fail(call, CCONV_INVALID, "expected a size of two numbers from 1 to %d, received %d numbers, %lld first",
                          INT32_MAX / 4, a->size.n, (long long)a->size.v[0]);
    if (a->sampling_ratio < 0 || a->sampling_ratio > MOST_SAMPLES)
        return cc_op_fail(call, CCONV_INVALID, "expected a sampling_ratio from 0 to %d, received %lld", MOST_SAMPLES,
                          (long long)a->sampling_ratio);
    for (int k = 1; k < 3; ++k)
        if (xs->dim[k] == 0 || xs->dim[k] > INT32_MAX / 4)
            return cc_op_fail(call, CCONV_INVALID,
                              "expected images of at least one cell, and at most %d a side, received shape %s", INT32_MAX / 4,
                              cc_shape_text(xs, text[0]));
    *ys = (cc_shape){.rank = 4, .dim = {rs->dim[0] < 0 ? bs->dim[0] : rs->dim[0], a->size.v[0], a->size.v[1], xs->dim[3]}};
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a result that fits in memory, received shape %s",
                          cc_shape_text(ys, text[0]));
    return CCONV_OK;
}

/* The samples of a bin along an axis: number i lies at start + (i + 1/2) step. Those from begin to end may lie inside. */
typedef struct line {
    double start, step, samples;
    int64_t n, begin, end;
} line;

static inline int64_t roi_align_clamped(double i, double most)
{
    return i > 0 ? (int64_t)(i < most ? i : most) : 0;
}

/* Of bin o among `out`, of a roi from low to high on an axis of n cells. */
static line roi_align_line(const roi_align *a, float low, float high, int64_t o, int64_t out, int64_t n)
{
    const double scale = (double)a->spatial_scale, off = a->coordinate_transformation == HALF_PIXEL ? 0.5 : 0;
    const double most = 1e9, first = (double)low * scale - off;
    double size = (double)high * scale - off - first;
    if (a->coordinate_transformation == OUTPUT_HALF_PIXEL && size < 1) size = 1;
    const double bin = size / (double)out, wanted = a->sampling_ratio ? (double)a->sampling_ratio : ceil(bin);
    line l = {.start = first + (double)o * bin, .samples = wanted < most ? wanted : most, .n = n};
    if (!(l.samples > 0)) l.samples = 0;
    l.step = bin / l.samples;
    if (!isfinite(l.start) || !isfinite(l.step)) return l; /* or there are none */
    l.end = (int64_t)l.samples;
    if (l.step <= 0) return l;
    l.begin = roi_align_clamped(floor((-1 - l.start) / l.step - 0.5), l.samples);
    l.end = roi_align_clamped(ceil(((double)n - l.start) / l.step - 0.5) + 1, l.samples);
    if (l.end < l.begin) l.end = l.begin;
    return l;
}

/* Two neighbours on an axis, the weight of the second. */
typedef struct pair {
    int64_t low, high;
    double weight;
} pair;

/* False if sample i lies outside. */
static bool roi_align_pair(const line *l, int64_t i, pair *p)
{
    double place = l->start + ((double)i + 0.5) * l->step;
    if (!(place >= -1 && place <= (double)l->n)) return false;
    if (place < 0) place = 0;
    p->low = (int64_t)place;
    p->high = p->low + 1;
    p->weight = place - (double)p->low;
    if (p->low >= l->n - 1) *p = (pair){l->n - 1, l->n - 1, 0};
    return true;
}

/* Four cells of an image of w columns, and their weights. */
typedef struct sample {
    int64_t element[4];
    float weight[4];
} sample;

static sample roi_align_sample(const pair *row, const pair *column, int64_t w, int64_t c, double share)
{
    const double v = row->weight, u = column->weight;
    return (sample){{(row->low * w + column->low) * c, (row->low * w + column->high) * c, (row->high * w + column->low) * c,
                     (row->high * w + column->high) * c},
                    {(float)((1 - v) * (1 - u) * share), (float)((1 - v) * u * share), (float)(v * (1 - u) * share),
                     (float)(v * u * share)}};
}

/* A bin: its samples along both axes, and how many there are. */
typedef struct bin {
    line rows, columns;
    double count;
    bool nowhere; /* a number of the roi is NaN */
    int64_t w, c;
} bin;

static bin roi_align_bin(const cc_call *call, int64_t roi, int64_t i, int64_t j)
{
    const roi_align *a = call->attributes;
    const float *r = call->x[1] + roi * 4;
    const int64_t *xs = call->xs[0].dim;
    bin b = {.rows = roi_align_line(a, r[1], r[3], i, a->size.v[0], xs[1]),
             .columns = roi_align_line(a, r[0], r[2], j, a->size.v[1], xs[2]),
             .w = xs[2],
             .c = xs[3]};
    b.count = b.rows.samples * b.columns.samples;
    b.nowhere = isnan(r[0]) || isnan(r[1]) || isnan(r[2]) || isnan(r[3]);
    return b;
}

/* The first sample of a bin from number *next on that lies inside, each weight times `share`; false if there is none. */
static bool roi_align_next(const bin *b, double share, int64_t *next, sample *s)
{
    const int64_t columns = b->columns.end - b->columns.begin, all = (b->rows.end - b->rows.begin) * columns;
    while (*next < all) {
        const int64_t i = b->rows.begin + *next / columns, j = b->columns.begin + *next % columns;
        pair row, column;
        ++*next;
        if (!roi_align_pair(&b->rows, i, &row)) {
            *next = (i - b->rows.begin + 1) * columns;
            continue;
        }
        if (!roi_align_pair(&b->columns, j, &column)) continue;
        *s = roi_align_sample(&row, &column, b->w, b->c, share);
        return true;
    }
    return false;
}

/* The mean of the samples: 16 cells at a time are added to what there is. */
static void roi_align_mean(const bin *b, const float *x, float *y)
{
    const float *in[TAPS + 1];
    float weight[TAPS + 1];
    int taps = 0;
    bool begun = false;
    sample s;
    for (int64_t next = 0, more = 1; more;) {
        more = roi_align_next(b, 1 / b->count, &next, &s);
        for (int k = 0; more && k < 4; ++k) {
            in[taps] = x + s.element[k];
            weight[taps++] = s.weight[k];
        }
        if (taps < TAPS && (more || (begun && taps == 0))) continue;
        if (begun) {
            in[taps] = y;
            weight[taps++] = 1;
        }
        cc_kernels_get()->blend.combine(y, in, weight, taps, b->c);
        begun = true;
        taps = 0;
    }
}

/* The largest product of a cell and its weight. With `from`, the weights and elements of the first that is it, too; a weight of 0:
 * none. */
static void roi_align_largest(const bin *b, const float *x, int64_t count, float *y, int64_t *from, float *weight)
{
    double inside = 0;
    sample s;
    for (int64_t next = 0; roi_align_next(b, 1, &next, &s); ++inside)
        for (int k = 0; k < 4; ++k)
            for (int64_t ch = 0; ch < count; ++ch) {
                const float v = s.weight[k] * x[s.element[k] + ch];
                if ((inside > 0 || k > 0) && !(v > y[ch] || v != v)) continue;
                y[ch] = v;
                if (!from) continue;
                from[ch] = s.element[k] + ch;
                weight[ch] = s.weight[k];
            }
    for (int64_t ch = 0; ch < count && inside < b->count + (b->count == 0); ++ch) { /* those outside are 0 */
        if (inside > 0 && !(y[ch] < 0)) continue;
        y[ch] = 0;
        if (from) weight[ch] = 0;
    }
}

/* The image of a roi, or -1. */
static int64_t roi_align_image(const cc_call *call, int64_t roi)
{
    const int64_t image = cc_ints(call->x[2])[roi];
    return image >= 0 && image < call->xs[0].dim[0] ? image : -1;
}

static void roi_align_forward(const cc_call *call, const cc_team *team)
{
    const roi_align *a = call->attributes;
    const int64_t oh = a->size.v[0], ow = a->size.v[1], c = call->ys.dim[3];
    const int64_t volume = call->xs[0].dim[1] * call->xs[0].dim[2] * c;
    const cc_range mine = cc_slice(team, call->ys.dim[0] * oh * ow, 64 / (c + 8) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t roi = i / (oh * ow), image = roi_align_image(call, roi);
        const bin b = roi_align_bin(call, roi, i / ow % oh, i % ow);
        const float *x = call->x[0] + image * volume;
        float *y = call->y + i * c;
        if (image < 0 || b.nowhere)
            for (int64_t ch = 0; ch < c; ++ch) y[ch] = image < 0 ? 0 : NAN;
        else if (a->mode == MAX)
            roi_align_largest(&b, x, c, y, NULL, NULL);
        else
            roi_align_mean(&b, x, y);
    }
}

/* What a bin sends to some channels of its image. */
static void roi_align_send(const cc_call *call, const bin *b, const float *x, int64_t count, const float *dy, float *dx)
{
    sample s;
    if (((const roi_align *)call->attributes)->mode == MAX) {
        int64_t from[CHANNELS];
        float y[CHANNELS], weight[CHANNELS];
        roi_align_largest(b, x, count, y, from, weight);
        for (int64_t ch = 0; ch < count; ++ch)
            if (weight[ch] != 0) dx[from[ch]] += weight[ch] * dy[ch];
        return;
    }
    for (int64_t next = 0; roi_align_next(b, 1 / b->count, &next, &s);)
        for (int k = 0; k < 4; ++k)
            for (int64_t ch = 0; ch < count; ++ch) dx[s.element[k] + ch] += s.weight[k] * dy[ch];
}

/* Each thread owns some channels of some images. */
static void roi_align_backward(const cc_call *call, const cc_team *team)
{
    const roi_align *a = call->attributes;
    const int64_t *xs = call->xs[0].dim, c = xs[3], cells = xs[1] * xs[2];
    const int64_t oh = a->size.v[0], ow = a->size.v[1], blocks = (c + CHANNELS - 1) / CHANNELS;
    const cc_range mine = cc_slice(team, xs[0] * blocks, 1);
    cc_no_gradient(call, 1, team);
    if (!call->dx[0]) return;
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t image = task / blocks, first = task % blocks * CHANNELS, rest = c - first;
        const int64_t count = rest < CHANNELS ? rest : CHANNELS;
        const float *x = call->x[0] + image * cells * c + first;
        float *dx = call->dx[0] + image * cells * c + first;
        for (int64_t k = 0; k < cells; ++k) memset(dx + k * c, 0, (size_t)count * sizeof *dx);
        for (int64_t i = 0; i < call->ys.dim[0] * oh * ow; ++i) {
            const int64_t roi = i / (oh * ow);
            if (roi_align_image(call, roi) != image) continue;
            const bin b = roi_align_bin(call, roi, i / ow % oh, i % ow);
            if (!b.nowhere) roi_align_send(call, &b, x, count, call->dy + i * c + first, dx);
        }
    }
}

/* Rois stay apart where all have the same images. */
static bool roi_align_per_sample(const cc_call *call)
{
    return !cc_is_batched(&call->xs[0]) && cc_is_batched(&call->xs[1]) && cc_is_batched(&call->xs[2]);
}

static void roi_align_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    if (((const roi_align *)call->attributes)->mode == MAX) need->reads |= CC_READS_X(0);
}

const cc_op cc_op_roi_align = {.name = "roi_align",
                               .inputs = "x rois batch_indices",
                               .meaning =
                                   "x: images; rois: x1, y1, x2, y2 each; batch_indices: the number of each roi's image; of "
                                   "one that is not there y is 0",
                               .types = "f f i -> f",
                               .attributes = roi_align_attributes,
                               .attributes_size = sizeof(roi_align),
                               .reads = CC_READS_X(1) | CC_READS_X(2),
                               .per_sample = roi_align_per_sample,
                               .infer = roi_align_infer,
                               .need = roi_align_need,
                               .forward = roi_align_forward,
                               .backward = roi_align_backward};
