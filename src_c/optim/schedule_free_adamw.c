/* Schedule-free AdamW: Defazio and others, "The road less scheduled", 2024, as Keras has it: gradients are taken at the average of
 * all steps so far, which is what the weights hold, and z is where plain steps have led. At step t = 1, 2, ...
 *
 *     v += (g^2 - v) (1 - beta_2)
 *     z -= lr min(1, t / warmup_steps) g / (sqrt(v / (1 - beta_2^t)) + epsilon)
 *     w += (z - w) / t
 *
 * z begins as the weights. */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float beta_2, epsilon;
    int warmup_steps;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.0025"),
    {"beta_2", CC_FLOAT, offsetof(settings, beta_2), "0.999", NULL,
     "part of the running mean of squared gradients that a step keeps"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-8", NULL, "added to the root that is divided by"},
    {"warmup_steps", CC_INT, offsetof(settings, warmup_steps), "0", NULL, "steps in which the learning rate grows to its size"},
    {0}};

enum { RATE, REST_2, EPSILON, OF_SQUARE, SHARE };

static cconv_status schedule_free_adamw_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("beta_2", a->beta_2, 0, 1, true));
    CC_TRY(cc_optim_check("warmup_steps", (float)a->warmup_steps, 0, INFINITY, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int schedule_free_adamw_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "momentum";
    names[1] = "velocity";
    return 2;
}

static void schedule_free_adamw_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    const double beta_2 = cc_optim_decimal(a->beta_2), t = (double)iteration;
    const double part = iteration < a->warmup_steps ? t / a->warmup_steps : 1;
    c[RATE] = (float)((double)a->common.learning_rate * part);
    c[REST_2] = (float)(1 - beta_2);
    c[EPSILON] = a->epsilon;
    c[OF_SQUARE] = (float)(1 / (1 - pow(beta_2, t)));
    c[SHARE] = (float)(1 / t);
}

static void schedule_free_adamw_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g,
                                       float *const *slot, float scale, float limit, int64_t n)
{
    const float rate = c[RATE], rest_2 = c[REST_2], epsilon = c[EPSILON], of_square = c[OF_SQUARE], share = c[SHARE];
    float *restrict z = slot[0], *restrict v = slot[1];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit);
        v[i] += (gi * gi - v[i]) * rest_2;
        z[i] -= rate * gi / (sqrtf(v[i] * of_square) + epsilon);
        w[i] += (z[i] - w[i]) * share;
    }
}

const cc_rule cc_rule_schedule_free_adamw = {.name = "schedule_free_adamw",
                                             .attributes = table,
                                             .attributes_size = sizeof(settings),
                                             .check = schedule_free_adamw_check,
                                             .slots = schedule_free_adamw_slots,
                                             .copied = 1,
                                             .prepare = schedule_free_adamw_prepare,
                                             .update = schedule_free_adamw_update};
