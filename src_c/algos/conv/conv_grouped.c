/* Grouped convolution with few channels in a group (Xie et al., "Aggregated residual transformations for deep neural networks",
 * 2017). Products group by group would fill a part of a vector each. Here a vector of output channels holds as many whole
 * groups as find room in it, and the channels of a pixel are permuted over its lanes: every lane sees those of its own group
 * (kernels/grouped/grouped.inc.h). Where a group is wider than a vector, several vectors hold it.
 *
 * Forward and input gradient are one loop over the axes of conv_gather.h. Along a row of a kernel, taps that are `step` cells
 * of the source apart are taken together: they read the same pixels for neighbouring outputs, and share loading and permutation. */
#include "algos/conv/conv_grouped.h"
#include "algos/conv/conv_volume.h"
#include "kernels/macros.h"

#include <string.h>

/* Groups of one input channel are depthwise. */
static bool conv_grouped_supports(const cc_conv *conv)
{
    return conv->groups > 1 && conv->c > conv->groups && conv->oc > 0 && conv->window.h.kernel <= CC_GROUPED_TAPS_MAX &&
           conv->window.w.kernel <= CC_GROUPED_TAPS_MAX / conv->window.h.kernel;
}

/* ---- Channels ---- */

cc_grouped_vectors cc_grouped_vectors_of(const cc_conv *conv, cc_conv_pass pass)
{
    const int64_t c = conv->c / conv->groups, oc = conv->oc / conv->groups;
    const bool transposed = pass == CC_CONV_INPUT_GRADIENT;
    cc_grouped_vectors v = {
        .groups = conv->groups, .in = transposed ? oc : c, .out = transposed ? c : oc, .vec = cc_kernels_get()->grouped.vec};
    const int64_t wider = v.in > v.out ? v.in : v.out;
    v.groups_per_vector = wider < v.vec ? v.vec / wider : 1;
    v.vectors_per_group = (v.out + v.vec - 1) / v.vec;
    v.vectors = (v.groups + v.groups_per_vector - 1) / v.groups_per_vector * v.vectors_per_group;
    return v;
}

cc_grouped_vector cc_grouped_vector_at(const cc_grouped_vectors *v, int64_t i)
{
    const int64_t group = i / v->vectors_per_group * v->groups_per_vector, inside = i % v->vectors_per_group,
                  groups = cc_min(v->groups_per_vector, v->groups - group);
    return (cc_grouped_vector){
        .group = group,
        .source = group * v->in,
        .target = group * v->out + inside * v->vec,
        .source_last = (int)(v->in <= v->vec ? groups * v->in : (v->in - 1) % v->vec + 1),
        .lanes = (int)(v->vectors_per_group == 1 ? groups * v->out : cc_min(v->vec, v->out - inside * v->vec))};
}

void cc_grouped_permute(const cc_grouped_vectors *v, int32_t permutation[CC_VEC_MAX * CC_VEC_MAX])
{
    for (int64_t k = 0; k < cc_min(v->in, v->vec); ++k)
        for (int64_t i = 0; i < v->vec; ++i)
            permutation[k * v->vec + i] = (int32_t)(i < v->groups_per_vector * v->out ? i / v->out * v->in + k : i);
}

/* Which instructions can do it. What lanes without a channel see does not matter: they are not stored. */
static cc_grouped_lanes conv_grouped_lanes(const cc_grouped_vectors *v, const int32_t *permutation)
{
    bool near = true;
    if (v->groups_per_vector == 1) return CC_GROUPED_ONE;
    for (int64_t k = 0; k < cc_min(v->in, v->vec); ++k)
        for (int64_t i = 0; i < v->vec; ++i) near &= permutation[k * v->vec + i] / 4 == i / 4;
    return near ? CC_GROUPED_NEAR : CC_GROUPED_ANY;
}

/* ---- Taps ---- */

