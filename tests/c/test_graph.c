/* Graphs and plans as a C program uses them: what is computed, where results are written, what wrong calls get. */
#include "cconv.h"
#include "harness.h"
#include <math.h>
#include <stdlib.h>

/* A plan that trains the network; NULL on failure. */
static cconv_plan *training_plan(network *net, cconv_optimizer *optimizer, int threads)
{
    return cconv_plan_new(net->graph, &(cconv_plan_options){.max_batch = 8,
                                                            .n_outputs = 1,
                                                            .outputs = &net->loss,
                                                            .training = 1,
                                                            .root = net->loss,
                                                            .n_wrt = net->n_wrt,
                                                            .wrt = net->wrt,
                                                            .optimizer = optimizer,
                                                            .threads = threads});
}

static cconv_status train_step(cconv_plan *plan, int64_t n, uint64_t step, float *loss)
{
    int64_t rows[8];
    for (int64_t i = 0; i < n; ++i) rows[i] = (int64_t)((step * 8 + (uint64_t)i * 5) % SAMPLES);
    return cconv_plan_run(
        plan, &(cconv_batch){.n = n,
                             .rows = rows,
                             .outputs = &(cconv_output){loss, CCONV_FLOAT32},
                             .seed = 3,
                             .step = step,
                             .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES}, {labels, CCONV_INT32, SAMPLES}}});
}

static void test_training_lowers_the_loss_and_allocates_nothing(void)
{
    network net;
    CHECK(network_build(&net));
    cconv_optimizer *adam = cconv_optimizer_new("adam", "learning_rate=0.02");
    cconv_plan *plan = training_plan(&net, adam, 0);
    CHECK(adam && plan);
    if (plan) {
        float first = 0, loss = 0, sum = 0;
        CHECK(train_step(plan, 8, 0, &first) == CCONV_OK);
        uint64_t before = cconv_allocations();
        for (uint64_t step = 1; step < 100; ++step) {
            CHECK(train_step(plan, step % 7 ? 8 : 3, step, &loss) == CCONV_OK);
            if (step >= 90) sum += loss / 10;
        }
        CHECK(cconv_allocations() == before);
        CHECK(isfinite(sum) && sum < 0.5f * first);
        CHECK(cconv_optimizer_iterations(adam) == 100);
        CHECK(cconv_plan_bytes(plan) > 0);
        char small[20], *text;
        size_t length = cconv_plan_describe(plan, NULL, 0);
        CHECK(length > 50);
        CHECK(cconv_plan_describe(plan, small, sizeof small) == length && strlen(small) == sizeof small - 1);
        text = malloc(length + 1);
        if (text) {
            CHECK(cconv_plan_describe(plan, text, length + 1) == length && strlen(text) == length);
            CHECK(strstr(text, "conv") && strstr(text, "batch_norm"));
        }
        free(text);
    }
    cconv_plan_free(plan);
    cconv_optimizer_free(adam);
    network_free(&net);
}

