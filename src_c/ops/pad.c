/* pad: x -> y, x with elements around it, `pads` before and after each axis. With n the size of an axis of x, index i of y, counted
 * from where x begins in it, reads index s(i) of x:
 *
 *     constant    `value` where i < 0 or i >= n
 *     edge        s = 0 where i < 0, n - 1 where i >= n                                                    a a [a b c] c c
 *     reflect     s = -i where i < 0, 2 (n - 1) - i where i >= n: mirrored at the last element             c b [a b c] b a
 *     symmetric   s = -1 - i where i < 0, 2 n - 1 - i where i >= n: mirrored behind the last element       b a [a b c] c b
 *
 * dx[p] = sum of dy over the elements that read p: along each axis first its own, then the others in their order. */
#include "ops/pad.h"
#include "algos/region.h"
#include "ops/op.h"
#include <math.h>
#include <string.h>

/* clang-format off */
static const cc_attr pad_attributes[] = {
    {"pads", CC_LIST, offsetof(cc_pad_attributes, pads), NULL, NULL,
     "elements around x, in the order before axis 0, before axis 1, ..., behind axis 0, behind axis 1, ..."},
    {"mode", CC_ENUM, offsetof(cc_pad_attributes, mode), "constant", "constant|reflect|symmetric|edge",
     "what stands there: constant: value; reflect: x mirrored at its last element; symmetric: mirrored behind it; edge: the "
     "nearest element"},
    {"value", CC_FLOAT, offsetof(cc_pad_attributes, value), "0", NULL, "of mode=constant"},
    {0}};
/* clang-format on */

/* Whether elements of this type can be that. */
static bool pad_holds(cconv_dtype type, float value)
{
    if (type == CCONV_INT32) return value == floorf(value) && value >= -0x1p31f && value < 0x1p31f;
    return type != CCONV_BOOL || value == 0 || value == 1;
}

static cconv_status pad_infer(const cc_call *call, cc_shape *ys)
{
    const cc_pad_attributes *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT], mode[32];
    cc_choice_name(pad_attributes[1].choices, a->mode, mode);
    if (a->pads.n != 2 * xs->rank)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected %d pads for x of shape %s (before each axis, then after each), received %d", 2 * xs->rank,
                          cc_shape_text(xs, text), a->pads.n);
    if (a->value != 0 && a->mode != CC_PAD_CONSTANT)
        return cc_op_fail(call, CCONV_INVALID, "expected a value only with mode constant, received %g with mode %s",
                          (double)a->value, mode);
    if (!pad_holds(xs->type, a->value))
        return cc_op_fail(call, CCONV_INVALID, "expected %s as the value around x of %s, received %.9g",
                          xs->type == CCONV_BOOL ? "0 or 1" : "a whole number from -2147483648 to 2147483647",
                          cconv_dtype_name(xs->type), (double)a->value);
    *ys = *xs;
    for (int i = 0; i < 2 * xs->rank; ++i) {
        const int64_t pad = a->pads.v[i], size = xs->dim[i % xs->rank];
        if (pad < 0 || pad > INT32_MAX)
            return cc_op_fail(call, CCONV_INVALID, "expected pads from 0 to %d, received %lld", INT32_MAX, (long long)pad);
        if (size < 0) continue;
        ys->dim[i % xs->rank] += pad;
        if (pad > 0 && ((a->mode == CC_PAD_REFLECT && pad >= size) || (a->mode == CC_PAD_SYMMETRIC && pad > size) ||
                        (a->mode == CC_PAD_EDGE && size == 0)))
            return cc_op_fail(call, CCONV_INVALID, "mode %s expects %s, received a pad of %lld for axis %d of x of shape %s",
                              mode,
                              a->mode == CC_PAD_REFLECT     ? "pads smaller than the axis"
                              : a->mode == CC_PAD_SYMMETRIC ? "pads no larger than the axis"
                                                            : "at least one element along an axis it pads",
                              (long long)pad, i % xs->rank, cc_shape_text(xs, text));
    }
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a padded tensor that fits in memory, received shape %s",
                          cc_shape_text(ys, text));
    return CCONV_OK;
}

