/* Trains LeNet on handwritten digits: reads MNIST's four idx files from a folder, trains, tests, and saves the parameters;
 * at the end the network, too, as an ONNX model beside them.
 *
 *     cc -Isrc_c/include examples/c/train_mnist.c build/lib/libcconv.a $(cat build/lib/link_flags) -o train_mnist
 *     ./train_mnist folder lenet.safetensors [epochs]
 *
 * If the file of parameters exists, training goes on from it: the optimizer's momenta and its count of steps are in it, too. */
#include "cconv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, BATCH = 64 };

typedef struct data {
    unsigned char *images, *digits; /* as they stand in the files: the engine converts what it gathers */
    int64_t count;
} data;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* An idx file of bytes: two zeros, the type (8: bytes), the number of axes, a big-endian size for each, the elements. */
static unsigned char *read_idx(const char *folder, const char *name, int64_t width, int64_t *count)
{
    char path[1024];
    unsigned char head[16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail(path, "cannot be opened (gunzip it first)");
    const size_t axes = width > 1 ? 3 : 1;
    if (fread(head, 1, 4 + 4 * axes, file) != 4 + 4 * axes || head[2] != 8 || head[3] != axes)
        fail(path, "is no idx file of bytes");
    *count = (int64_t)head[4] << 24 | head[5] << 16 | head[6] << 8 | head[7];
    if (axes == 3 && (head[11] != SIDE || head[15] != SIDE)) fail(path, "has images of another size");
    unsigned char *bytes = malloc((size_t)(*count * width));
    if (!bytes || fread(bytes, 1, (size_t)(*count * width), file) != (size_t)(*count * width)) fail(path, "is too short");
    fclose(file);
    return bytes;
}

static data read_data(const char *folder, const char *images, const char *digits)
{
    int64_t labels;
    data d;
    d.images = read_idx(folder, images, PIXELS, &d.count);
    d.digits = read_idx(folder, digits, 1, &labels);
    if (labels != d.count) fail(digits, "has another number of samples than the images");
    return d;
}

static double uniform(void) /* 0 .. 1 */
{
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* A variable with He's uniform values, or zeros for a bias. The graph keeps it. */
static int weight(cconv_graph *g, const char *name, int rank, const int64_t *shape)
{
    cconv_variable *v = cconv_variable_new(rank, shape);
    if (!v) return 0;
    const size_t count = cconv_variable_count(v);
    const double limit = rank == 1 ? 0 : sqrt(6.0 * (double)shape[rank - 1] / (double)count);
    float *values = cconv_variable_data(v);
    for (size_t i = 0; i < count; ++i) values[i] = (float)(limit * (2 * uniform() - 1));
    cconv_variable_touch(v);
    const int node = cconv_graph_variable(g, name, v);
    cconv_variable_free(v);
    return node;
}

/* How many digits the plan gets right. */
static int64_t count_right(cconv_plan *plan, const data *d)
{
    float logits[BATCH * CLASSES];
    const cconv_array inputs[] = {{d->images, CCONV_UINT8, d->count}, {d->digits, CCONV_UINT8, d->count}};
    int64_t right = 0, rows[BATCH];
    for (int64_t at = 0; at < d->count; at += BATCH) {
        const int64_t n = d->count - at < BATCH ? d->count - at : BATCH;
        for (int64_t i = 0; i < n; ++i) rows[i] = at + i;
        const cconv_batch batch = {.n = n, .rows = rows, .inputs = inputs, .outputs = &(cconv_output){logits, CCONV_FLOAT32}};
        if (cconv_plan_run(plan, &batch) != CCONV_OK) fail("test", cconv_last_error());
        for (int64_t i = 0; i < n; ++i) {
            int best = 0;
            for (int c = 1; c < CLASSES; ++c)
                if (logits[i * CLASSES + c] > logits[i * CLASSES + best]) best = c;
            right += best == d->digits[at + i];
        }
    }
    return right;
}

int main(int argc, char **argv)
{
    const int epochs = argc > 3 ? atoi(argv[3]) : 3;
    if (argc < 3 || epochs < 1) {
        fprintf(stderr, "usage: %s folder parameters.safetensors [epochs]\n", argv[0]);
        return 2;
    }
    const data train = read_data(argv[1], "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    const data test = read_data(argv[1], "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");

    cconv_graph *g = cconv_graph_new();
    const int x = cconv_graph_input(g, "image", CCONV_FLOAT32, 4, (int64_t[]){-1, SIDE, SIDE, 1});
    const int y = cconv_graph_input(g, "digit", CCONV_INT32, 1, (int64_t[]){-1});
    const int scale = cconv_graph_constant(g, "scale", CCONV_FLOAT32, 0, NULL, &(float){1.0f / 255});
    int h = cconv_graph_add(g, "multiply", "scaled", 2, (int[]){x, scale}, NULL);
    int w = weight(g, "conv1/kernel", 4, (int64_t[]){5, 5, 1, 6}), b = weight(g, "conv1/bias", 1, (int64_t[]){6});
    h = cconv_graph_add(g, "conv", "conv1", 3, (int[]){h, w, b}, "padding=same activation=relu"); /* (n, 28, 28, 6) */
    h = cconv_graph_add(g, "max_pool", "pool1", 1, &h, "pool_size=2");                            /* (n, 14, 14, 6) */
    w = weight(g, "conv2/kernel", 4, (int64_t[]){5, 5, 6, 16}), b = weight(g, "conv2/bias", 1, (int64_t[]){16});
    h = cconv_graph_add(g, "conv", "conv2", 3, (int[]){h, w, b}, "activation=relu"); /* (n, 10, 10, 16) */
    h = cconv_graph_add(g, "max_pool", "pool2", 1, &h, "pool_size=2");               /* (n, 5, 5, 16) */
    h = cconv_graph_add(g, "flatten", "flatten", 1, &h, NULL);
    w = weight(g, "dense1/kernel", 2, (int64_t[]){400, 120}), b = weight(g, "dense1/bias", 1, (int64_t[]){120});
    h = cconv_graph_add(g, "dense", "dense1", 3, (int[]){h, w, b}, "activation=relu");
    w = weight(g, "dense2/kernel", 2, (int64_t[]){120, 84}), b = weight(g, "dense2/bias", 1, (int64_t[]){84});
    h = cconv_graph_add(g, "dense", "dense2", 3, (int[]){h, w, b}, "activation=relu");
    w = weight(g, "logits/kernel", 2, (int64_t[]){84, CLASSES}), b = weight(g, "logits/bias", 1, (int64_t[]){CLASSES});
    const int logits = cconv_graph_add(g, "dense", "logits", 3, (int[]){h, w, b}, NULL);
    const int each = cconv_graph_add(g, "sparse_categorical_crossentropy", "entropy", 2, (int[]){y, logits}, "from_logits=1");
    const int loss = cconv_graph_add(g, "mean", "loss", 1, &each, NULL);
    cconv_graph_output(g, "logits", logits); /* what a plan computes that is told nothing else */

    /* One plan to train, one to test; they share the variables. A failure anywhere above shows here. */
    int trained[16];
    cconv_optimizer *adam = cconv_optimizer_new("adam", NULL);
    cconv_plan *learner = cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH,
                                                                  .n_outputs = 1,
                                                                  .outputs = &loss,
                                                                  .training = 1,
                                                                  .root = loss,
                                                                  .n_wrt = cconv_graph_parameters(g, 1, trained, 16),
                                                                  .wrt = trained,
                                                                  .optimizer = adam});
    cconv_plan *tester = learner ? cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH}) : NULL;
    if (!tester) fail("LeNet", cconv_last_error());
    FILE *earlier = fopen(argv[2], "rb");
    if (earlier) {
        fclose(earlier);
        if (cconv_load_parameters(g, adam, argv[2]) != CCONV_OK) fail("going on", cconv_last_error());
        printf("going on after step %lld\n", (long long)cconv_optimizer_iterations(adam));
    }

    const cconv_array inputs[] = {{train.images, CCONV_UINT8, train.count}, {train.digits, CCONV_UINT8, train.count}};
    int64_t *rows = malloc(sizeof *rows * (size_t)train.count);
    if (!rows) fail("rows", "out of memory");
    for (int64_t i = 0; i < train.count; ++i) rows[i] = i;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        double sum = 0;
        char settings[64];
        snprintf(settings, sizeof settings, "learning_rate=%g", 0.002 / (1 << (epoch - 1)));
        if (cconv_optimizer_set(adam, settings) != CCONV_OK) fail("settings", cconv_last_error());
        for (int64_t i = train.count - 1; i > 0; --i) { /* in another order each time */
            const int64_t j = (int64_t)(uniform() * (double)(i + 1)), kept = rows[i];
            rows[i] = rows[j];
            rows[j] = kept;
        }
        for (int64_t at = 0; at < train.count; at += BATCH) {
            float value;
            const cconv_batch batch = {.n = train.count - at < BATCH ? train.count - at : BATCH,
                                       .rows = rows + at,
                                       .inputs = inputs,
                                       .outputs = &(cconv_output){&value, CCONV_FLOAT32}};
            if (cconv_plan_run(learner, &batch) != CCONV_OK) fail("training", cconv_last_error());
            sum += (double)value * (double)batch.n;
        }
        printf("epoch %d/%d  loss %.4f  test accuracy %.4f\n", epoch, epochs, sum / (double)train.count,
               (double)count_right(tester, &test) / (double)test.count);
        if (cconv_save_parameters(g, adam, argv[2]) != CCONV_OK) fail("saving", cconv_last_error());
    }

    const size_t length = strlen(argv[2]);
    char *model = malloc(length + sizeof ".onnx");
    if (!model) fail("saving", "no memory");
    memcpy(model, argv[2], length);
    strcpy(model + length, ".onnx"); /* of the outputs only: without labels, loss and optimizer */
    if (cconv_save_onnx(g, model, NULL) != CCONV_OK) fail("saving", cconv_last_error());
    free(model);

    cconv_plan_free(learner);
    cconv_plan_free(tester);
    cconv_optimizer_free(adam);
    cconv_graph_free(g);
    free(rows);
    free(train.images);
    free(train.digits);
    free(test.images);
    free(test.digits);
    return 0;
}