/* Gradients of the loss against differences of the loss, in the direction of the gradient. */
static void test_gradients_agree_with_differences(void)
{
    network net;
    CHECK(network_build(&net));
    cconv_plan *plan = training_plan(&net, NULL, 0);
    CHECK(plan != NULL);
    for (int i = 0; plan && i < net.n_wrt; ++i) {
        int index = i < 4 ? i : i + 2; /* the two moving averages lie between */
        cconv_variable *v = net.variables[index];
        size_t count = cconv_variable_count(v);
        float loss = 0, up = 0, down = 0;
        CHECK(train_step(plan, 8, 1, &loss) == CCONV_OK);
        const float *gradient = cconv_plan_gradient(plan, net.wrt[i]);
        CHECK(gradient != NULL);
        if (!gradient) continue;
        float *direction = malloc(count * sizeof *direction), square = 0;
        if (!direction) continue;
        for (size_t j = 0; j < count; ++j) direction[j] = gradient[j], square += gradient[j] * gradient[j];
        float step = 2e-3f / (sqrtf(square) + 1e-6f);
        for (size_t j = 0; j < count; ++j) cconv_variable_data(v)[j] += step * direction[j];
        cconv_variable_touch(v);
        CHECK(train_step(plan, 8, 1, &up) == CCONV_OK);
        for (size_t j = 0; j < count; ++j) cconv_variable_data(v)[j] -= 2 * step * direction[j];
        cconv_variable_touch(v);
        CHECK(train_step(plan, 8, 1, &down) == CCONV_OK);
        for (size_t j = 0; j < count; ++j) cconv_variable_data(v)[j] += step * direction[j];
        cconv_variable_touch(v);
        float measured = (up - down) / (2 * step);
        /* the bias in front of a batch normalization is the one with almost no gradient: then both are near 0 */
        if (!(fabsf(measured - square) <= 0.05f * square + 2e-3f))
            printf("variable %d: %g, differences give %g\n", i, square, measured);
        CHECK(fabsf(measured - square) <= 0.05f * square + 2e-3f);
        free(direction);
    }
    CHECK(plan && cconv_plan_gradient(plan, net.logits) == NULL);
    cconv_plan_free(plan);
    network_free(&net);
}

enum { ZONE = 64 };

/* Outputs lie between zones of a known value, for a batch smaller than the plan's too. */
static void test_outputs_are_written_exactly(void)
{
    network net;
    CHECK(network_build(&net));
    int outputs[] = {net.logits, net.loss};
    cconv_plan *plan = cconv_plan_new(net.graph, &(cconv_plan_options){.max_batch = 8, .n_outputs = 2, .outputs = outputs});
    CHECK(plan != NULL);
    for (int64_t n = 1; plan && n <= 8; ++n) {
        float logits[ZONE + 8 * CLASSES + ZONE], loss[ZONE + 1 + ZONE];
        for (int i = 0; i < ZONE + 8 * CLASSES + ZONE; ++i) logits[i] = 12345;
        for (int i = 0; i < ZONE + 1 + ZONE; ++i) loss[i] = 12345;
        cconv_batch batch = {.n = n,
                             .outputs = (cconv_output[]){{logits + ZONE, CCONV_FLOAT32}, {loss + ZONE, CCONV_FLOAT32}},
                             .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES}, {labels, CCONV_INT32, SAMPLES}}};
        CHECK(cconv_plan_run(plan, &batch) == CCONV_OK);
        for (int i = 0; i < ZONE; ++i) CHECK(logits[i] == 12345 && loss[i] == 12345 && loss[ZONE + 1 + i] == 12345);
        for (int i = 0; i < 8 * CLASSES + ZONE; ++i) CHECK((logits[ZONE + i] == 12345) == (i >= n * CLASSES));
        CHECK(isfinite(loss[ZONE]) && loss[ZONE] > 0);

        int rank;
        int64_t shape[CCONV_MAX_RANK];
        CHECK(cconv_plan_shape(plan, net.logits, n, &rank, shape) == CCONV_OK && rank == 2 && shape[0] == n &&
              shape[1] == CLASSES);

        float again[8 * CLASSES];
        batch.outputs = (cconv_output[]){{again, CCONV_FLOAT32}, {NULL, CCONV_FLOAT32}};
        CHECK(cconv_plan_run(plan, &batch) == CCONV_OK);
        CHECK(memcmp(again, logits + ZONE, (size_t)n * CLASSES * sizeof(float)) == 0);
        batch.outputs = NULL;
        CHECK(cconv_plan_run(plan, &batch) == CCONV_OK);
    }
    cconv_plan_free(plan);
    network_free(&net);
}

