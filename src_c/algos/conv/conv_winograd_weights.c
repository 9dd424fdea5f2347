/* Winograd's algorithm: the weights' transform and their gradient. See conv_winograd.h. */
#include "algos/conv/conv_winograd.h"
#include "base/shares.h"

int64_t cc_winograd_panel(const cc_winograd *g)
{
    return g->planes * cc_winograd_plane(g->c * cc_kernels_get()->winograd.nr);
}

int64_t cc_winograd_packed(const cc_conv *conv, cc_conv_pass pass)
{
    const cc_winograd g = cc_winograd_of(conv, pass);
    return cc_winograd_panels(g.oc) * cc_winograd_panel(&g);
}

void cc_winograd_pack_panel(const cc_winograd *g, cc_conv_pass pass, float *to, int64_t plane, const float *w, int64_t panel,
                            int64_t first, int64_t count)
{
    const int64_t nr = cc_kernels_get()->winograd.nr, vec = nr / 2, tap = g->c * g->oc;
    const int64_t column = panel * nr, width = cc_min(nr, g->oc - column), end = first + count;
    if (pass == CC_CONV_FORWARD)
        for (int64_t k = first; k < end; ++k, to += nr) g->kernels->weights(to, plane, w + k * g->oc + column, tap, (int)width);
    else /* w is [r^2][g->oc][g->c] */
        for (int64_t k = first; k < end; k += vec, to += vec * nr)
            g->kernels->transposed(to, plane, w + column * g->c + k, tap, g->c, (int)cc_min(vec, end - k), (int)width);
}

void cc_winograd_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team)
{
    enum { CHANNELS = 16 }; /* of a task: a multiple of vec */
    const cc_winograd g = cc_winograd_of(conv, pass);
    const int64_t tasks = (g.c + CHANNELS - 1) / CHANNELS, floats = cc_winograd_panel(&g), nr = cc_kernels_get()->winograd.nr;
    const cc_range mine = cc_slice(team, cc_winograd_panels(g.oc) * tasks, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t panel = i / tasks, first = i % tasks * CHANNELS;
        cc_winograd_pack_panel(&g, pass, packed + panel * floats + first * nr, cc_winograd_plane(g.c * nr), w, panel, first,
                               cc_min(CHANNELS, g.c - first));
    }
}

/* The gradient: planes of x as [planes][vectors of c][tiles of the block][vec], of dy likewise. A tile of dw is one vector of c by
 * one panel of oc; in each plane a sum over the tiles of outer products, added up over the blocks, and at last transformed into
 * the taps of dw. Three ways:
 *
 *     in tasks    Many tiles, few channels: the tiles are divided into tasks, each with sums of its own. A thread takes whole
 *                 tasks, in blocks that stay in its second-level cache beside the sums. The tasks' sums are added at last.
 *     by planes   All threads share a block, which leaves such a cache, and the sums; they divide planes and tiles of dw. Reads the
 *                 transformed tiles once. Panels whose sums would take too much memory are taken some at a time: to transform
 *                 x once more for the others costs a fiftieth of the products.
 *     by dw       One block of few tiles; they divide the tiles of dw, whose planes stay in a cache until they are transformed.
 *
 * Sums are [tasks][planes][tiles of dw][vec][nr]; by dw, [planes][vec][nr] for each thread. */
enum {
    SHARED_FLOATS = 1 << 20, /* of a shared block's transformed tiles */
    LEAST_TILES = 192,       /* of a shared block */
    SHORT_TILES = 80,        /* the most that are taken by dw */
    OWN_FLOATS = 48 * 1024,  /* of a block's transformed tiles, if each thread works on blocks of its own */
    TASKS_FLOATS = 1 << 20,  /* of all tasks' sums */
    SUMS_FLOATS = 5 << 20,   /* of shared sums */
    TASK_TILES = 64,         /* a task has at least so many */
    LEAST_TASKS = 8,
    MOST_TASKS = 32,
};

typedef struct conv_winograd_weights_blocking {
    cc_winograd g;
    int64_t vec, nr, block, x_plane, dy_plane; /* tiles of a block; floats of a plane of x, of dy */
    int64_t down, across;                      /* vectors of c, panels of oc: as many as are taken at a time */
    int64_t tasks;                             /* 0: not in tasks */
    bool by_dw_tiles;
    int64_t sums_plane; /* floats */
    bool unchecked;     /* sums are not looked at */
} conv_winograd_weights_blocking;

