/* The table of ops, made from ops.def; looking ops up; what the ops' tables tell the outside; checks every op shares. */
#include "ops/op.h"
#include "base/alloc.h"
#include "base/type.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const cc_op *const op_table[] = {
#define CC_OP(name) &cc_op_##name,
#include "ops/ops.def"
#undef CC_OP
    NULL};

const cc_op *cc_op_at(int i)
{
    return i >= 0 && i < (int)(sizeof op_table / sizeof *op_table) - 1 ? op_table[i] : NULL;
}

const cc_op *cc_op_find(const char *name)
{
    if (name)
        for (const cc_op *const *op = op_table; *op; ++op)
            if (strcmp((*op)->name, name) == 0) return *op;
    cc_fail(CCONV_INVALID, "expected the name of an op (see cconv_op_name), received '%s'", name ? name : "NULL");
    return NULL;
}

int cconv_op_count(void)
{
    return (int)(sizeof op_table / sizeof *op_table) - 1;
}

const char *cconv_op_name(int i)
{
    const cc_op *op = cc_op_at(i);
    return op ? op->name : NULL;
}

const char *cconv_op_inputs(const char *name)
{
    const cc_op *op = cc_op_find(name);
    return op ? op->inputs : NULL;
}

static const char *op_table_types_of(const cc_op *op)
{
    return op->types ? op->types : "f -> f";
}

const char *cconv_op_types(const char *name)
{
    const cc_op *op = cc_op_find(name);
    return op ? op_table_types_of(op) : NULL;
}

cconv_status cconv_op_info(const char *name, cconv_op_facts *facts)
{
    const cc_op *op = cc_op_find(name);
    if (!op) return CCONV_INVALID;
    if (!facts) return cc_fail(CCONV_INVALID, "%s: expected a place for the op's facts, received NULL", name);
    *facts = (cconv_op_facts){.differentiable = op->backward != NULL,
                              .random = (op->flags & CC_RANDOM) != 0,
                              .elementwise = (op->flags & CC_ELEMENTWISE) != 0,
                              .per_sample = op->per_sample || (op->flags & CC_ELEMENTWISE),
                              .weights = op->weights,
                              .bias = op->bias,
                              .residual = op->residual};
    return CCONV_OK;
}

cconv_status cconv_op_attribute(const char *name, int i, cconv_attribute *attribute)
{
    const cc_op *op = cc_op_find(name);
    return op ? cc_attributes_describe(op->attributes, i, attribute) : CCONV_INVALID;
}

const char *cconv_op_meaning(const char *name)
{
    const cc_op *op = cc_op_find(name);
    return !op ? NULL : op->meaning ? op->meaning : "";
}

/* "x, w, b (optional)" */
static void op_table_describe_inputs(const char *inputs, cc_writer *w)
{
    for (const char *at = inputs; *at;) {
        const size_t length = strcspn(at, " "), bare = strcspn(at, " ?*");
        cc_put(w, "%s%.*s", at == inputs ? "" : ", ", (int)bare, at);
        if (bare < length) cc_put(w, at[bare] == '?' ? " (optional)" : " (one or more)");
        at += length + (at[length] == ' ');
    }
}

size_t cconv_op_describe(const char *name, char *text, size_t size)
{
    const cc_op *op = cc_op_find(name);
    cc_writer w = cc_writer_in(text, size);
    if (!op) return 0;
    cc_put(&w, "%s\n  inputs: ", op->name);
    op_table_describe_inputs(op->inputs, &w);
    if (op->meaning) cc_put(&w, "\n    %s", op->meaning);
    cc_put(&w, "\n  types: %s\n", op_table_types_of(op)); /* as cconv_op_types explains */
    cconv_attribute a;
    for (int i = 0; op->attributes && op->attributes[i].name; ++i) {
        (void)cc_attributes_describe(op->attributes, i, &a);
        cc_put(&w, "  %s: %s, ", a.name, a.type);
        if (!a.default_value)
            cc_put(&w, "must be given");
        else
            cc_put(&w, "default %s", *a.default_value ? a.default_value : "none");
        if (a.choices) cc_put(&w, ", one of %s", a.choices);
        cc_put(&w, "\n    %s\n", a.meaning);
    }
    return w.length;
}

cconv_status cc_op_fail(const cc_call *call, cconv_status status, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (call->name) return cc_fail(status, "%s (%s): %s", call->name, call->op->name, text);
    return cc_fail(status, "%s: %s", call->op->name, text);
}

