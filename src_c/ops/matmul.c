/* y = op(a) op(b) over the last two axes, op the identity or the transposition; leading axes broadcast as in NumPy, and an input of
 * rank 1 is a row (a) or a column (b) whose axis y does not have. Every gradient is a product of the same kind:
 *
 *     da = dy op(b)^T, or op(b) dy^T if a is transposed       db = op(a)^T dy, or dy^T op(a) if b is transposed
 *
 * summed over the axes along which the input was broadcast. */
#include "base/alloc.h"
#include "algos/gemm.h"
#include "ops/op.h"
#include "algos/pack.h"

#include <string.h>

typedef struct settings {
    int transpose_a, transpose_b;
} settings;

static const cc_attr attributes[] = {
    {"transpose_a", CC_BOOL, offsetof(settings, transpose_a), "0", NULL, "1: the last two axes of a are exchanged first"},
    {"transpose_b", CC_BOOL, offsetof(settings, transpose_b), "0", NULL, "1: the last two axes of b are exchanged first"},
    {0},
};

/* One input as a stack of matrices [rows][columns], as stored. */
typedef struct stack {
    int lead; /* leading axes */
    const int64_t *dim;
    int64_t rows, columns, count;
    bool transpose;
} stack;

static stack matmul_stack_of(const cc_shape *shape, bool is_column, int transpose)
{
    const int rank = shape->rank;
    if (rank == 1)
        return (stack){
            .dim = shape->dim, .rows = is_column ? shape->dim[0] : 1, .columns = is_column ? 1 : shape->dim[0], .count = 1};
    return (stack){.lead = rank - 2,
                   .dim = shape->dim,
                   .rows = shape->dim[rank - 2],
                   .columns = shape->dim[rank - 1],
                   .count = cc_shape_product(shape, 0, rank - 2),
                   .transpose = transpose != 0};
}

static stack matmul_left(const cc_call *call)
{
    return matmul_stack_of(&call->xs[0], false, ((const settings *)call->attributes)->transpose_a);
}

static stack matmul_right(const cc_call *call)
{
    return matmul_stack_of(&call->xs[1], true, ((const settings *)call->attributes)->transpose_b);
}

static cconv_status matmul_infer(const cc_call *call, cc_shape *ys)
{
    char at[CC_SHAPE_TEXT], bt[CC_SHAPE_TEXT];
    if (call->xs[0].rank < 1 || call->xs[1].rank < 1)
        return cc_op_fail(call, CCONV_INVALID, "expected a and b of rank 1 or more, received shapes %s and %s",
                          cc_shape_text(&call->xs[0], at), cc_shape_text(&call->xs[1], bt));
    const stack a = matmul_left(call), b = matmul_right(call);
    const int64_t inner_a = a.transpose ? a.rows : a.columns, inner_b = b.transpose ? b.columns : b.rows;
    if (!cc_agree(inner_a, inner_b))
        return cc_op_fail(
            call, CCONV_INVALID, "expected as many columns in a as rows in b, received %lld and %lld; shapes %s and %s",
            (long long)inner_a, (long long)inner_b, cc_shape_text(&call->xs[0], at), cc_shape_text(&call->xs[1], bt));
    const int lead = a.lead > b.lead ? a.lead : b.lead;
    ys->rank = lead;
    for (int i = 0; i < lead; ++i) {
        const int ia = i - (lead - a.lead), ib = i - (lead - b.lead);
        const int64_t da = ia < 0 ? 1 : a.dim[ia], db = ib < 0 ? 1 : b.dim[ib];
        if (!cc_agree(da, db) && da != 1 && db != 1)
            return cc_op_fail(call, CCONV_INVALID, "expected leading axes that broadcast, received shapes %s and %s",
                              cc_shape_text(&call->xs[0], at), cc_shape_text(&call->xs[1], bt));
        ys->dim[i] = da == 1 ? db : db == 1 ? da : da < 0 ? db : da;
    }
    if (call->xs[0].rank > 1) ys->dim[ys->rank++] = a.transpose ? a.columns : a.rows;
    if (call->xs[1].rank > 1) ys->dim[ys->rank++] = b.transpose ? b.rows : b.columns;
    return CCONV_OK;
}

/* How many matrices y stacks, and which matrix of an input makes the i-th of them. */
static int64_t matmul_results(const cc_call *call)
{
    const stack a = matmul_left(call), b = matmul_right(call);
    return cc_shape_product(&call->ys, 0, a.lead > b.lead ? a.lead : b.lead);
}

