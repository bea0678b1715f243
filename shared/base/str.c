/*
 * str - small questions and changes on text. Nothing here looks at the locale.
 */
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static char
lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f')
        return lower(c) - 'a' + 10;
    return -1;
}

bool
str_eq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool
str_eq_nocase(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && str_starts_nocase(a, b);
}

bool
str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
str_starts_nocase(const char *text, const char *prefix)
{
    for (; *prefix != '\0'; text++, prefix++) {
        if (lower(*text) != lower(*prefix))
            return false;
    }
    return true;
}

bool
str_ends(const char *text, const char *suffix)
{
    size_t n = strlen(text);
    size_t m = strlen(suffix);

    return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

bool
str_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

bool
str_parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    bool negative = text[0] == '-';
    int64_t n = 0;

    if (negative)
        text++;
    if (*text == '\0')
        return false;
    /* Counted downwards, since the negative numbers reach one further. */
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        int digit = *text - '0';
        if (n < (INT64_MIN + digit) / 10)
            return false;
        n = n * 10 - digit;
    }
    if (!negative) {
        if (n == INT64_MIN)
            return false;
        n = -n;
    }
    if (n < min || n > max)
        return false;
    *out = n;
    return true;
}

const char *
str_from_int(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

/* Moves both ends inwards over white space. */
static void
trim_range(const char **from, const char **end)
{
    while (*from < *end && is_blank(**from))
        (*from)++;
    while (*end > *from && is_blank((*end)[-1]))
        (*end)--;
}

char *
str_trim(struct arena *a, const char *text)
{
    const char *from = text;
    const char *end = text + strlen(text);

    trim_range(&from, &end);
    return arena_strndup(a, from, (size_t)(end - from));
}

char *
str_replace(struct arena *a, const char *text, const char *from, const char *to)
{
    struct buf out = buf_init(a, SIZE_MAX / 2);
    size_t n = strlen(from);
    const char *found = n > 0 ? strstr(text, from) : NULL;

    for (; found != NULL; found = strstr(text, from)) {
        buf_add(&out, text, (size_t)(found - text));
        buf_adds(&out, to);
        text = found + n;
    }
    buf_adds(&out, text);
    return out.data;
}

char **
str_split(struct arena *a, const char *text, char sep, size_t *n)
{
    size_t most = 1;

    for (const char *p = text; *p != '\0'; p++)
        most += *p == sep;

    char **items = arena_array(a, most + 1, sizeof(*items));
    *n = 0;
    for (const char *next = text; next != NULL;) {
        const char *from = next;
        const char *found = strchr(from, sep);
        const char *end = found != NULL ? found : from + strlen(from);
        /* strchr finds the end itself when the separator is NUL. */
        next = found != NULL && *found != '\0' ? found + 1 : NULL;
        trim_range(&from, &end);
        if (from < end)
            items[(*n)++] = arena_strndup(a, from, (size_t)(end - from));
    }
    return items;
}

char *
str_hex(struct arena *a, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_array(a, n + 1, 2);

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return out;
}

bool
str_unhex(const char *hex, unsigned char *out, size_t n)
{
    if (strlen(hex) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

bool
str_url_decode(struct arena *a, const char *bytes, size_t n, char **out)
{
    char *text = arena_alloc(a, n + 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int value = (unsigned char)bytes[i];
        if (bytes[i] == '+') {
            value = ' ';
        } else if (bytes[i] == '%') {
            int high = n - i > 2 ? hex_digit(bytes[i + 1]) : -1;
            int low = n - i > 2 ? hex_digit(bytes[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            value = high * 16 + low;
            i += 2;
        }
        if (value == 0)
            return false;
        text[len++] = (char)value;
    }
    *out = text;
    return true;
}

char *
str_url_encode(struct arena *a, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_array(a, strlen(text) + 1, 3);
    char *p = out;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool letter = lower(*text) >= 'a' && lower(*text) <= 'z';
        if (letter || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL) {
            *p++ = *text;
        } else {
            *p++ = '%';
            *p++ = digits[c >> 4];
            *p++ = digits[c & 15];
        }
    }
    return out;
}
