/* Grouped convolution's weight gradient. See conv_grouped.c. */
#include "algos/conv/conv_grouped.h"
#include "base/shares.h"
#include <string.h>

/* Pixels a multiple of 4 KB apart push one another out of the first-level cache. */
static bool conv_grouped_weights_aliases(int64_t step)
{
    return step % 1024 == 0;
}

/* Tiles of dw: vectors, then some input channels, then rows of the kernel, then groups of taps. They see blocks of rows of y
 * and what those see of x; where pixels alias or fill a vector in part only, in copies side by side of one vector of channels
 * at a time. */
typedef struct conv_grouped_weights_tiling {
    cc_grouped_vectors v;
    cc_gather_axis axis;
    cc_grouped_taps taps[CC_GROUPED_TAPS_MAX];
    int64_t tap_groups, depths, count, blocks;
    bool copies;
    int64_t block_rows, x_floats, block_floats; /* rows of y; their copies, or 0 */
} conv_grouped_weights_tiling;

/* The rows of x that `rows` rows of y see, at most. */
static int64_t conv_grouped_weights_seen_rows(const cc_axis *h, int64_t rows)
{
    return cc_min(h->in, (rows - 1) * h->stride + (h->kernel - 1) * h->dilation + 1);
}

/* Whether groups of so many channels make up whole vectors. */
static bool conv_grouped_weights_whole(const cc_grouped_vectors *v, int64_t channels)
{
    return v->groups % v->groups_per_vector == 0 && (channels % v->vec == 0 || v->groups_per_vector * channels == v->vec);
}

static conv_grouped_weights_tiling conv_grouped_weights_tiling_of(const cc_conv *conv)
{
    enum { COPY_FLOATS = 12288, BLOCK_FLOATS = 131072 }; /* 48 KB; all channels, 512 KB */
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    conv_grouped_weights_tiling p = {
        .v = cc_grouped_vectors_of(conv, CC_CONV_WEIGHT_GRADIENT), .axis = cc_gather_forward(aw), .block_rows = 1};
    p.tap_groups = cc_grouped_list_taps(&p.axis, p.taps);
    p.depths = (p.v.in + CC_GROUPED_DEPTH - 1) / CC_GROUPED_DEPTH;
    p.count = p.v.vectors * p.depths * ah->kernel * p.tap_groups;
    p.blocks = cc_blocks(conv->n * ah->out, conv->window.w.out, p.count, cc_conv_taps(conv) * p.v.in * conv->oc);
    p.copies = conv_grouped_weights_aliases(aw->stride * conv->c) || conv_grouped_weights_aliases(conv->oc) ||
               !conv_grouped_weights_whole(&p.v, p.v.in) || !conv_grouped_weights_whole(&p.v, p.v.out);
    const int64_t most = p.copies ? COPY_FLOATS : BLOCK_FLOATS, x_depth = p.copies ? p.v.vec : conv->c;
    const int64_t y_depth = p.copies ? p.v.vec : conv->oc;
    while (p.block_rows < ah->out &&
           conv_grouped_weights_seen_rows(ah, p.block_rows + 1) * aw->in * x_depth + (p.block_rows + 1) * aw->out * y_depth <=
               most)
        ++p.block_rows;
    if (p.copies) {
        p.x_floats = conv_grouped_weights_seen_rows(ah, p.block_rows) * aw->in * p.v.vec;
        p.block_floats = (p.x_floats + p.block_rows * aw->out * p.v.vec + CC_VEC_MAX - 1) / CC_VEC_MAX * CC_VEC_MAX;
    }
    return p;
}

int64_t cc_grouped_weight_scratch(const cc_conv *conv, int nth)
{
    const conv_grouped_weights_tiling p = conv_grouped_weights_tiling_of(conv);
    return nth * p.block_floats + (p.blocks > 1 ? p.blocks * cc_conv_taps(conv) * p.v.in * conv->oc : 0);
}

typedef struct conv_grouped_weights_tile {
    cc_grouped_vector at;
    int64_t ty, k, depth;
    const cc_grouped_taps *taps;
    float *dw;
} conv_grouped_weights_tile;

static conv_grouped_weights_tile conv_grouped_weights_tile_at(const cc_conv *conv, const conv_grouped_weights_tiling *p,
                                                              int64_t i, float *dw)
{
    const int64_t kernel = conv->window.h.kernel, rows = kernel * p->tap_groups;
    const int64_t k = i / rows % p->depths * CC_GROUPED_DEPTH;
    conv_grouped_weights_tile q = {.at = cc_grouped_vector_at(&p->v, i / (rows * p->depths)),
                                   .ty = i / p->tap_groups % kernel,
                                   .k = k,
                                   .depth = cc_min(CC_GROUPED_DEPTH, p->v.in - k),
                                   .taps = &p->taps[i % p->tap_groups]};
    q.dw = dw + ((q.ty * conv->window.w.kernel + q.taps->first) * p->v.in + k) * conv->oc + q.at.target;
    return q;
}

