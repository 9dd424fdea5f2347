/* y[...][m] = act(b[m] + sum over k of x[...][k] w[k][m]): the last axis of x is multiplied by a matrix. With dz = dy act':
 *
 *     dx = dz w^T     dw = x^T dz     db = the sum of dz over all but the last axis */
#include "ops/dense.h"
#include "ops/fused.h"
#include "algos/gemm.h"
#include "ops/meanings.h"
#include "ops/op.h"
#include "algos/pack.h"

static const cc_attr attributes[] = {
    {"activation", CC_ENUM, offsetof(cc_dense_attributes, activation), "linear", CC_ACT_CHOICES, CC_ACTIVATION_MEANING},
    {"alpha", CC_FLOAT, offsetof(cc_dense_attributes, alpha), "0", NULL, CC_ALPHA_MEANING},
    {0},
};

static cconv_status dense_infer(const cc_call *call, cc_shape *ys)
{
    const cc_dense_attributes *s = call->attributes;
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    char text[CC_SHAPE_TEXT];
    CC_TRY(cc_fused_check(call, s->activation, s->alpha));
    if (x->rank < 2)
        return cc_op_fail(call, CCONV_INVALID, "expected x of rank 2 or more (..., k), received shape %s",
                          cc_shape_text(x, text));
    CC_TRY(cc_op_check_rank(call, 1, 2, "(k, m)"));
    if (!cc_agree(x->dim[x->rank - 1], w->dim[0]))
        return cc_op_fail(call, CCONV_INVALID, "expected x with a last axis of %lld, as w has rows; received shape %s",
                          (long long)w->dim[0], cc_shape_text(x, text));
    if (cc_has_input(call, 2)) {
        CC_TRY(cc_op_check_rank(call, 2, 1, "(m)"));
        if (!cc_agree(call->xs[2].dim[0], w->dim[1]))
            return cc_op_fail(call, CCONV_INVALID, "expected b with %lld values, one for each column of w, received %lld",
                              (long long)w->dim[1], (long long)call->xs[2].dim[0]);
    }
    *ys = *x;
    ys->dim[x->rank - 1] = w->dim[1];
    return CCONV_OK;
}

typedef struct dense_sizes {
    int64_t rows, k, m;
} dense_sizes;

static dense_sizes dense_sizes_of(const cc_call *call)
{
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    return (dense_sizes){cc_shape_product(x, 0, x->rank - 1), w->dim[0], w->dim[1]};
}

/* The ways to dx, chosen for the planned number of rows. With few rows, packing w costs more than the product: then dx is computed
 * transposed, dx^T = w dz^T, where the rows of w are read in place and only dz is packed. The sums are the same in the same
 * order. */
enum { PACK_W, PACK_DZ };
/* Beside them in need.choice: w is packed a block at a time as it is used, forward and for dx. It pays for a matrix larger
 * than the caches that is another in every run, and as long as the rows of x stay in a cache. */
enum { ON_THE_FLY = 2, LATE_BYTES = 4 << 20, LATE_ROWS = 256 };
/* And forward reads w as it stands: with few rows of x a matrix larger than the caches takes the time to read it, however it lies
 * there, and a packed one takes as much memory once more. */
enum { IN_PLACE = 4, FAR_BYTES = 16 << 20 };

static int dense_choose(const dense_sizes *z)
{
    return z->rows <= cc_kernels_get()->gemm.nr / 2 && z->k >= 256 && z->m >= 64 ? PACK_DZ : PACK_W;
}

static bool dense_reads_in_place(const dense_sizes *z)
{
    return z->k * z->m * (int64_t)sizeof(float) >= FAR_BYTES && z->rows <= CC_FEW_ROWS && z->k <= CC_LONG_DEPTH;
}

static bool dense_packs_on_the_fly(const cc_call *call, const dense_sizes *z)
{
    return call->differentiate && call->needs_gradient[1] && z->k * z->m * (int64_t)sizeof(float) >= LATE_BYTES &&
           z->rows <= LATE_ROWS;
}

/* Rows of dw that are handed on at a time: a multiple of mr, and few enough for a second-level cache. */
static int64_t dense_block_rows(const dense_sizes *z)
{
    enum { BLOCK_FLOATS = 65536 };
    const int64_t mr = cc_kernels_get()->gemm.mr, tiles = BLOCK_FLOATS / (z->m * mr + 1);
    return tiles < 1 ? mr : tiles * mr;
}

