/* Functions of two elements: a, b -> y of the shape they broadcast to, a row of binary.def each. An operand that is repeated gets
 * the sum of the gradients of its repetitions. */
#include "algos/broadcast.h"
#include "algos/reduce.h"
#include "ops/op.h"
#include <math.h>
#include <string.h>

static cconv_status binary_infer(const cc_call *call, cc_shape *ys)
{
    char a[CC_SHAPE_TEXT], b[CC_SHAPE_TEXT];
    if (!cc_broadcast_shape(&call->xs[0], &call->xs[1], ys))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected shapes whose sizes, counted from the last, are equal or 1, received %s and %s",
                          cc_shape_text(&call->xs[0], a), cc_shape_text(&call->xs[1], b));
    return CCONV_OK;
}

/* out[i] for n elements. a and b advance with i, or stay where they are. out may be g, a or b if that one advances. */
typedef void binary_function(float *out, const float *g, const float *a, bool a_moves, const float *b, bool b_moves, int64_t n);

#define BINARY_RUN(tag, part, formula)                                                                                         \
    static void tag##_##part(float *out, const float *dy, const float *a, bool a_moves, const float *b, bool b_moves,          \
                             int64_t n)                                                                                        \
    {                                                                                                                          \
        (void)dy;                                                                                                              \
        if (a_moves && b_moves) {                                                                                              \
            BINARY_LOOP(formula, a[i], b[i])                                                                                   \
        } else if (a_moves) {                                                                                                  \
            const float fixed = *b;                                                                                            \
            BINARY_LOOP(formula, a[i], fixed)                                                                                  \
        } else if (b_moves) {                                                                                                  \
            const float fixed = *a;                                                                                            \
            BINARY_LOOP(formula, fixed, b[i])                                                                                  \
        } else {                                                                                                               \
            const float first = *a, second = *b;                                                                               \
            BINARY_LOOP(formula, first, second)                                                                                \
        }                                                                                                                      \
    }
#define BINARY_LOOP(formula, first_operand, second_operand)                                                                    \
    for (int64_t i = 0; i < n; ++i) {                                                                                          \
        const float u = first_operand, v = second_operand;                                                                     \
        (void)u, (void)v;                                                                                                      \
        out[i] = formula;                                                                                                      \
    }

static void binary_forward(const cc_call *call, const cc_team *team, binary_function *run)
{
    cc_broadcast shape;
    cc_broadcast_init(&shape, &call->ys, 2, call->xs);
    bool a = cc_broadcast_moves(&shape, 0), b = cc_broadcast_moves(&shape, 1);
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    for (cc_walk walk = cc_walk_begin(&shape, mine); walk.run > 0; cc_walk_next(&walk))
        run(call->y + walk.position, NULL, call->x[0] + walk.offset[0], a, call->x[1] + walk.offset[1], b, walk.run);
}

/* Rows of images for as long as b has the same ones, or one for all of them. */
static void binary_forward_rows(const cc_call *call, const cc_row_block *block, float *y, const float *x, binary_function *run)
{
    const cc_shape *b = &call->xs[1];
    cc_shape ys = call->ys, xs[2] = {ys, *b};
    int64_t from = 0;
    ys.dim[0] = xs[0].dim[0] = 1, ys.dim[1] = xs[0].dim[1] = block->rows;
    if (b->rank == 4 && b->dim[0] > 1) {
        from = block->sample * cc_shape_product(b, 1, 4);
        xs[1].dim[0] = 1;
    }
    if (b->rank >= 3 && b->dim[b->rank - 3] > 1) {
        from += block->row * cc_shape_product(b, b->rank - 2, b->rank);
        xs[1].dim[b->rank - 3] = block->rows;
    }
    cc_broadcast shape;
    cc_broadcast_init(&shape, &ys, 2, xs);
    const bool x_moves = cc_broadcast_moves(&shape, 0), b_moves = cc_broadcast_moves(&shape, 1);
    for (cc_walk walk = cc_walk_begin(&shape, (cc_range){0, cc_shape_count(&ys)}); walk.run > 0; cc_walk_next(&walk))
        run(y + walk.position, NULL, x + walk.offset[0], x_moves, call->x[1] + from + walk.offset[1], b_moves, walk.run);
}

