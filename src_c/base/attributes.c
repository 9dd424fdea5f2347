/* The reader and the writer of "name=value name=value". Strict: whatever is not understood is refused with what was expected. */
#include "base/attributes.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {"int", "float", "bool", "enum", "list", "floats"};

typedef union value { /* one attribute, before it is stored */
    int64_t integer;
    float number;
    int choice;
    cc_list list;
    cc_floats floats;
} value;

/* Reads a whole number that ends at `end`. */
static bool read_integer(const char *text, const char *end, int64_t *out)
{
    char copy[32], *stop;
    size_t length = (size_t)(end - text);
    if (length == 0 || length >= sizeof copy) return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    errno = 0;
    long long number = strtoll(copy, &stop, 10);
    if (*stop || stop == copy || errno) return false;
    *out = number;
    return true;
}

/* Reads a number that ends at `end`. strtof, and with it a correctly rounded result, but whatever the program's locale: the text
 * has a point, which is first replaced by what the locale prints. */
static bool read_number(const char *text, const char *end, float *out)
{
    char copy[128], point[16], *stop;
    size_t used = 0;
    int width = snprintf(point, sizeof point, "%.1f", 0.5); /* "0", the point, "5" */
    for (const char *c = text; c < end; ++c) {
        if (used + sizeof point >= sizeof copy) return false;
        if (*c == ',') return false;
        if (*c == '.') {
            memcpy(copy + used, point + 1, (size_t)width - 2);
            used += (size_t)width - 2;
        } else {
            copy[used++] = *c;
        }
    }
    copy[used] = 0;
    errno = 0;
    float number = strtof(copy, &stop);
    if (*stop || stop == copy || isnan(number)) return false;
    bool named = strstr(copy, "inf") || strstr(copy, "Inf") || strstr(copy, "INF");
    if (isinf(number) && !named) return false; /* too large for a float */
    *out = number;
    return true;
}

/* Position of text .. end in "a|b|c", or -1. */
static int find_choice(const char *choices, const char *text, const char *end)
{
    size_t length = (size_t)(end - text);
    for (int i = 0;; ++i) {
        size_t size = strcspn(choices, "|");
        if (size == length && memcmp(choices, text, length) == 0) return i;
        if (!choices[size]) return -1;
        choices += size + 1;
    }
}

static bool read_list(const char *text, const char *end, cc_list *out)
{
    *out = (cc_list){0};
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text)), *stop = comma ? comma : end;
        if (out->n == 2 * CCONV_MAX_RANK || !read_integer(text, stop, &out->v[out->n])) return false;
        ++out->n;
        if (!comma) return true;
        text = comma + 1;
        if (text == end) return false; /* a comma with nothing behind it */
    }
    return true;
}

static bool read_floats(const char *text, const char *end, cc_floats *out)
{
    *out = (cc_floats){0};
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text)), *stop = comma ? comma : end;
        if (out->n == 2 * CCONV_MAX_RANK || !read_number(text, stop, &out->v[out->n])) return false;
        ++out->n;
        if (!comma) return true;
        text = comma + 1;
        if (text == end) return false;
    }
    return true;
}

/* Reads text .. end as the attribute's type; says what was expected if it is something else. */
static cconv_status read_value(const cc_attr *attr, const char *text, const char *end, value *out)
{
    static const char *const truths[] = {"0", "1", "false", "true", "False", "True"};
    static const char *const wanted[] = {
        "a whole number", "a number", "0 or 1", "", "up to 16 whole numbers, as 1,2,3", "up to 16 numbers, as 0.5,1,2"};
    bool good = false;
    switch (attr->type) {
    case CC_INT: good = read_integer(text, end, &out->integer); break;
    case CC_FLOAT: good = read_number(text, end, &out->number); break;
    case CC_BOOL:
        for (int i = 0; i < 6 && !good; ++i)
            if (strlen(truths[i]) == (size_t)(end - text) && memcmp(truths[i], text, (size_t)(end - text)) == 0)
                good = true, out->choice = i % 2;
        break;
    case CC_ENUM: good = (out->choice = find_choice(attr->choices, text, end)) >= 0; break;
    case CC_LIST: good = read_list(text, end, &out->list); break;
    case CC_FLOATS: good = read_floats(text, end, &out->floats); break;
    }
    if (good) return CCONV_OK;
    int length = end - text > 80 ? 80 : (int)(end - text);
    if (attr->type != CC_ENUM)
        return cc_fail(CCONV_INVALID, "expected %s to be %s, received \"%.*s\"", attr->name, wanted[attr->type], length, text);
    char choices[256];
    size_t used = 0;
    for (const char *c = attr->choices; *c && used + 3 < sizeof choices; ++c) {
        if (*c == '|') {
            choices[used++] = ',';
            choices[used++] = ' ';
        } else {
            choices[used++] = *c;
        }
    }
    choices[used] = 0;
    return cc_fail(CCONV_INVALID, "expected %s to be one of %s, received \"%.*s\"", attr->name, choices, length, text);
}

