/* Writers of ops that move elements. Those that give an axis another place only say so: see write.h. */
#include "base/alloc.h"
#include "onnx/write.h"
#include "ops/axes.h"
#include "ops/infer.h"
#include "ops/pad.h"

/* The value itself. */
int save_same(save_call *c)
{
    c->held = save_held(c, 0);
    return save_form(c, 0, &c->held);
}

int save_transpose_op(save_call *c)
{
    const cc_list *axes = &((const cc_transpose_attributes *)c->node->attributes)->axes;
    const save_order x = save_held(c, 0);
    for (int k = 0; k < x.rank; ++k) { /* its axis k is axis axes[k] of x */
        const int at = save_position(&x, cc_axis_of(axes->v[k], x.rank));
        c->held.axis[at] = k;
    }
    return save_form(c, 0, &x);
}

/* ---- Other shapes ------------------------------------------------------------------------------------------------- */

/* The sizes for a Reshape to the node's shape; false if they cannot be told. open: one may be what is left. */
static bool told_sizes(save_call *c, int64_t *sizes)
{
    const cc_shape *y = &c->node->shape;
    int open = 0;
    for (int k = 0; k < y->rank; ++k) {
        sizes[k] = y->dim[k] < 0 ? -1 : y->dim[k];
        open += y->dim[k] < 0;
    }
    return open <= 1;
}

static int reshaped(save_call *c, int x, int64_t *sizes)
{
    const int rank = c->node->shape.rank, y = save_reshape(c, x, rank, sizes);
    for (int k = 0; k < rank; ++k) {
        if (c->node->shape.dim[k] != 0) continue;
        save_set_int(c, "allowzero", 1); /* 0 is a size */
        break;
    }
    return y;
}

/* Sizes as a value: those below -1 are that of axis -2 - size of the value whose Shape is given. */
static int gathered_sizes(save_call *c, int n, const int64_t *sizes, int shape)
{
    int parts[CCONV_MAX_RANK];
    for (int k = 0; k < n; ++k) {
        const int64_t of = -2 - sizes[k];
        parts[k] = save_ints(c, 1, of < 0 ? &sizes[k] : &of);
        if (of >= 0) parts[k] = save_add2(c, "Gather", shape, parts[k]);
    }
    const int y = save_add(c, "Concat", n, parts);
    save_set_int(c, "axis", 0);
    return y;
}

static bool asks_for_axes(const cc_list *sizes)
{
    for (int k = 0; k < sizes->n; ++k)
        if (sizes->v[k] < -1) return true;
    return false;
}

int save_flatten(save_call *c)
{
    int64_t sizes[CCONV_MAX_RANK];
    const int x = save_row_major(c, 0);
    if (cc_shape_known(&c->node->shape) && told_sizes(c, sizes)) return reshaped(c, x, sizes);
    if (save_shape(c, 0)->rank == 1) return save_reshape(c, x, 2, (const int64_t[]){-1, 1});
    const int y = save_add1(c, "Flatten", x);
    save_set_int(c, "axis", 1);
    return y;
}

int save_reshape_op(save_call *c)
{
    const cc_list *given = save_list(c, "shape");
    int64_t sizes[CCONV_MAX_RANK];
    if (told_sizes(c, sizes)) return reshaped(c, save_row_major(c, 0), sizes);
    const int x = save_input(c, 0);
    if (asks_for_axes(given))
        return save_add2(c, "Reshape", x, gathered_sizes(c, given->n, given->v, save_add1(c, "Shape", x)));
    for (int k = 0; k < given->n; ++k) sizes[k] = given->v[k];
    return save_reshape(c, x, given->n, sizes);
}

int save_expand_dims(save_call *c)
{
    const int64_t axis = cc_axis_of(save_int(c, "axis"), c->node->shape.rank);
    const save_order x = save_held(c, 0);
    const int y = save_add2(c, "Unsqueeze", save_form(c, 0, &x), save_ints(c, 1, &axis));
    for (int k = 0; k < c->held.rank; ++k) { /* the new axis stands where it does in the graph */
        const int of_x = k == axis ? -1 : x.axis[k < axis ? k : k - 1];
        c->held.axis[k] = of_x < 0 ? (int)axis : of_x < axis ? of_x : of_x + 1;
    }
    return y;
}

int save_squeeze(save_call *c)
{
    const cc_list *given = save_list(c, "axes");
    const cc_shape *shape = save_shape(c, 0);
    const save_order x = save_held(c, 0);
    unsigned gone = given->n ? cc_axes_of(given, shape->rank) : 0;
    int64_t axes[CCONV_MAX_RANK];
    int n = 0;
    for (int k = 0; !given->n && k < shape->rank; ++k) gone |= (unsigned)(shape->dim[k] == 1) << k;
    for (int k = 0; k < x.rank; ++k)
        if (gone >> x.axis[k] & 1u) axes[n++] = k;
    c->held = save_without(&x, gone);
    return n ? save_add2(c, "Squeeze", save_form(c, 0, &x), save_ints(c, n, axes)) : save_form(c, 0, &x);
}

