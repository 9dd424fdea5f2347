/* What the ops conv and conv_transpose share; see conv.h. */
#include "ops/conv.h"
#include "ops/fused.h"
#include "ops/infer.h"
#include "algos/gemm.h"
#include <stdio.h>

static bool conv_is_transposed(const cc_call *call)
{
    return call->op == &cc_op_conv_transpose;
}

/* ---- Shapes ---- */

/* Axes of the image: x has a batch and channels besides. */
static int conv_axes(const cc_call *call)
{
    return call->xs[0].rank - 2;
}

static cconv_status conv_set_window(const cc_call *call, cc_window *window)
{
    const cc_conv_attributes *s = call->attributes;
    const int64_t *image = call->xs[0].dim + 1, *kernel = call->xs[1].dim;
    if (conv_is_transposed(call))
        return cc_window_set_transposed(window, conv_axes(call), image, kernel, &s->strides, &s->dilation,
                                        (cc_padding)s->padding, &s->pads, &s->output_padding);
    return cc_window_set(window, conv_axes(call), image, kernel, &s->strides, &s->dilation, (cc_padding)s->padding, &s->pads,
                         false);
}

static cconv_status conv_check_ranks(const cc_call *call)
{
    static const char *const letters[2][CC_WINDOW_AXES] = {
        {"(n, w, c) and (kw, c / groups, oc)", "(n, h, w, c) and (kh, kw, c / groups, oc)",
         "(n, d, h, w, c) and (kd, kh, kw, c / groups, oc)"},
        {"(n, w, c) and (kw, oc / groups, c)", "(n, h, w, c) and (kh, kw, oc / groups, c)",
         "(n, d, h, w, c) and (kd, kh, kw, oc / groups, c)"},
    };
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    char xt[CC_SHAPE_TEXT], wt[CC_SHAPE_TEXT];
    int axes;
    CC_TRY(cc_infer_image(call, 0, &axes));
    if (w->rank == x->rank) return CCONV_OK;
    return cc_op_fail(
        call, CCONV_INVALID, "expected x and w of one rank, %s, received x of rank %d, shape %s, and w of rank %d, shape %s",
        letters[conv_is_transposed(call)][axes - 1], x->rank, cc_shape_text(x, xt), w->rank, cc_shape_text(w, wt));
}

/* Channels of x and y as x and the kernel tell them; those of y may be unknown. */
static cconv_status conv_check_channels(const cc_call *call, int64_t *oc)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    const int64_t c = x->dim[x->rank - 1], depth = w->dim[w->rank - 2], last = w->dim[w->rank - 1], groups = s->groups;
    char xt[CC_SHAPE_TEXT], wt[CC_SHAPE_TEXT];
    if (groups < 1 || groups > CC_WINDOW_MAX)
        return cc_op_fail(call, CCONV_INVALID, "expected groups of at least 1, received %lld", (long long)groups);
    if (c >= 0 && c % groups)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected input channels divisible by groups, received %lld channels and %lld groups", (long long)c,
                          (long long)groups);
    if (conv_is_transposed(call)) {
        if (!cc_agree(c, last))
            return cc_op_fail(call, CCONV_INVALID,
                              "expected x with %lld channels, the last size of the kernel, received %lld; x has "
                              "shape %s, the kernel %s",
                              (long long)last, (long long)c, cc_shape_text(x, xt), cc_shape_text(w, wt));
        *oc = depth < 0 ? CC_UNKNOWN : depth * groups;
        return CCONV_OK;
    }
    if (last >= 0 && last % groups)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected output channels divisible by groups, received %lld channels and %lld groups",
                          (long long)last, (long long)groups);
    if (c >= 0 && depth >= 0 && c / groups != depth)
        return cc_op_fail(
            call, CCONV_INVALID,
            "expected x with %lld channels (%lld of the kernel by %lld groups), received %lld; x has shape %s, the kernel %s",
            (long long)(depth * groups), (long long)depth, (long long)groups, (long long)c, cc_shape_text(x, xt),
            cc_shape_text(w, wt));
    *oc = last;
    return CCONV_OK;
}