static cc_row_block binary_rows_read(const cc_call *call, const cc_row_block *block)
{
    (void)call;
    return *block;
}

/* See cc_need. */
static double binary_row_work(const cc_call *call)
{
    const cc_shape *ys = &call->ys;
    const bool images = ys->rank == 4 && ys->type == CCONV_FLOAT32 && cc_shape_equal(ys, &call->xs[0]);
    return images && !call->differentiate ? (double)(ys->dim[2] * ys->dim[3]) : 0;
}

/* The same for int32 operands: out is int32, or the float of a bool. */
#define BINARY_INTS(tag, out_type, to, formula)                                                                                \
    static void tag##_ints(const cc_call *call, const cc_team *team)                                                           \
    {                                                                                                                          \
        cc_broadcast shape;                                                                                                    \
        cc_broadcast_init(&shape, &call->ys, 2, call->xs);                                                                     \
        const int64_t a_step = cc_broadcast_moves(&shape, 0), b_step = cc_broadcast_moves(&shape, 1);                          \
        const int32_t *as = cc_ints(call->x[0]), *bs = cc_ints(call->x[1]);                                                    \
        cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);                                                       \
        for (cc_walk walk = cc_walk_begin(&shape, mine); walk.run > 0; cc_walk_next(&walk)) {                                  \
            const int32_t *a = as + walk.offset[0], *b = bs + walk.offset[1];                                                  \
            out_type *out = to(call->y) + walk.position;                                                                       \
            for (int64_t i = 0; i < walk.run; ++i) {                                                                           \
                const int32_t u = a[i * a_step], v = b[i * b_step];                                                            \
                out[i] = formula;                                                                                              \
            }                                                                                                                  \
        }                                                                                                                      \
    }

/* In unsigned arithmetic, which may wrap around. */
#define WRAP(u, operator, v) (int32_t)((uint32_t)(u) operator(uint32_t)(v))

/* u^v; for v < 0 the power cut off at 0, but 1 and -1 have theirs. 0 to a negative power is 0. */
static int32_t binary_power_of_ints(int32_t u, int32_t v)
{
    if (v < 0) return u == 1 ? 1 : u == -1 ? (v & 1 ? -1 : 1) : 0;
    uint32_t result = 1;
    for (uint32_t square = (uint32_t)u; v; v >>= 1, square *= square)
        if (v & 1) result *= square;
    return (int32_t)result;
}

/* The rest of a division rounded down: it has the sign of v. */
static inline float binary_mod(float u, float v)
{
    const float rest = fmodf(u, v);
    return rest != 0 && (rest < 0) != (v < 0) ? rest + v : rest;
}

/* By the rest, which is exact; u / v may round up to the next whole number. */
static inline float binary_floor_divide(float u, float v)
{
    return v == 0 || isinf(u) ? floorf(u / v) : rintf((u - binary_mod(u, v)) / v);
}

/* By 0 it is 0, as NumPy has it; the lowest integer by -1 wraps around. */
static inline int32_t binary_mod_of_ints(int32_t u, int32_t v)
{
    if (v == 0 || v == -1) return 0;
    const int32_t rest = u % v;
    return rest != 0 && (rest < 0) != (v < 0) ? rest + v : rest;
}

static inline int32_t binary_floor_divide_of_ints(int32_t u, int32_t v)
{
    if (v == 0) return 0;
    if (v == -1) return (int32_t)(0u - (uint32_t)u);
    return u / v - (u % v != 0 && (u < 0) != (v < 0));
}

/* The gradient of an operand by stretches of y: what a reduction folds for an operand that is repeated. Without `run` it is dy. */
typedef struct binary_gradient {
    const cc_call *call;
    binary_function *run;
    cc_broadcast shape;
} binary_gradient;

