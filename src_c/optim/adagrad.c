/* Adagrad: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
 *
 *     s += g^2
 *     w -= lr g / sqrt(s + epsilon) */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float initial_accumulator_value, epsilon;
} settings;

static const cc_attr table[] = {CC_OPTIM_RATE("0.001"),
                                {"initial_accumulator_value", CC_FLOAT, offsetof(settings, initial_accumulator_value), "0.1",
                                 NULL, "what the sum of squares begins with"},
                                {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-7", NULL, "keeps the divisor from 0"},
                                {0}};

enum { RATE, EPSILON };

static cconv_status adagrad_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("initial_accumulator_value", a->initial_accumulator_value, 0, INFINITY, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int adagrad_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "accumulator";
    return 1;
}

static void adagrad_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[EPSILON] = a->epsilon;
}

static float adagrad_initial(const void *attributes, int slot)
{
    return slot == 0 ? ((const settings *)attributes)->initial_accumulator_value : 0.0f;
}

static void adagrad_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                           float scale, float limit, int64_t n)
{
    const float rate = c[RATE], epsilon = c[EPSILON];
    float *restrict sum = slot[0];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit);
        sum[i] += gi * gi;
        w[i] -= rate * gi / sqrtf(sum[i] + epsilon);
    }
}

const cc_rule cc_rule_adagrad = {.name = "adagrad",
                                 .attributes = table,
                                 .attributes_size = sizeof(settings),
                                 .check = adagrad_check,
                                 .slots = adagrad_slots,
                                 .prepare = adagrad_prepare,
                                 .update = adagrad_update,
                                 .initial = adagrad_initial};
