/* Winograd's algorithm: the weights' transform and their gradient. See conv2d_winograd.h. */
#include "conv2d_winograd.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t cc_winograd_panel(const cc_winograd *g)
{
    return g->planes * cc_winograd_plane(g->c * cc_kernels_get()->nr);
}

int64_t cc_winograd_packed(const cc_conv2d *conv, cc_conv2d_pass pass)
{
    const cc_winograd g = cc_winograd_of(conv, pass);
    return cc_winograd_panels(g.oc) * cc_winograd_panel(&g);
}

void cc_winograd_pack_panel(const cc_winograd *g, cc_conv2d_pass pass, float *to, int64_t plane, const float *w, int64_t panel,
                            int64_t first, int64_t count)
{
    const int64_t nr = cc_kernels_get()->nr, vec = nr / 2, tap = g->c * g->oc;
    const int64_t column = panel * nr, width = least(nr, g->oc - column), end = first + count;
    if (pass == CC_CONV2D_FORWARD)
        for (int64_t k = first; k < end; ++k, to += nr) g->kernels->weights(to, plane, w + k * g->oc + column, tap, (int)width);
    else /* w is [9][g->oc][g->c] */
        for (int64_t k = first; k < end; k += vec, to += vec * nr)
            g->kernels->turned(to, plane, w + column * g->c + k, tap, g->c, (int)least(vec, end - k), (int)width);
}

void cc_winograd_pack(const cc_conv2d *conv, cc_conv2d_pass pass, float *packed, const float *w, const cc_team *team)
{
    enum { STRIP = 16 }; /* channels of a piece of work: a multiple of vec */
    const cc_winograd g = cc_winograd_of(conv, pass);
    const int64_t strips = (g.c + STRIP - 1) / STRIP, floats = cc_winograd_panel(&g), nr = cc_kernels_get()->nr;
    const cc_range mine = cc_slice(team, cc_winograd_panels(g.oc) * strips, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t panel = i / strips, first = i % strips * STRIP;
        cc_winograd_pack_panel(&g, pass, packed + panel * floats + first * nr, cc_winograd_plane(g.c * nr), w, panel, first,
                               least(STRIP, g.c - first));
    }
}

/* The gradient: planes of x as [planes][vectors of c][tiles of the block][vec], of dy likewise. A piece is one vector of c by
 * one panel of oc; in each plane a sum over the tiles of outer products, added up over the blocks, and after the last block
 * transformed into nine taps of dw. A short block is taken piece by piece, whose planes stay in a second-level cache until they
 * are transformed; a long one plane by plane, which reads the transformed tiles once, and keeps all sums:
 * [planes][pieces][vec][nr]. */
enum { BLOCK_FLOATS = 1 << 20, LEAST_TILES = 192, SHORT_TILES = 80 };

typedef struct gradient {
    cc_winograd g;
    int64_t vec, nr, block, x_plane, dy_plane; /* tiles of a block; floats of a plane of x, of dy */
    int64_t down, across;                      /* vectors of c, panels of oc */
    bool by_pieces;
    int64_t sums_plane; /* floats */
} gradient;

static gradient cut(const cc_conv2d *conv)
{
    gradient s = {.g = cc_winograd_of(conv, CC_CONV2D_WEIGHT_GRADIENT), .nr = cc_kernels_get()->nr};
    s.vec = s.nr / 2;
    s.down = cc_winograd_vectors(s.g.c);
    s.across = cc_winograd_panels(s.g.oc);
    s.block = BLOCK_FLOATS / (s.g.planes * (s.down + cc_winograd_vectors(s.g.oc)) * s.vec + 1);
    if (s.block < LEAST_TILES) s.block = LEAST_TILES;
    s.block = least(s.block, s.g.tiles);
    s.x_plane = cc_winograd_plane(s.down * s.vec * s.block);
    s.dy_plane = cc_winograd_plane(cc_winograd_vectors(s.g.oc) * s.vec * s.block);
    s.by_pieces = s.g.tiles <= SHORT_TILES;
    s.sums_plane = cc_winograd_plane(s.by_pieces ? s.vec * s.nr : s.down * s.across * s.vec * s.nr);
    return s;
}

