/* What wrong arguments get: NULL in every place of every call, and sizes whose products fit nowhere. */
#include "cconv.h"
#include "harness.h"
#include <limits.h>

/* The call fails so, and leaves a sentence of its own. */
#define CHECK_FAILS(call, result)                                                                                              \
    do {                                                                                                                       \
        cconv_optimizer_new("a mark", NULL);                                                                                   \
        CHECK((call) == (result));                                                                                             \
        CHECK(!strstr(cconv_last_error(), "a mark") && cconv_last_status() == CCONV_INVALID);                                  \
    } while (0)

static void test_null_in_calls_of_variables_and_ops(void)
{
    cconv_attribute attribute;
    cconv_dtype dtype;
    int rank;
    int64_t shape[CCONV_MAX_RANK] = {2, 2};
    const int64_t *shapes[2] = {shape, NULL};
    CHECK_FAILS(cconv_variable_new(1, NULL), NULL);
    CHECK(cconv_variable_retain(NULL) == NULL);
    cconv_variable_free(NULL);
    cconv_variable_touch(NULL);
    CHECK_FAILS(cconv_variable_data(NULL), NULL);
    CHECK_FAILS(cconv_variable_shape(NULL, shape), -1);
    CHECK_FAILS(cconv_variable_count(NULL), 0);
    CHECK_FAILS(cconv_op_inputs(NULL), NULL);
    CHECK_FAILS(cconv_op_types(NULL), NULL);
    CHECK_FAILS(cconv_op_attribute(NULL, 0, &attribute), CCONV_INVALID);
    CHECK_FAILS(cconv_op_attribute("conv", 0, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_op_info("conv", NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_op_info(NULL, &(cconv_op_facts){0}), CCONV_INVALID);
    CHECK_FAILS(cconv_infer(NULL, NULL, 1, NULL, (int[]){2}, shapes, NULL, &dtype, &rank, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_infer("relu", NULL, 1, NULL, NULL, shapes, NULL, &dtype, &rank, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_infer("relu", NULL, 1, NULL, (int[]){2}, NULL, NULL, &dtype, &rank, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_infer("relu", NULL, 1, NULL, (int[]){2}, shapes + 1, NULL, &dtype, &rank, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_infer("relu", NULL, 1, NULL, (int[]){2}, shapes, NULL, &dtype, NULL, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_infer("relu", NULL, 1, NULL, (int[]){2}, shapes, NULL, &dtype, &rank, NULL), CCONV_INVALID);
    CHECK(cconv_infer("relu", NULL, 1, NULL, (int[]){2}, shapes, NULL, NULL, &rank, shape) == CCONV_OK && rank == 2);
    cconv_variable *v = cconv_variable_new(2, (int64_t[]){2, 3});
    CHECK(cconv_variable_shape(v, NULL) == 2);
    cconv_variable_free(v);
}

static void test_null_in_calls_of_graphs(void)
{
    int rank;
    int64_t shape[CCONV_MAX_RANK] = {-1, 2};
    char text[8];
    cconv_node node;
    CHECK_FAILS(cconv_graph_input(NULL, NULL, CCONV_FLOAT32, 2, shape), 0);
    CHECK_FAILS(cconv_graph_variable(NULL, NULL, NULL), 0);
    CHECK_FAILS(cconv_graph_constant(NULL, NULL, CCONV_FLOAT32, 0, NULL, shape), 0);
    CHECK_FAILS(cconv_graph_add(NULL, "relu", NULL, 1, (int[]){1}, NULL), 0);
    CHECK_FAILS(cconv_graph_count(NULL), 0);
    CHECK_FAILS(cconv_graph_shape(NULL, 1, &rank, shape), CCONV_INVALID);
    CHECK_FAILS((int)cconv_graph_dtype(NULL, 1), -1);
    CHECK_FAILS(cconv_graph_node(NULL, 1, &node), CCONV_INVALID);
    CHECK_FAILS(cconv_graph_attributes(NULL, 1, text, sizeof text), 0);
    CHECK_FAILS(cconv_graph_describe(NULL, text, sizeof text), 0);
    CHECK_FAILS(cconv_graph_per_sample(NULL, 0, NULL), 0);
    cconv_graph_free(NULL);
    for (int wrong = 0; wrong < 5; ++wrong) { /* a graph that failed stays failed */
        cconv_graph *g = cconv_graph_new();
        const int x = cconv_graph_input(g, NULL, CCONV_FLOAT32, 2, (int64_t[]){-1, 2});
        CHECK(x == 1 && cconv_graph_shape(g, x, NULL, NULL) == CCONV_OK);
        CHECK_FAILS(cconv_graph_node(g, x, NULL), CCONV_INVALID);
        CHECK_FAILS(cconv_graph_per_sample(g, 1, NULL), 0);
        CHECK(cconv_graph_describe(g, NULL, 100) > 0 && cconv_graph_attributes(g, x, NULL, 100) == 0);
        if (wrong == 0) CHECK_FAILS(cconv_graph_input(g, NULL, CCONV_FLOAT32, 2, NULL), 0);
        if (wrong == 1) CHECK_FAILS(cconv_graph_variable(g, NULL, NULL), 0);
        if (wrong == 2) CHECK_FAILS(cconv_graph_constant(g, NULL, CCONV_FLOAT32, 0, NULL, NULL), 0);
        if (wrong == 3) CHECK_FAILS(cconv_graph_add(g, NULL, NULL, 1, &x, NULL), 0);
        if (wrong == 4) CHECK_FAILS(cconv_graph_add(g, "relu", NULL, 1, NULL, NULL), 0);
        cconv_graph_free(g);
    }
}

static void test_null_in_calls_of_optimizers_and_plans(void)
{
    cconv_attribute attribute;
    int rank;
    int64_t shape[CCONV_MAX_RANK];
    char text[8];
    CHECK_FAILS(cconv_optimizer_new(NULL, NULL), NULL);
    CHECK_FAILS(cconv_optimizer_attribute(NULL, 0, &attribute), CCONV_INVALID);
    CHECK_FAILS(cconv_optimizer_attribute("sgd", 0, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_optimizer_set(NULL, "learning_rate=1"), CCONV_INVALID);
    CHECK_FAILS(cconv_optimizer_iterations(NULL), 0);
    CHECK_FAILS(cconv_optimizer_slot_name(NULL, 0), NULL);
    CHECK_FAILS(cconv_optimizer_slot(NULL, NULL, 0), NULL);
    cconv_optimizer_set_iterations(NULL, 1);
    cconv_optimizer_free(NULL);
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "momentum=0.5");
    CHECK_FAILS(cconv_optimizer_slot(sgd, NULL, 0), NULL);
    CHECK(cconv_optimizer_set(sgd, NULL) == CCONV_OK);
    cconv_optimizer_free(sgd);

    cconv_graph *g = cconv_graph_new();
    const int x = cconv_graph_input(g, NULL, CCONV_FLOAT32, 2, (int64_t[]){-1, 2});
    const int y = cconv_graph_add(g, "relu", NULL, 1, &x, NULL);
    cconv_plan_options options = {.n_outputs = 1, .outputs = &y};
    CHECK_FAILS(cconv_plan_new(NULL, &options), NULL);
    CHECK_FAILS(cconv_plan_new(g, NULL), NULL);
    CHECK_FAILS(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1}), NULL);
    CHECK_FAILS(cconv_plan_new(g, &(cconv_plan_options){.root = y, .n_wrt = 1}), NULL);
    CHECK_FAILS(cconv_plan_new(g, &(cconv_plan_options){.threads = 1000000000}), NULL);
    CHECK_ERROR("1000000000", "1024");
    options.input_shapes = (const int64_t *const[]){NULL};
    cconv_plan *plan = cconv_plan_new(g, &options);
    CHECK(plan && cconv_plan_shape(plan, y, 1, NULL, NULL) == CCONV_OK);
    CHECK_FAILS(cconv_plan_run(plan, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_run(NULL, &(cconv_batch){.n = 1}), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_run(plan, &(cconv_batch){.n = 1}), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_run(plan, &(cconv_batch){.n = 1, .inputs = &(cconv_array){NULL, CCONV_FLOAT32, 1}}), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_gradient(NULL, y), NULL);
    CHECK_FAILS(cconv_plan_gradient(plan, y), NULL);
    CHECK_FAILS(cconv_plan_shape(NULL, y, 1, &rank, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_bytes(NULL), 0);
    CHECK_FAILS(cconv_plan_profile(NULL, 1), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_describe(NULL, text, sizeof text), 0);
    CHECK(cconv_plan_describe(plan, NULL, 100) > 0);
    cconv_plan_free(plan);
    cconv_plan_free(NULL);
    cconv_graph_free(g);
    cconv_set_allocator(&(cconv_allocator){NULL, NULL, NULL}); /* as NULL: nothing to allocate with */
    g = cconv_graph_new();
    CHECK(g != NULL);
    cconv_graph_free(g);
    cconv_set_allocator(NULL);
}

/* Calls of the library and of names, numbers and files: those of newer functions, and what cannot fail. */
static void test_null_in_calls_of_names_and_files(void)
{
    int nodes[4] = {7, 7, 7, 7};
    float values[4] = {0};
    CHECK_FAILS(cconv_graph_output(NULL, "y", 1), CCONV_INVALID);
    CHECK_FAILS(cconv_graph_output_count(NULL), 0);
    CHECK_FAILS(cconv_graph_output_node(NULL, 0), 0);
    CHECK_FAILS(cconv_graph_output_name(NULL, 0), NULL);
    CHECK_FAILS(cconv_graph_find(NULL, "x"), 0);
    CHECK_FAILS(cconv_graph_parameters(NULL, 0, nodes, 4), 0);
    CHECK_FAILS(cconv_graph_parameter(NULL, "x"), NULL);
    CHECK_FAILS(cconv_save_parameters(NULL, NULL, "none"), CCONV_INVALID);
    CHECK_FAILS(cconv_load_parameters(NULL, NULL, "none"), CCONV_INVALID);
    CHECK_FAILS(cconv_load_onnx(NULL, NULL), NULL);
    CHECK_FAILS(cconv_load_onnx_memory(NULL, 10, NULL), NULL);
    CHECK_FAILS(cconv_load_onnx_memory("no model", 8, NULL), NULL);
    void *bytes = &bytes;
    size_t size = 1;
    CHECK_FAILS(cconv_save_onnx(NULL, "m.onnx", NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_save_onnx_memory(NULL, NULL, &bytes, &size), CCONV_INVALID);
    CHECK(!bytes);
    cconv_onnx_free(NULL);
    CHECK_FAILS(cconv_variable_set(NULL, values, 4), CCONV_INVALID);
    CHECK_FAILS(cconv_variable_get(NULL, values, 4), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_cancel(NULL), CCONV_INVALID);

    cconv_graph *g = cconv_graph_new();
    cconv_variable *v = cconv_variable_new(2, (int64_t[]){2, 2});
    const int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 2}), w = cconv_graph_variable(g, "w", v);
    CHECK_FAILS(cconv_variable_set(v, NULL, 4), CCONV_INVALID);
    CHECK_FAILS(cconv_variable_get(v, NULL, 4), CCONV_INVALID);
    CHECK_FAILS(cconv_variable_set(v, values, 3), CCONV_INVALID);
    CHECK_ERROR("4", "3", "(2, 2)");
    CHECK_FAILS(cconv_variable_get(v, values, 5), CCONV_INVALID);
    CHECK_FAILS(cconv_graph_output(g, "y", 3), CCONV_INVALID);
    CHECK_FAILS(cconv_graph_output(g, "y", -1), CCONV_INVALID);
    CHECK(cconv_graph_output(g, NULL, x) == CCONV_OK && cconv_graph_output_count(g) == 1);
    CHECK_FAILS(cconv_graph_output(g, "x", w), CCONV_INVALID);
    CHECK_FAILS(cconv_graph_output_node(g, 1), 0);
    CHECK_FAILS(cconv_graph_output_name(g, -1), NULL);
    CHECK_FAILS(cconv_graph_find(g, NULL), 0);
    CHECK_FAILS(cconv_graph_find(g, "none"), 0);
    CHECK_FAILS(cconv_graph_parameter(g, NULL), NULL);
    CHECK_FAILS(cconv_graph_parameter(g, "x"), NULL);
    CHECK_FAILS(cconv_graph_parameter(g, "none"), NULL);
    CHECK(cconv_graph_parameter(g, "w") == v);
    CHECK(cconv_graph_parameters(g, 1, nodes, -1) == 1 && cconv_graph_parameters(g, 0, NULL, 4) == 1 && nodes[0] == 7);
    CHECK(cconv_graph_parameters(g, 0, nodes, 4) == 1 && nodes[0] == w && nodes[1] == 7);
    CHECK_FAILS(cconv_save_parameters(g, NULL, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_load_parameters(g, NULL, NULL), CCONV_INVALID);
    cconv_graph_add(g, "no op", NULL, 0, NULL, NULL); /* a graph that failed has no parameters worth a file */
    CHECK_FAILS(cconv_save_parameters(g, NULL, "none"), CCONV_INVALID);
    cconv_graph_free(g);
    cconv_variable_free(v);
}

static void test_wrong_arguments_of_other_calls(void)
{
    char text[8];
    CHECK(CCONV_ABI_FITS() && cconv_abi() == CCONV_ABI && strcmp(cconv_version(), CCONV_VERSION) == 0);
    CHECK(cconv_isa() && strstr(cconv_isas(), "portable") && (!cconv_isa_error() || cconv_isa_error()[0]));
    CHECK(cconv_openmp() >= 0 && cconv_num_threads() >= 1 && cconv_num_threads_reason()[0]);
    CHECK_FAILS(cconv_set_num_threads(-1), CCONV_INVALID);
    CHECK_FAILS(cconv_set_num_threads(INT_MAX), CCONV_INVALID);
    CHECK(cconv_winograd() == 1);
    cconv_set_winograd(-7);
    CHECK(cconv_winograd() == 1);
    cconv_set_winograd(1);
    cconv_set_log(NULL, text);
    CHECK(cconv_allocations() < UINT64_MAX && cconv_shared_bytes() < (size_t)1 << 40);
    CHECK(!cconv_dtype_name((cconv_dtype)99) && !cconv_dtype_bytes((cconv_dtype)-1));
    CHECK(!cconv_op_name(-1) && !cconv_op_name(cconv_op_count()) && !cconv_op_name(INT_MAX));
    CHECK(!cconv_optimizer_name(-1) && !cconv_optimizer_name(cconv_optimizer_count()));
    CHECK_FAILS(cconv_op_meaning(NULL), NULL);
    CHECK_FAILS(cconv_op_describe(NULL, text, sizeof text), 0);
    CHECK(cconv_op_describe("conv", NULL, 100) > 0 && cconv_op_describe("conv", text, 0) > 0);
    CHECK_FAILS(cconv_optimizer_exclude_from_weight_decay(NULL, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_optimizer_delegate(NULL, NULL, NULL), CCONV_INVALID);
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", NULL);
    CHECK_FAILS(cconv_optimizer_exclude_from_weight_decay(sgd, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_optimizer_delegate(sgd, NULL, sgd), CCONV_INVALID);
    CHECK_FAILS(cconv_optimizer_slot_name(sgd, -1) ? CCONV_OK : cconv_optimizer_set(sgd, "none=1"), CCONV_INVALID);
    cconv_optimizer_free(sgd);
    CHECK(cconv_last_error()[0] && cconv_last_status() == CCONV_INVALID);
}

/* A plan before its graph has outputs, values before a run, a shape that is not planned, a run that ended before a cancel. */
static void test_calls_in_the_wrong_order(void)
{
    cconv_graph *g = cconv_graph_new();
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = 2}); /* of nothing */
    CHECK(!plan || cconv_plan_run(plan, &(cconv_batch){.n = 1}) == CCONV_OK);
    cconv_plan_free(plan);
    const int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 2});
    const int y = cconv_graph_add(g, "relu", "y", 1, &x, NULL);
    CHECK(cconv_graph_output(g, NULL, y) == CCONV_OK);
    plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = 2});
    CHECK(plan && cconv_plan_cancel(plan) == CCONV_OK);
    cconv_graph_add(g, "relu", "late", 1, &y, NULL); /* the plan goes on with what it was made of */
    float values[4] = {-1, 1, -2, 2};
    const cconv_array input = {values, CCONV_FLOAT32, 2};
    CHECK_FAILS(cconv_plan_run(plan, &(cconv_batch){.n = 3, .inputs = &input}), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_run(plan, &(cconv_batch){.n = 0, .inputs = &input}), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_run(plan, &(cconv_batch){.n = 2, .rows = (int64_t[]){0, 2}, .inputs = &input}), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_shape(plan, y, 3, NULL, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_shape(plan, y + 1, 1, NULL, NULL), CCONV_INVALID);
    CHECK_FAILS(cconv_plan_gradient(plan, y), NULL);
    CHECK(cconv_plan_run(plan, &(cconv_batch){.n = 2, .inputs = &input, .outputs = &(cconv_output){values, CCONV_FLOAT32}}) ==
          CCONV_OK);
    CHECK(values[0] == 0 && values[1] == 1 && values[2] == 0 && values[3] == 2);
    CHECK_FAILS(cconv_graph_add(g, "no op", NULL, 1, &x, NULL), 0);
    CHECK_FAILS(cconv_plan_new(g, &(cconv_plan_options){.max_batch = 2}), NULL); /* the graph has failed */
    CHECK_FAILS(cconv_graph_input(g, "more", CCONV_FLOAT32, 0, NULL), 0);
    CHECK(cconv_plan_run(plan, &(cconv_batch){.n = 1, .inputs = &input}) == CCONV_OK);
    cconv_plan_free(plan);
    cconv_graph_free(g);
}

static void test_sizes_that_fit_nowhere(void)
{
    int rank = 0;
    int64_t shape[CCONV_MAX_RANK];
    const int64_t large = (int64_t)1 << 32;
    CHECK_FAILS(cconv_infer("flatten", NULL, 1, NULL, (int[]){3}, (const int64_t *const[]){(int64_t[]){-1, large, large}}, NULL,
                            NULL, &rank, shape),
                CCONV_INVALID);
    CHECK_ERROR("4294967296");
    enum { MANY = 64 };
    int ranks[MANY];
    const int64_t *shapes[MANY];
    const int64_t part = PTRDIFF_MAX / 9;
    for (int i = 0; i < MANY; ++i) ranks[i] = 1, shapes[i] = &part;
    CHECK_FAILS(cconv_infer("concatenate", NULL, MANY, NULL, ranks, shapes, NULL, NULL, &rank, shape), CCONV_INVALID);
    CHECK_FAILS(cconv_variable_new(1, (int64_t[]){PTRDIFF_MAX / 4}), NULL);
    CHECK_FAILS(cconv_variable_new(1, (int64_t[]){(int64_t)1 << 60}), NULL);
    CHECK_FAILS(cconv_variable_new(3, (int64_t[]){0, large, large}), NULL);
    CHECK(cconv_variable_new(1, (int64_t[]){(int64_t)1 << 59}) == NULL); /* no machine has it */
    /* Memory that is more than 2^32 bytes and no more than 2^63: it is not had, and not taken for less. */
    cconv_graph *g = cconv_graph_new();
    const int x = cconv_graph_input(g, NULL, CCONV_FLOAT32, 2, (int64_t[]){-1, 1 << 20});
    const int y = cconv_graph_add(g, "tanh", NULL, 1, &x, NULL);
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = (int64_t)1 << 38, .n_outputs = 1, .outputs = &y});
    CHECK(plan == NULL);
    cconv_graph_free(g);
}

static unsigned state = 1;

static int below(int n)
{
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (unsigned)n);
}

static int64_t odd_number(void)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      2,
                                      3,
                                      7,
                                      -1,
                                      -2,
                                      1 << 20,
                                      INT32_MAX,
                                      (int64_t)1 << 31,
                                      (int64_t)1 << 32,
                                      (int64_t)1 << 40,
                                      (int64_t)1 << 59,
                                      (int64_t)1 << 62,
                                      INT64_MAX,
                                      INT64_MIN};
    return below(3) ? numbers[below(6)] : numbers[below(sizeof numbers / sizeof *numbers)];
}