/* y = x, from every type, through row numbers. */
static void test_rows_are_gathered_and_converted(void)
{
    const float f[] = {0, 1, 2, 3, 4, 5};
    const double d[] = {0, 1, 2, 3, 4, 5};
    const unsigned char u[] = {0, 1, 2, 3, 4, 5};
    const int32_t i32[] = {0, 1, 2, 3, 4, 5};
    const int64_t i64[] = {0, 1, 2, 3, 4, 5};
    const cconv_array arrays[] = {
        {f, CCONV_FLOAT32, 3}, {d, CCONV_FLOAT64, 3}, {u, CCONV_UINT8, 3}, {i32, CCONV_INT32, 3}, {i64, CCONV_INT64, 3}};
    cconv_graph *g = cconv_graph_new();
    int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 2}),
        y = cconv_graph_add(g, "negative", NULL, 1, &x, NULL);
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = 4, .n_outputs = 1, .outputs = &y});
    CHECK(plan != NULL);
    for (size_t i = 0; plan && i < sizeof arrays / sizeof *arrays; ++i) {
        float out[6] = {0};
        cconv_batch batch = {
            .n = 3, .rows = (int64_t[]){2, 0, 2}, .inputs = &arrays[i], .outputs = (cconv_output[]){{out, CCONV_FLOAT32}}};
        CHECK(cconv_plan_run(plan, &batch) == CCONV_OK);
        CHECK(out[0] == -4 && out[1] == -5 && out[2] == 0 && out[3] == -1 && out[4] == -4 && out[5] == -5);
        batch.rows = (int64_t[]){0, 3, 1};
        CHECK(cconv_plan_run(plan, &batch) == CCONV_INVALID);
        CHECK_ERROR("3");
        batch.rows = (int64_t[]){0, -1, 1};
        CHECK(cconv_plan_run(plan, &batch) == CCONV_INVALID);
        batch.rows = NULL;
        batch.n = 4;
        CHECK(cconv_plan_run(plan, &batch) == CCONV_INVALID);
        batch.n = 5;
        CHECK(cconv_plan_run(plan, &batch) == CCONV_INVALID);
        batch.n = 0;
        CHECK(cconv_plan_run(plan, &batch) == CCONV_INVALID);
        batch.n = 3;
        CHECK(cconv_plan_run(plan, &batch) == CCONV_OK && out[5] == -5 && out[0] == 0);
    }
    cconv_plan_free(plan);
    cconv_graph_free(g);
}

static void test_an_op_is_described_in_words(void)
{
    char text[4096], part[8];
    for (int i = 0; i < cconv_op_count(); ++i) {
        const char *name = cconv_op_name(i);
        const size_t length = cconv_op_describe(name, text, sizeof text);
        CHECK(length > 20 && length < sizeof text && strlen(text) == length && !strncmp(text, name, strlen(name)));
        CHECK(cconv_op_describe(name, part, sizeof part) == length && !strncmp(part, text, 7) && !part[7]);
        CHECK(cconv_op_describe(name, NULL, 0) == length);
        CHECK(cconv_op_meaning(name) && strstr(text, cconv_op_meaning(name)));
        cconv_attribute a;
        for (int k = 0; cconv_op_attribute(name, k, &a) == CCONV_OK; ++k) CHECK(strstr(text, a.name) && strstr(text, a.meaning));
    }
    cconv_op_describe("conv", text, sizeof text);
    CHECK(strstr(text, "inputs: x, w, b (optional), r (optional)") && strstr(text, "top,left,bottom,right"));
    CHECK(strstr(text, "alpha: float, default 0") && strstr(text, "one of valid|same|explicit"));
    CHECK(cconv_op_describe("concatenate", text, sizeof text) && strstr(text, "inputs: x (one or more)"));
    CHECK(cconv_op_describe("no_such_op", text, sizeof text) == 0 && strstr(cconv_last_error(), "no_such_op"));
    CHECK(cconv_op_meaning("no_such_op") == NULL);
}