static int64_t matmul_matrix_of(const cc_call *call, const stack *s, int64_t i)
{
    const int lead = (call->xs[0].rank > call->xs[1].rank ? call->xs[0].rank : call->xs[1].rank) - 2;
    int64_t index = 0, scale = 1;
    for (int axis = lead - 1, own = s->lead - 1; own >= 0; --axis, --own) {
        const int64_t position = i % call->ys.dim[axis];
        i /= call->ys.dim[axis];
        if (s->dim[own] != 1) index += position * scale;
        scale *= s->dim[own];
    }
    return index;
}

/* y[m][n] (+)= op(a)[m][k] op(b)[k][n]; a is stored [k][m] if transposed, b [n][k]. */
typedef struct task {
    int64_t m, n, k;
    bool transpose_a, transpose_b;
} task;

static int64_t matmul_task_scratch(const task *t)
{
    return cc_panels_count(1, t->k, t->n) + (t->transpose_a ? t->m * t->k : 0);
}

static void matmul_multiply(const task *t, float *y, const float *a, const float *b, bool accumulate, float *scratch,
                            const cc_team *team)
{
    cc_pack_matrix(scratch, b, t->k, t->n, t->transpose_b ? 1 : t->n, t->transpose_b ? t->k : 1, team);
    cc_matrix_rows rows = {.a = a, .a_row = t->k, .y = y, .y_row = t->n};
    if (t->transpose_a) {
        float *transposed = scratch + cc_panels_count(1, t->k, t->n);
        const cc_range mine = cc_slice(team, t->m, 8);
        for (int64_t i = mine.begin; i < mine.end; ++i)
            for (int64_t k = 0; k < t->k; ++k) transposed[i * t->k + k] = a[k * t->m + i];
        rows.a = transposed;
    }
    cc_barrier_wait(team);
    cc_product_run(&(cc_product){.m = t->m,
                                 .n = t->n,
                                 .taps = 1,
                                 .depth = t->k,
                                 .rows = cc_rows_of_matrix,
                                 .source = &rows,
                                 .a_step = t->k,
                                 .panels = scratch,
                                 .accumulate = accumulate},
                   team);
    cc_barrier_wait(team); /* scratch is free again */
}

static task matmul_forward_task(const cc_call *call)
{
    const stack a = matmul_left(call), b = matmul_right(call);
    return (task){.m = a.transpose ? a.columns : a.rows,
                  .n = b.transpose ? b.rows : b.columns,
                  .k = a.transpose ? a.rows : a.columns,
                  .transpose_a = a.transpose,
                  .transpose_b = b.transpose};
}

/* The gradient of input i: result = first second, where *of says which of (a, b, dy) they are. */
static task matmul_gradient_task(const cc_call *call, int i, int of[2])
{
    const task f = matmul_forward_task(call);
    enum { A, B, DY };
    if (i == 0 && !f.transpose_a) return of[0] = DY, of[1] = B, (task){f.m, f.k, f.n, false, !f.transpose_b};
    if (i == 0) return of[0] = B, of[1] = DY, (task){f.k, f.m, f.n, f.transpose_b, true};
    if (!f.transpose_b) return of[0] = A, of[1] = DY, (task){f.k, f.n, f.m, !f.transpose_a, false};
    return of[0] = DY, of[1] = A, (task){f.n, f.k, f.m, true, f.transpose_a};
}

static void matmul_need(const cc_call *call, int nth, cc_need *need)
{
    const task f = matmul_forward_task(call);
    need->forward_scratch = (uint64_t)nth * CC_ALIGN_UP((uint64_t)matmul_task_scratch(&f) * sizeof(float));
    if (!call->differentiate) return;
    for (int i = 0; i < 2; ++i) {
        int of[2];
        const task t = matmul_gradient_task(call, i, of);
        const uint64_t bytes = (uint64_t)nth * CC_ALIGN_UP((uint64_t)matmul_task_scratch(&t) * sizeof(float));
        if (!call->needs_gradient[i]) continue;
        if (bytes > need->backward_scratch) need->backward_scratch = bytes;
        need->reads |= CC_READS_X(1 - i);
    }
}

/* With at least as many matrices as threads each thread takes whole ones, else all share each. Returns the matrices of this
 * thread; *solo is the team that multiplies each, *scratch its memory. */
static cc_range matmul_share(int64_t count, const task *t, const cc_team *team, cc_team *solo, float **scratch)
{
    if (count < team->nth) {
        *solo = *team;
        return (cc_range){0, count};
    }
    *solo = (cc_team){.nth = 1};
    *scratch += (size_t)team->ith * CC_ALIGN_UP((size_t)matmul_task_scratch(t) * sizeof(float)) / sizeof(float);
    return cc_slice(team, count, 1);
}