/* The convolution of a call with this window; for a transposed one that which makes its input of its output. */
static cc_conv conv_with(const cc_call *call, const cc_window *window)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    const int64_t depth = w->dim[w->rank - 2];
    return (cc_conv){.n = x->dim[0],
                     .c = depth < 0 ? CC_UNKNOWN : depth * s->groups,
                     .oc = w->dim[w->rank - 1],
                     .groups = s->groups,
                     .window = *window,
                     .unchecked = call->unchecked};
}

/* "(2, 1)": the values of a setting for each axis. */
static const char *conv_each_text(const cc_list *list, int axes, char text[80])
{
    int at = 0;
    for (int i = 0; i < axes; ++i)
        at += snprintf(text + at, 80 - (size_t)at, "%s%lld", i ? ", " : "(", (long long)cc_each(list, i));
    snprintf(text + at, 80 - (size_t)at, ")");
    return text;
}

/* Fails if an algorithm is asked for by name that cannot do this one. */
static cconv_status conv_check_algorithm(const cc_call *call, const cc_window *window)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_shape *w = &call->xs[1];
    if (s->algorithm == 0) return CCONV_OK;
    for (int i = 0; i < w->rank; ++i)
        if (w->dim[i] < 0) return CCONV_OK;
    const cc_conv_algorithm *forced = cc_conv_algorithm_at(s->algorithm - 1);
    const cc_conv conv = conv_with(call, window);
    char wt[CC_SHAPE_TEXT], strides[80], dilation[80];
    if (!forced->supports || forced->supports(&conv)) return CCONV_OK;
    return cc_op_fail(call, CCONV_INVALID,
                      "expected an algorithm that fits (\"auto\" does), received \"%s\" for a kernel %s, "
                      "strides %s, dilation %s and %lld groups",
                      forced->name, cc_shape_text(w, wt), conv_each_text(&s->strides, conv_axes(call), strides),
                      conv_each_text(&s->dilation, conv_axes(call), dilation), (long long)s->groups);
}

static cconv_status conv_check_residual(const cc_call *call, cc_shape *ys)
{
    const cc_shape *r = &call->xs[3];
    char rt[CC_SHAPE_TEXT], yt[CC_SHAPE_TEXT];
    for (int d = 0; d < ys->rank; ++d) {
        if (r->rank != ys->rank || !cc_agree(r->dim[d], ys->dim[d]))
            return cc_op_fail(call, CCONV_INVALID, "expected a residual of the shape of the output, %s, received shape %s",
                              cc_shape_text(ys, yt), cc_shape_text(r, rt));
        if (ys->dim[d] < 0) ys->dim[d] = r->dim[d];
    }
    return CCONV_OK;
}

/* The convolution of a call whose sizes are all known. Where the planes of an image have nothing to do with each other they are
 * images: then every algorithm can do it. */
