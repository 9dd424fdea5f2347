/* What the page asks of cconv: a network from an ONNX file that recognizes an image, learns from some, and gets classes it had not.
 *
 * The file's last op is a dense layer that gives a score for each class. Its columns are copied into a layer of the page's own, the
 * head, which grows by a column for each new class. Two plans learn: the head alone, or all layers.
 *
 * Compiled by emscripten without main: the page calls the functions marked PAGE, whose pointers are places in its memory. */
#include "cconv.h"
#include <stdlib.h>
#include <string.h>

#define PAGE(name) __attribute__((export_name(name)))

enum { CLASSES = 32, BATCH = 32, VARIABLES = 32, PIXELS = 28 * 28 };

typedef struct recognizer {
    cconv_graph *graph;
    int features, labels;            /* nodes: what the head reads, and the numbers of the right classes */
    int n_layers, layers[VARIABLES]; /* nodes: the file's variables but for those of its last layer */
    cconv_variable *weights, *bias;  /* the head's, as they were when it was made the last time */
    int head[2];                     /* their nodes */
    int classes, probabilities, loss;
    int64_t units;                  /* numbers that the head reads */
    cconv_optimizer *optimizers[2]; /* of the head alone, of all layers */
    cconv_plan *recognize, *learn[2];
    float answer[CLASSES], mean_loss;
} recognizer;

static void free_plans(recognizer *r)
{
    cconv_plan_free(r->recognize);
    cconv_plan_free(r->learn[0]);
    cconv_plan_free(r->learn[1]);
    r->recognize = r->learn[0] = r->learn[1] = NULL;
    for (int i = 0; i < 2; ++i) {
        if (r->optimizers[i]) cconv_optimizer_free(r->optimizers[i]);
        r->optimizers[i] = NULL;
    }
}

PAGE("close")
void recognizer_close(recognizer *r)
{
    if (!r) return;
    free_plans(r);
    if (r->graph) cconv_graph_free(r->graph);
    cconv_variable_free(r->weights);
    cconv_variable_free(r->bias);
    free(r);
}

/* A head of `classes` columns: those there are, the others zero. Plans are made anew: they know their sizes. */
static int make_head(recognizer *r, int classes, const float *weights, const float *bias)
{
    cconv_variable *w = cconv_variable_new(2, (int64_t[]){r->units, classes});
    cconv_variable *b = cconv_variable_new(1, (int64_t[]){classes});
    if (!w || !b) {
        cconv_variable_free(w);
        cconv_variable_free(b);
        return 0;
    }
    for (int64_t i = 0; i < r->units; ++i)
        memcpy(cconv_variable_data(w) + i * classes, weights + i * r->classes, (size_t)r->classes * sizeof(float));
    memcpy(cconv_variable_data(b), bias, (size_t)r->classes * sizeof(float));
    cconv_variable_touch(w);
    cconv_variable_touch(b);
    free_plans(r);
    cconv_variable_free(r->weights);
    cconv_variable_free(r->bias);
    r->weights = w;
    r->bias = b;
    r->classes = classes;
    cconv_graph *g = r->graph;
    r->head[0] = cconv_graph_variable(g, "head weights", w);
    r->head[1] = cconv_graph_variable(g, "head bias", b);
    const int scores = cconv_graph_add(g, "dense", "head", 3, (int[]){r->features, r->head[0], r->head[1]}, NULL);
    const int losses =
        cconv_graph_add(g, "sparse_categorical_crossentropy", "losses", 2, (int[]){r->labels, scores}, "from_logits=1");
    r->probabilities = cconv_graph_add(g, "softmax", "probabilities", 1, &scores, NULL);
    r->loss = cconv_graph_add(g, "mean", "loss", 1, &losses, NULL);
    r->recognize = cconv_plan_new(g, &(cconv_plan_options){.max_batch = 1, .n_outputs = 1, .outputs = &r->probabilities});
    return r->recognize != NULL;
}

/* The variables of the file but for the two of its last layer; and whether these are all, and its only input is one image. */
static int find_layers(recognizer *r, const int own[2])
{
    int inputs = 0, fine = 1;
    for (int i = 1; i <= cconv_graph_count(r->graph); ++i) {
        cconv_node node;
        if (cconv_graph_node(r->graph, i, &node) != CCONV_OK) return 0;
        if (node.kind == CCONV_INPUT) {
            int64_t pixels = 1;
            for (int k = 1; k < node.rank; ++k) pixels *= node.shape[k];
            fine = fine && pixels == PIXELS && node.dtype == CCONV_FLOAT32 && ++inputs == 1;
        }
        if (node.kind != CCONV_VARIABLE || i == own[0] || i == own[1]) continue;
        if (r->n_layers == VARIABLES) return 0;
        r->layers[r->n_layers++] = i;
    }
    return fine && inputs == 1;
}

