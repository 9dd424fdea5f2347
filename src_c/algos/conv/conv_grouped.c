/* Grouped convolution with few channels in a group (Xie et al., "Aggregated residual transformations for deep neural networks",
 * 2017). Products group by group would fill a part of a vector each. Here a vector of output channels holds as many whole
 * groups as find room in it, and the channels of a pixel are permuted over its lanes: every lane sees those of its own group
 * (kernels/grouped/grouped.inc.h). Where a group is wider than a vector, several vectors hold it.
 *
 * Forward and input gradient are one loop over the axes of conv_gather.h. Along a row of a kernel, taps that are `step` cells
 * of the source apart are taken together: they read the same pixels for neighbouring outputs, and share loading and permutation. */
#include "algos/conv/conv_gather.h"
#include "base/shares.h"
#include "algos/conv/conv_volume.h"

#include <string.h>

enum { TAPS_MAX = 128 }; /* of a kernel; the rows that a tile reads stand on the stack */

/* Pixels a multiple of 4 KB apart push one another out of the first-level cache. */
static bool conv_grouped_aliases(int64_t step)
{
    return step % 1024 == 0;
}

/* Groups of one input channel are depthwise. */
static bool conv_grouped_supports(const cc_conv *conv)
{
    return conv->groups > 1 && conv->c > conv->groups && conv->oc > 0 && conv->window.h.kernel <= TAPS_MAX &&
           conv->window.w.kernel <= TAPS_MAX / conv->window.h.kernel;
}

/* ---- Channels ---- */

/* How vectors hold groups of `in` channels of the source and `out` of the target. */
typedef struct conv_grouped_vectors {
    int64_t groups, in, out;
    int64_t vec, groups_per_vector, vectors_per_group, vectors; /* one of the two in the middle is 1 */
} conv_grouped_vectors;

static conv_grouped_vectors conv_grouped_vectors_of(const cc_conv *conv, cc_conv_pass pass)
{
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const bool transposed = pass == CC_CONV_INPUT_GRADIENT;
    conv_grouped_vectors v = {
        .groups = conv->groups, .in = transposed ? oc : c, .out = transposed ? c : oc, .vec = cc_kernels_get()->grouped.vec};
    const int64_t wider = v.in > v.out ? v.in : v.out;
    v.groups_per_vector = wider < v.vec ? v.vec / wider : 1;
    v.vectors_per_group = (v.out + v.vec - 1) / v.vec;
    v.vectors = (v.groups + v.groups_per_vector - 1) / v.groups_per_vector * v.vectors_per_group;
    return v;
}

typedef struct conv_grouped_vector {
    int64_t group, source, target; /* its first group and channels */
    int source_last, lanes;        /* channels in the last vector of the source; in the target */
} conv_grouped_vector;

static conv_grouped_vector conv_grouped_vector_at(const conv_grouped_vectors *v, int64_t i)
{
    const int64_t group = i / v->vectors_per_group * v->groups_per_vector, inside = i % v->vectors_per_group,
                  groups = cc_min(v->groups_per_vector, v->groups - group);
    return (conv_grouped_vector){
        .group = group,
        .source = group * v->in,
        .target = group * v->out + inside * v->vec,
        .source_last = (int)(v->in <= v->vec ? groups * v->in : (v->in - 1) % v->vec + 1),
        .lanes = (int)(v->vectors_per_group == 1 ? groups * v->out : cc_min(v->vec, v->out - inside * v->vec))};
}

/* Lane i of row k is where the source's channel k of the group of target lane i lies in a vector. */
static void conv_grouped_permutation(const conv_grouped_vectors *v, int32_t permutation[CC_VEC_MAX * CC_VEC_MAX])
{
    for (int64_t k = 0; k < cc_min(v->in, v->vec); ++k)
        for (int64_t i = 0; i < v->vec; ++i)
            permutation[k * v->vec + i] =
                (int32_t)(i < v->groups_per_vector * v->out ? i / v->out % v->groups_per_vector * v->in + k : k);
}

/* ---- Taps ---- */

/* Taps first, first + next, ... of an axis; each one's source lies a step further on. */
typedef struct conv_grouped_taps {
    int64_t first, next;
    int count;
} conv_grouped_taps;