/* How many tasks: a power of two, of the sizes only, for the order of the sums depends on it. 0 if they would be too few. */
static int64_t conv_winograd_weights_tasks_of(const conv_winograd_weights_blocking *s)
{
    const int64_t sums = s->g.planes * cc_winograd_plane(s->down * s->across * s->vec * s->nr);
    int64_t tasks = MOST_TASKS;
    while (tasks >= LEAST_TASKS && (tasks * sums > TASKS_FLOATS || tasks * TASK_TILES > s->g.tiles)) tasks /= 2;
    return tasks >= LEAST_TASKS ? tasks : 0;
}

static conv_winograd_weights_blocking conv_winograd_weights_blocking_for(const cc_winograd *g, bool in_tasks)
{
    conv_winograd_weights_blocking s = {.g = *g, .nr = cc_kernels_get()->winograd.nr};
    s.vec = s.nr / 2;
    s.down = cc_winograd_vectors(g->c);
    s.across = cc_winograd_panels(g->oc);
    s.tasks = in_tasks ? conv_winograd_weights_tasks_of(&s) : 0;
    s.by_dw_tiles = !s.tasks && g->tiles <= SHORT_TILES;
    if (!s.tasks && !s.by_dw_tiles) {
        const int64_t times = (g->planes * s.down * s.across * s.vec * s.nr + SUMS_FLOATS - 1) / SUMS_FLOATS;
        s.across = times > 1 ? (s.across + times - 1) / times : s.across;
    }
    const int64_t vectors = s.down + cc_min(2 * s.across, cc_winograd_vectors(g->oc));
    s.block = (s.tasks ? OWN_FLOATS : SHARED_FLOATS) / (g->planes * vectors * s.vec + 1);
    if (!s.tasks && s.block < LEAST_TILES) s.block = LEAST_TILES;
    s.block = cc_min(s.block, g->tiles);
    s.x_plane = cc_winograd_plane(s.down * s.vec * s.block);
    s.dy_plane = cc_winograd_plane((vectors - s.down) * s.vec * s.block);
    s.sums_plane = cc_winograd_plane(s.by_dw_tiles ? s.vec * s.nr : s.down * s.across * s.vec * s.nr);
    return s;
}

static conv_winograd_weights_blocking conv_winograd_weights_blocking_of(const cc_conv *conv)
{
    const cc_winograd g = cc_winograd_of(conv, CC_CONV_WEIGHT_GRADIENT);
    conv_winograd_weights_blocking s = conv_winograd_weights_blocking_for(&g, true);
    s.unchecked = conv->unchecked;
    return s;
}

static int64_t conv_winograd_weights_block_floats(const conv_winograd_weights_blocking *s)
{
    return s->g.planes * (s->x_plane + s->dy_plane);
}

static int64_t conv_winograd_weights_floats_of(const conv_winograd_weights_blocking *s, int nth)
{
    if (s->tasks) return nth * conv_winograd_weights_block_floats(s) + s->tasks * s->g.planes * s->sums_plane;
    return conv_winograd_weights_block_floats(s) + (s->by_dw_tiles ? nth : 1) * s->g.planes * s->sums_plane;
}

/* Of these tiles; and of fewer, which may be taken in another way. */
int64_t cc_winograd_weight_scratch(const cc_conv *conv, int nth)
{
    const conv_winograd_weights_blocking s = conv_winograd_weights_blocking_of(conv);
    cc_winograd some = s.g, few = s.g;
    some.tiles = cc_min(some.tiles, LEAST_TASKS * TASK_TILES);
    few.tiles = cc_min(few.tiles, SHORT_TILES);
    const conv_winograd_weights_blocking shared = conv_winograd_weights_blocking_for(&some, false),
                                         by_dw_tiles = conv_winograd_weights_blocking_for(&few, false);
    const int64_t floats =
        cc_max(conv_winograd_weights_floats_of(&shared, nth), conv_winograd_weights_floats_of(&by_dw_tiles, nth));
    return cc_max(floats, conv_winograd_weights_floats_of(&s, nth));
}