static cc_conv conv_geometry(const cc_call *call)
{
    cc_window window;
    conv_set_window(call, &window); /* infer has made sure that it succeeds */
    cc_conv conv = conv_with(call, &window);
    if (cc_conv_is_flat(&conv)) {
        conv.n *= window.d.in;
        conv.window.d = (cc_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
    }
    return conv;
}

/* ---- Algorithms ---- */

/* What a call makes. */
typedef enum conv_result { CONV_Y, CONV_DX, CONV_DW, CONV_RESULTS } conv_result;

static cc_conv_pass conv_pass_of(const cc_call *call, conv_result result)
{
    static const cc_conv_pass passes[2][CONV_RESULTS] = {
        {CC_CONV_FORWARD, CC_CONV_INPUT_GRADIENT, CC_CONV_WEIGHT_GRADIENT},
        {CC_CONV_INPUT_GRADIENT, CC_CONV_FORWARD, CC_CONV_WEIGHT_GRADIENT},
    };
    return passes[conv_is_transposed(call)][result];
}

/* What need() decides is kept as a number: for each result the algorithm's, a byte each, its highest bit set if it packs on the
 * fly. */
enum { ON_THE_FLY = 128 };

static int conv_choose(const cc_call *call, const cc_conv *conv, int nth)
{
    const cc_conv_attributes *s = call->attributes;
    int choice = 0;
    for (int result = 0; result < CONV_RESULTS; ++result) {
        const cc_conv_pass pass = conv_pass_of(call, (conv_result)result);
        const bool once =
            result != CONV_Y || (call->differentiate && call->needs_gradient[1]); /* weights change in every run */
        const bool runs = result == CONV_Y || (call->differentiate && call->needs_gradient[result - CONV_DX]);
        int byte = s->algorithm > 0     ? s->algorithm - 1
                   : call->tune && runs ? cc_conv_measure(conv, pass, once, nth)
                                        : cc_conv_choose(conv, pass);
        const cc_conv_algorithm *algorithm = cc_conv_algorithm_at(byte);
        if (once && algorithm->packs_on_the_fly && algorithm->packs_on_the_fly(conv, pass, nth)) byte |= ON_THE_FLY;
        choice |= byte << 8 * result;
    }
    return choice;
}

static const cc_conv_algorithm *conv_chosen(int choice, conv_result result)
{
    return cc_conv_algorithm_at(choice >> 8 * (int)result & (ON_THE_FLY - 1));
}

/* Fails if an algorithm that the plan has chosen cannot do these sizes: where the kernel's first axis is the batch's. */
static cconv_status conv_check_choice(const cc_call *call)
{
    for (int i = 0; i < 2; ++i)
        if (!cc_shape_known(&call->xs[i])) return CCONV_OK;
    const cc_conv conv = conv_geometry(call);
    char wt[CC_SHAPE_TEXT];
    for (int result = 0; result < CONV_RESULTS; ++result) {
        const cc_conv_algorithm *algorithm = conv_chosen(call->choice, (conv_result)result);
        if (algorithm->supports && !algorithm->supports(&conv))
            return cc_op_fail(
                call, CCONV_INVALID,
                "expected a kernel of the size that the plan was made for with algorithm \"%s\", received shape %s",
                algorithm->name, cc_shape_text(&call->xs[1], wt));
    }
    return CCONV_OK;
}

cconv_status cc_conv_infer(const cc_call *call, cc_shape *ys)
{
    const cc_conv_attributes *s = call->attributes;
    int64_t oc = CC_UNKNOWN;
    CC_TRY(conv_check_ranks(call));
    CC_TRY(cc_fused_check(call, s->activation, s->alpha));
    CC_TRY(conv_check_channels(call, &oc));
    if (cc_has_input(call, 2)) {
        CC_TRY(cc_op_check_rank(call, 2, 1, "(oc)"));
        if (!cc_agree(call->xs[2].dim[0], oc))
            return cc_op_fail(call, CCONV_INVALID, "expected b with %lld values, one for each output channel, received %lld",
                              (long long)oc, (long long)call->xs[2].dim[0]);
    }
    cc_window window = {0};
    if (conv_set_window(call, &window) != CCONV_OK) {
        if (call->name)
            cc_fail_prefix("%s (%s)", call->name, call->op->name);
        else
            cc_fail_prefix("%s", call->op->name);
        return CCONV_INVALID;
    }
    CC_TRY(conv_check_algorithm(call, &window));
    *ys = (cc_shape){.rank = call->xs[0].rank, .dim = {call->xs[0].dim[0]}};
    ys->dim[ys->rank - 1] = oc;
    for (int i = 0; i < conv_axes(call); ++i) {
        const cc_axis *axis = cc_window_axis(&window, conv_axes(call), i);
        ys->dim[1 + i] = conv_is_transposed(call) ? axis->in : axis->out;
    }
    if (cc_has_input(call, 3)) CC_TRY(conv_check_residual(call, ys));
    return conv_check_choice(call);
}

/* "direct", or the three results' if they differ: "winograd/direct/direct". */
static void conv_name_algorithms(int choice, const cc_conv *conv, bool differentiate, char *text, size_t size)
{
    const char *names[CONV_RESULTS];
    for (int result = 0; result < CONV_RESULTS; ++result) names[result] = conv_chosen(choice, (conv_result)result)->name;
    const cc_window *window = &conv->window;
    const bool pointwise = cc_window_cells(window) == 1 && window->d.out == window->d.in && window->h.out == window->h.in &&
                           window->w.out == window->w.in;
    if (differentiate && (names[0] != names[1] || names[0] != names[2]))
        snprintf(text, size, "%s/%s/%s", names[0], names[1], names[2]);
    else
        snprintf(text, size, "%s%s", names[0], pointwise && conv_chosen(choice, CONV_Y) == &cc_conv_direct ? " (gemm)" : "");
}

static int64_t conv_packed_floats(const cc_call *call, int choice, const cc_conv *conv, conv_result result)
{
    const cc_conv_algorithm *algorithm = conv_chosen(choice, result);
    if (!algorithm->packed || choice >> 8 * (int)result & ON_THE_FLY) return 0;
    return algorithm->packed(conv, conv_pass_of(call, result));
}

static int64_t conv_scratch_floats(const cc_call *call, int choice, const cc_conv *conv, conv_result result, int nth)
{
    const cc_conv_algorithm *algorithm = conv_chosen(choice, result);
    return algorithm->scratch ? algorithm->scratch(conv, conv_pass_of(call, result), nth) : 0;
}

/* Of the output, over all images. */
static int64_t conv_result_pixels(const cc_call *call)
{
    int64_t pixels = 1;
    for (int d = 0; d < call->ys.rank - 1; ++d) pixels *= call->ys.dim[d];
    return pixels;
}

/* Floats of each area of backward_scratch, in this order. The passes run one after another: the weight gradient's scratch begins
 * where the input gradient's weights do. */
typedef struct conv_backward_sizes {
    int64_t dz, bias_partial, packed, scratch, weight_scratch;
} conv_backward_sizes;

static conv_backward_sizes conv_backward_sizes_of(const cc_call *call, int choice, const cc_conv *conv,
                                                  const bool needs_gradient[3], int nth)
{
    const cc_conv_attributes *s = call->attributes;
    conv_backward_sizes p = {0};
    p.dz = cc_fused_gradient_floats(call, s->activation);
    if (needs_gradient[0]) {
        p.packed = conv_packed_floats(call, choice, conv, CONV_DX);
        p.scratch = conv_scratch_floats(call, choice, conv, CONV_DX, nth);
    }
    if (needs_gradient[1]) p.weight_scratch = conv_scratch_floats(call, choice, conv, CONV_DW, nth);
    if (needs_gradient[2]) p.bias_partial = cc_column_sum_partial(call->ys.dim[call->ys.rank - 1], conv_result_pixels(call));
    return p;
}

/* See cc_need. A row of y that lies in the padding would read nothing. */
static double conv_row_work(const cc_call *call, const cc_conv *conv, const cc_conv_algorithm *algorithm)
{
    const cc_axis *h = &conv->window.h;
    const int64_t reach = cc_axis_reach(h), after = (h->out - 1) * h->stride + reach - h->in - h->before;
    if (!algorithm->by_rows || conv_is_transposed(call) || conv_axes(call) != 2 || call->differentiate || h->before >= reach ||
        after >= reach || h->out < 1 || conv->n < 1)
        return 0;
    return cc_conv_work(conv) / (double)(conv->n * h->out);
}

void cc_conv_need(const cc_call *call, int nth, cc_need *need)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_conv conv = conv_geometry(call);
    need->choice = conv_choose(call, &conv, nth);
    conv_name_algorithms(need->choice, &conv, call->differentiate, need->algorithm, sizeof need->algorithm);
    need->packed = cc_scratch_bytes(conv_packed_floats(call, need->choice, &conv, CONV_Y));
    need->rereads_weights = conv_chosen(need->choice, CONV_Y)->rereads_weights && !conv.unchecked;
    need->forward_scratch = cc_scratch_bytes(conv_scratch_floats(call, need->choice, &conv, CONV_Y, nth));
    need->saved = cc_fused_saved(call, s->activation);
    need->row_work = conv_row_work(call, &conv, conv_chosen(need->choice, CONV_Y));
    if (cc_has_input(call, 3) && !need->saved && conv_chosen(need->choice, CONV_Y)->accumulates) need->inplace = 1 + 3;
    need->pitched = conv_chosen(need->choice, CONV_Y)->pitched && cc_conv_is_flat(&conv) && !conv_is_transposed(call) &&
                    !cc_has_input(call, 3) && !call->differentiate && !need->saved;
    if (!call->differentiate) return;
    const bool needs_gradient[3] = {call->needs_gradient[0], call->needs_gradient[1],
                                    cc_has_input(call, 2) && call->needs_gradient[2]};
    const conv_backward_sizes p = conv_backward_sizes_of(call, need->choice, &conv, needs_gradient, nth);
    const size_t input = cc_scratch_bytes(p.packed) + cc_scratch_bytes(p.scratch), weight = cc_scratch_bytes(p.weight_scratch);
    need->backward_scratch = cc_scratch_bytes(p.dz) + cc_scratch_bytes(p.bias_partial) + (input > weight ? input : weight);
    need->reads = cc_fused_reads(call, s->activation);
}

