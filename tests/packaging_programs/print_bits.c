/* Trains a network of many ops for a few steps and prints the bits of its loss, its output and its variables: builds of the
 * library agree in them at the same instruction set, or they are not the same library. */
#include "cconv.h"
#include <stdio.h>

enum { SAMPLES = 4, SIDE = 14, CHANNELS = 3, CLASSES = 5, MOST = 64 };

static cconv_variable *variables[MOST];
static int wrt[MOST], n_variables, n_wrt;

static float number(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static int variable(cconv_graph *g, int rank, const int64_t *shape, float scale, float offset, int trained)
{
    cconv_variable *v = cconv_variable_new(rank, shape);
    unsigned state = (unsigned)n_variables + 1;
    for (size_t i = 0; i < cconv_variable_count(v); ++i) cconv_variable_data(v)[i] = offset + scale * number(&state);
    cconv_variable_touch(v);
    variables[n_variables++] = v;
    const int node = cconv_graph_variable(g, NULL, v);
    if (trained) wrt[n_wrt++] = node;
    return node;
}

static int conv(cconv_graph *g, int x, int kh, int kw, int64_t in, int64_t out, const char *attributes)
{
    const int w = variable(g, 4, (int64_t[]){kh, kw, in, out}, 0.3f, 0, 1);
    const int b = variable(g, 1, (int64_t[]){out}, 0.1f, 0, 1);
    return cconv_graph_add(g, "conv", NULL, 3, (int[]){x, w, b}, attributes);
}

static void bits(const char *name, const float *values, size_t n)
{
    uint64_t hash = 1469598103934665603u;
    const unsigned char *bytes = (const unsigned char *)values;
    for (size_t i = 0; i < n * sizeof *values; ++i) hash = (hash ^ bytes[i]) * 1099511628211u;
    printf("%s %zu %016llx\n", name, n, (unsigned long long)hash);
}

int main(void)
{
    static float images[SAMPLES * SIDE * SIDE * CHANNELS], logits[SAMPLES * CLASSES], loss;
    int32_t labels[SAMPLES];
    unsigned state = 99;
    for (int i = 0; i < SAMPLES; ++i) labels[i] = i % CLASSES;
    for (size_t i = 0; i < sizeof images / sizeof *images; ++i) images[i] = number(&state);

    cconv_graph *g = cconv_graph_new();
    int y = cconv_graph_input(g, "y", CCONV_INT32, 1, (int64_t[]){-1});
    int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, SIDE, SIDE, CHANNELS});
    int v = conv(g, x, 5, 3, CHANNELS, 17, "padding=same activation=tanh");
    v = conv(g, v, 3, 3, 17, 32, "padding=same activation=gelu");
    const int shortcut = v;
    v = conv(g, v, 3, 3, 32, 32, "padding=same activation=silu");
    v = conv(g, v, 3, 3, 1, 32, "padding=same groups=32 activation=elu");
    v = conv(g, v, 3, 3, 8, 32, "padding=same groups=4 activation=softplus");
    v = conv(g, v, 1, 1, 32, 32, "activation=sigmoid");
    v = cconv_graph_add(g, "add", NULL, 2, (int[]){v, shortcut}, NULL);
    int gamma = variable(g, 1, (int64_t[]){32}, 0.1f, 1, 1), beta = variable(g, 1, (int64_t[]){32}, 0.1f, 0, 1);
    int mean = variable(g, 1, (int64_t[]){32}, 0, 0, 0), variance = variable(g, 1, (int64_t[]){32}, 0, 1, 0);
    v = cconv_graph_add(g, "batch_norm", NULL, 5, (int[]){v, gamma, beta, mean, variance}, "training=1");
    v = cconv_graph_add(g, "max_pool", NULL, 1, &v, "pool_size=2");
    v = cconv_graph_add(g, "dropout", NULL, 1, &v, "rate=0.25");
    v = conv(g, v, 2, 2, 32, 24, "strides=2,2 activation=mish");
    int pooled = cconv_graph_add(g, "global_avg_pool", NULL, 1, &v, NULL);
    int power = cconv_graph_add(g, "expm1", NULL, 1, &pooled, NULL);
    int root = cconv_graph_add(g, "hypot", NULL, 2, (int[]){power, pooled}, NULL);
    int w = variable(g, 2, (int64_t[]){24, CLASSES}, 0.3f, 0, 1), b = variable(g, 1, (int64_t[]){CLASSES}, 0, 0, 1);
    int p = cconv_graph_add(g, "dense", NULL, 3, (int[]){root, w, b}, NULL);
    int e = cconv_graph_add(g, "sparse_categorical_crossentropy", NULL, 2, (int[]){y, p}, "from_logits=1");
    int l = cconv_graph_add(g, "mean", NULL, 1, &e, NULL);

    cconv_optimizer *adam = cconv_optimizer_new("adam", "learning_rate=0.01");
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){
        .max_batch = SAMPLES, .n_outputs = 2, .outputs = (int[]){l, p}, .training = 1, .root = l, .n_wrt = n_wrt, .wrt = wrt,
        .optimizer = adam});
    for (int step = 0; plan && step < 4; ++step)
        cconv_plan_run(plan, &(cconv_batch){.n = SAMPLES, .seed = 3, .step = (uint64_t)step,
            .inputs = (cconv_array[]){{labels, CCONV_INT32, SAMPLES}, {images, CCONV_FLOAT32, SAMPLES}},
            .outputs = (cconv_output[]){{&loss, CCONV_FLOAT32}, {logits, CCONV_FLOAT32}}});
    if (!plan || cconv_last_status()) {
        puts(cconv_last_error());
        return 1;
    }
    printf("isa %s\n", cconv_isa());
    bits("loss", &loss, 1);
    bits("logits", logits, SAMPLES * CLASSES);
    for (int i = 0; i < n_variables; ++i) bits("variable", cconv_variable_data(variables[i]), cconv_variable_count(variables[i]));
    cconv_plan_free(plan);
    cconv_optimizer_free(adam);
    cconv_graph_free(g);
    for (int i = 0; i < n_variables; ++i) cconv_variable_free(variables[i]);
    return 0;
}
