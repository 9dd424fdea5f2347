/* Settings given as text, "strides=2,2 padding=same", read into a struct by a table. The table is the only place that knows an
 * attribute's name, type and default: C, Python, the reference and the tests all read it. */
#ifndef CC_ATTRIBUTES_H
#define CC_ATTRIBUTES_H

#include "cconv.h"
#include "base/status.h"
#include "base/writer.h"
#include <stddef.h>

typedef enum cc_attr_type {
    CC_INT,   /* int64_t */
    CC_FLOAT, /* float; not NaN */
    CC_BOOL,  /* int: 0 or 1; also written true, false */
    CC_ENUM,  /* int: position in choices */
    CC_LIST,  /* cc_list of whole numbers */
    CC_FLOATS /* cc_floats; none is NaN */
} cc_attr_type;

typedef struct cc_list {
    int n;
    int64_t v[2 * CCONV_MAX_RANK];
} cc_list;

typedef struct cc_floats {
    int n;
    float v[2 * CCONV_MAX_RANK];
} cc_floats;

typedef struct cc_attr {
    const char *name;
    cc_attr_type type;
    size_t offset;             /* into the struct */
    const char *default_value; /* as text; NULL: must be given. A list's "" is empty */
    const char *choices;       /* of a CC_ENUM: "valid|same" */
    const char *meaning;       /* for who sets it; the reference and cconv_op_describe print it */
} cc_attr;                     /* tables end with {0} */

/* Fills `out` from `text` (NULL: defaults only). With `keep`, attributes not named keep the value they have in out. */
cconv_status cc_attributes_read(const cc_attr *table, const char *text, void *out, int keep);

/* Writes the attributes that are not as the table's defaults, as text from which cc_attributes_read makes the same. */
void cc_attributes_write(const cc_attr *table, const void *values, cc_writer *w);

/* Describes entry i of a table for the public introspection calls. */
cconv_status cc_attributes_describe(const cc_attr *table, int i, cconv_attribute *out);

/* The text of value i of "a|b|c", copied to name (at most 32 bytes with the final 0). */
void cc_choice_name(const char *choices, int i, char name[32]);

#endif
