/* Winograd's convolution F(m, r) with kernels of r x r: m x m outputs of a tile from (m + r - 1) x (m + r - 1) inputs, by
 * (m + r - 1)^2 planes of products. The derivation is in winograd_transforms.inc.h. */
#ifndef CC_WINOGRAD_KERNELS_H
#define CC_WINOGRAD_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

/* Each m and r there is. A kernel's size with several m has them in ascending order. */
#define CC_WINOGRAD_SIZES(X) X(2, 3) X(4, 3) X(2, 5)
#define CC_WINOGRAD_ONE(m, r) + 1
enum { CC_WINOGRAD_COUNT = 0 CC_WINOGRAD_SIZES(CC_WINOGRAD_ONE) };

/* A tile of an image, transformed: to[p * plane + k / vec * block + k % vec] for plane p and channel k. The channels of the last
 * vector from `channels` on become zeros. vec = nr / 2 is the width of a vector. */
typedef struct cc_winograd_tile {
    const float *from;   /* the tile's pixel (0, 0), inside the image or not; channels side by side */
    int64_t row, column; /* from a pixel to the next one down, to the right */
    int y0, y1, x0, x1;  /* pixels y0 .. y1-1 by x0 .. x1-1 lie inside the image; others count as zeros */
    int64_t channels;
    float *to;
    int64_t plane, block;
} cc_winograd_tile;

/* What a pass was given, before any transform. Output pixel (i, j) reads the image from pixel (i - top, j - left) on; tap t, in
 * 0 .. r^2 - 1, of its channel k has the weight w[t * tap + k * step + j * next] for output channel j; next or step is 1. */
typedef struct cc_winograd_source {
    const float *x;
    int64_t h, width, c, top, left; /* of an image */
    const float *w;
    int64_t tap, step, next;
} cc_winograd_source;

/* Sums of products, from[p * plane + k], transformed back, with bias, what is in y if accumulate, and max(0, .) if relu, and stored
 * as far as they lie in the image. Where they are not finite, or beyond 2^61, transforms may have spread what belongs to other
 * pixels: the outputs are computed anew from the source, unless there is none. */
typedef struct cc_winograd_output {
    const float *from;
    int64_t plane;
    int channels; /* 1 .. nr */
    float *y;     /* the tile's pixel (0, 0) */
    int64_t row, column;
    int rows, columns; /* pixels to store: 1 .. m */
    const float *bias; /* [channels], or NULL */
    bool accumulate, relu;
    const cc_winograd_source *source; /* or NULL */
    int64_t image, i, j, channel;     /* where in it: the tile's pixel (0, 0), its first output channel */
} cc_winograd_output;

/* For one m and r. */
typedef struct cc_winograd_transforms {
    int m, r;
    void (*input)(const cc_winograd_tile *tile);    /* of x: (m + r - 1) x (m + r - 1) pixels */
    void (*gradient)(const cc_winograd_tile *tile); /* of dy, for the gradient of the weights: m x m pixels */
    void (*output)(const cc_winograd_output *tile);
    /* to[p * plane + j] from w[t * tap + j], t in 0 .. r^2 - 1; columns j from `columns` up to nr become zeros. */
    void (*weights)(float *to, int64_t plane, const float *w, int64_t tap, int columns);
    /* The same for channels k < depth <= vec of the rotated, transposed kernel: to[p * plane + k * nr + j] from
     * w[(r^2 - 1 - t) * tap + j * next + k]. */
    void (*transposed)(float *to, int64_t plane, const float *w, int64_t tap, int64_t next, int depth, int columns);
    /* dw[t * tap + j] from from[p * plane + j], j < columns <= nr. Returns whether all of from are finite and below some 2^62. */
    bool (*weight_gradient)(float *dw, int64_t tap, const float *from, int64_t plane, int columns);
} cc_winograd_transforms;

typedef struct cc_winograd_kernels {
    int mr, nr; /* a group of mr tiles meets a panel of nr channels */
    const cc_winograd_transforms *transforms[CC_WINOGRAD_COUNT];
    /* One plane: y[i * nr + j] (+)= sum over k < depth of a[k / vec][i][k % vec] b[k][j], i < rows <= mr, j < columns <= nr, or
     * more; a is [..][mr][vec]. */
    void (*product)(float *y, const float *a, const float *b, int64_t depth, int rows, int columns, bool accumulate);
    /* One plane: y[i * nr + j] (+)= sum over t < tiles of a[t][i] b[t][j], i < vec; b0 and b1 hold vec columns each. b1 may be
     * NULL: j < vec only. */
    void (*outer)(float *y, const float *a, const float *b0, const float *b1, int64_t tiles, bool accumulate);
} cc_winograd_kernels;

#endif
