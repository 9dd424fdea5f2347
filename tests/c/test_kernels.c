/* The kernels of the level in use, through the ops that lead to them, against plain loops; and those of every level that this CPU
 * runs, one beside the other. Small whole numbers make every sum exact, so that nothing but the right answer is equal. */
#include "cconv.h"
#include "harness.h"
#include "kernels/kernels.h"
#include <math.h>
#include <stdlib.h>

/* A whole number of -3 .. 3. */
static float whole(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)((int)((*state >> 16) % 7) - 3);
}

static float *wholes(int64_t count, unsigned seed)
{
    float *values = malloc((size_t)count * sizeof *values);
    for (int64_t i = 0; values && i < count; ++i) values[i] = whole(&seed);
    return values;
}

/* ---- One op ------------------------------------------------------------------------------------------------------- */

enum { MOST = 5 };

/* An op over inputs of its own, the gradient that comes to its output, and what it answers; everything is freed by one_free. */
typedef struct one {
    int n;
    int64_t shape[MOST][4], count[MOST], y_count;
    int rank[MOST];
    float *x[MOST], *dx[MOST], *y, *dy;
} one;

static void one_add(one *o, int rank, const int64_t *shape)
{
    const int i = o->n++;
    o->rank[i] = rank;
    o->count[i] = 1;
    for (int a = 0; a < rank; ++a) o->count[i] *= o->shape[i][a] = shape[a];
    o->x[i] = wholes(o->count[i], 17u * (unsigned)i + 5);
    o->dx[i] = wholes(o->count[i], 1);
}

/* Forward, and backward of the first `wrt` inputs; three threads and one must give the same. */
static bool one_run(one *o, const char *op, const char *attributes, int wrt)
{
    int nodes[MOST], rank;
    int64_t shape[CCONV_MAX_RANK];
    cconv_array inputs[MOST];
    bool done = true;
    cconv_graph *graph = cconv_graph_new();
    for (int i = 0; i < o->n; ++i) {
        nodes[i] = cconv_graph_input(graph, NULL, CCONV_FLOAT32, o->rank[i], o->shape[i]);
        inputs[i] = (cconv_array){o->x[i], CCONV_FLOAT32, o->shape[i][0]};
    }
    const int y = cconv_graph_add(graph, op, NULL, o->n, nodes, attributes);
    for (int threads = 1; done && threads <= 3; threads += 2) {
        cconv_plan *plan = cconv_plan_new(
            graph,
            &(cconv_plan_options){
                .n_outputs = 1, .outputs = &y, .training = 1, .root = y, .n_wrt = wrt, .wrt = nodes, .threads = threads});
        done = plan && cconv_plan_shape(plan, y, 1, &rank, shape) == CCONV_OK;
        if (done && !o->y) {
            o->y_count = 1;
            for (int a = 0; a < rank; ++a) o->y_count *= shape[a];
            o->y = wholes(o->y_count, 1);
            o->dy = wholes(o->y_count, 99);
        }
        float *before = done ? malloc((size_t)o->y_count * sizeof *before) : NULL;
        done = before != NULL;
        if (done) memcpy(before, o->y, (size_t)o->y_count * sizeof *before);
        const cconv_output out = {o->y, CCONV_FLOAT32};
        const cconv_batch batch = {.n = 1, .inputs = inputs, .outputs = &out, .root_gradient = o->dy};
        done = done && cconv_plan_run(plan, &batch) == CCONV_OK;
        CHECK(done && (threads == 1 || !memcmp(before, o->y, (size_t)o->y_count * sizeof *before)));
        for (int i = 0; done && i < wrt; ++i) {
            const float *gradient = cconv_plan_gradient(plan, nodes[i]);
            CHECK(gradient && (threads == 1 || !memcmp(gradient, o->dx[i], (size_t)o->count[i] * sizeof *gradient)));
            if (gradient) memcpy(o->dx[i], gradient, (size_t)o->count[i] * sizeof *gradient);
        }
        free(before);
        cconv_plan_free(plan);
    }
    cconv_graph_free(graph);
    CHECK(done);
    return done;
}

static void one_free(one *o)
{
    for (int i = 0; i < o->n; ++i) {
        free(o->x[i]);
        free(o->dx[i]);
    }
    free(o->y);
    free(o->dy);
}

