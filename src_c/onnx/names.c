/* From names to values. */
#include "base/alloc.h"
#include "onnx/reading.h"
#include <string.h>

static size_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = name; *c; ++c) hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* Where a name stands, or the free place where it would. */
static size_t slot_of(const onnx_reading *r, const char *name)
{
    size_t slot = hash_of(name) & (r->n_slots - 1);
    while (r->slots[slot] && strcmp(r->values[r->slots[slot] - 1].name, name) != 0) slot = (slot + 1) & (r->n_slots - 1);
    return slot;
}

onnx_named *onnx_find(onnx_reading *r, const char *name)
{
    if (!r->n_slots) return NULL;
    const int number = r->slots[slot_of(r, name)];
    return number ? &r->values[number - 1] : NULL;
}

static bool grow(onnx_reading *r)
{
    const int capacity = r->values_capacity ? 2 * r->values_capacity : 64;
    onnx_named *values = cc_alloc((uint64_t)capacity * sizeof *values);
    int *slots = cc_alloc_zero(4 * (uint64_t)capacity * sizeof *slots);
    if (!values || !slots) {
        cc_free(values);
        cc_free(slots);
        return onnx_stop(r, CCONV_NO_MEMORY);
    }
    if (r->n_values) memcpy(values, r->values, (size_t)r->n_values * sizeof *values);
    cc_free(r->values);
    cc_free(r->slots);
    r->values = values;
    r->values_capacity = capacity;
    r->slots = slots;
    r->n_slots = 4 * (size_t)capacity;
    for (int i = 0; i < r->n_values; ++i) r->slots[slot_of(r, values[i].name)] = i + 1;
    return true;
}

onnx_named *onnx_name(onnx_reading *r, const char *name)
{
    if (r->n_values == r->values_capacity && !grow(r)) return NULL;
    onnx_named *value = &r->values[r->n_values++];
    *value = (onnx_named){.name = name};
    r->slots[slot_of(r, name)] = r->n_values; /* of branches, one after the other may use a name: others keep what it was */
    return value;
}

onnx_named *onnx_resolve(onnx_reading *r, onnx_named *value)
{
    while (value->same_as) value = &r->values[value->same_as - 1];
    return value;
}

void onnx_forget_names(onnx_reading *r)
{
    cc_free(r->values);
    cc_free(r->slots);
    r->values = NULL;
    r->slots = NULL;
    r->n_values = r->values_capacity = 0;
    r->n_slots = 0;
}
