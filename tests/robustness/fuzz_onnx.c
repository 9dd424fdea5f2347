/* A target of libFuzzer for what reads bytes that others wrote: ONNX models, files of parameters, and attributes as text.
 * `make fuzz-onnx` builds it with sanitizers. Bytes that begin with 'A' are attributes ("Aconv;2,6,6,4;3,3,4,8;-;strides=2,2": an
 * op, the shapes of its inputs, - for one left out, attributes; or "Aadam;learning_rate=0.1"), those with '{' as ninth a file of
 * parameters, all others a model, which is loaded, saved, loaded again, planned with small sizes and run once. Whatever it is: a
 * result, or a status with a sentence; and no more memory than the file can justify. */
#define _GNU_SOURCE /* memfd_create */
#include "cconv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_RUN = 64 << 20, MOST_INPUTS = 8, OPEN = 8 };

/* ---- Memory ---------------------------------------------------------------------------------------------------------- */

typedef struct meter {
    uint64_t live, most; /* most: of all together; a load that asks for more is a failure, a plan is refused */
    int loading;
} meter;
static meter memory;

static void *allocate(size_t bytes, void *context)
{
    meter *m = context;
    if (m->live + bytes > m->most) {
        if (!m->loading) return NULL;
        fprintf(stderr, "a load asks for %zu bytes beside %llu\n", bytes, (unsigned long long)m->live);
        abort();
    }
    uint64_t *block = malloc(bytes + 16);
    if (!block) return NULL;
    m->live += bytes;
    *block = bytes;
    return block + 2;
}

static void release(void *at, void *context)
{
    uint64_t *block = (uint64_t *)at - 2;
    ((meter *)context)->live -= *block;
    free(block);
}

/* A load may hold what is computed while reading, 2^24 elements of 8 bytes and copies of these, and so much for each byte. */
static void expect_load(size_t size)
{
    memory.most = memory.live + ((uint64_t)512 << 20) + 1000 * (uint64_t)size;
    memory.loading = 1;
}

static void expect_run(void)
{
    memory.most = memory.live + MOST_RUN;
    memory.loading = 0;
}

/* ---- Checks ---------------------------------------------------------------------------------------------------------- */

static void fail(const char *what)
{
    fprintf(stderr, "%s (status %d, last error: %s)\n", what, (int)cconv_last_status(), cconv_last_error());
    abort();
}

static void expect_sentence(void)
{
    if (cconv_last_status() == CCONV_OK || strlen(cconv_last_error()) < 8) fail("a failure without a sentence");
}

/* ---- Graphs ---------------------------------------------------------------------------------------------------------- */

static double count_of(const cconv_node *node)
{
    double count = 1;
    for (int i = 0; i < node->rank; ++i) count *= (double)(node->shape[i] < 0 ? OPEN : node->shape[i]);
    return count;
}

/* The product of the numbers behind "name=". */
static double attribute_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    double product = 1;
    if (!at) return 1;
    for (at += strlen(name); *at && *at != ' ';) {
        char *end;
        const double number = strtod(at, &end);
        if (end == at) break;
        product *= fabs(number) + 1;
        at = *end == ',' ? end + 1 : end;
    }
    return product;
}

/* Whether a run is a matter of moments: a fuzzer does not wait for what honestly takes long. */
static int is_quick(const cconv_graph *graph)
{
    double work = 0;
    for (int i = 1; i <= cconv_graph_count(graph); ++i) {
        cconv_node node, other;
        cconv_op_facts facts;
        char text[2048];
        if (cconv_graph_node(graph, i, &node) != CCONV_OK) fail("a node that is not there");
        double own = count_of(&node);
        if (node.kind == CCONV_OP && cconv_op_info(node.op, &facts) == CCONV_OK) {
            cconv_graph_attributes(graph, i, text, sizeof text);
            own *= attribute_of(text, "pool_size=") * attribute_of(text, "sampling_ratio=") * attribute_of(text, " size=");
            for (int k = 0; k < node.n_inputs; ++k) {
                if (!node.inputs[k] || cconv_graph_node(graph, node.inputs[k], &other) != CCONV_OK) continue;
                const double count = count_of(&other);
                work += count;
                if (k && !facts.elementwise && !strstr("take take_along_axis where", node.op)) own *= count + 1;
                if (count > 1 << 22) return 0;
            }
        }
        work += own;
    }
    return work < 3e8;
}

