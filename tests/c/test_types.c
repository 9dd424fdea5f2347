/* Element types: what comes in and goes out in which type, what wrong ones get. */
#include "cconv.h"
#include "harness.h"
#include <math.h>
#include <stdlib.h>

/* A graph of one op on one input of n elements, and a plan for it. */
typedef struct one_op {
    cconv_graph *graph;
    cconv_plan *plan;
} one_op;

static one_op one_op_new(cconv_dtype dtype, int64_t n, const char *op, const char *attributes)
{
    one_op made = {cconv_graph_new(), NULL};
    int x = cconv_graph_input(made.graph, "x", dtype, 2, (int64_t[]){-1, n}),
        y = cconv_graph_add(made.graph, op, NULL, 1, &x, attributes);
    made.plan = cconv_plan_new(made.graph, &(cconv_plan_options){.max_batch = 2, .n_outputs = 1, .outputs = &y});
    CHECK(made.plan != NULL);
    return made;
}

static void one_op_free(one_op made)
{
    cconv_plan_free(made.plan);
    cconv_graph_free(made.graph);
}

static cconv_status convert(one_op with, const void *from, cconv_dtype from_dtype, void *to, cconv_dtype to_dtype)
{
    return cconv_plan_run(
        with.plan,
        &(cconv_batch){.n = 1, .inputs = &(cconv_array){from, from_dtype, 1}, .outputs = &(cconv_output){to, to_dtype}});
}

