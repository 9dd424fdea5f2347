/* Winograd's algorithm: forward pass and input gradient. See conv_winograd.h.
 *
 * Numbers: sums are made of transformed values. Rounding errors are some two times those of a plain sum (the test measures it).
 * A NaN or an infinity anywhere in a tile's inputs would make all outputs of the tile NaN, also those whose window does not see
 * it, and numbers near the largest would drown them; so tiles that show such numbers are computed anew, without transforms,
 * unless the plan was told not to look (kernels/winograd/winograd_direct.inc.h). */
#include "algos/conv/conv_winograd.h"
#include "base/shares.h"
#include "algos/conv/conv_volume.h"
#include <math.h>

static bool conv_winograd_supports(const cc_conv *conv)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    bool known = false;
    for (int i = 0; i < CC_WINOGRAD_COUNT; ++i) known |= cc_kernels_get()->winograd.transforms[i]->r == h->kernel;
    return known && w->kernel == h->kernel && conv->groups == 1 && h->stride == 1 && w->stride == 1 && h->dilation == 1 &&
           w->dilation == 1;
}

/* What a channel read and made takes of two images, in multiply-adds: products in each plane, and the weights, where all of them
 * come from memory. Two, whatever the batch: an image's results have the same bits in any. */
static int64_t conv_winograd_work(const cc_winograd_transforms *f, const cc_winograd *g)
{
    enum { IMAGES = 2, FAR = 4 << 20, READ = 16 };
    const int64_t side = f->m + f->r - 1, planes = side * side, far = planes * g->c * g->oc >= FAR;
    return planes * (IMAGES * ((g->out_h + f->m - 1) / f->m) * ((g->out_w + f->m - 1) / f->m) + (far ? READ : 0));
}

/* The transforms of a kernel of r x r. */
static const cc_winograd_transforms *conv_winograd_transforms_of(int64_t r, const cc_winograd *g)
{
    const cc_winograd_transforms *best = NULL;
    for (int i = 0; i < CC_WINOGRAD_COUNT; ++i) {
        const cc_winograd_transforms *f = cc_kernels_get()->winograd.transforms[i];
        if (f->r == r && (!best || conv_winograd_work(f, g) < conv_winograd_work(best, g))) best = f;
    }
    return best;
}

cc_winograd cc_winograd_of(const cc_conv *conv, cc_conv_pass pass)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    cc_winograd g = {.n = conv->n,
                     .c = conv->c,
                     .oc = conv->oc,
                     .in_h = h->in,
                     .in_w = w->in,
                     .top = h->before,
                     .left = w->before,
                     .out_h = h->out,
                     .out_w = w->out};
    if (pass == CC_CONV_INPUT_GRADIENT)
        g = (cc_winograd){.n = conv->n,
                          .c = conv->oc,
                          .oc = conv->c,
                          .in_h = h->out,
                          .in_w = w->out,
                          .top = h->kernel - 1 - h->before,
                          .left = w->kernel - 1 - w->before,
                          .out_h = h->in,
                          .out_w = w->in};
    g.kernels = conv_winograd_transforms_of(h->kernel, &g);
    g.m = g.kernels->m;
    g.r = g.kernels->r;
    g.side = g.m + g.r - 1;
    g.planes = g.side * g.side;
    g.down = (g.out_h + g.m - 1) / g.m;
    g.across = (g.out_w + g.m - 1) / g.m;
    g.tiles = g.n * g.down * g.across;
    return g;
}

void cc_winograd_read_tile(const cc_winograd *g, void (*kernel)(const cc_winograd_tile *), const float *from, int64_t h,
                           int64_t w, int64_t channels, cc_range range, int64_t top, int64_t left, int64_t side, int64_t t,
                           float *to, int64_t plane, int64_t block)
{
    const int64_t image = t / (g->down * g->across), i = t / g->across % g->down, j = t % g->across;
    const int64_t y = i * g->m - top, x = j * g->m - left;
    const int64_t y0 = y < 0 ? cc_min(-y, side) : 0, x0 = x < 0 ? cc_min(-x, side) : 0;
    const int64_t y1 = cc_min(side, h - y), x1 = cc_min(side, w - x);
    kernel(&(cc_winograd_tile){.from = from + ((image * h + y) * w + x) * channels + range.begin,
                               .row = w * channels,
                               .column = channels,
                               .y0 = (int)y0,
                               .y1 = (int)(y1 < y0 ? y0 : y1),
                               .x0 = (int)x0,
                               .x1 = (int)(x1 < x0 ? x0 : x1),
                               .channels = range.end - range.begin,
                               .to = to,
                               .plane = plane,
                               .block = block});
}

