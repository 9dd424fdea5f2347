/* Protocol buffers as they are stored: a message is a row of fields, each a number, a kind and a value. Everything is read where it
 * lies; nothing is believed of a length before it is compared with what is left. */
#ifndef CC_ONNX_WIRE_H
#define CC_ONNX_WIRE_H

#include "base/status.h"
#include <stdbool.h>

typedef struct onnx_bytes { /* a range of the file */
    const uint8_t *data;
    size_t size;
} onnx_bytes;

typedef struct onnx_field {
    uint32_t number;
    enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } kind;
    uint64_t value;   /* of WIRE_VARINT; the bits of WIRE_64 and WIRE_32 */
    onnx_bytes bytes; /* of WIRE_BYTES */
} onnx_field;

/* Takes the next field from the front of `message`. False at its end, or (with *damaged set) where it is no message. */
bool onnx_next_field(onnx_bytes *message, onnx_field *field, bool *damaged);

/* Takes a number from the front of packed ones. False at the end, or with *damaged set. */
bool onnx_next_varint(onnx_bytes *packed, uint64_t *value, bool *damaged);

static inline float onnx_float_of_bits(uint32_t bits)
{
    union {
        uint32_t bits;
        float value;
    } u = {bits};
    return u.value;
}

#endif
