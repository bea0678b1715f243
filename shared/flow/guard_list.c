/*
 * guard_list - reading groups of digits as a list of prices, years, times and dates. What begins
 * with a zero and is no time or date is never one, and a price ends with zeros: that is what a
 * telephone number in pieces seldom does.
 */
#include <string.h>

#include "flow/guard_digits.h"

#define PLAIN_MAX 8  /* digits of a price in one piece */
#define PRICE_MAX 10 /* and in groups of three */

/* The one character between this group and the one before; '\0' for more, or for none. */
static char
gap_of(const struct guard_scan *s, const struct run *r, size_t g)
{
    if (g == 0 || g >= r->n || r->groups[g].from - r->groups[g].gap_from != 1)
        return '\0';
    return s->fold[r->groups[g].gap_from];
}

bool
guard_list_goes_on(const struct guard_scan *s, const struct run *r, size_t g)
{
    char gap = gap_of(s, r, g);

    return gap != '\0' && strchr(" .,'", gap) != NULL && guard_group_len(&r->groups[g]) == 3 &&
           guard_group_len(&r->groups[g - 1]) <= 3;
}

/* Does it end with as many zeros as a price does? A year needs none. */
static bool
is_round(const char *digits, size_t n)
{
    size_t zeros = 0;

    while (zeros < n && digits[n - 1 - zeros] == '0')
        zeros++;
    if (n == 4 && (strncmp(digits, "19", 2) == 0 || strncmp(digits, "20", 2) == 0))
        return true;
    return n >= 3 && digits[0] != '0' && zeros >= (n < 7 ? 1 : n / 3);
}

/* How many groups the price has that begins here; 0 for none. */
static size_t
price_at(const struct guard_scan *s, const struct run *r, size_t g)
{
    char digits[DIGITS_MAX + 1];
    char gap = gap_of(s, r, g + 1);
    size_t to = g + 1;
    size_t n;

    while (to < r->n && gap_of(s, r, to) == gap && guard_list_goes_on(s, r, to))
        to++;
    n = guard_run_digits(s, r, g, to - 1, digits);
    if (!is_round(digits, n) || n > (to == g + 1 ? PLAIN_MAX : PRICE_MAX))
        return 0;
    /* Where the same mark goes on, the groups are somebody else's. */
    if (to > g + 1 && (gap_of(s, r, g) == gap || gap_of(s, r, to) == gap))
        return 0;
    return to - g;
}

/* The value of a group of one or two digits; -1 for longer ones. */
static int
small(const struct guard_scan *s, const struct group *g)
{
    int value = 0;

    if (guard_group_len(g) > 2)
        return -1;
    for (size_t i = g->from; i < g->to; i++)
        value = value * 10 + (guard_digit_at(s, i) - '0');
    return value;
}

/* 07.30, 7:30, 07/12, 08-12 (o'clock, or days). */
static bool
is_pair(char gap, int a, int b, size_t len_b)
{
    bool day = a >= 1 && a <= 31 && b >= 1 && b <= 12 && strchr("/.-", gap) != NULL;
    bool hour = a >= 0 && a <= 24 && b >= 0 && b <= 59 && len_b == 2 && strchr(".:", gap) != NULL;
    bool hours = a >= 0 && a <= 24 && b >= 0 && b <= 24 && gap == '-';

    return gap != '\0' && (day || hour || hours);
}

/* How many groups the time or the date without a full year has that begins here; 0 for none. */
static size_t
time_at(const struct guard_scan *s, const struct run *r, size_t g)
{
    char gap = gap_of(s, r, g + 1);
    size_t to = g + 1;

    while (to < r->n && to < g + 3 && gap_of(s, r, to) == gap && small(s, &r->groups[to]) >= 0)
        to++;
    if (to < g + 2 || gap_of(s, r, g) == gap || gap_of(s, r, to) == gap ||
        !is_pair(gap, small(s, &r->groups[g]), small(s, &r->groups[g + 1]),
                 guard_group_len(&r->groups[g + 1])))
        return 0;
    return to - g;
}

size_t
guard_list_item(const struct guard_scan *s, const struct run *r, size_t g)
{
    size_t n = time_at(s, r, g);

    return n > 0 ? n : price_at(s, r, g);
}

bool
guard_list_splits_time(const struct guard_scan *s, const struct run *r, size_t g)
{
    return (g >= 1 && time_at(s, r, g - 1) > 1) || (g >= 2 && time_at(s, r, g - 2) > 2);
}

/* "7, 8, 9, 10": each is one more than the one before. */
static bool
is_count(const struct guard_scan *s, const struct run *r)
{
    for (size_t g = 1; g < r->n; g++) {
        int before = small(s, &r->groups[g - 1]);

        if (before < 0 || small(s, &r->groups[g]) != before + 1)
            return false;
    }
    return r->n >= 3 && !r->plus;
}

bool
guard_list_is_all(const struct guard_scan *s, const struct run *r)
{
    size_t items = 0;

    if (is_count(s, r))
        return true;
    for (size_t g = 0; g < r->n; items++) {
        size_t n = guard_list_item(s, r, g);

        if (n == 0)
            return false;
        g += n;
    }
    return items >= 2 && !r->plus;
}
