/* What moves elements from places that are known: joins, parts, paddings, orders of axes and of elements along one. */
#include "base/alloc.h"
#include "onnx/build.h"
#include <inttypes.h>
#include <string.h>

/* ---- Joins and parts ------------------------------------------------------------------------------------------------ */

bool onnx_read_Concat(onnx_call *c)
{
    const int n = onnx_inputs(c), axis = onnx_axis(c, onnx_int(c, "axis", 1), onnx_shape(c, onnx_input(c, 0))->rank);
    int *parts = onnx_work(c, n, sizeof *parts);
    if (!parts) return false;
    for (int i = 0; i < n; ++i) parts[i] = onnx_input(c, i);
    onnx_give_as(c, 0, onnx_add(c, "concatenate", n, parts, "axis=%d", axis), onnx_input_type(c, 0));
    cc_free(parts);
    return !onnx_failed(c);
}

/* Sizes are an attribute before opset 13, an input since; without them parts are equal, and the last one may be smaller. */
bool onnx_read_Split(onnx_call *c)
{
    const int x = onnx_input(c, 0), n = onnx_outputs(c);
    const cc_shape xs = *onnx_shape(c, x);
    const int axis = onnx_axis(c, onnx_int(c, "axis", 0), xs.rank);
    onnx_list sizes = {.n = 0};
    const bool given = onnx_opset(c) < 13 ? onnx_ints(c, "split", &sizes) : onnx_has(c, 1) && onnx_known_ints(c, 1, &sizes);
    if (onnx_failed(c)) return false;
    if (n < 1) return onnx_damaged(c, "expected outputs, received none");
    if (given && sizes.n != n) return onnx_damaged(c, "expected %d sizes for as many outputs, received %d", n, sizes.n);
    if (onnx_int(c, "num_outputs", n) != n)
        return onnx_damaged(c, "expected num_outputs %d, received %" PRId64, n, onnx_int(c, "num_outputs", n));
    const int64_t whole = xs.dim[axis], equal = (whole + n - 1) / n;
    if (!given && whole % n != 0 && onnx_opset(c) < 18)
        return onnx_damaged(c, "axis %d of size %" PRId64 " does not fall into %d equal parts", axis, whole, n);
    int64_t begin = 0;
    for (int k = 0; k < n; ++k) {
        const int64_t left = whole - begin, size = given ? sizes.v[k] : equal < left ? equal : left;
        if (size < 0 || size > left) return onnx_damaged(c, "expected sizes that make %" PRId64 " together", whole);
        if (onnx_wants(c, k)) onnx_give_as(c, k, onnx_slice(c, x, axis, begin, size), onnx_input_type(c, 0));
        begin += size;
    }
    if (begin != whole)
        return onnx_damaged(c, "expected sizes that make %" PRId64 " together, received %" PRId64, whole, begin);
    return !onnx_failed(c);
}

static int64_t move_clamp(int64_t at, int64_t least, int64_t most)
{
    return at < least ? least : at > most ? most : at;
}

/* Attributes before opset 10, inputs since. Ends may lie anywhere outside. */
bool onnx_read_Slice(onnx_call *c)
{
    int x = onnx_input(c, 0), n, n_ends, n_axes, n_steps = 0;
    const cc_shape xs = *onnx_shape(c, x);
    int64_t starts[CCONV_MAX_RANK], ends[CCONV_MAX_RANK], axes[CCONV_MAX_RANK], steps[CCONV_MAX_RANK];
    if (onnx_opset(c) < 10) {
        onnx_attribute_numbers(c, "starts", &n, starts);
        onnx_attribute_numbers(c, "ends", &n_ends, ends);
        onnx_attribute_numbers(c, "axes", &n_axes, axes);
    } else {
        onnx_input_numbers(c, 1, &n, starts);
        onnx_input_numbers(c, 2, &n_ends, ends);
        onnx_input_numbers(c, 3, &n_axes, axes);
        onnx_input_numbers(c, 4, &n_steps, steps);
    }
    if (onnx_failed(c)) return false;
    if (n_ends != n || (n_axes > 0 && n_axes != n) || (n_steps > 0 && n_steps != n) || n > xs.rank)
        return onnx_damaged(c, "expected as many starts, ends, axes and steps, received %d, %d, %d and %d", n, n_ends, n_axes,
                            n_steps);
    for (int k = 0; k < n && n_axes == 0; ++k) axes[k] = k;
    if (!onnx_axes(c, n, axes, xs.rank)) return false;
    int64_t begins[CCONV_MAX_RANK] = {0}, sizes[CCONV_MAX_RANK];
    bool part = false;
    for (int k = 0; k < xs.rank; ++k) sizes[k] = -1;
    for (int k = 0; k < n; ++k) {
        const int axis = (int)axes[k];
        const int64_t size = xs.dim[axis], step = n_steps > 0 ? steps[k] : 1;
        if (step == 0 || step == INT64_MIN) return onnx_damaged(c, "expected a step that is not 0");
        int64_t start = starts[k] < 0 ? starts[k] + size : starts[k], end = ends[k] < 0 ? ends[k] + size : ends[k];
        start = move_clamp(start, 0, step > 0 ? size : size - 1);
        end = step > 0 ? move_clamp(end, 0, size) : move_clamp(end, -1, size - 1);
        if (size == 0) start = end = 0;
        const int64_t way = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
        if (step != 1) {
            x = onnx_take_steps(c, x, axis, way > 0 ? (way - 1) / stride + 1 : 0, start, step);
        } else if (start > 0 || end < size) {
            /* Counted from the end where the file does, since the size may be open. */
            part = true;
            begins[axis] = way > 0 && starts[k] < 0 ? start - size : way > 0 ? start : 0;
            sizes[axis] = way <= 0 ? 0 : end == size ? -1 : begins[axis] >= 0 && ends[k] < 0 ? -1 - (size - end) : way;
        }
    }
    char from[256], to[256];
    if (part)
        x = onnx_add1(c, "slice", x, "%s %s", onnx_list_text(from, "begin", xs.rank, begins),
                      onnx_list_text(to, "size", xs.rank, sizes));
    return onnx_give_as(c, 0, x, onnx_input_type(c, 0));
}

