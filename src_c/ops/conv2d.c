/* 2-D convolution (cross-correlation), bias and activation fused. Shapes and the choice of an algorithm; the arithmetic is in
 * algos/conv2d_*.c, the formulas in conv2d.h.
 *
 *     y[n][oh][ow][oc] = act(r[n][oh][ow][oc] + b[oc] + sum over ty, tx, c of x[n][oy sh - pt + dh ty][ox sw - pl + dw tx][c] w[ty][tx][c][oc])
 *
 * with an optional residual r. With dz = dy act':  dr = dz,  dx = the transposed convolution of dz,  dw = the correlation of x with dz,  db = the sum of dz over pixels. */
#include "conv2d.h"
#include "fused.h"
#include "gemm.h"
#include "op.h"
#include <stdio.h>
#include <string.h>

typedef struct settings {
    int64_t strides[2], dilation[2], groups;
    int padding, activation, algorithm;
    float alpha;
    cc_list pads;
} settings;

static const cc_attr attributes[] = {
    {"strides", CC_PAIR, offsetof(settings, strides), "1", NULL},
    {"padding", CC_ENUM, offsetof(settings, padding), "valid", CC_PADDING_CHOICES},
    {"pads", CC_LIST, offsetof(settings, pads), "", NULL},
    {"dilation", CC_PAIR, offsetof(settings, dilation), "1", NULL},
    {"groups", CC_INT, offsetof(settings, groups), "1", NULL},
    {"activation", CC_ENUM, offsetof(settings, activation), "linear", CC_ACT_CHOICES},
    {"alpha", CC_FLOAT, offsetof(settings, alpha), "0", NULL},
    {"algorithm", CC_ENUM, offsetof(settings, algorithm), CC_CONV2D_AUTO, CC_CONV2D_CHOICES},
    {0},
};

static bool has_bias(const cc_call *call)
{
    return call->n_inputs > 2 && call->xs[2].rank >= 0;
}

