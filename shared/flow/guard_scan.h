/*
 * guard_scan - a text as the guard reads it: every character once, reduced to what it means to a
 * reader (full-width and mathematical digits, accents, look-alike letters, strange dots and
 * blanks), with marks where something is to be cut out. Private to flow/guard*.c.
 */
#ifndef OMNI_FLOW_GUARD_SCAN_H
#define OMNI_FLOW_GUARD_SCAN_H

#include "base/arena.h"

/* What stands in 'fold' for a character without an ASCII reading. */
#define GUARD_LETTER '\x7F' /* a letter of another script */
#define GUARD_SYMBOL '\x01' /* anything else: an emoji, a bullet */

struct guard_scan {
    struct arena *arena;
    const char *raw;  /* the cleaned text */
    const char *fold; /* one character each: small ASCII, GUARD_LETTER or GUARD_SYMBOL */
    size_t n;
    size_t *at; /* where each begins in 'raw'; at[n] is its length */
    bool *cut;  /* to be left out */
    bool *kept; /* belongs to a link or a number that is allowed: not to be looked at again */
    size_t n_cut;
};

/* 'raw' is valid UTF-8; what joins the character before it (accents, variation selectors) stays
 * with that one. */
struct guard_scan guard_scan_make(struct arena *a, const char *raw);

/* Marks [from, to) to be left out. */
void guard_scan_cut(struct guard_scan *s, size_t from, size_t to);

/* Marks [from, to) as allowed. */
void guard_scan_keep(struct guard_scan *s, size_t from, size_t to);

/* The text without what is marked, tidied where something is missing: no doubled blanks, no empty
 * brackets, no lines of mere punctuation. Unchanged when nothing is marked. */
const char *guard_scan_text(const struct guard_scan *s);

/* Small letters, digits and single blanks only; "" at the edges. */
char *guard_scan_words(struct arena *a, const char *text);

/* Each marks what is to go, and says how many. */
struct guard_rules;
size_t guard_link_mark(struct guard_scan *s, const struct guard_rules *r);
size_t guard_number_mark(struct guard_scan *s, const struct guard_rules *r);

/* Does the text give away the agent's instructions, or how the system is made? The reason's word,
 * NULL if not. */
const char *guard_leak_find(const struct guard_scan *s, const char *instructions);

#endif