static void fill(void *data, cconv_dtype dtype, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const int number = (int)(i * 7919 % 13) - 4;
        if (dtype == CCONV_INT32) ((int32_t *)data)[i] = number;
        if (dtype == CCONV_BOOL) ((uint8_t *)data)[i] = number > 0;
        if (dtype == CCONV_FLOAT32) ((float *)data)[i] = (float)number / 3;
    }
}

/* Plans and runs it once; training: with the gradients of the root's inputs. */
static void run(cconv_graph *graph, int root)
{
    int64_t shapes[MOST_INPUTS][CCONV_MAX_RANK];
    const int64_t *at[MOST_INPUTS];
    cconv_array arrays[MOST_INPUTS];
    int inputs[MOST_INPUTS], n = 0, n_wrt = 0, fits = 1, n_outputs = cconv_graph_output_count(graph);
    for (int i = 1; i <= cconv_graph_count(graph); ++i) {
        cconv_node node;
        cconv_graph_node(graph, i, &node);
        if (node.kind != CCONV_INPUT) continue;
        size_t count = 1;
        if (n == MOST_INPUTS) fits = 0;
        for (int k = 0; fits && k < node.rank; ++k) {
            shapes[n][k] = node.shape[k] < 0 ? (k == 0 ? 1 : OPEN) : node.shape[k];
            count *= (size_t)shapes[n][k];
        }
        if (!fits || count > 1 << 20) {
            fits = 0;
            break;
        }
        at[n] = shapes[n];
        void *data = calloc(count + 1, 4);
        fill(data, node.dtype, count);
        arrays[n] = (cconv_array){data, node.dtype, 1};
        if (root && node.dtype == CCONV_FLOAT32) inputs[n_wrt++] = i;
        ++n;
    }
    cconv_output outputs[MOST_INPUTS] = {{NULL, CCONV_FLOAT32}};
    expect_run();
    const cconv_plan_options options = {.input_shapes = at,
                                        .n_outputs = root ? 1 : 0,
                                        .outputs = &root,
                                        .root = n_wrt ? root : 0,
                                        .training = root != 0,
                                        .n_wrt = n_wrt,
                                        .wrt = inputs,
                                        .threads = 1};
    cconv_plan *plan = fits && n_outputs <= MOST_INPUTS ? cconv_plan_new(graph, &options) : NULL;
    if (fits && n_outputs <= MOST_INPUTS && !plan) expect_sentence();
    for (int i = 0; plan && i < (root ? 1 : n_outputs); ++i) {
        int rank;
        int64_t shape[CCONV_MAX_RANK];
        size_t count = 1;
        const int node = root ? root : cconv_graph_output_node(graph, i);
        if (cconv_plan_shape(plan, node, 1, &rank, shape) != CCONV_OK) fail("no shape of an output");
        for (int k = 0; k < rank; ++k) count *= (size_t)shape[k];
        outputs[i] = (cconv_output){malloc(count * 4 + 1), cconv_graph_dtype(graph, node)};
    }
    if (plan && cconv_plan_run(plan, &(cconv_batch){.n = 1, .inputs = arrays, .outputs = outputs}) != CCONV_OK)
        expect_sentence();
    for (int i = 0; i < MOST_INPUTS; ++i) free(outputs[i].data);
    cconv_plan_free(plan);
    for (int i = 0; i < n; ++i) free((void *)arrays[i].data);
}

/* ---- Models ---------------------------------------------------------------------------------------------------------- */

static cconv_graph *load(const void *data, size_t size, const cconv_onnx_options *options)
{
    expect_load(size);
    cconv_graph *graph = cconv_load_onnx_memory(data, size, options);
    if (!graph) expect_sentence();
    expect_run();
    return graph;
}

/* The same with all sizes of the first input open, and the same variables. */
static void load_open(const uint8_t *data, size_t size, const cconv_graph *graph)
{
    cconv_input_shape open = {NULL, 0, {0}};
    for (int i = 1; i <= cconv_graph_count(graph); ++i) {
        cconv_node node;
        cconv_graph_node(graph, i, &node);
        if (node.kind != CCONV_INPUT) continue;
        open.rank = node.rank;
        for (int k = 0; k < node.rank; ++k) open.shape[k] = size % 2 && k > 1 ? node.shape[k] : -1;
        break;
    }
    cconv_graph *other = load(
        data, size, &(cconv_onnx_options){.n_shapes = 1, .shapes = &open, .parameters_of = graph, .frozen = size % 3 == 0});
    cconv_graph_free(other);
}

