/* Winograd's algorithm for square kernels of stride 1, of the sizes r that the kernels know: what its files share. The mathematics
 * is in kernels/winograd/winograd_transforms.inc.h.
 *
 * Outputs are divided into tiles of m x m pixels. Tile t, of m + r - 1 pixels a side, is transformed into (m + r - 1)^2 *planes*,
 * one number per plane and channel; in each plane the sum over channels is a product of matrices, tiles by channels by output
 * channels; the sums are transformed back. Tiles are taken in blocks, whose planes stay in a cache between the three steps. */
#ifndef CC_CONV_WINOGRAD_H
#define CC_CONV_WINOGRAD_H

#include "algos/conv/conv.h"
#include "kernels/kernels.h"

/* A correlation with kernels of r x r: the forward pass, or the input gradient, which is one of dy with rotated, transposed
 * weights. */
typedef struct cc_winograd {
    int64_t m, r, side, planes; /* side: m + r - 1 */
    const cc_winograd_transforms *kernels;
    int64_t n, c, oc;              /* images; channels read and made */
    int64_t in_h, in_w, top, left; /* output (0, 0) reads input from (-top, -left) on */
    int64_t out_h, out_w;
    int64_t down, across, tiles; /* tiles of an image, of all images */
} cc_winograd;

/* m is chosen by the sizes of the images and channels, never by n: packed weights stay right for smaller batches. */
cc_winograd cc_winograd_of(const cc_conv *conv, cc_conv_pass pass);

/* Vectors that hold `channels`, panels of nr that hold them. */
static inline int64_t cc_winograd_vectors(int64_t channels)
{
    const int64_t vec = cc_kernels_get()->winograd.nr / 2;
    return (channels + vec - 1) / vec;
}

static inline int64_t cc_winograd_panels(int64_t channels)
{
    const int64_t nr = cc_kernels_get()->winograd.nr;
    return (channels + nr - 1) / nr;
}

/* The distance between planes of `floats` floats, a multiple of 2 vec: one vector more, so that the same place in different
 * planes does not meet in the same set of a cache. */
static inline int64_t cc_winograd_plane(int64_t floats)
{
    return floats + cc_kernels_get()->winograd.nr / 2;
}

/* cc_conv_algorithm.packed and .pack: transformed weights, [panels of oc][planes][c][nr]. */
int64_t cc_winograd_packed(const cc_conv *conv, cc_conv_pass pass);
void cc_winograd_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w, const cc_team *team);

/* Floats of one panel of them; and channels first .. first+count-1 of one panel, as [planes][count][nr] with planes `plane`
 * apart. */
int64_t cc_winograd_panel(const cc_winograd *g);
void cc_winograd_pack_panel(const cc_winograd *g, cc_conv_pass pass, float *to, int64_t plane, const float *w, int64_t panel,
                            int64_t first, int64_t count);

/* cc_conv_algorithm.weight_gradient and its scratch. */
int64_t cc_winograd_weight_scratch(const cc_conv *conv, int nth);
void cc_winograd_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                 const cc_team *team);

/* Where tiles whose transforms would spread numbers are computed anew from. */
cc_winograd_source cc_winograd_source_of(const cc_winograd *g, cc_conv_pass pass, const float *x, const float *w);

/* Rows .. + rows - 1 and columns .. + columns - 1 of dw, without transforms. */
void cc_winograd_plain_gradient(const cc_winograd *g, float *dw, const float *x, const float *dy, int64_t row, int64_t rows,
                                int64_t column, int64_t columns);

/* Transforms the channels `range` of tile t of the image `from`, which has `channels` channels and whose tiles start at pixel
 * (m i - top, m j - left); `side` is that of the tiles: g->side for those of x, m for those of dy. */
void cc_winograd_read_tile(const cc_winograd *g, void (*kernel)(const cc_winograd_tile *), const float *from, int64_t h,
                           int64_t w, int64_t channels, cc_range range, int64_t top, int64_t left, int64_t side, int64_t t,
                           float *to, int64_t plane, int64_t block);

#endif
