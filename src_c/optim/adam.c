/* Adam: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, in the form with the two bias corrections folded
 * into the step size (end of its section 2), which is Keras'; AMSGrad: Reddi, Kale and Kumar, 2018. At step t = 1, 2, ...
 *
 *     alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     w -= alpha m / (sqrt(v) + epsilon)      amsgrad: with the largest v so far in v's place */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float beta_1, beta_2, epsilon;
    int amsgrad;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"beta_1", CC_FLOAT, offsetof(settings, beta_1), "0.9", NULL, "part of the running mean of gradients that a step keeps"},
    {"beta_2", CC_FLOAT, offsetof(settings, beta_2), "0.999", NULL,
     "part of the running mean of squared gradients that a step keeps"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-7", NULL, "added to the root that is divided by"},
    {"amsgrad", CC_BOOL, offsetof(settings, amsgrad), "false", NULL,
     "1: divides by the largest running mean of squares so far"},
    {0}};

enum { ALPHA, REST_1, REST_2, EPSILON, AMSGRAD };

static cconv_status adam_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("beta_1", a->beta_1, 0, 1, true));
    CC_TRY(cc_optim_check("beta_2", a->beta_2, 0, 1, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int adam_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    const settings *a = attributes;
    names[0] = "momentum";
    names[1] = "velocity";
    names[2] = "velocity_hat";
    return a->amsgrad ? 3 : 2;
}

static void adam_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    double beta_1 = cc_optim_decimal(a->beta_1), beta_2 = cc_optim_decimal(a->beta_2), t = (double)iteration;
    c[ALPHA] = (float)((double)a->common.learning_rate * sqrt(1 - pow(beta_2, t)) / (1 - pow(beta_1, t)));
    c[REST_1] = (float)(1 - beta_1);
    c[REST_2] = (float)(1 - beta_2);
    c[EPSILON] = a->epsilon;
    c[AMSGRAD] = (float)a->amsgrad;
}

static void adam_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                        float scale, float limit, int64_t n)
{
    const float alpha = c[ALPHA], rest_1 = c[REST_1], rest_2 = c[REST_2], epsilon = c[EPSILON];
    float *restrict m = slot[0], *restrict v = slot[1];
    if (c[AMSGRAD] > 0) {
        float *restrict largest = slot[2];
        for (int64_t i = 0; i < n; ++i) {
            float gi = cc_optim_clipped(g[i], scale, limit);
            m[i] += (gi - m[i]) * rest_1;
            v[i] += (gi * gi - v[i]) * rest_2;
            largest[i] = largest[i] >= v[i] ? largest[i] : v[i];
            w[i] -= m[i] * alpha / (sqrtf(largest[i]) + epsilon);
        }
        return;
    }
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit);
        m[i] += (gi - m[i]) * rest_1;
        v[i] += (gi * gi - v[i]) * rest_2;
        w[i] -= m[i] * alpha / (sqrtf(v[i]) + epsilon);
    }
}

const cc_rule cc_rule_adam = {.name = "adam",
                              .attributes = table,
                              .attributes_size = sizeof(settings),
                              .check = adam_check,
                              .slots = adam_slots,
                              .prepare = adam_prepare,
                              .update = adam_update};
