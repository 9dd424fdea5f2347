/* channel_shuffle: the channels of the groups in turn (Zhang, Zhou, Lin, Sun: ShuffleNet, CVPR 2018). With c channels, along the
 * last axis, and k = c / groups:
 *
 *     y[..][j groups + i] = x[..][i k + j]     i < groups, j < k
 *
 * dx is the same with k groups. */
#include "ops/infer.h"

typedef struct channel_shuffle {
    int64_t groups;
} channel_shuffle;

static const cc_attr channel_shuffle_attributes[] = {{"groups", CC_INT, offsetof(channel_shuffle, groups), NULL, NULL,
                                                      "into which the channels are divided; a divisor of their number"},
                                                     {0}};

static cconv_status channel_shuffle_infer(const cc_call *call, cc_shape *ys)
{
    const int64_t groups = ((const channel_shuffle *)call->attributes)->groups;
    const cc_shape *xs = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    if (xs->rank < 2)
        return cc_op_fail(call, CCONV_INVALID, "expected x with channels on its last axis, behind others, received shape %s",
                          cc_shape_text(xs, text));
    const int64_t c = xs->dim[xs->rank - 1];
    if (groups < 1 || (c >= 0 && c % groups))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected groups of which there is a whole number of channels each, received %lld "
                          "groups for x of shape %s",
                          (long long)groups, cc_shape_text(xs, text));
    *ys = *xs;
    return CCONV_OK;
}

static inline void channel_shuffle_few(float *y, const float *x, int64_t pixels, const int groups, int64_t k)
{
    for (int64_t p = 0; p < pixels; ++p, x += groups * k, y += groups * k)
        for (int64_t j = 0; j < k; ++j)
            for (int i = 0; i < groups; ++i) y[j * groups + i] = x[i * k + j];
}

static void channel_shuffle_pixels(float *y, const float *x, int64_t pixels, int64_t groups, int64_t k)
{
    if (k == 0) return; /* no channels, in any number of groups */
    switch (groups) {
    case 2: channel_shuffle_few(y, x, pixels, 2, k); return;
    case 3: channel_shuffle_few(y, x, pixels, 3, k); return;
    case 4: channel_shuffle_few(y, x, pixels, 4, k); return;
    case 8: channel_shuffle_few(y, x, pixels, 8, k); return;
    }
    for (int64_t p = 0; p < pixels; ++p, x += groups * k, y += groups * k)
        for (int64_t i = 0; i < groups; ++i)
            for (int64_t j = 0; j < k; ++j) y[j * groups + i] = x[i * k + j];
}

static int64_t channel_shuffle_pixels_of(const cc_shape *shape)
{
    return cc_shape_product(shape, 0, shape->rank - 1);
}

static void channel_shuffle_forward(const cc_call *call, const cc_team *team)
{
    const int64_t groups = ((const channel_shuffle *)call->attributes)->groups, c = call->ys.dim[call->ys.rank - 1];
    const cc_range mine = cc_slice(team, channel_shuffle_pixels_of(&call->ys), 1 + 2048 / (c + 1));
    channel_shuffle_pixels(call->y + mine.begin * c, call->x[0] + mine.begin * c, mine.end - mine.begin, groups, c / groups);
}

static void channel_shuffle_backward(const cc_call *call, const cc_team *team)
{
    const int64_t groups = ((const channel_shuffle *)call->attributes)->groups, c = call->ys.dim[call->ys.rank - 1];
    const cc_range mine = cc_slice(team, channel_shuffle_pixels_of(&call->ys), 1 + 2048 / (c + 1));
    if (call->dx[0])
        channel_shuffle_pixels(call->dx[0] + mine.begin * c, call->dy + mine.begin * c, mine.end - mine.begin, c / groups,
                               groups);
}

static void channel_shuffle_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const cc_shape *ys = &call->ys;
    if (ys->rank == 4 && !call->differentiate) need->row_work = (double)(ys->dim[2] * ys->dim[3]);
}

static void channel_shuffle_forward_rows(const cc_call *call, const cc_row_block *block, float *y, const float *x)
{
    const int64_t groups = ((const channel_shuffle *)call->attributes)->groups, c = call->ys.dim[3];
    channel_shuffle_pixels(y, x, block->rows * call->ys.dim[2], groups, c / groups);
}

static cc_row_block channel_shuffle_rows_read(const cc_call *call, const cc_row_block *block)
{
    (void)call;
    return *block;
}

const cc_op cc_op_channel_shuffle = {.name = "channel_shuffle",
                                     .inputs = "x",
                                     .types = "t -> t",
                                     .attributes = channel_shuffle_attributes,
                                     .attributes_size = sizeof(channel_shuffle),
                                     .per_sample = cc_per_sample_x,
                                     .infer = channel_shuffle_infer,
                                     .need = channel_shuffle_need,
                                     .forward = channel_shuffle_forward,
                                     .backward = channel_shuffle_backward,
                                     .forward_rows = channel_shuffle_forward_rows,
                                     .rows_read = channel_shuffle_rows_read};