static void binary_fill(const binary_gradient *of, cc_range range, float *out)
{
    const cc_call *call = of->call;
    static const float unread[1]; /* in place of an operand that need() did not ask for */
    bool a = call->x[0] && cc_broadcast_moves(&of->shape, 0), b = call->x[1] && cc_broadcast_moves(&of->shape, 1);
    for (cc_walk walk = cc_walk_begin(&of->shape, range); walk.run > 0; cc_walk_next(&walk))
        of->run(out + (walk.position - range.begin), call->dy + walk.position,
                call->x[0] ? call->x[0] + walk.offset[0] : unread, a, call->x[1] ? call->x[1] + walk.offset[1] : unread, b,
                walk.run);
}

static const float *binary_terms(const void *context, int64_t begin, int64_t n, float *buffer)
{
    const binary_gradient *of = context;
    if (!of->run) return of->call->dy + begin;
    binary_fill(of, (cc_range){begin, begin + n}, buffer);
    return buffer;
}

static bool binary_repeated(const cc_call *call, int i)
{
    return cc_broadcast_repeated(&call->xs[i], &call->ys) != 0;
}

static void binary_operand_gradient(const cc_call *call, const cc_team *team, int i, binary_function *run)
{
    binary_gradient of = {.call = call, .run = run};
    cc_broadcast_init(&of.shape, &call->ys, 2, call->xs);
    float *dx = call->dx[i];
    if (binary_repeated(call, i)) {
        cc_reduction reduction;
        cc_reduction_init(&reduction, &call->ys, cc_broadcast_repeated(&call->xs[i], &call->ys));
        cc_reduce(&reduction, CC_FOLD_SUM, binary_terms, &of, 1, dx, NULL, call->scratch, team);
        return;
    }
    cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 2048);
    if (mine.begin >= mine.end) return;
    if (run)
        binary_fill(&of, mine, dx + mine.begin);
    else if (dx != call->dy)
        memcpy(dx + mine.begin, call->dy + mine.begin, (size_t)(mine.end - mine.begin) * sizeof *dx);
}

/* dx[0] may be dy, so it comes last, when nobody reads dy any more. */
static void binary_backward(const cc_call *call, const cc_team *team, binary_function *run_a, binary_function *run_b)
{
    if (call->dx[1]) {
        binary_operand_gradient(call, team, 1, run_b);
        cc_barrier_wait(team);
    }
    if (call->dx[0]) binary_operand_gradient(call, team, 0, run_a);
}

/* reads: bit 0 and 1: the gradient of a reads a, b; bit 2 and 3: the gradient of b reads a, b. */
static void binary_need(const cc_call *call, cc_need *need, unsigned reads)
{
    need->reads = 0;
    need->row_work = binary_row_work(call);
    if (call->needs_gradient[0]) need->reads |= reads & 3u;
    if (call->needs_gradient[1]) need->reads |= reads >> 2;
    for (int i = 0; i < 2; ++i) {
        if (!call->needs_gradient[i]) continue;
        cc_reduction reduction;
        cc_reduction_init(&reduction, &call->ys, cc_broadcast_repeated(&call->xs[i], &call->ys));
        size_t bytes = binary_repeated(call, i) ? cc_reduction_scratch(&reduction) : 0;
        if (need->backward_scratch < bytes) need->backward_scratch = bytes;
    }
}

/* ---- The kinds of rows ---- */

enum {
    A_READS_A = 1,
    A_READS_B = 2,
    B_READS_A = 4,
    B_READS_B = 8,
    ALL_READ_ALL = 15,
    A_IS_DY = 16,
    B_IS_DY = 32
}; /* the last two: the gradient is dy itself */

#define BINARY_FORWARD(tag, formula)                                                                                           \
    BINARY_RUN(tag, value, formula)                                                                                            \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        binary_forward(call, team, tag##_value);                                                                               \
    }

#define BINARY_FORWARD_OF_ALL(tag, formula, out_type, to, int_formula)                                                         \
    BINARY_RUN(tag, value, formula)                                                                                            \
    BINARY_INTS(tag, out_type, to, int_formula)                                                                                \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        if (call->xs[0].type == CCONV_INT32)                                                                                   \
            tag##_ints(call, team);                                                                                            \
        else                                                                                                                   \
            binary_forward(call, team, tag##_value);                                                                           \
    }

