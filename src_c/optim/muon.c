/* Muon: Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024; the size of the step: Liu and others,
 * "Muon is scalable for LLM training", 2025, section 2.2. Of a matrix of r rows and c columns:
 *
 *     m = momentum m + g
 *     x = (g + momentum m) / (|.| + 1e-7)             without nesterov: m in the place of g + momentum m
 *     x = a x + (b (x x^T) + c (x x^T)^2) x           ns_steps times: the singular values come near 1 (Newton and Schulz);
 *                                                     of a matrix of more rows than columns its transpose
 *     w -= lr sqrt(max(r, c)) rms_rate x              rms_rate below 0: w -= lr x
 *
 * A variable that is no matrix is taken as one of a single row. */
#include "optim/optim.h"
#include "algos/gemm.h"
#include "algos/pack.h"
#include <math.h>
#include <string.h>

typedef struct settings {
    cc_optim_common common;
    float momentum, muon_a, muon_b, muon_c, rms_rate;
    int ns_steps, nesterov;
} settings;

static const cc_attr table[] = {
    CC_OPTIM_RATE("0.001"),
    {"momentum", CC_FLOAT, offsetof(settings, momentum), "0.95", NULL,
     "part of the running sum of gradients that a step keeps"},
    {"muon_a", CC_FLOAT, offsetof(settings, muon_a), "3.4445", NULL, "coefficient of x in the polynomial of the iteration"},
    {"muon_b", CC_FLOAT, offsetof(settings, muon_b), "-4.775", NULL, "its coefficient of the third power"},
    {"muon_c", CC_FLOAT, offsetof(settings, muon_c), "2.0315", NULL, "its coefficient of the fifth power"},
    {"rms_rate", CC_FLOAT, offsetof(settings, rms_rate), "0.2", NULL, "root mean square of a step; below 0: it is not scaled"},
    {"ns_steps", CC_INT, offsetof(settings, ns_steps), "5", NULL, "how often the polynomial is taken"},
    {"nesterov", CC_BOOL, offsetof(settings, nesterov), "true", NULL, "1: the step is that from where the momentum leads"},
    {0}};

enum { RATE, MOMENTUM, LINEAR, CUBIC, QUINTIC, SIZE, STEPS, NESTEROV };
enum { ALIGNED = 16 }; /* floats of a cache line, at which panels begin */

static cconv_status muon_check(const void *attributes)
{
    const settings *a = attributes;
    CC_TRY(cc_optim_check("momentum", a->momentum, 0, 1, true));
    return cc_optim_check("ns_steps", (float)a->ns_steps, 0, 1000, false);
}

static int muon_slots(const void *attributes, const char *names[CC_MAX_SLOTS])
{
    (void)attributes;
    names[0] = "momentum";
    return 1;
}

static void muon_prepare(const void *attributes, int64_t iteration, float c[CC_MAX_COEFFICIENTS])
{
    const settings *a = attributes;
    (void)iteration;
    c[RATE] = a->common.learning_rate;
    c[MOMENTUM] = a->momentum;
    c[LINEAR] = a->muon_a;
    c[CUBIC] = a->muon_b;
    c[QUINTIC] = a->muon_c;
    c[SIZE] = a->rms_rate;
    c[STEPS] = (float)a->ns_steps;
    c[NESTEROV] = (float)a->nesterov;
}

/* Rows and columns of the matrix that is iterated: no more rows than columns. Returns whether it is the variable transposed. */
static bool muon_sides(int rank, const int64_t *dim, int64_t *rows, int64_t *columns)
{
    int64_t count = 1;
    for (int i = 0; i < rank; ++i) count *= dim[i];
    const int64_t r = rank == 2 ? dim[0] : 1, c = rank == 2 ? dim[1] : count;
    *rows = r < c ? r : c;
    *columns = r < c ? c : r;
    return r > c;
}

