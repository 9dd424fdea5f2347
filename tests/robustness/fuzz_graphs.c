/* Random graphs through the public header: ops with random inputs and attributes, some of them nonsense, shapes with sizes of 0
 * and 1 and unknown ones; a plan of each, run with random numbers on one thread and on two, which must agree bit for bit.
 * Built with sanitizers by `make fuzz-graphs`; what fails says its seed, and --seed N --count 1 repeats it. */
#include "cconv.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_NODES = 40, MOST_INPUTS = 6, LARGEST = 4096, MOST_BYTES = 64 << 20 };

static uint64_t seed, state;     /* of this graph; of its random numbers */
static uint64_t all_nodes, runs; /* so far; a fuzzer that is refused everything would show */

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int below(int n)
{
    return (int)(draw() % (uint64_t)n);
}

static int chance(int percent)
{
    return below(100) < percent;
}

#if defined(__SANITIZE_ADDRESS__) /* GCC says so */
void __sanitizer_set_death_callback(void (*callback)(void));

/* A sanitizer ends the process without a word of the seed. */
static void say_seed(void)
{
    printf("seed %" PRIu64 ": see above\n", seed);
    fflush(stdout);
}
#endif

static void fail(const char *what)
{
    printf("seed %" PRIu64 ": %s (last error: %s)\n", seed, what, cconv_last_error());
    exit(1);
}

/* No graph here needs much: an allocation that is larger is refused, as a full machine would. */
static void *allocate(size_t bytes, void *context)
{
    (void)context;
    return bytes > MOST_BYTES ? NULL : malloc(bytes);
}

static void release(void *memory, void *context)
{
    (void)context;
    free(memory);
}

/* ---- Attributes ---- */

static int64_t random_size(void)
{
    static const int64_t odd[] = {0, -1, -2, 7, 64, 1 << 20, (int64_t)1 << 40, INT64_MAX, INT64_MIN};
    return chance(6) ? odd[below((int)(sizeof odd / sizeof *odd))] : below(4);
}

static void put(char *text, size_t size, const char *word)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", word);
}

static void put_value(char *text, size_t size, const cconv_attribute *a, int rank)
{
    char word[64];
    if (chance(1)) {
        put(text, size, below(2) ? "nonsense" : "");
    } else if (!strcmp(a->type, "enum")) {
        int choices = 1, chosen;
        for (const char *c = a->choices; *c; ++c) choices += *c == '|';
        const char *at = a->choices;
        for (chosen = below(choices); chosen > 0; --chosen) at = strchr(at, '|') + 1;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at, "|"), at);
        put(text, size, word);
    } else if (!strcmp(a->type, "bool")) {
        put(text, size, below(2) ? "1" : "0");
    } else if (!strcmp(a->type, "float")) {
        static const char *const odd[] = {"0", "1", "-1", "inf", "1e-45", "3e38"};
        snprintf(word, sizeof word, "%.3f", (double)below(1000) / 1000);
        put(text, size, chance(15) ? odd[below(6)] : word);
    } else if (!strcmp(a->type, "int")) {
        snprintf(word, sizeof word, "%" PRId64, chance(60) ? below(rank + 1) : random_size());
        put(text, size, word);
    } else {
        const int n = chance(85) ? (chance(50) ? rank : 1 + below(3)) : below(2 * CCONV_MAX_RANK + 2);
        for (int i = 0; i < n; ++i) {
            snprintf(word, sizeof word, "%s%" PRId64, i ? "," : "", chance(70) ? 1 + below(3) : random_size());
            put(text, size, word);
        }
    }
}

static void random_attributes(const char *op, int rank, char *text, size_t size)
{
    cconv_attribute a;
    text[0] = 0;
    for (int i = 0; cconv_op_attribute(op, i, &a) == CCONV_OK; ++i) {
        if (a.default_value && chance(60)) continue;
        if (*text) put(text, size, " ");
        put(text, size, a.name);
        put(text, size, "=");
        put_value(text, size, &a, rank);
    }
    if (chance(1)) put(text, size, " no_such=1");
}

/* ---- Graphs ---- */

static int add_leaf(cconv_graph *g, cconv_variable **variables, int *n_variables)
{
    int64_t shape[CCONV_MAX_RANK];
    const int rank = chance(97) ? 1 + below(5) : below(CCONV_MAX_RANK + 1), kind = below(3);
    const cconv_dtype types[] = {CCONV_FLOAT32, CCONV_INT32, CCONV_BOOL};
    const cconv_dtype type = chance(75) ? CCONV_FLOAT32 : types[below(3)];
    int64_t count = 1;
    for (int i = 0; i < rank; ++i) count *= shape[i] = chance(3) ? 0 : 1 + below(5);
    if (count > LARGEST) return 0;
    if (kind == 0) {
        if (rank && chance(70)) shape[0] = -1;
        return cconv_graph_input(g, NULL, type, rank, shape);
    }
    if (kind == 1) {
        cconv_variable *v = cconv_variable_new(rank, shape);
        if (!v) return 0;
        for (int64_t i = 0; i < count; ++i) cconv_variable_data(v)[i] = (float)(below(9) - 4) / 4;
        variables[(*n_variables)++] = v;
        return cconv_graph_variable(g, NULL, v);
    }
    int32_t values[LARGEST];
    for (int64_t i = 0; i < count; ++i) {
        const float f = (float)(below(9) - 4) / 4;
        if (type == CCONV_FLOAT32)
            memcpy(values + i, &f, sizeof f);
        else if (type == CCONV_INT32)
            values[i] = below(5);
        else
            ((unsigned char *)values)[i] = (unsigned char)below(2);
    }
    return cconv_graph_constant(g, NULL, type, rank, shape, values);
}

