/* Scaled products of queries with keys, as weights of a mean of values. For each index of the leading axes, with matrices
 * q [tq][d], k [tk][d], v [tk][dv]:
 *
 *     s = scale q k^T        p = softmax of each row of s, or s / tk, or max(s, 0) / tk        y = p v
 *
 * (Vaswani et al., Attention is all you need, 2017; the others: Wang et al., Non-local neural networks, 2018). Backward, with o
 * the product of elements and r_i = sum over j of p_ij dp_ij = sum over the channels of y_i dy_i:
 *
 *     dv = p^T dy        dp = dy v^T        ds = p o (dp - r), or dp / tk, or dp [s > 0] / tk        dq = scale ds k
 *     dk = scale ds^T q
 *
 * Neither s nor p is ever whole: some rows of them are made at a time, backward once more, and columns of them (rows of s^T) for dk
 * and dv, for which the largest score and the sum of each row are kept (Rabe, Staats: Self-attention does not need O(n^2) memory,
 * 2021). Memory grows with tq + tk. Every number is summed by one thread, in an order that does not depend on their count. */
#include "algos/gemm.h"
#include "algos/pack.h"
#include "base/alloc.h"
#include "base/shares.h"
#include "ops/exp_row.h"
#include "ops/op.h"

typedef enum attention_kind { SOFTMAX, LINEAR, RELU } attention_kind;

typedef struct settings {
    float scale;
    int activation;
} settings;

static const cc_attr attributes[] = {
    {"scale", CC_FLOAT, offsetof(settings, scale), "1", NULL, "what the products of queries and keys are multiplied by"},
    {"activation", CC_ENUM, offsetof(settings, activation), "softmax", "softmax|linear|relu",
     "what makes weights of the scores of a query; the last two divide by the number of keys"},
    {0},
};

enum { QUERY, KEY, VALUE };

/* One set of matrices; `count` of them. */
typedef struct attention_sizes {
    int64_t count, tq, tk, d, dv;
} attention_sizes;

static cconv_status attention_infer(const cc_call *call, cc_shape *ys)
{
    static const char *const names[] = {"query", "key", "value"};
    const cc_shape *q = &call->xs[QUERY];
    const int rank = q->rank;
    char text[CC_SHAPE_TEXT], other[CC_SHAPE_TEXT];
    if (rank < 2)
        return cc_op_fail(call, CCONV_INVALID, "expected a query of rank 2 or more (..., steps, channels), received shape %s",
                          cc_shape_text(q, text));
    for (int i = KEY; i <= VALUE; ++i) {
        bool same = call->xs[i].rank == rank;
        for (int k = 0; same && k < rank - 2; ++k) same = cc_agree(call->xs[i].dim[k], q->dim[k]);
        if (!same)
            return cc_op_fail(call, CCONV_INVALID,
                              "expected a %s with the leading axes of the query, received shapes %s and %s", names[i],
                              cc_shape_text(&call->xs[i], text), cc_shape_text(q, other));
    }
    const cc_shape *k = &call->xs[KEY], *v = &call->xs[VALUE];
    if (!cc_agree(k->dim[rank - 1], q->dim[rank - 1]))
        return cc_op_fail(call, CCONV_INVALID, "expected keys of as many channels as queries, received shapes %s and %s",
                          cc_shape_text(k, text), cc_shape_text(q, other));
    if (!cc_agree(k->dim[rank - 2], v->dim[rank - 2]))
        return cc_op_fail(call, CCONV_INVALID, "expected as many values as keys, received shapes %s and %s",
                          cc_shape_text(v, text), cc_shape_text(k, other));
    *ys = *q;
    for (int i = 0; i < rank - 2; ++i) ys->dim[i] = q->dim[i] >= 0 ? q->dim[i] : k->dim[i] >= 0 ? k->dim[i] : v->dim[i];
    ys->dim[rank - 1] = v->dim[rank - 1];
    return CCONV_OK;
}

static attention_sizes attention_sizes_of(const cc_call *call)
{
    const cc_shape *q = &call->xs[QUERY], *v = &call->xs[VALUE];
    const int rank = q->rank;
    return (attention_sizes){.count = cc_shape_product(q, 0, rank - 2),
                             .tq = q->dim[rank - 2],
                             .tk = v->dim[rank - 2],
                             .d = q->dim[rank - 1],
                             .dv = v->dim[rank - 1]};
}

/* Rows of scores, of this length, that a thread works on. */
static int64_t attention_rows(int64_t length)
{
    enum { FLOATS = 1 << 16, LEAST = 8, MOST = 64 }; /* 256 KB: of a second-level cache */
    return cc_max(LEAST, cc_min(MOST, FLOATS / cc_max(length, 1)));
}

static int64_t attention_block(int64_t length)
{
    return attention_rows(length) * length;
}