static void save(const cconv_graph *graph)
{
    void *bytes = NULL;
    size_t size = 0;
    if (cconv_save_onnx_memory(graph, NULL, &bytes, &size) != CCONV_OK) {
        expect_sentence();
        return;
    }
    cconv_graph *again = load(bytes, size, NULL);
    if (!again && cconv_last_status() == CCONV_INVALID && !strstr(cconv_last_error(), "larger than any memory"))
        fail("a saved model is no model");
    cconv_graph_free(again);
    cconv_onnx_free(bytes);
}

static void try_model(const uint8_t *data, size_t size)
{
    cconv_graph *graph = load(data, size, NULL);
    if (!graph) return;
    if (cconv_graph_count(graph) < 500) {
        load_open(data, size, graph);
        save(graph);
        if (is_quick(graph)) run(graph, 0);
    }
    cconv_graph_free(graph);
}

/* ---- Files of parameters --------------------------------------------------------------------------------------------- */

static void try_parameters(const uint8_t *data, size_t size)
{
    static const float zeros[6];
    char path[64];
    const int file = memfd_create("parameters", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size) fail("no file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    expect_load(size);
    cconv_graph *graph = cconv_graph_new();
    cconv_variable *w = cconv_variable_new(2, (int64_t[]){2, 3}), *b = cconv_variable_new(1, (int64_t[]){3});
    cconv_graph_variable(graph, "w", w);
    cconv_graph_variable(graph, "b", b);
    cconv_optimizer *adam = cconv_optimizer_new("adam", NULL);
    const cconv_status status = cconv_load_parameters(graph, adam, path);
    if (status != CCONV_OK) expect_sentence();
    if (status != CCONV_OK && memcmp(cconv_variable_data(w), zeros, sizeof zeros) != 0) fail("a failure has changed something");
    if (cconv_load_parameters(graph, NULL, path) != CCONV_OK) expect_sentence();
    cconv_optimizer_free(adam);
    cconv_graph_free(graph);
    cconv_variable_free(w);
    cconv_variable_free(b);
    close(file);
}

/* ---- Attributes ------------------------------------------------------------------------------------------------------ */

static cconv_dtype dtype_of(const char *types, int k)
{
    const char *letter = types;
    for (; k > 0 && letter[1] == ' ' && letter[2] != '-'; --k) letter += 2;
    return *letter == 'i' ? CCONV_INT32 : *letter == 'b' ? CCONV_BOOL : CCONV_FLOAT32;
}

static void try_op(char *op, char *rest)
{
    int inputs[MOST_INPUTS] = {0}, n = 0;
    cconv_graph *graph = cconv_graph_new();
    for (char *next; n < MOST_INPUTS && (next = strchr(rest, ';')); rest = next + 1) {
        int64_t shape[CCONV_MAX_RANK];
        int rank = 0;
        *next = 0;
        for (char *at = rest, *end; *at && *at != '-' && rank < CCONV_MAX_RANK; at = *end ? end + 1 : end) {
            shape[rank++] = strtoll(at, &end, 10);
            if (end == at) break;
        }
        inputs[n] = *rest == '-' ? 0 : cconv_graph_input(graph, NULL, dtype_of(cconv_op_types(op), n), rank, shape);
        ++n;
    }
    const int node = cconv_graph_add(graph, op, NULL, n, inputs, rest);
    if (!node)
        expect_sentence();
    else if (is_quick(graph)) {
        cconv_graph_output(graph, NULL, node);
        run(graph, 0);
        run(graph, cconv_graph_dtype(graph, node) == CCONV_FLOAT32 ? node : 0);
    }
    cconv_graph_free(graph);
}

static void try_attributes(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    char *rest = strchr(text, ';');
    if (rest) *rest++ = 0;
    expect_run();
    if (rest && cconv_op_inputs(text)) try_op(text, rest);
    cconv_optimizer *optimizer = rest ? cconv_optimizer_new(text, rest) : NULL;
    if (rest && !optimizer) expect_sentence();
    if (optimizer && cconv_optimizer_set(optimizer, rest) != CCONV_OK) expect_sentence();
    cconv_optimizer_free(optimizer);
    free(text);
}

/* ---- The target ------------------------------------------------------------------------------------------------------ */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    cconv_set_allocator(&(cconv_allocator){allocate, release, &memory});
    memory.most = UINT64_MAX;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t before = memory.live;
    if (size && data[0] == 'A')
        try_attributes(data + 1, size - 1);
    else if (size > 8 && data[8] == '{')
        try_parameters(data, size);
    else
        try_model(data, size);
    memory.most = UINT64_MAX;
    if (memory.live > before + (1 << 20)) fail("memory is not given back"); /* what is kept for all runs is little */
    return 0;
}
