/* Shapes, constants and types: what says how large a tensor is, makes one of nothing, or changes its axes or its type only. */
#include "base/alloc.h"
#include "onnx/build.h"
#include "onnx/reading.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Of shapes ------------------------------------------------------------------------------------------------------ */

/* An end of Shape's range, clamped. */
static int64_t shape_end(int64_t at, int rank)
{
    if (at < 0) at += rank;
    return at < 0 ? 0 : at > rank ? rank : at;
}

bool onnx_read_Shape(onnx_call *c)
{
    const cc_shape xs = *onnx_shape(c, onnx_input(c, 0));
    const int64_t start = shape_end(onnx_int(c, "start", 0), xs.rank), end = shape_end(onnx_int(c, "end", xs.rank), xs.rank);
    const int64_t n = end > start ? end - start : 0;
    return onnx_give_ints(c, 0, 1, &n, n > 0 ? xs.dim + start : xs.dim);
}

bool onnx_read_Size(onnx_call *c)
{
    const int64_t count = cc_shape_count(onnx_shape(c, onnx_input(c, 0)));
    return onnx_give_ints(c, 0, 0, NULL, &count);
}

/* ---- Constants ------------------------------------------------------------------------------------------------------ */

bool onnx_read_Constant(onnx_call *c)
{
    static const char *const unread[] = {"value_string", "value_strings", "sparse_value"};
    for (int k = 0; k < 3; ++k)
        if (onnx_has_attribute(c, unread[k])) return onnx_refuse(c, "attribute %s", unread[k]);
    onnx_tensor tensor;
    if (onnx_tensor_attribute(c, "value", &tensor)) return onnx_give_tensor(c, 0, &tensor);
    onnx_list list;
    if (onnx_has_attribute(c, "value_int")) {
        const int64_t number = onnx_int(c, "value_int", 0);
        return onnx_give_ints(c, 0, 0, NULL, &number);
    }
    if (onnx_ints(c, "value_ints", &list)) return onnx_give_ints(c, 0, 1, &(int64_t){list.n}, list.v);
    if (onnx_has_attribute(c, "value_float")) {
        const float number = onnx_float(c, "value_float", 0);
        return onnx_give_floats(c, 0, 0, NULL, &number);
    }
    float numbers[ONNX_MAX_LIST];
    int n = ONNX_MAX_LIST;
    if (!onnx_floats(c, "value_floats", numbers, &n))
        return onnx_damaged(c, "expected an attribute with the value, found none");
    return onnx_give_floats(c, 0, 1, &(int64_t){n}, numbers);
}

bool onnx_read_ConstantOfShape(onnx_call *c)
{
    int rank;
    int64_t dim[CCONV_MAX_RANK];
    onnx_input_numbers(c, 0, &rank, dim);
    for (int k = 0; k < rank; ++k)
        if (dim[k] < 0) return onnx_damaged(c, "expected sizes of 0 and more, received %" PRId64, dim[k]);
    onnx_tensor tensor;
    onnx_type type = ONNX_FLOAT;
    int value;
    if (onnx_tensor_attribute(c, "value", &tensor)) {
        type = tensor.type;
        value = onnx_reshape(c, onnx_tensor_constant(c, &tensor), 0, NULL);
    } else {
        value = onnx_constant(c, CCONV_FLOAT32, 0, NULL, &(float){0});
    }
    return onnx_give_as(c, 0, onnx_broadcast(c, value, rank, dim), type);
}

