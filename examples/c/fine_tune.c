/* Teaches a pretrained network classes of its own: an ONNX model is loaded frozen, a new last layer is put on one of its inner
 * values, and only that layer learns.
 *
 *     cc -Isrc_c/include examples/c/fine_tune.c build/lib/libcconv.a $(cat build/lib/link_flags) -o fine_tune
 *     ./fine_tune model.onnx NODE images.txt taught.onnx [epochs [mean deviation]]
 *
 * NODE is the name of an inner value, such as the last one before the old classes (cconv-run model.onnx --describe lists them). A
 * line of images.txt is a class, from 0, and the path of a PPM image (P6); all have the same size. Every fifth is held out. Pixels
 * become (pixel - mean) / deviation, by default -1 to 1. The taught model has the old outputs and, as its last, "classes", the
 * probabilities of the new ones. */
#include "cconv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, LARGEST = 10000 };

typedef struct data {
    int height, width, classes;
    float *images;   /* (count, 3, height, width) */
    int32_t *labels; /* (count,) */
    int64_t count;
} data;

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "fine_tune: %s: %s\n", what, why);
    return 0;
}

/* Appends an image; the first decides the size of all. */
static int read_image(const char *path, float mean, float deviation, data *d)
{
    int w = 0, h = 0;
    FILE *file = fopen(path, "rb");
    if (!file) return fail(path, "cannot be opened");
    int good = fscanf(file, "P6 %5d %5d 255", &w, &h) == 2 && getc(file) != EOF && w > 0 && h > 0;
    if (good && d->count == 0) {
        d->height = h;
        d->width = w;
    }
    good = good && h == d->height && w == d->width;
    const size_t pixels = (size_t)h * (size_t)w;
    float *longer = good ? realloc(d->images, (size_t)(d->count + 1) * 3 * pixels * sizeof(float)) : NULL;
    if (longer) {
        float *to = longer + (size_t)d->count * 3 * pixels;
        d->images = longer;
        for (size_t i = 0; i < 3 * pixels; ++i) to[i % 3 * pixels + i / 3] = ((float)getc(file) - mean) / deviation;
    }
    good = good && longer && !feof(file);
    fclose(file);
    return good || fail(path, "expected a whole PPM image (P6) of the size of the first");
}

static int read_list(const char *path, float mean, float deviation, data *d)
{
    char image[4096];
    int good = 1;
    FILE *file = fopen(path, "r");
    if (!file) return fail(path, "cannot be opened");
    d->labels = malloc(LARGEST * sizeof *d->labels);
    while (good && d->labels && d->count < LARGEST) {
        const int found = fscanf(file, "%d %4095[^\n]", &d->labels[d->count], image);
        if (found == EOF) break;
        good = found == 2 && d->labels[d->count] >= 0 && d->labels[d->count] < 1000;
        good = good ? read_image(image, mean, deviation, d) : fail(path, "expected lines of a class from 0 to 999 and a path");
        if (good && d->labels[d->count] >= d->classes) d->classes = d->labels[d->count] + 1;
        if (good) ++d->count;
    }
    fclose(file);
    return good && (d->count >= 10 || fail(path, "expected at least 10 images"));
}