static void test_the_table_of_ops_is_complete(void)
{
    int n = cconv_op_count();
    CHECK(n > 30);
    CHECK(cconv_op_name(-1) == NULL && cconv_op_name(n) == NULL);
    for (int i = 0; i < n; ++i) {
        const char *name = cconv_op_name(i), *inputs = name ? cconv_op_inputs(name) : NULL;
        CHECK(name && inputs && *inputs);
        for (int j = 0; j < i; ++j) CHECK(strcmp(name, cconv_op_name(j)) != 0);
        cconv_attribute a;
        int count = 0;
        while (cconv_op_attribute(name, count, &a) == CCONV_OK) {
            CHECK(a.name && a.type && a.meaning && *a.meaning);
            CHECK((strcmp(a.type, "enum") == 0) == (a.choices != NULL));
            ++count;
        }
        CHECK(count < 30);
    }
    CHECK(cconv_op_inputs("no_such_op") == NULL);
    CHECK(cconv_op_attribute("no_such_op", 0, &(cconv_attribute){0}) == CCONV_INVALID);
    cconv_op_facts facts;
    CHECK(cconv_op_info("conv", &facts) == CCONV_OK && facts.differentiable && facts.per_sample && !facts.elementwise);
    CHECK(facts.weights == 1 && facts.bias == 2 && facts.residual == 3 && !facts.random);
    CHECK(cconv_op_info("dropout", &facts) == CCONV_OK && facts.random && !facts.per_sample);
    CHECK(cconv_op_info("argmax", &facts) == CCONV_OK && !facts.differentiable);
    CHECK(cconv_op_info("relu", &facts) == CCONV_OK && facts.elementwise);
    CHECK(cconv_op_info("no such op", &facts) == CCONV_INVALID && cconv_op_info("relu", NULL) == CCONV_INVALID);
    CHECK(cconv_optimizer_count() > 0);
    for (int i = 0; i < cconv_optimizer_count(); ++i) {
        cconv_optimizer *o = cconv_optimizer_new(cconv_optimizer_name(i), NULL);
        CHECK(o != NULL);
        cconv_optimizer_free(o);
    }
}

static void test_shapes_without_a_graph(void)
{
    int rank;
    int64_t shape[CCONV_MAX_RANK], x[] = {-1, 28, 28, 3}, w[] = {3, 3, 3, 8};
    CHECK(cconv_infer("conv", "c", 2, NULL, (int[]){4, 4}, (const int64_t *const[]){x, w}, "strides=2 padding=same", NULL,
                      &rank, shape) == CCONV_OK);
    CHECK(rank == 4 && shape[0] == -1 && shape[1] == 14 && shape[2] == 14 && shape[3] == 8);
    CHECK(cconv_infer("conv", "c", 3, NULL, (int[]){4, 4, -1}, (const int64_t *const[]){x, w, NULL}, NULL, NULL, &rank,
                      shape) == CCONV_OK);
    w[2] = 4;
    CHECK(cconv_infer("conv", "c1", 2, NULL, (int[]){4, 4}, (const int64_t *const[]){x, w}, NULL, NULL, &rank, shape) ==
          CCONV_INVALID);
    CHECK_ERROR("c1", "conv", "3", "4");
    CHECK(cconv_infer("nothing", NULL, 0, NULL, NULL, NULL, NULL, NULL, &rank, shape) == CCONV_INVALID);
    CHECK_ERROR("nothing");
}