static uint32_t bits(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

/* What 16 bits mean, by the formats' definition. */
static double meaning(uint16_t code, int exponent_bits)
{
    const int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = code >> fraction_bits & ((1 << exponent_bits) - 1), fraction = code & ((1 << fraction_bits) - 1);
    double size =
        ldexp(exponent ? (1 << fraction_bits) + fraction : fraction, (exponent ? exponent : 1) - bias - fraction_bits);
    if (exponent == (1 << exponent_bits) - 1) size = fraction ? (double)NAN : (double)INFINITY;
    return code & 0x8000 ? -size : size;
}

/* All 65536 values of both formats of 16 bits, in and out. */
static void test_16_bits_in_and_out(void)
{
    enum { ALL = 1 << 16 };
    uint16_t *codes = malloc(ALL * sizeof *codes), *back = malloc(ALL * sizeof *back);
    float *values = malloc(ALL * sizeof *values);
    one_op same = one_op_new(CCONV_FLOAT32, ALL, "identity", NULL);
    for (int format = 0; codes && back && values && format < 2; ++format) {
        const cconv_dtype dtype = format ? CCONV_BFLOAT16 : CCONV_FLOAT16;
        for (int i = 0; i < ALL; ++i) codes[i] = (uint16_t)i;
        CHECK(convert(same, codes, dtype, values, CCONV_FLOAT32) == CCONV_OK);
        CHECK(convert(same, values, CCONV_FLOAT32, back, dtype) == CCONV_OK);
        int wrong = 0;
        for (int i = 0; i < ALL; ++i) {
            const double expected = meaning((uint16_t)i, format ? 8 : 5);
            if (isnan(expected))
                wrong += !isnan(values[i]) || !isnan(meaning(back[i], format ? 8 : 5));
            else
                wrong += (double)values[i] != expected || !signbit(values[i]) != !(i >> 15) || back[i] != i;
        }
        CHECK(wrong == 0);
        /* Between each two neighbours: the middle goes to the even one, what is beside it to the nearer. */
        for (int i = 0; i < 0x7f80 - 1; ++i) {
            if (!format && i >= 0x7c00 - 1) break;
            const double low = meaning((uint16_t)i, format ? 8 : 5), high = meaning((uint16_t)(i + 1), format ? 8 : 5),
                         middle = (low + high) / 2;
            float x[3] = {(float)middle, nextafterf((float)middle, 0), nextafterf((float)middle, INFINITY)};
            values[0] = x[0], values[1] = x[1], values[2] = -x[2];
            if (i % 97 && i > 1100) continue; /* every subnormal, and some of the rest */
            CHECK(convert(same, values, CCONV_FLOAT32, back, dtype) == CCONV_OK);
            CHECK(back[0] == (i & 1 ? i + 1 : i) && back[1] == i && back[2] == (0x8000 | (i + 1)));
        }
        values[0] = 65520, values[1] = 65519.996f, values[2] = 3.4e38f, values[3] = -INFINITY, values[4] = 1e-30f;
        CHECK(convert(same, values, CCONV_FLOAT32, back, dtype) == CCONV_OK);
        if (!format) CHECK(back[0] == 0x7c00 && back[1] == 0x7bff && back[2] == 0x7c00 && back[3] == 0xfc00 && back[4] == 0);
    }
    one_op_free(same);
    free(codes);
    free(back);
    free(values);
}

static void test_values_of_each_type(void)
{
    const int8_t i8[] = {-128, 0, 127, 5};
    const uint8_t u8[] = {0, 255, 7, 1};
    const int32_t i32[] = {INT32_MIN, INT32_MAX, 16777217, -3};
    const int64_t i64[] = {INT32_MIN, INT32_MAX, 16777217, -3};
    const double d[] = {1.5, -2, 0, 1e10};
    int32_t out[4];
    int64_t wide[4];
    double exact[4];
    float f[4];
    uint8_t byte[4];
    one_op ints = one_op_new(CCONV_INT32, 4, "identity", NULL), floats = one_op_new(CCONV_FLOAT32, 4, "identity", NULL);
    one_op bools = one_op_new(CCONV_BOOL, 4, "identity", NULL);
    CHECK(convert(ints, i8, CCONV_INT8, out, CCONV_INT32) == CCONV_OK && out[0] == -128 && out[2] == 127);
    CHECK(convert(ints, u8, CCONV_UINT8, out, CCONV_INT32) == CCONV_OK && out[1] == 255);
    CHECK(convert(ints, i32, CCONV_INT32, out, CCONV_INT32) == CCONV_OK && memcmp(out, i32, sizeof out) == 0);
    CHECK(convert(ints, i64, CCONV_INT64, wide, CCONV_INT64) == CCONV_OK && memcmp(wide, i64, sizeof wide) == 0);
    CHECK(convert(ints, i64, CCONV_INT64, exact, CCONV_FLOAT64) == CCONV_OK && exact[2] == 16777217);
    CHECK(convert(ints, u8, CCONV_BOOL, out, CCONV_INT32) == CCONV_OK && out[0] == 0 && out[1] == 1 && out[2] == 1);
    CHECK(convert(floats, i8, CCONV_INT8, f, CCONV_FLOAT32) == CCONV_OK && f[0] == -128);
    CHECK(convert(floats, d, CCONV_FLOAT64, exact, CCONV_FLOAT64) == CCONV_OK && exact[0] == 1.5 && exact[3] == 1e10);
    CHECK(convert(bools, u8, CCONV_BOOL, byte, CCONV_BOOL) == CCONV_OK && byte[0] == 0 && byte[1] == 1 && byte[2] == 1 &&
          byte[3] == 1);
    CHECK(convert(bools, u8, CCONV_BOOL, f, CCONV_FLOAT32) == CCONV_OK && f[0] == 0 && f[1] == 1);
    CHECK(convert(bools, u8, CCONV_BOOL, wide, CCONV_INT64) == CCONV_OK && wide[0] == 0 && wide[1] == 1);

    /* What would lose the number is refused, before anything is written. */
    const int64_t large[] = {0, 5000000000, 0, 0};
    CHECK(convert(ints, large, CCONV_INT64, out, CCONV_INT32) == CCONV_INVALID);
    CHECK_ERROR("input 'x'", "expected integers that fit int32", "5000000000", "row 0");
    CHECK(convert(ints, d, CCONV_FLOAT64, out, CCONV_INT32) == CCONV_INVALID);
    CHECK_ERROR("input 'x'", "integers", "int32", "float64");
    CHECK(convert(bools, f, CCONV_FLOAT32, byte, CCONV_BOOL) == CCONV_INVALID);
    CHECK_ERROR("input 'x'", "bool", "float32");
    CHECK(convert(ints, i32, CCONV_INT32, f, CCONV_FLOAT32) == CCONV_INVALID);
    CHECK_ERROR("output 0", "int32", "float32");
    CHECK(convert(floats, d, CCONV_FLOAT64, out, CCONV_INT32) == CCONV_INVALID);
    CHECK(convert(floats, d, (cconv_dtype)77, f, CCONV_FLOAT32) == CCONV_INVALID);
    CHECK(convert(floats, d, CCONV_FLOAT64, f, (cconv_dtype)77) == CCONV_INVALID);
    one_op_free(ints);
    one_op_free(floats);
    one_op_free(bools);

    int64_t rows[2] = {1, 0}, numbers[6] = {1, 2, 3, 4, (int64_t)INT32_MIN - 1, 6};
    one_op two = one_op_new(CCONV_INT32, 2, "identity", NULL);
    CHECK(cconv_plan_run(two.plan, &(cconv_batch){.n = 2,
                                                  .rows = rows,
                                                  .inputs = &(cconv_array){numbers, CCONV_INT64, 3},
                                                  .outputs = &(cconv_output){out, CCONV_INT32}}) == CCONV_OK);
    CHECK(out[0] == 3 && out[1] == 4 && out[2] == 1 && out[3] == 2);
    rows[1] = 2;
    CHECK(cconv_plan_run(two.plan, &(cconv_batch){.n = 2,
                                                  .rows = rows,
                                                  .inputs = &(cconv_array){numbers, CCONV_INT64, 3},
                                                  .outputs = &(cconv_output){out, CCONV_INT32}}) == CCONV_INVALID);
    CHECK_ERROR("row 2", "-2147483649");
    one_op_free(two);
}

static void test_casts(void)
{
    const float x[] = {1.9f, -1.9f, 3e9f, -3e9f, NAN, INFINITY, 2147483520.0f, -0.0f};
    int32_t y[8];
    uint8_t b[8];
    one_op to_int = one_op_new(CCONV_FLOAT32, 8, "cast", "to=int32"), to_bool = one_op_new(CCONV_FLOAT32, 8, "cast", "to=bool");
    CHECK(convert(to_int, x, CCONV_FLOAT32, y, CCONV_INT32) == CCONV_OK);
    CHECK(y[0] == 1 && y[1] == -1 && y[2] == INT32_MAX && y[3] == INT32_MIN && y[4] == INT32_MIN && y[5] == INT32_MAX);
    CHECK(y[6] == 2147483520 && y[7] == 0);
    CHECK(convert(to_bool, x, CCONV_FLOAT32, b, CCONV_BOOL) == CCONV_OK && b[0] == 1 && b[4] == 1 && b[7] == 0);
    one_op_free(to_int);
    one_op_free(to_bool);
    const int32_t ints[] = {16777217, -5, 0, 1};
    float f[4];
    one_op to_float = one_op_new(CCONV_INT32, 4, "cast", "to=float32");
    CHECK(convert(to_float, ints, CCONV_INT32, f, CCONV_FLOAT32) == CCONV_OK && bits(f[0]) == bits(16777216.0f) && f[1] == -5);
    one_op_free(to_float);
}

static void test_constants_and_graphs_have_types(void)
{
    const int64_t fits[] = {1, -2}, large[] = {1, (int64_t)1 << 31};
    const uint16_t half[] = {0x3c00, 0xc000}; /* 1, -2 */
    cconv_graph *g = cconv_graph_new();
    int i = cconv_graph_constant(g, "i", CCONV_INT64, 1, (int64_t[]){2}, fits),
        h = cconv_graph_constant(g, "h", CCONV_FLOAT16, 1, (int64_t[]){2}, half);
    int b = cconv_graph_constant(g, "b", CCONV_BOOL, 1, (int64_t[]){2}, (uint8_t[]){0, 1});
    int f = cconv_graph_add(g, "cast", NULL, 1, &i, "to=float32"),
        same = cconv_graph_add(g, "equal", NULL, 2, (int[]){f, h}, NULL);
    int where = cconv_graph_add(g, "where", NULL, 3, (int[]){b, i, i}, NULL);
    CHECK(cconv_graph_dtype(g, i) == CCONV_INT32 && cconv_graph_dtype(g, h) == CCONV_FLOAT32 &&
          cconv_graph_dtype(g, b) == CCONV_BOOL);
    CHECK(cconv_graph_dtype(g, f) == CCONV_FLOAT32 && cconv_graph_dtype(g, same) == CCONV_BOOL &&
          cconv_graph_dtype(g, where) == CCONV_INT32);
    CHECK((int)cconv_graph_dtype(g, 0) == -1 && (int)cconv_graph_dtype(NULL, 1) == -1);
    cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 2, .outputs = (int[]){same, where}});
    uint8_t equal[2];
    int32_t chosen[2];
    CHECK(plan && cconv_plan_run(
                      plan, &(cconv_batch){.n = 1, .outputs = (cconv_output[]){{equal, CCONV_BOOL}, {chosen, CCONV_INT32}}}) ==
                      CCONV_OK);
    CHECK(equal[0] == 1 && equal[1] == 1 && chosen[0] == 1 && chosen[1] == -2);
    cconv_plan_free(plan);
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &f, .root = f, .n_wrt = 1, .wrt = &i}) == NULL);
    CHECK_ERROR("wrt", "float32", "int32");
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &f, .root = where}) == NULL);
    CHECK_ERROR("root", "float32", "int32");
    CHECK(cconv_plan_new(g, &(cconv_plan_options){.n_outputs = 1, .outputs = &f, .precision = CCONV_BFLOAT16}) == NULL);
    CHECK(cconv_last_status() == CCONV_UNSUPPORTED);
    CHECK_ERROR("precision", "float32", "bfloat16");
    CHECK(cconv_graph_constant(g, "large", CCONV_INT64, 1, (int64_t[]){2}, large) == 0);
    CHECK_ERROR("large", "int32", "2147483648");
    cconv_graph_free(g);

    static const struct {
        const char *op, *attributes, *words[3];
        cconv_dtype a, b;
        int n_inputs;
    } wrong[] = {
        {"argmax", NULL, {"n7 (argmax)", "expected x of float32 or int32", "received bool"}, CCONV_BOOL, CCONV_BOOL, 1},
        {"one_hot", "depth=3", {"one_hot", "expected x of int32", "received float32"}, CCONV_FLOAT32, CCONV_BOOL, 1},
        {"softmax", NULL, {"softmax", "expected x of float32", "received int32"}, CCONV_INT32, CCONV_BOOL, 1},
        {"add", NULL, {"add", "expected b of the type of a, int32", "received float32"}, CCONV_INT32, CCONV_FLOAT32, 2},
        {"less", NULL, {"less", "expected b of the type of a, bool", "received int32"}, CCONV_BOOL, CCONV_INT32, 2}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; ++k) {
        cconv_graph *one = cconv_graph_new();
        int x[] = {cconv_graph_input(one, "x", wrong[k].a, 1, (int64_t[]){4}),
                   cconv_graph_input(one, "z", wrong[k].b, 1, (int64_t[]){4})};
        CHECK(cconv_graph_add(one, wrong[k].op, "n7", wrong[k].n_inputs, x, wrong[k].attributes) == 0);
        CHECK_ERROR(wrong[k].words[0], wrong[k].words[1], wrong[k].words[2]);
        cconv_graph_free(one);
    }
    cconv_graph *one = cconv_graph_new();
    CHECK(cconv_graph_input(one, "x", CCONV_INT64, 1, (int64_t[]){4}) == 0);
    CHECK_ERROR("'x'", "float32, int32 or bool", "int64");
    cconv_graph_free(one);
    CHECK(strcmp(cconv_op_types("add"), "n n -> n") == 0 && strcmp(cconv_op_types("softmax"), "f -> f") == 0);
    CHECK(cconv_op_types("nothing") == NULL);
    CHECK(strcmp(cconv_dtype_name(CCONV_BFLOAT16), "bfloat16") == 0 && cconv_dtype_name((cconv_dtype)99) == NULL);
    CHECK(cconv_dtype_bytes(CCONV_BOOL) == 1 && cconv_dtype_bytes(CCONV_INT64) == 8 && cconv_dtype_bytes((cconv_dtype)99) == 0);

    cconv_dtype dtype;
    int rank;
    int64_t shape[CCONV_MAX_RANK], four[] = {4};
    CHECK(cconv_infer("argmax", NULL, 1, (cconv_dtype[]){CCONV_INT32}, (int[]){1}, (const int64_t *const[]){four}, NULL, &dtype,
                      &rank, shape) == CCONV_OK);
    CHECK(dtype == CCONV_INT32 && rank == 0);
    CHECK(cconv_infer("argmax", NULL, 1, (cconv_dtype[]){CCONV_INT64}, (int[]){1}, (const int64_t *const[]){four}, NULL, &dtype,
                      &rank, shape) == CCONV_INVALID);
    CHECK_ERROR("float32, int32 or bool");
}

const test type_tests[] = {{"16 bits in and out", test_16_bits_in_and_out},
                           {"values of each type", test_values_of_each_type},
                           {"casts", test_casts},
                           {"constants and graphs have types", test_constants_and_graphs_have_types},
                           {0}};
