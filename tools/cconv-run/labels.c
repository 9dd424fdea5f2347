/* Names of classes from a file, one a line. */
#include "report.h"
#include "say.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 26 };

/* The file as text, without a byte order mark. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return say_about(path, "%s", strerror(errno)), NULL;
    char *text = NULL;
    size_t size = 0, capacity = 0, got = 1;
    while (got > 0) {
        if (capacity - size < 2) {
            capacity = capacity ? 2 * capacity : 1 << 16;
            char *longer = capacity <= LONGEST ? realloc(text, capacity) : NULL;
            if (!longer) break;
            text = longer;
        }
        got = fread(text + size, 1, capacity - size - 1, file);
        size += got;
    }
    const int fine = text && got == 0 && !ferror(file);
    fclose(file);
    if (!fine) {
        free(text);
        return say_about(path, "expected a text of names, one a line: it cannot be read to its end, or is too long"), NULL;
    }
    text[size] = 0;
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) memmove(text, text + 3, size - 2);
    return text;
}

int labels_read(const char *path, labels *out)
{
    *out = (labels){.path = path};
    if (!path) return 1;
    out->text = read_text(path);
    if (!out->text) return 0;
    int64_t lines = 1;
    for (const char *c = out->text; *c; ++c) lines += *c == '\n';
    out->lines = room((size_t)lines, sizeof *out->lines);
    if (!out->lines) return 0;
    for (char *at = out->text; at; ++out->count) {
        char *end = strchr(at, '\n');
        out->lines[out->count] = at;
        at = end ? end + 1 : NULL;
        if (!end) end = strchr(out->lines[out->count], 0);
        *end = 0;
        while (end > out->lines[out->count] && strchr(" \t\r", end[-1])) *--end = 0;
    }
    while (out->count > 0 && out->lines[out->count - 1][0] == 0) --out->count;
    return out->count > 0 || say_about(path, "expected names of classes, one a line; it is empty");
}

void labels_free(labels *l)
{
    free(l->text);
    free(l->lines);
}
