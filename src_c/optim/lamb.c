/* LAMB: You and others, "Large batch optimization for deep learning: training BERT in 76 minutes", 2020, algorithm 2. At step t =
 * 1, 2, ...
 *
 *     m += (g - m) (1 - beta_1)
 *     v += (g^2 - v) (1 - beta_2)
 *     r = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
 *     w -= lr |w| / |r| r       with the norms of the variable; 1 where one of them is 0 */
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

enum { RATE, REST_1, REST_2, EPSILON, OF_MEAN, OF_SQUARE };

static cconv_status lamb_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("beta_1", a->beta_1, 0, 1, true));
    CC_TRY(cc_optim_check("beta_2", a->beta_2, 0, 1, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int lamb_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "momentum";
    names[1] = "velocity";
    return 2;
}

static void lamb_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    double beta_1 = cc_optim_decimal(a->beta_1), beta_2 = cc_optim_decimal(a->beta_2), t = (double)iteration;
    c[RATE] = a->common.learning_rate;
    c[REST_1] = (float)(1 - beta_1);
    c[REST_2] = (float)(1 - beta_2);
    c[EPSILON] = a->epsilon;
    c[OF_MEAN] = (float)(1 / (1 - pow(beta_1, t)));
    c[OF_SQUARE] = (float)(1 / (1 - pow(beta_2, t)));
}

static float lamb_step(const float c[CC_MAX_COEFFICIENTS], float m, float v)
{
    return m * c[OF_MEAN] / (sqrtf(v * c[OF_SQUARE]) + c[EPSILON]);
}

static void lamb_whole(const float c[CC_MAX_COEFFICIENTS], const cc_whole *x)
{
    float *restrict w = x->w, *restrict m = x->slots[0], *restrict v = x->slots[1];
    double of_weights = 0, of_steps = 0;
    for (int64_t i = 0; i < x->count; ++i) {
        float gi = cc_optim_clipped(x->g[i], x->scale, x->limit);
        m[i] += (gi - m[i]) * c[REST_1];
        v[i] += (gi * gi - v[i]) * c[REST_2];
        const double step = (double)lamb_step(c, m[i], v[i]);
        of_weights += (double)w[i] * (double)w[i];
        of_steps += step * step;
    }
    const float ratio = of_weights > 0 && of_steps > 0 ? (float)(sqrt(of_weights) / sqrt(of_steps)) : 1.0f;
    for (int64_t i = 0; i < x->count; ++i) w[i] -= ratio * c[RATE] * lamb_step(c, m[i], v[i]);
}

const cc_rule cc_rule_lamb = {.name = "lamb",
                              .attributes = table,
                              .attributes_size = sizeof(settings),
                              .check = lamb_check,
                              .slots = lamb_slots,
                              .prepare = lamb_prepare,
                              .whole = lamb_whole};
