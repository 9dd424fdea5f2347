/* FTRL-Proximal: McMahan and others, "Ad click prediction: a view from the trenches", 2013, algorithm 1, with a power of the
 * learning rate of one's own and the shrinkage of TensorFlow's. p = learning_rate_power.
 *
 *     s' = s + g^2
 *     z += g + 2 shrinkage w - (s'^-p - s^-p) / lr w
 *     q = s'^-p / lr + 2 (l2 + beta / (2 lr))
 *     w = (clip(z, -l1, l1) - z) / q */
#include "optim/optim.h"
#include "base/status.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float learning_rate_power, initial_accumulator_value, l1_regularization_strength, l2_regularization_strength;
    float l2_shrinkage_regularization_strength, beta;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"learning_rate_power", CC_FLOAT, offsetof(settings, learning_rate_power), "-0.5", NULL,
     "how the learning rate falls with the sum of squares; 0: not at all"},
    {"initial_accumulator_value", CC_FLOAT, offsetof(settings, initial_accumulator_value), "0.1", NULL,
     "what the sum of squares begins with"},
    {"l1_regularization_strength", CC_FLOAT, offsetof(settings, l1_regularization_strength), "0", NULL,
     "weight of the L1 penalty"},
    {"l2_regularization_strength", CC_FLOAT, offsetof(settings, l2_regularization_strength), "0", NULL,
     "weight of the L2 penalty"},
    {"l2_shrinkage_regularization_strength", CC_FLOAT, offsetof(settings, l2_shrinkage_regularization_strength), "0", NULL,
     "weight of an L2 penalty that acts on the gradient"},
    {"beta", CC_FLOAT, offsetof(settings, beta), "0", NULL, "added to the root of the sum of squares"},
    {0}};

enum { RATE, POWER, L1, L2, SHRINKAGE };

static cconv_status ftrl_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("initial_accumulator_value", a->initial_accumulator_value, 0, INFINITY, true));
    CC_TRY(cc_optim_check("l1_regularization_strength", a->l1_regularization_strength, 0, INFINITY, true));
    CC_TRY(cc_optim_check("l2_regularization_strength", a->l2_regularization_strength, 0, INFINITY, true));
    CC_TRY(cc_optim_check("l2_shrinkage_regularization_strength", a->l2_shrinkage_regularization_strength, 0, INFINITY, true));
    if (!(a->learning_rate_power <= 0) || !isfinite(a->learning_rate_power))
        return cc_fail(CCONV_INVALID, "expected a finite learning_rate_power of at most 0, received %g",
                       (double)a->learning_rate_power);
    return cc_optim_check("beta", a->beta, 0, INFINITY, true);
}

static int ftrl_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "accumulator";
    names[1] = "linear";
    return 2;
}

static void ftrl_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[POWER] = -a->learning_rate_power;
    c[L1] = a->l1_regularization_strength;
    c[L2] = a->l2_regularization_strength + a->beta / (2 * a->common.learning_rate);
    c[SHRINKAGE] = a->l2_shrinkage_regularization_strength;
}

static float ftrl_initial(const void *attributes, int slot)
{
    return slot == 0 ? ((const settings *)attributes)->initial_accumulator_value : 0.0f;
}

static void ftrl_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                        float scale, float limit, int64_t n)
{
    const float rate = c[RATE], power = c[POWER], l1 = c[L1], l2 = c[L2], shrinkage = c[SHRINKAGE];
    float *restrict sum = slot[0], *restrict z = slot[1];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit), after = sum[i] + gi * gi;
        float root = powf(after, power);
        z[i] += gi + 2 * shrinkage * w[i] - (root - powf(sum[i], power)) / rate * w[i];
        float kept = z[i] > l1 ? l1 : z[i] < -l1 ? -l1 : z[i];
        w[i] = (kept - z[i]) / (root / rate + 2 * l2);
        sum[i] = after;
    }
}

const cc_rule cc_rule_ftrl = {.name = "ftrl",
                              .attributes = table,
                              .attributes_size = sizeof(settings),
                              .check = ftrl_check,
                              .slots = ftrl_slots,
                              .prepare = ftrl_prepare,
                              .update = ftrl_update,
                              .initial = ftrl_initial};