/* ---- One axis ---- */

typedef struct pad_axis {
    cc_pad_mode mode;
    int64_t in, before, out;
} pad_axis;

/* The index of x that index i of y reads. */
static int64_t pad_source(const pad_axis *axis, int64_t i)
{
    const int64_t at = i - axis->before, last = axis->in - 1, behind = axis->mode == CC_PAD_SYMMETRIC;
    if (at >= 0 && at <= last) return at;
    if (axis->mode == CC_PAD_EDGE) return at < 0 ? 0 : last;
    return at < 0 ? -at - behind : 2 * last - at + behind;
}

/* Turn k of those that read index p of x: an index of y, or -1 if there are no more. */
static int64_t pad_reader(const pad_axis *axis, int64_t p, int64_t k)
{
    const int64_t own = axis->before + p, end = axis->before + axis->in, last = axis->in - 1;
    if (k-- == 0) return own;
    if (axis->mode == CC_PAD_EDGE) {
        const int64_t before = p == 0 ? axis->before : 0, after = p == last ? axis->out - end : 0;
        return k < before ? k : k < before + after ? end + k - before : -1;
    }
    const int64_t behind = axis->mode == CC_PAD_SYMMETRIC;
    const int64_t left = axis->before - p - behind, right = axis->before + 2 * last - p + behind;
    const bool mirrored_left = left >= 0 && left < axis->before;
    if (mirrored_left && k-- == 0) return left;
    return k == 0 && right >= end && right < axis->out ? right : -1;
}

/* ---- Rows ---- */

/* The tensor as rows, each along the last axis that is padded, of which every cell is `cell` elements; `rank` axes in front. */
typedef struct pad_rows {
    pad_axis axes[CCONV_MAX_RANK], row;
    int rank;
    int64_t cell;
} pad_rows;

static pad_rows pad_rows_of(const cc_call *call)
{
    const cc_pad_attributes *a = call->attributes;
    const cc_shape *xs = &call->xs[0];
    pad_rows r = {.row = {(cc_pad_mode)a->mode, 1, 0, 1}, .cell = 1}; /* a scalar */
    int last = xs->rank - 1;
    for (; last > 0 && xs->dim[last] == call->ys.dim[last]; --last) r.cell *= xs->dim[last];
    for (int k = 0; k <= last; ++k) r.axes[k] = (pad_axis){(cc_pad_mode)a->mode, xs->dim[k], a->pads.v[k], call->ys.dim[k]};
    if (last < 0) return r;
    r.rank = last;
    r.row = r.axes[last];
    return r;
}

static void pad_copy_row(const pad_rows *r, float *y, const float *x)
{
    const int64_t cell = r->cell, end = r->row.before + r->row.in;
    for (int64_t i = 0; i < r->row.before; ++i)
        memcpy(y + i * cell, x + pad_source(&r->row, i) * cell, (size_t)cell * sizeof *y);
    memcpy(y + r->row.before * cell, x, (size_t)(r->row.in * cell) * sizeof *y);
    for (int64_t i = end; i < r->row.out; ++i)
        memcpy(y + i * cell, x + pad_source(&r->row, i) * cell, (size_t)cell * sizeof *y);
}

static void pad_add_cells(float *dx, const float *dy, int64_t n)
{
    for (int64_t i = 0; i < n; ++i) dx[i] += dy[i];
}

/* The transpose of copy_row, added to dx. */
static void pad_add_row(const pad_rows *r, float *dx, const float *dy)
{
    const int64_t cell = r->cell, end = r->row.before + r->row.in;
    pad_add_cells(dx, dy + r->row.before * cell, r->row.in * cell);
    for (int64_t i = 0; i < r->row.before; ++i) pad_add_cells(dx + pad_source(&r->row, i) * cell, dy + i * cell, cell);
    for (int64_t i = end; i < r->row.out; ++i) pad_add_cells(dx + pad_source(&r->row, i) * cell, dy + i * cell, cell);
}

