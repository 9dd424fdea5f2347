/* Sums and other reductions along axes, positions of the largest, sums along an axis. */
#include "onnx/build.h"
#include <inttypes.h>
#include <math.h>

/* ---- Reductions ----------------------------------------------------------------------------------------------------- */

/* What a reduction is of: axes from 0, none where it only computes what is to be reduced. */
typedef struct reduction {
    int x, n;
    int64_t axes[CCONV_MAX_RANK];
    bool keep, empty; /* of no elements */
    cc_shape xs, ys;
} reduction;

/* Axes are an attribute before opset 18 (of ReduceSum 13), an input since. */
static bool reduce_begin(onnx_call *c, int opset, reduction *r)
{
    r->x = onnx_input(c, 0);
    r->xs = *onnx_shape(c, r->x);
    r->keep = onnx_int(c, "keepdims", 1) != 0;
    r->empty = false;
    if (onnx_opset(c) < opset) {
        onnx_attribute_numbers(c, "axes", &r->n, r->axes);
    } else {
        onnx_input_numbers(c, 1, &r->n, r->axes);
    }
    if (!onnx_axes(c, r->n, r->axes, r->xs.rank)) return false;
    const bool none = onnx_int(c, "noop_with_empty_axes", 0) != 0;
    if (r->n == 0 && !none)
        for (; r->n < r->xs.rank; ++r->n) r->axes[r->n] = r->n;
    bool goes[CCONV_MAX_RANK] = {false};
    for (int k = 0; k < r->n; ++k) {
        goes[r->axes[k]] = true;
        r->empty = r->empty || r->xs.dim[r->axes[k]] == 0;
    }
    r->ys = (cc_shape){.rank = 0, .type = r->xs.type};
    for (int k = 0; k < r->xs.rank; ++k)
        if (!goes[k] || r->keep) r->ys.dim[r->ys.rank++] = goes[k] ? 1 : r->xs.dim[k];
    return true;
}

/* The node reduced by an op along the axes, or, of no elements, `of_none`. */
static int reduce_by(onnx_call *c, const reduction *r, int node, const char *op, double of_none)
{
    char text[256];
    if (r->n == 0 || onnx_failed(c)) return node;
    if (r->empty) return onnx_broadcast(c, onnx_scalar(c, node, of_none), r->ys.rank, r->ys.dim);
    return onnx_add1(c, op, node, "%s keepdims=%d", onnx_list_text(text, "axes", r->n, r->axes), r->keep);
}

static int reduce_float(onnx_call *c, const reduction *r)
{
    return onnx_cast(c, r->x, CCONV_FLOAT32);
}

/* In the type of the input, which a mean or a root of integers is cut off to. */
static bool reduce_give(onnx_call *c, const reduction *r, int node)
{
    const onnx_type type = onnx_input_type(c, 0);
    return onnx_give_as(c, 0, onnx_wrap(c, onnx_cast(c, node, r->xs.type), type), type);
}

bool onnx_read_ReduceSum(onnx_call *c)
{
    reduction r;
    return reduce_begin(c, 13, &r) && reduce_give(c, &r, reduce_by(c, &r, r.x, "sum", 0));
}

bool onnx_read_ReduceProd(onnx_call *c)
{
    reduction r;
    return reduce_begin(c, 18, &r) && reduce_give(c, &r, reduce_by(c, &r, r.x, "prod", 1));
}

/* Sums of integers are exact, unlike those of floats. */
bool onnx_read_ReduceMean(onnx_call *c)
{
    reduction r;
    if (!reduce_begin(c, 18, &r)) return false;
    if (r.xs.type == CCONV_FLOAT32) return reduce_give(c, &r, reduce_by(c, &r, r.x, "mean", NAN));
    if (r.empty) return onnx_refuse(c, "a mean of no integers");
    int64_t count = 1;
    for (int k = 0; k < r.n; ++k) count *= r.xs.dim[r.axes[k]];
    const int sum = reduce_by(c, &r, r.x, "sum", 0), number = onnx_scalar(c, sum, (double)count);
    const int whole = onnx_add2(c, "subtract", sum, onnx_add2(c, "fmod", sum, number, NULL), NULL); /* cut off towards 0 */
    return reduce_give(c, &r, onnx_add2(c, "floor_divide", whole, number, NULL));
}

