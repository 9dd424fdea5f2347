/* Who listens: see log.h. */
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>

/* Function and context are read together or not at all: `rounds` is odd while they are written, and another number afterwards. It
 * also tells one listener from the next. 0: there was none ever. */
static struct {
    atomic_uint rounds;
    _Atomic cconv_log_function function;
    _Atomic(void *) context;
} listener;

void cconv_set_log(cconv_log_function function, void *context)
{
    atomic_fetch_add(&listener.rounds, 1);
    atomic_store(&listener.function, function);
    atomic_store(&listener.context, context);
    atomic_fetch_add(&listener.rounds, 1);
}

bool cc_log_is_new(atomic_uint *told)
{
    const unsigned now = atomic_load_explicit(&listener.rounds, memory_order_acquire);
    unsigned known = atomic_load_explicit(told, memory_order_relaxed);
    if (now == known || now % 2 || !atomic_load(&listener.function)) return false;
    return atomic_compare_exchange_strong(told, &known, now);
}

/* A listener that is just being set hears it not: the text is for none that was asked. */
void cc_log(cconv_log_level level, const char *format, ...)
{
    char text[512];
    const unsigned before = atomic_load(&listener.rounds);
    const cconv_log_function function = atomic_load(&listener.function);
    void *context = atomic_load(&listener.context);
    if (!function || before % 2 || atomic_load(&listener.rounds) != before) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    function(level, text, context);
}