static bool has_residual(const cc_call *call)
{
    return call->n_inputs > 3 && call->xs[3].rank >= 0;
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
    if (s->algorithm > 0 && c >= 0 && oc >= 0 && depth >= 0 && w->dim[0] >= 0 && w->dim[1] >= 0) {
        const cc_conv2d_algorithm *forced = cc_conv2d_algorithm_at(s->algorithm - 1);
        const cc_conv2d conv = {.c = c, .oc = oc, .groups = groups, .window = window};
        if (forced->fits && !forced->fits(&conv))
            return cc_op_fail(call, CCONV_INVALID,
                              "expected an algorithm that fits (\"auto\" does), received \"%s\" for a kernel %s, "
                              "strides (%lld, %lld), dilation (%lld, %lld) and %lld groups",
                              forced->name, cc_shape_text(w, wt), (long long)s->strides[0], (long long)s->strides[1],
                              (long long)s->dilation[0], (long long)s->dilation[1], (long long)groups);
    }
    *ys = (cc_shape){.rank = 4, .dim = {x->dim[0], window.h.out, window.w.out, oc}};
    const cc_shape *r = &call->xs[3];
    for (int d = 0; has_residual(call) && d < 4; ++d) {
        if (r->rank != 4 || !cc_agree(r->dim[d], ys->dim[d]))
            return cc_op_fail(call, CCONV_INVALID, "expected a residual of the shape of the output, %s, received shape %s",
                              cc_shape_text(ys, xt), cc_shape_text(r, wt));
        if (ys->dim[d] < 0) ys->dim[d] = r->dim[d];
    }
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

/* What need() decides is kept as a number: for each pass the algorithm's, a byte each, its highest bit set if it packs late. */
enum { PACKS_LATE = 128 };

static int choose(const cc_call *call, const cc_conv2d *conv, int nth)
{
    const settings *s = call->attributes;
    int choice = 0;
    for (int pass = 0; pass < CC_CONV2D_PASSES; ++pass) {
        const bool once = pass != CC_CONV2D_FORWARD || (call->differentiate && call->wants[1]); /* weights change in every run */
        const bool runs = pass == CC_CONV2D_FORWARD || (call->differentiate && call->wants[pass - CC_CONV2D_INPUT_GRADIENT]);
        int byte = s->algorithm > 0      ? s->algorithm - 1
                   : call->tune && runs ? cc_conv2d_measure(conv, (cc_conv2d_pass)pass, once, nth)
                                        : cc_conv2d_choose(conv, (cc_conv2d_pass)pass);
        const cc_conv2d_algorithm *algorithm = cc_conv2d_algorithm_at(byte);
        if (once && algorithm->packs_late && algorithm->packs_late(conv, (cc_conv2d_pass)pass, nth)) byte |= PACKS_LATE;
        choice |= byte << 8 * pass;
    }
    return choice;
}

static const cc_conv2d_algorithm *chosen(int choice, cc_conv2d_pass pass)
{
    return cc_conv2d_algorithm_at(choice >> 8 * (int)pass & (PACKS_LATE - 1));
}

/* "direct", or the three passes' if they differ: "winograd/direct/direct". */
static void name_algorithms(int choice, const cc_conv2d *conv, bool differentiate, char *text, size_t size)
{
    const char *names[CC_CONV2D_PASSES];
    for (int pass = 0; pass < CC_CONV2D_PASSES; ++pass) names[pass] = chosen(choice, (cc_conv2d_pass)pass)->name;
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    const bool pointwise = h->kernel == 1 && w->kernel == 1 && h->out == h->in && w->out == w->in;
    if (differentiate && (names[0] != names[1] || names[0] != names[2]))
        snprintf(text, size, "%s/%s/%s", names[0], names[1], names[2]);
    else
        snprintf(text, size, "%s%s", names[0],
                 pointwise && chosen(choice, CC_CONV2D_FORWARD) == &cc_conv2d_direct ? " (gemm)" : "");
}

static int64_t packed_floats(int choice, const cc_conv2d *conv, cc_conv2d_pass pass)
{
    const cc_conv2d_algorithm *algorithm = chosen(choice, pass);
    return algorithm->packed && !(choice >> 8 * (int)pass & PACKS_LATE) ? algorithm->packed(conv, pass) : 0;
}

static int64_t scratch_floats(const cc_conv2d_algorithm *algorithm, const cc_conv2d *conv, cc_conv2d_pass pass, int nth)
{
    return algorithm->scratch ? algorithm->scratch(conv, pass, nth) : 0;
}

/* Pieces of backward_scratch, in this order. The passes run one after another: the weight gradient's scratch begins where the input
 * gradient's weights do. */
typedef struct pieces {
    int64_t dz, bias_partial, packed, scratch, weight_scratch;
} pieces;

static pieces backward_pieces(const cc_call *call, int choice, const cc_conv2d *conv, const bool wants[3], int nth)
{
    const settings *s = call->attributes;
    pieces p = {0};
    p.dz = cc_fused_gradient_floats(call, s->activation);
    if (wants[0]) {
        const cc_conv2d_algorithm *algorithm = chosen(choice, CC_CONV2D_INPUT_GRADIENT);
        p.packed = packed_floats(choice, conv, CC_CONV2D_INPUT_GRADIENT);
        p.scratch = scratch_floats(algorithm, conv, CC_CONV2D_INPUT_GRADIENT, nth);
    }
    if (wants[1])
        p.weight_scratch = scratch_floats(chosen(choice, CC_CONV2D_WEIGHT_GRADIENT), conv, CC_CONV2D_WEIGHT_GRADIENT, nth);
    if (wants[2]) p.bias_partial = cc_column_sum_partial(conv->oc, cc_conv2d_pixels(conv));
    return p;
}

static void need(const cc_call *call, int nth, cc_need *need)
{
    const settings *s = call->attributes;
    const cc_conv2d conv = geometry(call);
    need->choice = choose(call, &conv, nth);
    const cc_conv2d_algorithm *algorithm = chosen(need->choice, CC_CONV2D_FORWARD);
    name_algorithms(need->choice, &conv, call->differentiate, need->algorithm, sizeof need->algorithm);
    need->packed = cc_scratch_bytes(packed_floats(need->choice, &conv, CC_CONV2D_FORWARD));
    need->forward_scratch = cc_scratch_bytes(scratch_floats(algorithm, &conv, CC_CONV2D_FORWARD, nth));
    if (has_residual(call) && algorithm->accumulates) need->inplace = 1 + 3;
    if (!call->differentiate) return;
    const bool wants[3] = {call->wants[0], call->wants[1], has_bias(call) && call->wants[2]};
    const pieces p = backward_pieces(call, need->choice, &conv, wants, nth);
    const size_t input = cc_scratch_bytes(p.packed) + cc_scratch_bytes(p.scratch), weight = cc_scratch_bytes(p.weight_scratch);
    need->backward_scratch = cc_scratch_bytes(p.dz) + cc_scratch_bytes(p.bias_partial) + (input > weight ? input : weight);
    need->reads = cc_fused_reads(call, s->activation);
}

static void copy_slice(float *to, const float *from, int64_t count, const cc_team *team)
{
    const cc_range mine = cc_slice(team, count, 4096);
    if (mine.begin < mine.end) memcpy(to + mine.begin, from + mine.begin, (size_t)(mine.end - mine.begin) * sizeof *to);
}

static void forward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const cc_conv2d conv = geometry(call);
    const cc_conv2d_algorithm *algorithm = chosen(call->choice, CC_CONV2D_FORWARD);
    if (call->repack && packed_floats(call->choice, &conv, CC_CONV2D_FORWARD) > 0) {
        algorithm->pack(&conv, CC_CONV2D_FORWARD, call->packed, call->x[1], team);
        cc_barrier(team);
    }
    const bool later = has_residual(call) && !algorithm->accumulates;
    const cc_epilogue epilogue = {.bias = has_bias(call) ? call->x[2] : NULL,
                                  .act = later ? CC_ACT_LINEAR : (cc_activation)s->activation,
                                  .alpha = s->alpha,
                                  .accumulate = has_residual(call) && algorithm->accumulates};
    if (epilogue.accumulate && call->y != call->x[3]) {
        copy_slice(call->y, call->x[3], cc_shape_count(&call->ys), team);
        cc_barrier(team);
    }
    algorithm->forward(&conv, call->y, call->x[0], call->x[1], call->packed, &epilogue, call->scratch, team);
    if (!later) return;
    cc_barrier(team);
    const cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    if (mine.begin >= mine.end) return;
    cc_kernels_get()->add(call->y + mine.begin, call->x[3] + mine.begin, mine.end - mine.begin);
    cc_act_forward((cc_activation)s->activation, s->alpha, call->y + mine.begin, call->y + mine.begin, mine.end - mine.begin);
}

