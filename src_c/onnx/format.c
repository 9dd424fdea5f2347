/* Attributes of ops by a format: what printf does, but that floats have a point in any locale. */
#include "onnx/reading.h"
#include <string.h>

void onnx_put_attributes(cc_writer *w, const char *format, va_list arguments)
{
    while (*format) {
        const size_t plain = strcspn(format, "%");
        cc_put(w, "%.*s", (int)plain, format);
        format += plain;
        if (strncmp(format, "%d", 2) == 0) {
            cc_put(w, "%d", va_arg(arguments, int));
            format += 2;
        } else if (strncmp(format, "%lld", 4) == 0) {
            cc_put(w, "%lld", va_arg(arguments, long long));
            format += 4;
        } else if (strncmp(format, "%s", 2) == 0) {
            cc_put(w, "%s", va_arg(arguments, const char *));
            format += 2;
        } else if (strncmp(format, "%.9g", 4) == 0) {
            cc_put_float(w, (float)va_arg(arguments, double));
            format += 4;
        } else if (*format) {
            cc_put(w, "%c", *format++); /* which no op takes for an attribute */
        }
    }
}