/* Attributes of whole numbers, some of them, of any size. */
static void put_attributes(const char *op, char *text, size_t size)
{
    cconv_attribute a;
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; cconv_op_attribute(op, i, &a) == CCONV_OK && used + 400 < size; ++i) {
        const int list = strcmp(a.type, "list") == 0 ? 1 + below(6) : strcmp(a.type, "int") == 0;
        if (!list || (a.default_value && below(2))) continue;
        used += (size_t)snprintf(text + used, size - used, "%s=", a.name);
        for (int k = 0; k < list; ++k)
            used += (size_t)snprintf(text + used, size - used, k ? ",%lld" : "%lld", (long long)odd_number());
        used += (size_t)snprintf(text + used, size - used, " ");
    }
}

/* Whatever the sizes: an error, or a shape that can be addressed. What overflows on the way, sanitizers see. */
static void test_shapes_of_any_sizes(void)
{
    for (int i = 0; i < cconv_op_count(); ++i) {
        const char *op = cconv_op_name(i);
        for (int round = 0; round < 2000; ++round) {
            int64_t sizes[4][CCONV_MAX_RANK], shape[CCONV_MAX_RANK];
            const int64_t *const shapes[4] = {sizes[0], sizes[1], sizes[2], sizes[3]};
            int ranks[4], rank = 0;
            cconv_dtype dtypes[4];
            char attributes[4000];
            const int n = 1 + below(4), same = below(2), common = 1 + below(5);
            for (int k = 0; k < n; ++k) {
                ranks[k] = same ? common : below(6);
                dtypes[k] = below(3) ? CCONV_FLOAT32 : below(2) ? CCONV_INT32 : CCONV_BOOL;
                for (int d = 0; d < ranks[k]; ++d) sizes[k][d] = k && d < ranks[0] && below(2) ? sizes[0][d] : odd_number();
            }
            put_attributes(op, attributes, sizeof attributes);
            if (cconv_infer(op, NULL, n, dtypes, ranks, shapes, attributes, NULL, &rank, shape) != CCONV_OK) continue;
            int64_t count = 1;
            for (int d = 0; d < rank; ++d) {
                CHECK(shape[d] >= -1 && shape[d] <= PTRDIFF_MAX / 8 / count);
                if (shape[d] > 1) count *= shape[d];
            }
        }
    }
}

const test argument_tests[] = {
    {"null_in_calls_of_variables_and_ops", test_null_in_calls_of_variables_and_ops},
    {"null_in_calls_of_graphs", test_null_in_calls_of_graphs},
    {"null_in_calls_of_optimizers_and_plans", test_null_in_calls_of_optimizers_and_plans},
    {"null_in_calls_of_names_and_files", test_null_in_calls_of_names_and_files},
    {"wrong_arguments_of_other_calls", test_wrong_arguments_of_other_calls},
    {"calls_in_the_wrong_order", test_calls_in_the_wrong_order},
    {"sizes_that_fit_nowhere", test_sizes_that_fit_nowhere},
    {"shapes_of_any_sizes", test_shapes_of_any_sizes},
    {0},
};