/* The recognizer of a file's bytes, or NULL; recognizer_error tells why, "" where it is another kind of network. */
PAGE("open")
recognizer *recognizer_open(const void *bytes, size_t size)
{
    recognizer *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->graph = cconv_load_onnx_memory(bytes, size, NULL);
    cconv_node last, weights, bias;
    if (r->graph && cconv_graph_node(r->graph, cconv_graph_output_node(r->graph, 0), &last) == CCONV_OK && last.op &&
        strcmp(last.op, "dense") == 0 && last.n_inputs == 3 &&
        cconv_graph_node(r->graph, last.inputs[1], &weights) == CCONV_OK &&
        cconv_graph_node(r->graph, last.inputs[2], &bias) == CCONV_OK && weights.variable && bias.variable &&
        weights.shape[1] <= CLASSES) {
        const int own[2] = {last.inputs[1], last.inputs[2]};
        r->features = last.inputs[0];
        r->units = weights.shape[0];
        r->classes = (int)weights.shape[1];
        const int fits = find_layers(r, own);
        cconv_variable *w = cconv_variable_retain(weights.variable), *b = cconv_variable_retain(bias.variable);
        r->labels = cconv_graph_input(r->graph, "labels", CCONV_INT32, 1, (int64_t[]){-1});
        const int made = fits && make_head(r, r->classes, cconv_variable_data(w), cconv_variable_data(b));
        cconv_variable_free(w);
        cconv_variable_free(b);
        if (made) return r;
    }
    recognizer_close(r);
    return NULL;
}

/* One more class; returns how many there are now, 0 where that failed. */
PAGE("add_class")
int recognizer_add_class(recognizer *r)
{
    if (r->classes == CLASSES) return 0;
    cconv_variable *w = cconv_variable_retain(r->weights), *b = cconv_variable_retain(r->bias);
    const int made = make_head(r, r->classes + 1, cconv_variable_data(w), cconv_variable_data(b));
    cconv_variable_free(w);
    cconv_variable_free(b);
    return made ? r->classes : 0;
}

PAGE("classes")
int recognizer_classes(const recognizer *r)
{
    return r->classes;
}

static int run(recognizer *r, cconv_plan *plan, const float *images, const int32_t *labels, int n, float *output)
{
    const int64_t step = r->optimizers[0] ? cconv_optimizer_iterations(r->optimizers[0]) : 0;
    const cconv_batch batch = {.n = n,
                               .step = (uint64_t)step,
                               .inputs = (cconv_array[]){{images, CCONV_FLOAT32, n}, {labels, CCONV_INT32, n}},
                               .outputs = (cconv_output[]){{output, CCONV_FLOAT32}}};
    return plan && cconv_plan_run(plan, &batch) == CCONV_OK;
}

/* The probability of each class for an image of 28x28 numbers from 0 to 1, black 0; NULL where that failed. */
PAGE("recognize")
const float *recognizer_recognize(recognizer *r, const float *image)
{
    const int32_t none = 0;
    return run(r, r->recognize, image, &none, 1, r->answer) ? r->answer : NULL;
}

/* One step from n images (1 .. 32) and the numbers of their classes, of the head or, if `all`, of all layers. The mean loss before
 * it, below 0 where it failed. */
PAGE("learn")
float recognizer_learn(recognizer *r, const float *images, const int32_t *labels, int n, int all)
{
    const int which = all != 0;
    if (!r->learn[which]) {
        int wrt[VARIABLES + 2], count = 0;
        for (int i = 0; all && i < r->n_layers; ++i) wrt[count++] = r->layers[i];
        wrt[count++] = r->head[0];
        wrt[count++] = r->head[1];
        if (!r->optimizers[which])
            r->optimizers[which] = cconv_optimizer_new("adam", all ? "learning_rate=0.001" : "learning_rate=0.01");
        if (!r->optimizers[which]) return -1;
        r->learn[which] = cconv_plan_new(r->graph, &(cconv_plan_options){.max_batch = BATCH,
                                                                         .training = 1,
                                                                         .n_outputs = 1,
                                                                         .outputs = &r->loss,
                                                                         .root = r->loss,
                                                                         .n_wrt = count,
                                                                         .wrt = wrt,
                                                                         .optimizer = r->optimizers[which]});
    }
    return run(r, r->learn[which], images, labels, n, &r->mean_loss) ? r->mean_loss : -1;
}

PAGE("error")
const char *recognizer_error(void)
{
    return cconv_last_error();
}

PAGE("version")
const char *recognizer_version(void)
{
    return cconv_version();
}

/* The table of the plan that recognizes, as text for people; "" without memory. Stays until the next call. */
PAGE("describe")
const char *recognizer_describe(const recognizer *r)
{
    static char text[8192];
    cconv_plan_describe(r->recognize, text, sizeof text);
    return text;
}