#define BINARY_BACKWARD(tag, takes, gradient_a, gradient_b, reads_bits)                                                        \
    BINARY_RUN(tag, da, gradient_a)                                                                                            \
    BINARY_RUN(tag, db, gradient_b)                                                                                            \
    static void tag##_need(const cc_call *call, int nth, cc_need *need)                                                        \
    {                                                                                                                          \
        (void)nth;                                                                                                             \
        binary_need(call, need, (reads_bits)&ALL_READ_ALL);                                                                    \
    }                                                                                                                          \
    static void tag##_backward(const cc_call *call, const cc_team *team)                                                       \
    {                                                                                                                          \
        binary_backward(call, team, (reads_bits)&A_IS_DY ? NULL : tag##_da, (reads_bits)&B_IS_DY ? NULL : tag##_db);           \
    }                                                                                                                          \
    static void tag##_forward_rows(const cc_call *call, const cc_row_block *block, float *y, const float *x)                   \
    {                                                                                                                          \
        binary_forward_rows(call, block, y, x, tag##_value);                                                                   \
    }                                                                                                                          \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "a b",                                                                                \
                               .meaning = "a, b: two that broadcast by NumPy's rule",                                          \
                               .types = takes,                                                                                 \
                               .flags = CC_INPLACE | CC_INPLACE_BACKWARD | CC_ELEMENTWISE,                                     \
                               .infer = binary_infer,                                                                          \
                               .need = tag##_need,                                                                             \
                               .forward = tag##_forward,                                                                       \
                               .backward = tag##_backward,                                                                     \
                               .forward_rows = tag##_forward_rows,                                                             \
                               .rows_read = binary_rows_read};

#define BINARY_FLOATS(tag, value, da, db, reads) BINARY_FORWARD(tag, value) BINARY_BACKWARD(tag, NULL, da, db, reads)
#define BINARY_NUMBERS(tag, value, int_value, da, db, reads)                                                                   \
    BINARY_FORWARD_OF_ALL(tag, value, int32_t, cc_ints_out, int_value)                                                         \
    BINARY_BACKWARD(tag, "n n -> n", da, db, reads)
#define BINARY_ALL(tag, value, int_value, da, db, reads)                                                                       \
    BINARY_FORWARD_OF_ALL(tag, value, int32_t, cc_ints_out, int_value)                                                         \
    BINARY_BACKWARD(tag, "t t -> t", da, db, reads)
#define BINARY_WITHOUT_GRADIENT(tag, takes)                                                                                    \
    const cc_op cc_op_##tag = {.name = #tag,                                                                                   \
                               .inputs = "a b",                                                                                \
                               .meaning = "a, b: two that broadcast by NumPy's rule",                                          \
                               .types = takes,                                                                                 \
                               .flags = CC_INPLACE | CC_ELEMENTWISE,                                                           \
                               .infer = binary_infer,                                                                          \
                               .forward = tag##_forward};
#define BINARY_COMPARISON(tag, holds)                                                                                          \
    BINARY_FORWARD_OF_ALL(tag, (holds) ? 1.0f : 0.0f, float, , (holds) ? 1.0f : 0.0f)                                          \
    BINARY_WITHOUT_GRADIENT(tag, "t t -> b")
#define BINARY_STEPS(tag, value, int_value)                                                                                    \
    BINARY_FORWARD_OF_ALL(tag, value, int32_t, cc_ints_out, int_value)                                                         \
    BINARY_WITHOUT_GRADIENT(tag, "n n -> n")
#define BINARY_BITS(tag, int_value)                                                                                            \
    BINARY_INTS(tag, int32_t, cc_ints_out, int_value)                                                                          \
    static void tag##_forward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        tag##_ints(call, team);                                                                                                \
    }                                                                                                                          \
    BINARY_WITHOUT_GRADIENT(tag, "i i -> i")

#define CC_BINARY(kind, tag, ...) BINARY_##kind(tag, __VA_ARGS__)
#include "ops/binary.def"
#undef CC_BINARY