/* Writes the groups that together have every tap of the axis once; returns their number. */
static int conv_grouped_list_taps(const cc_gather_axis *axis, conv_grouped_taps taps[TAPS_MAX])
{
    const int64_t move = axis->tap_step < 0 ? -axis->tap_step : axis->tap_step;
    const int64_t apart = axis->step % move == 0 ? cc_min(axis->step / move, axis->taps) : axis->taps;
    int count = 0;
    for (int64_t r = 0; r < apart; ++r) {
        const int64_t length = (axis->taps - 1 - r) / apart + 1;
        int64_t rest = (length + CC_GROUPED_TAPS - 1) / CC_GROUPED_TAPS;
        for (int64_t done = 0; done < length; --rest) {
            const int64_t few = (length - done + rest - 1) / rest, first = axis->tap_step < 0 ? length - 1 - done : done;
            taps[count++] =
                (conv_grouped_taps){.first = r + first * apart, .next = axis->tap_step < 0 ? -apart : apart, .count = (int)few};
            done += few;
        }
    }
    return count;
}

/* The pixels q in begin .. end-1 of 0 .. count-1 whose source, from + q step, lies inside the image. */
static void conv_grouped_clip(int64_t from, int64_t step, int64_t limit, int64_t count, int64_t *begin, int64_t *end)
{
    *begin = from < 0 ? cc_min(count, (-from + step - 1) / step) : 0;
    *end = from >= limit ? 0 : cc_min(count, (limit - 1 - from) / step + 1);
    if (*end < *begin) *end = *begin;
}

/* ---- Weights: [phases][vectors][ty][groups of tx][source channels][taps of a group][vec] ---- */

static int64_t conv_grouped_packed_floats(const cc_conv *conv, cc_conv_pass pass)
{
    const conv_grouped_vectors v = conv_grouped_vectors_of(conv, pass);
    return v.vectors * cc_conv_taps(conv) * v.in * v.vec;
}

/* The weights of one vector and group of taps: lane i of [k][j] is from input channel k's (or, transposed, to it) to the vector's
 * channel i. */
static void conv_grouped_pack_taps(const cc_conv *conv, const conv_grouped_vectors *v, bool transposed, float *to,
                                   const float *w, int64_t i, int64_t ty, const conv_grouped_taps *r,
                                   const cc_gather_axis *axis)
{
    const conv_grouped_vector at = conv_grouped_vector_at(v, i);
    for (int64_t k = 0; k < v->in; ++k)
        for (int64_t j = 0; j < r->count; ++j, to += v->vec) {
            const int64_t tx = axis->kernel_first + (r->first + j * r->next) * axis->kernel_every;
            const float *cell = w + (ty * conv->window.w.kernel + tx) * (conv->c / conv->groups) * conv->oc;
            for (int64_t lane = 0; lane < v->vec; ++lane) {
                const int64_t target = at.target + lane;
                to[lane] = lane >= at.lanes ? 0
                           : transposed     ? cell[target % v->out * conv->oc + target / v->out * v->in + k]
                                            : cell[k * conv->oc + target];
            }
        }
}

static float *conv_grouped_pack_axes(const cc_conv *conv, const conv_grouped_vectors *v, bool transposed, float *packed,
                                     const float *w, const cc_gather_axis *h, const cc_gather_axis *x, const cc_team *team)
{
    conv_grouped_taps taps[TAPS_MAX];
    const int count = conv_grouped_list_taps(x, taps);
    const int64_t row = x->taps * v->in * v->vec;
    const cc_range mine = cc_slice(team, v->vectors * h->taps, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        float *to = packed + i * row;
        for (int r = 0; r < count; to += taps[r++].count * v->in * v->vec)
            conv_grouped_pack_taps(conv, v, transposed, to, w, i / h->taps, h->kernel_first + i % h->taps * h->kernel_every,
                                   &taps[r], x);
    }
    return packed + v->vectors * h->taps * row;
}

static void conv_grouped_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team)
{
    const conv_grouped_vectors v = conv_grouped_vectors_of(conv, pass);
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    if (pass == CC_CONV_FORWARD) {
        const cc_gather_axis h = cc_gather_forward(ah), x = cc_gather_forward(aw);
        conv_grouped_pack_axes(conv, &v, false, packed, w, &h, &x, team);
        return;
    }
    for (int64_t py = 0; py < cc_gather_phases(ah); ++py) {
        const cc_gather_axis h = cc_gather_backward(ah, py);
        if (h.taps == 0) continue;
        for (int64_t px = 0; px < cc_gather_phases(aw); ++px) {
            const cc_gather_axis x = cc_gather_backward(aw, px);
            if (x.taps > 0) packed = conv_grouped_pack_axes(conv, &v, true, packed, w, &h, &x, team);
        }
    }
}

