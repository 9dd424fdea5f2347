/* What the library tells of without failing: through the caller's function, to each such function once. */
#ifndef CC_LOG_H
#define CC_LOG_H

#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Whether somebody listens who has not been told of this yet; true once, and then the caller tells it by cc_log. `told` is a static
 * word of the place, 0 at first. */
bool cc_log_is_new(atomic_uint *told);
void cc_log(cconv_log_level level, const char *format, ...) CC_PRINTF(2, 3);

/* Tells once: CC_LOG_ONCE(CCONV_LOG_WARNING, "..."). */
#define CC_LOG_ONCE(...)                                                                                                       \
    do {                                                                                                                       \
        static atomic_uint cc_log_told_;                                                                                       \
        if (cc_log_is_new(&cc_log_told_)) cc_log(__VA_ARGS__);                                                                 \
    } while (0)

#endif
