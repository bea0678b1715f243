/*
 * utf8 - decoding by the table of RFC 3629 section 4: the second byte's range depends on the first
 * byte, which rules out overlong forms, surrogates and everything above U+10FFFF without a look at
 * the result.
 */
#include "base/utf8.h"

#include <string.h>

#include "base/buf.h"

struct lead {
    unsigned char first, last; /* range of the first byte */
    unsigned char low, high;   /* range of the second byte */
    int more;                  /* bytes after the first */
};

static const struct lead leads[] = {
    { 0xC2, 0xDF, 0x80, 0xBF, 1 }, { 0xE0, 0xE0, 0xA0, 0xBF, 2 }, { 0xE1, 0xEC, 0x80, 0xBF, 2 },
    { 0xED, 0xED, 0x80, 0x9F, 2 }, { 0xEE, 0xEF, 0x80, 0xBF, 2 }, { 0xF0, 0xF0, 0x90, 0xBF, 3 },
    { 0xF1, 0xF3, 0x80, 0xBF, 3 }, { 0xF4, 0xF4, 0x80, 0x8F, 3 },
};

static const struct lead *
lead_find(unsigned char c)
{
    for (size_t i = 0; i < COUNT_OF(leads) && c <= 0xF4; i++) {
        if (c >= leads[i].first && c <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

/* As utf8_next(), and tells whether what was read was sound. */
static uint32_t
read_one(const char **p, const char *end, bool *sound)
{
    unsigned char c = (unsigned char)*(*p)++;

    *sound = true;
    if (c < 0x80)
        return c;
    *sound = false;
    const struct lead *l = lead_find(c);
    if (l == NULL)
        return UTF8_REPLACEMENT;

    uint32_t code = c & (0x3Fu >> l->more);
    for (int i = 0; i < l->more; i++) {
        unsigned char low = i == 0 ? l->low : 0x80;
        unsigned char high = i == 0 ? l->high : 0xBF;
        unsigned char next = *p < end ? (unsigned char)**p : 0;
        if (next < low || next > high)
            return UTF8_REPLACEMENT;
        code = (code << 6) | (next & 0x3Fu);
        (*p)++;
    }
    *sound = true;
    return code;
}

uint32_t
utf8_next(const char **p, const char *end)
{
    bool sound;

    return read_one(p, end, &sound);
}

size_t
utf8_put(uint32_t code, char out[4])
{
    static const unsigned char marks[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
        code = UTF8_REPLACEMENT;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }

    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(marks[n] | code);
    return n;
}

bool
utf8_valid(const char *bytes, size_t n)
{
    const char *end = bytes + n;
    bool sound = true;

    for (const char *p = bytes; sound && p < end;) {
        if ((unsigned char)*p < 0x80)
            p++; /* most bytes, so without a call */
        else
            (void)read_one(&p, end, &sound);
    }
    return sound;
}

size_t
utf8_count(const char *text)
{
    const char *end = text + strlen(text);
    size_t count = 0;

    for (const char *p = text; p < end; count++)
        (void)utf8_next(&p, end);
    return count;
}

/* Controls, and the marks that turn the direction of reading, so that a shown text can pretend to
 * be another. */
static bool
is_unwanted(uint32_t code)
{
    if (code == '\n' || code == '\t')
        return false;
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

char *
utf8_clean(struct arena *a, const char *bytes, size_t n, size_t max_chars)
{
    struct buf out = buf_init(a, SIZE_MAX / 2);
    const char *end = bytes + n;
    size_t count = 0;

    for (const char *p = bytes; p < end && count < max_chars;) {
        uint32_t code = utf8_next(&p, end);
        if (code == '\r') {
            if (p < end && *p == '\n')
                continue;
            code = '\n';
        }
        if (is_unwanted(code))
            continue;
        char letter[4];
        buf_add(&out, letter, utf8_put(code, letter));
        count++;
    }
    return out.data;
}

size_t
utf8_prefix(const char *text, size_t max_chars)
{
    const char *end = text + strlen(text);
    const char *p = text;

    for (size_t i = 0; i < max_chars && p < end; i++)
        (void)utf8_next(&p, end);
    return (size_t)(p - text);
}