/* Of int32 matrices, exactly, in arithmetic that wraps around. */
static void matmul_ints(const cc_call *call, const cc_team *team)
{
    const stack a = matmul_left(call), b = matmul_right(call);
    const task t = matmul_forward_task(call);
    const int64_t a_row = t.transpose_a ? 1 : t.k, a_step = t.transpose_a ? t.m : 1;
    const int64_t b_row = t.transpose_b ? 1 : t.n, b_step = t.transpose_b ? t.k : 1;
    const cc_range mine = cc_slice(team, matmul_results(call) * t.m, 4096 / (t.k * t.n + 1) + 1);
    for (int64_t r = mine.begin; r < mine.end; ++r) {
        const int64_t i = r / t.m;
        const int32_t *x = cc_ints(call->x[0]) + matmul_matrix_of(call, &a, i) * a.rows * a.columns + r % t.m * a_row;
        const int32_t *w = cc_ints(call->x[1]) + matmul_matrix_of(call, &b, i) * b.rows * b.columns;
        for (int64_t j = 0; j < t.n; ++j) {
            uint32_t sum = 0;
            for (int64_t k = 0; k < t.k; ++k) sum += (uint32_t)x[k * a_step] * (uint32_t)w[k * b_row + j * b_step];
            cc_ints_out(call->y)[r * t.n + j] = (int32_t)sum;
        }
    }
}

static void matmul_forward(const cc_call *call, const cc_team *team)
{
    if (call->xs[0].type == CCONV_INT32) {
        matmul_ints(call, team);
        return;
    }
    const stack a = matmul_left(call), b = matmul_right(call);
    const task t = matmul_forward_task(call);
    float *scratch = call->scratch;
    cc_team solo;
    const cc_range mine = matmul_share(matmul_results(call), &t, team, &solo, &scratch);
    for (int64_t i = mine.begin; i < mine.end; ++i)
        matmul_multiply(&t, call->y + i * t.m * t.n, call->x[0] + matmul_matrix_of(call, &a, i) * a.rows * a.columns,
                        call->x[1] + matmul_matrix_of(call, &b, i) * b.rows * b.columns, false, scratch, &solo);
}

static void matmul_backward(const cc_call *call, const cc_team *team)
{
    const stack stacks[2] = {matmul_left(call), matmul_right(call)};
    const task f = matmul_forward_task(call);
    const int64_t count = matmul_results(call);
    for (int input = 0; input < 2; ++input) {
        if (!call->dx[input]) continue;
        int of[2];
        const task t = matmul_gradient_task(call, input, of);
        const stack *own = &stacks[input], *other = &stacks[1 - input];
        const int64_t size = own->rows * own->columns;
        float *scratch = call->scratch;
        cc_team solo;
        const cc_range mine = matmul_share(own->count, &t, team, &solo, &scratch);
        for (int64_t matrix = mine.begin; matrix < mine.end; ++matrix) {
            float *to = call->dx[input] + matrix * size;
            bool first = true;
            /* Every result this matrix took part in, in order: just one if it was not broadcast. */
            const int64_t begin = own->count == count ? matrix : 0, end = own->count == count ? matrix + 1 : count;
            for (int64_t i = begin; i < end; ++i) {
                if (matmul_matrix_of(call, own, i) != matrix) continue;
                const float *dy = call->dy + i * f.m * f.n;
                const float *x = call->x[1 - input] + matmul_matrix_of(call, other, i) * other->rows * other->columns;
                matmul_multiply(&t, to, of[0] == 2 ? dy : x, of[1] == 2 ? dy : x, !first, scratch, &solo);
                first = false;
            }
            if (first && solo.ith == 0) memset(to, 0, (size_t)size * sizeof *to);
        }
        cc_barrier_wait(team); /* the next input uses the same scratch */
    }
}

static bool matmul_per_sample(const cc_call *call)
{
    const int la = matmul_left(call).lead, lb = matmul_right(call).lead, lead = la > lb ? la : lb;
    const bool a = cc_is_batched(&call->xs[0]), b = cc_is_batched(&call->xs[1]);
    if (lead == 0) return a && !b && call->xs[0].rank == 2 && !matmul_left(call).transpose; /* rows */
    return (!a || la == lead) && (!b || lb == lead);
}

const cc_op cc_op_matmul = {
    .name = "matmul",
    .inputs = "a b",
    .meaning = "a: left factor; b: right factor; their leading axes broadcast",
    .types = "n n -> n",
    .attributes = attributes,
    .attributes_size = sizeof(settings),
    .per_sample = matmul_per_sample,
    .infer = matmul_infer,
    .need = matmul_need,
    .forward = matmul_forward,
    .backward = matmul_backward,
};