/* The name of input i, e.g. "w", into name. */
static void op_table_input_name(const cc_op *op, int i, char name[32])
{
    const char *at = op->inputs;
    for (; i > 0 && strchr(at, ' '); --i) at = strchr(at, ' ') + 1;
    size_t length = strcspn(at, " ?*");
    snprintf(name, 32, "%.*s", (int)length, at);
}

cconv_status cc_op_check_rank(const cc_call *call, int i, int rank, const char *letters)
{
    if (call->xs[i].rank == rank) return CCONV_OK;
    char name[32], text[CC_SHAPE_TEXT];
    op_table_input_name(call->op, i, name);
    return cc_op_fail(call, CCONV_INVALID, "expected %s of rank %d%s%s, received shape %s", name, rank, letters ? " " : "",
                      letters ? letters : "", cc_shape_text(&call->xs[i], text));
}

/* ---- Element types ------------------------------------------------------------------------------------------------ */

static bool op_table_accepts(char letter, cconv_dtype type)
{
    switch (letter) {
    case 'f': return type == CCONV_FLOAT32;
    case 'i': return type == CCONV_INT32;
    case 'b': return type == CCONV_BOOL;
    case 'n': return type == CCONV_FLOAT32 || type == CCONV_INT32;
    default: return true;
    }
}

static const char *op_table_letter_text(char letter)
{
    switch (letter) {
    case 'f': return "float32";
    case 'i': return "int32";
    case 'b': return "bool";
    case 'n': return "float32 or int32";
    default: return "any type";
    }
}

/* Whether every input has a type that the op takes; *type is that of the output where the table says it. */
static cconv_status op_table_check_types(const cc_call *call, cconv_dtype *type)
{
    const char *at = op_table_types_of(call->op), *arrow = strchr(at, '>');
    int first = -1; /* the input that decides what n or t stands for */
    char name[32], other[32];
    for (int i = 0; i < call->n_inputs; ++i) {
        const char letter = *at;
        if (at[2] != '-') at += 2;
        if (call->xs[i].rank < 0) continue;
        const cconv_dtype found = call->xs[i].type;
        const char *received = cc_type_of(found)->name;
        op_table_input_name(call->op, i, name);
        if (!op_table_accepts(letter, found))
            return cc_op_fail(call, CCONV_INVALID, "expected %s of %s, received %s", name, op_table_letter_text(letter),
                              received);
        if (letter != 'n' && letter != 't') continue;
        if (first < 0) first = i;
        if (found == call->xs[first].type) continue;
        op_table_input_name(call->op, first, other);
        return cc_op_fail(call, CCONV_INVALID, "expected %s of the type of %s, %s, received %s", name, other,
                          cc_type_of(call->xs[first].type)->name, received);
    }
    switch (arrow[2]) {
    case 'i': *type = CCONV_INT32; break;
    case 'b': *type = CCONV_BOOL; break;
    case 'n':
    case 't': *type = first < 0 ? CCONV_FLOAT32 : call->xs[first].type; break;
    default: *type = CCONV_FLOAT32;
    }
    return CCONV_OK;
}

cconv_status cc_op_infer(const cc_call *call, cc_shape *ys)
{
    cconv_dtype type = CCONV_FLOAT32;
    CC_TRY(op_table_check_types(call, &type));
    CC_TRY(call->op->infer(call, ys));
    if (op_table_types_of(call->op)[strlen(op_table_types_of(call->op)) - 1] != '*') ys->type = type;
    return CCONV_OK;
}

cconv_status cc_op_check_inputs(const cc_call *call)
{
    const char *at = call->op->inputs;
    int declared = 0, required = 0;
    bool any_number = false;
    while (*at) {
        size_t length = strcspn(at, " ");
        char mark = at[length - 1];
        if (mark == '*') any_number = true;
        ++declared;
        if (mark != '?') required = declared;
        if (mark != '?' && declared - 1 < call->n_inputs && call->xs[declared - 1].rank < 0) {
            char name[32];
            op_table_input_name(call->op, declared - 1, name);
            return cc_op_fail(call, CCONV_INVALID, "input %s is missing", name);
        }
        at += length + (at[length] == ' ');
    }
    if (call->n_inputs < required || (!any_number && call->n_inputs > declared))
        return cc_op_fail(call, CCONV_INVALID, "expected inputs '%s', received %d", call->op->inputs, call->n_inputs);
    for (int i = declared; i < call->n_inputs; ++i)
        if (call->xs[i].rank < 0) return cc_op_fail(call, CCONV_INVALID, "input %d is missing", i + 1);
    return CCONV_OK;
}

