/* 2-D convolution (cross-correlation), bias and activation fused. Shapes and the choice of an algorithm; the arithmetic is in
 * algos/conv2d_*.c, the formulas in conv2d.h.
 *
 *     y[n][oh][ow][oc] = act(b[oc] + sum over ty, tx, c of x[n][oy sh - pt + dh ty][ox sw - pl + dw tx][c] w[ty][tx][c][oc])
 *
 * With dz = dy act':  dx = the transposed convolution of dz,  dw = the correlation of x with dz,  db = the sum of dz over pixels. */
#include "conv2d.h"
#include "fused.h"
#include "op.h"

typedef struct settings {
    int64_t strides[2], dilation[2], groups;
    int padding, activation, algorithm;
    float alpha;
    cc_list pads;
} settings;

enum { AUTO, DIRECT, IM2COL };

static const cc_attr attributes[] = {
    {"strides", CC_PAIR, offsetof(settings, strides), "1", NULL},
    {"padding", CC_ENUM, offsetof(settings, padding), "valid", CC_PADDING_CHOICES},
    {"pads", CC_LIST, offsetof(settings, pads), "", NULL},
    {"dilation", CC_PAIR, offsetof(settings, dilation), "1", NULL},
    {"groups", CC_INT, offsetof(settings, groups), "1", NULL},
    {"activation", CC_ENUM, offsetof(settings, activation), "linear", CC_ACT_CHOICES},
    {"alpha", CC_FLOAT, offsetof(settings, alpha), "0", NULL},
    {"algorithm", CC_ENUM, offsetof(settings, algorithm), "auto", "auto|direct|im2col"},
    {0},
};

static bool has_bias(const cc_call *call)
{
    return call->n_inputs > 2 && call->xs[2].rank >= 0;
}

static cconv_status set_window(const cc_call *call, cc_window *window)
{
    const settings *s = call->attributes;
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    return cc_window_set(window, x->dim[1], x->dim[2], w->dim[0], w->dim[1], s->strides, s->dilation, (cc_padding)s->padding,
                         &s->pads);
}

static cconv_status infer(const cc_call *call, cc_shape *ys)
{
    const settings *s = call->attributes;
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    char xt[CC_SHAPE_TEXT], wt[CC_SHAPE_TEXT];
    CC_TRY(cc_op_check_rank(call, 0, 4, "(n, h, w, c)"));
    CC_TRY(cc_op_check_rank(call, 1, 4, "(kh, kw, c / groups, oc)"));
    CC_TRY(cc_fused_check(call, s->activation, s->alpha));
    const int64_t c = x->dim[3], depth = w->dim[2], oc = w->dim[3], groups = s->groups;
    if (groups < 1 || groups > CC_WINDOW_MAX)
        return cc_op_fail(call, CCONV_INVALID, "expected groups of at least 1, received %lld", (long long)groups);
    if (c >= 0 && c % groups)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected input channels divisible by groups, received %lld channels and %lld groups", (long long)c,
                          (long long)groups);
    if (oc >= 0 && oc % groups)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected output channels divisible by groups, received %lld channels and %lld groups", (long long)oc,
                          (long long)groups);
    if (c >= 0 && depth >= 0 && c / groups != depth)
        return cc_op_fail(
            call, CCONV_INVALID,
            "expected x with %lld channels (%lld of the kernel by %lld groups), received %lld; x has shape %s, the kernel %s",
            (long long)(depth * groups), (long long)depth, (long long)groups, (long long)c, cc_shape_text(x, xt),
            cc_shape_text(w, wt));
    if (has_bias(call)) {
        CC_TRY(cc_op_check_rank(call, 2, 1, "(oc)"));
        if (!cc_agree(call->xs[2].dim[0], oc))
            return cc_op_fail(call, CCONV_INVALID, "expected b with %lld values, one for each output channel, received %lld",
                              (long long)oc, (long long)call->xs[2].dim[0]);
    }
    cc_window window = {0};
    if (set_window(call, &window) != CCONV_OK) {
        if (call->name)
            cc_fail_prefix("%s (%s)", call->name, call->op->name);
        else
            cc_fail_prefix("%s", call->op->name);
        return CCONV_INVALID;
    }
    *ys = (cc_shape){.rank = 4, .dim = {x->dim[0], window.h.out, window.w.out, oc}};
    return CCONV_OK;
}

/* The convolution of a call whose sizes are all known. */
static cc_conv2d geometry(const cc_call *call)
{
    const settings *s = call->attributes;
    cc_conv2d conv = {.n = call->xs[0].dim[0], .c = call->xs[0].dim[3], .oc = call->xs[1].dim[3], .groups = s->groups};
    set_window(call, &conv.window); /* infer has made sure that it succeeds */
    return conv;
}

/* Few channels fill few lanes of a row pointer's depth: then copying whole patches costs less than the pointers. */
static bool use_im2col(const cc_call *call, const cc_conv2d *conv)
{
    const settings *s = call->attributes;
    if (s->algorithm == AUTO) return conv->groups == 1 && conv->c < 8 && cc_conv2d_taps(conv) > 1;
    return s->algorithm == IM2COL;
}