/* Rows oy0 .. oy1-1 of one image of dy, rows iy0 .. iy1-1 of x, and where tiles read them, pixels so many floats apart. */
typedef struct conv_grouped_weights_block {
    int64_t oy0, oy1, iy0, iy1;
    const float *x, *dy;
    int64_t x_pixel, dy_pixel;
} conv_grouped_weights_block;

static conv_grouped_weights_block conv_grouped_weights_block_at(const cc_conv *conv, const conv_grouped_weights_tiling *p,
                                                                int64_t oy0, int64_t oy1)
{
    const cc_axis *h = &conv->window.h;
    const int64_t top = oy0 * h->stride - h->before,
                  bottom = (oy1 - 1) * h->stride - h->before + (h->kernel - 1) * h->dilation + 1;
    conv_grouped_weights_block b = {.oy0 = oy0,
                                    .oy1 = oy1,
                                    .iy0 = top > 0 ? cc_min(h->in, top) : 0,
                                    .iy1 = cc_min(h->in, bottom),
                                    .x_pixel = p->copies ? p->v.vec : conv->c,
                                    .dy_pixel = p->copies ? p->v.vec : conv->oc};
    if (b.iy1 < b.iy0) b.iy1 = b.iy0;
    return b;
}

/* Points the block at the channels of q's vectors in x and dy, one image each, or copies them. */
static void conv_grouped_weights_find_pixels(const cc_conv *conv, const conv_grouped_weights_tiling *p,
                                             conv_grouped_weights_block *b, const conv_grouped_weights_tile *q, const float *x,
                                             const float *dy, float *copies)
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
static void conv_grouped_weights_add_tile(const cc_conv *conv, const conv_grouped_weights_tiling *p, const int32_t *permutation,
                                          const conv_grouped_weights_tile *q, const conv_grouped_weights_block *b)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t vec = p->v.vec;
    int64_t y0, y1, begin, end;
    cc_axis_inside(ah, q->ty, &y0, &y1);
    if (y0 < b->oy0) y0 = b->oy0;
    if (y1 > b->oy1) y1 = b->oy1;
    const int64_t from = p->axis.offset + q->taps->first * p->axis.tap_step;
    cc_grouped_clip(from, aw->stride, aw->in, aw->out + q->taps->count - 1, &begin, &end);
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

static void conv_grouped_weights_clear_tile(const cc_conv *conv, const conv_grouped_weights_tiling *p,
                                            const conv_grouped_weights_tile *q)
{
    for (int64_t j = 0; j < q->taps->count; ++j)
        for (int64_t k = 0; k < q->depth; ++k)
            memset(q->dw + (j * q->taps->next * p->v.in + k) * conv->oc, 0, (size_t)q->at.lanes * sizeof *q->dw);
}

/* Blocks of rows outermost, tiles inside: a pixel's cache lines and pages are visited one after another. */
void cc_grouped_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                const cc_team *team)
{
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const conv_grouped_weights_tiling p = conv_grouped_weights_tiling_of(conv);
    const int64_t outputs = cc_conv_taps(conv) * p.v.in * conv->oc;
    const int64_t image = ah->in * aw->in * conv->c, result = ah->out * aw->out * conv->oc;
    float *copies = scratch + team->ith * p.block_floats, *partial = scratch + team->nth * p.block_floats;
    int32_t permutation[CC_VEC_MAX * CC_VEC_MAX];
    cc_grouped_permute(&p.v, permutation);

    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, p.blocks * p.count, 1, cc_conv_work(conv)); cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin; i < mine.end;) {
            const int64_t block = i / p.count, begin = i % p.count, end = cc_min(p.count, begin + mine.end - i);
            const cc_range rows = cc_block(conv->n * ah->out, p.blocks, block);
            float *to = p.blocks > 1 ? partial + block * outputs : dw;
            for (int64_t k = begin; k < end; ++k) {
                const conv_grouped_weights_tile q = conv_grouped_weights_tile_at(conv, &p, k, to);
                conv_grouped_weights_clear_tile(conv, &p, &q);
            }
            for (int64_t row = rows.begin; row < rows.end;) {
                const int64_t n = row / ah->out, oy0 = row % ah->out,
                              oy1 = cc_min(cc_min(ah->out, oy0 + p.block_rows), oy0 + rows.end - row);
                conv_grouped_weights_block b = conv_grouped_weights_block_at(conv, &p, oy0, oy1);
                for (int64_t k = begin; k < end; ++k) {
                    const conv_grouped_weights_tile q = conv_grouped_weights_tile_at(conv, &p, k, to);
                    const bool other = q.k % p.v.vec == 0 && q.ty == 0 && q.taps == p.taps; /* vectors than before */
                    if (k == begin || other)
                        conv_grouped_weights_find_pixels(conv, &p, &b, &q, x + n * image, dy + n * result, copies);
                    conv_grouped_weights_add_tile(conv, &p, permutation, &q, &b);
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
