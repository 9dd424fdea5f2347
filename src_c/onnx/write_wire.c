/* Protocol buffers as they are written: see write_wire.h. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L /* fsync */
#endif
#include "onnx/write_wire.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#if defined(_WIN32)
#include <io.h>
#include <process.h>
#include <windows.h>
#else
#include <unistd.h>
#endif

enum { VARINT = 0, BYTES = 2, FIXED_32 = 5 }; /* kinds of fields */

/* ---- Files, of POSIX and Windows ---------------------------------------------------------------------------------- */

#if defined(_WIN32)
static int new_file(const char *path)
{
    return _open(path, _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY, _S_IREAD | _S_IWRITE);
}

static long write_some(int descriptor, const uint8_t *bytes, size_t n)
{
    return _write(descriptor, bytes, (unsigned)n);
}

static bool complete(int descriptor)
{
    const bool kept = _commit(descriptor) == 0;
    return _close(descriptor) == 0 && kept;
}

static bool replace(const char *from, const char *to)
{
    return MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING) != 0;
}

static int process_number(void)
{
    return _getpid();
}
#else
static int new_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
}

static long write_some(int descriptor, const uint8_t *bytes, size_t n)
{
    return (long)write(descriptor, bytes, n);
}

static bool complete(int descriptor)
{
    const bool kept = fsync(descriptor) == 0;
    return close(descriptor) == 0 && kept;
}

static bool replace(const char *from, const char *to)
{
    return rename(from, to) == 0;
}

static int process_number(void)
{
    return (int)getpid();
}
#endif

void wire_flush(wire_file *file)
{
    for (size_t at = 0; at < file->waiting && !file->error;) {
        const long wrote = write_some(file->descriptor, file->buffer + at, file->waiting - at);
        if (wrote > 0)
            at += (size_t)wrote;
        else if (wrote == 0 || errno != EINTR)
            file->error = wrote == 0 ? ENOSPC : errno;
    }
    file->waiting = 0;
}

cconv_status wire_replace_file(const char *path, wire_body body, const void *argument)
{
    enum { TRIES = 100 };
    const size_t room = strlen(path) + 48;
    wire_file *file = cc_alloc(sizeof *file);
    char *beside = cc_alloc(room);
    cconv_status status = file && beside ? CCONV_OK : CCONV_NO_MEMORY;
    int descriptor = -1;
    for (int i = 0; status == CCONV_OK && i < TRIES && descriptor < 0; ++i) {
        snprintf(beside, room, "%s.%d-%d.part", path, process_number(), i);
        descriptor = new_file(beside);
        if (descriptor < 0 && errno != EEXIST) break;
    }
    if (status == CCONV_OK && descriptor < 0)
        status = cc_fail(CCONV_INVALID, "cannot write a file beside '%s': %s", path, strerror(errno));
    if (status == CCONV_OK) {
        file->descriptor = descriptor;
        file->error = 0;
        file->waiting = 0;
        wire_output out = {.file = file};
        body(&out, argument);
        wire_flush(file);
        if (!complete(descriptor) && !file->error) file->error = errno;
        if (!file->error && !replace(beside, path)) file->error = errno ? errno : EACCES;
        if (file->error) {
            status = cc_fail(CCONV_INVALID, "cannot write '%s': %s", path, strerror(file->error));
            remove(beside);
        }
    }
    cc_free(beside);
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
