/* Adafactor: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018, algorithms 4 and 5. The
 * mean of squares of a matrix (the last two axes; the others are a stack of them) is kept as the means r of its rows and c of its
 * columns. At step t = 1, 2, ... with b = 1 - t^beta_2_decay:
 *
 *     r = b r + (1 - b) mean of rows of (g^2 + epsilon_1)        c likewise
 *     v = r c / mean(r)                                         of a vector: v = b v + (1 - b) (g^2 + epsilon_1)
 *     u = g / sqrt(v),   w -= max(epsilon_2, rms(w)) rho u / max(1, rms(u) / clip_threshold)
 *
 * rho is the learning rate, or 1 / sqrt(t) if relative_step is set and that is less. */
#include "optim/optim.h"
#include "base/status.h"
#include <math.h>

typedef struct settings {
    cc_optim_common common;
    float beta_2_decay, epsilon_1, epsilon_2, clip_threshold;
    int relative_step;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"beta_2_decay", CC_FLOAT, offsetof(settings, beta_2_decay), "-0.8", NULL, "power of the step that the means forget with"},
    {"epsilon_1", CC_FLOAT, offsetof(settings, epsilon_1), "1e-30", NULL, "added to squared gradients"},
    {"epsilon_2", CC_FLOAT, offsetof(settings, epsilon_2), "0.001", NULL,
     "least size of a variable that steps are relative to"},
    {"clip_threshold", CC_FLOAT, offsetof(settings, clip_threshold), "1", NULL, "largest root mean square of a step"},
    {"relative_step", CC_BOOL, offsetof(settings, relative_step), "true", NULL,
     "1: the learning rate falls with the root of the step"},
    {0}};

enum { RATE, KEPT, REST, EPSILON_1, EPSILON_2, THRESHOLD };

static cconv_status adafactor_check(const void *attributes)
{
    const settings *a = attributes;
    if (!(a->beta_2_decay < 0) || !isfinite(a->beta_2_decay))
        return cc_fail(CCONV_INVALID, "expected a finite beta_2_decay below 0, received %g", (double)a->beta_2_decay);
    CC_TRY(cc_optim_check("epsilon_1", a->epsilon_1, 0, INFINITY, true));
    CC_TRY(cc_optim_check("epsilon_2", a->epsilon_2, 0, INFINITY, true));
    if (!(a->clip_threshold > 0))
        return cc_fail(CCONV_INVALID, "expected a clip_threshold above 0, received %g", (double)a->clip_threshold);
    return CCONV_OK;
}

static int adafactor_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "r";
    names[1] = "c";
    names[2] = "velocity";
    return 3;
}

static void adafactor_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    const double t = (double)iteration, rate = (double)a->common.learning_rate, rest = pow(t, (double)a->beta_2_decay);
    c[RATE] = (float)(a->relative_step && 1 / sqrt(t) < rate ? 1 / sqrt(t) : rate);
    c[KEPT] = (float)(1 - rest);
    c[REST] = (float)rest;
    c[EPSILON_1] = a->epsilon_1;
    c[EPSILON_2] = a->epsilon_2;
    c[THRESHOLD] = a->clip_threshold;
}

static int adafactor_slot_shape(int slot, int rank, const int64_t *dim, int64_t *slot_dim)
{
    int kept = 0;
    if (slot < 2 && rank < 2) return 0;
    for (int i = 0; i < rank; ++i)
        if (slot == 2 || i != rank - 1 - slot) slot_dim[kept++] = dim[i];
    return kept;
}

/* The means of one matrix of squared gradients, and the products of them in its place. */
static void adafactor_matrix(const float c[CC_MAX_COEFFICIENTS], const cc_whole *x, int64_t first, int64_t rows,
                             int64_t columns, float *r, float *col)
{
    float *v = x->slots[2] + first;
    double all = 0;
    for (int64_t j = 0; j < columns; ++j) col[j] *= c[KEPT];
    for (int64_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (int64_t j = 0; j < columns; ++j) {
            float gi = cc_optim_clipped(x->g[first + i * columns + j], x->scale, x->limit), square = gi * gi + c[EPSILON_1];
            sum += (double)square;
            col[j] += c[REST] * square / (float)rows;
        }
        r[i] = c[KEPT] * r[i] + c[REST] * (float)(sum / (double)columns);
        all += (double)r[i];
    }
    const float mean = (float)(all / (double)rows);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) v[i * columns + j] = r[i] / mean * col[j];
}

static void adafactor_whole(const float c[CC_MAX_COEFFICIENTS], const cc_whole *x)
{
    float *restrict w = x->w, *restrict v = x->slots[2];
    if (x->rank >= 2 && x->count) {
        const int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
        for (int64_t k = 0; k < x->count / (rows * columns); ++k)
            adafactor_matrix(c, x, k * rows * columns, rows, columns, x->slots[0] + k * rows, x->slots[1] + k * columns);
    } else {
        for (int64_t i = 0; i < x->count; ++i) {
            float gi = cc_optim_clipped(x->g[i], x->scale, x->limit);
            v[i] = c[KEPT] * v[i] + c[REST] * (gi * gi + c[EPSILON_1]);
        }
    }
    double of_weights = 0, of_steps = 0;
    for (int64_t i = 0; i < x->count; ++i) {
        const double step = (double)(cc_optim_clipped(x->g[i], x->scale, x->limit) / sqrtf(v[i]));
        of_weights += (double)w[i] * (double)w[i];
        of_steps += step * step;
    }
    const float size = (float)sqrt(of_weights / (double)x->count), length = (float)sqrt(of_steps / (double)x->count);
    const float over = length / c[THRESHOLD], rate = c[RATE] * (size > c[EPSILON_2] ? size : c[EPSILON_2]);
    const float clipped = rate / (over <= 1 ? 1.0f : over);
    for (int64_t i = 0; i < x->count; ++i) w[i] -= clipped * cc_optim_clipped(x->g[i], x->scale, x->limit) / sqrtf(v[i]);
}

const cc_rule cc_rule_adafactor = {.name = "adafactor",
                                   .attributes = table,
                                   .attributes_size = sizeof(settings),
                                   .check = adafactor_check,
                                   .slots = adafactor_slots,
                                   .prepare = adafactor_prepare,
                                   .whole = adafactor_whole,
                                   .slot_shape = adafactor_slot_shape};