/* Of numbers that are known: whole ones or floats. */
bool onnx_read_Range(onnx_call *c)
{
    const onnx_type type = onnx_input_type(c, 0);
    cconv_dtype inside;
    onnx_ignore(c, "stash_type"); /* numbers are float32, steps between them are exact */
    if (onnx_type_inside(type, &inside) && inside == CCONV_INT32) {
        const int64_t start = onnx_input_number(c, 0, 0), limit = onnx_input_number(c, 1, 0),
                      delta = onnx_input_number(c, 2, 1);
        if (onnx_failed(c)) return false;
        const int64_t far = INT64_C(1) << 60;
        if (start < -far || start > far || limit < -far || limit > far || delta < -far || delta > far)
            return onnx_refuse(c, "a range beyond int32");
        if (delta == 0) return onnx_damaged(c, "expected a delta that is not 0");
        const int64_t way = delta > 0 ? limit - start : start - limit, step = delta > 0 ? delta : -delta;
        return onnx_give_as(c, 0, onnx_steps(c, way > 0 ? (way - 1) / step + 1 : 0, start, delta, 1, 0), type);
    }
    float ends[3];
    for (int i = 0; i < 3; ++i) {
        int n = 1;
        if (!onnx_known_floats(c, i, &ends[i], &n)) return false;
        if (n != 1) return onnx_damaged(c, "expected one number as input %d, received none", i);
    }
    const double start = (double)ends[0], delta = (double)ends[2], count = ceil(((double)ends[1] - start) / delta);
    if (!(delta != 0 && count < INT32_MAX)) return onnx_refuse(c, "a range of %g numbers", count);
    const int64_t n = count > 0 ? (int64_t)count : 0;
    float *v = onnx_work(c, n, sizeof *v);
    if (!v) return false;
    for (int64_t i = 0; i < n; ++i) v[i] = (float)(start + (double)i * delta);
    const int node = onnx_constant(c, CCONV_FLOAT32, 1, &n, v);
    cc_free(v);
    return onnx_give_as(c, 0, node, type);
}

/* Where the column less the row is k, at least k, or at most k: a mask of a matrix. */
static int shape_diagonal(onnx_call *c, const char *op, int64_t rows, int64_t columns, int64_t k)
{
    k = k < -rows ? -rows : k > columns ? columns : k;
    const int column = onnx_steps(c, columns, -k, 1, 2, 1), row = onnx_steps(c, rows, 0, 1, 2, 0);
    return onnx_add2(c, op, column, row, NULL);
}

bool onnx_read_EyeLike(onnx_call *c)
{
    const cc_shape xs = *onnx_shape(c, onnx_input(c, 0));
    if (onnx_failed(c)) return false;
    if (xs.rank != 2) return onnx_damaged(c, "expected a matrix, received a value of %d axes", xs.rank);
    const onnx_type type = (onnx_type)onnx_int(c, "dtype", (int64_t)onnx_input_type(c, 0));
    cconv_dtype inside;
    if (!onnx_type_inside(type, &inside)) return onnx_refuse(c, "dtype %s", onnx_type_name(type));
    const int mask = shape_diagonal(c, "equal", xs.dim[0], xs.dim[1], onnx_int(c, "k", 0));
    return onnx_give_as(c, 0, onnx_cast(c, mask, inside), type);
}

bool onnx_read_Trilu(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    const int64_t k = onnx_input_number(c, 1, 0);
    if (onnx_failed(c)) return false;
    if (xs.rank < 2) return onnx_damaged(c, "expected matrices, received a value of %d axes", xs.rank);
    const char *op = onnx_int(c, "upper", 1) ? "greater_equal" : "less_equal";
    const int mask = shape_diagonal(c, op, xs.dim[xs.rank - 2], xs.dim[xs.rank - 1], k);
    return onnx_give(c, 0, onnx_add(c, "where", 3, (int[]){mask, x, onnx_scalar(c, x, 0)}, NULL));
}

/* How many there are is part of the answer's shape: the value has to be known. */
bool onnx_read_NonZero(onnx_call *c)
{
    const cc_shape xs = *onnx_shape(c, onnx_input(c, 0));
    float values[ONNX_MAX_LIST];
    int n = ONNX_MAX_LIST;
    if (!onnx_known_floats(c, 0, values, &n)) return false;
    int64_t count = 0;
    for (int i = 0; i < n; ++i) count += values[i] != 0;
    int64_t *places = onnx_work(c, xs.rank * count, sizeof *places);
    if (!places) return false;
    int64_t found = 0;
    for (int i = 0; i < n; ++i) {
        if (values[i] == 0) continue;
        int64_t rest = i;
        for (int k = xs.rank - 1; k >= 0; --k) {
            places[k * count + found] = rest % xs.dim[k];
            rest /= xs.dim[k];
        }
        ++found;
    }
    onnx_give_ints(c, 0, 2, (int64_t[]){xs.rank, count}, places);
    cc_free(places);
    return !onnx_failed(c);
}