/* How the work is divided. Tiles stand in groups of mr, [planes][groups][vectors of c][mr][vec]; a task is some groups by one panel
 * of output channels, whose sums are [planes][groups][nr]. */
enum {
    TASK_FLOATS = 160 * 1024, /* of sums: what a second-level cache holds beside the rest */
    OWN_FLOATS = 64 * 1024,   /* of a block's transformed tiles, if each thread works on blocks of its own, */
    PAIR_FLOATS = 160 * 1024, /* or if they are two groups, which are worth more */
    SHARED_FLOATS = 3 << 20,  /* if all threads share a block: of a third-level cache */
    FLY_DEPTH = 128,          /* channels whose weights in one panel are transformed at a time: 590 KB */
};

typedef struct conv_winograd_blocking {
    int64_t task_groups, own, shared; /* groups of a task; of a block of one thread's own; of a shared one */
    int64_t group;                    /* floats of a group in one plane */
} conv_winograd_blocking;

static conv_winograd_blocking conv_winograd_blocking_of(const cc_winograd *g)
{
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t vec = kernels->winograd.nr / 2, groups = (g->tiles + kernels->winograd.mr - 1) / kernels->winograd.mr;
    conv_winograd_blocking b = {.group = cc_winograd_vectors(g->c) * kernels->winograd.mr * vec};
    b.task_groups = TASK_FLOATS / (g->planes * kernels->winograd.mr * kernels->winograd.nr);
    b.own = OWN_FLOATS / (g->planes * b.group + 1);
    if (b.own < 2) b.own = cc_min(2, PAIR_FLOATS / (g->planes * b.group + 1));
    b.shared = SHARED_FLOATS / (g->planes * b.group + 1);
    if (b.task_groups < 1) b.task_groups = 1;
    if (b.own > b.task_groups) b.own = b.task_groups;
    if (b.shared < b.task_groups) b.shared = b.task_groups;
    b.own = cc_min(b.own, groups);
    b.shared = cc_min(b.shared, groups);
    b.task_groups = cc_min(b.task_groups, groups);
    return b;
}

static int64_t conv_winograd_sums_plane(const conv_winograd_blocking *b)
{
    const cc_kernels *kernels = cc_kernels_get();
    return cc_winograd_plane(b->task_groups * kernels->winograd.mr * kernels->winograd.nr);
}

/* The place of the weights of one panel, or some of its depth. */
static int64_t conv_winograd_late_floats(const cc_winograd *g)
{
    return g->planes * cc_winograd_plane(FLY_DEPTH * cc_kernels_get()->winograd.nr);
}

/* Packing on the fly saves writing all transformed weights to memory and reading them back. It takes one block of tiles, one task
 * for each panel, and panels enough for all threads. */
static bool conv_winograd_packs_on_the_fly(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    if (pass == CC_CONV_WEIGHT_GRADIENT) return false;
    const cc_winograd g = cc_winograd_of(conv, pass);
    const conv_winograd_blocking b = conv_winograd_blocking_of(&g);
    return b.shared <= b.task_groups && b.shared * cc_kernels_get()->winograd.mr >= g.tiles &&
           cc_winograd_panels(g.oc) >= 2 * nth;
}

/* Scratch of either way to share, the larger: which one is taken may change with the batch. */
static int64_t conv_winograd_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    if (pass == CC_CONV_WEIGHT_GRADIENT) return cc_winograd_weight_scratch(conv, nth);
    const cc_winograd g = cc_winograd_of(conv, pass);
    const conv_winograd_blocking b = conv_winograd_blocking_of(&g);
    const int64_t own = nth * g.planes * cc_winograd_plane(b.own * b.group),
                  shared = g.planes * cc_winograd_plane(b.shared * b.group);
    const int64_t late = conv_winograd_packs_on_the_fly(conv, pass, nth) ? nth * conv_winograd_late_floats(&g) : 0;
    return (own > shared ? own : shared) + nth * g.planes * conv_winograd_sums_plane(&b) + late;
}