/* Floats of each area of backward_scratch, in this order. */
typedef struct dense_backward_sizes {
    int64_t dz, packed, transposed, partial, bias_partial, blocks, patches;
} dense_backward_sizes;

static dense_backward_sizes dense_backward_sizes_of(const cc_call *call, int choice, const bool needs_gradient[3], int nth)
{
    const cc_dense_attributes *s = call->attributes;
    const dense_sizes z = dense_sizes_of(call);
    dense_backward_sizes p = {0};
    p.dz = cc_fused_gradient_floats(call, s->activation);
    if (needs_gradient[0] && (choice & (PACK_DZ | ON_THE_FLY)) == ON_THE_FLY)
        p.packed = nth * cc_product_late_floats(z.rows, z.m);
    else if (needs_gradient[0])
        p.packed = cc_panels_count(1, z.m, choice & PACK_DZ ? z.rows : z.k);
    if (needs_gradient[0] && (choice & PACK_DZ)) p.transposed = z.k * z.rows;
    if (call->sink)
        p.blocks = nth * dense_block_rows(&z) * z.m;
    else if (needs_gradient[1])
        p.partial = cc_outer_sum_partial(z.k, z.m, z.rows);
    if (call->sink || needs_gradient[1]) p.patches = nth * cc_outer_sum_patches(z.k, z.m, z.rows);
    if (needs_gradient[2]) p.bias_partial = cc_column_sum_partial(z.m, z.rows);
    return p;
}

static void dense_need(const cc_call *call, int nth, cc_need *need)
{
    const cc_dense_attributes *s = call->attributes;
    const dense_sizes z = dense_sizes_of(call);
    need->choice = (dense_packs_on_the_fly(call, &z) ? ON_THE_FLY : 0) | (dense_reads_in_place(&z) ? IN_PLACE : 0);
    if (!need->choice)
        need->packed = cc_scratch_bytes(cc_panels_count(1, z.k, z.m));
    else if (!(need->choice & IN_PLACE))
        need->forward_scratch = cc_scratch_bytes(nth * cc_product_late_floats(z.rows, z.k));
    need->saved = cc_fused_saved(call, s->activation);
    if (!call->differentiate) return;
    const bool needs_gradient[3] = {call->needs_gradient[0], call->needs_gradient[1],
                                    cc_has_input(call, 2) && call->needs_gradient[2]};
    need->choice |= dense_choose(&z);
    const dense_backward_sizes p = dense_backward_sizes_of(call, need->choice, needs_gradient, nth);
    need->backward_scratch = cc_scratch_bytes(p.dz) + cc_scratch_bytes(p.packed) + cc_scratch_bytes(p.transposed) +
                             cc_scratch_bytes(p.partial) + cc_scratch_bytes(p.bias_partial) + cc_scratch_bytes(p.blocks) +
                             cc_scratch_bytes(p.patches);
    need->reads = cc_fused_reads(call, s->activation);
}

static void dense_pack(const cc_call *call, const cc_team *team)
{
    const dense_sizes z = dense_sizes_of(call);
    cc_pack_matrix(call->packed, call->x[1], z.k, z.m, z.m, 1, team);
}

static void dense_forward(const cc_call *call, const cc_team *team)
{
    const cc_dense_attributes *s = call->attributes;
    const dense_sizes z = dense_sizes_of(call);
    const bool keeps = cc_fused_keeps_z(call, s->activation);
    const cc_matrix_rows rows = {.a = call->x[0], .a_row = z.k, .y = keeps ? call->saved : call->y, .y_row = z.m};
    const cc_product product = {.m = z.rows,
                                .n = z.m,
                                .taps = 1,
                                .depth = z.k,
                                .rows = cc_rows_of_matrix,
                                .source = &rows,
                                .a_step = z.k,
                                .panels = call->packed,
                                .bias = cc_has_input(call, 2) ? call->x[2] : NULL,
                                .act = keeps ? CC_ACT_LINEAR : (cc_activation)s->activation,
                                .alpha = s->alpha};
    if (call->choice & IN_PLACE)
        cc_product_in_place(&product, call->x[1], team);
    else if (call->choice & ON_THE_FLY)
        cc_product_late(&product, call->x[1], z.m, 1, call->scratch, team);
    else
        cc_product_run(&product, team);
    if (!keeps) return;
    cc_barrier_wait(team);
    const cc_range mine = cc_slice(team, z.rows * z.m, 2048);
    cc_act_forward((cc_activation)s->activation, s->alpha, call->y + mine.begin, rows.y + mine.begin, mine.end - mine.begin);
}