/* Numbers on and off where the position along a new axis is the index. */
bool onnx_read_OneHot(onnx_call *c)
{
    const int indices = onnx_cast(c, onnx_input(c, 0), CCONV_INT32), values = onnx_input(c, 2);
    const int64_t depth = onnx_input_number(c, 1, 1);
    const int rank = onnx_shape(c, indices)->rank + 1;
    const int axis = onnx_axis(c, onnx_int(c, "axis", -1), rank);
    if (onnx_failed(c)) return false;
    if (rank > CCONV_MAX_RANK) return onnx_refuse(c, "more than %d axes", CCONV_MAX_RANK);
    const cc_shape vs = *onnx_shape(c, values);
    if (depth < 1 || vs.rank != 1 || vs.dim[0] != 2)
        return onnx_damaged(c, "expected a depth of at least 1 and two values, received depth %" PRId64, depth);
    const int at = onnx_expand(c, onnx_from_start(c, indices, depth), axis);
    const int on = onnx_add2(c, "equal", at, onnx_steps(c, depth, 0, 1, rank, axis), NULL);
    const int both[2] = {onnx_slice(c, values, 0, 1, 1), onnx_slice(c, values, 0, 0, 1)};
    return onnx_give_as(c, 0, onnx_add(c, "where", 3, (int[]){on, both[0], both[1]}, NULL), onnx_input_type(c, 2));
}

/* ---- Types ---------------------------------------------------------------------------------------------------------- */

bool onnx_read_Identity(onnx_call *c)
{
    return onnx_give_input(c, 0, 0, ONNX_UNDEFINED);
}

/* Among types of floating point nothing changes: all are float32 here, and a network of halves is computed the better for it.
 * Numbers become integers without their fraction, and integers narrower ones by their lower bits. */
static bool shape_cast(onnx_call *c, onnx_type type)
{
    cconv_dtype inside, was;
    onnx_ignore(c, "saturate"); /* of types of 8 bits that are refused */
    onnx_ignore(c, "round_mode");
    if (!onnx_type_inside(type, &inside)) return onnx_refuse(c, "a type that is %s", onnx_type_name(type));
    const onnx_type from = onnx_input_type(c, 0);
    const bool same = onnx_type_inside(from, &was) && was == inside;
    const bool wraps = inside == CCONV_INT32 && from != type && from != ONNX_BOOL;
    if (same && !wraps) return onnx_give_input(c, 0, 0, type); /* which may be known, or a parameter */
    const int x = onnx_cast(c, onnx_input(c, 0), inside);
    return onnx_give_as(c, 0, wraps ? onnx_wrap(c, x, type) : x, type);
}

bool onnx_read_Cast(onnx_call *c)
{
    return shape_cast(c, (onnx_type)onnx_int(c, "to", ONNX_UNDEFINED));
}

bool onnx_read_CastLike(onnx_call *c)
{
    return shape_cast(c, onnx_input_type(c, 1));
}

/* ---- The same elements in other axes -------------------------------------------------------------------------------- */

/* The groups of a channel shuffle that ends here: (n, c, ...) to (n, groups, c / groups, ...), these two axes exchanged, and back.
 * 0: it is none. What is read is what was shuffled. */