static void store(const cc_attr *attr, const value *from, void *out)
{
    void *to = (char *)out + attr->offset;
    switch (attr->type) {
    case CC_INT: memcpy(to, &from->integer, sizeof from->integer); break;
    case CC_FLOAT: memcpy(to, &from->number, sizeof from->number); break;
    case CC_BOOL:
    case CC_ENUM: memcpy(to, &from->choice, sizeof from->choice); break;
    case CC_LIST: memcpy(to, &from->list, sizeof from->list); break;
    case CC_FLOATS: memcpy(to, &from->floats, sizeof from->floats); break;
    }
}

static value load(const cc_attr *attr, const void *values)
{
    value v = {0};
    const void *from = (const char *)values + attr->offset;
    switch (attr->type) {
    case CC_INT: memcpy(&v.integer, from, sizeof v.integer); break;
    case CC_FLOAT: memcpy(&v.number, from, sizeof v.number); break;
    case CC_BOOL:
    case CC_ENUM: memcpy(&v.choice, from, sizeof v.choice); break;
    case CC_LIST: memcpy(&v.list, from, sizeof v.list); break;
    case CC_FLOATS: memcpy(&v.floats, from, sizeof v.floats); break;
    }
    return v;
}

static bool same_value(const cc_attr *attr, const value *a, const value *b)
{
    switch (attr->type) {
    case CC_INT: return a->integer == b->integer;
    case CC_FLOAT: return memcmp(&a->number, &b->number, sizeof a->number) == 0;
    case CC_BOOL:
    case CC_ENUM: return a->choice == b->choice;
    case CC_LIST: return a->list.n == b->list.n && memcmp(a->list.v, b->list.v, (size_t)a->list.n * sizeof *a->list.v) == 0;
    case CC_FLOATS:
        return a->floats.n == b->floats.n && memcmp(a->floats.v, b->floats.v, (size_t)a->floats.n * sizeof *a->floats.v) == 0;
    }
    return false;
}

/* Finds the next "name=value" at or after *text; false at the end. value is NULL if there is no '='. */
static bool next_word(const char **text, const char **name, const char **value_text, const char **end)
{
    const char *space = " \t\r\n";
    *name = *text + strspn(*text, space);
    if (!**name) return false;
    *end = *name + strcspn(*name, space);
    const char *equals = memchr(*name, '=', (size_t)(*end - *name));
    *value_text = equals ? equals + 1 : NULL;
    *text = *end;
    return true;
}

