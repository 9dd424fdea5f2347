/* 2-D convolution (cross-correlation), bias and activation fused. Shapes and the choice of an algorithm; the arithmetic is in
 * algos/conv/conv_*.c, the formulas in conv.h.
 *
 *     y[n][oh][ow][oc] = act(r[n][oh][ow][oc] + b[oc] + sum over ty, tx, c of x[n][oy sh - pt + dh ty][ox sw - pl + dw tx][c] w[ty][tx][c][oc])
 *
 * with an optional residual r. With dz = dy act':  dr = dz,  dx = the transposed convolution of dz,  dw = the correlation of x with dz,  db = the sum of dz over pixels. */
#include "ops/conv.h"
#include "algos/conv/conv.h"
#include "ops/fused.h"
#include "algos/gemm.h"
#include "ops/op.h"
#include <stdio.h>
#include <string.h>

typedef cc_conv_attributes settings;

static const cc_attr attributes[] = {
    {"strides", CC_LIST, offsetof(settings, strides), "1", NULL},
    {"padding", CC_ENUM, offsetof(settings, padding), "valid", CC_PADDING_CHOICES},
    {"pads", CC_LIST, offsetof(settings, pads), "", NULL},
    {"dilation", CC_LIST, offsetof(settings, dilation), "1", NULL},
    {"groups", CC_INT, offsetof(settings, groups), "1", NULL},
    {"activation", CC_ENUM, offsetof(settings, activation), "linear", CC_ACT_CHOICES},
    {"alpha", CC_FLOAT, offsetof(settings, alpha), "0", NULL},
    {"algorithm", CC_ENUM, offsetof(settings, algorithm), CC_CONV_AUTO, CC_CONV_CHOICES},
    {0},
};

static bool conv_has_bias(const cc_call *call)
{
    return call->n_inputs > 2 && call->xs[2].rank >= 0;
}

static bool conv_has_residual(const cc_call *call)
{
    return call->n_inputs > 3 && call->xs[3].rank >= 0;
}

static cconv_status set_window(const cc_call *call, cc_window *window)
{
    const settings *s = call->attributes;
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    return cc_window_set(window, 2, x->dim + 1, w->dim, &s->strides, &s->dilation, (cc_padding)s->padding, &s->pads);
}

static cconv_status conv_infer(const cc_call *call, cc_shape *ys)
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
    if (conv_has_bias(call)) {
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
        const cc_conv_algorithm *forced = cc_conv_algorithm_at(s->algorithm - 1);
        const cc_conv conv = {.c = c, .oc = oc, .groups = groups, .window = window};
        if (forced->supports && !forced->supports(&conv))
            return cc_op_fail(call, CCONV_INVALID,
                              "expected an algorithm that fits (\"auto\" does), received \"%s\" for a kernel %s, "
                              "strides (%lld, %lld), dilation (%lld, %lld) and %lld groups",
                              forced->name, cc_shape_text(w, wt), (long long)cc_each(&s->strides, 0), (long long)cc_each(&s->strides, 1),
                              (long long)cc_each(&s->dilation, 0), (long long)cc_each(&s->dilation, 1), (long long)groups);
    }
    *ys = (cc_shape){.rank = 4, .dim = {x->dim[0], window.h.out, window.w.out, oc}};
    const cc_shape *r = &call->xs[3];
    for (int d = 0; conv_has_residual(call) && d < 4; ++d) {
        if (r->rank != 4 || !cc_agree(r->dim[d], ys->dim[d]))
            return cc_op_fail(call, CCONV_INVALID, "expected a residual of the shape of the output, %s, received shape %s",
                              cc_shape_text(ys, xt), cc_shape_text(r, wt));
        if (ys->dim[d] < 0) ys->dim[d] = r->dim[d];
    }
    return CCONV_OK;
}

/* The convolution of a call whose sizes are all known. */
static cc_conv geometry(const cc_call *call)
{
    const settings *s = call->attributes;
    cc_conv conv = {.n = call->xs[0].dim[0], .c = call->xs[0].dim[3], .oc = call->xs[1].dim[3], .groups = s->groups};
    set_window(call, &conv.window); /* infer has made sure that it succeeds */
    return conv;
}

/* What need() decides is kept as a number: for each pass the algorithm's, a byte each, its highest bit set if it packs late. */
enum { ON_THE_FLY = 128 };

