/* grid_sample: images seen at given places (Jaderberg, Simonyan, Zisserman, Kavukcuoglu: Spatial transformer networks, NIPS 2015).
 * x (n, h, w, c) and grid (n, oh, ow, 2), or x (n, d, h, w, c) and grid (n, od, oh, ow, 3) -> y of the grid's sizes and x's
 * channels. A place is a number for each axis of the image, the last axis first, -1 at one end of it and 1 at the other.
 *
 * Along an axis a place is a few cells (taps), each with a weight and the slope of that weight by the place. A value is the sum,
 * over all choices of a tap for each axis, of the cell times the product of the weights. dx gets each dy where it was taken from,
 * summed in the order of the grid; the grid's gradient is the same sum with one axis' weight replaced by its slope, times dy. */
#include "kernels/kernels.h"
#include "ops/infer.h"
#include <math.h>
#include <string.h>

enum { NEAREST, BILINEAR, BICUBIC };
enum { ZEROS, BORDER, REFLECTION };
enum { AXES = 3, AXIS_TAPS = 4, TAPS = 16, CHANNELS = 64 };

typedef struct grid_sample {
    int interpolation, padding_mode, align_corners;
} grid_sample;

static const cc_attr grid_sample_attributes[] = {
    {"interpolation", CC_ENUM, offsetof(grid_sample, interpolation), "bilinear", "nearest|bilinear|bicubic",
     "nearest: the nearest cell; bilinear: the weighted mean of the two around along each axis; bicubic: of four, of two axes "
     "only"},
    {"padding_mode", CC_ENUM, offsetof(grid_sample, padding_mode), "zeros", "zeros|border|reflection",
     "what stands outside: 0; the nearest cell; the image mirrored at its ends"},
    {"align_corners", CC_BOOL, offsetof(grid_sample, align_corners), "0", NULL,
     "1: -1 and 1 are the centres of the first and the last cell; 0: their outer edges"},
    {0}};

static cconv_status grid_sample_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *xs = &call->xs[0], *gs = &call->xs[1];
    const int axes = xs->rank - 2;
    char text[2][CC_SHAPE_TEXT];
    if (axes != 2 && axes != 3)
        return cc_op_fail(call, CCONV_INVALID, "expected images of shape (n, h, w, c) or (n, d, h, w, c), received shape %s",
                          cc_shape_text(xs, text[0]));
    if (gs->rank != xs->rank || !cc_agree(gs->dim[0], xs->dim[0]) || !cc_agree(gs->dim[axes + 1], axes))
        return cc_op_fail(
            call, CCONV_INVALID,
            "expected a grid of %d axes between the samples of x and %d numbers a place, received shape %s for %s", axes, axes,
            cc_shape_text(gs, text[0]), cc_shape_text(xs, text[1]));
    if (axes == 3 && ((const grid_sample *)call->attributes)->interpolation == BICUBIC)
        return cc_op_fail(call, CCONV_INVALID, "expected images of two axes for interpolation=bicubic, received shape %s",
                          cc_shape_text(xs, text[0]));
    *ys = *xs;
    if (ys->dim[0] < 0) ys->dim[0] = gs->dim[0];
    for (int k = 1; k <= axes; ++k) {
        if (xs->dim[k] == 0 || xs->dim[k] > INT32_MAX / 4)
            return cc_op_fail(call, CCONV_INVALID,
                              "expected images of at least one cell, and at most %d a side, received shape %s", INT32_MAX / 4,
                              cc_shape_text(xs, text[0]));
        ys->dim[k] = gs->dim[k];
    }
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a result that fits in memory, received shape %s",
                          cc_shape_text(ys, text[0]));
    return CCONV_OK;
}

/* The cells of an axis that a place is made of. A cell of -1 is 0. */
typedef struct taps {
    int n;
    int64_t cell[AXIS_TAPS];
    double weight[AXIS_TAPS], slope[AXIS_TAPS];
} taps;

/* A place mirrored at the ends of an axis until it lies within, and moved no further than its first or last cell. *slope is
 * multiplied by the slope of that; at the cells at the end it is 0, as it is beyond them. */
static double grid_sample_inside(const grid_sample *a, double place, int64_t n, double *slope)
{
    if (a->padding_mode == REFLECTION) {
        const double low = a->align_corners ? 0 : -0.5, span = (double)n - (a->align_corners ? 1 : 0);
        if (span == 0) {
            *slope = 0;
            return 0;
        }
        if (place < low) *slope = -*slope;
        const double beyond = fabs(place - low), rest = fmod(beyond, span);
        const bool back = fmod(floor(beyond / span), 2) != 0;
        if (back) *slope = -*slope;
        place = low + (back ? span - rest : rest);
    }
    const double last = (double)(n - 1);
    if (place > 0 && place < last) return place;
    *slope = 0;
    return place > 0 ? last : 0;
}

