/*
 * buf - a growing string with a ceiling that it is given at birth.
 *
 * Lives in an arena. Going over the ceiling does not fail at once: the buffer stops growing and
 * buf_overflowed() tells, so that a long composition needs one check, at its end.
 */
#ifndef OMNI_BASE_BUF_H
#define OMNI_BASE_BUF_H

#include "base/arena.h"

struct buf {
    struct arena *arena;
    char *data; /* always NUL-terminated; may hold NULs of its own */
    size_t len;
    size_t cap;
    size_t max;
    bool overflowed;
};

/* An empty buffer of at most 'max' bytes, in the arena 'a'. */
struct buf buf_init(struct arena *a, size_t max);

void buf_add(struct buf *b, const char *bytes, size_t n);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Shortens to n bytes (no effect if it is shorter already). */
void buf_cut(struct buf *b, size_t n);

bool buf_overflowed(const struct buf *b);

#endif
