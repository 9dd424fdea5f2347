/* Writers of normalizations and dropout. See write.h. */
#include "onnx/write.h"
#include "ops/batch_norm.h"
#include "ops/infer.h"

/* Input k, or as many ones or zeros if it is left out. */
static int given_or(save_call *c, int k, int64_t n, float otherwise)
{
    return save_has(c, k) ? save_input(c, k) : save_repeated(c, 1, &n, otherwise);
}

int save_lrn(save_call *c)
{
    const int rank = c->node->shape.rank;
    const int64_t size = save_int(c, "size");
    if (rank != 4) return save_refuse(c, "LRN takes images (n, h, w, c) only");
    c->held = save_images(rank);
    const int y = save_add1(c, "LRN", save_form(c, 0, &c->held));
    save_set_int(c, "size", size);
    save_set_float(c, "alpha", save_float(c, "alpha") * (save_int(c, "alpha_over_size") ? 1 : (float)size));
    save_set_float(c, "beta", save_float(c, "beta"));
    save_set_float(c, "bias", save_float(c, "bias"));
    return y;
}

int save_batch_norm(save_call *c)
{
    const cc_shape *x = save_shape(c, 0);
    const int axis = cc_axis_of(save_int(c, "axis"), x->rank);
    const int64_t channels = save_shape(c, CC_NORM_MEAN)->dim[0];
    if (x->rank < 2 || axis == 0) return save_refuse(c, "ONNX's BatchNormalization has its channels behind the batch");
    if (channels < 0) return save_refuse(c, "the number of channels is not known");
    c->held = save_with_axis_second(x->rank, axis);
    const int inputs[] = {save_form(c, 0, &c->held), given_or(c, CC_NORM_GAMMA, channels, 1),
                          given_or(c, CC_NORM_BETA, channels, 0), save_input(c, CC_NORM_MEAN), save_input(c, CC_NORM_VARIANCE)};
    int y = save_add(c, "BatchNormalization", 5, inputs);
    save_set_float(c, "epsilon", save_float(c, "epsilon"));
    if (save_has(c, CC_NORM_RESIDUAL)) y = save_add2(c, "Add", y, save_form(c, CC_NORM_RESIDUAL, &c->held));
    return save_activated(c, y, (int)save_int(c, "activation"), 0);
}

/* The channels are on the last axis of the node, and second here: groups of them are the channels of an InstanceNormalization. */
int save_group_norm(save_call *c)
{
    enum { X, GAMMA, BETA };
    const cc_shape *x = save_shape(c, X);
    const int64_t groups = save_int(c, "groups"), channels = x->dim[x->rank - 1], grouped[] = {0, groups, -1};
    const bool apart = groups == channels && x->rank > 2;
    c->held = save_images(x->rank);
    const int in = save_form(c, X, &c->held);
    if (apart) {
        const int y =
            save_add3(c, "InstanceNormalization", in, given_or(c, GAMMA, channels, 1), given_or(c, BETA, channels, 0));
        save_set_float(c, "epsilon", save_float(c, "epsilon"));
        return y;
    }
    const int parts = save_reshape(c, in, 3, grouped);
    const int even =
        save_add3(c, "InstanceNormalization", parts, save_repeated(c, 1, &groups, 1), save_repeated(c, 1, &groups, 0));
    save_set_float(c, "epsilon", save_float(c, "epsilon"));
    const cc_shape held = save_held_shape(x, &c->held);
    int y = save_reshape_like(c, even, &held, in);
    if (save_has(c, GAMMA)) y = save_add2(c, "Mul", y, save_brought(c, GAMMA, &c->held));
    if (save_has(c, BETA)) y = save_add2(c, "Add", y, save_brought(c, BETA, &c->held));
    return y;
}

int save_layer_norm(save_call *c)
{
    enum { X, GAMMA, BETA };
    const cc_shape *x = save_shape(c, X);
    const int axis = cc_axis_of(save_int(c, "axis"), x->rank), n = x->rank - axis;
    const int in = save_input(c, X);
    if (!save_int(c, "rms")) {
        int scale = save_input(c, GAMMA);
        for (int k = axis; !scale && k < x->rank; ++k)
            if (x->dim[k] < 0) return save_refuse(c, "the sizes that are normalized are not known");
        if (!scale) scale = save_repeated(c, n, x->dim + axis, 1);
        const int y = save_add3(c, "LayerNormalization", in, scale, save_input(c, BETA));
        save_set_int(c, "axis", axis);
        save_set_float(c, "epsilon", save_float(c, "epsilon"));
        return y;
    }
    int64_t axes[CCONV_MAX_RANK];
    for (int k = 0; k < n; ++k) axes[k] = axis + k;
    const int squares = save_add2(c, "ReduceMean", save_add2(c, "Mul", in, in), save_ints(c, n, axes));
    const int root = save_add1(c, "Sqrt", save_add2(c, "Add", squares, save_number(c, (double)save_float(c, "epsilon"))));
    int y = save_add2(c, "Div", in, root);
    if (save_has(c, GAMMA)) y = save_add2(c, "Mul", y, save_input(c, GAMMA));
    if (save_has(c, BETA)) y = save_add2(c, "Add", y, save_input(c, BETA));
    return y;
}

int save_dropout(save_call *c)
{
    c->held = save_held(c, 0);
    return save_add2(c, "Dropout", save_form(c, 0, &c->held), save_number(c, (double)save_float(c, "rate")));
}