/* The sums of `count` tiles, first of them tile t, transformed back into output channels column .. column+nr-1 of y. */
static void conv_winograd_write_tiles(const cc_winograd *g, const cc_winograd_source *source, float *y, const float *sums,
                                      int64_t plane, int64_t t, int64_t count, int64_t column, const cc_epilogue *epilogue)
{
    const int64_t nr = cc_kernels_get()->winograd.nr, channels = cc_min(nr, g->oc - column);
    const int64_t pitch = epilogue->pitch ? epilogue->pitch : g->oc;
    const bool relu = epilogue->act == CC_ACT_RELU;
    for (int64_t end = t + count; t < end; ++t, sums += nr) {
        const int64_t image = t / (g->down * g->across), i = t / g->across % g->down * g->m, j = t % g->across * g->m;
        const int64_t rows = cc_min(g->m, g->out_h - i), columns = cc_min(g->m, g->out_w - j);
        float *to = y + ((image * g->out_h + i) * g->out_w + j) * pitch + column;
        g->kernels->output(&(cc_winograd_output){.from = sums,
                                                 .plane = plane,
                                                 .channels = (int)channels,
                                                 .y = to,
                                                 .row = g->out_w * pitch,
                                                 .column = pitch,
                                                 .rows = (int)rows,
                                                 .columns = (int)columns,
                                                 .bias = epilogue->bias ? epilogue->bias + column : NULL,
                                                 .accumulate = epilogue->accumulate,
                                                 .relu = relu,
                                                 .source = source,
                                                 .image = image,
                                                 .i = i,
                                                 .j = j,
                                                 .channel = column});
        if (epilogue->act == CC_ACT_LINEAR || relu) continue;
        for (int64_t r = 0; r < rows; ++r)
            cc_act_rows(epilogue->act, epilogue->alpha, to + r * g->out_w * pitch, columns, pitch, channels);
    }
}

/* One pass over the arrays. */
typedef struct conv_winograd_job {
    cc_conv_pass pass;
    cc_winograd g;
    conv_winograd_blocking b;
    float *y;
    const float *x, *w, *packed;
    const cc_epilogue *epilogue;
    const cc_winograd_source *source; /* NULL: no tile is looked at */
    float *panel;                     /* NULL, or the place of one panel of weights, which are packed on the fly */
    float *sums;                      /* of this thread */
} conv_winograd_job;

