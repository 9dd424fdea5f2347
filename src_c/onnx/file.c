/* Files mapped into memory, or read into it. */
#if !defined(_WIN32) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "onnx/file.h"
#include "base/alloc.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#define MAPS 1
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#else
#define MAPS 0
#endif

#if MAPS
/* False: it cannot be mapped, which does not mean that it cannot be read. */
static bool map(const char *path, onnx_file *file)
{
    const int number = open(path, O_RDONLY | O_CLOEXEC);
    if (number < 0) return false;
    const off_t size = lseek(number, 0, SEEK_END); /* of a folder or a pipe it says nothing, and these are not mapped */
    void *bytes = MAP_FAILED;
    if (size > 0 && (uint64_t)size <= SIZE_MAX) bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, number, 0);
    close(number);
    if (bytes == MAP_FAILED) return false;
    *file = (onnx_file){.bytes = {bytes, (size_t)size}, .mapped = true};
    return true;
}
#endif

/* Reads to the end, as far as it may be, without being told where that is: a pipe does not know. */
static cconv_status read_all(FILE *stream, const char *path, onnx_file *file)
{
    size_t room = 1 << 16, size = 0;
    uint8_t *bytes = cc_alloc(room);
    for (size_t n = 1; bytes && n; size += n) {
        if (size == room) {
            uint8_t *larger = room < SIZE_MAX / 4 ? cc_alloc((uint64_t)room * 2) : NULL;
            for (size_t i = 0; larger && i < size; ++i) larger[i] = bytes[i];
            cc_free(bytes);
            bytes = larger;
            room *= 2;
            if (!bytes) break;
        }
        n = fread(bytes + size, 1, room - size, stream);
    }
    if (!bytes) return CCONV_NO_MEMORY;
    *file = (onnx_file){.bytes = {bytes, size}};
    return ferror(stream) ? cc_fail(CCONV_IO, "load: '%s' cannot be read: %s", path, strerror(errno)) : CCONV_OK;
}

cconv_status onnx_file_open(const char *path, onnx_file *file)
{
    *file = (onnx_file){0};
#if MAPS
    if (map(path, file)) return CCONV_OK;
#endif
    FILE *stream = fopen(path, "rb");
    if (!stream) return cc_fail(CCONV_IO, "load: '%s' cannot be opened: %s", path, strerror(errno));
    const cconv_status status = read_all(stream, path, file);
    fclose(stream);
    return status;
}

void onnx_file_close(onnx_file *file)
{
    if (!file->mapped) cc_free((void *)file->bytes.data);
#if MAPS
    if (file->mapped) munmap((void *)file->bytes.data, file->bytes.size);
#endif
    *file = (onnx_file){0};
}

void onnx_file_forget(const onnx_file *file, onnx_bytes bytes)
{
#if MAPS
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)bytes.data + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)bytes.data + bytes.size) / page * page;
    if (file->mapped && end > first) madvise((void *)first, end - first, MADV_DONTNEED);
#else
    (void)file, (void)bytes;
#endif
}
