/* Attributes of the node that is read: see reader.h. Each that a reader asks for, or says that it need not, is marked; what is left
 * in the end would change nothing here that it may change elsewhere, so it is refused. Those of names that begin with "__" are
 * notes of a program for itself, as ONNX has it. */
#include "onnx/reading.h"
#include <stdio.h>
#include <string.h>

enum { MOST_NAMED = 64 }; /* an error says no more */

static const onnx_attribute *find_attribute(const onnx_call *c, const char *name)
{
    for (int i = 0; i < c->node->n_attributes; ++i) {
        onnx_attribute *attribute = &c->node->attributes[i];
        if (strcmp(attribute->name, name) != 0) continue;
        attribute->asked = true;
        return attribute;
    }
    return NULL;
}

bool onnx_has_attribute(onnx_call *c, const char *name)
{
    return find_attribute(c, name) != NULL;
}

/* The field of a number in an attribute; false: it has none, or is not there. */
static bool attribute_field(onnx_call *c, const char *name, uint32_t number, onnx_field *field)
{
    const onnx_attribute *attribute = find_attribute(c, name);
    bool damaged = false, found = false;
    if (!attribute) return false;
    onnx_bytes message = attribute->message;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number != number) continue;
        *field = f;
        found = true;
    }
    return found;
}

int64_t onnx_int(onnx_call *c, const char *name, int64_t otherwise)
{
    onnx_field f;
    if (attribute_field(c, name, 3, &f)) return (int64_t)f.value;
    /* a 0 may be left out of the file */
    return find_attribute(c, name) ? 0 : otherwise;
}

float onnx_float(onnx_call *c, const char *name, float otherwise)
{
    onnx_field f;
    if (attribute_field(c, name, 2, &f)) return onnx_float_of_bits((uint32_t)f.value);
    return find_attribute(c, name) ? 0 : otherwise;
}

const char *onnx_string(onnx_call *c, const char *name, const char *otherwise)
{
    onnx_field f;
    if (!find_attribute(c, name)) return otherwise;
    if (!attribute_field(c, name, 4, &f) || f.kind != WIRE_BYTES) return "";
    const char *text = onnx_text_parse(&c->r->model, f.bytes);
    if (!text) onnx_stop_here(c);
    return text ? text : "";
}

bool onnx_ints(onnx_call *c, const char *name, onnx_list *list)
{
    const onnx_attribute *attribute = find_attribute(c, name);
    bool damaged = false;
    list->n = 0;
    if (!attribute) return false;
    onnx_bytes message = attribute->message;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number != 8) continue;
        onnx_bytes packed = f.bytes;
        for (uint64_t v = f.value; f.kind == WIRE_VARINT || onnx_next_varint(&packed, &v, &damaged);) {
            if (list->n == ONNX_MAX_LIST) return onnx_refuse(c, "a list of more than %d numbers ('%s')", ONNX_MAX_LIST, name);
            list->v[list->n++] = (int64_t)v;
            if (f.kind == WIRE_VARINT) break;
        }
    }
    return damaged ? onnx_damaged(c, "attribute '%s' is damaged", name) : true;
}

bool onnx_floats(onnx_call *c, const char *name, float *values, int *n)
{
    const onnx_attribute *attribute = find_attribute(c, name);
    const int room = *n;
    bool damaged = false;
    *n = 0;
    if (!attribute) return false;
    onnx_bytes message = attribute->message;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number != 7) continue;
        const uint8_t single[4] = {(uint8_t)f.value, (uint8_t)(f.value >> 8), (uint8_t)(f.value >> 16),
                                   (uint8_t)(f.value >> 24)};
        const onnx_bytes packed = f.kind == WIRE_BYTES ? f.bytes : (onnx_bytes){single, 4};
        for (size_t i = 0; i + 4 <= packed.size; i += 4) {
            const uint8_t *b = packed.data + i;
            if (*n == room) return onnx_refuse(c, "a list of more than %d numbers ('%s')", room, name);
            values[(*n)++] = onnx_float_of_bits(b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
        }
    }
    return damaged ? onnx_damaged(c, "attribute '%s' is damaged", name) : true;
}

bool onnx_tensor_attribute(onnx_call *c, const char *name, onnx_tensor *tensor)
{
    onnx_field f;
    if (!attribute_field(c, name, 5, &f) || f.kind != WIRE_BYTES) return false;
    if (onnx_tensor_parse(&c->r->model, f.bytes, tensor) == CCONV_OK) return true;
    onnx_stop_here(c);
    return false;
}

bool onnx_message_attribute(onnx_call *c, const char *name, onnx_bytes *message)
{
    onnx_field f;
    if (!attribute_field(c, name, 6, &f) || f.kind != WIRE_BYTES) return false;
    *message = f.bytes;
    return true;
}

void onnx_ignore(onnx_call *c, const char *name)
{
    find_attribute(c, name);
}

static bool is_there_before(const onnx_node *node, int i)
{
    for (int k = 0; k < i; ++k)
        if (strcmp(node->attributes[k].name, node->attributes[i].name) == 0) return true;
    return false;
}

void onnx_refuse_unasked(const onnx_call *c)
{
    char why[192];
    for (int i = 0; i < c->node->n_attributes && c->r->n_refused <= MOST_NAMED; ++i) {
        const char *name = c->node->attributes[i].name;
        if (c->node->attributes[i].asked || strncmp(name, "__", 2) == 0) continue;
        if (is_there_before(c->node, i))
            snprintf(why, sizeof why, "%s with attribute '%.64s' (twice)", c->node->op, name);
        else
            snprintf(why, sizeof why, "%s with attribute '%.64s' (not of opset %lld)", c->node->op, name,
                     (long long)onnx_opset(c));
        onnx_note_refusal(c->r, c->node, why);
    }
}