/* Tiles t0 .. t1-1 by these panels, by a team, `most` groups of tiles at a time. */
static void conv_winograd_run_tiles(const conv_winograd_job *job, int64_t most, float *transformed, int64_t t0, int64_t t1,
                                    cc_range by, const cc_team *team)
{
    const cc_kernels *kernels = cc_kernels_get();
    const cc_winograd *g = &job->g;
    const int64_t mr = kernels->winograd.mr, nr = kernels->winograd.nr, vec = nr / 2, panels = by.end - by.begin;
    const int64_t plane = cc_winograd_plane(most * job->b.group), depth = job->panel ? FLY_DEPTH : g->c;
    const int64_t weights_plane = cc_winograd_plane(depth * nr);
    const int64_t from_plane = conv_winograd_sums_plane(&job->b);
    for (int64_t first = t0; first < t1; first += most * mr) {
        /* Groups of equal size: 16 tiles as 8 and 8 rather than 14 and 2. */
        const int64_t count = cc_min(most * mr, t1 - first), wanted = (count + mr - 1) / mr;
        const int64_t rows = (count + wanted - 1) / wanted, groups = (count + rows - 1) / rows;
        /* Tasks small enough for all threads to have some, but not of weights that each of them transforms. */
        const int64_t enough = job->panel ? 1 : (2 * team->nth + panels - 1) / panels;
        const int64_t task_groups = cc_min(job->b.task_groups, (groups + enough - 1) / enough),
                      per_panel = (groups + task_groups - 1) / task_groups;
        const cc_range mine = cc_slice(team, count, 1);
        cc_range tasks;
        for (int64_t t = mine.begin; t < mine.end; ++t)
            cc_winograd_read_tile(g, g->kernels->input, job->x, g->in_h, g->in_w, g->c, (cc_range){0, g->c}, g->top, g->left,
                                  g->side, first + t, transformed + t / rows * job->b.group + t % rows * vec, plane, mr * vec);
        cc_barrier_wait(team);
        const double work = (double)(count * g->c) * (double)g->oc * (double)g->planes;
        for (cc_shares shares = cc_shares_of(team, panels * per_panel, 1, work); cc_shares_take(&shares, &tasks);)
            for (int64_t task = tasks.begin; task < tasks.end; ++task) {
                const int64_t panel = by.begin + task / per_panel, begin = task % per_panel * task_groups,
                              end = cc_min(begin + task_groups, groups);
                const float *weights = job->panel ? job->panel : job->packed + panel * cc_winograd_panel(g);
                for (int64_t k = 0; k < g->c; k += depth) {
                    if (job->panel)
                        cc_winograd_pack_panel(g, job->pass, job->panel, weights_plane, job->w, panel, k,
                                               cc_min(depth, g->c - k));
                    for (int64_t p = 0; p < g->planes; ++p)
                        for (int64_t group = begin; group < end; ++group)
                            kernels->winograd.product(job->sums + p * from_plane + (group - begin) * rows * nr,
                                                      transformed + p * plane + group * job->b.group + k * mr,
                                                      weights + p * weights_plane, cc_min(depth, g->c - k),
                                                      (int)cc_min(rows, count - group * rows),
                                                      (int)cc_min(nr, g->oc - panel * nr), k > 0);
                }
                conv_winograd_write_tiles(g, job->source, job->y, job->sums, from_plane, first + begin * rows,
                                          cc_min(end * rows, count) - begin * rows, panel * nr, job->epilogue);
            }
        cc_barrier_wait(team);
    }
}

/* How the threads of a team share a pass; the results are the same.
 *
 *     OWN_TILES   each takes tiles of its own and reads all weights: what one writes hardly any other reads
 *     OWN_PANELS  each transforms all tiles for itself and multiplies them by panels of its own
 *     TOGETHER    all transform a block of tiles together, and divide tiles and panels between them
 *
 * A transformed number that goes from core to core costs two or three times its making, a weight read once more a tenth of
 * that. */
typedef enum conv_winograd_sharing { OWN_TILES, OWN_PANELS, TOGETHER } conv_winograd_sharing;

static conv_winograd_sharing conv_winograd_share(const cc_winograd *g, const conv_winograd_blocking *b, bool late, int nth)
{
    enum { FEW_THREADS = 3, LEAST_TILES = 4, WEIGHTS = 8, WEIGHTS_OF_A_TILE = 1 << 17 };
    const int64_t mr = cc_kernels_get()->winograd.mr, mine = (g->tiles + nth - 1) / nth;
    if (late) return TOGETHER;
    /* Weights from a third-level cache or memory are read once for each block, of some tiles only. */
    const bool near = g->planes * g->c * g->oc <= WEIGHTS_OF_A_TILE * b->own * mr;
    if (near && b->own >= 2 && g->tiles >= 2 * mr * nth) return OWN_TILES;
    if (nth < 2) return TOGETHER;
    if (mine >= LEAST_TILES && mine <= b->own * mr && g->oc <= WEIGHTS * g->tiles) return OWN_TILES;
    if (nth <= FEW_THREADS && cc_winograd_panels(g->oc) % nth == 0 && g->tiles <= b->own * mr) return OWN_PANELS;
    return TOGETHER;
}