static int64_t shape_shuffled(onnx_call *c, int x, int rank, const int64_t *dim, int *read)
{
    if (!x || onnx_failed(c)) return 0;
    const cc_node *exchange = cc_graph_node(c->graph, x);
    if (exchange->kind != CC_COMPUTED || strcmp(exchange->op->name, "transpose") != 0) return 0;
    const cc_node *split = cc_graph_node(c->graph, exchange->inputs[0]);
    if (split->kind != CC_COMPUTED || strcmp(split->op->name, "reshape") != 0 || split->shape.rank != rank + 1) return 0;
    const cc_shape *from = onnx_shape(c, split->inputs[0]);
    if (from->rank != rank || rank < 3 || memcmp(from->dim, dim, (size_t)rank * sizeof *dim) != 0) return 0;
    for (int k = 0; k <= rank; ++k) {
        const int expected = k == 1 ? 2 : k == 2 ? 1 : k;
        const int64_t size = k == 0 ? from->dim[0] : k > 2 ? from->dim[k - 1] : split->shape.dim[k];
        if (split->shape.dim[k] != size || exchange->shape.dim[k] != split->shape.dim[expected]) return 0;
    }
    char text[64];
    cconv_graph_attributes(c->graph, x, text, sizeof text);
    if (strncmp(text, "axes=0,2,1,3", strlen("axes=0,2,1,3")) != 0) return 0;
    *read = split->inputs[0];
    return split->shape.dim[1];
}

bool onnx_read_Reshape(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    int rank, rest = -1;
    int64_t dim[CCONV_MAX_RANK], product = 1;
    onnx_input_numbers(c, 1, &rank, dim);
    const bool allows_zero = onnx_int(c, "allowzero", 0) != 0;
    for (int k = 0; k < rank; ++k) {
        if (dim[k] == 0 && !allows_zero) {
            if (k >= xs.rank) return onnx_damaged(c, "size 0 of axis %d has no axis of x to stand for", k);
            dim[k] = xs.dim[k];
        }
        if (dim[k] < -1 || (dim[k] == -1 && rest >= 0)) return onnx_damaged(c, "expected sizes and one -1 at most");
        if (dim[k] > (INT64_C(1) << 48) / (product > 0 ? product : 1)) return onnx_damaged(c, "a shape larger than any memory");
        if (dim[k] == -1) {
            rest = k;
        } else {
            product *= dim[k];
        }
    }
    if (onnx_failed(c)) return false;
    const int64_t batch = onnx_opened_batch(c);
    if (batch && rank && ((rest >= 0 && dim[0] == 1) || (rest < 0 && product * batch == cc_shape_count(&xs)))) {
        dim[0] *= batch; /* the one sample of the file stands for any number */
        product *= batch;
    }
    if (rest >= 0) dim[rest] = product > 0 ? cc_shape_count(&xs) / product : 0;
    int shuffled;
    const int64_t groups = shape_shuffled(c, x, rank, dim, &shuffled);
    if (groups) {
        shuffled = onnx_channels_last(c, shuffled);
        return onnx_give(c, 0, onnx_channels_first(c, onnx_add1(c, "channel_shuffle", shuffled, "groups=%d", (int)groups)));
    }
    return onnx_give(c, 0, onnx_reshape(c, x, rank, dim));
}

bool onnx_read_Flatten(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    int64_t axis = onnx_int(c, "axis", 1);
    if (axis < 0) axis += xs.rank;
    if (axis < 0 || axis > xs.rank) return onnx_damaged(c, "expected an axis of 0 to %d, received %" PRId64, xs.rank, axis);
    const int64_t dim[2] = {cc_shape_product(&xs, 0, (int)axis), cc_shape_product(&xs, (int)axis, xs.rank)};
    return onnx_give(c, 0, onnx_reshape(c, x, 2, dim));
}

/* The axes of Squeeze and Unsqueeze: an attribute before opset 13, an input since. */
static bool shape_axes(onnx_call *c, int *n, int64_t axes[CCONV_MAX_RANK])
{
    return onnx_opset(c) < 13 ? onnx_attribute_numbers(c, "axes", n, axes) : onnx_input_numbers(c, 1, n, axes);
}

