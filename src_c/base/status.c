/* The text of the last failure, one per thread. Sentences for the caller are formatted here, and in log.c. */
#include "base/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 1024 };

static _Thread_local char last_error[TEXT];
static _Thread_local cconv_status last_status;

cconv_status cc_fail(cconv_status status, const char *format, ...)
{
    /* Written aside first: an argument may be the last sentence itself. */
    char text[TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(last_error, text, sizeof text);
    last_status = status;
    return status;
}

void cc_fail_prefix(const char *format, ...)
{
    char text[TEXT];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || length + 2 >= TEXT) return;
    memcpy(text + length, ": ", 2);
    size_t room = sizeof text - (size_t)length - 3, rest = strlen(last_error);
    if (rest > room) rest = room;
    memcpy(text + length + 2, last_error, rest);
    text[(size_t)length + 2 + rest] = 0;
    memcpy(last_error, text, sizeof text);
}

const char *cconv_last_error(void)
{
    return last_error;
}

cconv_status cconv_last_status(void)
{
    return last_status;
}
