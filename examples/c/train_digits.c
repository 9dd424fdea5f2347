/* Learns handwritten digits in C alone: reads 8x8 images from a CSV file, builds a small convolutional network, trains it on four
 * fifths of them and counts how many of the others it gets right.
 *
 *     cc -Isrc_c/include examples/c/train_digits.c build/lib/libcconv.a -fopenmp -lm -o train_digits
 *     ./train_digits digits.csv [epochs]
 *
 * A line of the file is an image: 64 pixels from 0 to 16, row by row, then the digit. The 1,797 images of the UCI "Optical
 * Recognition of Handwritten Digits" test set come in this form with scikit-learn; `make digits-c` fetches them from there. */
#include "cconv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 8, PIXELS = SIDE * SIDE, CLASSES = 10, BATCH = 32, LARGEST = 100000 };

typedef struct data {
    float *images;   /* (count, 8, 8, 1), values 0 .. 1 */
    int32_t *digits; /* (count,) */
    int64_t count;
} data;

/* A repeatable number in 0 .. 1, for first weights and shuffling. */
static double uniform(void)
{
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* Reads the whole file, or says what is wrong with it. */
static int read_csv(const char *path, data *out)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 0;
    }
    out->images = malloc(sizeof(float) * PIXELS * LARGEST);
    out->digits = malloc(sizeof(int32_t) * LARGEST);
    out->count = 0;
    int good = out->images && out->digits;
    char line[1024];
    while (good && out->count < LARGEST && fgets(line, sizeof line, file)) {
        char *at = line, *end;
        for (int i = 0; good && i <= PIXELS; ++i) {
            float value = strtof(at, &end);
            good = end != at && value >= 0 && value <= (i < PIXELS ? 16 : CLASSES - 1);
            if (i < PIXELS) {
                out->images[out->count * PIXELS + i] = value / 16;
            } else {
                out->digits[out->count] = (int32_t)value;
            }
            at = end + (*end == ',');
        }
        if (!good) fprintf(stderr, "%s:%lld: expected 64 pixels from 0 to 16 and a digit\n", path, (long long)out->count + 1);
        ++out->count;
    }
    fclose(file);
    if (good && out->count < 10) {
        fprintf(stderr, "%s: expected at least 10 images, found %lld\n", path, (long long)out->count);
        good = 0;
    }
    return good;
}

static void shuffle(int64_t *rows, int64_t n)
{
    for (int64_t i = n - 1; i > 0; --i) {
        int64_t j = (int64_t)(uniform() * (double)(i + 1)), kept = rows[i];
        rows[i] = rows[j];
        rows[j] = kept;
    }
}

/* The model's variables, to be trained and at the end given back. */
static cconv_variable *variables[6];
static int nodes[6], n_variables;

/* A variable with uniform values in +-sqrt(6 / (inputs + outputs)) (Glorot), zeros for a bias; its node in the graph. */
static int weight(cconv_graph *g, const char *name, int rank, const int64_t *shape)
{
    cconv_variable *v = cconv_variable_new(rank, shape);
    if (!v) return 0;
    double window = rank == 4 ? (double)(shape[0] * shape[1]) : 1;
    double limit = rank == 1 ? 0 : sqrt(6 / (window * (double)(shape[rank - 2] + shape[rank - 1])));
    float *values = cconv_variable_data(v);
    for (size_t i = 0; i < cconv_variable_count(v); ++i) values[i] = (float)(limit * (2 * uniform() - 1));
    cconv_variable_touch(v);
    variables[n_variables] = v;
    return nodes[n_variables++] = cconv_graph_variable(g, name, v);
}

/* Rows that the plan gets right; logits has room for the largest batch. */
static int64_t count_right(cconv_plan *plan, const data *d, const int64_t *rows, int64_t n)
{
    float logits[BATCH * CLASSES];
    const cconv_array inputs[] = {{d->images, CCONV_FLOAT32, d->count}, {d->digits, CCONV_INT32, d->count}};
    int64_t right = 0;
    for (int64_t at = 0; at < n; at += BATCH) {
        int64_t here = n - at < BATCH ? n - at : BATCH;
        cconv_batch batch = {
            .n = here, .rows = rows + at, .inputs = inputs, .outputs = (cconv_output[]){{logits, CCONV_FLOAT32}}};
        if (cconv_plan_run(plan, &batch) != CCONV_OK) return -1;
        for (int64_t i = 0; i < here; ++i) {
            int best = 0;
            for (int c = 1; c < CLASSES; ++c)
                if (logits[i * CLASSES + c] > logits[i * CLASSES + best]) best = c;
            right += best == d->digits[rows[at + i]];
        }
    }
    return right;
}

