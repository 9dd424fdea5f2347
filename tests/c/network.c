/* The network the tests share: convolution, batch normalization, pooling, dropout, dense, cross-entropy. */
#include "cconv.h"
#include "harness.h"

float images[SAMPLES * PIXELS];
int32_t labels[SAMPLES];

/* Repeatable numbers in -1 .. 1; the tests need variety, not randomness. */
static float number(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

void samples_make(void)
{
    unsigned state = 7;
    for (int i = 0; i < SAMPLES; ++i) {
        labels[i] = i % CLASSES;
        for (int j = 0; j < PIXELS; ++j) images[i * PIXELS + j] = number(&state) + (j % CLASSES == i % CLASSES ? 0.5f : 0.0f);
    }
}

static int variable(network *net, const char *name, int rank, const int64_t *shape, float scale, float offset, bool trained)
{
    cconv_variable *v = cconv_variable_new(rank, shape);
    if (!v) return 0;
    net->variables[net->n_variables++] = v;
    unsigned state = (unsigned)net->n_variables;
    for (size_t i = 0; i < cconv_variable_count(v); ++i) cconv_variable_data(v)[i] = offset + scale * number(&state);
    cconv_variable_touch(v);
    int node = cconv_graph_variable(net->graph, name, v);
    if (node && trained) net->wrt[net->n_wrt++] = node;
    return node;
}

bool network_build(network *net)
{
    *net = (network){0};
    net->graph = cconv_graph_new();
    if (!net->graph) return false;
    cconv_graph *g = net->graph;
    net->x = cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, 8, 8, 2});
    net->y = cconv_graph_input(g, "y", CCONV_INT32, 1, (int64_t[]){-1});
    int kernel = variable(net, "kernel", 4, (int64_t[]){3, 3, 2, 6}, 0.4f, 0, true);
    int bias = variable(net, "bias", 1, (int64_t[]){6}, 0.1f, 0, true);
    int gamma = variable(net, "gamma", 1, (int64_t[]){6}, 0.1f, 1, true);
    int beta = variable(net, "beta", 1, (int64_t[]){6}, 0.1f, 0, true);
    int mean = variable(net, "moving_mean", 1, (int64_t[]){6}, 0, 0, false);
    int deviation = variable(net, "moving_variance", 1, (int64_t[]){6}, 0, 1, false);
    int matrix = variable(net, "matrix", 2, (int64_t[]){96, CLASSES}, 0.2f, 0, true);
    int offset = variable(net, "offset", 1, (int64_t[]){CLASSES}, 0, 0, true);
    if (net->n_variables < 8 || !offset) return false; /* before anything else fails and says why */
    int c = cconv_graph_add(g, "conv", "conv", 3, (int[]){net->x, kernel, bias}, "padding=same activation=relu");
    int n = cconv_graph_add(g, "batch_norm", "norm", 5, (int[]){c, gamma, beta, mean, deviation}, "training=1");
    int first = cconv_graph_add(g, "transpose", "first", 1, &n, "axes=0,3,1,2"); /* there and back: plans leave both out */
    int same = cconv_graph_add(g, "identity", "same", 1, &first, NULL);
    int last = cconv_graph_add(g, "transpose", "last", 1, &same, "axes=0,2,3,1");
    int p = cconv_graph_add(g, "max_pool", "pool", 1, &last, "pool_size=2");
    int d = cconv_graph_add(g, "dropout", "drop", 1, &p, "rate=0.25");
    int f = cconv_graph_add(g, "flatten", "flat", 1, &d, NULL);
    net->logits = cconv_graph_add(g, "dense", "logits", 3, (int[]){f, matrix, offset}, NULL);
    int e = cconv_graph_add(g, "sparse_categorical_crossentropy", "entropy", 2, (int[]){net->y, net->logits}, "from_logits=1");
    net->loss = cconv_graph_add(g, "mean", "loss", 1, &e, NULL);
    return net->loss != 0;
}

void network_free(network *net)
{
    cconv_graph_free(net->graph);
    for (int i = 0; i < net->n_variables; ++i) cconv_variable_free(net->variables[i]);
    *net = (network){0};
}