/* Along an axis, or of the flat value, where the condition holds, which has to be known. */
bool onnx_read_Compress(onnx_call *c)
{
    int x = onnx_input(c, 0), axis = 0;
    const cc_shape xs = *onnx_shape(c, x);
    if (onnx_has_attribute(c, "axis")) {
        axis = onnx_axis(c, onnx_int(c, "axis", 0), xs.rank);
    } else {
        x = onnx_reshape(c, x, 1, &(int64_t){cc_shape_count(&xs)});
    }
    onnx_list condition;
    if (!onnx_known_ints(c, 1, &condition)) return false;
    int32_t positions[ONNX_MAX_LIST];
    int n = 0;
    for (int i = 0; i < condition.n; ++i)
        if (condition.v[i]) positions[n++] = i;
    if (!onnx_failed(c) && n > 0 && positions[n - 1] >= onnx_shape(c, x)->dim[axis])
        return onnx_damaged(c, "the condition holds at %d, beyond the axis", positions[n - 1]);
    return onnx_give_as(c, 0, onnx_take(c, x, axis, n, positions), onnx_input_type(c, 0));
}

/* ---- Orders --------------------------------------------------------------------------------------------------------- */

bool onnx_read_Transpose(onnx_call *c)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    int n, axes[CCONV_MAX_RANK];
    int64_t given[CCONV_MAX_RANK];
    const bool has = onnx_attribute_numbers(c, "perm", &n, given);
    if (onnx_failed(c)) return false;
    if (has && n != rank) return onnx_damaged(c, "expected %d axes, received %d", rank, n);
    if (has && !onnx_axes(c, n, given, rank)) return false;
    for (int k = 0; k < rank; ++k) axes[k] = has ? (int)given[k] : rank - 1 - k;
    return onnx_give_as(c, 0, onnx_transpose(c, x, rank, axes), onnx_input_type(c, 0));
}

/* Whether blocks are ordered column, row, depth; else depth, column, row. */
static bool move_depth_last(onnx_call *c)
{
    const char *mode = onnx_string(c, "mode", "DCR");
    if (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0) onnx_damaged(c, "expected mode DCR or CRD, received '%s'", mode);
    return strcmp(mode, "CRD") == 0;
}

bool onnx_read_DepthToSpace(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    const int64_t b = onnx_int(c, "blocksize", 0), *d = xs.dim;
    const bool last = move_depth_last(c);
    if (onnx_failed(c)) return false;
    if (xs.rank != 4 || b < 1 || b > INT32_MAX || d[1] < 1 || d[1] % (b * b) != 0)
        return onnx_damaged(c, "expected images with channels of blocks of %" PRId64 " by as many", b);
    const int64_t deep = d[1] / (b * b);
    const int64_t apart[2][6] = {{d[0], b, b, deep, d[2], d[3]}, {d[0], deep, b, b, d[2], d[3]}};
    static const int axes[2][6] = {{0, 3, 4, 1, 5, 2}, {0, 1, 4, 2, 5, 3}};
    const int y = onnx_transpose(c, onnx_reshape(c, x, 6, apart[last]), 6, axes[last]);
    return onnx_give_as(c, 0, onnx_reshape(c, y, 4, (int64_t[]){d[0], deep, d[2] * b, d[3] * b}), onnx_input_type(c, 0));
}

