/* Stochastic gradient descent, plain, with momentum, or with Nesterov's look-ahead, in the form Keras uses:
 *
 *     plain      w -= lr g
 *     momentum   m = mu m - lr g;   w += m
 *     Nesterov   m = mu m - lr g;   w += mu m - lr g
 *
 * The learning rate is inside m, so a change of it acts on new gradients only. */
#include "optim/optim.h"

typedef struct settings {
    cc_optim_common common;
    float momentum;
    int nesterov;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.01"),
    {"momentum", CC_FLOAT, offsetof(settings, momentum), "0", NULL, "part of the last step that is added to the next"},
    {"nesterov", CC_BOOL, offsetof(settings, nesterov), "false", NULL,
     "1: the gradient counts as if momentum had been applied before"},
    {0}};

enum { RATE, MOMENTUM, NESTEROV };

static cconv_status sgd_check(const void *attributes)
{
    const settings *a = attributes;
    return cc_optim_check("momentum", a->momentum, 0, 1, false);
}

static int sgd_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    const settings *a = attributes;
    names[0] = "momentum";
    return a->momentum > 0 ? 1 : 0;
}

static void sgd_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[MOMENTUM] = a->momentum;
    c[NESTEROV] = (float)a->nesterov;
}

static void sgd_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                       float scale, float limit, int64_t n)
{
    const float rate = c[RATE], mu = c[MOMENTUM];
    if (mu <= 0) {
        for (int64_t i = 0; i < n; ++i) w[i] -= rate * cc_optim_clipped(g[i], scale, limit);
        return;
    }
    float *restrict m = slot[0];
    if (c[NESTEROV] > 0) {
        for (int64_t i = 0; i < n; ++i) {
            float step = rate * cc_optim_clipped(g[i], scale, limit);
            m[i] = mu * m[i] - step;
            w[i] += mu * m[i] - step;
        }
    } else {
        for (int64_t i = 0; i < n; ++i) {
            m[i] = mu * m[i] - rate * cc_optim_clipped(g[i], scale, limit);
            w[i] += m[i];
        }
    }
}

const cc_rule cc_rule_sgd = {.name = "sgd",
                             .attributes = table,
                             .attributes_size = sizeof(settings),
                             .check = sgd_check,
                             .slots = sgd_slots,
                             .prepare = sgd_prepare,
                             .update = sgd_update};