static const char *algorithm_name(const cc_conv2d *conv, bool im2col)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    if (im2col) return "im2col";
    if (cc_conv2d_is_depthwise(conv)) return "direct (depthwise)";
    const bool pointwise = h->kernel == 1 && w->kernel == 1 && h->out == h->in && w->out == w->in;
    return pointwise ? "direct (gemm)" : "direct";
}

/* Pieces of backward_scratch, in this order. */
typedef struct pieces {
    int64_t dz, packed, partial, bias_partial, patches;
} pieces;

static pieces backward_pieces(const cc_call *call, const cc_conv2d *conv, bool im2col, const bool wants[3], int nth)
{
    const settings *s = call->attributes;
    pieces p = {0};
    if (s->activation != CC_ACT_LINEAR) p.dz = cc_shape_count(&call->ys);
    if (wants[0]) p.packed = cc_conv2d_packed_transposed(conv, im2col);
    if (wants[1]) p.partial = im2col ? cc_conv2d_im2col_partial(conv) : cc_conv2d_direct_partial(conv);
    if (wants[2]) p.bias_partial = cc_column_sum_partial(conv->oc, cc_conv2d_pixels(conv));
    if (im2col && (wants[0] || wants[1])) p.patches = (int64_t)nth * CC_PATCH_FLOATS;
    return p;
}

static void need(const cc_call *call, int nth, cc_need *need)
{
    const settings *s = call->attributes;
    const cc_conv2d conv = geometry(call);
    const bool im2col = use_im2col(call, &conv);
    need->algorithm = algorithm_name(&conv, im2col);
    need->packed = cc_scratch_bytes(cc_conv2d_packed(&conv, im2col));
    if (im2col) need->forward_scratch = cc_scratch_bytes((int64_t)nth * CC_PATCH_FLOATS);
    if (!call->differentiate) return;
    const bool wants[3] = {call->wants[0], call->wants[1], has_bias(call) && call->wants[2]};
    const pieces p = backward_pieces(call, &conv, im2col, wants, nth);
    need->backward_scratch = cc_scratch_bytes(p.dz) + cc_scratch_bytes(p.packed) + cc_scratch_bytes(p.partial) +
                             cc_scratch_bytes(p.bias_partial) + cc_scratch_bytes(p.patches);
    need->reads = cc_fused_reads(call, s->activation);
}

static void forward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const cc_conv2d conv = geometry(call);
    const float *x = call->x[0], *w = call->x[1], *bias = has_bias(call) ? call->x[2] : NULL;
    const bool im2col = use_im2col(call, &conv);
    if (call->repack && cc_conv2d_packed(&conv, im2col) > 0) {
        cc_conv2d_pack(&conv, call->packed, w, team);
        cc_barrier(team);
    }
    if (im2col)
        cc_conv2d_im2col_forward(&conv, call->y, x, call->packed, bias, (cc_activation)s->activation, s->alpha, call->scratch,
                                 team);
    else
        cc_conv2d_direct_forward(&conv, call->y, x, w, call->packed, bias, (cc_activation)s->activation, s->alpha, team);
}

static void backward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const cc_conv2d conv = geometry(call);
    const bool im2col = use_im2col(call, &conv);
    float *dx = call->dx[0], *dw = call->dx[1], *db = has_bias(call) ? call->dx[2] : NULL;
    const bool wants[3] = {dx != NULL, dw != NULL, db != NULL};
    const pieces p = backward_pieces(call, &conv, im2col, wants, team->nth);
    char *at = call->scratch;
    float *dz_buffer = cc_scratch_take(&at, p.dz), *packed = cc_scratch_take(&at, p.packed);
    float *partial = cc_scratch_take(&at, p.partial), *bias_partial = cc_scratch_take(&at, p.bias_partial);
    float *patches = cc_scratch_take(&at, p.patches);

    if (dx && p.packed > 0) cc_conv2d_pack_transposed(&conv, packed, call->x[1], team);
    const float *dz = cc_fused_gradient(call, s->activation, s->alpha, dz_buffer, team);
    if (dx && p.packed > 0) cc_barrier(team);

    if (dx && im2col)
        cc_conv2d_im2col_input_gradient(&conv, dx, dz, packed, patches, team);
    else if (dx)
        cc_conv2d_direct_input_gradient(&conv, dx, dz, call->x[1], packed, team);
    if (dw && im2col)
        cc_conv2d_im2col_weight_gradient(&conv, dw, call->x[0], dz, patches, partial, team);
    else if (dw)
        cc_conv2d_direct_weight_gradient(&conv, dw, call->x[0], dz, partial, team);
    if (db) cc_column_sum(db, dz, conv.oc, cc_conv2d_pixels(&conv), bias_partial, team);
}

const cc_op cc_op_conv2d = {
    .name = "conv2d",
    .inputs = "x w b?",
    .attributes = attributes,
    .attributes_size = sizeof(settings),
    .infer = infer,
    .need = need,
    .forward = forward,
    .backward = backward,
};