int cc_grouped_list_taps(const cc_gather_axis *axis, cc_grouped_taps taps[CC_GROUPED_TAPS_MAX])
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
                (cc_grouped_taps){.first = r + first * apart, .next = axis->tap_step < 0 ? -apart : apart, .count = (int)few};
            done += few;
        }
    }
    return count;
}

void cc_grouped_clip(int64_t from, int64_t step, int64_t limit, int64_t count, int64_t *begin, int64_t *end)
{
    *begin = from < 0 ? cc_min(count, (-from + step - 1) / step) : 0;
    *end = from >= limit ? 0 : cc_min(count, (limit - 1 - from) / step + 1);
    if (*end < *begin) *end = *begin;
}

/* ---- Weights: [phases][vectors][ty][groups of tx][source channels][taps of a group][vec] ---- */

static int64_t conv_grouped_packed_floats(const cc_conv *conv, cc_conv_pass pass)
{
    const cc_grouped_vectors v = cc_grouped_vectors_of(conv, pass);
    return v.vectors * cc_conv_taps(conv) * v.in * v.vec;
}

/* The weights of one vector and group of taps: lane i of [k][j] is from input channel k's (or, transposed, to it) to the vector's
 * channel i. */
static void conv_grouped_pack_taps(const cc_conv *conv, const cc_grouped_vectors *v, bool transposed, float *to, const float *w,
                                   int64_t i, int64_t ty, const cc_grouped_taps *r, const cc_gather_axis *axis)
{
    const cc_grouped_vector at = cc_grouped_vector_at(v, i);
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

static float *conv_grouped_pack_axes(const cc_conv *conv, const cc_grouped_vectors *v, bool transposed, float *packed,
                                     const float *w, const cc_gather_axis *h, const cc_gather_axis *x, const cc_team *team)
{
    cc_grouped_taps taps[CC_GROUPED_TAPS_MAX];
    const int count = cc_grouped_list_taps(x, taps);
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
    const cc_grouped_vectors v = cc_grouped_vectors_of(conv, pass);
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

/* A part of the work is a block of rows and columns of an image's targets by some vectors of channels: those of a group, or those
 * that have a cache line of a pixel. What it reads is copied side by side first, with the padding: in the image pixels lie so far
 * apart that they push one another out of the first-level cache, in which the copy stays while all taps and channels read it. A
 * line of the copy has the pixels of one group of taps after the other, each a step apart in the image: [vectors of the
 * source][rows][groups of taps][pixels][vec]. */
typedef struct conv_grouped_blocking {
    int64_t columns, rows; /* of targets, at most */
    int64_t across;        /* blocks of columns */
    int64_t together;      /* vectors of targets */
    int64_t planes, each;  /* vectors of the source: all, those of one vector of targets */
    int64_t pixels, line;  /* of a group of taps; floats of a row */
    int64_t plane;         /* floats from one to the next */
} conv_grouped_blocking;

/* Rows of the source that so many rows of targets read, at most. */
static int64_t conv_grouped_read_rows(const cc_gather_axis *h, int64_t rows)
{
    const int64_t move = h->tap_step < 0 ? -h->tap_step : h->tap_step;
    return cc_min(rows * h->taps, (rows - 1) * h->step + (h->taps - 1) * move + 1);
}

enum { COPY_FLOATS = 6144, COLUMNS = 64 }; /* 24 KB: most of a first-level cache */

static conv_grouped_blocking conv_grouped_blocking_of(const cc_gather *g, const cc_grouped_vectors *v, int tap_groups)
{
    const bool wide = v->vectors_per_group > 1; /* vectors of targets that read the same */
    conv_grouped_blocking b = {.rows = 1, .each = (v->in + v->vec - 1) / v->vec};
    b.together = wide ? v->vectors_per_group : cc_min(v->vectors, v->vec < LINE ? LINE / v->vec : 1);
    b.planes = wide ? b.each : b.together * b.each;
    const int64_t column = b.planes * conv_grouped_read_rows(&g->h, 1) * tap_groups * v->vec; /* floats of a row of targets */
    const int64_t fit = column > 0 ? COPY_FLOATS / column - (CC_GROUPED_TAPS - 1) : COLUMNS;
    const int64_t least = cc_kernels_get()->grouped.pixels, most = fit < least ? least : cc_min(fit, COLUMNS);
    b.across = (g->w.count + most - 1) / most;
    if (b.across > 0) b.columns = (g->w.count + b.across - 1) / b.across;
    b.pixels = b.columns + CC_GROUPED_TAPS - 1;
    b.line = tap_groups * b.pixels * v->vec;
    while (b.rows < g->h.count && (b.rows + 1) * g->h.taps <= CC_GROUPED_TAPS_MAX &&
           conv_grouped_read_rows(&g->h, b.rows + 1) * b.line * b.planes <= COPY_FLOATS)
        ++b.rows;
    b.plane = conv_grouped_read_rows(&g->h, b.rows) * b.line;
    return b;
}

/* Floats of the copy beyond those that have a place on the stack: kernels, or groups, of hundreds of channels and taps. */
static int64_t conv_grouped_large_copy(const conv_grouped_blocking *b)
{
    return b->planes * b->plane > COPY_FLOATS ? b->planes * b->plane : 0;
}

typedef struct conv_grouped_next {
    const float *at;
    int64_t floats;
    int64_t lines; /* with each tile */
} conv_grouped_next;

/* One pass from one image to the other, and what is done now: rows i0 .. i1-1 and columns j0 .. j1-1 of an image's targets. */
typedef struct conv_grouped_job {
    const cc_gather *g;
    const cc_grouped_vectors *v;
    conv_grouped_blocking b;
    cc_grouped_taps taps[CC_GROUPED_TAPS_MAX];
    int tap_groups;
    int32_t permutation[CC_VEC_MAX * CC_VEC_MAX];
    cc_grouped_lanes lanes;
    const float *packed;
    const cc_epilogue *epilogue;
    float *copy;
    int64_t image, i0, i1, j0, j1;
    bool far;
    conv_grouped_next next[2];         /* what is called for */
    int64_t read[CC_GROUPED_TAPS_MAX]; /* the rows of the source in the copy */
    int read_count;
    int row[CC_GROUPED_TAPS_MAX]; /* row[i * taps + ty] of the copy is what row i0 + i reads by tap ty; -1: padding */
} conv_grouped_job;

static int conv_grouped_find_row(conv_grouped_job *job, int64_t y)
{
    if (y < 0 || y >= job->g->h.limit) return -1;
    for (int i = job->read_count; i > 0; --i)
        if (job->read[i - 1] == y) return i - 1;
    job->read[job->read_count] = y;
    return job->read_count++;
}

/* What the next rows of the image read beyond these, and where their results go: copying reads a line of every pixel, which the
 * processor does not foresee. So they are called into the second-level cache, some lines with each tile. */
static void conv_grouped_foresee(conv_grouped_job *job)
{
    const cc_gather *g = job->g;
    const int64_t rows = job->i1 - job->i0, x_row = g->w.limit * g->source_channels, y_row = g->target_w * g->target_channels;
    const int64_t below = job->i1 * g->h.step + g->h.offset + (g->h.tap_step > 0 ? (g->h.taps - 1) * g->h.tap_step : 0);
    const int64_t x = job->image * g->h.limit + (below > 0 ? cc_min(g->h.limit, below) : 0),
                  y = job->image * g->target_h + g->h.first + job->i1 * g->h.every;
    const int64_t pixels = cc_kernels_get()->grouped.pixels, tiles = (job->j1 - job->j0 + pixels - 1) / pixels;
    const int64_t floats[2] = {cc_min(rows * g->h.step, g->n * g->h.limit - x) * x_row,
                               cc_min(rows * g->h.every, g->n * g->target_h - y) * y_row};
    const float *at[2] = {g->source + x * x_row, g->target + y * y_row};
    for (int k = 0; k < 2; ++k)
        job->next[k] = (conv_grouped_next){at[k], floats[k], floats[k] / (LINE * rows * tiles * job->v->vectors) + 1};
}

static void conv_grouped_call(conv_grouped_job *job)
{
    for (int k = 0; k < 2; ++k) {
        conv_grouped_next *next = &job->next[k];
        for (int64_t i = 0; i < next->lines && next->floats > 0; ++i, next->at += LINE, next->floats -= LINE)
            PREFETCH_L2(next->at);
    }
}

static void conv_grouped_begin_block(conv_grouped_job *job)
{
    const cc_gather_axis *h = &job->g->h;
    int *row = job->row;
    job->read_count = 0;
    for (int64_t i = job->i0; i < job->i1; ++i)
        for (int64_t ty = 0; ty < h->taps; ++ty)
            *row++ = conv_grouped_find_row(job, i * h->step + h->offset + ty * h->tap_step);
    if (job->far) conv_grouped_foresee(job);
}

/* What vectors first .. first+together-1 read. */
static void conv_grouped_copy(const conv_grouped_job *job, int64_t first)
{
    const cc_gather *g = job->g;
    const conv_grouped_blocking *b = &job->b;
    const int64_t vec = job->v->vec, pixel = g->w.step * g->source_channels;
    for (int row = 0; row < job->read_count; ++row)
        for (int r = 0; r < job->tap_groups; ++r) {
            const int64_t pixels = job->j1 - job->j0 + job->taps[r].count - 1;
            const int64_t x = job->j0 * g->w.step + g->w.offset + job->taps[r].first * g->w.tap_step;
            const float *from = g->source + ((job->image * g->h.limit + job->read[row]) * g->w.limit + x) * g->source_channels;
            int64_t begin, end;
            cc_grouped_clip(x, g->w.step, g->w.limit, pixels, &begin, &end);
            for (int64_t k = 0; k < b->planes && first + k / b->each < job->v->vectors; ++k) {
                const cc_grouped_vector channels = cc_grouped_vector_at(job->v, first + k / b->each);
                float *to = job->copy + k * b->plane + row * b->line + r * b->pixels * vec;
                memset(to, 0, (size_t)(begin * vec) * sizeof *to);
                cc_kernels_get()->grouped.copy(to + begin * vec, from + begin * pixel + channels.source + k % b->each * vec,
                                               end - begin, pixel, (k + 1) % b->each != 0 ? (int)vec : channels.source_last,
                                               LINE);
                memset(to + end * vec, 0, (size_t)((pixels - end) * vec) * sizeof *to);
            }
        }
}

/* What row i of the targets reads of the copy. */
static int conv_grouped_list_rows(const conv_grouped_job *job, int64_t i, cc_grouped_row rows[CC_GROUPED_TAPS_MAX])
{
    const int64_t vec = job->v->vec;
    int64_t weights = 0;
    int n = 0;
    for (int64_t ty = 0; ty < job->g->h.taps; ++ty) {
        const int row = job->row[(i - job->i0) * job->g->h.taps + ty];
        for (int r = 0; r < job->tap_groups; weights += job->taps[r++].count * job->v->in * vec)
            if (row >= 0)
                rows[n++] = (cc_grouped_row){.x = job->copy + row * job->b.line + r * job->b.pixels * vec,
                                             .taps = job->taps[r].count,
                                             .weights = weights};
    }
    return n;
}

/* Vector k, the n-th of those that are done together, of row i of the targets. */
static void conv_grouped_run_row(conv_grouped_job *job, const cc_grouped_row *rows, int count, int64_t i, int64_t k, int64_t n)
{
    const cc_gather *g = job->g;
    const cc_epilogue *epilogue = job->epilogue;
    const cc_grouped_kernels *kernels = &cc_kernels_get()->grouped;
    const cc_grouped_vector channels = cc_grouped_vector_at(job->v, k);
    const int64_t step = g->w.every * g->target_channels, columns = job->j1 - job->j0;
    const int64_t tiles = (columns + kernels->pixels - 1) / kernels->pixels;
    const int64_t from = job->v->vectors_per_group > 1 ? 0 : n * job->b.each * job->b.plane;
    float *y = g->target + channels.target +
               ((job->image * g->target_h + g->h.first + i * g->h.every) * g->target_w + g->w.first) * g->target_channels +
               job->j0 * step;
    cc_grouped tile = {.row = rows,
                       .rows = count,
                       .depth = job->v->in,
                       .x_plane = job->b.plane,
                       .y_lanes = channels.lanes,
                       .permutation = job->permutation,
                       .lanes = job->lanes,
                       .w = job->packed + k * g->h.taps * g->w.taps * job->v->in * job->v->vec,
                       .y_step = step,
                       .bias = epilogue->bias ? epilogue->bias + channels.target : NULL,
                       .accumulate = epilogue->accumulate,
                       .relu = epilogue->act == CC_ACT_RELU};
    for (int64_t t = 0; t < tiles; ++t) {
        const int64_t begin = columns * t / tiles, end = columns * (t + 1) / tiles;
        tile.x_first = from + begin * job->v->vec;
        tile.pixels = (int)(end - begin);
        tile.y = y + begin * step;
        kernels->tile(&tile);
        conv_grouped_call(job);
    }
    if (epilogue->act != CC_ACT_LINEAR && !tile.relu)
        cc_act_rows(epilogue->act, epilogue->alpha, y, columns, step, channels.lanes);
}

/* Rows outermost: the vectors of a cache line write it one after another. */
static void conv_grouped_run_part(conv_grouped_job *job, int64_t first)
{
    const int64_t count = cc_min(job->b.together, job->v->vectors - first);
    cc_grouped_row rows[CC_GROUPED_TAPS_MAX];
    conv_grouped_copy(job, first);
    for (int64_t i = job->i0; i < job->i1; ++i) {
        const int read = conv_grouped_list_rows(job, i, rows);
        for (int64_t n = 0; n < count; ++n) conv_grouped_run_row(job, rows, read, i, first + n, n);
    }
}

/* Blocks of an image outermost: its pixels are read whole. scratch: this thread's. */
static void conv_grouped_gather(const cc_gather *g, const cc_grouped_vectors *v, const float *packed,
                                const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    enum { TASKS = 4 };     /* of a thread, so that all have about the same */
    enum { FAR = 1 << 18 }; /* floats that do not stay in a second-level cache */
    conv_grouped_job job = {.g = g, .v = v, .packed = packed, .epilogue = epilogue};
    job.tap_groups = cc_grouped_list_taps(&g->w, job.taps);
    job.b = conv_grouped_blocking_of(g, v, job.tap_groups);
    float copy[COPY_FLOATS];
    job.copy = conv_grouped_large_copy(&job.b) ? scratch : copy;
    cc_grouped_permute(v, job.permutation);
    job.lanes = conv_grouped_lanes(v, job.permutation);
    if (g->n <= 0 || g->h.count <= 0 || g->w.count <= 0) return;
    const int64_t parts = (v->vectors + job.b.together - 1) / job.b.together;
    const int64_t across = job.b.across;
    int64_t down = (g->h.count + job.b.rows - 1) / job.b.rows;
    while (down < g->h.count && g->n * down * across * parts < TASKS * team->nth) ++down;
    job.far = across == 1 && g->n * g->h.limit * g->w.limit * g->source_channels > FAR;
    const cc_range mine = cc_slice(team, g->n * down * across * parts, 1);
    for (int64_t at = mine.begin; at < mine.end; ++at) {
        const int64_t part = at % parts, block = at / parts, j = block % across, i = block / across % down;
        if (part == 0 || at == mine.begin) {
            job.image = block / across / down;
            job.i0 = g->h.count * i / down, job.i1 = g->h.count * (i + 1) / down;
            job.j0 = g->w.count * j / across, job.j1 = g->w.count * (j + 1) / across;
            conv_grouped_begin_block(&job);
        }
        conv_grouped_run_part(&job, part * job.b.together);
    }
}

/* Floats of scratch of each thread, in every phase of a pass. */
static int64_t conv_grouped_copy_floats(const cc_conv *conv, cc_conv_pass pass, const cc_grouped_vectors *v)
{
    const int64_t phases = pass == CC_CONV_FORWARD ? 1 : cc_conv_phases(conv);
    int64_t most = 0;
    for (int64_t phase = 0; phase < phases; ++phase) {
        const cc_gather g =
            pass == CC_CONV_FORWARD ? cc_gather_of_forward(conv, NULL, NULL) : cc_gather_of_phase(conv, phase, NULL, NULL);
        cc_grouped_taps taps[CC_GROUPED_TAPS_MAX];
        const conv_grouped_blocking b = conv_grouped_blocking_of(&g, v, cc_grouped_list_taps(&g.w, taps));
        const int64_t floats = conv_grouped_large_copy(&b);
        if (floats > most) most = floats;
    }
    return most;
}

static int64_t conv_grouped_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    if (pass == CC_CONV_WEIGHT_GRADIENT) return cc_grouped_weight_scratch(conv, nth);
    const cc_grouped_vectors v = cc_grouped_vectors_of(conv, pass);
    return nth * conv_grouped_copy_floats(conv, pass, &v);
}

static void conv_grouped_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                 const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w;
    const cc_grouped_vectors v = cc_grouped_vectors_of(conv, CC_CONV_FORWARD);
    const cc_gather g = cc_gather_of_forward(conv, y, x);
    conv_grouped_gather(&g, &v, packed, epilogue, scratch + team->ith * conv_grouped_copy_floats(conv, CC_CONV_FORWARD, &v),
                        team);
}

