/*
 * guard_digits - digits in a text, how they are grouped, and whether that is how telephone numbers
 * look. Private to flow/guard*.c.
 */
#ifndef OMNI_FLOW_GUARD_DIGITS_H
#define OMNI_FLOW_GUARD_DIGITS_H

#include "flow/guard_scan.h"

#define GROUPS_MAX 24
#define DIGITS_MAX 32

/* Digits that stand together, and what is between them and the group before. */
struct group {
    size_t from, to;
    size_t gap_from; /* == from for the first */
};

struct run {
    struct group groups[GROUPS_MAX];
    size_t n;
    bool plus;
    size_t from; /* the plus, or the first digit */
};

/* The digit that stands here, also a letter in a digit's place ("O788"); '\0' for none. */
char guard_digit_at(const struct guard_scan *s, size_t i);

/* The length of a date with a full year that begins here (7/12/2025, 2025-12-07); 0 for none. */
size_t guard_date_at(const struct guard_scan *s, size_t i);

/* The groups of digits that hang together from here on. */
struct run guard_run_read(const struct guard_scan *s, size_t i);

/* The digits of groups first..last; how many. */
size_t guard_run_digits(const struct guard_scan *s, const struct run *r, size_t first, size_t last,
                        char out[DIGITS_MAX + 1]);

/* Do these groups look like a telephone number? */
bool guard_run_is_phone(const struct guard_scan *s, const struct run *r, size_t first, size_t last);

#endif
