/* Winograd's algorithm where transforms would spread a NaN, an infinity or numbers near the largest: without transforms. See
 * conv_winograd.h; the outputs' sums are in kernels/winograd/winograd_direct.inc.h. */
#include "algos/conv/conv_winograd.h"
#include "algos/gemm.h"

#include <string.h>

/* The input gradient reads the weights rotated, its input channels side by side. */
cc_winograd_source cc_winograd_source_of(const cc_winograd *g, cc_conv_pass pass, const float *x, const float *w)
{
    const int64_t tap = g->c * g->oc;
    const bool forward = pass == CC_CONV_FORWARD;
    return (cc_winograd_source){.x = x,
                                .h = g->in_h,
                                .width = g->in_w,
                                .c = g->c,
                                .top = g->top,
                                .left = g->left,
                                .w = forward ? w : w + (g->r * g->r - 1) * tap,
                                .tap = forward ? tap : -tap,
                                .step = forward ? g->oc : 1,
                                .next = forward ? 1 : g->c};
}

void cc_winograd_plain_gradient(const cc_winograd *g, float *dw, const float *x, const float *dy, int64_t row, int64_t rows,
                                int64_t column, int64_t columns)
{
    for (int64_t tap = 0; tap < g->r * g->r; ++tap) {
        const int64_t down = tap / g->r - g->top, right = tap % g->r - g->left; /* output (i, j) sees pixel (i + down, j + right) */
        const int64_t i0 = cc_max(0, -down), i1 = cc_min(g->out_h, g->in_h - down);
        const int64_t j0 = cc_max(0, -right), j1 = cc_min(g->out_w, g->in_w - right);
        float *to = dw + (tap * g->c + row) * g->oc + column;
        for (int64_t i = 0; i < rows; ++i) memset(to + i * g->oc, 0, (size_t)columns * sizeof *to);
        if (i0 >= i1 || j0 >= j1) continue;
        cc_outers_add(&(cc_outers){.m = rows,
                                   .n = columns,
                                   .images = g->n,
                                   .lines = i1 - i0,
                                   .steps = j1 - j0,
                                   .a = x + ((i0 + down) * g->in_w + j0 + right) * g->c + row,
                                   .a_image = g->in_h * g->in_w * g->c,
                                   .a_line = g->in_w * g->c,
                                   .a_step = g->c,
                                   .b = dy + (i0 * g->out_w + j0) * g->oc + column,
                                   .b_image = g->out_h * g->out_w * g->oc,
                                   .b_line = g->out_w * g->oc,
                                   .b_step = g->oc,
                                   .y = to,
                                   .y_row = g->oc},
                      NULL);
    }
}