/* ---- Forward and input gradient ---- */

/* The rows that the tile reads of `pixels` targets from (i, j) on; returns their number. */
static int conv_grouped_list_rows(const cc_gather *g, const conv_grouped_vectors *v, const conv_grouped_taps *taps, int count,
                                  int64_t image, int64_t i, int64_t j, int64_t pixels, cc_grouped_row *rows)
{
    int64_t weights = 0;
    int n = 0;
    const int64_t top = i * g->h.step + g->h.offset, other = top + (g->h.taps - 1) * g->h.tap_step;
    const int64_t bottom = top > other ? top : other;
    for (int64_t ty = 0; ty < g->h.taps; ++ty) {
        const int64_t y = i * g->h.step + g->h.offset + ty * g->h.tap_step;
        /* For the next row of targets; in few sets of the cache it would push out this one's. */
        const bool fresh =
            y + g->h.step > bottom && y + g->h.step < g->h.limit && !conv_grouped_aliases(g->w.step * g->source_channels);
        for (int r = 0; r < count; weights += taps[r++].count * v->in * v->vec) {
            const int64_t x = j * g->w.step + g->w.offset + taps[r].first * g->w.tap_step;
            int64_t begin, end;
            conv_grouped_clip(x, g->w.step, g->w.limit, pixels + taps[r].count - 1, &begin, &end);
            if (y < 0 || y >= g->h.limit || begin == end) continue;
            rows[n++] = (cc_grouped_row){.x = g->source + ((image * g->h.limit + y) * g->w.limit + x) * g->source_channels,
                                         .taps = taps[r].count,
                                         .begin = (int)begin,
                                         .end = (int)end,
                                         .weights = weights,
                                         .ahead = fresh ? g->h.step * g->w.limit * g->source_channels : 0};
        }
    }
    return n;
}

/* Rows of targets by vectors, vectors innermost: the pixels are read whole. */
static void conv_grouped_gather(const cc_gather *g, const conv_grouped_vectors *v, const float *packed,
                                const cc_epilogue *epilogue, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t most = kernels->grouped.pixels, tiles = (g->w.count + most - 1) / most;
    const int64_t vector_floats = g->h.taps * g->w.taps * v->in * v->vec, step = g->w.every * g->target_channels;
    int32_t permutation[CC_VEC_MAX * CC_VEC_MAX];
    cc_grouped_row rows[TAPS_MAX];
    conv_grouped_taps taps[TAPS_MAX];
    const int count = conv_grouped_list_taps(&g->w, taps);
    conv_grouped_permutation(v, permutation);
    const cc_range mine = cc_slice(team, g->n * g->h.count * v->vectors, 1);
    for (int64_t at = mine.begin; at < mine.end;) {
        const int64_t row = at / v->vectors, image = row / g->h.count, i = row % g->h.count;
        const int64_t v0 = at % v->vectors, v1 = cc_min(v->vectors, v0 + mine.end - at);
        float *y =
            g->target + ((image * g->target_h + g->h.first + i * g->h.every) * g->target_w + g->w.first) * g->target_channels;
        for (int64_t tile = 0; tile < tiles; ++tile) {
            const int64_t begin = g->w.count * tile / tiles, end = g->w.count * (tile + 1) / tiles;
            cc_grouped job = {.row = rows,
                              .rows = conv_grouped_list_rows(g, v, taps, count, image, i, begin, end - begin, rows),
                              .depth = v->in,
                              .x_step = g->w.step * g->source_channels,
                              .permutation = permutation,
                              .pixels = (int)(end - begin),
                              .y_step = step,
                              .accumulate = epilogue->accumulate,
                              .relu = epilogue->act == CC_ACT_RELU};
            for (int64_t k = v0; k < v1; ++k) {
                const conv_grouped_vector channels = conv_grouped_vector_at(v, k);
                job.x_channel = channels.source;
                job.x_last = channels.source_last;
                job.y_lanes = channels.lanes;
                job.w = packed + k * vector_floats;
                job.y = y + begin * step + channels.target;
                job.bias = epilogue->bias ? epilogue->bias + channels.target : NULL;
                kernels->grouped.tile(&job);
            }
        }
        if (epilogue->act != CC_ACT_LINEAR && epilogue->act != CC_ACT_RELU) {
            const conv_grouped_vector first = conv_grouped_vector_at(v, v0), last = conv_grouped_vector_at(v, v1 - 1);
            cc_act_rows(epilogue->act, epilogue->alpha, y + first.target, g->w.count, step,
                        last.target + last.lanes - first.target);
        }
        at += v1 - v0;
    }
}