/* Keys' kernel with -0.75 at the four cells around a place u behind the second, and its slope. */
static void grid_sample_cubic(double u, taps *t)
{
    const double s = -0.75;
    for (int k = 0; k < 4; ++k) {
        const double signed_distance = u + 1 - k, x = fabs(signed_distance), sign = signed_distance < 0 ? -1 : 1;
        t->weight[k] = x < 1 ? ((s + 2) * x - (s + 3)) * x * x + 1 : ((s * x - 5 * s) * x + 8 * s) * x - 4 * s;
        t->slope[k] = sign * (x < 1 ? (3 * (s + 2) * x - 2 * (s + 3)) * x : (3 * s * x - 10 * s) * x + 8 * s);
    }
}

/* False where the place is NaN: nowhere. */
static bool grid_sample_taps(const grid_sample *a, float coordinate, int64_t n, taps *t)
{
    const double far = 1e9, cells = (double)n; /* a place further away is told from others no more */
    double slope = a->align_corners ? (cells - 1) / 2 : cells / 2, first, u;
    double place = a->align_corners ? ((double)coordinate + 1) / 2 * (cells - 1) : (((double)coordinate + 1) * cells - 1) / 2;
    if (isnan(place)) return false;
    place = place < -far ? -far : place > far ? far : place;
    if (a->padding_mode != ZEROS && a->interpolation != BICUBIC) place = grid_sample_inside(a, place, n, &slope);
    first = a->interpolation == NEAREST ? rint(place) : floor(place);
    u = place - first;
    switch (a->interpolation) {
    case NEAREST: *t = (taps){.n = 1, .weight = {1}}; break;
    case BILINEAR: *t = (taps){.n = 2, .weight = {1 - u, u}, .slope = {-1, 1}}; break;
    default:
        t->n = 4;
        grid_sample_cubic(u, t);
        first -= 1;
    }
    for (int k = 0; k < t->n; ++k) {
        double cell = first + k, unused = 0;
        if (a->padding_mode != ZEROS && a->interpolation == BICUBIC) cell = grid_sample_inside(a, cell, n, &unused);
        t->slope[k] *= slope;
        t->cell[k] = cell >= 0 && cell < cells ? (int64_t)cell : -1;
    }
    return true;
}

/* What both passes need to know; an image of two axes has one of a single cell before them. */
typedef struct plan {
    int axes;
    int64_t n, in[AXES], places, c; /* places: of a sample */
} plan;

static plan grid_sample_plan(const cc_call *call)
{
    const cc_shape *xs = &call->xs[0], *ys = &call->ys;
    plan p = {.axes = xs->rank - 2, .n = ys->dim[0], .in = {1, 1, 1}, .c = ys->dim[ys->rank - 1]};
    for (int k = 0; k < p.axes; ++k) p.in[AXES - p.axes + k] = xs->dim[1 + k];
    p.places = cc_shape_product(ys, 1, 1 + p.axes);
    return p;
}

/* The taps along all axes at a place; false: nowhere. */
static bool grid_sample_at(const cc_call *call, const plan *p, const float *place, taps axes[AXES])
{
    axes[0] = (taps){.n = 1, .weight = {1}};
    for (int k = 0; k < p->axes; ++k) {
        const int axis = AXES - 1 - k;
        if (!grid_sample_taps(call->attributes, place[k], p->in[axis], &axes[axis])) return false;
    }
    return true;
}

/* The cells of an image that are added up: each one's element, and its weight. */
typedef struct cells {
    int n;
    int64_t element[TAPS];
    float weight[TAPS];
} cells;

/* With slope, an axis: the slope by its place instead of its weight; below 0: weights only. */
static cells grid_sample_cells(const plan *p, const taps axes[AXES], int slope)
{
    cells found = {.n = 0};
    const double *d = slope == 0 ? axes[0].slope : axes[0].weight, *h = slope == 1 ? axes[1].slope : axes[1].weight,
                 *w = slope == 2 ? axes[2].slope : axes[2].weight;
    for (int i = 0; i < axes[0].n; ++i)
        for (int j = 0; j < axes[1].n; ++j)
            for (int k = 0; k < axes[2].n; ++k) {
                const int64_t plane = axes[0].cell[i], row = axes[1].cell[j], column = axes[2].cell[k];
                if (plane < 0 || row < 0 || column < 0) continue;
                found.element[found.n] = ((plane * p->in[1] + row) * p->in[2] + column) * p->c;
                found.weight[found.n++] = (float)(d[i] * h[j] * w[k]);
            }
    return found;
}