static int conv_choose(const cc_call *call, const cc_conv *conv, int nth)
{
    const settings *s = call->attributes;
    int choice = 0;
    for (int pass = 0; pass < CC_CONV_PASSES; ++pass) {
        const bool once = pass != CC_CONV_FORWARD || (call->differentiate && call->needs_gradient[1]); /* weights change in every run */
        const bool runs = pass == CC_CONV_FORWARD || (call->differentiate && call->needs_gradient[pass - CC_CONV_INPUT_GRADIENT]);
        int byte = s->algorithm > 0      ? s->algorithm - 1
                   : call->tune && runs ? cc_conv_measure(conv, (cc_conv_pass)pass, once, nth)
                                        : cc_conv_choose(conv, (cc_conv_pass)pass);
        const cc_conv_algorithm *algorithm = cc_conv_algorithm_at(byte);
        if (once && algorithm->packs_on_the_fly && algorithm->packs_on_the_fly(conv, (cc_conv_pass)pass, nth)) byte |= ON_THE_FLY;
        choice |= byte << 8 * pass;
    }
    return choice;
}

static const cc_conv_algorithm *chosen(int choice, cc_conv_pass pass)
{
    return cc_conv_algorithm_at(choice >> 8 * (int)pass & (ON_THE_FLY - 1));
}

/* "direct", or the three passes' if they differ: "winograd/direct/direct". */
static void name_algorithms(int choice, const cc_conv *conv, bool differentiate, char *text, size_t size)
{
    const char *names[CC_CONV_PASSES];
    for (int pass = 0; pass < CC_CONV_PASSES; ++pass) names[pass] = chosen(choice, (cc_conv_pass)pass)->name;
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    const bool pointwise = h->kernel == 1 && w->kernel == 1 && h->out == h->in && w->out == w->in;
    if (differentiate && (names[0] != names[1] || names[0] != names[2]))
        snprintf(text, size, "%s/%s/%s", names[0], names[1], names[2]);
    else
        snprintf(text, size, "%s%s", names[0],
                 pointwise && chosen(choice, CC_CONV_FORWARD) == &cc_conv_direct ? " (gemm)" : "");
}

static int64_t conv_packed_floats(int choice, const cc_conv *conv, cc_conv_pass pass)
{
    const cc_conv_algorithm *algorithm = chosen(choice, pass);
    return algorithm->packed && !(choice >> 8 * (int)pass & ON_THE_FLY) ? algorithm->packed(conv, pass) : 0;
}

static int64_t conv_scratch_floats(const cc_conv_algorithm *algorithm, const cc_conv *conv, cc_conv_pass pass, int nth)
{
    return algorithm->scratch ? algorithm->scratch(conv, pass, nth) : 0;
}

/* Pieces of backward_scratch, in this order. The passes run one after another: the weight gradient's scratch begins where the input
 * gradient's weights do. */
typedef struct pieces {
    int64_t dz, bias_partial, packed, scratch, weight_scratch;
} pieces;

static pieces conv_backward_pieces(const cc_call *call, int choice, const cc_conv *conv, const bool needs_gradient[3], int nth)
{
    const settings *s = call->attributes;
    pieces p = {0};
    p.dz = cc_fused_gradient_floats(call, s->activation);
    if (needs_gradient[0]) {
        const cc_conv_algorithm *algorithm = chosen(choice, CC_CONV_INPUT_GRADIENT);
        p.packed = conv_packed_floats(choice, conv, CC_CONV_INPUT_GRADIENT);
        p.scratch = conv_scratch_floats(algorithm, conv, CC_CONV_INPUT_GRADIENT, nth);
    }
    if (needs_gradient[1])
        p.weight_scratch = conv_scratch_floats(chosen(choice, CC_CONV_WEIGHT_GRADIENT), conv, CC_CONV_WEIGHT_GRADIENT, nth);
    if (needs_gradient[2]) p.bias_partial = cc_column_sum_partial(conv->oc, cc_conv_pixels(conv));
    return p;
}

static void conv_need(const cc_call *call, int nth, cc_need *need)
{
    const settings *s = call->attributes;
    const cc_conv conv = geometry(call);
    need->choice = conv_choose(call, &conv, nth);
    const cc_conv_algorithm *algorithm = chosen(need->choice, CC_CONV_FORWARD);
    name_algorithms(need->choice, &conv, call->differentiate, need->algorithm, sizeof need->algorithm);
    need->packed = cc_scratch_bytes(conv_packed_floats(need->choice, &conv, CC_CONV_FORWARD));
    need->forward_scratch = cc_scratch_bytes(conv_scratch_floats(algorithm, &conv, CC_CONV_FORWARD, nth));
    if (conv_has_residual(call) && algorithm->accumulates) need->inplace = 1 + 3;
    if (!call->differentiate) return;
    const bool needs_gradient[3] = {call->needs_gradient[0], call->needs_gradient[1], conv_has_bias(call) && call->needs_gradient[2]};
    const pieces p = conv_backward_pieces(call, need->choice, &conv, needs_gradient, nth);
    const size_t input = cc_scratch_bytes(p.packed) + cc_scratch_bytes(p.scratch), weight = cc_scratch_bytes(p.weight_scratch);
    need->backward_scratch = cc_scratch_bytes(p.dz) + cc_scratch_bytes(p.bias_partial) + (input > weight ? input : weight);
    need->reads = cc_fused_reads(call, s->activation);
}