static void conv_grouped_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                 const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w, (void)scratch;
    const conv_grouped_vectors v = conv_grouped_vectors_of(conv, CC_CONV_FORWARD);
    const cc_gather g = cc_gather_of_forward(conv, y, x);
    conv_grouped_gather(&g, &v, packed, epilogue, team);
}

static void conv_grouped_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                        const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w, (void)scratch;
    const conv_grouped_vectors v = conv_grouped_vectors_of(conv, CC_CONV_INPUT_GRADIENT);
    for (int64_t phase = 0; phase < cc_conv_phases(conv); ++phase) {
        const cc_gather g = cc_gather_of_phase(conv, phase, dx, dy);
        conv_grouped_gather(&g, &v, packed, epilogue, team);
        packed += v.vectors * cc_gather_taps(&g) * v.in * v.vec;
    }
}

/* ---- Weight gradient ---- */

/* Tiles of dw: vectors, then some input channels, then rows of the kernel, then groups of taps. They see blocks of rows of y
 * and what those see of x; where pixels alias or fill a vector in part only, in copies side by side of one vector of channels
 * at a time. */
typedef struct conv_grouped_tiling {
    conv_grouped_vectors v;
    cc_gather_axis axis;
    conv_grouped_taps taps[TAPS_MAX];
    int64_t tap_groups, depths, count, blocks;
    bool copies;
    int64_t block_rows, x_floats, block_floats; /* rows of y; their copies, or 0 */
} conv_grouped_tiling;

/* The rows of x that `rows` rows of y see, at most. */
static int64_t conv_grouped_seen_rows(const cc_axis *h, int64_t rows)
{
    return cc_min(h->in, (rows - 1) * h->stride + (h->kernel - 1) * h->dilation + 1);
}

/* Whether groups of so many channels make up whole vectors. */
static bool conv_grouped_whole(const conv_grouped_vectors *v, int64_t channels)
{
    return v->groups % v->groups_per_vector == 0 && (channels % v->vec == 0 || v->groups_per_vector * channels == v->vec);
}

static conv_grouped_tiling conv_grouped_tile_weights(const cc_conv *conv)
{
    enum { COPY_FLOATS = 12288, BLOCK_FLOATS = 131072 }; /* 48 KB; all channels, 512 KB */
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    conv_grouped_tiling p = {
        .v = conv_grouped_vectors_of(conv, CC_CONV_WEIGHT_GRADIENT), .axis = cc_gather_forward(aw), .block_rows = 1};
    p.tap_groups = conv_grouped_list_taps(&p.axis, p.taps);
    p.depths = (p.v.in + CC_GROUPED_DEPTH - 1) / CC_GROUPED_DEPTH;
    p.count = p.v.vectors * p.depths * ah->kernel * p.tap_groups;
    p.blocks = cc_blocks(conv->n * ah->out, conv->window.w.out, p.count, cc_conv_taps(conv) * p.v.in * conv->oc);
    p.copies = conv_grouped_aliases(aw->stride * conv->c) || conv_grouped_aliases(conv->oc) ||
               !conv_grouped_whole(&p.v, p.v.in) || !conv_grouped_whole(&p.v, p.v.out);
    const int64_t most = p.copies ? COPY_FLOATS : BLOCK_FLOATS, x_depth = p.copies ? p.v.vec : conv->c;
    const int64_t y_depth = p.copies ? p.v.vec : conv->oc;
    while (p.block_rows < ah->out &&
           conv_grouped_seen_rows(ah, p.block_rows + 1) * aw->in * x_depth + (p.block_rows + 1) * aw->out * y_depth <= most)
        ++p.block_rows;
    if (p.copies) {
        p.x_floats = conv_grouped_seen_rows(ah, p.block_rows) * aw->in * p.v.vec;
        p.block_floats = (p.x_floats + p.block_rows * aw->out * p.v.vec + CC_VEC_MAX - 1) / CC_VEC_MAX * CC_VEC_MAX;
    }
    return p;
}

static int64_t conv_grouped_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    if (pass != CC_CONV_WEIGHT_GRADIENT) return 0;
    const conv_grouped_tiling p = conv_grouped_tile_weights(conv);
    return nth * p.block_floats + (p.blocks > 1 ? p.blocks * cc_conv_taps(conv) * p.v.in * conv->oc : 0);
}