bool onnx_read_SpaceToDepth(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    const int64_t b = onnx_int(c, "blocksize", 0), *d = xs.dim;
    const bool last = move_depth_last(c);
    if (onnx_failed(c)) return false;
    if (xs.rank != 4 || b < 1 || b > INT32_MAX || d[2] < 1 || d[2] % b != 0 || d[3] < 1 || d[3] % b != 0)
        return onnx_damaged(c, "expected images of blocks of %" PRId64 " by as many", b);
    static const int axes[2][6] = {{0, 3, 5, 1, 2, 4}, {0, 1, 3, 5, 2, 4}};
    const int y = onnx_reshape(c, x, 6, (int64_t[]){d[0], d[1], d[2] / b, b, d[3] / b, b});
    const int64_t to[4] = {d[0], d[1] * b * b, d[2] / b, d[3] / b};
    return onnx_give_as(c, 0, onnx_reshape(c, onnx_transpose(c, y, 6, axes[last]), 4, to), onnx_input_type(c, 0));
}

/* Of each sample the first elements along the other axis, as many as its length, backwards. */
bool onnx_read_ReverseSequence(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    const int batch = onnx_axis(c, onnx_int(c, "batch_axis", 1), xs.rank),
              time = onnx_axis(c, onnx_int(c, "time_axis", 0), xs.rank);
    if (onnx_failed(c)) return false;
    if (batch + time != 1)
        return onnx_damaged(c, "expected axes 0 and 1 for batch_axis and time_axis, received %d and %d", batch, time);
    int64_t dim[CCONV_MAX_RANK];
    for (int k = 0; k < xs.rank; ++k) dim[k] = k == batch ? xs.dim[k] : 1;
    const int lengths = onnx_reshape(c, onnx_input(c, 1), xs.rank, dim);
    const int at = onnx_steps(c, xs.dim[time], 0, 1, xs.rank, time);
    const int last = onnx_add2(c, "subtract", lengths, onnx_scalar(c, lengths, 1), NULL);
    const int reversed = onnx_add2(c, "subtract", last, at, NULL), within = onnx_add2(c, "less", at, lengths, NULL);
    const int from = onnx_add(c, "where", 3, (int[]){within, reversed, at}, NULL);
    const int y = onnx_add2(c, "take_along_axis", x, onnx_broadcast(c, from, xs.rank, xs.dim), "axis=%d", time);
    return onnx_give_as(c, 0, y, onnx_input_type(c, 0));
}

/* ---- Padding -------------------------------------------------------------------------------------------------------- */

typedef enum move_mode { MOVE_CONSTANT, MOVE_REFLECT, MOVE_EDGE, MOVE_WRAP } move_mode;

static const char *const move_modes[] = {"constant", "reflect", "edge", "wrap"};

/* The element that stands at index `at` of an endless row made of n. */
static int32_t move_source(move_mode mode, int64_t at, int64_t n)
{
    if (mode == MOVE_EDGE || n == 1) return (int32_t)move_clamp(at, 0, n - 1);
    const int64_t period = mode == MOVE_WRAP ? n : 2 * (n - 1);
    const int64_t place = (at % period + period) % period;
    return (int32_t)(place < n ? place : period - place);
}

/* An axis with elements of itself around it. */
static int move_repeat(onnx_call *c, int x, move_mode mode, int axis, int64_t before, int64_t after)
{
    const int64_t size = onnx_shape(c, x)->dim[axis], n = before + size + after;
    if (onnx_failed(c)) return 0;
    if (size == 0) return onnx_damaged(c, "mode %s expects elements along axis %d", move_modes[mode], axis);
    int32_t *from = onnx_work(c, n, sizeof *from);
    if (!from) return 0;
    for (int64_t i = 0; i < n; ++i) from[i] = move_source(mode, i - before, size);
    const int node = onnx_take(c, x, axis, n, from);
    cc_free(from);
    return node;
}