/* Sizes that are not known are those of `like`, or of x: 1 leaves them. */
int save_broadcast_to(save_call *c)
{
    const cc_shape *y = &c->node->shape;
    const cc_list *given = save_list(c, "shape");
    int64_t sizes[CCONV_MAX_RANK];
    bool asks = false;
    const save_order x = save_held(c, 0), like = save_has(c, 1) ? save_held(c, 1) : x;
    if (x.rank == y->rank) c->held = x;
    for (int k = 0; k < y->rank; ++k) {
        const int axis = c->held.axis[k];
        sizes[k] = y->dim[axis] < 0 ? 1 : y->dim[axis];
        if (y->dim[axis] >= 0 || given->v[axis] >= -1) continue;
        sizes[k] = -2 - save_position(&like, -2 - given->v[axis]);
        asks = true;
    }
    const int brought = save_brought(c, 0, &c->held);
    const int to =
        asks ? gathered_sizes(c, y->rank, sizes, save_add1(c, "Shape", save_form(c, 1, &like))) : save_ints(c, y->rank, sizes);
    return save_add2(c, "Expand", brought, to);
}

/* ---- Elements ----------------------------------------------------------------------------------------------------- */

int save_padded(save_call *c, int x, int rank, const int64_t *pads, int value)
{
    int64_t given[2 * CCONV_MAX_RANK], axes[CCONV_MAX_RANK];
    int n = 0;
    for (int k = 0; k < rank; ++k)
        if (pads[k] || pads[rank + k]) axes[n++] = k;
    if (n == 0) return x;
    for (int i = 0; i < n; ++i) {
        given[i] = pads[axes[i]];
        given[n + i] = pads[rank + axes[i]];
    }
    return save_add(c, "Pad", 4, (int[]){x, save_ints(c, 2 * n, given), value, save_ints(c, n, axes)});
}

int save_pad(save_call *c)
{
    static const char *const modes[] = {"constant", "reflect", NULL, "edge"};
    const cc_pad_attributes *a = c->node->attributes;
    int64_t pads[2 * CCONV_MAX_RANK];
    if (!modes[a->mode]) return save_refuse(c, "ONNX's Pad has no symmetric mode");
    c->held = save_common_order(c);
    const int rank = c->held.rank;
    for (int k = 0; k < rank; ++k) {
        pads[k] = a->pads.v[c->held.axis[k]];
        pads[rank + k] = a->pads.v[rank + c->held.axis[k]];
    }
    const int x = save_form(c, 0, &c->held), value = a->mode == CC_PAD_CONSTANT ? save_like(c, 0, (double)a->value) : 0;
    const bool zeros = a->mode == CC_PAD_CONSTANT && a->value == 0;
    const int y = zeros && save_read_only_by(c, &cc_op_conv) /* runtimes may take them into it */
                      ? save_add3(c, "Pad", x, save_ints(c, 2 * rank, pads), value)
                      : save_padded(c, x, rank, pads, value);
    if (y != x) save_set_text(c, "mode", modes[a->mode]);
    return y;
}

/* A size of -1 - k is up to k elements before the end. */
int save_slice(save_call *c)
{
    const cc_slice_attributes *a = c->node->attributes;
    int64_t begin[CCONV_MAX_RANK], end[CCONV_MAX_RANK], axes[CCONV_MAX_RANK];
    int n = 0;
    c->held = save_common_order(c);
    for (int k = 0; k < c->held.rank; ++k) {
        const int64_t from = a->begin.v[c->held.axis[k]], size = a->size.v[c->held.axis[k]];
        if (from == 0 && size == -1) continue;
        begin[n] = from;
        end[n] = size == -1 || (from < 0 && from + size == 0) ? INT64_MAX : size < -1 ? size + 1 : from + size;
        axes[n++] = k;
    }
    const int x = save_form(c, 0, &c->held);
    if (!n) return x;
    return save_add(c, "Slice", 4, (int[]){x, save_ints(c, n, begin), save_ints(c, n, end), save_ints(c, n, axes)});
}

int save_concatenate(save_call *c)
{
    const size_t n = (size_t)c->node->n_inputs;
    int *inputs = cc_alloc(n * sizeof *inputs);
    if (!inputs) return save_without_memory(c);
    c->held = save_common_order(c);
    for (size_t k = 0; k < n; ++k) inputs[k] = save_form(c, (int)k, &c->held);
    const int y = save_add(c, "Concat", (int)n, inputs);
    save_set_int(c, "axis", save_position(&c->held, save_int(c, "axis")));
    cc_free(inputs);
    return y;
}

/* The channels as (groups, each): both axes change places. What is behind the channels is one axis meanwhile. */
int save_channel_shuffle(save_call *c)
{
    const cc_shape *x = save_shape(c, 0);
    const int64_t groups = save_int(c, "groups"), channels = x->dim[x->rank - 1];
    int64_t sizes[CCONV_MAX_RANK + 2], axes[CCONV_MAX_RANK + 2];
    int n = 0;
    if (channels < 1) return save_refuse(c, channels ? "the number of channels is not known" : "there are no channels");
    c->held = save_common_order(c);
    const int at = save_position(&c->held, -1), in = save_form(c, 0, &c->held);
    for (; n < at; ++n) sizes[n] = 0;
    sizes[n++] = groups;
    sizes[n++] = channels / groups;
    if (at < x->rank - 1) sizes[n++] = -1;
    for (int k = 0; k < n; ++k) axes[k] = k == at ? at + 1 : k == at + 1 ? at : k;
    const int turned = save_transpose(c, save_reshape(c, in, n, sizes), n, axes);
    const cc_shape held = save_held_shape(x, &c->held);
    return save_reshape_like(c, turned, &held, in);
}