/* Frees expected. */
static void compare(const char *what, const float *got, float *expected, int64_t count, double tolerance)
{
    int64_t worst = -1;
    for (int64_t i = 0; expected && i < count; ++i)
        if (!(fabs((double)got[i] - (double)expected[i]) <= tolerance)) worst = i;
    if (worst >= 0)
        printf("%s[%lld]: expected %g, found %g\n", what, (long long)worst, (double)expected[worst], (double)got[worst]);
    CHECK(expected && worst < 0);
    free(expected);
}

static float *zeros(int64_t count)
{
    return calloc((size_t)count, sizeof(float));
}

/* ---- Convolution -------------------------------------------------------------------------------------------------- */

typedef struct convolution {
    const char *algorithm;
    int64_t n, h, w, c, oc, kernel, stride, groups;
    int pad;
    bool relu;
    double tolerance; /* Winograd's points are no powers of two */
} convolution;

static void check_convolution(const convolution *v)
{
    const int64_t depth = v->c / v->groups, width = v->oc / v->groups, k = v->kernel;
    const int64_t oh = (v->h + 2 * v->pad - k) / v->stride + 1, ow = (v->w + 2 * v->pad - k) / v->stride + 1;
    char text[200], what[80];
    one o = {0};
    one_add(&o, 4, (int64_t[]){v->n, v->h, v->w, v->c});
    one_add(&o, 4, (int64_t[]){k, k, depth, v->oc});
    one_add(&o, 1, &v->oc);
    snprintf(text, sizeof text, "strides=%d padding=%s groups=%d algorithm=%s activation=%s", (int)v->stride,
             v->pad ? "same" : "valid", (int)v->groups, v->algorithm, v->relu ? "relu" : "linear");
    if (one_run(&o, "conv", text, 3) && o.y_count == v->n * oh * ow * v->oc) {
        float *y = zeros(o.y_count), *dx = zeros(o.count[0]), *dw = zeros(o.count[1]), *db = zeros(o.count[2]);
        for (int64_t i = 0; y && dx && dw && db && i < o.y_count; ++i) {
            const int64_t q = i % v->oc, ox = i / v->oc % ow, oy = i / v->oc / ow % oh, image = i / v->oc / ow / oh;
            y[i] = o.x[2][q];
            for (int pass = 0; pass < 2; ++pass) { /* y first, whose sign the gradients ask for */
                const float dz = !v->relu || y[i] > 0 ? o.dy[i] : 0;
                if (pass == 1) db[q] += dz;
                for (int64_t tap = 0; tap < k * k; ++tap) {
                    const int64_t iy = oy * v->stride - v->pad + tap / k, ix = ox * v->stride - v->pad + tap % k;
                    if (iy < 0 || iy >= v->h || ix < 0 || ix >= v->w) continue;
                    for (int64_t d = 0; d < depth; ++d) {
                        const int64_t at = ((image * v->h + iy) * v->w + ix) * v->c + q / width * depth + d;
                        const int64_t weight = (tap * depth + d) * v->oc + q;
                        if (pass == 0) {
                            y[i] += o.x[0][at] * o.x[1][weight];
                        } else {
                            dx[at] += o.x[1][weight] * dz;
                            dw[weight] += o.x[0][at] * dz;
                        }
                    }
                }
            }
            if (v->relu && y[i] < 0) y[i] = 0;
        }
        snprintf(what, sizeof what, "conv %s %d->%d", v->algorithm, (int)v->c, (int)v->oc);
        compare(what, o.y, y, o.y_count, v->tolerance);
        compare(what, o.dx[0], dx, o.count[0], v->tolerance);
        compare(what, o.dx[1], dw, o.count[1], v->tolerance);
        compare(what, o.dx[2], db, o.count[2], 0);
    }
    one_free(&o);
}