/* The least, or the largest, number of a type. */
static double reduce_extreme(onnx_type type, bool least)
{
    switch (type) {
    case ONNX_BOOL: return least ? 0 : 1;
    case ONNX_UINT8: return least ? 0 : UINT8_MAX;
    case ONNX_INT8: return least ? INT8_MIN : INT8_MAX;
    case ONNX_INT32: return least ? INT32_MIN : INT32_MAX;
    case ONNX_FLOAT:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16:
    case ONNX_DOUBLE: return least ? -INFINITY : INFINITY;
    default: return NAN; /* does not fit int32, or ONNX does not take it */
    }
}

static bool reduce_extremes(onnx_call *c, const char *op, bool least)
{
    reduction r;
    if (!reduce_begin(c, 18, &r)) return false;
    const onnx_type type = onnx_input_type(c, 0);
    const double of_none = reduce_extreme(type, least);
    if (r.empty && isnan(of_none)) return onnx_refuse(c, "the extreme of no numbers of %s", onnx_type_name(type));
    return reduce_give(c, &r, reduce_by(c, &r, r.x, op, of_none));
}

bool onnx_read_ReduceMax(onnx_call *c)
{
    return reduce_extremes(c, "max", true);
}

bool onnx_read_ReduceMin(onnx_call *c)
{
    return reduce_extremes(c, "min", false);
}

bool onnx_read_ReduceL1(onnx_call *c)
{
    reduction r;
    return reduce_begin(c, 18, &r) && reduce_give(c, &r, reduce_by(c, &r, onnx_add1(c, "abs", r.x, NULL), "sum", 0));
}

bool onnx_read_ReduceSumSquare(onnx_call *c)
{
    reduction r;
    return reduce_begin(c, 18, &r) && reduce_give(c, &r, reduce_by(c, &r, onnx_add1(c, "square", r.x, NULL), "sum", 0));
}

bool onnx_read_ReduceL2(onnx_call *c)
{
    reduction r;
    if (!reduce_begin(c, 18, &r)) return false;
    const int sum = reduce_by(c, &r, onnx_add1(c, "square", reduce_float(c, &r), NULL), "sum", 0);
    return reduce_give(c, &r, onnx_add1(c, "sqrt", sum, NULL));
}

bool onnx_read_ReduceLogSum(onnx_call *c)
{
    reduction r;
    if (!reduce_begin(c, 18, &r)) return false;
    return reduce_give(c, &r, onnx_add1(c, "log", reduce_by(c, &r, reduce_float(c, &r), "sum", 0), NULL));
}

/* Less the largest, which is added again behind: no power overflows. An infinite one is not taken off: it would leave no number. */
bool onnx_read_ReduceLogSumExp(onnx_call *c)
{
    reduction r;
    if (!reduce_begin(c, 18, &r)) return false;
    const int x = reduce_float(c, &r);
    if (r.n == 0) return reduce_give(c, &r, x);
    if (r.empty) return reduce_give(c, &r, reduce_by(c, &r, x, "max", -INFINITY));
    reduction kept = r;
    kept.keep = true;
    const int most = reduce_by(c, &kept, x, "max", 0), zero = onnx_scalar(c, x, 0);
    const int finite = onnx_add2(c, "less", onnx_add1(c, "abs", most, NULL), onnx_scalar(c, x, INFINITY), NULL);
    const int off = onnx_add(c, "where", 3, (int[]){finite, most, zero}, NULL);
    const int powers = onnx_add1(c, "exp", onnx_add2(c, "subtract", x, off, NULL), NULL);
    const int sum = onnx_add1(c, "log", reduce_by(c, &r, powers, "sum", 0), NULL);
    return reduce_give(c, &r, onnx_add2(c, "add", sum, onnx_reshape(c, off, r.ys.rank, r.ys.dim), NULL));
}

/* ---- Positions ------------------------------------------------------------------------------------------------------ */

static bool reduce_position(onnx_call *c, const char *op)
{
    int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    const int axis = onnx_axis(c, onnx_int(c, "axis", 0), xs.rank);
    const bool last = onnx_int(c, "select_last_index", 0) != 0; /* the first from the other end */
    if (onnx_failed(c)) return false;
    if (last) x = onnx_take_steps(c, x, axis, xs.dim[axis], xs.dim[axis] - 1, -1);
    int y = onnx_add1(c, op, x, "axis=%d keepdims=%d", axis, onnx_int(c, "keepdims", 1) != 0);
    if (last) y = onnx_add2(c, "subtract", onnx_scalar(c, y, (double)(xs.dim[axis] - 1)), y, NULL);
    return onnx_give_as(c, 0, y, ONNX_INT64);
}

