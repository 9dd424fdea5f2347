/* Convolutions, and a product between them, done by blocks of rows: the same bits as one after the other, whose values are all
 * asked for. */
#include "cconv.h"
#include "harness.h"
#include <stdlib.h>

enum { H = 60, W = 41, C = 10, MANY = 75, STEPS = 4, BATCH = 2 };

static void fill(float *to, size_t count)
{
    static uint32_t state = 1;
    for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        to[i] = (float)(state >> 8) / (float)(1 << 23) - 1;
    }
}

static int weights(cconv_graph *g, cconv_variable **variable, int rank, const int64_t *shape)
{
    *variable = cconv_variable_new(rank, shape);
    if (*variable) fill(cconv_variable_data(*variable), cconv_variable_count(*variable));
    return cconv_graph_variable(g, NULL, *variable);
}

static void test_row_blocks(void)
{
    cconv_graph *g = cconv_graph_new();
    cconv_variable *v[STEPS];
    const int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, H, W, C});
    int y[STEPS];
    y[0] = cconv_graph_add(g, "conv", NULL, 2, (int[]){x, weights(g, &v[0], 4, (int64_t[]){1, 1, C, MANY})}, "activation=relu");
    y[1] = cconv_graph_add(g, "conv", NULL, 2, (int[]){y[0], weights(g, &v[1], 4, (int64_t[]){3, 3, 1, MANY})},
                           "groups=75 padding=same activation=silu");
    y[2] = cconv_graph_add(g, "multiply", NULL, 2, (int[]){y[1], weights(g, &v[2], 1, (int64_t[]){MANY})}, NULL);
    y[3] = cconv_graph_add(g, "conv", NULL, 4, (int[]){y[2], weights(g, &v[3], 4, (int64_t[]){1, 1, MANY, C}), 0, x}, NULL);
    cconv_plan *blocks = cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH, .n_outputs = 1, .outputs = &y[3]});
    cconv_plan *whole = cconv_plan_new(g, &(cconv_plan_options){.max_batch = BATCH, .n_outputs = STEPS, .outputs = y});
    const size_t count = (size_t)BATCH * H * W * C;
    float *numbers = malloc(3 * count * sizeof *numbers), *one = numbers + count, *other = one + count;
    char text[4096];
    CHECK(blocks && whole && numbers);
    if (blocks && whole && numbers) {
        fill(numbers, count);
        cconv_plan_describe(blocks, text, sizeof text);
        CHECK(strstr(text, "+ conv") != NULL);
        for (int64_t n = 1; n <= BATCH; ++n) {
            cconv_batch batch = {.n = n,
                                 .inputs = &(cconv_array){numbers, CCONV_FLOAT32, BATCH},
                                 .outputs = &(cconv_output){one, CCONV_FLOAT32}};
            CHECK(cconv_plan_run(blocks, &batch) == CCONV_OK);
            batch.outputs = (cconv_output[STEPS]){[STEPS - 1] = {other, CCONV_FLOAT32}};
            CHECK(cconv_plan_run(whole, &batch) == CCONV_OK);
            CHECK(memcmp(one, other, (size_t)n * H * W * C * sizeof *one) == 0);
        }
    }
    free(numbers);
    cconv_plan_free(blocks);
    cconv_plan_free(whole);
    cconv_graph_free(g);
    for (int i = 0; i < STEPS; ++i) cconv_variable_free(v[i]);
}

const test row_block_tests[] = {
    {"row_blocks", test_row_blocks},
    {0},
};