/* Each wrong call fails with a text, and the graph stays failed with the first one. */
static void test_wrong_graphs(void)
{
    static const struct {
        const char *op, *attributes, *word;
        int n_inputs, inputs[3];
    } wrong[] = {
        {"conv3d", NULL, "conv3d", 2, {1, 2}},
        {"conv", NULL, "w", 1, {1}},
        {"conv", NULL, "", 2, {1, 9}},
        {"conv", NULL, "", 2, {1, -1}},
        {"conv", NULL, "", 2, {0, 2}},
        {"conv", "stride=2", "strides", 2, {1, 2}},
        {"conv", "strides=0", "strides", 2, {1, 2}},
        {"conv", "strides=-1,1", "strides", 2, {1, 2}},
        {"conv", "dilation=0", "dilation", 2, {1, 2}},
        {"conv", "groups=2", "groups", 2, {1, 2}},
        {"conv", "groups=0", "groups", 2, {1, 2}},
        {"conv", "padding=full", "valid, same, explicit", 2, {1, 2}},
        {"conv", "padding=explicit pads=1,2", "pads", 2, {1, 2}},
        {"conv", "padding=explicit pads=-1,0,0,0", "pads", 2, {1, 2}},
        {"conv", "alpha=nan", "alpha", 2, {1, 2}},
        {"conv", "dilation=9", "", 2, {1, 2}},
        {"conv", NULL, "", 3, {1, 2, 2}},
        {"max_pool", "pool_size=9", "", 1, {1}},
        {"max_pool", "pool_size=0", "pool_size", 1, {1}},
        {"dense", NULL, "", 2, {1, 2}},
        {"dropout", NULL, "rate", 1, {1}},
        {"dropout", "rate=1", "rate", 1, {1}},
        {"dropout", "rate=-0.1", "rate", 1, {1}},
        {"reshape", "shape=5,5", "", 1, {1}},
        {"softmax", "axis=4", "axis", 1, {1}},
        {"add", NULL, "", 2, {1, 3}},
        {"mean", "axes=7", "ax", 1, {1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        cconv_graph *g = cconv_graph_new();
        cconv_variable *w = cconv_variable_new(4, (int64_t[]){3, 3, 3, 4});
        CHECK(g && w);
        CHECK(cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, 8, 8, 3}) == 1);
        CHECK(cconv_graph_variable(g, "w", w) == 2);
        CHECK(cconv_graph_input(g, "z", CCONV_FLOAT32, 2, (int64_t[]){-1, 7}) == 3);
        int node = cconv_graph_add(g, wrong[i].op, "layer7", wrong[i].n_inputs, wrong[i].inputs, wrong[i].attributes);
        if (node) printf("accepted: %s %s\n", wrong[i].op, wrong[i].attributes ? wrong[i].attributes : "");
        CHECK(node == 0);
        CHECK(strlen(cconv_last_error()) > 10);
        CHECK_ERROR(i ? "layer7" : "op", wrong[i].word);
        char first[600];
        snprintf(first, sizeof first, "%s", cconv_last_error());
        CHECK(cconv_graph_add(g, "relu", "later", 1, (int[]){1}, NULL) == 0);
        CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = (int[]){1}}) == NULL);
        CHECK(strcmp(cconv_last_error(), first) == 0);
        cconv_graph_free(g);
        cconv_variable_free(w);
    }
}

