/* Memory, growing buffers, clocks, ids, chance and form decoding: see util.h. */
#include "util.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *
mem_check(void *p)
{
    if (p == NULL) {
        (void)fputs("lab: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *
mem_new(size_t size)
{
    return mem_check(calloc(1, size));
}

void *
mem_grow(void *p, size_t size)
{
    return mem_check(realloc(p, size));
}

char *
str_dup(const char *s)
{
    return mem_check(strdup(s == NULL ? "" : s));
}

char *
str_printf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *s = mem_new(size);
    va_start(args, fmt);
    (void)vsnprintf(s, size, fmt, args);
    va_end(args);
    return s;
}

void
str_set(char **slot, const char *s)
{
    char *copy = str_dup(s);
    free(*slot);
    *slot = copy;
}

bool
str_has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
    if (b->len + len + 1 > b->cap) {
        size_t cap = b->cap == 0 ? 256 : b->cap;
        while (cap < b->len + len + 1) {
            cap *= 2;
        }
        b->data = mem_grow(b->data, cap);
        b->cap = cap;
    }
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
}

void
buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void
buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){ 0 };
}

int64_t
clock_wall_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_mono_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

void
time_iso(int64_t wall_ms, char out[32])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        out[0] = '\0';
    }
}

uint64_t
id_next(void)
{
    static uint64_t last;
    if (last == 0) {
        last = (uint64_t)clock_wall_ms() * 1000;
    }
    return ++last;
}

double
chance_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15U;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return (double)(z >> 11) / 9007199254740992.0;
}

static int
hex_value(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));
    return at == NULL ? -1 : (int)(at - digits);
}

void
url_decode(char *s, bool is_form)
{
    char *out = s;
    for (; *s != '\0'; s++) {
        int high = *s == '%' ? hex_value(s[1]) : -1;
        int low = high >= 0 ? hex_value(s[2]) : -1;
        if (low >= 0) {
            *out++ = (char)(high * 16 + low);
            s += 2;
        } else {
            *out++ = *s;
            if (is_form && *s == '+') {
                out[-1] = ' ';
            }
        }
    }
    *out = '\0';
}

void
url_encode(struct buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        if (isalnum((unsigned char)*s) || strchr("-_.~", *s) != NULL) {
            buf_char(b, *s);
        } else {
            char hex[4];
            (void)snprintf(hex, sizeof hex, "%%%02X", (unsigned)(unsigned char)*s);
            buf_str(b, hex);
        }
    }
}

char *
form_get(const char *form, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *p = form; p != NULL && *p != '\0';) {
        size_t pair = strcspn(p, "&");
        if (pair > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
            size_t len = pair - name_len - 1;
            char *value = mem_new(len + 1);
            memcpy(value, p + name_len + 1, len);
            url_decode(value, true);
            return value;
        }
        p += pair;
        p += *p == '&' ? 1 : 0;
    }
    return NULL;
}

int64_t
form_int(const char *form, const char *name, int64_t fallback)
{
    char *text = form_get(form, name);
    if (text == NULL) {
        return fallback;
    }
    char *end;
    long long value = strtoll(text, &end, 10);
    bool is_number = end != text && *end == '\0';
    free(text);
    return is_number ? (int64_t)value : fallback;
}

void
phone_plus(const char *s, char out[32])
{
    size_t n = 0;
    out[n++] = '+';
    for (; *s != '\0' && n < 31; s++) {
        if (isdigit((unsigned char)*s)) {
            out[n++] = *s;
        }
    }
    out[n == 1 ? 0 : n] = '\0';
}