static bool same_name(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static cconv_status fail_unknown(const cc_attr *table, const char *name, size_t length)
{
    char names[512] = "";
    size_t used = 0;
    for (const cc_attr *a = table; a && a->name && used + strlen(a->name) + 3 < sizeof names; ++a)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", a->name);
    int shown = length > 80 ? 80 : (int)length;
    if (!used) return cc_fail(CCONV_INVALID, "expected no attributes, received \"%.*s\"", shown, name);
    return cc_fail(CCONV_INVALID, "unknown attribute \"%.*s\", expected one of %s", shown, name, names);
}

cconv_status cc_attributes_read(const cc_attr *table, const char *text, void *out, int keep)
{
    const char *at = text ? text : "", *name, *value_text, *end;
    value v;

    /* Everything is checked before anything is stored: a failure leaves out as it was. */
    while (next_word(&at, &name, &value_text, &end)) {
        if (!value_text)
            return cc_fail(CCONV_INVALID, "expected attributes as name=value, received \"%.*s\"",
                           end - name > 80 ? 80 : (int)(end - name), name);
        size_t length = (size_t)(value_text - 1 - name);
        const cc_attr *attr = table;
        while (attr && attr->name && !same_name(attr->name, name, length)) ++attr;
        if (!attr || !attr->name) return fail_unknown(table, name, length);
        CC_TRY(read_value(attr, value_text, end, &v));
        const char *later = at, *name2, *value2, *end2;
        while (next_word(&later, &name2, &value2, &end2))
            if (value2 && same_name(attr->name, name2, (size_t)(value2 - 1 - name2)))
                return cc_fail(CCONV_INVALID, "attribute %s is given twice", attr->name);
    }

    for (const cc_attr *attr = table; attr && attr->name; ++attr) {
        bool given = false;
        for (at = text ? text : ""; !given && next_word(&at, &name, &value_text, &end);)
            given = same_name(attr->name, name, (size_t)(value_text - 1 - name));
        if (!given && !keep && !attr->default_value) return cc_fail(CCONV_INVALID, "attribute %s must be given", attr->name);
    }

    for (const cc_attr *attr = table; attr && attr->name; ++attr) {
        bool given = false;
        for (at = text ? text : ""; !given && next_word(&at, &name, &value_text, &end);)
            given = same_name(attr->name, name, (size_t)(value_text - 1 - name));
        if (!given) {
            if (keep) continue;
            value_text = attr->default_value;
            end = value_text + strlen(value_text);
        }
        CC_TRY(read_value(attr, value_text, end, &v));
        store(attr, &v, out);
    }
    return CCONV_OK;
}

static void write_value(const cc_attr *attr, const value *v, cc_writer *w)
{
    char text[32];
    switch (attr->type) {
    case CC_INT: cc_put(w, "%lld", (long long)v->integer); break;
    case CC_FLOAT: cc_put_float(w, v->number); break;
    case CC_BOOL: cc_put(w, "%d", v->choice); break;
    case CC_ENUM:
        cc_choice_name(attr->choices, v->choice, text);
        cc_put(w, "%s", text);
        break;
    case CC_LIST:
        for (int i = 0; i < v->list.n; ++i) cc_put(w, i ? ",%lld" : "%lld", (long long)v->list.v[i]);
        break;
    case CC_FLOATS:
        for (int i = 0; i < v->floats.n; ++i) {
            if (i) cc_put(w, ",");
            cc_put_float(w, v->floats.v[i]);
        }
        break;
    }
}

void cc_attributes_write(const cc_attr *table, const void *values, cc_writer *w)
{
    const size_t before = w->length;
    for (const cc_attr *attr = table; attr && attr->name; ++attr) {
        value standard = {0};
        const value v = load(attr, values);
        const char *text = attr->default_value;
        if (text && read_value(attr, text, text + strlen(text), &standard) == CCONV_OK && same_value(attr, &v, &standard))
            continue;
        cc_put(w, "%s%s=", w->length > before ? " " : "", attr->name);
        write_value(attr, &v, w);
    }
}

cconv_status cc_attributes_describe(const cc_attr *table, int i, cconv_attribute *out)
{
    int n = 0;
    while (table && table[n].name) ++n;
    if (i < 0 || i >= n) return cc_fail(CCONV_INVALID, "expected an attribute number from 0 to %d, received %d", n - 1, i);
    if (!out) return cc_fail(CCONV_INVALID, "expected a place for what is told of an attribute, received NULL");
    const cc_attr *a = table + i;
    const char *meaning = a->meaning ? a->meaning : "";
    *out = (cconv_attribute){a->name, type_names[a->type], a->default_value, a->choices, meaning};
    return CCONV_OK;
}

void cc_choice_name(const char *choices, int i, char name[32])
{
    name[0] = 0;
    for (; i > 0 && *choices; --i) {
        choices += strcspn(choices, "|");
        if (*choices) ++choices;
    }
    size_t length = strcspn(choices, "|");
    snprintf(name, 32, "%.*s", length > 31 ? 31 : (int)length, choices);
}
