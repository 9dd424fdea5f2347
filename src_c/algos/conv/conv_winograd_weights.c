/* Winograd's algorithm: the weights' transform and their gradient. See conv_winograd.h. */
#include "algos/conv/conv_winograd.h"

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
    else /* w is [9][g->oc][g->c] */
        for (int64_t k = first; k < end; k += vec, to += vec * nr)
            g->kernels->transposed(to, plane, w + column * g->c + k, tap, g->c, (int)cc_min(vec, end - k), (int)width);
}

void cc_winograd_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team)
{
    enum { STRIP = 16 }; /* channels of a piece of work: a multiple of vec */
    const cc_winograd g = cc_winograd_of(conv, pass);
    const int64_t strips = (g.c + STRIP - 1) / STRIP, floats = cc_winograd_panel(&g), nr = cc_kernels_get()->winograd.nr;
    const cc_range mine = cc_slice(team, cc_winograd_panels(g.oc) * strips, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t panel = i / strips, first = i % strips * STRIP;
        cc_winograd_pack_panel(&g, pass, packed + panel * floats + first * nr, cc_winograd_plane(g.c * nr), w, panel, first,
                               cc_min(STRIP, g.c - first));
    }
}

/* The gradient: planes of x as [planes][vectors of c][tiles of the block][vec], of dy likewise. A piece is one vector of c by
 * one panel of oc; in each plane a sum over the tiles of outer products, added up over the blocks, and at last transformed into
 * nine taps of dw. Three ways:
 *
 *     in parts    Many tiles, few channels: the tiles are cut into parts, each with sums of its own. A thread takes whole parts,
 *                 in blocks that stay in its second-level cache beside the sums. The parts' sums are added at last.
 *     by planes   All threads share a block, which leaves such a cache, and the sums; they divide planes and pieces. Reads the
 *                 transformed tiles once. Panels whose sums would take too much memory are taken some at a time: to transform
 *                 x once more for the others costs a fiftieth of the products.
 *     by pieces   One block of few tiles; they divide the pieces, whose planes stay in a cache until they are transformed.
 *
 * Sums are [parts][planes][pieces][vec][nr]; by pieces, [planes][vec][nr] for each thread. */
enum {
    SHARED_FLOATS = 1 << 20, /* of a shared block's transformed tiles */
    LEAST_TILES = 192,       /* of a shared block */
    SHORT_TILES = 80,        /* the most that are taken by pieces */
    OWN_FLOATS = 48 * 1024,  /* of a block's transformed tiles, if each thread works on blocks of its own */
    PARTS_FLOATS = 1 << 20,  /* of all parts' sums */
    SUMS_FLOATS = 5 << 20,   /* of shared sums */
    PART_TILES = 64,         /* a part has at least so many */
    LEAST_PARTS = 8,
    MOST_PARTS = 32,
};

typedef struct gradient {
    cc_winograd g;
    int64_t vec, nr, block, x_plane, dy_plane; /* tiles of a block; floats of a plane of x, of dy */
    int64_t down, across;                      /* vectors of c, panels of oc: as many as are taken at a time */
    int64_t parts;                             /* 0: not in parts */
    bool by_pieces;
    int64_t sums_plane; /* floats */
    bool unchecked;     /* sums are not looked at */
} gradient;

/* How many parts: a power of two, of the sizes only, for the order of the sums depends on it. 0 if they would be too few. */
static int64_t parts_of(const gradient *s)
{
    const int64_t sums = s->g.planes * cc_winograd_plane(s->down * s->across * s->vec * s->nr);
    int64_t parts = MOST_PARTS;
    while (parts >= LEAST_PARTS && (parts * sums > PARTS_FLOATS || parts * PART_TILES > s->g.tiles)) parts /= 2;
    return parts >= LEAST_PARTS ? parts : 0;
}

