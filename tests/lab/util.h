/*
 * Memory, growing buffers, clocks, ids, chance and small text helpers of the lab. Running out of
 * memory ends the process: the lab is a test peer and has nothing to save.
 */
#ifndef OMNI_LAB_UTIL_H
#define OMNI_LAB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

struct buf {
    char *data; /* NUL-terminated once anything was added; else NULL */
    size_t len;
    size_t cap;
};

/* Zeroed, never NULL. */
void *mem_new(size_t size);
void *mem_grow(void *p, size_t size);

/* Both return memory the caller frees; NULL is copied as "". */
char *str_dup(const char *s);
char *str_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Frees *slot and puts a copy of s there. */
void str_set(char **slot, const char *s);
bool str_has_prefix(const char *s, const char *prefix);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_free(struct buf *b);

int64_t clock_wall_ms(void);
int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
/* 2026-01-31T12:00:00Z into out (at least 32 bytes). */
void time_iso(int64_t wall_ms, char out[32]);

/* Numbers that rise for ever and do not come again after a restart, so that a database that
 * outlives the lab never meets a message id twice. */
uint64_t id_next(void);

/* splitmix64: the same seed gives the same chances on every machine. */
double chance_next(uint64_t *state);

/* Value of a name in a=b&c=d text, decoded; the caller frees it. NULL if absent. */
char *form_get(const char *form, const char *name);
int64_t form_int(const char *form, const char *name, int64_t fallback);
/* Percent-decodes in place; plus signs become spaces only in forms. */
void url_decode(char *s, bool is_form);
void url_encode(struct buf *b, const char *s);

/* '+' and the digits of s, into out (at least 32 bytes); "" when s has no digits. */
void phone_plus(const char *s, char out[32]);

#endif
