/* Protocol buffers as they are written: see write_wire.h. */
#include "onnx/write_wire.h"
#include "base/alloc.h"
#include <string.h>

enum { VARINT = 0, BYTES = 2, FIXED_32 = 5 }; /* kinds of fields */

/* ---- Files -------------------------------------------------------------------------------------------------------- */

void wire_flush(wire_file *file)
{
    if (file->status == CCONV_OK) file->status = cc_atomic_write(&file->target, file->buffer, file->waiting);
    file->waiting = 0;
}

cconv_status wire_replace_file(const char *path, wire_body body, const void *argument)
{
    wire_file *file = cc_alloc(sizeof *file);
    if (!file) return CCONV_NO_MEMORY;
    file->waiting = 0;
    cconv_status status = file->status = cc_atomic_begin(&file->target, path);
    if (status == CCONV_OK) {
        body(&(wire_output){.file = file}, argument);
        wire_flush(file);
        status = cc_atomic_end(&file->target, file->status);
    }
    cc_free(file);
    return status;
}

/* ---- Fields ------------------------------------------------------------------------------------------------------- */

void wire_bytes(wire_output *out, const void *bytes, size_t n)
{
    if (out->memory && n) memcpy(out->memory + out->length, bytes, n);
    out->length += n;
    if (!out->file) return;
    const uint8_t *from = bytes;
    while (n) {
        wire_file *file = out->file;
        const size_t room = WIRE_BUFFER - file->waiting, some = n < room ? n : room;
        memcpy(file->buffer + file->waiting, from, some);
        file->waiting += some;
        from += some;
        n -= some;
        if (file->waiting == WIRE_BUFFER) wire_flush(file);
    }
}

void wire_varint(wire_output *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value >= 128; value >>= 7) bytes[n++] = (uint8_t)(value | 128);
    bytes[n++] = (uint8_t)value;
    wire_bytes(out, bytes, n);
}

static void tag(wire_output *out, int field, int kind)
{
    wire_varint(out, (uint64_t)field << 3 | (uint64_t)kind);
}

void wire_int(wire_output *out, int field, int64_t value)
{
    tag(out, field, VARINT);
    wire_varint(out, (uint64_t)value);
}

void wire_float(wire_output *out, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    tag(out, field, FIXED_32);
    wire_bytes(out, (const uint8_t[]){(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)}, 4);
}

void wire_message_of(wire_output *out, int field, uint64_t length)
{
    tag(out, field, BYTES);
    wire_varint(out, length);
}

void wire_text(wire_output *out, int field, const char *text)
{
    wire_message_of(out, field, strlen(text));
    wire_bytes(out, text, strlen(text));
}

void wire_message(wire_output *out, int field, wire_body body, const void *argument)
{
    wire_output counted = {0};
    body(&counted, argument);
    wire_message_of(out, field, counted.length);
    body(out, argument);
}