static void test_wrong_arguments(void)
{
    CHECK(cconv_variable_new(-1, NULL) == NULL);
    CHECK(cconv_variable_new(9, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}) == NULL);
    CHECK(cconv_variable_new(1, (int64_t[]){-1}) == NULL);
    CHECK(cconv_variable_new(2, (int64_t[]){(int64_t)1 << 40, (int64_t)1 << 40}) == NULL);
    CHECK(cconv_variable_new(1, (int64_t[]){(int64_t)1 << 59}) == NULL); /* no machine has that much */
    CHECK_ERROR("memory");
    cconv_variable *empty = cconv_variable_new(2, (int64_t[]){0, 5}), *scalar = cconv_variable_new(0, NULL);
    CHECK(empty && cconv_variable_count(empty) == 0 && scalar && cconv_variable_count(scalar) == 1);
    cconv_variable_free(empty);
    cconv_variable_free(scalar);
    cconv_variable_free(NULL);
    cconv_graph_free(NULL);
    cconv_plan_free(NULL);
    cconv_optimizer_free(NULL);

    static const char *const wrong[][3] = {
        {"newton", NULL, "newton"},
        {"sgd", "learning_rate=nan", "learning_rate"},
        {"sgd", "learning_rate=-1", "learning_rate"},
        {"sgd", "momentum=2", "momentum"},
        {"adam", "momentum=0.9", "beta_1"},
        {"adam", "beta_1=1", "beta_1"},
        {"adam", "epsilon=nan", "epsilon"},
        {"rmsprop", "rho=-1", "rho"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        CHECK(cconv_optimizer_new(wrong[i][0], wrong[i][1]) == NULL);
        CHECK_ERROR(wrong[i][2]);
    }
    cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=0.5");
    CHECK(cconv_optimizer_set(sgd, "learning_rate=nan") == CCONV_INVALID);
    CHECK(cconv_optimizer_set(sgd, "rate=1") == CCONV_INVALID);
    CHECK(cconv_optimizer_set(sgd, "learning_rate=0.25") == CCONV_OK);

    cconv_graph *g = cconv_graph_new();
    int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 3});
    int y = cconv_graph_add(g, "relu", NULL, 1, &x, NULL), a = cconv_graph_add(g, "argmax", NULL, 1, &x, NULL);
    int rank;
    int64_t shape[CCONV_MAX_RANK];
    CHECK(x && y && a && cconv_graph_count(g) == 3);
    CHECK(cconv_graph_shape(g, 0, &rank, shape) == CCONV_INVALID);
    CHECK(cconv_graph_shape(g, 4, &rank, shape) == CCONV_INVALID);
    CHECK(cconv_graph_shape(g, a, &rank, shape) == CCONV_OK && rank == 1 && shape[0] == -1);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = (int[]){7}}) == NULL);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = (int[]){0}}) == NULL);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &y, .max_batch = -1}) == NULL);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &y, .root = 99}) == NULL);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &y, .root = y, .n_wrt = 1, .wrt = (int[]){44}}) ==
          NULL);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &y, .max_batch = (int64_t)1 << 50}) == NULL);
    CHECK_ERROR("memory");
    cconv_graph_free(g);
    cconv_optimizer_free(sgd);
}