static void add_op(cconv_graph *g)
{
    const char *op = cconv_op_name(below(cconv_op_count())), *declared = cconv_op_inputs(op);
    int inputs[MOST_INPUTS], ranks[MOST_INPUTS], n = 0;
    cconv_dtype types[MOST_INPUTS];
    int64_t shapes[MOST_INPUTS][CCONV_MAX_RANK];
    const int64_t *pointers[MOST_INPUTS];
    for (const char *at = declared; at && n < MOST_INPUTS; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL) {
        const size_t length = strcspn(at, " ");
        const char mark = at[length - 1];
        for (int more = mark == '*' ? 1 + below(3) : 1; more > 0 && n < MOST_INPUTS; --more)
            inputs[n++] = mark == '?' && chance(50) ? 0 : 1 + below(cconv_graph_count(g));
    }
    for (int i = 0; i < n; ++i) {
        pointers[i] = shapes[i];
        ranks[i] = -1;
        types[i] = CCONV_FLOAT32;
        if (inputs[i] && cconv_graph_shape(g, inputs[i], &ranks[i], shapes[i]) != CCONV_OK) fail("a node has no shape");
        if (inputs[i]) types[i] = cconv_graph_dtype(g, inputs[i]);
    }
    char attributes[512];
    int64_t shape[CCONV_MAX_RANK], count = 1;
    int rank;
    random_attributes(op, ranks[0] < 0 ? 0 : ranks[0], attributes, sizeof attributes);
    if (cconv_infer(op, NULL, n, types, ranks, pointers, attributes, NULL, &rank, shape) != CCONV_OK) {
        if (!*cconv_last_error()) fail("refused without a word");
        return; /* added to a graph it would spoil all of it */
    }
    for (int i = 0; i < rank; ++i) {
        if (shape[i] > LARGEST) return;
        count *= shape[i] < 0 ? 5 : shape[i];
        if (count > LARGEST) return;
    }
    if (!cconv_graph_add(g, op, NULL, n, inputs, attributes)) fail("what infer takes was refused by add");
}

/* ---- Runs ---- */

/* Bytes of a node's value for a batch; -1: it has none. */
static int64_t value_bytes(cconv_plan *plan, int node, int64_t n)
{
    int64_t shape[CCONV_MAX_RANK], count = 4;
    int rank;
    if (cconv_plan_shape(plan, node, n, &rank, shape) != CCONV_OK) return -1;
    for (int i = 0; i < rank; ++i) count *= shape[i];
    return count;
}

/* A run changes variables (moving averages, `assign`): the next one shall begin with the same values. */
static void keep_values(cconv_variable **variables, int n_variables, float **kept)
{
    for (int i = 0; i < n_variables; ++i) {
        const size_t bytes = cconv_variable_count(variables[i]) * sizeof **kept;
        if (!(kept[i] = malloc(bytes + 1))) exit(2);
        memcpy(kept[i], cconv_variable_data(variables[i]), bytes);
    }
}

static void put_back(cconv_variable **variables, int n_variables, float **kept)
{
    for (int i = 0; i < n_variables; ++i) {
        memcpy(cconv_variable_data(variables[i]), kept[i], cconv_variable_count(variables[i]) * sizeof **kept);
        cconv_variable_touch(variables[i]);
    }
}