bool onnx_read_ArgMax(onnx_call *c)
{
    return reduce_position(c, "argmax");
}

bool onnx_read_ArgMin(onnx_call *c)
{
    return reduce_position(c, "argmin");
}

/* They come sorted, which also answers who does not ask for it. */
bool onnx_read_TopK(onnx_call *c)
{
    const int rank = onnx_shape(c, onnx_input(c, 0))->rank, axis = onnx_axis(c, onnx_int(c, "axis", -1), rank);
    int last[CCONV_MAX_RANK];
    for (int k = 0; k < rank; ++k) last[k] = k; /* the axis as the last one; the same exchange leads back */
    if (onnx_failed(c)) return false;
    last[axis] = rank - 1;
    last[rank - 1] = axis;
    const int x = onnx_transpose(c, onnx_input(c, 0), rank, last);
    const int64_t k = onnx_opset(c) < 10 ? onnx_int(c, "k", 0) : onnx_input_number(c, 1, 0);
    if (onnx_failed(c)) return false;
    const int64_t size = onnx_shape(c, x)->dim[rank - 1];
    if (k < 0 || k > size) return onnx_damaged(c, "expected k from 0 to %" PRId64 ", received %" PRId64, size, k);
    int at;
    onnx_ignore(c, "sorted");
    if (onnx_int(c, "largest", 1) && k > 0) {
        at = onnx_add1(c, "top_k_indices", x, "k=%lld", (long long)k);
    } else {
        at = onnx_slice(c, onnx_add1(c, "argsort", x, NULL), rank - 1, 0, k);
    }
    if (onnx_wants(c, 0)) {
        const int values = onnx_add2(c, "take_along_axis", x, at, NULL);
        onnx_give_as(c, 0, onnx_transpose(c, values, rank, last), onnx_input_type(c, 0));
    }
    return onnx_give_as(c, 1, onnx_transpose(c, at, rank, last), ONNX_INT64);
}

/* ---- Along an axis -------------------------------------------------------------------------------------------------- */

static bool reduce_running_axis(onnx_call *c, int *axis, bool *reverse, bool *exclusive)
{
    *axis = onnx_axis(c, onnx_input_number(c, 1, 0), onnx_shape(c, onnx_input(c, 0))->rank);
    *reverse = onnx_int(c, "reverse", 0) != 0;
    *exclusive = onnx_int(c, "exclusive", 0) != 0;
    return !onnx_failed(c);
}

bool onnx_read_CumSum(onnx_call *c)
{
    int axis;
    bool reverse, exclusive;
    if (!reduce_running_axis(c, &axis, &reverse, &exclusive)) return false;
    const int y = onnx_add1(c, "cumsum", onnx_input(c, 0), "axis=%d exclusive=%d reverse=%d", axis, exclusive, reverse);
    return onnx_give_as(c, 0, y, onnx_input_type(c, 0));
}

bool onnx_read_CumProd(onnx_call *c)
{
    int axis, y = onnx_input(c, 0);
    bool reverse, exclusive;
    if (!reduce_running_axis(c, &axis, &reverse, &exclusive)) return false;
    const cc_shape xs = *onnx_shape(c, y);
    const int64_t n = xs.dim[axis];
    if (reverse) y = onnx_take_steps(c, y, axis, n, n - 1, -1);
    if (exclusive) { /* each product ends one element earlier */
        int64_t pads[2 * CCONV_MAX_RANK] = {0};
        char text[256];
        pads[axis] = 1;
        y = onnx_add1(c, "pad", y, "%s value=1", onnx_list_text(text, "pads", 2 * xs.rank, pads));
        y = onnx_slice(c, y, axis, 0, n);
    }
    y = onnx_add1(c, "cumprod", y, "axis=%d", axis);
    if (reverse) y = onnx_take_steps(c, y, axis, n, n - 1, -1);
    return onnx_give_as(c, 0, y, onnx_input_type(c, 0));
}