static void dense_input_gradient(const cc_call *call, const dense_sizes *z, const float *dz, float *packed, float *transposed,
                                 const cc_team *team)
{
    float *dx = call->dx[0];
    const bool few = call->choice & PACK_DZ, late = !few && (call->choice & ON_THE_FLY);
    if (few)
        cc_pack_matrix(packed, dz, z->m, z->rows, 1, z->m, team);
    else if (!late)
        cc_pack_matrix(packed, call->x[1], z->m, z->k, 1, z->m, team);
    if (!late) cc_barrier_wait(team);
    const cc_matrix_rows rows = {
        .a = few ? call->x[1] : dz, .a_row = z->m, .y = few ? transposed : dx, .y_row = few ? z->rows : z->k};
    const cc_product product = {.m = few ? z->k : z->rows,
                                .n = few ? z->rows : z->k,
                                .taps = 1,
                                .depth = z->m,
                                .rows = cc_rows_of_matrix,
                                .source = &rows,
                                .a_step = z->m,
                                .panels = packed};
    if (late)
        cc_product_late(&product, call->x[1], 1, z->m, packed, team);
    else
        cc_product_run(&product, team);
    if (!few) return;
    cc_barrier_wait(team);
    const cc_range mine = cc_slice(team, z->k, 512);
    for (int64_t row = 0; row < z->rows; ++row)
        for (int64_t i = mine.begin; i < mine.end; ++i) dx[row * z->k + i] = transposed[i * z->rows + row];
}

/* Each thread makes its rows of dw and hands them on, a block at a time. */
static void dense_hand_on(const cc_call *call, const dense_sizes *z, const float *dz, float *block, float *patches,
                          const cc_team *team)
{
    const cc_range mine = cc_slice(team, z->k, cc_kernels_get()->gemm.mr);
    const int64_t most = dense_block_rows(z);
    for (int64_t row = mine.begin; row < mine.end; row += most) {
        const int64_t rows = mine.end - row < most ? mine.end - row : most;
        cc_outer_sum_rows(block, call->x[0], dz, z->k, z->m, z->rows, row, rows, patches);
        call->sink->take(call->sink, block, row * z->m, rows * z->m);
    }
}

static void dense_backward(const cc_call *call, const cc_team *team)
{
    const cc_dense_attributes *s = call->attributes;
    const dense_sizes z = dense_sizes_of(call);
    float *dx = call->dx[0], *dw = call->dx[1], *db = cc_has_input(call, 2) ? call->dx[2] : NULL;
    const bool needs_gradient[3] = {dx != NULL, dw != NULL, db != NULL};
    const dense_backward_sizes p = dense_backward_sizes_of(call, call->choice, needs_gradient, team->nth);
    char *at = call->scratch;
    float *dz_buffer = cc_scratch_take(&at, p.dz), *packed = cc_scratch_take(&at, p.packed);
    float *transposed = cc_scratch_take(&at, p.transposed), *partial = cc_scratch_take(&at, p.partial);
    float *bias_partial = cc_scratch_take(&at, p.bias_partial), *blocks = cc_scratch_take(&at, p.blocks);
    float *patches = cc_scratch_take(&at, p.patches) + team->ith * (p.patches / team->nth);

    const float *dz = cc_fused_gradient(call, s->activation, s->alpha, dz_buffer, team);
    if (dx) dense_input_gradient(call, &z, dz, packed, transposed, team);
    if (dw) cc_outer_sum(dw, call->x[0], dz, z.k, z.m, z.rows, partial, patches, team);
    if (db) cc_column_sum(db, dz, z.m, z.rows, bias_partial, team);
    if (!call->sink) return;
    if (dx) cc_barrier_wait(team); /* everyone has read w */
    dense_hand_on(call, &z, dz, blocks + team->ith * dense_block_rows(&z) * z.m, patches, team);
}

const cc_op cc_op_dense = {
    .name = "dense",
    .inputs = "x w b?",
    .meaning = "x: rows of numbers; w: the matrix they are multiplied with; b: added to each column, nothing if left out",
    .attributes = attributes,
    .attributes_size = sizeof(cc_dense_attributes),
    .flags = CC_BY_ROWS,
    .weights = 1,
    .bias = 2,
    .per_sample = cc_per_sample_x,
    .infer = dense_infer,
    .need = dense_need,
    .pack = dense_pack,
    .forward = dense_forward,
    .backward = dense_backward,
};
