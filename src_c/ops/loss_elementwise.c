/* Losses that are a mean (or a sum) over the last axis of a function of one target t and one prediction p:
 *
 *     y_true[rows][c], y_pred[rows][c] -> y[rows]
 *
 * Each is one formula below: its value and its two partial derivatives (a compiler drops those a caller does not use). All
 * give gradients to y_pred and to y_true, so that a target may itself be computed from parameters. Predictions clipped into
 * the domain of a logarithm have the derivative 0 there. Sums are kept in double. */
#include "ops/loss.h"
#include "ops/meanings.h"
#include "ops/op.h"
#include <math.h>

#define EPSILON 1e-7f

typedef cc_crossentropy_attributes settings;

typedef struct context {
    settings given;
    bool binary; /* all targets are 0 or 1 */
} context;

typedef struct term {
    float value, dt, dp;
} term;

typedef term formula(float t, float p, const context *in);

static inline float loss_elementwise_clip(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static inline float loss_elementwise_sign(float x)
{
    return (float)((x > 0) - (x < 0));
}

/* (p - t)^2 */
static inline term loss_elementwise_squared(float t, float p, const context *in)
{
    (void)in;
    float d = p - t;
    return (term){d * d, -2 * d, 2 * d};
}

/* |p - t|, with the derivative 0 at 0 */
static inline term loss_elementwise_absolute(float t, float p, const context *in)
{
    (void)in;
    float d = p - t;
    return (term){fabsf(d), -loss_elementwise_sign(d), loss_elementwise_sign(d)};
}

/* (log(1 + p) - log(1 + t))^2, with p and t raised to epsilon. The difference is a logarithm of what the larger one is more, so
 * that neighbours do not cancel. */
static inline term loss_elementwise_squared_logarithmic(float t, float p, const context *in)
{
    (void)in;
    float pc = p < EPSILON ? EPSILON : p, tc = t < EPSILON ? EPSILON : t;
    float d = pc < tc ? -log1pf((tc - pc) / (1 + pc)) : log1pf((pc - tc) / (1 + tc));
    return (term){d * d, t < EPSILON ? 0 : -2 * d / (1 + tc), p < EPSILON ? 0 : 2 * d / (1 + pc)};
}

/* 100 |p - t| / |t|, with |t| raised to epsilon */
static inline term loss_elementwise_absolute_percentage(float t, float p, const context *in)
{
    (void)in;
    float d = p - t, size = fabsf(t), whole = size < EPSILON ? EPSILON : size;
    float dt = -loss_elementwise_sign(d) / whole;
    if (size > EPSILON) dt -= fabsf(d) / (whole * whole) * loss_elementwise_sign(t);
    return (term){100 * (fabsf(d) / whole), 100 * dt, 100 * (loss_elementwise_sign(d) / whole)};
}

/* max(0, 1 - t p). Targets 0 and 1, if there are no others, stand for -1 and 1. */
static inline term hinge_term(float t, float p, const context *in)
{
    float slope = in->binary ? 2.0f : 1.0f, s = in->binary ? 2 * t - 1 : t;
    float margin = 1 - s * p;
    if (margin <= 0) return (term){0, 0, 0}; /* a NaN goes on */
    return (term){margin, -slope * p, -s};
}

/* log(a / b) of positive numbers: of neighbours, whose ratio has few places beside the 1, by their difference. */
static inline float loss_elementwise_log_ratio(float a, float b)
{
    return fabsf(a - b) < 0.5f * b ? log1pf((a - b) / b) : logf(a / b);
}

/* t log(t / p), with t and p clipped to [epsilon, 1] */
static inline term loss_elementwise_divergence(float t, float p, const context *in)
{
    (void)in;
    float tc = loss_elementwise_clip(t, EPSILON, 1), pc = loss_elementwise_clip(p, EPSILON, 1),
          ratio = loss_elementwise_log_ratio(tc, pc);
    return (term){tc * ratio, tc == t ? ratio + 1 : 0, pc == p ? -tc / pc : 0};
}

/* With z = t smoothed towards 1/2:
 *   p a probability in [epsilon, 1 - epsilon]:  -z log(p) - (1 - z) log(1 - p);     d/dp = (p - z) / (p (1 - p))
 *   p a logit, q = 1 / (1 + exp(-p)):           max(p, 0) - p z + log(1 + exp(-|p|));    d/dp = q - z
 * The second is the first with q in p's place, arranged so that no exponential overflows, no logarithm sees 0, and what a sure
 * and right prediction still has to learn is not lost beside the 1. */
static inline term loss_elementwise_cross_entropy(float t, float p, const context *in)
{
    float smoothing = in->given.label_smoothing, z = t * (1 - smoothing) + 0.5f * smoothing;
    if (in->given.from_logits) {
        float e = expf(-fabsf(p)), q = (p >= 0 ? 1 : e) / (1 + e), rest = e / (1 + e); /* 1 - q for p >= 0 */
        return (term){(p > 0 ? p : 0) - p * z + log1pf(e), -p * (1 - smoothing), p >= 0 && z > 0.5f ? (1 - z) - rest : q - z};
    }
    float pc = loss_elementwise_clip(p, EPSILON, 1 - EPSILON), yes = logf(pc), no = logf(1 - pc);
    return (term){-z * yes - (1 - z) * no, (no - yes) * (1 - smoothing), pc == p ? (pc - z) / (pc * (1 - pc)) : 0};
}

/* y_true and y_pred of one shape; y without its last axis. */
static cconv_status loss_elementwise_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *t = &call->xs[0], *p = &call->xs[1];
    char text[2][CC_SHAPE_TEXT];
    if (p->rank < 1) return cc_op_fail(call, CCONV_INVALID, "expected y_pred of rank 1 or more, received a scalar");
    bool same = t->rank == p->rank;
    for (int i = 0; same && i < p->rank; ++i) same = cc_agree(t->dim[i], p->dim[i]);
    if (!same)
        return cc_op_fail(call, CCONV_INVALID, "expected y_true of y_pred's shape %s, received %s", cc_shape_text(p, text[0]),
                          cc_shape_text(t, text[1]));
    ys->rank = p->rank - 1;
    for (int i = 0; i < ys->rank; ++i) ys->dim[i] = p->dim[i] < 0 ? t->dim[i] : p->dim[i];
    return CCONV_OK;
}