/* ---- Passes ---- */

static cc_conv_images *conv_images(const cc_call *call, conv_result result)
{
    const cc_conv_algorithm *algorithm = conv_chosen(call->choice, result);
    return conv_pass_of(call, result) == CC_CONV_FORWARD ? algorithm->forward : algorithm->input_gradient;
}

void cc_conv_pack(const cc_call *call, const cc_team *team)
{
    const cc_conv conv = conv_geometry(call);
    conv_chosen(call->choice, CONV_Y)->pack(&conv, conv_pass_of(call, CONV_Y), call->packed, call->x[1], team);
}

/* Packing knows no sizes of images, but how many phases an axis of the input gradient has and where its kernel begins. */
void cc_conv_packing(const cc_call *call, cc_writer *w)
{
    const cc_conv conv = conv_geometry(call);
    const cc_conv_pass pass = conv_pass_of(call, CONV_Y);
    const cc_conv_algorithm *algorithm = conv_chosen(call->choice, CONV_Y);
    const cc_axis *axes[] = {&conv.window.d, &conv.window.h, &conv.window.w};
    cc_put(w, "%s %d %lld %lld", algorithm->name, (int)pass, (long long)conv.groups, (long long)algorithm->packed(&conv, pass));
    for (int i = 0; i < CC_WINDOW_AXES; ++i) {
        const cc_axis *axis = axes[i];
        cc_put(w, ", %lld %lld %lld", (long long)axis->kernel, (long long)axis->stride, (long long)axis->dilation);
        if (pass == CC_CONV_INPUT_GRADIENT)
            cc_put(w, " %lld %lld", (long long)axis->before, (long long)cc_min(axis->stride, axis->in));
    }
}

