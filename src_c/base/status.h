/* Failure as a value: a status, and a sentence in thread-local storage. */
#ifndef CC_STATUS_H
#define CC_STATUS_H

#include "cconv.h"

#if defined(__GNUC__)
#define CC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CC_PRINTF(text, first)
#endif

/* Stores the sentence and returns status: return cc_fail(CCONV_INVALID, "axis %d ...", axis). */
cconv_status cc_fail(cconv_status status, const char *format, ...) CC_PRINTF(2, 3);

/* Puts "prefix: " in front of the sentence stored last. */
void cc_fail_prefix(const char *format, ...) CC_PRINTF(1, 2);

/* Returns from the calling function if the expression is not CCONV_OK. */
#define CC_TRY(expression)                                                                                                     \
    do {                                                                                                                       \
        cconv_status cc_try_status_ = (expression);                                                                            \
        if (cc_try_status_ != CCONV_OK) return cc_try_status_;                                                                 \
    } while (0)

#endif
