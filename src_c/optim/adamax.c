/* Adamax: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1. At step t = 1, 2, ...
 *
 *     m += (g - m) (1 - beta_1)
 *     u = max(beta_2 u, |g|)
 *     w -= lr / (1 - beta_1^t) m / (u + epsilon) */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float beta_1, beta_2, epsilon;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"beta_1", CC_FLOAT, offsetof(settings, beta_1), "0.9", NULL, "part of the running mean of gradients that a step keeps"},
    {"beta_2", CC_FLOAT, offsetof(settings, beta_2), "0.999", NULL,
     "part of the running maximum of gradients that a step keeps"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-7", NULL, "keeps the divisor from 0"},
    {0}};

enum { RATE, REST_1, BETA_2, EPSILON };

static cconv_status adamax_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("beta_1", a->beta_1, 0, 1, true));
    CC_TRY(cc_optim_check("beta_2", a->beta_2, 0, 1, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int adamax_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "momentum";
    names[1] = "norm";
    return 2;
}

static void adamax_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    double beta_1 = cc_optim_decimal(a->beta_1);
    c[RATE] = (float)((double)a->common.learning_rate / (1 - pow(beta_1, (double)iteration)));
    c[REST_1] = (float)(1 - beta_1);
    c[BETA_2] = a->beta_2;
    c[EPSILON] = a->epsilon;
}

static void adamax_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                          float scale, float limit, int64_t n)
{
    const float rate = c[RATE], rest_1 = c[REST_1], beta_2 = c[BETA_2], epsilon = c[EPSILON];
    float *restrict m = slot[0], *restrict u = slot[1];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit), size = fabsf(gi), before = beta_2 * u[i];
        m[i] += (gi - m[i]) * rest_1;
        u[i] = before > size ? before : size;
        w[i] -= rate * m[i] / (u[i] + epsilon);
    }
}

const cc_rule cc_rule_adamax = {.name = "adamax",
                                .attributes = table,
                                .attributes_size = sizeof(settings),
                                .check = adamax_check,
                                .slots = adamax_slots,
                                .prepare = adamax_prepare,
                                .update = adamax_update};