int main(int argc, char **argv)
{
    data d;
    int epochs = argc > 2 ? atoi(argv[2]) : 20;
    if (argc < 2 || epochs < 1) {
        fprintf(stderr, "usage: %s digits.csv [epochs]\n", argv[0]);
        return 2;
    }
    if (!read_csv(argv[1], &d)) return 1;

    cconv_graph *g = cconv_graph_new();
    int x = cconv_graph_input(g, "image", CCONV_FLOAT32, 4, (int64_t[]){-1, SIDE, SIDE, 1});
    int y = cconv_graph_input(g, "digit", CCONV_INT32, 1, (int64_t[]){-1});

    int w1 = weight(g, "conv1/kernel", 4, (int64_t[]){3, 3, 1, 16}), b1 = weight(g, "conv1/bias", 1, (int64_t[]){16});
    int w2 = weight(g, "conv2/kernel", 4, (int64_t[]){3, 3, 16, 32}), b2 = weight(g, "conv2/bias", 1, (int64_t[]){32});
    int w3 = weight(g, "dense/kernel", 2, (int64_t[]){2 * 2 * 32, CLASSES}),
        b3 = weight(g, "dense/bias", 1, (int64_t[]){CLASSES});

    int h = cconv_graph_add(g, "conv", "conv1", 3, (int[]){x, w1, b1}, "padding=same activation=relu"); /* (n, 8, 8, 16) */
    h = cconv_graph_add(g, "max_pool", "pool1", 1, &h, "pool_size=2");                                  /* (n, 4, 4, 16) */
    h = cconv_graph_add(g, "conv", "conv2", 3, (int[]){h, w2, b2}, "padding=same activation=relu");     /* (n, 4, 4, 32) */
    h = cconv_graph_add(g, "max_pool", "pool2", 1, &h, "pool_size=2");                                  /* (n, 2, 2, 32) */
    h = cconv_graph_add(g, "flatten", "flatten", 1, &h, NULL);
    int logits = cconv_graph_add(g, "dense", "dense", 3, (int[]){h, w3, b3}, NULL);
    int each = cconv_graph_add(g, "sparse_categorical_crossentropy", "entropy", 2, (int[]){y, logits}, "from_logits=1");
    int loss = cconv_graph_add(g, "mean", "loss", 1, &each, NULL);

    /* One plan to train, one to predict; they share the variables. A failure anywhere above shows here. */
    cconv_optimizer *adam = cconv_optimizer_new("adam", "learning_rate=0.003");
    cconv_plan *train = cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH,
                                                                .n_outputs = 1,
                                                                .outputs = &loss,
                                                                .training = 1,
                                                                .root = loss,
                                                                .n_wrt = n_variables,
                                                                .wrt = nodes,
                                                                .optimizer = adam});
    cconv_plan *predict =
        train ? cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH, .n_outputs = 1, .outputs = &logits}) : NULL;
    int64_t *rows = malloc(sizeof *rows * (size_t)d.count);
    if (!predict || !rows) {
        fprintf(stderr, "%s\n", predict ? "out of memory" : cconv_last_error());
        return 1;
    }

    for (int64_t i = 0; i < d.count; ++i) rows[i] = i;
    shuffle(rows, d.count);
    int64_t held_out = d.count / 5, n_train = d.count - held_out, *train_rows = rows + held_out;
    printf("%lld images to learn from, %lld held out; %s, %d threads\n", (long long)n_train, (long long)held_out, cconv_isa(),
           cconv_num_threads());

    const cconv_array inputs[] = {{d.images, CCONV_FLOAT32, d.count}, {d.digits, CCONV_INT32, d.count}};
    uint64_t step = 0;
    for (int epoch = 1; epoch <= epochs; ++epoch) {
        shuffle(train_rows, n_train);
        double sum = 0;
        for (int64_t at = 0; at < n_train; at += BATCH) {
            float value;
            int64_t here = n_train - at < BATCH ? n_train - at : BATCH;
            cconv_batch batch = {.n = here,
                                 .rows = train_rows + at,
                                 .inputs = inputs,
                                 .outputs = (cconv_output[]){{&value, CCONV_FLOAT32}},
                                 .step = step++};
            if (cconv_plan_run(train, &batch) != CCONV_OK) {
                fprintf(stderr, "%s\n", cconv_last_error());
                return 1;
            }
            sum += (double)value * (double)here;
        }
        printf("epoch %2d/%d  loss %.4f  held-out accuracy %.4f\n", epoch, epochs, sum / (double)n_train,
               (double)count_right(predict, &d, rows, held_out) / (double)held_out);
    }

    cconv_plan_free(train);
    cconv_plan_free(predict);
    cconv_optimizer_free(adam);
    cconv_graph_free(g);
    for (int i = 0; i < n_variables; ++i) cconv_variable_free(variables[i]);
    free(rows);
    free(d.images);
    free(d.digits);
    return 0;
}
