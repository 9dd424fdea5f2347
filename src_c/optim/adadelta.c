/* Adadelta: Zeiler, "Adadelta: an adaptive learning rate method", 2012, algorithm 1, times a learning rate.
 *
 *     s = rho s + (1 - rho) g^2
 *     d = g sqrt(e + epsilon) / sqrt(s + epsilon)
 *     e = rho e + (1 - rho) d^2
 *     w -= lr d */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float rho, epsilon;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"rho", CC_FLOAT, offsetof(settings, rho), "0.95", NULL, "part of the running means that a step keeps"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-7", NULL, "keeps the divisor from 0"},
    {0}};

enum { RATE, RHO, REST, EPSILON };

static cconv_status adadelta_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("rho", a->rho, 0, 1, true));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int adadelta_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "accumulated_grad";
    names[1] = "accumulated_delta_var";
    return 2;
}

static void adadelta_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[RHO] = a->rho;
    c[REST] = (float)(1 - cc_optim_decimal(a->rho));
    c[EPSILON] = a->epsilon;
}

static void adadelta_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                            float scale, float limit, int64_t n)
{
    const float rate = c[RATE], rho = c[RHO], rest = c[REST], epsilon = c[EPSILON];
    float *restrict squares = slot[0], *restrict steps = slot[1];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit);
        squares[i] = rho * squares[i] + rest * (gi * gi);
        float step = gi * sqrtf(steps[i] + epsilon) / sqrtf(squares[i] + epsilon);
        steps[i] = rho * steps[i] + rest * (step * step);
        w[i] -= rate * step;
    }
}

const cc_rule cc_rule_adadelta = {.name = "adadelta",
                                  .attributes = table,
                                  .attributes_size = sizeof(settings),
                                  .check = adadelta_check,
                                  .slots = adadelta_slots,
                                  .prepare = adadelta_prepare,
                                  .update = adadelta_update};