/* Threads do not wait for each other between the phases. */
static void conv_grouped_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                        const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w;
    const cc_grouped_vectors v = cc_grouped_vectors_of(conv, CC_CONV_INPUT_GRADIENT);
    scratch += team->ith * conv_grouped_copy_floats(conv, CC_CONV_INPUT_GRADIENT, &v);
    for (int64_t phase = 0; phase < cc_conv_phases(conv); ++phase) {
        const cc_gather g = cc_gather_of_phase(conv, phase, dx, dy);
        conv_grouped_gather(&g, &v, packed, epilogue, scratch, team);
        packed += v.vectors * cc_gather_taps(&g) * v.in * v.vec;
    }
}

/* Multiply-adds of whole vectors, and what comes with a pixel of a row: loading it, and permuting each channel. Of 16 lanes, of
 * 8; of these three taps share a channel that all lanes have at the price of a load. */
static double conv_grouped_cost(const cc_conv *conv, cc_conv_pass pass)
{
    const cc_grouped_vectors v = cc_grouped_vectors_of(conv, pass);
    const double lanes = (double)(v.vectors * v.vec) / (double)(v.groups * v.out);
    const bool shared = v.groups_per_vector == 1 && conv->window.w.kernel >= CC_GROUPED_TAPS;
    return cc_conv_work(conv) * lanes * (v.vec != 8 || pass == CC_CONV_WEIGHT_GRADIENT ? 1.5 : shared ? 1.05 : 2.2);
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
    .weight_gradient = cc_grouped_weight_gradient,
};

CC_CONV_WITH_VOLUMES(grouped, grouped_of_images, false, true, false);