static void grid_sample_forward(const cc_call *call, const cc_team *team)
{
    const plan p = grid_sample_plan(call);
    const int64_t volume = p.in[0] * p.in[1] * p.in[2] * p.c;
    const cc_range mine = cc_slice(team, p.n * p.places, 256 / (p.c + 8) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        taps axes[AXES];
        const float *x = call->x[0] + i / p.places * volume, *in[TAPS];
        float *y = call->y + i * p.c;
        if (!grid_sample_at(call, &p, call->x[1] + i * p.axes, axes)) {
            for (int64_t ch = 0; ch < p.c; ++ch) y[ch] = NAN;
            continue;
        }
        const cells found = grid_sample_cells(&p, axes, -1);
        for (int k = 0; k < found.n; ++k) in[k] = x + found.element[k];
        cc_kernels_get()->blend.combine(y, in, found.weight, found.n, p.c);
    }
}

/* Each thread owns some channels of some images. */
static void grid_sample_backward_x(const cc_call *call, const cc_team *team, const plan *p)
{
    const int64_t blocks = (p->c + CHANNELS - 1) / CHANNELS, cells_in = p->in[0] * p->in[1] * p->in[2];
    const cc_range mine = cc_slice(team, p->n * blocks, 1);
    for (int64_t task = mine.begin; task < mine.end; ++task) {
        const int64_t image = task / blocks, first = task % blocks * CHANNELS;
        const int64_t count = p->c - first < CHANNELS ? p->c - first : CHANNELS;
        float *dx = call->dx[0] + image * cells_in * p->c + first;
        for (int64_t k = 0; k < cells_in; ++k) memset(dx + k * p->c, 0, (size_t)count * sizeof *dx);
        for (int64_t i = image * p->places; i < (image + 1) * p->places; ++i) {
            taps axes[AXES];
            const float *dy = call->dy + i * p->c + first;
            if (!grid_sample_at(call, p, call->x[1] + i * p->axes, axes)) continue;
            const cells found = grid_sample_cells(p, axes, -1);
            for (int k = 0; k < found.n; ++k)
                for (int64_t ch = 0; ch < count; ++ch) dx[found.element[k] + ch] += found.weight[k] * dy[ch];
        }
    }
}

static void grid_sample_backward_grid(const cc_call *call, const cc_team *team, const plan *p)
{
    const int64_t volume = p->in[0] * p->in[1] * p->in[2] * p->c;
    const cc_range mine = cc_slice(team, p->n * p->places, 256 / (p->c + 8) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        taps axes[AXES];
        const float *x = call->x[0] + i / p->places * volume, *dy = call->dy + i * p->c;
        float *dg = call->dx[1] + i * p->axes;
        const bool somewhere = grid_sample_at(call, p, call->x[1] + i * p->axes, axes);
        for (int axis = 0; axis < p->axes; ++axis) {
            const cells found = somewhere ? grid_sample_cells(p, axes, AXES - 1 - axis) : (cells){.n = 0};
            double sum = 0;
            for (int k = 0; k < found.n; ++k) {
                double along = 0;
                for (int64_t ch = 0; ch < p->c; ++ch) along += (double)dy[ch] * (double)x[found.element[k] + ch];
                sum += (double)found.weight[k] * along;
            }
            dg[axis] = (float)sum;
        }
    }
}

static void grid_sample_backward(const cc_call *call, const cc_team *team)
{
    const plan p = grid_sample_plan(call);
    if (call->dx[0]) grid_sample_backward_x(call, team, &p);
    if (call->dx[1]) grid_sample_backward_grid(call, team, &p);
}

static bool grid_sample_per_sample(const cc_call *call)
{
    return cc_is_batched(&call->xs[0]) && cc_is_batched(&call->xs[1]);
}

const cc_op cc_op_grid_sample = {.name = "grid_sample",
                                 .inputs = "x grid",
                                 .meaning =
                                     "x: images; grid: places in them, from -1 to 1 along each axis, the last axis first",
                                 .attributes = grid_sample_attributes,
                                 .attributes_size = sizeof(grid_sample),
                                 .reads = CC_READS_X(0) | CC_READS_X(1),
                                 .per_sample = grid_sample_per_sample,
                                 .infer = grid_sample_infer,
                                 .forward = grid_sample_forward,
                                 .backward = grid_sample_backward};
