/* RMSprop: the gradient divided by a running root mean square of itself (Tieleman and Hinton, lecture 6.5 of "Neural networks
 * for machine learning", 2012), in Keras' form, with epsilon inside the root:
 *
 *     v = rho v + (1 - rho) g^2
 *     a = rho a + (1 - rho) g                 centered only; then v - a^2, the variance, takes v's place below
 *     s = lr g / sqrt(v + epsilon)
 *     w -= s                                  or, with momentum:  m = mu m + s;  w -= m */
#include "optim/optim.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float rho, momentum, epsilon;
    int centered;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"rho", CC_FLOAT, offsetof(settings, rho), "0.9", NULL, "part of the running mean of squared gradients that a step keeps"},
    {"momentum", CC_FLOAT, offsetof(settings, momentum), "0", NULL, "part of the last step that is added to the next"},
    {"epsilon", CC_FLOAT, offsetof(settings, epsilon), "1e-7", NULL, "added to the running mean before its root is taken"},
    {"centered", CC_BOOL, offsetof(settings, centered), "false", NULL,
     "1: the squared running mean of gradients is subtracted first"},
    {0}};

enum { RATE, RHO, REST, MOMENTUM, EPSILON, CENTERED };

static cconv_status rmsprop_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("rho", a->rho, 0, 1, false));
    CC_TRY(cc_optim_check("momentum", a->momentum, 0, 1, false));
    return cc_optim_check("epsilon", a->epsilon, 0, INFINITY, true);
}

static int rmsprop_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    const settings *a = attributes;
    int n = 0;
    names[n++] = "velocity";
    if (a->momentum > 0) names[n++] = "momentum";
    if (a->centered) names[n++] = "average_gradient";
    return n;
}

static void rmsprop_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[RHO] = a->rho;
    c[REST] = (float)(1 - cc_optim_decimal(a->rho));
    c[MOMENTUM] = a->momentum;
    c[EPSILON] = a->epsilon;
    c[CENTERED] = (float)a->centered;
}

/* One loop for each of the four ways, in which m and a are known to be there or not: a loop that asks is not vectorized. */
static inline void update_as(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *restrict v,
                             float *restrict m, float *restrict a, float scale, float limit, int64_t n)
{
    const float rate = c[RATE], rho = c[RHO], rest = c[REST], mu = c[MOMENTUM], epsilon = c[EPSILON];
    for (int64_t i = 0; i < n; ++i) {
        float gi = cc_optim_clipped(g[i], scale, limit);
        v[i] = rho * v[i] + rest * (gi * gi);
        float spread = v[i];
        if (a) {
            a[i] = rho * a[i] + rest * gi;
            spread -= a[i] * a[i];
            spread = spread < 0 ? 0 : spread; /* rounding, when all gradients were about equal */
        }
        float step = rate * gi / sqrtf(spread + epsilon);
        if (m) {
            m[i] = mu * m[i] + step;
            step = m[i];
        }
        w[i] -= step;
    }
}

static void rmsprop_update(const float c[CC_MAX_COEFFICIENTS], float *restrict w, const float *restrict g, float *const *slot,
                           float scale, float limit, int64_t n)
{
    const bool momentum = c[MOMENTUM] > 0, centered = c[CENTERED] > 0;
    if (momentum && centered)
        update_as(c, w, g, slot[0], slot[1], slot[2], scale, limit, n);
    else if (momentum)
        update_as(c, w, g, slot[0], slot[1], NULL, scale, limit, n);
    else if (centered)
        update_as(c, w, g, slot[0], NULL, slot[1], scale, limit, n);
    else
        update_as(c, w, g, slot[0], NULL, NULL, scale, limit, n);
}

const cc_rule cc_rule_rmsprop = {.name = "rmsprop",
                                 .attributes = table,
                                 .attributes_size = sizeof(settings),
                                 .check = rmsprop_check,
                                 .slots = rmsprop_slots,
                                 .prepare = rmsprop_prepare,
                                 .update = rmsprop_update};
