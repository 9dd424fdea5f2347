/* Variables: creation, reference counting, and the version that says "the values changed". */
#include "base/variable.h"
#include "base/alloc.h"
#include "base/status.h"
#include <stdbool.h>
#include <string.h>

cconv_variable *cconv_variable_new(int rank, const int64_t *shape)
{
    if (rank < 0 || rank > CCONV_MAX_RANK || (rank > 0 && !shape)) {
        cc_fail(CCONV_INVALID, "expected a variable of rank 0 to %d, received rank %d", CCONV_MAX_RANK, rank);
        return NULL;
    }
    cc_shape wanted = {.rank = rank};
    for (int i = 0; i < rank; ++i) wanted.dim[i] = shape[i];
    char text[CC_SHAPE_TEXT];
    if (!cc_shape_known(&wanted) || !cc_shape_check(&wanted)) {
        cc_fail(CCONV_INVALID, "expected a variable whose sizes are at least 0 and fit in memory, received shape %s",
                cc_shape_text(&wanted, text));
        return NULL;
    }
    return cc_variable_of(&wanted);
}

cconv_variable *cc_variable_of(const cc_shape *shape)
{
    cconv_variable *variable = cc_alloc_zero(sizeof *variable);
    if (!variable) return NULL;
    variable->shape = *shape;
    variable->count = (size_t)cc_shape_count(shape);
    atomic_init(&variable->references, 1);
    atomic_init(&variable->version, 1);
    variable->data = cc_alloc_zero(cc_shape_bytes(shape));
    if (!variable->data) {
        cc_free(variable);
        return NULL;
    }
    return variable;
}

cconv_variable *cconv_variable_retain(cconv_variable *variable)
{
    if (variable) atomic_fetch_add(&variable->references, 1);
    return variable;
}

void cconv_variable_free(cconv_variable *variable)
{
    if (!variable || atomic_fetch_sub(&variable->references, 1) > 1) return;
    cc_free(variable->data);
    cc_free(variable);
}

/* Leaves the sentence where there is none. */
static bool is_there(const cconv_variable *variable)
{
    if (!variable) cc_fail(CCONV_INVALID, "expected a variable, received NULL");
    return variable != NULL;
}

float *cconv_variable_data(cconv_variable *variable)
{
    return is_there(variable) ? variable->data : NULL;
}

void cconv_variable_touch(cconv_variable *variable)
{
    if (variable) atomic_fetch_add_explicit(&variable->version, 1, memory_order_acq_rel); /* behind what was written */
}

int cconv_variable_shape(const cconv_variable *variable, int64_t *shape)
{
    if (!is_there(variable)) return -1;
    if (shape) memcpy(shape, variable->shape.dim, (size_t)variable->shape.rank * sizeof *shape);
    return variable->shape.rank;
}

size_t cconv_variable_count(const cconv_variable *variable)
{
    return is_there(variable) ? variable->count : 0;
}

static cconv_status check_values(const cconv_variable *variable, const float *values, size_t count)
{
    if (!variable || !values) return cc_fail(CCONV_INVALID, "expected a variable and its values, received NULL");
    char text[CC_SHAPE_TEXT];
    if (count == variable->count) return CCONV_OK;
    return cc_fail(CCONV_INVALID, "expected the %llu values of a variable of shape %s, received %llu",
                   (unsigned long long)variable->count, cc_shape_text(&variable->shape, text), (unsigned long long)count);
}

cconv_status cconv_variable_set(cconv_variable *variable, const float *values, size_t count)
{
    CC_TRY(check_values(variable, values, count));
    memmove(variable->data, values, count * sizeof *values);
    cconv_variable_touch(variable);
    return CCONV_OK;
}

cconv_status cconv_variable_get(const cconv_variable *variable, float *values, size_t count)
{
    CC_TRY(check_values(variable, values, count));
    memmove(values, variable->data, count * sizeof *values);
    return CCONV_OK;
}