bool cc_op_per_sample(const cc_call *call)
{
    if (!cc_is_batched(&call->ys)) return false;
    if (!(call->op->flags & CC_ELEMENTWISE)) return call->op->per_sample && call->op->per_sample(call);
    for (int i = 0; i < call->n_inputs; ++i) /* of a lower rank, its batch would stand beside another axis */
        if (cc_is_batched(&call->xs[i]) && call->xs[i].rank != call->ys.rank) return false;
    return true;
}

bool cc_per_sample_x(const cc_call *call)
{
    for (int i = 1; i < call->n_inputs; ++i)
        if (i != call->op->residual && cc_is_batched(&call->xs[i])) return false;
    return true;
}

/* The rank, sizes and type of input i of cconv_infer's arguments. */
static cconv_status op_table_read_input(const cc_call *call, int i, const cconv_dtype *dtypes, int rank, const int64_t *sizes,
                                        cc_shape *xs)
{
    char text[CC_SHAPE_TEXT];
    if (rank > CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected rank of at most %d, received %d", CCONV_MAX_RANK, rank);
    *xs = (cc_shape){.rank = rank < 0 ? -1 : rank, .type = dtypes ? dtypes[i] : CCONV_FLOAT32};
    if (!cc_type_is_computed(xs->type))
        return cc_op_fail(call, CCONV_INVALID, "expected dtypes of float32, int32 or bool, received %d", (int)xs->type);
    if (rank > 0 && !sizes) return cc_op_fail(call, CCONV_INVALID, "expected the sizes of input %d, received NULL", i + 1);
    if (rank > 0) memcpy(xs->dim, sizes, (size_t)rank * sizeof *sizes);
    if (rank >= 0 && !cc_shape_check(xs))
        return cc_op_fail(call, CCONV_INVALID, "expected sizes (-1: unknown) that fit in memory, received shape %s",
                          cc_shape_text(xs, text));
    return CCONV_OK;
}

cconv_status cconv_infer(const char *op_name, const char *name, int n_inputs, const cconv_dtype *dtypes, const int *ranks,
                         const int64_t *const *shapes, const char *attributes, cconv_dtype *dtype, int *rank, int64_t *shape)
{
    const cc_op *op = cc_op_find(op_name);
    if (!op) return CCONV_INVALID;
    if (n_inputs < 0 || (n_inputs > 0 && (!ranks || !shapes)) || !rank || !shape)
        return cc_fail(CCONV_INVALID, "%s: cconv_infer received a null pointer or a negative count", op_name);
    size_t shapes_bytes = CC_ALIGN_UP((size_t)n_inputs * sizeof(cc_shape));
    char *memory = cc_alloc_zero(shapes_bytes + op->attributes_size);
    if (!memory) return CCONV_NO_MEMORY;
    cc_shape *xs = (cc_shape *)memory;
    cc_call call = {.op = op, .name = name, .attributes = memory + shapes_bytes, .n_inputs = n_inputs, .xs = xs};
    cconv_status status = CCONV_OK;
    for (int i = 0; i < n_inputs && status == CCONV_OK; ++i)
        status = op_table_read_input(&call, i, dtypes, ranks[i], shapes[i], &xs[i]);
    cc_shape ys = {0};
    if (status == CCONV_OK) status = cc_op_check_inputs(&call);
    if (status == CCONV_OK && (status = cc_attributes_read(op->attributes, attributes, memory + shapes_bytes, 0)) != CCONV_OK)
        cc_fail_prefix("%s%s%s%s", name ? name : "", name ? " (" : "", op->name, name ? ")" : "");
    if (status == CCONV_OK) status = cc_op_infer(&call, &ys);
    if (status == CCONV_OK && !cc_shape_check(&ys)) {
        char text[CC_SHAPE_TEXT];
        status = cc_op_fail(&call, CCONV_INVALID, "the output's shape %s is too large", cc_shape_text(&ys, text));
    }
    if (status == CCONV_OK) {
        if (dtype) *dtype = ys.type;
        *rank = ys.rank;
        memcpy(shape, ys.dim, (size_t)ys.rank * sizeof *shape);
    }
    cc_free(memory);
    return status;
}
