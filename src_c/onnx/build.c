/* Wraps integers, slices, takes and broadcasts: what readers of several families put into the graph. */
#include "onnx/build.h"
#include "base/alloc.h"
#include "onnx/reading.h"
#include <inttypes.h>
#include <math.h>

/* ---- Lists ---------------------------------------------------------------------------------------------------------- */

static bool build_copy(onnx_call *c, const onnx_list *list, const char *what, int *n, int64_t v[CCONV_MAX_RANK])
{
    if (list->n > CCONV_MAX_RANK) return onnx_damaged(c, "expected at most %d %s, received %d", CCONV_MAX_RANK, what, list->n);
    *n = list->n;
    for (int k = 0; k < list->n; ++k) v[k] = list->v[k];
    return true;
}

bool onnx_input_numbers(onnx_call *c, int i, int *n, int64_t v[CCONV_MAX_RANK])
{
    onnx_list list;
    *n = 0;
    return onnx_has(c, i) && onnx_known_ints(c, i, &list) && build_copy(c, &list, "numbers of its input", n, v);
}

bool onnx_attribute_numbers(onnx_call *c, const char *name, int *n, int64_t v[CCONV_MAX_RANK])
{
    onnx_list list;
    *n = 0;
    return onnx_ints(c, name, &list) && build_copy(c, &list, name, n, v);
}

int64_t onnx_input_number(onnx_call *c, int i, int64_t otherwise)
{
    cconv_dtype inside;
    float number = 0;
    int n = 1;
    if (onnx_type_inside(onnx_input_type(c, i), &inside) && inside == CCONV_FLOAT32) {
        if (!onnx_known_floats(c, i, &number, &n)) return otherwise;
        if (n != 1 || !(fabsf(number) < 0x1p31f)) onnx_damaged(c, "expected one number that fits int32 as input number %d", i);
        return onnx_failed(c) ? otherwise : (int64_t)number;
    }
    onnx_list list;
    if (!onnx_has(c, i) || !onnx_known_ints(c, i, &list)) return otherwise;
    if (list.n != 1) onnx_damaged(c, "expected one number as input number %d, received %d", i, list.n);
    return list.n == 1 ? list.v[0] : otherwise;
}

bool onnx_counts(onnx_call *c, int i, int64_t n, cc_shape *shape)
{
    onnx_named *value = onnx_known(c, i) ? onnx_find(c->r, c->node->inputs[i]) : NULL;
    const onnx_array *array = value ? onnx_elements_of(c->r, value) : NULL;
    if (!array || !array->ints || cc_shape_count(&array->shape) != n) return false;
    for (int64_t k = 0; k < n; ++k)
        if (array->ints[k] != k) return false;
    *shape = array->shape;
    return true;
}

bool onnx_axes(onnx_call *c, int n, int64_t *axes, int rank)
{
    for (int k = 0; k < n; ++k) {
        axes[k] = onnx_axis(c, axes[k], rank);
        for (int j = 0; j < k && !onnx_failed(c); ++j)
            if (axes[j] == axes[k]) return onnx_damaged(c, "expected each axis once, received axis %" PRId64 " twice", axes[k]);
    }
    return !onnx_failed(c);
}

/* ---- Numbers -------------------------------------------------------------------------------------------------------- */

int onnx_wrap(onnx_call *c, int node, onnx_type type)
{
    if (onnx_failed(c) || onnx_shape(c, node)->type != CCONV_INT32) return node;
    if (type == ONNX_UINT8 || type == ONNX_UINT16)
        return onnx_add2(c, "bitwise_and", node, onnx_scalar(c, node, type == ONNX_UINT8 ? 0xff : 0xffff), NULL);
    if (type != ONNX_INT8 && type != ONNX_INT16) return node;
    const int places = onnx_scalar(c, node, type == ONNX_INT8 ? 24 : 16); /* up, and down again with the sign */
    return onnx_add2(c, "right_shift", onnx_add2(c, "left_shift", node, places, NULL), places, NULL);
}