/* Panels of everything that is multiplied with, [depth][n] each, then room for two blocks of rows and three numbers for each query.
 * Forward has the first two panels and one block. */
typedef struct attention_room {
    int64_t keys_turned, values, values_turned, keys, queries_turned, queries, dy_turned, dy, numbers, block, all;
} attention_room;

static attention_room attention_room_of(const attention_sizes *s, bool backward)
{
    attention_room r = {.keys_turned = 0};
    r.values = r.keys_turned + cc_panels_count(1, s->d, s->tk);
    r.values_turned = r.values + (backward ? 0 : cc_panels_count(1, s->tk, s->dv));
    r.keys = r.values_turned + (backward ? cc_panels_count(1, s->dv, s->tk) : 0);
    r.queries_turned = r.keys + (backward ? cc_panels_count(1, s->tk, s->d) : 0);
    r.queries = r.queries_turned + (backward ? cc_panels_count(1, s->d, s->tq) : 0);
    r.dy_turned = r.queries + (backward ? cc_panels_count(1, s->tq, s->d) : 0);
    r.dy = r.dy_turned + (backward ? cc_panels_count(1, s->dv, s->tq) : 0);
    r.numbers = r.dy + (backward ? cc_panels_count(1, s->tq, s->dv) : 0);
    r.block = r.numbers + (backward ? 3 * s->tq : 0);
    r.all = r.block + (backward ? 2 * cc_max(attention_block(s->tk), attention_block(s->tq)) : attention_block(s->tk));
    r.all = (int64_t)(CC_ALIGN_UP((uint64_t)r.all * sizeof(float)) / sizeof(float));
    return r;
}

static void attention_need(const cc_call *call, int nth, cc_need *need)
{
    const attention_sizes s = attention_sizes_of(call);
    need->forward_scratch = (uint64_t)nth * (uint64_t)attention_room_of(&s, false).all * sizeof(float);
    if (!call->differentiate) return;
    need->backward_scratch = (uint64_t)nth * (uint64_t)attention_room_of(&s, true).all * sizeof(float);
    need->reads = CC_READS_ALL_X | CC_READS_Y;
}

/* With at least as many sets as threads each thread takes whole ones, else all share each: then panels are those of the first
 * thread's room. */
typedef struct attention_share {
    cc_range mine;
    cc_team team;
    float *panels, *own;
} attention_share;

static attention_share attention_share_of(const cc_call *call, const attention_sizes *s, const attention_room *room,
                                          const cc_team *team)
{
    attention_share share = {.mine = {0, s->count}, .team = *team, .panels = call->scratch};
    share.own = share.panels + team->ith * room->all;
    if (s->count < team->nth) return share;
    share.mine = cc_slice(team, s->count, 1);
    share.team = (cc_team){.nth = 1};
    share.panels = share.own;
    return share;
}

/* y [m][n] = a [m][depth] times panels, by one thread. */
static void attention_multiply(float *y, const float *a, const float *panels, int64_t m, int64_t n, int64_t depth)
{
    const cc_matrix_rows rows = {.a = a, .a_row = depth, .y = y, .y_row = n};
    cc_product_rows(&(cc_product){.m = m,
                                  .n = n,
                                  .taps = 1,
                                  .depth = depth,
                                  .rows = cc_rows_of_matrix,
                                  .source = &rows,
                                  .a_step = depth,
                                  .panels = panels},
                    (cc_range){0, m});
}

/* Scores of one query with n keys become its weights. Where most is not NULL, it and `part` get what makes e^(s - most) part of
 * scores again, in the scale that they have then. */
static void attention_weigh(const settings *a, float *row, int64_t n, float *most, float *part)
{
    if (a->activation == SOFTMAX) {
        for (int64_t j = 0; j < n; ++j) row[j] *= a->scale;
        if (!most) {
            cc_kernels_get()->elementwise.softmax_forward(row, row, n);
            return;
        }
        *most = cc_row_max(row, n);
        *part = (float)(1 / cc_row_exp_sum(row, *most, n));
        cc_kernels_get()->elementwise.exp(row, row, *most, n);
        for (int64_t j = 0; j < n; ++j) row[j] *= *part;
        return;
    }
    const float each = a->scale / (float)n;
    for (int64_t j = 0; j < n; ++j) {
        const float s = row[j] * each;
        row[j] = a->activation == RELU && !(s > 0) && s == s ? 0 : s; /* a NaN stays one */
    }
}