bool onnx_read_Squeeze(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    bool goes[CCONV_MAX_RANK] = {false};
    int n, rank = 0;
    int64_t axes[CCONV_MAX_RANK], dim[CCONV_MAX_RANK];
    if (shape_axes(c, &n, axes)) {
        if (!onnx_axes(c, n, axes, xs.rank)) return false;
        for (int k = 0; k < n; ++k) goes[axes[k]] = true;
    } else {
        for (int k = 0; k < xs.rank; ++k) goes[k] = xs.dim[k] == 1;
    }
    for (int k = 0; k < xs.rank; ++k) {
        if (goes[k] && xs.dim[k] != 1) return onnx_damaged(c, "expected size 1 at axis %d, received %" PRId64, k, xs.dim[k]);
        if (!goes[k]) dim[rank++] = xs.dim[k];
    }
    return onnx_give(c, 0, onnx_reshape(c, x, rank, dim));
}

bool onnx_read_Unsqueeze(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    bool new_[CCONV_MAX_RANK] = {false};
    int n;
    int64_t axes[CCONV_MAX_RANK], dim[CCONV_MAX_RANK];
    shape_axes(c, &n, axes);
    const int rank = xs.rank + n;
    if (rank > CCONV_MAX_RANK) return onnx_refuse(c, "more than %d axes", CCONV_MAX_RANK);
    if (!onnx_axes(c, n, axes, rank)) return false;
    for (int k = 0; k < n; ++k) new_[axes[k]] = true;
    for (int k = 0, own = 0; k < rank; ++k) dim[k] = new_[k] ? 1 : xs.dim[own++];
    return onnx_give(c, 0, onnx_reshape(c, x, rank, dim));
}

bool onnx_read_Expand(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    int n;
    int64_t dim[CCONV_MAX_RANK], to[CCONV_MAX_RANK];
    onnx_input_numbers(c, 1, &n, dim);
    const int rank = n > xs.rank ? n : xs.rank;
    for (int k = 0; k < rank; ++k) { /* both are counted from the last axis */
        const int i = k - (rank - xs.rank), j = k - (rank - n);
        const int64_t own = i < 0 ? 1 : xs.dim[i], wanted = j < 0 ? 1 : dim[j];
        if (wanted < 0 || (own != wanted && own != 1 && wanted != 1))
            return onnx_damaged(c, "size %" PRId64 " does not repeat to %" PRId64 " at axis %d", own, wanted, k);
        to[k] = own == 1 ? wanted : own;
    }
    return onnx_give(c, 0, onnx_broadcast(c, x, rank, to));
}

/* Axis by axis: a repetition is a new axis in front of it, of size 1, that is broadcast and joined with it. */
bool onnx_read_Tile(onnx_call *c)
{
    int x = onnx_input(c, 0), n;
    cc_shape ys = *onnx_shape(c, x);
    int64_t times[CCONV_MAX_RANK];
    onnx_input_numbers(c, 1, &n, times);
    if (!onnx_failed(c) && n != ys.rank) return onnx_damaged(c, "expected %d repeats, received %d", ys.rank, n);
    for (int k = 0; k < n; ++k) {
        if (times[k] < 0) return onnx_damaged(c, "expected repeats of 0 and more, received %" PRId64, times[k]);
        if (times[k] > INT32_MAX || ys.dim[k] > INT32_MAX) return onnx_refuse(c, "repeats or sizes beyond int32");
        if (onnx_failed(c)) return false;
        if (times[k] == 1) continue;
        const int64_t before = cc_shape_product(&ys, 0, k), after = cc_shape_product(&ys, k, ys.rank);
        const bool single = ys.dim[k] == 1;
        ys.dim[k] *= times[k];
        if (single) {
            x = onnx_broadcast(c, x, ys.rank, ys.dim);
        } else {
            x = onnx_reshape(c, x, 3, (int64_t[]){before, 1, after});
            x = onnx_broadcast(c, x, 3, (int64_t[]){before, times[k], after});
            x = onnx_reshape(c, x, ys.rank, ys.dim);
        }
    }
    return onnx_give(c, 0, x);
}