static void run(cconv_graph *g, int training, int root, int n_wrt, const int *wrt, cconv_variable **variables, int n_variables)
{
    enum { OUTPUTS = 3 };
    const int nodes = cconv_graph_count(g);
    const int64_t batch = 1 + below(3);
    int outputs[OUTPUTS], n_inputs = 0;
    cconv_array inputs[MOST_NODES];
    for (int i = 0; i < OUTPUTS; ++i) outputs[i] = i ? 1 + below(nodes) : nodes;
    for (int k = 1; k <= nodes; ++k) {
        cconv_node node;
        if (cconv_graph_node(g, k, &node) != CCONV_OK) fail("a node is not there");
        if (node.kind != CCONV_INPUT) continue;
        int64_t count = batch;
        for (int i = 0; i < node.rank; ++i) count *= node.shape[i] < 0 ? 1 : node.shape[i];
        float *data = malloc((size_t)count * 4 + 1);
        if (!data) exit(2);
        for (int64_t i = 0; i < count; ++i) {
            const float f = (float)(below(17) - 8) / 4;
            const int32_t v = below(6) - 1;
            if (node.dtype == CCONV_BOOL)
                ((unsigned char *)data)[i] = (unsigned char)below(2);
            else
                memcpy(data + i, node.dtype == CCONV_INT32 ? (const void *)&v : (const void *)&f, 4);
        }
        inputs[n_inputs++] = (cconv_array){data, node.dtype, batch};
    }
    char *seen[2][OUTPUTS] = {{NULL}};
    int64_t sizes[OUTPUTS] = {0};
    cconv_status said[2] = {CCONV_OK, CCONV_OK};
    float *kept[MOST_NODES];
    keep_values(variables, n_variables, kept);
    const int most = chance(20) ? 2 : 1; /* a second thread takes long where others use the processors */
    for (int threads = 1; threads <= most; ++threads) {
        put_back(variables, n_variables, kept);
        cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = batch,
                                                                   .n_outputs = OUTPUTS,
                                                                   .outputs = outputs,
                                                                   .training = training,
                                                                   .root = root,
                                                                   .n_wrt = n_wrt,
                                                                   .wrt = wrt,
                                                                   .threads = threads,
                                                                   .keep_gradients = 1});
        if (!plan) {
            if (!*cconv_last_error()) fail("a plan was refused without a word");
            said[threads - 1] = cconv_last_status();
            continue;
        }
        cconv_output places[OUTPUTS];
        for (int i = 0; i < OUTPUTS; ++i) {
            sizes[i] = value_bytes(plan, outputs[i], batch);
            if (sizes[i] < 0) fail("an output has no shape");
            seen[threads - 1][i] = calloc(1, (size_t)sizes[i] + 1);
            places[i] = (cconv_output){seen[threads - 1][i], cconv_graph_dtype(g, outputs[i])};
        }
        said[threads - 1] = cconv_plan_run(plan, &(cconv_batch){.n = batch, .inputs = inputs, .outputs = places, .seed = 1});
        for (int i = 0; i < n_wrt && said[threads - 1] == CCONV_OK && root; ++i) (void)cconv_plan_gradient(plan, wrt[i]);
        char text[256];
        runs += said[threads - 1] == CCONV_OK;
        (void)cconv_plan_describe(plan, text, sizeof text);
        cconv_plan_free(plan);
    }
    if (most == 2 && said[0] != said[1]) fail("one thread is told something else than two");
    for (int i = 0; i < OUTPUTS; ++i) {
        if (most == 2 && said[0] == CCONV_OK && memcmp(seen[0][i], seen[1][i], (size_t)sizes[i]))
            fail("two threads compute other bits than one");
        free(seen[0][i]);
        free(seen[1][i]);
    }
    for (int i = 0; i < n_inputs; ++i) free((void *)(uintptr_t)inputs[i].data);
    for (int i = 0; i < n_variables; ++i) free(kept[i]);
}

static void one_graph(void)
{
    cconv_variable *variables[MOST_NODES];
    int n_variables = 0, wrt[MOST_NODES], n_wrt = 0;
    cconv_graph *g = cconv_graph_new();
    if (!g) fail("no graph");
    for (int leaves = 2 + below(5); leaves > 0; --leaves) add_leaf(g, variables, &n_variables);
    for (int tries = 20 + below(60); tries > 0 && cconv_graph_count(g) && cconv_graph_count(g) < MOST_NODES - 1; --tries)
        add_op(g);
    const int nodes = cconv_graph_count(g);
    all_nodes += (uint64_t)nodes;
    if (nodes) {
        char text[512];
        (void)cconv_graph_describe(g, text, sizeof text);
        for (int k = 1; k <= nodes; ++k) {
            (void)cconv_graph_attributes(g, k, text, sizeof text);
            cconv_node node;
            if (cconv_graph_node(g, k, &node) == CCONV_OK && node.kind == CCONV_VARIABLE) wrt[n_wrt++] = k;
        }
        run(g, 0, 0, 0, NULL, variables, n_variables);
        run(g, 1, cconv_graph_dtype(g, nodes) == CCONV_FLOAT32 ? nodes : 0, n_wrt, wrt, variables, n_variables);
    }
    cconv_graph_free(g);
    for (int i = 0; i < n_variables; ++i) cconv_variable_free(variables[i]);
}

int main(int argc, char **argv)
{
    double seconds = 60;
    uint64_t first = (uint64_t)time(NULL) * 1000, count = UINT64_MAX, done = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seconds")) seconds = atof(argv[i + 1]);
        if (!strcmp(argv[i], "--seed")) first = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--count")) count = strtoull(argv[i + 1], NULL, 10);
    }
#if defined(__SANITIZE_ADDRESS__) /* GCC says so */
    __sanitizer_set_death_callback(say_seed);
#endif
    cconv_set_allocator(&(cconv_allocator){allocate, release, NULL});
    printf("graphs from seed %" PRIu64 " on\n", first);
    fflush(stdout);
    const time_t start = time(NULL);
    for (; done < count && difftime(time(NULL), start) < seconds; ++done) {
        seed = first + done;
        state = (seed + 1) * 0x9E3779B97F4A7C15u;
        one_graph();
    }
    printf("%" PRIu64 " graphs of %" PRIu64 " nodes, %" PRIu64 " runs, none failed\n", done, all_nodes, runs);
    return 0;
}
