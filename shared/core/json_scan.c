/*
 * json_scan - a recursive descent over JSON text. json-c accepts single quotes, NaN and a key
 * twice, clamps long numbers in silence, and needs 800 bytes for the two of "{}"; all that is
 * refused or mended here, before it allocates.
 */
#include "core/json_scan.h"

#include <string.h>

#include "base/utf8.h"
#include "core/json.h"

/* Longer whole numbers may not fit in an int64_t. */
#define MAX_DIGITS 18
/* What an object or an array counts, in values: about the memory it takes, compared with a
 * number's. */
#define CONTAINER_COST 4

struct scan {
    const char *start;
    const char *p;
    const char *end;
    const char *copied; /* what stands before this is in 'out' or was replaced there */
    struct buf *out;
    size_t members;
    size_t cost;
    int depth;
    bool in_key;
    const char *fault; /* the first one found */
};

static bool scan_value(struct scan *s);

static bool
fail(struct scan *s, const char *fault)
{
    if (s->fault == NULL)
        s->fault = fault;
    return false;
}

/* The next byte, NUL at the end: no rule below accepts a NUL. */
static char
peek(const struct scan *s)
{
    if (s->p == s->end)
        return '\0';
    return *s->p;
}

static void
skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool
take(struct scan *s, char c)
{
    if (peek(s) != c)
        return false;
    s->p++;
    return true;
}

/* Puts 'with' in the place of the bytes from 'from' to s->p; what stands before them is copied as
 * it is. */
static void
replace(struct scan *s, const char *from, const char *with, size_t n)
{
    buf_add(s->out, s->copied, (size_t)(from - s->copied));
    buf_add(s->out, with, n);
    s->copied = s->p;
}

static bool
read_hex4(struct scan *s, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        char c = peek(s);
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return fail(s, "a \\u escape needs four hex digits");
        *unit = *unit << 4 | digit;
    }
    return true;
}

/* s->p stands behind "\\u", which begins at 'from'. A high surrogate takes the low one that follows
 * with it. */
static bool
scan_unicode_escape(struct scan *s, const char *from)
{
    uint32_t code;
    char letter[4];

    if (!read_hex4(s, &code))
        return false;
    if (code >= 0xD800 && code <= 0xDBFF && s->end - s->p >= 6 && s->p[0] == '\\' &&
        s->p[1] == 'u') {
        const char *behind_high = s->p;
        uint32_t low;
        s->p += 2;
        if (!read_hex4(s, &low))
            return false;
        if (low >= 0xDC00 && low <= 0xDFFF)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        else
            s->p = behind_high;
    }
    if (code == 0)
        replace(s, from, JSON_NUL, s->in_key ? 0 : strlen(JSON_NUL));
    else if (code >= 0x20 && code != '"' && code != '\\')
        replace(s, from, letter, utf8_put(code, letter));
    return true; /* the others must stay escapes */
}

static bool
scan_escape(struct scan *s)
{
    const char *from = s->p++;

    switch (peek(s)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p++;
        return true;
    case 'u':
        s->p++;
        return scan_unicode_escape(s, from);
    default:
        return fail(s, "unknown escape in a string");
    }
}

static bool
scan_string(struct scan *s)
{
    if (!take(s, '"'))
        return fail(s, "a string in double quotes is expected");
    for (;;) {
        while (s->p < s->end && *s->p != '"' && *s->p != '\\' && (unsigned char)*s->p >= 0x20)
            s->p++;
        if (s->p == s->end)
            return fail(s, "a string does not end");
        if (take(s, '"'))
            return true;
        if (*s->p != '\\')
            return fail(s, "a control character in a string");
        if (!scan_escape(s))
            return false;
    }
}

static size_t
skip_digits(struct scan *s)
{
    const char *from = s->p;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->p++;
    return (size_t)(s->p - from);
}

static bool
scan_number(struct scan *s)
{
    const char *from = s->p;
    bool whole = true;

    if (peek(s) == '-')
        s->p++;
    bool zero_first = peek(s) == '0';
    size_t digits = skip_digits(s);
    if (digits == 0 || (zero_first && digits > 1))
        return fail(s, "a value is expected");
    if (peek(s) == '.') {
        whole = false;
        s->p++;
        if (skip_digits(s) == 0)
            return fail(s, "a digit is expected");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        whole = false;
        s->p++;
        if (peek(s) == '+' || peek(s) == '-')
            s->p++;
        if (skip_digits(s) == 0)
            return fail(s, "a digit is expected");
    }

    if (whole && digits > MAX_DIGITS) {
        replace(s, from, "\"", 1);
        buf_add(s->out, from, (size_t)(s->p - from));
        buf_addc(s->out, '"');
    }
    return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
    for (; *word != '\0'; word++) {
        if (!take(s, *word))
            return fail(s, "a value is expected");
    }
    return true;
}

static bool
scan_member(struct scan *s)
{
    s->members++;
    s->in_key = true;
    if (!scan_string(s))
        return false;
    s->in_key = false;
    skip_blanks(s);
    if (!take(s, ':'))
        return fail(s, "a colon is expected");
    return scan_value(s);
}

/* An object or an array: items between 'open' and 'close'. */
static bool
scan_container(struct scan *s, char close, bool (*scan_item)(struct scan *s))
{
    if (++s->depth > JSON_MAX_DEPTH)
        return fail(s, "too many levels");
    s->cost += CONTAINER_COST - 1;
    (void)take(s, *s->p);
    skip_blanks(s);
    if (!take(s, close)) {
        size_t items = 0;
        do {
            if (close == '}' && ++items > JSON_MAX_MEMBERS)
                return fail(s, "too many keys in one object");
            skip_blanks(s);
            if (!scan_item(s))
                return false;
            skip_blanks(s);
        } while (take(s, ','));
        if (!take(s, close))
            return fail(s, "a comma or the closing bracket is expected");
    }
    s->depth--;
    return true;
}

static bool
scan_value(struct scan *s)
{
    if (++s->cost > JSON_MAX_VALUES)
        return fail(s, "too many values");
    skip_blanks(s);
    switch (peek(s)) {
    case '{':
        return scan_container(s, '}', scan_member);
    case '[':
        return scan_container(s, ']', scan_value);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return scan_number(s);
    }
}

/* A copy in which broken sequences are U+FFFD; most texts have none and are not copied. */
static const char *
mend_utf8(struct arena *a, const char *bytes, size_t *n)
{
    if (utf8_valid(bytes, *n))
        return bytes;

    char *mended = arena_array(a, *n + 1, 3); /* a broken byte becomes three */
    const char *end = bytes + *n;
    size_t len = 0;
    for (const char *p = bytes; p < end;) {
        char letter[4];
        size_t letter_len = utf8_put(utf8_next(&p, end), letter);
        memcpy(mended + len, letter, letter_len);
        len += letter_len;
    }
    *n = len;
    return mended;
}

bool
json_scan(const char *bytes, size_t n, struct buf *out, size_t *members, struct err *e)
{
    const char *text = mend_utf8(out->arena, bytes, &n);
    struct scan s = { .start = text, .p = text, .end = text + n, .copied = text, .out = out };

    bool ok = scan_value(&s);
    if (ok) {
        skip_blanks(&s);
        ok = s.p == s.end || fail(&s, "more text behind the value");
    }
    if (!ok)
        return err_set(e, ERR_INVALID, "not JSON: %s (byte %zu)", s.fault,
                       (size_t)(s.p - s.start) + 1);
    replace(&s, s.p, "", 0);
    *members = s.members;
    return true;
}
