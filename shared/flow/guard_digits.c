/*
 * guard_digits - telling telephone numbers from prices, dates, times and room counts: by how many
 * digits there are and how they are grouped, not by how they are written.
 */
#include "flow/guard_digits.h"

#include <string.h>

#define GAP_MAX 4 /* characters between two groups */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
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
    return '\0';
}

static bool
is_gap(char c)
{
    return c != '\0' && strchr(" \n-.,()/_*'~|=;\x01", c) != NULL;
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
        r.plus = true;
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
        while (i - gap < GAP_MAX && is_gap(s->fold[i]) && !s->cut[i] && !s->kept[i])
            i++;
        if (s->fold[i] == '+')
            break; /* another number */
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

static size_t
group_len(const struct group *g)
{
    return g->to - g->from;
}

/* How the groups of one candidate look. */
struct shape {
    size_t groups, singles, longest;
    bool lines; /* it goes on in another line */
    bool same_gaps, commas, spaced_dash, thousands, has_000, has_currency;
};

static bool
same_gap(const struct guard_scan *s, const struct group *a, const struct group *b)
{
    size_t len = a->from - a->gap_from;

    return len == b->from - b->gap_from &&
           strncmp(s->fold + a->gap_from, s->fold + b->gap_from, len) == 0;
}

/* Money is named next to the number. */
static bool
currency_near(const struct guard_scan *s, size_t from, size_t to)
{
    static const char *const names[] = { "rwf",        "frw",     "francs", "franc",
                                         "amafaranga", "faranga", "usd",    "dollars",
                                         "shilingi",   "ugx",     "kes" };

    to += strspn(s->fold + to, " ");
    while (from > 0 && s->fold[from - 1] == ' ')
        from--;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t len = strlen(names[i]);

        if (strncmp(s->fold + to, names[i], len) == 0 ||
            (from >= len && strncmp(s->fold + from - len, names[i], len) == 0))
            return true;
    }
    return false;
}

static struct shape
shape_of(const struct guard_scan *s, const struct run *r, size_t first, size_t last)
{
    struct shape h = { .groups = last - first + 1, .same_gaps = true, .thousands = last > first };

    for (size_t g = first; g <= last; g++) {
        const struct group *at = &r->groups[g];
        size_t len = group_len(at);

        h.singles += len == 1;
        h.longest = len > h.longest ? len : h.longest;
        h.thousands = h.thousands && (g == first ? len <= 3 : len == 3);
        h.has_000 = h.has_000 || (len == 3 && strncmp(s->fold + at->from, "000", 3) == 0);
        if (g == first)
            continue;
        h.lines = h.lines || memchr(s->fold + at->gap_from, '\n', at->from - at->gap_from) != NULL;
        h.commas = h.commas || memchr(s->fold + at->gap_from, ',', at->from - at->gap_from) != NULL;
        h.spaced_dash = h.spaced_dash || strncmp(s->fold + at->gap_from, " - ", 3) == 0;
        h.same_gaps = h.same_gaps && (g == first + 1 || same_gap(s, at, &r->groups[first + 1]));
    }
    h.has_currency = currency_near(s, r->groups[first].from, r->groups[last].to);
    return h;
}

/* 250 7..., and the neighbours' codes, without a plus. */
static bool
has_country(const char *d, size_t n)
{
    if (strncmp(d, "250", 3) == 0)
        return n == 12 && (d[3] == '7' || d[3] == '2');
    return n == 12 && d[3] != '0' &&
           (strncmp(d, "254", 3) == 0 || strncmp(d, "255", 3) == 0 || strncmp(d, "256", 3) == 0 ||
            strncmp(d, "243", 3) == 0);
}

/* The rules; 'd' are the n digits of the candidate. */
static bool
is_phone(const char *d, size_t n, bool plus, const struct shape *h)
{
    bool mobile = n == 10 && d[0] == '0' && d[1] == '7';
    bool one_by_one = h->singles > 2 && !h->same_gaps && !(mobile && h->singles == n);
    bool price = h->thousands && h->has_currency;

    if (plus && !one_by_one)
        return n >= 8 && n <= 16;
    if (h->groups == 1 && n >= 10)
        return !(h->has_currency && n == 10 && d[0] != '0');
    if (one_by_one || (h->lines && !plus && !mobile && !has_country(d, n)))
        return false;
    if (d[0] == '0' && d[1] == '0')
        return n >= 10 && n <= 17;
    if (d[0] == '0')
        return n == 10 || ((n == 9 || n == 11) && h->groups <= 4);
    if (has_country(d, n))
        return true;
    if (n == 9 && d[0] == '7' && strchr("2389", d[1]) != NULL)
        return !price && !(h->thousands && h->commas) && !h->spaced_dash;
    return n >= 10 && n <= 15 && h->groups <= 5 && h->singles == 0 && h->longest >= 4 &&
           !h->commas && !h->has_000 && !h->spaced_dash && !h->has_currency;
}

bool
guard_run_is_phone(const struct guard_scan *s, const struct run *r, size_t first, size_t last)
{
    char digits[DIGITS_MAX + 1];
    size_t n = guard_run_digits(s, r, first, last, digits);
    struct shape h = shape_of(s, r, first, last);

    return is_phone(digits, n, r->plus && first == 0, &h);
}
