/* What moves elements to or from places that an input tells. Positions below 0 count from the end. */
#include "onnx/build.h"
#include <inttypes.h>
#include <string.h>

static int gather_positions(onnx_call *c, int i, int64_t size)
{
    return onnx_from_start(c, onnx_input(c, i), size);
}

/* An axis whose elements are all taken in their order is an axis in another shape: PyTorch's as_strided becomes that. */
bool onnx_read_Gather(onnx_call *c)
{
    const int x = onnx_input(c, 0), axis = onnx_axis(c, onnx_int(c, "axis", 0), onnx_shape(c, x)->rank);
    const cc_shape xs = *onnx_shape(c, x);
    cc_shape is;
    if (!onnx_failed(c) && xs.rank && onnx_counts(c, 1, xs.dim[axis], &is) && xs.rank - 1 + is.rank <= CCONV_MAX_RANK) {
        cc_shape ys = {.rank = 0};
        for (int k = 0; k < xs.rank; ++k) {
            for (int j = 0; k == axis && j < is.rank; ++j) ys.dim[ys.rank++] = is.dim[j];
            if (k != axis) ys.dim[ys.rank++] = xs.dim[k];
        }
        return onnx_give_as(c, 0, onnx_reshape(c, x, ys.rank, ys.dim), onnx_input_type(c, 0));
    }
    return onnx_give_as(c, 0, onnx_add2(c, "take", x, onnx_input(c, 1), "axis=%d", axis), onnx_input_type(c, 0));
}

/* Along other axes than its own the indices may be fewer than the elements. */
bool onnx_read_GatherElements(onnx_call *c)
{
    int x = onnx_input(c, 0);
    const int indices = onnx_input(c, 1), rank = onnx_shape(c, x)->rank;
    const int axis = onnx_axis(c, onnx_int(c, "axis", 0), rank);
    const cc_shape is = *onnx_shape(c, indices);
    if (onnx_failed(c)) return false;
    if (is.rank != rank) return onnx_damaged(c, "expected indices with %d axes, received %d", rank, is.rank);
    for (int k = 0; k < rank; ++k)
        if (k != axis) x = onnx_slice(c, x, k, 0, is.dim[k]);
    return onnx_give_as(c, 0, onnx_add2(c, "take_along_axis", x, indices, "axis=%d", axis), onnx_input_type(c, 0));
}

/* Positions of which each is `depth` numbers along the last axis, one for each of the axes from `first` on of x, as one number in
 * those axes joined; the last axis goes. */
static int gather_joined(onnx_call *c, int positions, const cc_shape *xs, int first)
{
    const cc_shape is = *onnx_shape(c, positions);
    if (onnx_failed(c)) return 0;
    if (is.rank < 1 || is.dim[is.rank - 1] < 1 || is.dim[is.rank - 1] > xs->rank - first)
        return onnx_damaged(c, "expected indices of 1 to %d numbers each", xs->rank - first);
    const int depth = (int)is.dim[is.rank - 1];
    if (depth == 1) return onnx_reshape(c, positions, is.rank - 1, is.dim); /* the ops count those below 0 from the end */
    if (cc_shape_product(xs, first, first + depth) > INT32_MAX)
        return onnx_refuse(c, "axes of so many elements that their positions do not fit int32");
    int64_t sizes[CCONV_MAX_RANK], strides[CCONV_MAX_RANK];
    for (int k = 0; k < depth; ++k) {
        sizes[k] = xs->dim[first + k];
        strides[k] = cc_shape_product(xs, first + k + 1, first + depth);
    }
    const int64_t n = depth;
    const int below = onnx_add2(c, "less", positions, onnx_scalar(c, positions, 0), NULL);
    const int moved = onnx_add2(c, "add", positions, onnx_constant(c, CCONV_INT64, 1, &n, sizes), NULL);
    const int at = onnx_add(c, "where", 3, (int[]){below, moved, positions}, NULL);
    const int steps = onnx_add2(c, "multiply", at, onnx_constant(c, CCONV_INT64, 1, &n, strides), NULL);
    return onnx_add1(c, "sum", steps, "axes=-1");
}

