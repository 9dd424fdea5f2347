/* Protocol buffers as they are written: numbers, texts and messages, each with the number of its field. Where they go to, a file,
 * memory or nowhere, is the output's affair: what goes nowhere is counted, so that the length of a message is known before it. */
#ifndef CC_ONNX_WRITE_WIRE_H
#define CC_ONNX_WRITE_WIRE_H

#include "files/atomic_file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_BUFFER = 1 << 16 };

typedef struct wire_file { /* bytes on their way to a file */
    cc_atomic_file target;
    cconv_status status; /* of the first write that failed */
    size_t waiting;
    uint8_t buffer[WIRE_BUFFER];
} wire_file;

typedef struct wire_output { /* {0}: nothing is written */
    wire_file *file;
    uint8_t *memory; /* as long as what is written */
    uint64_t length; /* so far */
} wire_output;

typedef void (*wire_body)(wire_output *out, const void *argument);

void wire_bytes(wire_output *out, const void *bytes, size_t n);
void wire_flush(wire_file *file);

void wire_varint(wire_output *out, uint64_t value);
void wire_int(wire_output *out, int field, int64_t value);
void wire_float(wire_output *out, int field, float value);
void wire_text(wire_output *out, int field, const char *text);
/* The message that `body` writes; of one that is known to be of `length` bytes the beginning only. */
void wire_message(wire_output *out, int field, wire_body body, const void *argument);
void wire_message_of(wire_output *out, int field, uint64_t length);

/* A file that takes the place of `path` when it is complete: what is there stays as it was until then, and if anything fails. */
cconv_status wire_replace_file(const char *path, wire_body body, const void *argument);

#endif