static void test_convolutions_are_exact(void)
{
    static const convolution table[] = {
        {"direct", 2, 9, 10, 5, 19, 3, 1, 1, 1, true, 0},         {"direct", 1, 8, 7, 16, 33, 2, 2, 1, 0, false, 0},
        {"im2col", 2, 9, 10, 3, 17, 3, 1, 1, 1, true, 0},         {"im2col", 1, 9, 9, 20, 8, 3, 2, 1, 0, false, 0},
        {"rows", 2, 9, 10, 2, 21, 3, 1, 1, 1, true, 0},           {"rows", 1, 11, 12, 1, 6, 5, 1, 1, 2, false, 0},
        {"grouped", 2, 9, 15, 12, 12, 3, 1, 4, 1, true, 0},       {"grouped", 1, 7, 9, 24, 48, 3, 1, 3, 1, false, 0},
        {"depthwise", 2, 9, 17, 21, 21, 3, 1, 21, 1, true, 0},    {"depthwise", 1, 12, 11, 7, 7, 5, 1, 7, 2, false, 0},
        {"depthwise", 1, 9, 11, 3, 3, 3, 2, 3, 0, true, 0},       {"winograd", 2, 4, 4, 9, 18, 3, 1, 1, 1, false, 1e-3},
        {"winograd", 2, 13, 14, 17, 35, 3, 1, 1, 1, false, 1e-2}, {"winograd", 2, 11, 10, 17, 35, 5, 1, 1, 2, false, 1e-2},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i) check_convolution(&table[i]);
}

/* ---- Products ----------------------------------------------------------------------------------------------------- */

static void test_products_are_exact(void)
{
    for (int64_t m = 1; m <= 29; m += 4)
        for (int64_t n = 1; n <= 37; n += 9) {
            const int64_t depth = 23;
            one o = {0};
            one_add(&o, 2, (int64_t[]){m, depth});
            one_add(&o, 2, (int64_t[]){depth, n});
            if (one_run(&o, "matmul", NULL, 2) && o.y_count == m * n) {
                float *y = zeros(m * n), *dx = zeros(o.count[0]), *dw = zeros(o.count[1]);
                for (int64_t i = 0; y && dx && dw && i < m * n * depth; ++i) {
                    const int64_t k = i % depth, j = i / depth % n, row = i / depth / n;
                    y[row * n + j] += o.x[0][row * depth + k] * o.x[1][k * n + j];
                    dx[row * depth + k] += o.dy[row * n + j] * o.x[1][k * n + j];
                    dw[k * n + j] += o.dy[row * n + j] * o.x[0][row * depth + k];
                }
                compare("product", o.y, y, o.y_count, 0);
                compare("product's dx", o.dx[0], dx, o.count[0], 0);
                compare("product's dw", o.dx[1], dw, o.count[1], 0);
            }
            one_free(&o);
        }
}

/* ---- Every level beside the portable one ---------------------------------------------------------------------------- */

typedef struct pair {
    const char *name;
    cc_kernels plain, wide;
} pair;

static bool same(const void *a, const void *b, int64_t floats)
{
    return a && b && !memcmp(a, b, (size_t)floats * sizeof(float));
}

/* Calls f for each level this CPU runs, the portable one too: that its table is made twice alike is worth knowing. */
static void each_level(void (*f)(const pair *))
{
    char names[100];
    snprintf(names, sizeof names, "%s", cconv_isas());
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
        pair p = {.name = name};
        CHECK(cc_kernels_of_level("portable", &p.plain) && cc_kernels_of_level(name, &p.wide));
        const int before = checks_failed;
        f(&p);
        if (checks_failed != before) printf("level %s\n", name);
    }
}

static void check_sizes(const pair *p)
{
    const cc_kernels *k = &p->wide;
    CHECK(k->gemm.mr >= 1 && k->gemm.mr <= CC_MR_MAX && k->gemm.nr >= 2 && k->gemm.nr % 2 == 0);
    CHECK(k->winograd.mr >= 1 && k->winograd.nr >= 2);
    CHECK(k->grouped.vec >= 1 && k->grouped.vec <= CC_VEC_MAX && k->grouped.pixels >= 1);
    if (strcmp(p->name, "portable") != 0) /* each of them has units for these three */
        CHECK(k->gemm.block != p->plain.gemm.block && k->pool.max != p->plain.pool.max && k->norm.sums != p->plain.norm.sums);
}