bool onnx_read_GatherND(onnx_call *c)
{
    const int x = onnx_input(c, 0), indices = onnx_input(c, 1);
    const cc_shape xs = *onnx_shape(c, x), is = *onnx_shape(c, indices);
    const int64_t given = onnx_int(c, "batch_dims", 0);
    if (onnx_failed(c)) return false;
    if (given < 0 || given >= xs.rank || given >= is.rank)
        return onnx_damaged(c, "expected batch_dims of fewer axes than both inputs have, received %" PRId64, given);
    const int batch = (int)given;
    const int joined = gather_joined(c, indices, &xs, batch);
    if (onnx_failed(c)) return false;
    const int behind = batch + (int)is.dim[is.rank - 1], rank = is.rank - 1 + xs.rank - behind;
    if (rank > CCONV_MAX_RANK) return onnx_refuse(c, "more than %d axes", CCONV_MAX_RANK);
    int64_t dim[CCONV_MAX_RANK];
    for (int k = 0; k < is.rank - 1; ++k) dim[k] = is.dim[k];
    for (int k = behind; k < xs.rank; ++k) dim[is.rank - 1 + k - behind] = xs.dim[k];
    /* x as samples, their elements, and what each of those is; indices as samples and what is taken of each. */
    const int64_t b = cc_shape_product(&xs, 0, batch), q = cc_shape_product(&is, batch, is.rank - 1);
    const int64_t inner = cc_shape_product(&xs, behind, xs.rank), p = cc_shape_product(&xs, batch, behind);
    int y;
    if (batch == 0) {
        y = onnx_add2(c, "take", onnx_reshape(c, x, 2, (int64_t[]){p, inner}), joined, "axis=0");
    } else {
        const int at = onnx_broadcast(c, onnx_reshape(c, joined, 3, (int64_t[]){b, q, 1}), 3, (int64_t[]){b, q, inner});
        y = onnx_add2(c, "take_along_axis", onnx_reshape(c, x, 3, (int64_t[]){b, p, inner}), at, "axis=1");
    }
    return onnx_give_as(c, 0, onnx_reshape(c, y, rank, dim), onnx_input_type(c, 0));
}

/* ---- Scattering ----------------------------------------------------------------------------------------------------- */

/* x as rows, which are combined with updates as the attribute `reduction` says, in the shape of x again. */
static bool gather_scatter(onnx_call *c, int x, int rows, int positions, int updates)
{
    const char *reduction = onnx_string(c, "reduction", "none");
    if (strcmp(reduction, "none") != 0 && strcmp(reduction, "add") != 0 && strcmp(reduction, "mul") != 0 &&
        strcmp(reduction, "max") != 0 && strcmp(reduction, "min") != 0)
        return onnx_refuse(c, "reduction '%s'", reduction);
    const cc_shape xs = *onnx_shape(c, x);
    if (xs.type == CCONV_BOOL) { /* 0 and 1, of which a sum is either */
        rows = onnx_cast(c, rows, CCONV_INT32);
        updates = onnx_cast(c, updates, CCONV_INT32);
    }
    int y = onnx_add(c, "scatter_update", 3, (int[]){rows, positions, updates}, "reduction=%s", reduction);
    y = onnx_reshape(c, onnx_cast(c, y, xs.type), xs.rank, xs.dim);
    return onnx_give_as(c, 0, onnx_wrap(c, y, onnx_input_type(c, 0)), onnx_input_type(c, 0));
}

bool onnx_read_ScatterND(onnx_call *c)
{
    const int x = onnx_input(c, 0), indices = onnx_input(c, 1);
    const cc_shape xs = *onnx_shape(c, x), is = *onnx_shape(c, indices);
    const int joined = gather_joined(c, indices, &xs, 0);
    if (onnx_failed(c)) return false;
    const int depth = (int)is.dim[is.rank - 1];
    const int64_t rows = cc_shape_product(&xs, 0, depth), inner = cc_shape_product(&xs, depth, xs.rank);
    const int64_t m = cc_shape_product(&is, 0, is.rank - 1);
    return gather_scatter(c, x, onnx_reshape(c, x, 2, (int64_t[]){rows, inner}), onnx_reshape(c, joined, 1, &m),
                          onnx_reshape(c, onnx_input(c, 2), 2, (int64_t[]){m, inner}));
}

/* Elements of the flat value: each position is the index along the axis, and along other axes where the index itself stands. */
bool onnx_read_ScatterElements(onnx_call *c)
{
    const int x = onnx_input(c, 0), indices = onnx_input(c, 1);
    const cc_shape xs = *onnx_shape(c, x), is = *onnx_shape(c, indices);
    const int axis = onnx_axis(c, onnx_int(c, "axis", 0), xs.rank);
    if (onnx_failed(c)) return false;
    if (is.rank != xs.rank) return onnx_damaged(c, "expected indices with %d axes, received %d", xs.rank, is.rank);
    const int64_t n = cc_shape_count(&xs), m = cc_shape_count(&is);
    if (n > INT32_MAX) return onnx_refuse(c, "a value of %" PRId64 " elements, whose positions do not fit int32", n);
    int at = gather_positions(c, 1, xs.dim[axis]);
    const int64_t stride = cc_shape_product(&xs, axis + 1, xs.rank);
    if (stride > 1) at = onnx_add2(c, "multiply", at, onnx_scalar(c, at, (double)stride), NULL);
    for (int k = 0; k < xs.rank; ++k) {
        if (k == axis || is.dim[k] == 1) continue;
        const int64_t step = cc_shape_product(&xs, k + 1, xs.rank);
        at = onnx_add2(c, "add", at, onnx_steps(c, is.dim[k], 0, step, xs.rank, k), NULL);
    }
    return gather_scatter(c, x, onnx_reshape(c, x, 1, &n), onnx_reshape(c, at, 1, &m),
                          onnx_reshape(c, onnx_input(c, 2), 1, &m));
}

bool onnx_read_Scatter(onnx_call *c)
{
    return onnx_read_ScatterElements(c);
}
