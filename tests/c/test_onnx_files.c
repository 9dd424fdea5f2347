/* ONNX models that are wrong: arguments, damage at every byte, operators that are not there, files of external data, more than may
 * be computed while reading, memory that is not there. Each gets a status and a sentence, and leaves nothing behind. */
#define _XOPEN_SOURCE 700
#include "cconv.h"
#include "harness.h"
#include "onnx_bytes.h"
#include <stdlib.h>
#if !defined(_WIN32)
#include <sys/stat.h>
#include <unistd.h>
#endif

static const char *const x_only[] = {"x", NULL};
static const int64_t images_shape[] = {-1, 2, 8, 8};

static cconv_graph *load(const onnx_text *model)
{
    return cconv_load_onnx_memory(model->data, model->size, NULL);
}

/* A small convolutional network as others write it: Conv with weights in raw_data, Relu, Shape, Slice and Concat of what is known,
 * Reshape by it, Gemm. */
static void put_network(onnx_text *model)
{
    static float kernel[3 * 2 * 3 * 3], matrix[3 * 64 * 4];
    static const int64_t zero = 0, one = 1, rest = -1;
    onnx_text graph = {0};
    for (size_t i = 0; i < sizeof kernel / sizeof *kernel; ++i) kernel[i] = (float)(i % 5) - 2;
    for (size_t i = 0; i < sizeof matrix / sizeof *matrix; ++i) matrix[i] = (float)(i % 7) / 7;
    put_node_with(&graph, "Conv", (const char *const[]){"x", "kernel", NULL}, "c", "pads", 4, (int64_t[]){1, 1, 1, 1});
    put_node(&graph, "Relu", (const char *const[]){"c", NULL}, "r");
    put_node(&graph, "Shape", (const char *const[]){"r", NULL}, "shape");
    put_node(&graph, "Slice", (const char *const[]){"shape", "zero", "one", NULL}, "batch");
    put_node_with(&graph, "Concat", (const char *const[]){"batch", "rest", NULL}, "to", "axis", 1, &zero);
    put_node(&graph, "Reshape", (const char *const[]){"r", "to", NULL}, "flat");
    put_node(&graph, "MatMul", (const char *const[]){"flat", "matrix", NULL}, "y");
    put_tensor(&graph, "kernel", 1, 4, (int64_t[]){3, 2, 3, 3}, kernel, sizeof kernel);
    put_tensor(&graph, "matrix", 1, 2, (int64_t[]){192, 4}, matrix, sizeof matrix);
    put_tensor(&graph, "zero", 7, 1, (int64_t[]){1}, &zero, sizeof zero);
    put_tensor(&graph, "one", 7, 1, (int64_t[]){1}, &one, sizeof one);
    put_tensor(&graph, "rest", 7, 1, (int64_t[]){1}, &rest, sizeof rest);
    put_value(&graph, GRAPH_INPUT, "x", 4, images_shape);
    put_value(&graph, GRAPH_OUTPUT, "y", 2, (int64_t[]){-1, 4});
    put_model(model, &graph);
}

/* ---- Arguments ----------------------------------------------------------------------------------------------------------- */

#define CHECK_REFUSED(call, result, wanted)                                                                                    \
    do {                                                                                                                       \
        cconv_optimizer_new("a mark", NULL);                                                                                   \
        CHECK((call) == (result));                                                                                             \
        CHECK(!strstr(cconv_last_error(), "a mark") && cconv_last_status() == (wanted));                                       \
    } while (0)