static gradient cut_for(const cc_winograd *g, bool in_parts)
{
    gradient s = {.g = *g, .nr = cc_kernels_get()->winograd.nr};
    s.vec = s.nr / 2;
    s.down = cc_winograd_vectors(g->c);
    s.across = cc_winograd_panels(g->oc);
    s.parts = in_parts ? parts_of(&s) : 0;
    s.by_pieces = !s.parts && g->tiles <= SHORT_TILES;
    if (!s.parts && !s.by_pieces) {
        const int64_t times = (g->planes * s.down * s.across * s.vec * s.nr + SUMS_FLOATS - 1) / SUMS_FLOATS;
        s.across = times > 1 ? (s.across + times - 1) / times : s.across;
    }
    const int64_t vectors = s.down + cc_min(2 * s.across, cc_winograd_vectors(g->oc));
    s.block = (s.parts ? OWN_FLOATS : SHARED_FLOATS) / (g->planes * vectors * s.vec + 1);
    if (!s.parts && s.block < LEAST_TILES) s.block = LEAST_TILES;
    s.block = cc_min(s.block, g->tiles);
    s.x_plane = cc_winograd_plane(s.down * s.vec * s.block);
    s.dy_plane = cc_winograd_plane((vectors - s.down) * s.vec * s.block);
    s.sums_plane = cc_winograd_plane(s.by_pieces ? s.vec * s.nr : s.down * s.across * s.vec * s.nr);
    return s;
}

static gradient conv_winograd_weights_cut(const cc_conv *conv)
{
    const cc_winograd g = cc_winograd_of(conv, CC_CONV_WEIGHT_GRADIENT);
    gradient s = cut_for(&g, true);
    s.unchecked = conv->unchecked;
    return s;
}

static int64_t block_floats(const gradient *s)
{
    return s->g.planes * (s->x_plane + s->dy_plane);
}

static int64_t floats_of(const gradient *s, int nth)
{
    if (s->parts) return nth * block_floats(s) + s->parts * s->g.planes * s->sums_plane;
    return block_floats(s) + (s->by_pieces ? nth : 1) * s->g.planes * s->sums_plane;
}

/* Of these tiles; and of fewer, which may be taken in another way. */
int64_t cc_winograd_weight_scratch(const cc_conv *conv, int nth)
{
    const gradient s = conv_winograd_weights_cut(conv);
    cc_winograd some = s.g, few = s.g;
    some.tiles = cc_min(some.tiles, LEAST_PARTS * PART_TILES);
    few.tiles = cc_min(few.tiles, SHORT_TILES);
    const gradient shared = cut_for(&some, false), by_pieces = cut_for(&few, false);
    const int64_t floats = cc_max(floats_of(&shared, nth), floats_of(&by_pieces, nth));
    return cc_max(floats, floats_of(&s, nth));
}

static void transform_block(const gradient *s, cc_range by, float *planes_x, float *planes_dy, const float *x, const float *dy,
                            int64_t first, int64_t count, const cc_team *team)
{
    const cc_winograd *g = &s->g;
    const cc_range mine = cc_slice(team, count, 1), columns = {by.begin * s->nr, cc_min(by.end * s->nr, g->oc)};
    for (int64_t t = mine.begin; t < mine.end; ++t) {
        cc_winograd_read_tile(g, g->kernels->input, x, g->in_h, g->in_w, g->c, (cc_range){0, g->c}, g->top, g->left, g->m + 2,
                              first + t, planes_x + t * s->vec, s->x_plane, s->block * s->vec);
        cc_winograd_read_tile(g, g->kernels->gradient, dy, g->out_h, g->out_w, g->oc, columns, 0, 0, g->m, first + t,
                              planes_dy + t * s->vec, s->dy_plane, s->block * s->vec);
    }
}

/* One piece of the panels `by`, in one plane of x and dy. */
static void add_products(const gradient *s, cc_range by, float *sum, const float *x_plane, const float *dy_plane, int64_t piece,
                         int64_t count, bool accumulate)
{
    const int64_t row = piece % s->down, panel = piece / s->down, vector = s->block * s->vec;
    const float *left = dy_plane + 2 * panel * vector;
    const float *right = 2 * (by.begin + panel) + 1 < cc_winograd_vectors(s->g.oc) ? left + vector : NULL;
    cc_kernels_get()->winograd.outer(sum, x_plane + row * vector, left, right, count, accumulate);
}

/* Tiles begin .. end-1 by a team, block by block: the products of all planes and pieces. */
static void conv_winograd_weights_add_tiles(const gradient *s, cc_range by, float *sums, float *planes_x, float *planes_dy,
                                            const float *x, const float *dy, int64_t begin, int64_t end, const cc_team *team)
{
    const int64_t pieces = s->down * (by.end - by.begin);
    const cc_range mine = cc_slice(team, s->g.planes * pieces, 1);
    for (int64_t first = begin; first < end; first += s->block) {
        const int64_t count = cc_min(s->block, end - first);
        transform_block(s, by, planes_x, planes_dy, x, dy, first, count, team);
        cc_barrier_wait(team);
        for (int64_t i = mine.begin; i < mine.end; ++i) {
            const int64_t p = i / pieces, piece = i % pieces;
            add_products(s, by, sums + p * s->sums_plane + piece * s->vec * s->nr, planes_x + p * s->x_plane,
                         planes_dy + p * s->dy_plane, piece, count, first > begin);
        }
        cc_barrier_wait(team);
    }
}