int onnx_from_start(onnx_call *c, int positions, int64_t size)
{
    const int below = onnx_add2(c, "less", positions, onnx_scalar(c, positions, 0), NULL);
    const int moved = onnx_add2(c, "add", positions, onnx_scalar(c, positions, (double)size), NULL);
    return onnx_add(c, "where", 3, (int[]){below, moved, positions}, NULL);
}

int onnx_steps(onnx_call *c, int64_t n, int64_t start, int64_t step, int rank, int axis)
{
    if (onnx_failed(c)) return 0;
    if (n > INT32_MAX) return onnx_refuse(c, "an axis of %" PRId64 " elements, whose positions do not fit int32", n);
    int64_t *v = onnx_work(c, n, sizeof *v), dim[CCONV_MAX_RANK];
    if (!v) return 0;
    for (int64_t i = 0; i < n; ++i) v[i] = start + i * step;
    for (int k = 0; k < rank; ++k) dim[k] = k == axis ? n : 1;
    const int node = onnx_constant(c, CCONV_INT64, rank, dim, v);
    cc_free(v);
    return node;
}

int onnx_second(onnx_call *c)
{
    const int b = onnx_input(c, 1);
    if (onnx_opset(c) >= 7) return b;
    onnx_ignore(c, "broadcast"); /* without it other shapes than equal ones are damage */
    if (!onnx_has_attribute(c, "axis")) return b;
    const int a_rank = onnx_shape(c, onnx_input(c, 0))->rank, axis = onnx_axis(c, onnx_int(c, "axis", 0), a_rank);
    const cc_shape bs = *onnx_shape(c, b);
    int64_t dim[CCONV_MAX_RANK];
    for (int k = 0; k < a_rank - axis; ++k) dim[k] = k < bs.rank ? bs.dim[k] : 1;
    return bs.rank > a_rank - axis ? b : onnx_reshape(c, b, a_rank - axis, dim);
}

/* ---- Parts of a tensor ---------------------------------------------------------------------------------------------- */

int onnx_slice(onnx_call *c, int node, int axis, int64_t begin, int64_t count)
{
    const cc_shape *xs = onnx_shape(c, node);
    if (onnx_failed(c) || (begin == 0 && count == xs->dim[axis])) return node;
    int64_t begins[CCONV_MAX_RANK] = {0}, sizes[CCONV_MAX_RANK];
    char b[256], s[256];
    for (int k = 0; k < xs->rank; ++k) sizes[k] = -1;
    begins[axis] = begin;
    /* Up to the end without saying where that is: it may be an open size. */
    if (begin + count < xs->dim[axis] || count == 0) sizes[axis] = count;
    return onnx_add1(c, "slice", node, "%s %s", onnx_list_text(b, "begin", xs->rank, begins),
                     onnx_list_text(s, "size", xs->rank, sizes));
}

int onnx_take_steps(onnx_call *c, int node, int axis, int64_t n, int64_t start, int64_t step)
{
    if (step == 1) return onnx_slice(c, node, axis, n > 0 ? start : 0, n);
    /* checked: a position may lie outside of an axis whose size is open now */
    return onnx_add2(c, "take", node, onnx_steps(c, n, start, step, 1, 0), "axis=%d checked=1", axis);
}

int onnx_take(onnx_call *c, int node, int axis, int64_t n, const int32_t *positions)
{
    return onnx_add2(c, "take", node, onnx_constant(c, CCONV_INT32, 1, &n, positions), "axis=%d", axis);
}

int onnx_broadcast(onnx_call *c, int node, int rank, const int64_t *dim)
{
    const cc_shape *xs = onnx_shape(c, node);
    int64_t to[CCONV_MAX_RANK];
    char text[256];
    bool same = xs->rank == rank;
    for (int k = 0; k < rank; ++k) {
        const int own = k - (rank - xs->rank);
        const bool has = own >= 0 && xs->dim[own] == dim[k];
        same = same && has;
        to[k] = has ? -1 : dim[k];
    }
    if (onnx_failed(c) || same) return node;
    return onnx_add1(c, "broadcast_to", node, "%s", onnx_list_text(text, "shape", rank, to));
}

int onnx_expand(onnx_call *c, int node, int axis)
{
    return onnx_add1(c, "expand_dims", node, "axis=%d", axis);
}