static void test_wrong_arguments(void)
{
    onnx_text model;
    void *bytes = &model;
    size_t size = 7;
    put_network(&model);
    cconv_graph *graph = load(&model), *none = cconv_graph_new();
    CHECK(graph != NULL);
    CHECK_REFUSED(cconv_load_onnx(NULL, NULL), NULL, CCONV_INVALID);
    CHECK_REFUSED(cconv_load_onnx("", NULL), NULL, CCONV_IO);
    CHECK_REFUSED(cconv_load_onnx("/nowhere/model.onnx", NULL), NULL, CCONV_IO);
    CHECK_REFUSED(cconv_load_onnx("/tmp", NULL), NULL, CCONV_IO);
    CHECK_REFUSED(cconv_load_onnx_memory(NULL, 10, NULL), NULL, CCONV_INVALID);
    CHECK_REFUSED(cconv_load_onnx_memory(model.data, 0, NULL), NULL, CCONV_INVALID);
    cconv_onnx_options options = {.n_shapes = 1};
    CHECK_REFUSED(cconv_load_onnx_memory(model.data, model.size, &options), NULL, CCONV_INVALID);
    options.n_shapes = -1;
    CHECK_REFUSED(cconv_load_onnx_memory(model.data, model.size, &options), NULL, CCONV_INVALID);
    const cconv_input_shape wrong[] = {{"z", 4, {1, 2, 8, 8}},        {"x", 3, {1, 2, 8}}, {"x", -1, {0}},
                                       {"x", 9, {1, 2, 8, 8}},        {NULL, 9, {0}},      {"x", 4, {1, 2, -2, 8}},
                                       {"x", 4, {1, 2, 1, INT64_MAX}}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        options = (cconv_onnx_options){.n_shapes = 1, .shapes = &wrong[i]};
        CHECK_REFUSED(cconv_load_onnx_memory(model.data, model.size, &options), NULL, CCONV_INVALID);
    }
    CHECK_REFUSED(cconv_save_onnx(NULL, "/tmp/cconv.onnx", NULL), CCONV_INVALID, CCONV_INVALID);
    CHECK_REFUSED(cconv_save_onnx(graph, NULL, NULL), CCONV_INVALID, CCONV_INVALID);
    CHECK_REFUSED(cconv_save_onnx(graph, "/nowhere/model.onnx", NULL), cconv_last_status(), cconv_last_status());
    CHECK(cconv_save_onnx(graph, "/nowhere/model.onnx", NULL) != CCONV_OK);
    CHECK_REFUSED(cconv_save_onnx_memory(NULL, NULL, &bytes, &size), CCONV_INVALID, CCONV_INVALID);
    CHECK(bytes == NULL);
    CHECK_REFUSED(cconv_save_onnx_memory(graph, NULL, NULL, &size), CCONV_INVALID, CCONV_INVALID);
    CHECK_REFUSED(cconv_save_onnx_memory(graph, NULL, &bytes, NULL), CCONV_INVALID, CCONV_INVALID);
    CHECK_REFUSED(cconv_save_onnx_memory(none, NULL, &bytes, &size), CCONV_INVALID, CCONV_INVALID);
    CHECK(bytes == NULL);
    cconv_onnx_free(NULL);
    CHECK_REFUSED(cconv_graph_output(NULL, "y", 1), CCONV_INVALID, CCONV_INVALID);
    CHECK_REFUSED(cconv_graph_output(none, "y", 1), CCONV_INVALID, CCONV_INVALID);
    CHECK_REFUSED(cconv_graph_output_name(NULL, 0), NULL, CCONV_INVALID);
    CHECK(cconv_graph_output_count(NULL) == 0 && cconv_graph_output_node(NULL, 0) == 0 &&
          cconv_graph_output_node(none, 0) == 0);
    CHECK(cconv_graph_find(NULL, "x") == 0 && cconv_graph_find(graph, NULL) == 0 && cconv_graph_find(graph, "nobody") == 0);
    CHECK(cconv_graph_parameters(NULL, 0, NULL, 0) <= 0 && cconv_graph_parameters(graph, 0, NULL, 5) == 2);
    CHECK(!cconv_graph_parameter(NULL, "x") && !cconv_graph_parameter(graph, NULL) && !cconv_graph_parameter(graph, "x"));
    cconv_graph_free(none);
    cconv_graph_free(graph);
}

/* ---- Damage -------------------------------------------------------------------------------------------------------------- */

/* A graph, or a status with a sentence. */
static void check_load(const uint8_t *data, size_t size)
{
    cconv_optimizer_new("a mark", NULL);
    cconv_graph *graph = cconv_load_onnx_memory(data, size, NULL);
    CHECK(graph || (cconv_last_status() != CCONV_OK && *cconv_last_error() && !strstr(cconv_last_error(), "a mark")));
    cconv_graph_free(graph);
}

