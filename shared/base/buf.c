/*
 * buf - the growing string. A piece that does not fit is left out whole, and so is everything after
 * it: what stands in a buffer that overflowed is always an unbroken beginning.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAP ((size_t)120)

/* Makes room for n more bytes and the NUL. False, and overflowed, when that is over the ceiling. */
static bool
make_room(struct buf *b, size_t n)
{
    if (b->overflowed)
        return false;
    if (n > b->max - b->len) {
        b->overflowed = true;
        return false;
    }
    if (n <= b->cap - b->len)
        return true;

    size_t need = b->len + n;
    size_t cap = b->cap > b->max / 2 ? b->max : 2 * b->cap;
    if (cap < need)
        cap = need;
    /* The old piece stays in the arena: doubling makes that at most as much again. */
    char *data = arena_alloc(b->arena, cap + 1);
    memcpy(data, b->data, b->len);
    b->data = data;
    b->cap = cap;
    return true;
}

struct buf
buf_init(struct arena *a, size_t max)
{
    if (max == SIZE_MAX)
        max--;
    size_t cap = max < FIRST_CAP ? max : FIRST_CAP;
    return (struct buf){ .arena = a, .data = arena_alloc(a, cap + 1), .cap = cap, .max = max };
}

void
buf_add(struct buf *b, const char *bytes, size_t n)
{
    if (!make_room(b, n) || n == 0)
        return;
    memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void
buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 || !make_room(b, (size_t)n))
        return;

    va_start(args, fmt);
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args); /* measured above: it fits */
    va_end(args);
    b->len += (size_t)n;
}

void
buf_cut(struct buf *b, size_t n)
{
    if (n >= b->len)
        return;
    b->len = n;
    b->data[n] = '\0';
}

bool
buf_overflowed(const struct buf *b)
{
    return b->overflowed;
}
