/*
 * guard_said - a text whose numbers in words are written out in figures, to be read as any other.
 * Private to flow/guard*.c.
 */
#ifndef OMNI_FLOW_GUARD_SAID_H
#define OMNI_FLOW_GUARD_SAID_H

#include "flow/guard_scan.h"

/* The text with figures for its words: its 'raw' is the other's 'fold'. 'split' is that of
 * guard_words_read(). false: it has none. */
bool guard_said_scan(const struct guard_scan *s, bool split, struct guard_scan *out);

/* Cuts from 's' what is cut from the text that guard_said_scan made of it, and keeps what is kept.
 */
void guard_said_apply(struct guard_scan *s, const struct guard_scan *said);

/* Marks digits that are said one by one, more than anybody counts to; says how many times. */
size_t guard_said_mark(struct guard_scan *s);

#endif