static void check_pool(const pair *p)
{
    for (int64_t c = 1; c <= 19; ++c)
        for (int act = CC_ACT_LINEAR; act <= CC_ACT_RELU6; ++act) {
            cc_pool job = {.c = c,
                           .outputs = 3,
                           .step = 2 * c,
                           .line = 8 * c,
                           .planes = 1,
                           .rows = 2,
                           .columns = 2,
                           .width = 2,
                           .act = (cc_activation)act,
                           .wide = c % 2 == 0};
            const int64_t in = 16 * c, out = 3 * c;
            float *x = wholes(in, (unsigned)c), *a = zeros(out), *b = zeros(out), *da = wholes(in, 3), *db = wholes(in, 3);
            float *places_a = zeros(out), *places_b = zeros(out);
            if (x && a && b && da && db && places_a && places_b) {
                x[c] = NAN; /* its number must be found, too */
                p->plain.pool.max(&job, a, places_a, x);
                p->wide.pool.max(&job, b, places_b, x);
                CHECK(same(a, b, out) && same(places_a, places_b, out));
                job.planes = 2, job.rows = 1, job.plane = 8 * c, job.area = 2;
                p->plain.pool.max(&job, a, places_a, x);
                p->wide.pool.max(&job, b, places_b, x);
                CHECK(same(a, b, out) && same(places_a, places_b, out));
                job.planes = 1;
                p->plain.pool.max_backward(&job, da, x, a, places_a, true);
                p->wide.pool.max_backward(&job, db, x, b, places_b, true);
                CHECK(same(da + 2 * c, db + 2 * c, in - 2 * c));
                x[c] = 2;
                job.rows = 2;
                p->plain.pool.sum(&job, a, x, 0.25f, act == 0);
                p->wide.pool.sum(&job, b, x, 0.25f, act == 0);
                CHECK(same(a, b, out));
                p->plain.pool.sum_backward(&job, da, a, 0.5f, act != 0);
                p->wide.pool.sum_backward(&job, db, b, 0.5f, act != 0);
                CHECK(same(da + 2 * c, db + 2 * c, in - 2 * c));
            }
            float *const all[] = {x, a, b, da, db, places_a, places_b};
            for (size_t i = 0; i < sizeof all / sizeof *all; ++i) free(all[i]);
        }
}

static void check_norm(const pair *p)
{
    enum { ROWS = 7, MOST_C = 19 };
    for (int64_t c = 1; c <= MOST_C; ++c)
        for (int act = CC_ACT_LINEAR; act <= CC_ACT_RELU6; ++act) {
            const int64_t n = ROWS * c;
            float *f = wholes(6 * c, 8), *x = wholes(n, 2), *dy = wholes(n, 4);
            float *a = zeros(2 * n + 3 * c), *b = zeros(2 * n + 3 * c);
            if (f && x && dy && a && b) {
                const cc_norm job = {.c = c,
                                     .act = (cc_activation)act,
                                     .high = f,
                                     .low = f + c,
                                     .scale = f + 2 * c,
                                     .shift = f + 3 * c,
                                     .by_x = f + 4 * c,
                                     .constant = f + 5 * c};
                p->plain.norm.forward(&job, a, x, act ? dy : NULL, ROWS);
                p->wide.norm.forward(&job, b, x, act ? dy : NULL, ROWS);
                CHECK(same(a, b, n));
                p->plain.norm.sums(&job, a + n, dy, x, a, ROWS, a + 2 * n, a + 2 * n + c);
                p->wide.norm.sums(&job, b + n, dy, x, b, ROWS, b + 2 * n, b + 2 * n + c);
                CHECK(same(a, b, 2 * n + 2 * c));
                p->plain.norm.backward(&job, a + n, dy, x, a, ROWS);
                p->wide.norm.backward(&job, b + n, dy, x, b, ROWS);
                CHECK(same(a, b, 2 * n));
                p->plain.norm.combine(&job, a, dy, x, ROWS);
                p->wide.norm.combine(&job, b, dy, x, ROWS);
                CHECK(same(a, b, n));
                p->plain.norm.moments(x, 4, c, a, a + c, a + 2 * c); /* quarters: exact, too */
                p->wide.norm.moments(x, 4, c, b, b + c, b + 2 * c);
                CHECK(same(a, b, 3 * c));
            }
            float *const all[] = {f, x, dy, a, b};
            for (size_t i = 0; i < sizeof all / sizeof *all; ++i) free(all[i]);
        }
}