/* The sums of all parts into those of the first, in order. */
static void add_parts(const gradient *s, float *sums, const cc_team *team)
{
    enum { STRIP = 512 }; /* floats that stay in a first-level cache */
    const int64_t floats = s->g.planes * s->sums_plane;
    const cc_range mine = cc_slice(team, floats, STRIP);
    for (int64_t at = mine.begin; at < mine.end; at += STRIP)
        cc_kernels_get()->elementwise.add_windows(sums + at, 0, sums + at + floats, floats, s->parts - 1,
                                                  cc_min(STRIP, mine.end - at));
    cc_barrier_wait(team);
}

/* The sums of one piece of the panels `by` into its rows and columns of dw; those are computed anew, without transforms, where
 * these have spread what is not finite, or very large. */
static void write_piece(const gradient *s, cc_range by, float *dw, const float *sum, int64_t piece, const float *x,
                        const float *dy)
{
    const int64_t row = piece % s->down * s->vec, column = (by.begin + piece / s->down) * s->nr, oc = s->g.oc;
    const int64_t rows = cc_min(s->vec, s->g.c - row), columns = cc_min(s->nr, oc - column);
    bool moderate = true;
    for (int64_t i = 0; i < rows; ++i)
        moderate &= s->g.kernels->weight_gradient(dw + (row + i) * oc + column, s->g.c * oc, sum + i * s->nr, s->sums_plane,
                                                  (int)columns);
    if (!moderate && !s->unchecked) cc_winograd_plain_gradient(&s->g, dw, x, dy, row, rows, column, columns);
}

/* The panels `by` of dw. */
static void make_panels(const gradient *s, cc_range by, float *dw, const float *x, const float *dy, float *scratch,
                        const cc_team *team)
{
    const int64_t planes = s->g.planes, pieces = s->down * (by.end - by.begin), floats = s->vec * s->nr;
    float *planes_x = scratch + (s->parts ? team->ith * block_floats(s) : 0), *planes_dy = planes_x + planes * s->x_plane;
    float *sums = scratch + (s->parts ? team->nth : 1) * block_floats(s);
    if (s->parts) {
        const cc_range my_parts = cc_slice(team, s->parts, 1);
        for (int64_t part = my_parts.begin; part < my_parts.end; ++part)
            conv_winograd_weights_add_tiles(s, by, sums + part * planes * s->sums_plane, planes_x, planes_dy, x, dy,
                                            s->g.tiles * part / s->parts, s->g.tiles * (part + 1) / s->parts,
                                            &(cc_team){.nth = 1});
        cc_barrier_wait(team);
        add_parts(s, sums, team);
    } else if (s->by_pieces) {
        transform_block(s, by, planes_x, planes_dy, x, dy, 0, s->g.tiles, team);
        cc_barrier_wait(team);
    } else {
        conv_winograd_weights_add_tiles(s, by, sums, planes_x, planes_dy, x, dy, 0, s->g.tiles, team);
    }
    const cc_range my_pieces = cc_slice(team, pieces, 1);
    for (int64_t piece = my_pieces.begin; piece < my_pieces.end; ++piece) {
        float *sum = s->by_pieces ? sums + team->ith * planes * s->sums_plane : sums + piece * floats;
        for (int64_t p = 0; p < planes && s->by_pieces; ++p)
            add_products(s, by, sum + p * s->sums_plane, planes_x + p * s->x_plane, planes_dy + p * s->dy_plane, piece,
                         s->g.tiles, false);
        write_piece(s, by, dw, sum, piece, x, dy);
    }
}

/* The next panels' first products come after a barrier: by then everyone has written these. */
void cc_winograd_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                 const cc_team *team)
{
    const gradient s = conv_winograd_weights_cut(conv);
    const int64_t panels = cc_winograd_panels(s.g.oc);
    if (s.g.tiles <= 0) {
        const cc_range mine = cc_slice(team, 9 * s.g.c * s.g.oc, 1024);
        for (int64_t i = mine.begin; i < mine.end; ++i) dw[i] = 0;
        return;
    }
    for (int64_t panel = 0; panel < panels; panel += s.across)
        make_panels(&s, (cc_range){panel, cc_min(panel + s.across, panels)}, dw, x, dy, scratch, team);
}
