/* Fields of protocol buffers, from the front of a range of bytes. */
#include "onnx/wire.h"

bool onnx_next_varint(onnx_bytes *packed, uint64_t *value, bool *damaged)
{
    uint64_t number = 0;
    if (!packed->size) return false;
    for (size_t i = 0; i < packed->size && i < 10; ++i) {
        const uint8_t byte = packed->data[i];
        number |= (uint64_t)(byte & 127) << (7 * i);
        if (byte & 128) continue;
        packed->data += i + 1;
        packed->size -= i + 1;
        *value = number;
        return true;
    }
    *damaged = true;
    return false;
}

/* size bytes as a little-endian number. */
static bool next_fixed(onnx_bytes *message, size_t size, uint64_t *value, bool *damaged)
{
    *value = 0;
    if (message->size < size) {
        *damaged = true;
        return false;
    }
    for (size_t i = 0; i < size; ++i) *value |= (uint64_t)message->data[i] << (8 * i);
    message->data += size;
    message->size -= size;
    return true;
}

bool onnx_next_field(onnx_bytes *message, onnx_field *field, bool *damaged)
{
    uint64_t tag;
    *field = (onnx_field){0};
    if (!message->size || !onnx_next_varint(message, &tag, damaged)) return false;
    field->number = (uint32_t)(tag >> 3);
    bool there = false;
    switch (tag & 7) {
    case WIRE_VARINT:
        field->kind = WIRE_VARINT;
        there = onnx_next_varint(message, &field->value, damaged);
        break;
    case WIRE_64:
        field->kind = WIRE_64;
        there = next_fixed(message, 8, &field->value, damaged);
        break;
    case WIRE_32:
        field->kind = WIRE_32;
        there = next_fixed(message, 4, &field->value, damaged);
        break;
    case WIRE_BYTES:
        field->kind = WIRE_BYTES;
        there = onnx_next_varint(message, &field->value, damaged) && field->value <= message->size;
        if (!there) break;
        field->bytes = (onnx_bytes){message->data, (size_t)field->value};
        message->data += field->value;
        message->size -= (size_t)field->value;
        break;
    default: break; /* groups, and what there is not */
    }
    if (!there || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) *damaged = true;
    return !*damaged;
}