/* A repeatable number in 0 .. 1. */
static double uniform(void)
{
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* The share of the rows that the plan, whose output are logits, gets right; -1: it failed. */
static double accuracy(cconv_plan *plan, const data *d, const cconv_array *inputs, const int64_t *rows, int64_t n)
{
    int64_t right = 0;
    int good = 1;
    float *logits = malloc((size_t)BATCH * (size_t)d->classes * sizeof *logits);
    for (int64_t at = 0; good && logits && at < n; at += BATCH) {
        const int64_t here = n - at < BATCH ? n - at : BATCH;
        const cconv_output output = {logits, CCONV_FLOAT32};
        const cconv_batch batch = {.n = here, .rows = rows + at, .inputs = inputs, .outputs = &output};
        good = cconv_plan_run(plan, &batch) == CCONV_OK;
        for (int64_t i = 0; good && i < here; ++i) {
            int best = 0;
            for (int c = 1; c < d->classes; ++c)
                if (logits[i * d->classes + c] > logits[i * d->classes + best]) best = c;
            right += best == d->labels[rows[at + i]];
        }
    }
    if (!logits) good = fail("accuracy", "no memory");
    free(logits);
    return good ? (double)right / (double)n : -1;
}

static int train(cconv_plan *plan, const cconv_array *inputs, int64_t *rows, int64_t n, int epochs)
{
    uint64_t step = 0;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        double sum = 0;
        int64_t batches = 0;
        for (int64_t i = n - 1; i > 0; --i) { /* another order each time */
            const int64_t j = (int64_t)(uniform() * (double)(i + 1)), kept = rows[i];
            rows[i] = rows[j];
            rows[j] = kept;
        }
        for (int64_t at = 0; at < n; at += BATCH, ++batches) {
            float loss = 0;
            const cconv_output output = {&loss, CCONV_FLOAT32};
            const int64_t here = n - at < BATCH ? n - at : BATCH;
            const cconv_batch batch = {
                .n = here, .rows = rows + at, .inputs = inputs, .outputs = &output, .seed = 1, .step = step++};
            if (cconv_plan_run(plan, &batch) != CCONV_OK) return 0;
            sum += loss;
        }
        printf("epoch %d: loss %.4f\n", epoch, sum / (double)batches);
        fflush(stdout);
    }
    return 1;
}

/* Small random weights, in the range of Glorot's. */
static void fill(cconv_variable *v, int64_t inputs, int64_t outputs)
{
    float *values = cconv_variable_data(v);
    for (size_t i = 0; i < cconv_variable_count(v); ++i)
        values[i] = (float)((2 * uniform() - 1) * 2 / (double)(inputs + outputs));
    cconv_variable_touch(v);
}

/* The batch is left open, whatever the file says; frozen: normalizations keep their statistics, and nothing is dropped. */
static cconv_graph *load(const char *model, const data *d)
{
    const cconv_input_shape shape = {.rank = 4, .shape = {-1, 3, d->height, d->width}};
    return cconv_load_onnx(model, &(cconv_onnx_options){.n_shapes = 1, .shapes = &shape, .frozen = 1});
}

/* The node of a name as (n, features): means of pixels where it has some. 0: said. */
static int find_features(cconv_graph *g, const char *name, int64_t *count)
{
    int rank = 0, features = cconv_graph_find(g, name);
    int64_t shape[CCONV_MAX_RANK];
    cconv_node node;
    if (!features) return fail(name, "the model has no value of this name");
    if (cconv_graph_node(g, features, &node) == CCONV_OK && node.rank == 4 && node.op && strcmp(node.op, "transpose") == 0)
        features = node.inputs[0]; /* images have their channels last, but where they leave the ops of images */
    cconv_graph_shape(g, features, &rank, shape);
    const int pixels = rank == 4 && shape[3] != 1;
    if (rank > 2) features = cconv_graph_add(g, pixels ? "global_avg_pool" : "flatten", NULL, 1, &features, NULL);
    if (!features || cconv_graph_shape(g, features, &rank, shape) != CCONV_OK) return fail(name, cconv_last_error());
    if (rank != 2 || shape[1] < 1) return fail(name, "expected a value of some numbers for each image");
    *count = shape[1];
    return features;
}

/* The new last layer: the node of its logits; nodes are those of its weights and bias. */
static int add_head(cconv_graph *g, int features, cconv_variable *const variables[2], int nodes[2])
{
    nodes[0] = cconv_graph_variable(g, "head/kernel", variables[0]);
    nodes[1] = cconv_graph_variable(g, "head/bias", variables[1]);
    return cconv_graph_add(g, "dense", "head", 3, (int[]){features, nodes[0], nodes[1]}, NULL);
}