static void copy_slice(float *to, const float *from, int64_t count, const cc_team *team)
{
    const cc_range mine = cc_slice(team, count, 4096);
    if (mine.begin < mine.end) memcpy(to + mine.begin, from + mine.begin, (size_t)(mine.end - mine.begin) * sizeof *to);
}

static void conv_forward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const cc_conv conv = geometry(call);
    const cc_conv_algorithm *algorithm = chosen(call->choice, CC_CONV_FORWARD);
    if (call->repack && conv_packed_floats(call->choice, &conv, CC_CONV_FORWARD) > 0) {
        algorithm->pack(&conv, CC_CONV_FORWARD, call->packed, call->x[1], team);
        cc_barrier_wait(team);
    }
    const bool later = conv_has_residual(call) && !algorithm->accumulates;
    const cc_epilogue epilogue = {.bias = conv_has_bias(call) ? call->x[2] : NULL,
                                  .act = later ? CC_ACT_LINEAR : (cc_activation)s->activation,
                                  .alpha = s->alpha,
                                  .accumulate = conv_has_residual(call) && algorithm->accumulates};
    if (epilogue.accumulate && call->y != call->x[3]) {
        copy_slice(call->y, call->x[3], cc_shape_count(&call->ys), team);
        cc_barrier_wait(team);
    }
    algorithm->forward(&conv, call->y, call->x[0], call->x[1], call->packed, &epilogue, call->scratch, team);
    if (!later) return;
    cc_barrier_wait(team);
    const cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    if (mine.begin >= mine.end) return;
    cc_kernels_get()->add(call->y + mine.begin, call->x[3] + mine.begin, mine.end - mine.begin);
    cc_act_forward((cc_activation)s->activation, s->alpha, call->y + mine.begin, call->y + mine.begin, mine.end - mine.begin);
}

static void conv_backward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const cc_conv conv = geometry(call);
    float *dx = call->dx[0], *dw = call->dx[1], *db = conv_has_bias(call) ? call->dx[2] : NULL;
    const bool needs_gradient[3] = {dx != NULL, dw != NULL, db != NULL};
    const pieces p = conv_backward_pieces(call, call->choice, &conv, needs_gradient, team->nth);
    char *at = call->scratch;
    float *dz_buffer = cc_scratch_take(&at, p.dz), *bias_partial = cc_scratch_take(&at, p.bias_partial);
    float *weight_scratch = (float *)(void *)at, *packed = p.packed > 0 ? cc_scratch_take(&at, p.packed) : NULL;
    float *scratch = cc_scratch_take(&at, p.scratch);

    const cc_conv_algorithm *algorithm = chosen(call->choice, CC_CONV_INPUT_GRADIENT);
    if (dx && p.packed > 0) algorithm->pack(&conv, CC_CONV_INPUT_GRADIENT, packed, call->x[1], team);
    const float *dz = cc_fused_gradient(call, s->activation, s->alpha, dz_buffer, team);
    if (dx && p.packed > 0) cc_barrier_wait(team);

    if (conv_has_residual(call) && call->dx[3]) copy_slice(call->dx[3], dz, cc_shape_count(&call->ys), team);
    if (dx) algorithm->input_gradient(&conv, dx, dz, call->x[1], packed, scratch, team);
    if (dx && dw) cc_barrier_wait(team); /* the scratch changes hands */
    if (dw) chosen(call->choice, CC_CONV_WEIGHT_GRADIENT)->weight_gradient(&conv, dw, call->x[0], dz, weight_scratch, team);
    if (db) cc_column_sum(db, dz, conv.oc, cc_conv_pixels(&conv), bias_partial, team);
}

const cc_op cc_op_conv2d = {
    .name = "conv2d",
    .inputs = "x w b? r?",
    .attributes = attributes,
    .attributes_size = sizeof(settings),
    .weights = 1,
    .bias = 2,
    .residual = 3,
    .per_sample = cc_per_sample_x,
    .infer = conv_infer,
    .need = conv_need,
    .forward = conv_forward,
    .backward = conv_backward,
};
