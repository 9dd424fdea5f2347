/* Reading and writing the little JSON there is: see json.h. */
#include "files/json.h"
#include <string.h>

static void skip_space(cc_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t'))
        ++json->at;
}

bool cc_json_mark(cc_json *json, char mark)
{
    skip_space(json);
    if (json->at == json->end || *json->at != mark) return false;
    ++json->at;
    return true;
}

bool cc_json_is_over(cc_json *json)
{
    skip_space(json);
    return json->at == json->end;
}

bool cc_json_number(cc_json *json, int64_t *number)
{
    skip_space(json);
    const char *first = json->at;
    int64_t n = 0;
    for (; json->at < json->end && *json->at >= '0' && *json->at <= '9'; ++json->at) {
        const int digit = *json->at - '0';
        if (n > (INT64_MAX - digit) / 10) return false;
        n = 10 * n + digit;
    }
    *number = n;
    if (json->at == first || (*first == '0' && json->at > first + 1)) return false;
    return json->at == json->end || !strchr(".eE+-", *json->at);
}

/* ---- Strings ------------------------------------------------------------------------------------------------------ */

/* The length of the code point that begins here, 0 if there is none: no overlong forms, no surrogates, none beyond U+10FFFF. */
static int code_length(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80) return 1;
    const int n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || left < (size_t)n) return 0;
    for (int i = 1; i < n; ++i)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    return n;
}

bool cc_json_is_text(const char *text)
{
    size_t left = strlen(text);
    while (left) {
        const int n = code_length((const unsigned char *)text, left);
        if (!n) return false;
        text += n;
        left -= (size_t)n;
    }
    return true;
}

/* Four hexadecimal digits; -1: they are not there. */
static long hexadecimal(cc_json *json)
{
    static const char digits[] = "0123456789abcdef";
    long code = 0;
    if (json->end - json->at < 4) return -1;
    for (int i = 0; i < 4; ++i, ++json->at) {
        const char c = *json->at >= 'A' && *json->at <= 'F' ? (char)(*json->at + 32) : *json->at;
        const char *digit = c ? strchr(digits, c) : NULL;
        if (!digit) return -1;
        code = code * 16 + (digit - digits);
    }
    return code;
}

/* Behind "\u": a code point, of one escape or two. 0: it is none, or is 0. */
static long escaped_code(cc_json *json)
{
    const long code = hexadecimal(json);
    if (code < 0xd800 || code > 0xdfff) return code < 0 ? 0 : code;
    if (code > 0xdbff || json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u') return 0;
    json->at += 2;
    const long low = hexadecimal(json);
    return low < 0xdc00 || low > 0xdfff ? 0 : 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
}

static char *put_code(char *to, long code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const int first[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(first[more] | (code >> 6 * more));
    for (int i = more - 1; i >= 0; --i) *to++ = (char)(0x80 | (code >> 6 * i & 0x3f));
    return to;
}

static bool take_escape(cc_json *json, char **to)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (json->at == json->end) return false;
    const char letter = *json->at++;
    const char *found = letter ? strchr(letters, letter) : NULL;
    const long code = found ? meant[found - letters] : letter == 'u' ? escaped_code(json) : 0;
    if (code) *to = put_code(*to, code);
    return code != 0;
}

/* What is decoded is never longer than what it was written with. */
bool cc_json_string(cc_json *json, const char **text)
{
    if (!cc_json_mark(json, '"')) return false;
    char *to = json->at;
    *text = to;
    while (json->at < json->end) {
        const unsigned char c = (unsigned char)*json->at;
        if (c == '"') {
            ++json->at;
            *to = 0;
            return true;
        }
        if (c < 0x20) return false;
        if (c == '\\') {
            ++json->at;
            if (!take_escape(json, &to)) return false;
            continue;
        }
        const int n = code_length((const unsigned char *)json->at, (size_t)(json->end - json->at));
        if (!n) return false;
        memmove(to, json->at, (size_t)n);
        to += n;
        json->at += n;
    }
    return false;
}

void cc_json_put(cc_writer *w, const char *text)
{
    cc_put(w, "\"");
    for (; *text; ++text) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            cc_put(w, "\\u%04x", c);
        else
            cc_put(w, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    cc_put(w, "\"");
}