static void conv_winograd_run(const cc_conv *conv, cc_conv_pass pass, float *y, const float *x, const float *w,
                              const float *packed, const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    conv_winograd_job job = {
        .pass = pass, .g = cc_winograd_of(conv, pass), .y = y, .x = x, .w = w, .packed = packed, .epilogue = epilogue};
    const cc_winograd *g = &job.g;
    if (g->tiles <= 0 || g->oc <= 0) return;
    const cc_winograd_source source = cc_winograd_source_of(g, pass, x, w);
    if (!conv->unchecked) job.source = &source;
    const conv_winograd_blocking b = job.b = conv_winograd_blocking_of(g);
    const int64_t mr = cc_kernels_get()->winograd.mr, sums = g->planes * conv_winograd_sums_plane(&b),
                  panels = cc_winograd_panels(g->oc);
    job.sums = scratch + team->ith * sums;
    scratch += team->nth * sums;
    if (!packed) {
        job.panel = scratch + team->ith * conv_winograd_late_floats(g);
        scratch += team->nth * conv_winograd_late_floats(g);
    }
    const conv_winograd_sharing how = conv_winograd_share(g, &b, !packed, team->nth);
    float *own = scratch + team->ith * g->planes * cc_winograd_plane(b.own * b.group);
    const cc_team alone = {.nth = 1};
    if (how == OWN_TILES) {
        cc_range mine;
        for (cc_shares shares = cc_shares_of(team, g->tiles, g->tiles < 8 * mr * team->nth ? 1 : mr, cc_conv_work(conv) / 2);
             cc_shares_take(&shares, &mine);)
            conv_winograd_run_tiles(&job, b.own, own, mine.begin, mine.end, (cc_range){0, panels}, &alone);
    } else if (how == OWN_PANELS) {
        conv_winograd_run_tiles(&job, b.own, own, 0, g->tiles, cc_slice(team, panels, 1), &alone);
    } else {
        conv_winograd_run_tiles(&job, b.shared, scratch, 0, g->tiles, (cc_range){0, panels}, team);
    }
}

static void conv_winograd_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                  const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    conv_winograd_run(conv, CC_CONV_FORWARD, y, x, w, packed, epilogue, scratch, team);
}

static void conv_winograd_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                         const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    conv_winograd_run(conv, CC_CONV_INPUT_GRADIENT, dx, dy, w, packed, epilogue, scratch, team);
}

/* The products; the transforms, for each number of a plane; for each transformed weight, what it takes to read it, make it or
 * write it back, which with few tiles is most of the time: the more so beyond a third-level cache; and some barriers. */
static double conv_winograd_cost(const cc_conv *conv, cc_conv_pass pass)
{
    enum { CACHED = 4 << 20, START = 200000 };
    static const double transform[] = {16, 16, 24}, weight[] = {2, 5, 8}, far_weight[] = {6, 6, 7}; /* of each pass */
    const cc_winograd g = cc_winograd_of(conv, pass);
    enum { MEASURED = 16 }; /* channels from which on a panel's second vector counts only where it is needed */
    const bool many = g.c >= MEASURED && g.oc >= MEASURED;
    const double nr = cc_kernels_get()->winograd.nr;
    const double made = many ? (double)cc_winograd_vectors(g.oc) * nr / 2 : (double)cc_winograd_panels(g.oc) * nr;
    const double read = (double)cc_winograd_vectors(g.c) * nr / 2, planes = (double)g.planes, tiles = (double)g.tiles;
    const bool far = planes * read * made > CACHED;
    /* Of images smaller than a 5x5 kernel most of a tile is padding, whose transforms leave dw fewer digits than a tile's sums. */
    if (pass == CC_CONV_WEIGHT_GRADIENT && g.r == 5 && cc_min(conv->window.h.in, conv->window.w.in) < g.r) return INFINITY;
    return START + planes * (tiles * read * made + transform[pass] * tiles * (read + made) +
                             (far ? far_weight : weight)[pass] * read * made);
}

static const cc_conv_algorithm winograd_of_images = {
    .name = "winograd",
    .supports = conv_winograd_supports,
    .cost = conv_winograd_cost,
    .packed = cc_winograd_packed,
    .pack = cc_winograd_pack,
    .packs_on_the_fly = conv_winograd_packs_on_the_fly,
    .accumulates = true,
    .pitched = true,
    .scratch = conv_winograd_scratch_floats,
    .forward = conv_winograd_forward,
    .input_gradient = conv_winograd_input_gradient,
    .weight_gradient = cc_winograd_weight_gradient,
};

CC_CONV_WITH_VOLUMES(winograd, winograd_of_images, true, false, true);
