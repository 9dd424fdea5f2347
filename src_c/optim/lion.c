/* Lion: Chen and others, "Symbolic discovery of optimization algorithms", 2023, algorithm 2.
 *
 *     w -= lr sign(beta_1 m + (1 - beta_1) g)
 *     m = beta_2 m + (1 - beta_2) g */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float beta_1, beta_2;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"beta_1", CC_FLOAT, offsetof(settings, beta_1), "0.9", NULL,
     "part of the running mean in the direction of a step; the rest is of the gradient"},
    {"beta_2", CC_FLOAT, offsetof(settings, beta_2), "0.99", NULL, "part of the running mean of gradients that a step keeps"},
    {0}};

enum { RATE, BETA_1, REST_1, BETA_2, REST_2 };

static cconv_status lion_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("beta_1", a->beta_1, 0, 1, false));
    return cc_optim_check("beta_2", a->beta_2, 0, 1, true);
}

static int lion_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "momentum";
    return 1;
}

static void lion_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[BETA_1] = a->beta_1;
    c[REST_1] = (float)(1 - cc_optim_decimal(a->beta_1));
    c[BETA_2] = a->beta_2;
    c[REST_2] = (float)(1 - cc_optim_decimal(a->beta_2));
}

static void lion_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                        float scale, float limit, int64_t n)
{
    const float rate = c[RATE], beta_1 = c[BETA_1], rest_1 = c[REST_1], beta_2 = c[BETA_2], rest_2 = c[REST_2];
    float *restrict m = slot[0];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit), direction = beta_1 * m[i] + rest_1 * gi;
        w[i] -= rate * (direction > 0 ? 1.0f : direction < 0 ? -1.0f : direction); /* a NaN stays one */
        m[i] = beta_2 * m[i] + rest_2 * gi;
    }
}

const cc_rule cc_rule_lion = {.name = "lion",
                              .attributes = table,
                              .attributes_size = sizeof(settings),
                              .check = lion_check,
                              .slots = lion_slots,
                              .prepare = lion_prepare,
                              .update = lion_update};
