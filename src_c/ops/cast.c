/* cast: x -> y of the same shape, as another element type. To bool: whether x is not 0 (a NaN is not). From bool: 0 or 1.
 * float32 to int32 cuts the fraction off; what lies beyond the range becomes its nearest end, a NaN the lowest number. int32 to
 * float32 rounds to the nearest. A gradient passes from float32 to float32 only, as it is. */
#include "ops/infer.h"

enum { TO_FLOAT32, TO_INT32, TO_BOOL };

typedef struct cast {
    int to;
} cast;

static const cc_attr cast_attributes[] = {{"to", CC_ENUM, offsetof(cast, to), NULL, "float32|int32|bool", "type of the output"},
                                          {0}};

static cconv_status cast_infer(const cc_call *call, cc_shape *ys)
{
    static const cconv_dtype types[] = {[TO_FLOAT32] = CCONV_FLOAT32, [TO_INT32] = CCONV_INT32, [TO_BOOL] = CCONV_BOOL};
    *ys = call->xs[0];
    ys->type = types[((const cast *)call->attributes)->to];
    return CCONV_OK;
}

/* Whether the elements stay what they are: a bool is stored as a float32. */
static bool cast_is_view(const cc_call *call)
{
    return call->xs[0].type == call->ys.type || (call->xs[0].type == CCONV_BOOL && call->ys.type == CCONV_FLOAT32);
}

static void cast_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    need->inplace = cast_is_view(call);
}

static inline int32_t cast_to_int(float x)
{
    if (!(x >= -0x1p31f)) return INT32_MIN; /* or a NaN */
    return x < 0x1p31f ? (int32_t)x : INT32_MAX;
}

static void cast_forward(const cc_call *call, const cc_team *team)
{
    const float *x = call->x[0];
    const int32_t *ints = cc_ints(x);
    const bool from_int = call->xs[0].type == CCONV_INT32;
    float *y = call->y;
    if (cast_is_view(call)) {
        cc_copy(y, x, cc_shape_count(&call->ys), team);
        return;
    }
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        if (call->ys.type == CCONV_INT32)
            cc_ints_out(y)[i] = cast_to_int(x[i]);
        else if (call->ys.type == CCONV_FLOAT32)
            y[i] = (float)ints[i];
        else
            y[i] = (from_int ? ints[i] != 0 : x[i] != 0) ? 1.0f : 0.0f;
    }
}

static void cast_backward(const cc_call *call, const cc_team *team)
{
    if (call->dx[0]) cc_copy(call->dx[0], call->dy, cc_shape_count(&call->ys), team);
}

const cc_op cc_op_cast = {.name = "cast",
                          .inputs = "x",
                          .types = "t -> *",
                          .attributes = cast_attributes,
                          .attributes_size = sizeof(cast),
                          .flags = CC_INPLACE_BACKWARD | CC_VIEW | CC_ELEMENTWISE,
                          .infer = cast_infer,
                          .need = cast_need,
                          .forward = cast_forward,
                          .backward = cast_backward};