/* y = act(r + b + the sums over x), of `count` elements. z: where the sums are kept if they are, else y. */
static void conv_compute(const cc_call *call, const cc_conv *conv, int64_t count, float *y, float *z, const float *x,
                         const float *r, float *scratch, const cc_team *team)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_conv_algorithm *algorithm = conv_chosen(call->choice, CONV_Y);
    const bool later = r && !algorithm->accumulates, keeps = z != y;
    const cc_epilogue epilogue = {.bias = cc_has_input(call, 2) ? call->x[2] : NULL,
                                  .act = later || keeps ? CC_ACT_LINEAR : (cc_activation)s->activation,
                                  .alpha = s->alpha,
                                  .accumulate = r && algorithm->accumulates,
                                  .pitch = call->pitch};
    if (epilogue.accumulate && z != r) {
        cc_copy(z, r, count, team);
        cc_barrier_wait(team);
    }
    conv_images(call, CONV_Y)(conv, z, x, call->x[1], call->packed, &epilogue, scratch, team);
    if (!later && !keeps) return;
    cc_barrier_wait(team);
    const cc_range mine = cc_slice(team, count, 2048);
    if (mine.begin >= mine.end) return;
    if (later) cc_kernels_get()->elementwise.add(z + mine.begin, r + mine.begin, mine.end - mine.begin);
    cc_act_forward((cc_activation)s->activation, s->alpha, y + mine.begin, z + mine.begin, mine.end - mine.begin);
}