static void check_row_norm(const pair *p)
{
    for (int64_t n = 1; n <= 101; n += n < 40 ? 1 : 20) {
        float *f = wholes(2 * n, 8), *x = wholes(n, 2), *dy = wholes(n, 4), *a = zeros(3 * n), *b = zeros(3 * n);
        if (f && x && dy && a && b) {
            const cc_row_norm job = {
                .n = n, .high = 2, .low = 1, .s = 0.5f, .gamma = n % 3 ? f : NULL, .beta = n % 2 ? f + n : NULL};
            double sums[4];
            p->plain.norm.row_moments(x, n, 1, &sums[0], &sums[1]);
            p->wide.norm.row_moments(x, n, 1, &sums[2], &sums[3]);
            double alone;
            p->wide.norm.row_moments(x, n, 1, &alone, NULL);
            CHECK(alone == sums[2]);
            CHECK(sums[0] == sums[2] && sums[1] == sums[3]);
            p->plain.norm.row_forward(&job, a, x);
            p->wide.norm.row_forward(&job, b, x);
            CHECK(same(a, b, n));
            p->plain.norm.row_sums(&job, dy, x, a + n, a + 2 * n, &sums[0], &sums[1]);
            p->wide.norm.row_sums(&job, dy, x, b + n, b + 2 * n, &sums[2], &sums[3]);
            CHECK(sums[0] == sums[2] && sums[1] == sums[3] && same(a, b, 3 * n));
            p->plain.norm.row_backward(&job, a, dy, x, 3, -1);
            p->wide.norm.row_backward(&job, b, dy, x, 3, -1);
            CHECK(same(a, b, n));
        }
        float *const all[] = {f, x, dy, a, b};
        for (size_t i = 0; i < sizeof all / sizeof *all; ++i) free(all[i]);
    }
}

static void check_elementwise(const pair *p)
{
    enum { N = 67 };
    float x[N], a[N], b[N], da[N], db[N];
    for (int64_t n = 1; n <= N; ++n)
        for (int act = CC_ACT_RELU; act < CC_ACT_COUNT; ++act) {
            const cc_activation f = (cc_activation)act;
            for (int64_t i = 0; i < n; ++i) x[i] = 0.37f * (float)((i * 29 + n) % 61 - 30);
            if (n > 8) x[2] = NAN, x[5] = INFINITY, x[7] = -INFINITY;
            p->plain.elementwise.act_forward(f, 0.5f, a, x, n);
            p->wide.elementwise.act_forward(f, 0.5f, b, x, n);
            const float *v = cc_act_told_from_y(f) ? a : x;
            p->plain.elementwise.act_backward(f, 0.5f, da, x, v, n);
            p->wide.elementwise.act_backward(f, 0.5f, db, x, v, n);
            for (int64_t i = 0; i < n; ++i) {
                const float y = cc_act(f, 0.5f, x[i]), dx = x[i] * cc_act_slope(f, 0.5f, v[i]);
                const float u =
                    f == CC_ACT_GELU_TANH && x[i] < 0 ? x[i] * (1 + 0.044715f * x[i] * x[i]) : 0;  /* half its exponent or so */
                const float bound = (1e-6f + 4e-7f * fabsf(u)) * fabsf(y) + (u != 0 ? 5e-38f : 0); /* below, y is 0 */
                CHECK(isnan(y) ? isnan(b[i]) && isnan(a[i]) : b[i] == y || fabsf(b[i] - y) <= bound);
                CHECK(isnan(dx) ? isnan(db[i]) && isnan(da[i]) : db[i] == dx || fabsf(db[i] - dx) <= 2e-6f * fabsf(x[i]));
            }
        }
    for (int64_t n = 1; n <= N; ++n) {
        for (int64_t i = 0; i < n; ++i) x[i] = 0.37f * (float)(i % 61 - 30), a[i] = b[i] = 1;
        p->plain.elementwise.add(a, x, n);
        p->wide.elementwise.add(b, x, n);
        CHECK(same(a, b, n));
        p->plain.elementwise.add_rows(a, x, 9, n / 9);
        p->wide.elementwise.add_rows(b, x, 9, n / 9);
        CHECK(same(a, b, n));
        p->plain.elementwise.add_windows(a, 2, x, 3, n / 7, n / 7);
        p->wide.elementwise.add_windows(b, 2, x, 3, n / 7, n / 7);
        for (int64_t i = 0; i < n; ++i)
            CHECK(fabsf(a[i] - b[i]) <= 1e-4f); /* windows that overlap are added in another order */
        p->wide.elementwise.exp(b, x, 1, n);
        for (int64_t i = 0; i < n; ++i) CHECK(fabsf(b[i] - expf(x[i] - 1)) <= 1e-6f * expf(x[i] - 1));
        double sum = 0, dot = 0;
        for (int64_t i = 0; i < n; ++i) sum += exp((double)x[i]);
        for (int64_t i = 0; i < n; ++i) dot += exp((double)x[i]) / sum * (double)x[i];
        p->wide.elementwise.softmax_forward(b, x, n);
        p->wide.elementwise.softmax_backward(a, x, b, n);
        for (int64_t i = 0; i < n; ++i) {
            const double y = exp((double)x[i]) / sum, dx = y * ((double)x[i] - dot);
            CHECK(fabs((double)b[i] - y) <= 4e-6 * y && fabs((double)a[i] - dx) <= 1e-5 * (y + fabs(dx)));
        }
        const cc_random random = {.seed = 5, .step = 6, .draw = 7};
        p->plain.random.dropout(a, x, n, &random, 3, 1u << 22, 1.25f);
        p->wide.random.dropout(b, x, n, &random, 3, 1u << 22, 1.25f);
        CHECK(same(a, b, n));
    }
}