static void attention_forward(const cc_call *call, const cc_team *team)
{
    const settings *a = call->attributes;
    const attention_sizes s = attention_sizes_of(call);
    const attention_room room = attention_room_of(&s, false);
    const attention_share share = attention_share_of(call, &s, &room, team);
    const int64_t rows = attention_rows(s.tk);
    for (int64_t i = share.mine.begin; i < share.mine.end; ++i) {
        const float *q = call->x[QUERY] + i * s.tq * s.d;
        float *y = call->y + i * s.tq * s.dv, *block = share.own + room.block;
        cc_pack_matrix(share.panels + room.keys_turned, call->x[KEY] + i * s.tk * s.d, s.d, s.tk, 1, s.d, &share.team);
        cc_pack_matrix(share.panels + room.values, call->x[VALUE] + i * s.tk * s.dv, s.tk, s.dv, s.dv, 1, &share.team);
        cc_barrier_wait(&share.team);
        cc_range mine;
        const double work = (double)s.tq * (double)s.tk * (double)(s.d + s.dv + 10);
        for (cc_shares shares = cc_shares_of(&share.team, s.tq, rows, work); cc_shares_take(&shares, &mine);)
            for (int64_t row = mine.begin, m; row < mine.end; row += m) {
                m = cc_min(rows, mine.end - row);
                attention_multiply(block, q + row * s.d, share.panels + room.keys_turned, m, s.tk, s.d);
                for (int64_t r = 0; r < m && s.tk > 0; ++r) attention_weigh(a, block + r * s.tk, s.tk, NULL, NULL);
                attention_multiply(y + row * s.dv, block, share.panels + room.values, m, s.dv, s.tk);
            }
        cc_barrier_wait(&share.team); /* the panels are free again */
    }
}

/* ---- Backward ----------------------------------------------------------------------------------------------------- */

/* Of one set: what it reads and writes. */
typedef struct attention_set {
    const float *q, *k, *v, *y, *dy;
    float *dq, *dk, *dv; /* NULL: not wanted */
} attention_set;

static attention_set attention_set_of(const cc_call *call, const attention_sizes *s, int64_t i)
{
    const int64_t q = i * s->tq * s->d, k = i * s->tk * s->d, v = i * s->tk * s->dv, y = i * s->tq * s->dv;
    return (attention_set){.q = call->x[QUERY] + q,
                           .k = call->x[KEY] + k,
                           .v = call->x[VALUE] + v,
                           .y = call->y + y,
                           .dy = call->dy + y,
                           .dq = call->dx[QUERY] ? call->dx[QUERY] + q : NULL,
                           .dk = call->dx[KEY] ? call->dx[KEY] + k : NULL,
                           .dv = call->dx[VALUE] ? call->dx[VALUE] + v : NULL};
}

static void attention_pack(const attention_set *set, const attention_sizes *s, const attention_room *r, float *panels,
                           const cc_team *team)
{
    cc_pack_matrix(panels + r->keys_turned, set->k, s->d, s->tk, 1, s->d, team);
    cc_pack_matrix(panels + r->values_turned, set->v, s->dv, s->tk, 1, s->dv, team);
    cc_pack_matrix(panels + r->keys, set->k, s->tk, s->d, s->d, 1, team);
    cc_pack_matrix(panels + r->queries_turned, set->q, s->d, s->tq, 1, s->d, team);
    cc_pack_matrix(panels + r->queries, set->q, s->tq, s->d, s->d, 1, team);
    cc_pack_matrix(panels + r->dy_turned, set->dy, s->dv, s->tq, 1, s->dv, team);
    cc_pack_matrix(panels + r->dy, set->dy, s->tq, s->dv, s->dv, 1, team);
}

/* Queries row .. row+m-1: the numbers of each, and dq. */
static void attention_queries(const settings *a, const attention_set *set, const attention_sizes *s, const attention_room *r,
                              float *panels, float *own, int64_t row, int64_t m)
{
    float *most = panels + r->numbers, *part = most + s->tq, *mean = part + s->tq;
    float *p = own + r->block, *dp = p + m * s->tk;
    attention_multiply(p, set->q + row * s->d, panels + r->keys_turned, m, s->tk, s->d);
    if (set->dq) attention_multiply(dp, set->dy + row * s->dv, panels + r->values_turned, m, s->tk, s->dv);
    for (int64_t i = 0; i < m; ++i) {
        float *weights = p + i * s->tk, *slopes = dp + i * s->tk;
        const float *y = set->y + (row + i) * s->dv, *dy = set->dy + (row + i) * s->dv;
        double sum = 0;
        if (s->tk > 0) attention_weigh(a, weights, s->tk, &most[row + i], &part[row + i]);
        for (int64_t j = 0; j < s->dv; ++j) sum += (double)y[j] * (double)dy[j];
        mean[row + i] = (float)sum;
        if (!set->dq) continue;
        const float each = a->scale / (float)s->tk;
        for (int64_t j = 0; j < s->tk; ++j) {
            if (a->activation == SOFTMAX)
                slopes[j] = a->scale * weights[j] * (slopes[j] - mean[row + i]);
            else
                slopes[j] = a->activation == RELU && weights[j] == 0 ? 0 : each * slopes[j];
        }
    }
    if (set->dq) attention_multiply(set->dq + row * s->d, dp, panels + r->keys, m, s->d, s->tk);
}

