/* y[...][m] = act(b[m] + sum over k of x[...][k] w[k][m]): the last axis of x is multiplied by a matrix. With dz = dy act':
 *
 *     dx = dz w^T     dw = x^T dz     db = the sum of dz over all but the last axis */
#include "fused.h"
#include "gemm.h"
#include "op.h"
#include "pack.h"

typedef struct settings {
    int activation;
    float alpha;
} settings;

static const cc_attr attributes[] = {
    {"activation", CC_ENUM, offsetof(settings, activation), "linear", CC_ACT_CHOICES},
    {"alpha", CC_FLOAT, offsetof(settings, alpha), "0", NULL},
    {0},
};

static bool has_bias(const cc_call *call)
{
    return call->n_inputs > 2 && call->xs[2].rank >= 0;
}

static cconv_status infer(const cc_call *call, cc_shape *ys)
{
    const settings *s = call->attributes;
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
    if (has_bias(call)) {
        CC_TRY(cc_op_check_rank(call, 2, 1, "(m)"));
        if (!cc_agree(call->xs[2].dim[0], w->dim[1]))
            return cc_op_fail(call, CCONV_INVALID, "expected b with %lld values, one for each column of w, received %lld",
                              (long long)w->dim[1], (long long)call->xs[2].dim[0]);
    }
    *ys = *x;
    ys->dim[x->rank - 1] = w->dim[1];
    return CCONV_OK;
}

typedef struct sizes {
    int64_t rows, k, m;
} sizes;

static sizes sizes_of(const cc_call *call)
{
    const cc_shape *x = &call->xs[0], *w = &call->xs[1];
    return (sizes){cc_shape_product(x, 0, x->rank - 1), w->dim[0], w->dim[1]};
}

/* The ways to dx, chosen for the planned number of rows. With few rows, packing w costs more than the product: then dx is computed
 * turned, dx^T = w dz^T, where the rows of w are read in place and only dz is packed. The sums are the same in the same order. */
enum { PACK_W, PACK_DZ };

static int choose(const sizes *z)
{
    return z->rows <= cc_kernels_get()->nr / 2 && z->k >= 256 && z->m >= 64 ? PACK_DZ : PACK_W;
}

/* Pieces of backward_scratch, in this order. */
typedef struct pieces {
    int64_t dz, packed, turned, partial, bias_partial;
} pieces;

static pieces backward_pieces(const cc_call *call, int choice, const bool wants[3])
{
    const settings *s = call->attributes;
    const sizes z = sizes_of(call);
    pieces p = {0};
    p.dz = cc_fused_gradient_floats(call, s->activation);
    if (wants[0]) p.packed = cc_panels_count(1, z.m, choice == PACK_W ? z.k : z.rows);
    if (wants[0] && choice == PACK_DZ) p.turned = z.k * z.rows;
    if (wants[1]) p.partial = cc_outer_sum_partial(z.k, z.m, z.rows);
    if (wants[2]) p.bias_partial = cc_column_sum_partial(z.m, z.rows);
    return p;
}

static void need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const settings *s = call->attributes;
    const sizes z = sizes_of(call);
    need->packed = cc_scratch_bytes(cc_panels_count(1, z.k, z.m));
    if (!call->differentiate) return;
    const bool wants[3] = {call->wants[0], call->wants[1], has_bias(call) && call->wants[2]};
    need->choice = choose(&z);
    const pieces p = backward_pieces(call, need->choice, wants);
    need->backward_scratch = cc_scratch_bytes(p.dz) + cc_scratch_bytes(p.packed) + cc_scratch_bytes(p.turned) +
                             cc_scratch_bytes(p.partial) + cc_scratch_bytes(p.bias_partial);
    need->reads = cc_fused_reads(call, s->activation);
}

static void forward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const sizes z = sizes_of(call);
    if (call->repack) {
        cc_pack_matrix(call->packed, call->x[1], z.k, z.m, z.m, 1, team);
        cc_barrier(team);
    }
    const cc_matrix_rows rows = {.a = call->x[0], .a_row = z.k, .y = call->y, .y_row = z.m};
    cc_product_run(&(cc_product){.m = z.rows,
                                 .n = z.m,
                                 .taps = 1,
                                 .depth = z.k,
                                 .rows = cc_rows_of_matrix,
                                 .source = &rows,
                                 .a_step = z.k,
                                 .panels = call->packed,
                                 .bias = has_bias(call) ? call->x[2] : NULL,
                                 .act = (cc_activation)s->activation,
                                 .alpha = s->alpha},
                   team);
}

static void input_gradient(const cc_call *call, const sizes *z, const float *dz, float *packed, float *turned,
                           const cc_team *team)
{
    float *dx = call->dx[0];
    const bool few = call->choice == PACK_DZ;
    if (few)
        cc_pack_matrix(packed, dz, z->m, z->rows, 1, z->m, team);
    else
        cc_pack_matrix(packed, call->x[1], z->m, z->k, 1, z->m, team);
    cc_barrier(team);
    const cc_matrix_rows rows = {
        .a = few ? call->x[1] : dz, .a_row = z->m, .y = few ? turned : dx, .y_row = few ? z->rows : z->k};
    cc_product_run(&(cc_product){.m = few ? z->k : z->rows,
                                 .n = few ? z->rows : z->k,
                                 .taps = 1,
                                 .depth = z->m,
                                 .rows = cc_rows_of_matrix,
                                 .source = &rows,
                                 .a_step = z->m,
                                 .panels = packed},
                   team);
    if (!few) return;
    cc_barrier(team);
    const cc_range mine = cc_slice(team, z->k, 512);
    for (int64_t row = 0; row < z->rows; ++row)
        for (int64_t i = mine.begin; i < mine.end; ++i) dx[row * z->k + i] = turned[i * z->rows + row];
}

static void backward(const cc_call *call, const cc_team *team)
{
    const settings *s = call->attributes;
    const sizes z = sizes_of(call);
    float *dx = call->dx[0], *dw = call->dx[1], *db = has_bias(call) ? call->dx[2] : NULL;
    const bool wants[3] = {dx != NULL, dw != NULL, db != NULL};
    const pieces p = backward_pieces(call, call->choice, wants);
    char *at = call->scratch;
    float *dz_buffer = cc_scratch_take(&at, p.dz), *packed = cc_scratch_take(&at, p.packed);
    float *turned = cc_scratch_take(&at, p.turned), *partial = cc_scratch_take(&at, p.partial);
    float *bias_partial = cc_scratch_take(&at, p.bias_partial);

    const float *dz = cc_fused_gradient(call, s->activation, s->alpha, dz_buffer, team);
    if (dx) input_gradient(call, &z, dz, packed, turned, team);
    if (dw) cc_outer_sum(dw, call->x[0], dz, z.k, z.m, z.rows, partial, team);
    if (db) cc_column_sum(db, dz, z.m, z.rows, bias_partial, team);
}

const cc_op cc_op_dense = {
    .name = "dense",
    .inputs = "x w b?",
    .attributes = attributes,
    .attributes_size = sizeof(settings),
    .infer = infer,
    .need = need,
    .forward = forward,
    .backward = backward,
};