static void check_depthwise(const pair *p)
{
    enum { ROWS = 3, IN = 21 };
    for (int64_t c = 1; c <= 19; c += 3)
        for (int64_t taps = 1; taps <= 5; ++taps)
            for (int64_t step = 1; step <= 2; ++step) {
                const cc_depthwise job = {.c = c,
                                          .count = IN / step,
                                          .rows = ROWS,
                                          .taps = taps,
                                          .step = step,
                                          .offset = -1,
                                          .tap_step = 1,
                                          .limit = IN,
                                          .x_row = IN * c,
                                          .x_pixel = c,
                                          .y_pixel = c,
                                          .w_row = taps * c,
                                          .w_tap = c,
                                          .act = (cc_activation)(taps % 3)};
                const int64_t out = job.count * c, weights = ROWS * taps * c;
                float *x = wholes(ROWS * IN * c, 6), *w = wholes(weights, 7), *a = zeros(out), *b = zeros(out);
                float *da = wholes(weights, 8), *db = wholes(weights, 8);
                if (x && w && a && b && da && db) {
                    p->plain.depthwise.row(&job, a, x, w);
                    p->wide.depthwise.row(&job, b, x, w);
                    CHECK(same(a, b, out));
                    p->plain.depthwise.weights(&job, da, x, a);
                    p->wide.depthwise.weights(&job, db, x, b);
                    CHECK(same(da, db, weights));
                }
                float *const all[] = {x, w, a, b, da, db};
                for (size_t i = 0; i < sizeof all / sizeof *all; ++i) free(all[i]);
            }
}

static void test_levels_have_every_family(void)
{
    cc_kernels kernels;
    each_level(check_sizes);
    CHECK(!cc_kernels_of_level("sse9", &kernels));
}

static void test_levels_pool_alike(void)
{
    each_level(check_pool);
}

static void test_levels_normalize_alike(void)
{
    each_level(check_norm);
    each_level(check_row_norm);
}

static void test_levels_compute_elements_alike(void)
{
    each_level(check_elementwise);
}

static void test_levels_convolve_depthwise_alike(void)
{
    each_level(check_depthwise);
}

const test kernel_tests[] = {
    {"convolutions_are_exact", test_convolutions_are_exact},
    {"products_are_exact", test_products_are_exact},
    {"levels_have_every_family", test_levels_have_every_family},
    {"levels_pool_alike", test_levels_pool_alike},
    {"levels_normalize_alike", test_levels_normalize_alike},
    {"levels_compute_elements_alike", test_levels_compute_elements_alike},
    {"levels_convolve_depthwise_alike", test_levels_convolve_depthwise_alike},
    {0},
};
