/* Nadam: Dozat, "Incorporating Nesterov momentum into Adam", 2016, with its schedule of the momentum. At step t = 1, 2, ...
 *
 *     mu_t = beta_1 (1 - 0.96^t / 2),   p_t = mu_1 mu_2 ... mu_t
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     m' = mu_(t+1) m / (1 - p_(t+1)) + (1 - mu_t) g / (1 - p_t)
 *     w -= lr m' / (sqrt(v / (1 - beta_2^t)) + epsilon) */
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
     "part of the running mean of squared gradients that a step keeps"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-7", NULL, "keeps the divisor from 0"},
    {0}};

enum { RATE, REST_1, REST_2, EPSILON, OF_MEAN, OF_GRADIENT, OF_SQUARE };

static cconv_status nadam_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("beta_1", a->beta_1, 0, 1, true));
    CC_TRY(cc_optim_check("beta_2", a->beta_2, 0, 1, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int nadam_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "momentum";
    names[1] = "velocity";
    return 2;
}

static double nadam_momentum(double beta_1, double t)
{
    return beta_1 * (1 - 0.5 * pow(0.96, t));
}

static void nadam_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    double beta_1 = cc_optim_decimal(a->beta_1), beta_2 = cc_optim_decimal(a->beta_2), t = (double)iteration;
    const double mu = nadam_momentum(beta_1, t), next = nadam_momentum(beta_1, t + 1);
    double product = pow(beta_1, t); /* p_t; the other factors are 1 to the last bit from the thousandth on */
    for (int64_t i = 1; i <= iteration && i <= 1000; ++i) product *= nadam_momentum(1, (double)i);
    c[RATE] = a->common.learning_rate;
    c[REST_1] = (float)(1 - beta_1);
    c[REST_2] = (float)(1 - beta_2);
    c[EPSILON] = a->epsilon;
    c[OF_MEAN] = (float)(next / (1 - product * next));
    c[OF_GRADIENT] = (float)((1 - mu) / (1 - product));
    c[OF_SQUARE] = (float)(1 / (1 - pow(beta_2, t)));
}

static void nadam_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                         float scale, float limit, int64_t n)
{
    const float rate = c[RATE], rest_1 = c[REST_1], rest_2 = c[REST_2], epsilon = c[EPSILON];
    const float of_mean = c[OF_MEAN], of_gradient = c[OF_GRADIENT], of_square = c[OF_SQUARE];
    float *restrict m = slot[0], *restrict v = slot[1];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit);
        m[i] += (gi - m[i]) * rest_1;
        v[i] += (gi * gi - v[i]) * rest_2;
        w[i] -= rate * (of_mean * m[i] + of_gradient * gi) / (sqrtf(v[i] * of_square) + epsilon);
    }
}

const cc_rule cc_rule_nadam = {.name = "nadam",
                               .attributes = table,
                               .attributes_size = sizeof(settings),
                               .check = nadam_check,
                               .slots = nadam_slots,
                               .prepare = nadam_prepare,
                               .update = nadam_update};