typedef struct conv_grouped_tile {
    conv_grouped_vector at;
    int64_t ty, k, depth;
    const conv_grouped_taps *taps;
    float *dw;
} conv_grouped_tile;

static conv_grouped_tile conv_grouped_tile_at(const cc_conv *conv, const conv_grouped_tiling *p, int64_t i, float *dw)
{
    const int64_t kernel = conv->window.h.kernel, rows = kernel * p->tap_groups;
    const int64_t k = i / rows % p->depths * CC_GROUPED_DEPTH;
    conv_grouped_tile q = {.at = conv_grouped_vector_at(&p->v, i / (rows * p->depths)),
                           .ty = i / p->tap_groups % kernel,
                           .k = k,
                           .depth = cc_min(CC_GROUPED_DEPTH, p->v.in - k),
                           .taps = &p->taps[i % p->tap_groups]};
    q.dw = dw + ((q.ty * conv->window.w.kernel + q.taps->first) * p->v.in + k) * conv->oc + q.at.target;
    return q;
}

/* Rows oy0 .. oy1-1 of one image of dy, rows iy0 .. iy1-1 of x, and where tiles read them, pixels so many floats apart. */
typedef struct conv_grouped_block {
    int64_t oy0, oy1, iy0, iy1;
    const float *x, *dy;
    int64_t x_pixel, dy_pixel;
} conv_grouped_block;

static conv_grouped_block conv_grouped_block_at(const cc_conv *conv, const conv_grouped_tiling *p, int64_t oy0, int64_t oy1)
{
    const cc_axis *h = &conv->window.h;
    const int64_t top = oy0 * h->stride - h->before,
                  bottom = (oy1 - 1) * h->stride - h->before + (h->kernel - 1) * h->dilation + 1;
    conv_grouped_block b = {.oy0 = oy0,
                            .oy1 = oy1,
                            .iy0 = top > 0 ? cc_min(h->in, top) : 0,
                            .iy1 = cc_min(h->in, bottom),
                            .x_pixel = p->copies ? p->v.vec : conv->c,
                            .dy_pixel = p->copies ? p->v.vec : conv->oc};
    if (b.iy1 < b.iy0) b.iy1 = b.iy0;
    return b;
}

/* Points the block at the channels of q's vectors in x and dy, one image each, or copies them. */
static void conv_grouped_find_pixels(const cc_conv *conv, const conv_grouped_tiling *p, conv_grouped_block *b,
                                     const conv_grouped_tile *q, const float *x, const float *dy, float *copies)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t k0 = q->k / p->v.vec * p->v.vec, in = conv->window.w.in, out = conv->window.w.out;
    const int lanes = k0 + p->v.vec < p->v.in ? (int)p->v.vec : q->at.source_last;
    b->x = x + b->iy0 * in * conv->c + q->at.source + k0;
    b->dy = dy + b->oy0 * out * conv->oc + q->at.target;
    if (!p->copies) return;
    kernels->grouped.copy(copies, b->x, (b->iy1 - b->iy0) * in, conv->c, lanes, p->v.vec);
    kernels->grouped.copy(copies + p->x_floats, b->dy, (b->oy1 - b->oy0) * out, conv->oc, q->at.lanes, p->v.vec);
    b->x = copies;
    b->dy = copies + p->x_floats;
}

/* Adds what a block contributes. */
static void conv_grouped_add_tile(const cc_conv *conv, const conv_grouped_tiling *p, const int32_t *permutation,
                                  const conv_grouped_tile *q, const conv_grouped_block *b)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t vec = p->v.vec;
    int64_t y0, y1, begin, end;
    cc_axis_inside(ah, q->ty, &y0, &y1);
    if (y0 < b->oy0) y0 = b->oy0;
    if (y1 > b->oy1) y1 = b->oy1;
    const int64_t from = p->axis.offset + q->taps->first * p->axis.tap_step;
    conv_grouped_clip(from, aw->stride, aw->in, aw->out + q->taps->count - 1, &begin, &end);
    if (y0 >= y1 || begin >= end) return;
    const int64_t iy = y0 * ah->stride - ah->before + ah->dilation * q->ty;
    cc_kernels_get()->grouped.outer(&(cc_grouped_outer){
        .taps = q->taps->count,
        .depth = (int)q->depth,
        .y_lanes = q->at.lanes,
        .lines = y1 - y0,
        .begin = begin,
        .end = end,
        .pixels = aw->out,
        .x = b->x + ((iy - b->iy0) * aw->in + from) * b->x_pixel,
        .x_line = ah->stride * aw->in * b->x_pixel,
        .x_step = aw->stride * b->x_pixel,
        .dy = b->dy + (y0 - b->oy0) * aw->out * b->dy_pixel,
        .dy_line = aw->out * b->dy_pixel,
        .dy_step = b->dy_pixel,
        .permutation = permutation + q->k % vec * vec,
        .dw = q->dw,
        .dw_tap = q->taps->next * p->v.in * conv->oc,
        .dw_depth = conv->oc,
    });
}

