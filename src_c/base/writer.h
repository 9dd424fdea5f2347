/* Text put together piece by piece in memory of a given size: what does not fit is counted, as snprintf does. */
#ifndef CC_WRITER_H
#define CC_WRITER_H

#include "base/status.h"
#include <stddef.h>

typedef struct cc_writer {
    char *text;    /* ends with a 0 after each piece if size is not 0 */
    size_t size;   /* bytes there are */
    size_t length; /* of the whole text, without the 0 */
} cc_writer;

/* One that begins in the caller's memory; NULL, whatever its size: only counts. */
static inline cc_writer cc_writer_in(char *text, size_t size)
{
    if (text && size) text[0] = 0;
    return (cc_writer){text, text ? size : 0, 0};
}

void cc_put(cc_writer *w, const char *format, ...) CC_PRINTF(2, 3);

/* A number that a reader takes for the same float, in as few digits as will do, with a point in any locale. */
void cc_put_float(cc_writer *w, float value);

#endif