static void conv_winograd_weights_transform_block(const conv_winograd_weights_blocking *s, cc_range by, float *planes_x,
                                                  float *planes_dy, const float *x, const float *dy, int64_t first,
                                                  int64_t count, const cc_team *team)
{
    const cc_winograd *g = &s->g;
    const cc_range mine = cc_slice(team, count, 1), columns = {by.begin * s->nr, cc_min(by.end * s->nr, g->oc)};
    for (int64_t t = mine.begin; t < mine.end; ++t) {
        cc_winograd_read_tile(g, g->kernels->input, x, g->in_h, g->in_w, g->c, (cc_range){0, g->c}, g->top, g->left, g->side,
                              first + t, planes_x + t * s->vec, s->x_plane, s->block * s->vec);
        cc_winograd_read_tile(g, g->kernels->gradient, dy, g->out_h, g->out_w, g->oc, columns, 0, 0, g->m, first + t,
                              planes_dy + t * s->vec, s->dy_plane, s->block * s->vec);
    }
}

/* One tile of dw of the panels `by`, in one plane of x and dy. */
static void conv_winograd_weights_add_products(const conv_winograd_weights_blocking *s, cc_range by, float *sum,
                                               const float *x_plane, const float *dy_plane, int64_t dw_tile, int64_t count,
                                               bool accumulate)
{
    const int64_t row = dw_tile % s->down, panel = dw_tile / s->down, vector = s->block * s->vec;
    const float *left = dy_plane + 2 * panel * vector;
    const float *right = 2 * (by.begin + panel) + 1 < cc_winograd_vectors(s->g.oc) ? left + vector : NULL;
    cc_kernels_get()->winograd.outer(sum, x_plane + row * vector, left, right, count, accumulate);
}

/* Tiles begin .. end-1 by a team, block by block: the products of all planes and tiles of dw. */
static void conv_winograd_weights_add_tiles(const conv_winograd_weights_blocking *s, cc_range by, float *sums, float *planes_x,
                                            float *planes_dy, const float *x, const float *dy, int64_t begin, int64_t end,
                                            const cc_team *team)
{
    const int64_t dw_tiles = s->down * (by.end - by.begin);
    const double work = (double)(s->g.planes * s->block) * (double)(s->vec * s->nr) * (double)dw_tiles;
    cc_range mine;
    for (int64_t first = begin; first < end; first += s->block) {
        const int64_t count = cc_min(s->block, end - first);
        conv_winograd_weights_transform_block(s, by, planes_x, planes_dy, x, dy, first, count, team);
        cc_barrier_wait(team);
        for (cc_shares shares = cc_shares_of(team, s->g.planes * dw_tiles, 1, work); cc_shares_take(&shares, &mine);)
            for (int64_t i = mine.begin; i < mine.end; ++i) {
                const int64_t p = i / dw_tiles, dw_tile = i % dw_tiles;
                conv_winograd_weights_add_products(s, by, sums + p * s->sums_plane + dw_tile * s->vec * s->nr,
                                                   planes_x + p * s->x_plane, planes_dy + p * s->dy_plane, dw_tile, count,
                                                   first > begin);
            }
        cc_barrier_wait(team);
    }
}

/* The sums of all tasks into those of the first, in order. */
static void conv_winograd_weights_add_tasks(const conv_winograd_weights_blocking *s, float *sums, const cc_team *team)
{
    enum { BLOCK = 512 }; /* floats that stay in a first-level cache */
    const int64_t floats = s->g.planes * s->sums_plane;
    const cc_range mine = cc_slice(team, floats, BLOCK);
    for (int64_t at = mine.begin; at < mine.end; at += BLOCK)
        cc_kernels_get()->elementwise.add_windows(sums + at, 0, sums + at + floats, floats, s->tasks - 1,
                                                  cc_min(BLOCK, mine.end - at));
    cc_barrier_wait(team);
}

/* The sums of one tile of the panels `by` into its rows and columns of dw; those are computed anew, without transforms, where
 * these have spread what is not finite, or very large. */