/* The model with its own outputs and the classes; what only learning needs is left out. */
static int save(cconv_graph *g, int logits, const char *path)
{
    const int classes = cconv_graph_add(g, "softmax", "classes", 1, &logits, NULL);
    return (cconv_graph_output(g, "classes", classes) == CCONV_OK && cconv_save_onnx(g, path, NULL) == CCONV_OK) ||
           fail(path, cconv_last_error());
}

/* Puts the head on, and prints how well it does before and after it has learned. */
static int fine_tune(const char *model, const char *name, const data *d, int epochs, const char *saved)
{
    int head[2];
    int64_t count = 0;
    cconv_graph *g = load(model, d);
    if (!g) return fail(model, cconv_last_error());
    const int features = find_features(g, name, &count);
    cconv_variable *variables[] = {cconv_variable_new(2, (int64_t[]){count, d->classes}),
                                   cconv_variable_new(1, (int64_t[]){d->classes})};
    if (!features || !variables[0] || !variables[1]) return 0;
    fill(variables[0], count, d->classes);
    const int logits = add_head(g, features, variables, head);
    const int y = cconv_graph_input(g, "class", CCONV_INT32, 1, (int64_t[]){-1});
    const int each = cconv_graph_add(g, "sparse_categorical_crossentropy", NULL, 2, (int[]){y, logits}, "from_logits=1");
    const int loss = cconv_graph_add(g, "mean", "loss", 1, &each, NULL);

    /* Only the head is differentiated and updated: wrt. */
    cconv_optimizer *adam = cconv_optimizer_new("adam", "learning_rate=0.003");
    cconv_plan *learn = cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH,
                                                                .n_outputs = 1,
                                                                .outputs = &loss,
                                                                .training = 1,
                                                                .root = loss,
                                                                .n_wrt = 2,
                                                                .wrt = head,
                                                                .optimizer = adam});
    cconv_plan *tell = cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH, .n_outputs = 1, .outputs = &logits});
    const int64_t held = d->count / 5, seen = d->count - held;
    int64_t *rows = malloc((size_t)d->count * sizeof *rows);
    int good = learn && tell && rows;
    for (int64_t i = 0, a = 0, b = seen; rows && i < d->count; ++i) rows[i % 5 == 4 ? b++ : a++] = i;
    const cconv_array inputs[] = {{d->images, CCONV_FLOAT32, d->count}, {d->labels, CCONV_INT32, d->count}};
    const double before = good ? accuracy(tell, d, inputs, rows + seen, held) : -1;
    if (before >= 0)
        printf("%lld images to learn from, %lld held out; accuracy before %.3f\n", (long long)seen, (long long)held, before);
    good = before >= 0 && train(learn, inputs, rows, seen, epochs);
    const double after = good ? accuracy(tell, d, inputs, rows + seen, held) : -1;
    if (after >= 0) printf("accuracy after %.3f\n", after);
    free(rows);
    cconv_plan_free(learn);
    cconv_plan_free(tell);
    good = after >= 0 ? save(g, logits, saved) : fail(name, cconv_last_error());
    cconv_optimizer_free(adam);
    cconv_variable_free(variables[0]);
    cconv_variable_free(variables[1]);
    cconv_graph_free(g);
    return good;
}

int main(int argc, char **argv)
{
    data d = {0};
    const int epochs = argc > 5 ? atoi(argv[5]) : 20;
    const float mean = argc > 7 ? strtof(argv[6], NULL) : 127.5f, deviation = argc > 7 ? strtof(argv[7], NULL) : 127.5f;
    if (argc < 5 || argc == 7 || argc > 8 || epochs < 1 || !(deviation > 0)) {
        fprintf(stderr, "usage: %s model.onnx NODE images.txt taught.onnx [epochs [mean deviation]]\n", argv[0]);
        return 2;
    }
    const int good = read_list(argv[3], mean, deviation, &d) && fine_tune(argv[1], argv[2], &d, epochs, argv[4]);
    free(d.images);
    free(d.labels);
    return good ? 0 : 1;
}