static void backward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const cc_conv2d conv = geometry(call);
    float *dx = call->dx[0], *dw = call->dx[1], *db = has_bias(call) ? call->dx[2] : NULL;
    const bool wants[3] = {dx != NULL, dw != NULL, db != NULL};
    const pieces p = backward_pieces(call, call->choice, &conv, wants, team->nth);
    char *at = call->scratch;
    float *dz_buffer = cc_scratch_take(&at, p.dz), *bias_partial = cc_scratch_take(&at, p.bias_partial);
    float *weight_scratch = (float *)(void *)at, *packed = p.packed > 0 ? cc_scratch_take(&at, p.packed) : NULL;
    float *scratch = cc_scratch_take(&at, p.scratch);

    const cc_conv2d_algorithm *algorithm = chosen(call->choice, CC_CONV2D_INPUT_GRADIENT);
    if (dx && p.packed > 0) algorithm->pack(&conv, CC_CONV2D_INPUT_GRADIENT, packed, call->x[1], team);
    const float *dz = cc_fused_gradient(call, s->activation, s->alpha, dz_buffer, team);
    if (dx && p.packed > 0) cc_barrier(team);

    if (has_residual(call) && call->dx[3]) copy_slice(call->dx[3], dz, cc_shape_count(&call->ys), team);
    if (dx) algorithm->input_gradient(&conv, dx, dz, call->x[1], packed, scratch, team);
    if (dx && dw) cc_barrier(team); /* the scratch changes hands */
    if (dw) chosen(call->choice, CC_CONV2D_WEIGHT_GRADIENT)->weight_gradient(&conv, dw, call->x[0], dz, weight_scratch, team);
    if (db) cc_column_sum(db, dz, conv.oc, cc_conv2d_pixels(&conv), bias_partial, team);
}

const cc_op cc_op_conv2d = {
    .name = "conv2d",
    .inputs = "x w b? r?",
    .attributes = attributes,
    .attributes_size = sizeof(settings),
    .infer = infer,
    .need = need,
    .forward = forward,
    .backward = backward,
};