void cc_conv_forward(const cc_call *call, const cc_team *team)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_conv conv = conv_geometry(call);
    float *z = cc_fused_keeps_z(call, s->activation) ? call->saved : call->y;
    conv_compute(call, &conv, cc_shape_count(&call->ys), call->y, z, call->x[0], cc_has_input(call, 3) ? call->x[3] : NULL,
                 call->scratch, team);
}

/* Rows of x: from the first cell under the first row's window to the last under the last one's, where they are inside. */
cc_row_block cc_conv_rows_read(const cc_call *call, const cc_row_block *block)
{
    const cc_conv conv = conv_geometry(call);
    const cc_axis *h = &conv.window.h;
    const int64_t top = block->row * h->stride - h->before, bottom = top + (block->rows - 1) * h->stride + cc_axis_reach(h);
    const int64_t first = cc_max(top, 0);
    return (cc_row_block){.sample = block->sample, .row = first, .rows = cc_min(bottom, h->in) - first};
}

/* A block is an image of its own, which begins and ends inside the whole one or with it. */
void cc_conv_forward_rows(const cc_call *call, const cc_row_block *block, float *y, const float *x)
{
    const cc_row_block reads = cc_conv_rows_read(call, block);
    const cc_team alone = {.nth = 1};
    cc_conv conv = conv_geometry(call);
    cc_axis *h = &conv.window.h;
    const int64_t row = conv.window.w.out * conv.oc;
    const float *r = cc_has_input(call, 3) ? call->x[3] + (block->sample * h->out + block->row) * row : NULL;
    conv.n = 1;
    h->before = reads.row - (block->row * h->stride - h->before);
    h->in = reads.rows;
    h->out = block->rows;
    conv_compute(call, &conv, block->rows * row, y, y, x, r, NULL, &alone);
}

void cc_conv_backward(const cc_call *call, const cc_team *team)
{
    const cc_conv_attributes *s = call->attributes;
    const cc_conv conv = conv_geometry(call);
    float *dx = call->dx[0], *dw = call->dx[1], *db = cc_has_input(call, 2) ? call->dx[2] : NULL;
    const bool needs_gradient[3] = {dx != NULL, dw != NULL, db != NULL};
    const conv_backward_sizes p = conv_backward_sizes_of(call, call->choice, &conv, needs_gradient, team->nth);
    char *at = call->scratch;
    float *dz_buffer = cc_scratch_take(&at, p.dz), *bias_partial = cc_scratch_take(&at, p.bias_partial);
    float *weight_scratch = (float *)(void *)at, *packed = p.packed > 0 ? cc_scratch_take(&at, p.packed) : NULL;
    float *scratch = cc_scratch_take(&at, p.scratch);

    if (dx && p.packed > 0)
        conv_chosen(call->choice, CONV_DX)->pack(&conv, conv_pass_of(call, CONV_DX), packed, call->x[1], team);
    const float *dz = cc_fused_gradient(call, s->activation, s->alpha, dz_buffer, team);
    if (dx && p.packed > 0) cc_barrier_wait(team);

    if (cc_has_input(call, 3) && call->dx[3]) cc_copy(call->dx[3], dz, cc_shape_count(&call->ys), team);
    const cc_epilogue none = {.act = CC_ACT_LINEAR};
    if (dx) conv_images(call, CONV_DX)(&conv, dx, dz, call->x[1], packed, &none, scratch, team);
    if (dx && dw) cc_barrier_wait(team); /* the scratch changes hands */
    const float *seen = conv_is_transposed(call) ? dz : call->x[0], *made = conv_is_transposed(call) ? call->x[0] : dz;
    if (dw) conv_chosen(call->choice, CONV_DW)->weight_gradient(&conv, dw, seen, made, weight_scratch, team);
    if (db) cc_column_sum(db, dz, call->ys.dim[call->ys.rank - 1], conv_result_pixels(call), bias_partial, team);
}