int64_t cc_winograd_weight_scratch(const cc_conv2d *conv, int nth)
{
    const gradient s = cut(conv);
    const int64_t own = nth * cc_winograd_plane(s.vec * s.nr),
                  all = s.by_pieces ? 0 : s.sums_plane; /* for fewer tiles; for these */
    return s.g.planes * (s.x_plane + s.dy_plane + (own > all ? own : all));
}

static void transform_block(const gradient *s, float *planes_x, float *planes_dy, const float *x, const float *dy,
                            int64_t first, int64_t count, const cc_team *team)
{
    const cc_winograd *g = &s->g;
    const cc_range mine = cc_slice(team, count, 1);
    for (int64_t t = mine.begin; t < mine.end; ++t) {
        cc_winograd_read_tile(g, g->kernels->input, x, g->in_h, g->in_w, g->c, g->top, g->left, g->m + 2, first + t,
                              planes_x + t * s->vec, s->x_plane, s->block * s->vec);
        cc_winograd_read_tile(g, g->kernels->gradient, dy, g->out_h, g->out_w, g->oc, 0, 0, g->m, first + t,
                              planes_dy + t * s->vec, s->dy_plane, s->block * s->vec);
    }
}

/* One piece in one plane of x and dy. */
static void add_products(const gradient *s, float *sum, const float *x_plane, const float *dy_plane, int64_t piece,
                         int64_t count, bool accumulate)
{
    const int64_t row = piece % s->down, panel = piece / s->down, vector = s->block * s->vec;
    const float *left = dy_plane + 2 * panel * vector;
    const float *right = 2 * panel + 1 < cc_winograd_vectors(s->g.oc) ? left + vector : NULL;
    s->g.kernels->outer(sum, x_plane + row * vector, left, right, count, accumulate);
}

/* The sums of one piece into its rows and columns of dw. */
static void write_piece(const gradient *s, float *dw, const float *sum, int64_t piece)
{
    const int64_t row = piece % s->down * s->vec, column = piece / s->down * s->nr, oc = s->g.oc;
    for (int64_t i = 0; i < least(s->vec, s->g.c - row); ++i)
        s->g.kernels->weight_gradient(dw + (row + i) * oc + column, s->g.c * oc, sum + i * s->nr, s->sums_plane,
                                      (int)least(s->nr, oc - column));
}

void cc_winograd_weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *scratch,
                                 const cc_team *team)
{
    const gradient s = cut(conv);
    const int64_t planes = s.g.planes, pieces = s.down * s.across, floats = s.vec * s.nr;
    float *planes_x = scratch, *planes_dy = planes_x + planes * s.x_plane, *sums = planes_dy + planes * s.dy_plane;
    const cc_range my_pieces = cc_slice(team, pieces, 1), my_products = cc_slice(team, planes * pieces, 1);

    if (s.g.tiles <= 0) {
        const cc_range mine = cc_slice(team, 9 * s.g.c * s.g.oc, 1024);
        for (int64_t i = mine.begin; i < mine.end; ++i) dw[i] = 0;
        return;
    }
    for (int64_t first = 0; first < s.g.tiles && !s.by_pieces; first += s.block) {
        const int64_t count = least(s.block, s.g.tiles - first);
        transform_block(&s, planes_x, planes_dy, x, dy, first, count, team);
        cc_barrier(team);
        for (int64_t i = my_products.begin; i < my_products.end; ++i) {
            const int64_t p = i / pieces, piece = i % pieces;
            add_products(&s, sums + p * s.sums_plane + piece * floats, planes_x + p * s.x_plane, planes_dy + p * s.dy_plane,
                         piece, count, first > 0);
        }
        cc_barrier(team);
    }
    if (s.by_pieces) {
        transform_block(&s, planes_x, planes_dy, x, dy, 0, s.g.tiles, team);
        cc_barrier(team);
    }
    for (int64_t piece = my_pieces.begin; piece < my_pieces.end; ++piece) {
        float *sum = s.by_pieces ? sums + team->ith * planes * s.sums_plane : sums + piece * floats;
        for (int64_t p = 0; p < planes && s.by_pieces; ++p)
            add_products(&s, sum + p * s.sums_plane, planes_x + p * s.x_plane, planes_dy + p * s.dy_plane, piece, s.g.tiles,
                         false);
        write_piece(&s, dw, sum, piece);
    }
}