static void test_damage_at_every_byte(void)
{
    static const uint8_t flips[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    onnx_text model;
    put_network(&model);
    cconv_graph *graph = load(&model);
    CHECK(graph != NULL);
    cconv_graph_free(graph);
    for (size_t size = 0; size < model.size; ++size) {
        uint8_t *exact = malloc(size + 1); /* what is read beyond the end is seen */
        memcpy(exact, model.data, size);
        check_load(exact, size);
        free(exact);
    }
    for (size_t i = 0; i < model.size; ++i)
        for (size_t k = 0; k < sizeof flips; ++k) {
            if (k < 8 && i > 600 && i % 16) continue; /* within numbers */
            model.data[i] ^= flips[k];
            check_load(model.data, model.size);
            model.data[i] ^= flips[k];
        }
}

static void test_all_that_is_unsupported_is_named(void)
{
    onnx_text graph = {0}, model;
    put_node(&graph, "Loop", x_only, "a");
    put_node(&graph, "Relu", (const char *const[]){"a", NULL}, "b");
    put_node(&graph, "StringNormalizer", x_only, "c");
    put_node_with(&graph, "Relu", x_only, "d", "slope", 1, images_shape);
    put_node(&graph, "LSTM", (const char *const[]){"d", NULL}, "e");
    put_value(&graph, GRAPH_INPUT, "x", 4, images_shape);
    put_value(&graph, GRAPH_OUTPUT, "b", 4, images_shape);
    put_model(&model, &graph);
    CHECK(!load(&model) && cconv_last_status() == CCONV_UNSUPPORTED);
    CHECK_ERROR("Loop", "'a'", "StringNormalizer", "'c'", "LSTM", "'e'");
    CHECK_ERROR("Relu with attribute 'slope'", "'d'");
    CHECK(!strstr(cconv_last_error(), "'b'")); /* what reads the one that is not supported */
}

/* ---- What is computed while reading ---------------------------------------------------------------------------------------- */

/* A few bytes that ask for much. */
static void test_few_bytes_that_ask_for_much(void)
{
    static const int64_t two[] = {1, 0}, huge[] = {1 << 20, 1 << 20}, end = 1 << 30, zero = 0, step = 1;
    for (int which = 0; which < 2; ++which) {
        onnx_text graph = {0}, model;
        put_tensor(&graph, "two", 7, 1, (int64_t[]){2}, two, sizeof two);
        put_tensor(&graph, "zero", 7, 0, NULL, &zero, sizeof zero);
        put_tensor(&graph, "step", 7, 0, NULL, &step, sizeof step);
        put_tensor(&graph, "end", 7, 0, NULL, &end, sizeof end);
        if (which == 0) put_node(&graph, "Range", (const char *const[]){"zero", "end", "step", NULL}, "y");
        if (which == 1) put_node(&graph, "OneHot", (const char *const[]){"two", "end", "two", NULL}, "y");
        put_value(&graph, GRAPH_OUTPUT, "y", 2, images_shape);
        put_model(&model, &graph);
        cconv_graph *loaded = load(&model);
        CHECK(!loaded && cconv_last_status() == CCONV_UNSUPPORTED);
        CHECK_ERROR("node 'y'", "while the model is read");
        cconv_graph_free(loaded);
    }
    /* what a run computes may be as large as one likes, and what is too much to be evaluated is left to runs */
    for (int known = 0; known < 2; ++known) {
        onnx_text graph = {0}, model;
        put_tensor(&graph, "huge", 7, 1, (int64_t[]){2}, huge, sizeof huge);
        put_tensor(&graph, "step", 7, 0, NULL, &step, sizeof step);
        put_node(&graph, "Expand", (const char *const[]){known ? "step" : "x", "huge", NULL}, "y");
        put_value(&graph, GRAPH_INPUT, "x", 2, (int64_t[]){1, 1});
        put_value(&graph, GRAPH_OUTPUT, "y", 2, images_shape);
        put_model(&model, &graph);
        cconv_graph *loaded = load(&model);
        CHECK(loaded && cconv_graph_count(loaded) < 5);
        cconv_graph_free(loaded);
    }
}

/* ---- External data -------------------------------------------------------------------------------------------------------- */

#if !defined(_WIN32)
static char folder[] = "/tmp/cconv_onnx_XXXXXX", path[96], file_name[96];

static const char *in_folder(const char *name)
{
    snprintf(file_name, sizeof file_name, "%s/%s", folder, name);
    return file_name;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    CHECK(file && fwrite(bytes, 1, size, file) == size);
    if (file) fclose(file);
}

/* Loads a model with count numbers in that file; they begin at `offset`. */
static cconv_graph *load_external(int64_t count, const char *location, const char *offset)
{
    onnx_text graph = {0}, model;
    put_node(&graph, "Add", (const char *const[]){"x", "w", NULL}, "y");
    put_external(&graph, "w", count, location, offset);
    put_value(&graph, GRAPH_INPUT, "x", 2, (int64_t[]){-1, count});
    put_value(&graph, GRAPH_OUTPUT, "y", 2, (int64_t[]){-1, count});
    put_model(&model, &graph);
    CHECK(!load(&model)); /* bytes have no folder */
    write_file("sub/model.onnx", model.data, model.size);
    return cconv_load_onnx(path, NULL);
}

static void test_external_data_stays_in_the_folder(void)
{
    const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const char *const outside[] = {
        "../secret", "weights/../../secret", "..", "../sub/weights", "/etc/passwd", "..\\secret", "C:\\secret", "link",
        "",          "linked/secret"};
    strcpy(folder, "/tmp/cconv_onnx_XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(mkdir(in_folder("sub"), 0700) == 0 && mkdir(in_folder("sub/below"), 0700) == 0);
    snprintf(path, sizeof path, "%s/sub/model.onnx", folder);
    write_file("secret", numbers, sizeof numbers);
    write_file("sub/weights", numbers, sizeof numbers);
    write_file("sub/below/weights", numbers, sizeof numbers);
    CHECK(symlink("../secret", in_folder("sub/link")) == 0);
    CHECK(symlink("..", in_folder("sub/linked")) == 0);
    CHECK(symlink("weights", in_folder("sub/inside")) == 0);
    static const char *const inside[] = {"weights", "below/weights", "./weights", "inside"};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; ++i) {
        cconv_graph *graph = load_external(4, inside[i], "8");
        cconv_variable *w = graph ? cconv_graph_parameter(graph, "w") : NULL;
        CHECK(w && memcmp(cconv_variable_data(w), numbers + 2, 4 * sizeof(float)) == 0);
        cconv_graph_free(graph);
    }
    for (size_t i = 0; i < sizeof outside / sizeof *outside; ++i) {
        CHECK(!load_external(4, outside[i], "0") && cconv_last_status() == CCONV_INVALID);
        CHECK_ERROR("is not in the model's folder");
    }
    static const struct {
        int64_t count;
        const char *location, *offset;
    } wrong[] = {{9, "weights", "0"},  {8, "weights", "4"},
                 {1, "weights", "33"}, {2, "weights", "-8"},
                 {2, "weights", "x"},  {2, "weights", "18446744073709551615"},
                 {2, "missing", "0"},  {(int64_t)1 << 50, "weights", "0"},
                 {4, "below", "0"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        CHECK(!load_external(wrong[i].count, wrong[i].location, wrong[i].offset));
        CHECK(cconv_last_status() == CCONV_INVALID);
    }
    static const char *const all[] = {"sub/model.onnx", "sub/weights", "sub/below/weights", "sub/link", "sub/linked",
                                      "sub/inside",     "secret"};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) CHECK(unlink(in_folder(all[i])) == 0);
    CHECK(rmdir(in_folder("sub/below")) == 0 && rmdir(in_folder("sub")) == 0 && rmdir(folder) == 0);
}
#endif

/* ---- Memory --------------------------------------------------------------------------------------------------------------- */

typedef struct meter {
    long asked, refuse_at, live;
} meter;

static void *allocate(size_t bytes, void *context)
{
    meter *m = context;
    void *memory = ++m->asked == m->refuse_at ? NULL : malloc(bytes);
    if (memory) ++m->live;
    return memory;
}

static void release(void *memory, void *context)
{
    --((meter *)context)->live;
    free(memory);
}

/* Loads, and saves what was loaded; the status, CCONV_OK if both worked. */
static cconv_status load_and_save(const onnx_text *model)
{
    void *bytes;
    size_t size;
    cconv_graph *graph = load(model);
    if (!graph) return cconv_last_status();
    const cconv_status status = cconv_save_onnx_memory(graph, NULL, &bytes, &size);
    CHECK((status == CCONV_OK) == (bytes != NULL));
    cconv_onnx_free(bytes);
    cconv_graph_free(graph);
    return status;
}

static void test_memory_that_models_cannot_have(void)
{
    onnx_text model;
    put_network(&model);
    CHECK(load_and_save(&model) == CCONV_OK); /* what is made once and kept is made here */
    meter m = {0};
    cconv_set_allocator(&(cconv_allocator){allocate, release, &m});
    CHECK(load_and_save(&model) == CCONV_OK && m.live == 0);
    const long all = m.asked;
    long failed = 0;
    for (long k = 1; k <= all; ++k) {
        m = (meter){.refuse_at = k};
        const cconv_status status = load_and_save(&model);
        CHECK(status == CCONV_OK || status == CCONV_NO_MEMORY);
        if (status != CCONV_OK) CHECK_ERROR("memory");
        if (m.live || (status != CCONV_OK && status != CCONV_NO_MEMORY)) printf("allocation %ld, %ld blocks\n", k, m.live);
        CHECK(m.live == 0);
        failed += status != CCONV_OK;
    }
    CHECK(all > 50 && failed > all * 9 / 10);
    cconv_set_allocator(NULL);
}

const test onnx_file_tests[] = {
    {"onnx_wrong_arguments", test_wrong_arguments},
    {"onnx_damage_at_every_byte", test_damage_at_every_byte},
    {"onnx_all_that_is_unsupported_is_named", test_all_that_is_unsupported_is_named},
    {"onnx_few_bytes_that_ask_for_much", test_few_bytes_that_ask_for_much},
#if !defined(_WIN32)
    {"onnx_external_data_stays_in_the_folder", test_external_data_stays_in_the_folder},
#endif
    {"onnx_memory_that_models_cannot_have", test_memory_that_models_cannot_have},
    {0},
};