/* Pads below 0 take elements away, before others are added. `value` is of mode constant. */
static int move_pad(onnx_call *c, int x, move_mode mode, float value, const int64_t *before, const int64_t *after)
{
    int64_t pads[2 * CCONV_MAX_RANK];
    const int rank = onnx_shape(c, x)->rank;
    bool any = false, fits = true;
    for (int k = 0; k < rank; ++k) {
        if (before[k] < -INT32_MAX || before[k] > INT32_MAX || after[k] < -INT32_MAX || after[k] > INT32_MAX)
            return onnx_refuse(c, "pads beyond int32");
        const int64_t off = before[k] < 0 ? -before[k] : 0, size = onnx_shape(c, x)->dim[k];
        const int64_t left = size - off - (after[k] < 0 ? -after[k] : 0);
        if (onnx_failed(c)) return 0;
        if (left < 0) return onnx_damaged(c, "pads take more from axis %d than its size %" PRId64, k, size);
        x = onnx_slice(c, x, k, left > 0 ? off : 0, left);
        pads[k] = before[k] > 0 ? before[k] : 0;
        pads[rank + k] = after[k] > 0 ? after[k] : 0;
        any = any || pads[k] > 0 || pads[rank + k] > 0;
        fits = fits && (mode == MOVE_CONSTANT || (pads[k] < left && pads[rank + k] < left));
    }
    if (!any || onnx_failed(c)) return x;
    if (mode == MOVE_WRAP || !fits) { /* the op has no such mode, or does not reach so far */
        for (int k = 0; k < rank; ++k)
            if (pads[k] > 0 || pads[rank + k] > 0) x = move_repeat(c, x, mode, k, pads[k], pads[rank + k]);
        return x;
    }
    char text[256];
    onnx_list_text(text, "pads", 2 * rank, pads);
    return onnx_add1(c, "pad", x, "%s mode=%s value=%.9g", text, move_modes[mode], (double)value);
}

/* Pads and value are attributes before opset 11, inputs since; since 18 there are axes that they are of. */
bool onnx_read_Pad(onnx_call *c)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    const char *name = onnx_string(c, "mode", "constant");
    int mode = 0;
    while (mode < 4 && strcmp(name, move_modes[mode]) != 0) ++mode;
    if (mode == 4) return onnx_refuse(c, "mode '%s'", name);
    const bool old = onnx_opset(c) < 11;
    int64_t before[CCONV_MAX_RANK] = {0}, after[CCONV_MAX_RANK] = {0}, axes[CCONV_MAX_RANK];
    onnx_list pads = {.n = 0};
    int n = 0, one = 1;
    if (old ? !onnx_ints(c, "pads", &pads) : !onnx_known_ints(c, 1, &pads))
        return onnx_failed(c) ? false : onnx_damaged(c, "expected pads, found none");
    if (!old && onnx_input_numbers(c, 3, &n, axes)) {
        if (!onnx_axes(c, n, axes, rank)) return false;
    } else {
        for (n = 0; n < rank; ++n) axes[n] = n;
    }
    if (onnx_failed(c)) return false;
    if (pads.n != 2 * n) return onnx_damaged(c, "expected %d pads, received %d", 2 * n, pads.n);
    for (int k = 0; k < n; ++k) {
        before[axes[k]] = pads.v[k];
        after[axes[k]] = pads.v[n + k];
    }
    float value = old ? onnx_float(c, "value", 0) : 0;
    if (!old && mode == MOVE_CONSTANT && onnx_has(c, 2) && !onnx_known_floats(c, 2, &value, &one)) return false;
    if (mode != MOVE_CONSTANT) value = 0;
    return onnx_give_as(c, 0, move_pad(c, x, (move_mode)mode, value, before, after), onnx_input_type(c, 0));
}

bool onnx_read_CenterCropPad(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const cc_shape xs = *onnx_shape(c, x);
    int64_t before[CCONV_MAX_RANK] = {0}, after[CCONV_MAX_RANK] = {0}, axes[CCONV_MAX_RANK], sizes[CCONV_MAX_RANK];
    int n, n_axes;
    onnx_input_numbers(c, 1, &n, sizes);
    if (!onnx_attribute_numbers(c, "axes", &n_axes, axes))
        for (n_axes = 0; n_axes < xs.rank; ++n_axes) axes[n_axes] = n_axes;
    if (!onnx_axes(c, n_axes, axes, xs.rank)) return false;
    if (n != n_axes) return onnx_damaged(c, "expected a size for each of %d axes, received %d", n_axes, n);
    for (int k = 0; k < n; ++k) {
        if (sizes[k] < 0) return onnx_damaged(c, "expected sizes of 0 and more, received %" PRId64, sizes[k]);
        const int64_t more = sizes[k] - xs.dim[axes[k]];
        before[axes[k]] = more / 2; /* rounded towards 0: what is odd is added to, or taken from, the end */
        after[axes[k]] = more - more / 2;
    }
    return onnx_give_as(c, 0, move_pad(c, x, MOVE_CONSTANT, 0, before, after), onnx_input_type(c, 0));
}
