/*
 * arena - memory with one lifetime: what is allocated here dies together, and nobody frees single
 * pieces.
 *
 * Allocation cannot fail: out of memory ends the process (sizes from outside are bounded before
 * they get here, so it means our bug or a sick host, and the supervisor starts us again). Under
 * AddressSanitizer every allocation is its own malloc, so that overruns are seen.
 */
#ifndef OMNI_BASE_ARENA_H
#define OMNI_BASE_ARENA_H

#include "base/base.h"

struct arena;

/* A new, empty arena; the caller ends it with arena_free(). */
struct arena *arena_new(void);

/* Ends the arena at *a and everything it owns (owned objects in reverse order), and sets *a to
 * NULL. */
void arena_free(struct arena **a);

/* As after arena_new(), keeping one block for reuse: for loops that handle one request after
 * another. */
void arena_reset(struct arena *a);

/* Zeroed memory of 'size' bytes, aligned for any object. */
void *arena_alloc(struct arena *a, size_t size);

/* Zeroed memory for n objects of 'size' bytes; ends the process when n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size);

/* Makes the arena call release(object) when it ends or is reset. */
void arena_own(struct arena *a, void *object, void (*release)(void *object));

/* Copies. The results are NUL-terminated and live as long as the arena. */
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *bytes, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