static cconv_status loss_elementwise_infer_cross_entropy(const cc_call *call, cc_shape *ys)
{
    const settings *a = call->attributes;
    if (!(a->label_smoothing >= 0 && a->label_smoothing <= 1))
        return cc_op_fail(call, CCONV_INVALID, "expected label_smoothing between 0 and 1, received %g",
                          (double)a->label_smoothing);
    return loss_elementwise_infer(call, ys);
}

static context loss_elementwise_make_context(const cc_call *call, bool labels)
{
    context made = {.binary = labels};
    if (call->op->attributes) made.given = *(const settings *)call->attributes;
    int64_t count = cc_shape_count(&call->xs[0]);
    for (int64_t i = 0; made.binary && i < count; ++i) made.binary = call->x[0][i] == 0 || call->x[0][i] == 1;
    return made;
}

static inline void loss_elementwise_forward(const cc_call *call, const cc_team *team, formula *f, bool mean, bool labels)
{
    const context in = loss_elementwise_make_context(call, labels);
    const int64_t c = call->xs[1].dim[call->xs[1].rank - 1], rows = cc_shape_count(&call->ys);
    cc_range mine = cc_slice(team, rows, 1 + 512 / (c + 1));
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const float *t = call->x[0] + row * c, *p = call->x[1] + row * c;
        double sum = 0;
        for (int64_t i = 0; i < c; ++i) sum += (double)f(t[i], p[i], &in).value;
        call->y[row] = (float)(mean ? sum / (double)c : sum);
    }
}

