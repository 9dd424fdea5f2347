/* As much of JSON as headers of files need: strings and whole numbers, and the marks between them. Strict: what RFC 8259 does not
 * allow is refused, and so is text that is no UTF-8. Strings are decoded where they lie, and end with a 0 there. */
#ifndef CC_JSON_H
#define CC_JSON_H

#include "base/writer.h"
#include <stdbool.h>

typedef struct cc_json {
    char *at, *end; /* what is left */
} cc_json;

/* Takes the mark if it comes next, behind white space. */
bool cc_json_mark(cc_json *json, char mark);
/* Whether nothing but white space is left. */
bool cc_json_is_over(cc_json *json);
/* The string or the whole number from 0 to INT64_MAX that comes next; false, with some of it taken, if none does. A string with a
 * 0 in it is none. */
bool cc_json_string(cc_json *json, const char **text);
bool cc_json_number(cc_json *json, int64_t *number);

/* The same in quotes, with what must be escaped so. */
void cc_json_put(cc_writer *w, const char *text);
/* Whether a text can be put: UTF-8. */
bool cc_json_is_text(const char *text);

#endif
