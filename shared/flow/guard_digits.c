/*
 * guard_digits - which digits of a text hang together, whatever somebody put between them.
 */
#include "flow/guard_digits.h"

#include <string.h>

#define GAP_MAX   6  /* characters between two groups: "** **" */
#define TOKEN_MAX 20 /* letters and digits in one piece */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digit a letter is drawn like; '\0' for none. */
static char
looks_like(char c)
{
    static const char letters[] = "oilzsb";
    const char *found = c != '\0' ? strchr(letters, c) : NULL;

    return found != NULL ? "011258"[found - letters] : '\0';
}

static bool
is_piece(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == GUARD_LETTER;
}

/* The digit in place of which the letter at i stands: in a piece of at least three characters, of
 * which more are digits than look like some, and which ends with a digit ("5000l" are litres). */
static char
digit_drawn_at(const struct guard_scan *s, size_t i)
{
    size_t from = i;
    size_t to = i;
    size_t digits = 0;

    if (looks_like(s->fold[i]) == '\0')
        return '\0';
    while (from > 0 && i - from < TOKEN_MAX && is_piece(s->fold[from - 1]))
        from--;
    while (to - i < TOKEN_MAX && is_piece(s->fold[to]))
        to++;
    for (size_t k = from; k < to; k++) {
        if (!is_digit(s->fold[k]) && looks_like(s->fold[k]) == '\0')
            return '\0';
        digits += is_digit(s->fold[k]);
    }
    if (to - from < 3 || digits * 2 <= to - from || !is_digit(s->fold[to - 1]))
        return '\0';
    return looks_like(s->fold[i]);
}

char
guard_digit_at(const struct guard_scan *s, size_t i)
{
    char c = s->fold[i];
    bool before = i > 0 && is_digit(s->fold[i - 1]);
    bool after = i + 1 < s->n && is_digit(s->fold[i + 1]);

    if (s->kept[i] || s->cut[i])
        return '\0';
    if (is_digit(c))
        return c;
    if (c == 'o' && after && (before || i == 0 || strchr(" +(\n", s->fold[i - 1]) != NULL))
        return '0';
    if ((c == 'l' || c == 'i') && before && after)
        return '1';
    return digit_drawn_at(s, i);
}

static bool
is_gap(char c)
{
    return c != '\0' && strchr(" \n-.,()/_*'~|=;:+[]{}\"\\#&<>^\x01", c) != NULL;
}

/* A plus directly before digits and not directly behind any: "0788000111, +250788...". */
static bool
begins_other(const struct guard_scan *s, size_t i)
{
    return s->fold[i] == '+' && (is_digit(s->fold[i + 1]) || s->fold[i + 1] == '(') &&
           !is_digit(s->fold[i - 1]);
}

/* "12 000 + 5 000": it adds up, and begins no number. */
static bool
is_sum(const struct guard_scan *s, size_t i)
{
    size_t before = i;

    while (before > 0 && s->fold[before - 1] == ' ')
        before--;
    return before > 0 && is_digit(s->fold[before - 1]) && s->fold[i + 1] == ' ';
}

static int
value_of(const struct guard_scan *s, size_t i, size_t n)
{
    int v = 0;

    for (size_t k = 0; k < n; k++) {
        if (!is_digit(s->fold[i + k]))
            return -1;
        v = v * 10 + (s->fold[i + k] - '0');
    }
    return v;
}

size_t
guard_date_at(const struct guard_scan *s, size_t i)
{
    size_t a = strspn(s->fold + i, "0123456789");
    size_t b;
    size_t c;
    char mark = s->fold[i + a];
    int day;
    int month;
    int year;

    if (a == 0 || a > 4 || a == 3 || (mark != '/' && mark != '-' && mark != '.'))
        return 0;
    b = strspn(s->fold + i + a + 1, "0123456789");
    if (b < 1 || b > 2 || s->fold[i + a + 1 + b] != mark)
        return 0;
    c = strspn(s->fold + i + a + b + 2, "0123456789");
    day = value_of(s, i, a);
    month = value_of(s, i + a + 1, b);
    year = value_of(s, i + a + b + 2, c > 4 ? 4 : c);
    if (a == 4 && c <= 2) {
        int swap = day;

        day = year;
        year = swap;
    } else if (a > 2 || c != 4) {
        return 0;
    }
    if (day < 1 || day > 31 || month < 1 || month > 31 || (day > 12 && month > 12) || year < 1900 ||
        year > 2100)
        return 0;
    return a + b + c + 2;
}

struct run
guard_run_read(const struct guard_scan *s, size_t i)
{
    struct run r = { .from = i };
    size_t gap = i;

    if (s->fold[i] == '+') {
        r.plus = !is_sum(s, i);
        i += 1 + strspn(s->fold + i + 1, " (");
    }
    gap = i;
    while (r.n < GROUPS_MAX && guard_digit_at(s, i) != '\0' && guard_date_at(s, i) == 0) {
        struct group *g = &r.groups[r.n++];

        g->gap_from = r.n == 1 ? i : gap;
        g->from = i;
        while (guard_digit_at(s, i) != '\0')
            i++;
        g->to = i;
        gap = i;
        while (i - gap < GAP_MAX && is_gap(s->fold[i]) && !begins_other(s, i) && !s->cut[i] &&
               !s->kept[i])
            i++;
    }
    return r;
}

size_t
guard_run_digits(const struct guard_scan *s, const struct run *r, size_t first, size_t last,
                 char out[DIGITS_MAX + 1])
{
    size_t n = 0;

    for (size_t g = first; g <= last; g++) {
        for (size_t i = r->groups[g].from; i < r->groups[g].to && n < DIGITS_MAX; i++)
            out[n++] = guard_digit_at(s, i);
    }
    out[n] = '\0';
    return n;
}