static void conv_grouped_clear_tile(const cc_conv *conv, const conv_grouped_tiling *p, const conv_grouped_tile *q)
{
    for (int64_t j = 0; j < q->taps->count; ++j)
        for (int64_t k = 0; k < q->depth; ++k)
            memset(q->dw + (j * q->taps->next * p->v.in + k) * conv->oc, 0, (size_t)q->at.lanes * sizeof *q->dw);
}

/* Blocks of rows outermost, tiles inside: a pixel's cache lines and pages are visited one after another. */
static void conv_grouped_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                         const cc_team *team)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const conv_grouped_tiling p = conv_grouped_tile_weights(conv);
    const int64_t outputs = cc_conv_taps(conv) * p.v.in * conv->oc;
    const int64_t image = ah->in * aw->in * conv->c, result = ah->out * aw->out * conv->oc;
    float *copies = scratch + team->ith * p.block_floats, *partial = scratch + team->nth * p.block_floats;
    int32_t permutation[CC_VEC_MAX * CC_VEC_MAX];
    conv_grouped_permutation(&p.v, permutation);

    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, p.blocks * p.count, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end;) {
            const int64_t block = i / p.count, begin = i % p.count, end = cc_min(p.count, begin + mine.end - i);
            const cc_range rows = cc_block(conv->n * ah->out, p.blocks, block);
            float *to = p.blocks > 1 ? partial + block * outputs : dw;
            for (int64_t k = begin; k < end; ++k) {
                const conv_grouped_tile q = conv_grouped_tile_at(conv, &p, k, to);
                conv_grouped_clear_tile(conv, &p, &q);
            }
            for (int64_t row = rows.begin; row < rows.end;) {
                const int64_t n = row / ah->out, oy0 = row % ah->out,
                              oy1 = cc_min(cc_min(ah->out, oy0 + p.block_rows), oy0 + rows.end - row);
                conv_grouped_block b = conv_grouped_block_at(conv, &p, oy0, oy1);
                for (int64_t k = begin; k < end; ++k) {
                    const conv_grouped_tile q = conv_grouped_tile_at(conv, &p, k, to);
                    const bool other = q.k % p.v.vec == 0 && q.ty == 0 && q.taps == p.taps; /* vectors than before */
                    if (k == begin || other) conv_grouped_find_pixels(conv, &p, &b, &q, x + n * image, dy + n * result, copies);
                    conv_grouped_add_tile(conv, &p, permutation, &q, &b);
                }
                row += oy1 - oy0;
            }
            i += end - begin;
        }
    if (p.blocks > 1) {
        cc_barrier_wait(team);
        cc_add_blocks(dw, partial, p.blocks, outputs, team);
    }
}

/* Multiply-adds of whole vectors, and what comes with a pixel of a row: loading it, and permuting each channel. */
static double conv_grouped_cost(const cc_conv *conv, cc_conv_pass pass)
{
    const conv_grouped_vectors v = conv_grouped_vectors_of(conv, pass);
    const double lanes = (double)(v.vectors * v.vec) / (double)(v.groups * v.out);
    return cc_conv_work(conv) * 1.5 * lanes;
}

static const cc_conv_algorithm grouped_of_images = {
    .name = "grouped",
    .supports = conv_grouped_supports,
    .cost = conv_grouped_cost,
    .packed = conv_grouped_packed_floats,
    .pack = conv_grouped_pack,
    .accumulates = true,
    .scratch = conv_grouped_scratch_floats,
    .forward = conv_grouped_forward,
    .input_gradient = conv_grouped_input_gradient,
    .weight_gradient = conv_grouped_weight_gradient,
};

CC_CONV_WITH_VOLUMES(grouped, grouped_of_images, false, true);