/* The constant, with the bits it has in a tensor of this type. */
static float pad_value(const cc_call *call)
{
    float value = ((const cc_pad_attributes *)call->attributes)->value;
    const int32_t whole = (int32_t)value;
    if (call->ys.type == CCONV_INT32) memcpy(&value, &whole, sizeof value);
    return value;
}

static void pad_forward(const cc_call *call, const cc_team *team)
{
    const cc_pad_attributes *a = call->attributes;
    if (a->mode == CC_PAD_CONSTANT) {
        cc_region_scatter(call->y, &call->ys, call->x[0], &call->xs[0], a->pads.v, pad_value(call), team);
        return;
    }
    const pad_rows r = pad_rows_of(call);
    const int64_t row = r.row.out * r.cell;
    const cc_range mine = cc_slice(team, cc_shape_product(&call->ys, 0, r.rank), 2048 / (row + 1) + 1);
    if (row == 0) return;
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        int64_t rest = i, source = 0, step = 1;
        for (int k = r.rank - 1; k >= 0; --k) {
            source += pad_source(&r.axes[k], rest % r.axes[k].out) * step;
            rest /= r.axes[k].out;
            step *= r.axes[k].in;
        }
        pad_copy_row(&r, call->y + i * row, call->x[0] + source * r.row.in * r.cell);
    }
}

/* The row of y at turn[k] of those that read index[k] of x along each axis k in front; moves on to the next turns, and says whether
 * there are any. */
static bool pad_next_reader(const pad_rows *r, const int64_t *index, int64_t *turn, int64_t *row)
{
    *row = 0;
    for (int k = 0; k < r->rank; ++k) *row = *row * r->axes[k].out + pad_reader(&r->axes[k], index[k], turn[k]);
    for (int k = r->rank - 1; k >= 0; --k) {
        if (pad_reader(&r->axes[k], index[k], ++turn[k]) >= 0) return true;
        turn[k] = 0;
    }
    return false;
}

static void pad_backward(const cc_call *call, const cc_team *team)
{
    const cc_pad_attributes *a = call->attributes;
    if (!call->dx[0]) return;
    if (a->mode == CC_PAD_CONSTANT) {
        cc_region_gather(call->dx[0], &call->xs[0], call->dy, &call->ys, a->pads.v, team);
        return;
    }
    const pad_rows r = pad_rows_of(call);
    const int64_t row = r.row.in * r.cell;
    const cc_range mine = cc_slice(team, cc_shape_product(&call->xs[0], 0, r.rank), 2048 / (row + 1) + 1);
    if (row == 0) return;
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        float *dx = call->dx[0] + i * row;
        int64_t index[CCONV_MAX_RANK], turn[CCONV_MAX_RANK] = {0}, reader, rest = i;
        for (int k = r.rank - 1; k >= 0; --k) {
            index[k] = rest % r.axes[k].in;
            rest /= r.axes[k].in;
        }
        memset(dx, 0, (size_t)row * sizeof *dx);
        for (bool more = true; more;) {
            more = pad_next_reader(&r, index, turn, &reader);
            pad_add_row(&r, dx, call->dy + reader * r.row.out * r.cell);
        }
    }
}

static bool pad_per_sample(const cc_call *call)
{
    const cc_list *pads = &((const cc_pad_attributes *)call->attributes)->pads;
    return pads->v[0] == 0 && pads->v[call->xs[0].rank] == 0;
}

const cc_op cc_op_pad = {.name = "pad",
                         .inputs = "x",
                         .types = "t -> t",
                         .attributes = pad_attributes,
                         .attributes_size = sizeof(cc_pad_attributes),
                         .per_sample = pad_per_sample,
                         .infer = pad_infer,
                         .forward = pad_forward,
                         .backward = pad_backward};