static inline void loss_elementwise_backward(const cc_call *call, const cc_team *team, formula *f, bool mean, bool labels)
{
    const context in = loss_elementwise_make_context(call, labels);
    const int64_t c = call->xs[1].dim[call->xs[1].rank - 1], rows = cc_shape_count(&call->ys);
    cc_range mine = cc_slice(team, rows, 1 + 512 / (c + 1));
    for (int64_t row = mine.begin; row < mine.end; ++row) {
        const float *t = call->x[0] + row * c, *p = call->x[1] + row * c;
        const float dy = mean ? call->dy[row] / (float)c : call->dy[row];
        if (call->dx[0])
            for (int64_t i = 0; i < c; ++i) call->dx[0][row * c + i] = dy * f(t[i], p[i], &in).dt;
        if (call->dx[1])
            for (int64_t i = 0; i < c; ++i) call->dx[1][row * c + i] = dy * f(t[i], p[i], &in).dp;
    }
}

static bool loss_elementwise_per_sample(const cc_call *call)
{
    return call->xs[1].rank > 1;
}

/* name, formula, mean (or sum) over the last axis, whether targets may be 0/1 labels to convert, attributes, infer */
#define LOSS(name_, formula_, mean_, labels_, attributes_, size_, infer_)                                                      \
    static void name_##_forward(const cc_call *call, const cc_team *team)                                                      \
    {                                                                                                                          \
        loss_elementwise_forward(call, team, formula_, mean_, labels_);                                                        \
    }                                                                                                                          \
    static void name_##_backward(const cc_call *call, const cc_team *team)                                                     \
    {                                                                                                                          \
        loss_elementwise_backward(call, team, formula_, mean_, labels_);                                                       \
    }                                                                                                                          \
    const cc_op cc_op_##name_ = {.name = #name_,                                                                               \
                                 .inputs = "y_true y_pred",                                                                    \
                                 .meaning = "y_true: what is right; y_pred: what was computed, of the same shape",             \
                                 .attributes = attributes_,                                                                    \
                                 .attributes_size = size_,                                                                     \
                                 .reads = CC_READS_X(0) | CC_READS_X(1),                                                       \
                                 .per_sample = labels_ ? NULL : loss_elementwise_per_sample, /* told from the whole batch */   \
                                 .infer = infer_,                                                                              \
                                 .forward = name_##_forward,                                                                   \
                                 .backward = name_##_backward};

static const cc_attr table[] = {
    {"from_logits", CC_BOOL, offsetof(settings, from_logits), "false", NULL, CC_LOGITS_MEANING},
    {"label_smoothing", CC_FLOAT, offsetof(settings, label_smoothing), "0", NULL, CC_SMOOTHING_MEANING},
    {0}};

LOSS(mean_squared_error, loss_elementwise_squared, true, false, NULL, 0, loss_elementwise_infer)
LOSS(mean_absolute_error, loss_elementwise_absolute, true, false, NULL, 0, loss_elementwise_infer)
LOSS(l1_loss, loss_elementwise_absolute, false, false, NULL, 0, loss_elementwise_infer)
LOSS(l2_loss, loss_elementwise_squared, false, false, NULL, 0, loss_elementwise_infer)
LOSS(mean_squared_logarithmic_error, loss_elementwise_squared_logarithmic, true, false, NULL, 0, loss_elementwise_infer)
LOSS(mean_absolute_percentage_error, loss_elementwise_absolute_percentage, true, false, NULL, 0, loss_elementwise_infer)
LOSS(hinge, hinge_term, true, true, NULL, 0, loss_elementwise_infer)
LOSS(kl_divergence, loss_elementwise_divergence, false, false, NULL, 0, loss_elementwise_infer)
LOSS(binary_crossentropy, loss_elementwise_cross_entropy, true, false, table, sizeof(settings),
     loss_elementwise_infer_cross_entropy)
