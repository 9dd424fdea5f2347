/* Winograd's algorithm: the weights' transform and their gradient. See conv2d_winograd.h. */
#include "conv2d_winograd.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t cc_winograd_packed(const cc_conv2d *conv, cc_conv2d_pass pass)
{
    const cc_winograd g = cc_winograd_of(conv, pass);
    return cc_winograd_panels(g.oc) * g.planes * g.c * cc_kernels_get()->nr;
}

enum { STRIP = 16, COLUMNS = 64 }; /* channels read at a time, and at most nr columns */

/* to[t][k][j] = w[8 - t][column + j][first + k]: nine taps of `count` channels of dy, for the transposed product. */
static void transpose(float *to, const float *w, int64_t c, int64_t oc, int64_t column, int64_t width, int64_t first,
                      int64_t count)
{
    for (int64_t t = 0; t < 9; ++t)
        for (int64_t j = 0; j < width; ++j) {
            const float *from = w + ((8 - t) * c + column + j) * oc + first;
            for (int64_t k = 0; k < count; ++k) to[(t * STRIP + k) * COLUMNS + j] = from[k];
        }
}

void cc_winograd_pack(const cc_conv2d *conv, cc_conv2d_pass pass, float *packed, const float *w, const cc_team *team)
{
    const cc_winograd g = cc_winograd_of(conv, pass);
    const int64_t nr = cc_kernels_get()->nr, plane = g.c * nr, strips = (g.c + STRIP - 1) / STRIP;
    const cc_range mine = cc_slice(team, cc_winograd_panels(g.oc) * strips, 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        const int64_t panel = i / strips, first = i % strips * STRIP, count = least(STRIP, g.c - first);
        const int64_t column = panel * nr, width = least(nr, g.oc - column);
        float *to = packed + panel * g.planes * plane + first * nr, taps[9 * STRIP * COLUMNS];
        if (pass == CC_CONV2D_FORWARD) {
            for (int64_t k = 0; k < count; ++k)
                g.kernels->weights(to + k * nr, plane, w + (first + k) * g.oc + column, g.c * g.oc, (int)width);
        } else {
            transpose(taps, w, conv->c, conv->oc, column, width, first, count);
            for (int64_t k = 0; k < count; ++k)
                g.kernels->weights(to + k * nr, plane, taps + k * COLUMNS, STRIP * COLUMNS, (int)width);
        }
    }
}

/* Planes of x as [planes][vectors of c][tiles of the block][vec], of dy likewise. A piece of work is one vector of c by one
 * panel of oc: its planes of sums, [planes][vec][nr], are added up over the blocks, and after the last transformed into nine
 * taps of dw. */
enum { BLOCK_FLOATS = 1 << 20, LEAST_TILES = 128 };

static int64_t block_of(const cc_winograd *g)
{
    const int64_t channels = (cc_winograd_vectors(g->c) + cc_winograd_vectors(g->oc)) * cc_kernels_get()->nr / 2;
    int64_t block = BLOCK_FLOATS / (g->planes * channels + 1);
    if (block < LEAST_TILES) block = LEAST_TILES;
    return least(block, g->tiles);
}

static int64_t sums_floats(const cc_winograd *g)
{
    const int64_t nr = cc_kernels_get()->nr;
    return g->planes * cc_winograd_plane(nr / 2 * nr);
}

static int64_t planes_floats(const cc_winograd *g, int64_t channels, int64_t block)
{
    return g->planes * cc_winograd_plane(cc_winograd_vectors(channels) * (cc_kernels_get()->nr / 2) * block);
}

static int64_t sums_kept(const cc_winograd *g, int64_t block, int nth)
{
    return g->tiles > block ? cc_winograd_vectors(g->c) * cc_winograd_panels(g->oc) : nth;
}

int64_t cc_winograd_weight_scratch(const cc_conv2d *conv, int nth)
{
    const cc_winograd g = cc_winograd_of(conv, CC_CONV2D_WEIGHT_GRADIENT);
    const int64_t block = block_of(&g), pieces = sums_kept(&g, block, nth);
    /* A smaller batch may need one block only, and a place for each thread. */
    return planes_floats(&g, g.c, block) + planes_floats(&g, g.oc, block) + (pieces > nth ? pieces : nth) * sums_floats(&g);
}

static void clear(float *dw, int64_t count, const cc_team *team)
{
    const cc_range mine = cc_slice(team, count, 1024);
    for (int64_t i = mine.begin; i < mine.end; ++i) dw[i] = 0;
}

void cc_winograd_weight_gradient(const cc_conv2d *conv, float *dw, const float *x, const float *dy, float *scratch,
                                 const cc_team *team)
{
    const cc_winograd g = cc_winograd_of(conv, CC_CONV2D_WEIGHT_GRADIENT);
    const int64_t nr = cc_kernels_get()->nr, vec = nr / 2, block = block_of(&g);
    const int64_t down = cc_winograd_vectors(g.c), across = cc_winograd_panels(g.oc), vectors = cc_winograd_vectors(g.oc);
    if (g.tiles <= 0) {
        clear(dw, 9 * g.c * g.oc, team);
        return;
    }
    float *planes_x = scratch, *planes_dy = planes_x + planes_floats(&g, g.c, block);
    float *sums = planes_dy + planes_floats(&g, g.oc, block);
    const int64_t plane = cc_winograd_plane(vec * nr);
    const int64_t x_plane = planes_floats(&g, g.c, block) / g.planes, dy_plane = planes_floats(&g, g.oc, block) / g.planes;

    for (int64_t first = 0; first < g.tiles; first += block) {
        const int64_t count = least(block, g.tiles - first);
        const cc_range mine = cc_slice(team, count, 1);
        for (int64_t t = mine.begin; t < mine.end; ++t) {
            cc_winograd_read_tile(&g, g.kernels->input, x, g.in_h, g.in_w, g.c, g.top, g.left, g.m + 2, first + t,
                                  planes_x + t * vec, x_plane, block * vec);
            cc_winograd_read_tile(&g, g.kernels->gradient, dy, g.out_h, g.out_w, g.oc, 0, 0, g.m, first + t,
                                  planes_dy + t * vec, dy_plane, block * vec);
        }
        cc_barrier(team);
        const cc_range pieces = cc_slice(team, down * across, 1);
        for (int64_t piece = pieces.begin; piece < pieces.end; ++piece) {
            const int64_t row = piece % down, panel = piece / down;
            float *sum = sums + (g.tiles > block ? piece : team->ith) * sums_floats(&g);
            const float *a = planes_x + row * block * vec, *left = planes_dy + 2 * panel * block * vec;
            const float *right = 2 * panel + 1 < vectors ? left + block * vec : left; /* columns that nobody reads */
            for (int64_t p = 0; p < g.planes; ++p)
                g.kernels->outer(sum + p * plane, a + p * x_plane, left + p * dy_plane, right + p * dy_plane, count, first > 0);
            if (first + count < g.tiles) continue;
            for (int64_t i = 0; i < least(vec, g.c - row * vec); ++i)
                g.kernels->weight_gradient(dw + (row * vec + i) * g.oc + panel * nr, g.c * g.oc, sum + i * nr, plane,
                                           (int)least(nr, g.oc - panel * nr));
        }
        cc_barrier(team);
    }
}