/* Keys row .. row+m-1: dk and dv, from rows of s^T and p^T. */
static void attention_keys(const settings *a, const attention_set *set, const attention_sizes *s, const attention_room *r,
                           float *panels, float *own, int64_t row, int64_t m)
{
    const float *most = panels + r->numbers, *part = most + s->tq, *mean = part + s->tq;
    const float each = a->scale / (float)s->tk;
    float *p = own + r->block, *dp = p + m * s->tq;
    attention_multiply(p, set->k + row * s->d, panels + r->queries_turned, m, s->tq, s->d);
    for (int64_t i = 0; i < m; ++i) {
        float *weights = p + i * s->tq;
        if (a->activation == SOFTMAX) {
            for (int64_t j = 0; j < s->tq; ++j) weights[j] = weights[j] * a->scale - most[j];
            cc_kernels_get()->elementwise.exp(weights, weights, 0, s->tq);
            for (int64_t j = 0; j < s->tq; ++j) weights[j] *= part[j];
        } else {
            for (int64_t j = 0; j < s->tq; ++j) {
                const float w = weights[j] * each;
                weights[j] = a->activation == RELU && !(w > 0) && w == w ? 0 : w;
            }
        }
    }
    if (set->dv) attention_multiply(set->dv + row * s->dv, p, panels + r->dy, m, s->dv, s->tq);
    if (!set->dk) return;
    attention_multiply(dp, set->v + row * s->dv, panels + r->dy_turned, m, s->tq, s->dv);
    for (int64_t i = 0; i < m; ++i) {
        const float *weights = p + i * s->tq;
        float *slopes = dp + i * s->tq;
        for (int64_t j = 0; j < s->tq; ++j) {
            if (a->activation == SOFTMAX)
                slopes[j] = a->scale * weights[j] * (slopes[j] - mean[j]);
            else
                slopes[j] = a->activation == RELU && weights[j] == 0 ? 0 : each * slopes[j];
        }
    }
    attention_multiply(set->dk + row * s->d, dp, panels + r->queries, m, s->d, s->tq);
}

static void attention_backward(const cc_call *call, const cc_team *team)
{
    const settings *a = call->attributes;
    const attention_sizes s = attention_sizes_of(call);
    const attention_room room = attention_room_of(&s, true);
    const attention_share share = attention_share_of(call, &s, &room, team);
    const int64_t rows = attention_rows(s.tk), columns = attention_rows(s.tq);
    const double work = (double)s.tq * (double)s.tk * (double)(s.d + s.dv + 10);
    for (int64_t i = share.mine.begin; i < share.mine.end; ++i) {
        const attention_set set = attention_set_of(call, &s, i);
        cc_range mine;
        attention_pack(&set, &s, &room, share.panels, &share.team);
        cc_barrier_wait(&share.team);
        for (cc_shares shares = cc_shares_of(&share.team, s.tq, rows, 2 * work); cc_shares_take(&shares, &mine);)
            for (int64_t row = mine.begin, m; row < mine.end; row += m) {
                m = cc_min(rows, mine.end - row);
                attention_queries(a, &set, &s, &room, share.panels, share.own, row, m);
            }
        cc_barrier_wait(&share.team); /* the numbers of all queries are there */
        const int64_t keys = set.dk || set.dv ? s.tk : 0;
        for (cc_shares shares = cc_shares_of(&share.team, keys, columns, 2 * work); cc_shares_take(&shares, &mine);)
            for (int64_t row = mine.begin, m; row < mine.end; row += m) {
                m = cc_min(columns, mine.end - row);
                attention_keys(a, &set, &s, &room, share.panels, share.own, row, m);
            }
        cc_barrier_wait(&share.team); /* the panels are free again */
    }
}

static bool attention_per_sample(const cc_call *call)
{
    const bool keys = cc_is_batched(&call->xs[KEY]) || cc_is_batched(&call->xs[VALUE]);
    if (call->xs[QUERY].rank == 2) return !keys; /* queries do not know of each other */
    return cc_is_batched(&call->xs[QUERY]) && cc_is_batched(&call->xs[KEY]) && cc_is_batched(&call->xs[VALUE]);
}

const cc_op cc_op_attention = {
    .name = "attention",
    .inputs = "query key value",
    .meaning = "query: (..., tq, d); key: (..., tk, d); value: (..., tk, dv), of which each query gets a mean (..., tq, dv)",
    .attributes = attributes,
    .attributes_size = sizeof(settings),
    .per_sample = attention_per_sample,
    .infer = attention_infer,
    .need = attention_need,
    .forward = attention_forward,
    .backward = attention_backward,
};