static int64_t muon_panels(int64_t rows, int64_t columns)
{
    const int64_t squares = cc_panels_count(1, columns, rows), products = cc_panels_count(1, rows, columns);
    return squares > products ? squares : products;
}

static int64_t muon_scratch(int rank, const int64_t *dim)
{
    int64_t rows, columns;
    muon_sides(rank, dim, &rows, &columns);
    return ALIGNED + muon_panels(rows, columns) + 2 * rows * columns + 2 * rows * rows;
}

/* y[m][n] (+)= a[m][k] b[k][n]; b is stored [n][k] if transposed. */
static void muon_product(float *y, const float *a, const float *b, int64_t m, int64_t n, int64_t k, bool transposed,
                         bool accumulate, float *panels)
{
    const cc_team alone = {.nth = 1};
    cc_matrix_rows rows = {.a = a, .a_row = k, .y = y, .y_row = n};
    cc_pack_matrix(panels, b, k, n, transposed ? 1 : n, transposed ? k : 1, &alone);
    cc_product_run(&(cc_product){.m = m,
                                 .n = n,
                                 .taps = 1,
                                 .depth = k,
                                 .rows = cc_rows_of_matrix,
                                 .source = &rows,
                                 .a_step = k,
                                 .panels = panels,
                                 .accumulate = accumulate},
                   &alone);
}

/* The momentum, and in x the direction of the step, whose norm is 1. */
static void muon_direction(const float c[CC_MAX_COEFFICIENTS], const cc_whole *v, float *x, bool transposed, int64_t rows,
                           int64_t columns)
{
    float *m = v->slots[0];
    double squares = 0;
    for (int64_t i = 0; i < v->count; ++i) {
        const float gi = cc_optim_clipped(v->g[i], v->scale, v->limit);
        m[i] = c[MOMENTUM] * m[i] + gi;
        const float step = c[NESTEROV] > 0 ? gi + c[MOMENTUM] * m[i] : m[i];
        x[transposed ? i % rows * columns + i / rows : i] = step;
        squares += (double)step * (double)step;
    }
    const float factor = (float)(1 / (sqrt(squares) + 1e-7));
    for (int64_t i = 0; i < v->count; ++i) x[i] *= factor;
}

static void muon_whole(const float c[CC_MAX_COEFFICIENTS], const cc_whole *v)
{
    int64_t rows, columns;
    const bool transposed = muon_sides(v->rank, v->dim, &rows, &columns);
    if (!v->count) return;
    float *panels = (float *)(((uintptr_t)v->scratch + 63) & ~(uintptr_t)63);
    float *x = panels + muon_panels(rows, columns), *next = x + v->count;
    float *square = next + v->count, *fourth = square + rows * rows;
    muon_direction(c, v, x, transposed, rows, columns);
    for (int step = 0; step < (int)c[STEPS]; ++step) {
        muon_product(square, x, x, rows, rows, columns, true, false, panels);
        muon_product(fourth, square, square, rows, rows, rows, false, false, panels);
        for (int64_t i = 0; i < rows * rows; ++i) fourth[i] = c[CUBIC] * square[i] + c[QUINTIC] * fourth[i];
        for (int64_t i = 0; i < v->count; ++i) next[i] = c[LINEAR] * x[i];
        muon_product(next, fourth, x, rows, columns, rows, false, true, panels);
        float *before = x;
        x = next, next = before;
    }
    const float rate = c[SIZE] < 0 ? c[RATE] : c[RATE] * c[SIZE] * sqrtf((float)columns);
    for (int64_t i = 0; i < v->count; ++i) v->w[i] -= rate * x[transposed ? i % rows * columns + i / rows : i];
}

const cc_rule cc_rule_muon = {.name = "muon",
                              .attributes = table,
                              .attributes_size = sizeof(settings),
                              .check = muon_check,
                              .slots = muon_slots,
                              .prepare = muon_prepare,
                              .whole = muon_whole,
                              .scratch = muon_scratch};