static void test_graphs_can_be_read(void)
{
    float half[] = {0.5f};
    cconv_variable *v = cconv_variable_new(2, (int64_t[]){3, 2});
    cconv_graph *g = cconv_graph_new();
    int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 3}), w = cconv_graph_variable(g, "w", v);
    int c = cconv_graph_constant(g, "half", CCONV_FLOAT32, 0, NULL, half);
    int d = cconv_graph_add(g, "dense", "layer", 3, (int[]){x, w, 0}, "activation=elu alpha=0.1");
    int y = cconv_graph_add(g, "multiply", NULL, 2, (int[]){d, c}, NULL);
    cconv_node node;
    char text[1024];
    CHECK(v && y == 5);
    CHECK(cconv_graph_node(g, x, &node) == CCONV_OK && node.kind == CCONV_INPUT && node.op == NULL && node.n_inputs == 0);
    CHECK(strcmp(node.name, "x") == 0 && !node.variable && !node.values);
    CHECK(node.rank == 2 && node.shape[0] == -1 && node.shape[1] == 3);
    CHECK(cconv_graph_node(g, w, &node) == CCONV_OK && node.kind == CCONV_VARIABLE && node.variable == v && !node.values);
    CHECK(cconv_graph_node(g, c, &node) == CCONV_OK && node.kind == CCONV_CONSTANT && node.dtype == CCONV_FLOAT32 &&
          node.rank == 0 && !node.variable);
    CHECK(*(const float *)node.values == 0.5f);
    CHECK(cconv_graph_node(g, d, &node) == CCONV_OK && node.kind == CCONV_OP && strcmp(node.op, "dense") == 0);
    CHECK(strcmp(node.name, "layer") == 0 && node.n_inputs == 3);
    CHECK(node.inputs[0] == x && node.inputs[1] == w && node.inputs[2] == 0);
    CHECK(cconv_graph_attributes(g, d, text, sizeof text) == strlen("activation=elu alpha=0.1"));
    CHECK(strcmp(text, "activation=elu alpha=0.1") == 0);
    CHECK(cconv_graph_attributes(g, d, NULL, 0) == strlen(text) && cconv_graph_attributes(g, d, text, 5) > 5 &&
          strlen(text) == 4);
    CHECK(cconv_graph_attributes(g, x, text, sizeof text) == 0 && text[0] == 0);
    const size_t length = cconv_graph_describe(g, text, sizeof text);
    CHECK(length == strlen(text) && length < sizeof text && cconv_graph_describe(g, NULL, 0) == length);
    CHECK(strstr(text, "(input)") && strstr(text, "(None, 2)") && strstr(text, "1, 2, -") && strstr(text, "values=0.5"));
    CHECK(strstr(text, "activation=elu alpha=0.1") && !strstr(text, " \n"));
    CHECK(cconv_graph_node(g, 6, &node) == CCONV_INVALID && cconv_graph_node(NULL, 1, &node) == CCONV_INVALID);
    CHECK(cconv_graph_node(g, 1, NULL) == CCONV_INVALID && cconv_graph_attributes(g, 0, text, sizeof text) == 0);
    CHECK(cconv_graph_describe(NULL, text, sizeof text) == 0 && text[0] == 0);
    CHECK(cconv_graph_add(g, "dense", "wrong", 2, (int[]){w, w}, NULL) == 0);
    cconv_graph_describe(g, text, sizeof text);
    CHECK(strstr(text, "failed: wrong (dense)"));
    cconv_graph_free(g);
    cconv_variable_free(v);
}

/* No pointer to nothing goes where C wants one to something: a sanitizer looks on. Nor do groups of nothing take time. */
static void test_images_without_channels(void)
{
    const char *const cases[][2] = {{"global_avg_pool", NULL},
                                    {"global_max_pool", NULL},
                                    {"max_pool", "pool_size=2"},
                                    {"avg_pool", "pool_size=2"},
                                    {"relu", NULL},
                                    {"transpose", "axes=0,3,1,2"},
                                    {"channel_shuffle", "groups=1099511627776"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        cconv_graph *g = cconv_graph_new();
        int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, 3, 4, 0});
        int y = cconv_graph_add(g, cases[i][0], NULL, 1, &x, cases[i][1]);
        cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = 2, .n_outputs = 1, .outputs = &y});
        float none = 7;
        CHECK(plan != NULL);
        CHECK(cconv_plan_run(plan, &(cconv_batch){.n = 2,
                                                  .outputs = &(cconv_output){&none, CCONV_FLOAT32},
                                                  .inputs = &(cconv_array){&none, CCONV_FLOAT32, 2}}) == CCONV_OK);
        CHECK(none == 7);
        cconv_plan_free(plan);
        cconv_graph_free(g);
    }
}

const test graph_tests[] = {
    {"training_lowers_the_loss_and_allocates_nothing", test_training_lowers_the_loss_and_allocates_nothing},
    {"gradients_agree_with_differences", test_gradients_agree_with_differences},
    {"outputs_are_written_exactly", test_outputs_are_written_exactly},
    {"rows_are_gathered_and_converted", test_rows_are_gathered_and_converted},
    {"an_op_is_described_in_words", test_an_op_is_described_in_words},
    {"the_table_of_ops_is_complete", test_the_table_of_ops_is_complete},
    {"shapes_without_a_graph", test_shapes_without_a_graph},
    {"graphs_can_be_read", test_graphs_can_be_read},
    {"images_without_channels", test_images_without_channels},
    {"wrong_graphs", test_wrong_graphs},
    {"wrong_arguments", test_wrong_arguments},
    {0},
};