static void conv_winograd_weights_write(const conv_winograd_weights_blocking *s, cc_range by, float *dw, const float *sum,
                                        int64_t dw_tile, const float *x, const float *dy)
{
    const int64_t row = dw_tile % s->down * s->vec, column = (by.begin + dw_tile / s->down) * s->nr, oc = s->g.oc;
    const int64_t rows = cc_min(s->vec, s->g.c - row), columns = cc_min(s->nr, oc - column);
    bool moderate = true;
    for (int64_t i = 0; i < rows; ++i)
        moderate &= s->g.kernels->weight_gradient(dw + (row + i) * oc + column, s->g.c * oc, sum + i * s->nr, s->sums_plane,
                                                  (int)columns);
    if (!moderate && !s->unchecked) cc_winograd_plain_gradient(&s->g, dw, x, dy, row, rows, column, columns);
}

/* The panels `by` of dw. */
static void conv_winograd_weights_make_panels(const conv_winograd_weights_blocking *s, cc_range by, float *dw, const float *x,
                                              const float *dy, float *scratch, const cc_team *team)
{
    const int64_t planes = s->g.planes, dw_tiles = s->down * (by.end - by.begin), floats = s->vec * s->nr;
    float *planes_x = scratch + (s->tasks ? team->ith * conv_winograd_weights_block_floats(s) : 0),
          *planes_dy = planes_x + planes * s->x_plane;
    float *sums = scratch + (s->tasks ? team->nth : 1) * conv_winograd_weights_block_floats(s);
    const double work = (double)(s->g.tiles * planes) * (double)(s->g.c * s->nr) * (double)(by.end - by.begin);
    if (s->tasks) {
        cc_range my_tasks;
        for (cc_shares shares = cc_shares_of(team, s->tasks, 1, work); cc_shares_take(&shares, &my_tasks);)
            for (int64_t task = my_tasks.begin; task < my_tasks.end; ++task)
                conv_winograd_weights_add_tiles(s, by, sums + task * planes * s->sums_plane, planes_x, planes_dy, x, dy,
                                                s->g.tiles * task / s->tasks, s->g.tiles * (task + 1) / s->tasks,
                                                &(cc_team){.nth = 1});
        cc_barrier_wait(team);
        conv_winograd_weights_add_tasks(s, sums, team);
    } else if (s->by_dw_tiles) {
        conv_winograd_weights_transform_block(s, by, planes_x, planes_dy, x, dy, 0, s->g.tiles, team);
        cc_barrier_wait(team);
    } else {
        conv_winograd_weights_add_tiles(s, by, sums, planes_x, planes_dy, x, dy, 0, s->g.tiles, team);
    }
    cc_range my_dw_tiles;
    for (cc_shares shares = cc_shares_of(team, dw_tiles, 1, s->by_dw_tiles ? work : 0); cc_shares_take(&shares, &my_dw_tiles);)
        for (int64_t dw_tile = my_dw_tiles.begin; dw_tile < my_dw_tiles.end; ++dw_tile) {
            float *sum = s->by_dw_tiles ? sums + team->ith * planes * s->sums_plane : sums + dw_tile * floats;
            for (int64_t p = 0; p < planes && s->by_dw_tiles; ++p)
                conv_winograd_weights_add_products(s, by, sum + p * s->sums_plane, planes_x + p * s->x_plane,
                                                   planes_dy + p * s->dy_plane, dw_tile, s->g.tiles, false);
            conv_winograd_weights_write(s, by, dw, sum, dw_tile, x, dy);
        }
}

/* The next panels' first products come after a barrier: by then everyone has written these. */
void cc_winograd_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                 const cc_team *team)
{
    const conv_winograd_weights_blocking s = conv_winograd_weights_blocking_of(conv);
    const int64_t panels = cc_winograd_panels(s.g.oc);
    if (s.g.tiles <= 0) {
        const cc_range mine = cc_slice(team, s.g.r * s.g.r * s.g.c * s.g.oc, 1024);
        for (int64_t i = mine.begin; i < mine.end; ++i) dw[i] = 0;
        return;
    }
    for (int64_t panel = 0; panel < panels; panel += s.across)
        conv_winograd_weights_make_panels(&s, (cc_range){panel, cc_min(panel + s.across, panels)}, dw, x, dy, scratch, team);
}
