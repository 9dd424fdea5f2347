/* Writing text into memory of a given size: see writer.h. */
#include "base/writer.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cc_put(cc_writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = w->length < w->size ? w->size - w->length : 0;
    int wrote = vsnprintf(room ? w->text + w->length : NULL, room, format, arguments);
    va_end(arguments);
    if (wrote > 0) w->length += (size_t)wrote;
}

void cc_put_float(cc_writer *w, float value)
{
    char digits[48], point[16];
    for (int n = 6; n <= 9; ++n) { /* nine always tell a float from its neighbours */
        snprintf(digits, sizeof digits, "%.*g", n, (double)value);
        if (strtof(digits, NULL) == value) break;
    }
    int width = snprintf(point, sizeof point, "%.1f", 0.5) - 2; /* "0", the locale's point, "5" */
    point[1 + width] = 0;
    char *at = strstr(digits, point + 1);
    if (at)
        cc_put(w, "%.*s.%s", (int)(at - digits), digits, at + width);
    else
        cc_put(w, "%s", digits);
}
