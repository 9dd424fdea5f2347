/* Sentences on standard error. */
#include "say.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("cconv-run: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return 0;
}

int say_about(const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "cconv-run: %s: ", path);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return 0;
}

void *room(size_t count, size_t size)
{
    const size_t bytes = count && size ? count * size : 1;
    void *memory = size == 0 || count <= SIZE_MAX / size ? malloc(bytes) : NULL;
    if (!memory) say("no memory for %zu values of %zu bytes", count, size);
    return memory;
}
