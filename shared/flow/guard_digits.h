/*
 * guard_digits - digits in a text and how they are grouped (guard_digits.c), whether that is how
 * telephone numbers look (guard_phone.c) or how prices and times do (guard_list.c), or are
 * something else that is numbered (guard_reference.c). Private to flow/guard*.c.
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

static inline size_t
guard_group_len(const struct group *g)
{
    return g->to - g->from;
}

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

/* How many groups the price, year, time or date has that begins with group g; 0 for none. */
size_t guard_list_item(const struct guard_scan *s, const struct run *r, size_t g);

/* Is the run nothing but a list of at least two of these? */
bool guard_list_is_all(const struct guard_scan *s, const struct run *r);

/* Does group g go on with an amount that began before it ("000" in "150 000")? */
bool guard_list_goes_on(const struct guard_scan *s, const struct run *r, size_t g);

/* Does a time or a date begin before group g and end behind it? */
bool guard_list_splits_time(const struct guard_scan *s, const struct run *r, size_t g);

/* Do the words in front of the run say what it is, an account or a meter, and is it none of this
 * country's telephone numbers? */
bool guard_run_is_reference(const struct guard_scan *s, const struct run *r);

/* How many groups the national identity number has that begins with group g (1 1990 8 0012345 6
 * 78); 0 for none. *hides: a telephone number is in it. */
size_t guard_identity_at(const struct guard_scan *s, const struct run *r, size_t g, bool *hides);

/* Are these a whole number of this country, to which no more digits belong: 078..., 25078...? */
bool guard_is_whole(const char *digits, size_t n);

/* Do these groups look like a telephone number? */
bool guard_run_is_phone(const struct guard_scan *s, const struct run *r, size_t first, size_t last);

#endif
