/*
 * guard_phone - telling telephone numbers from prices, dates, times and room counts: by how many
 * digits there are and how they are grouped, not by how they are written.
 */
#include <string.h>

#include "flow/guard_digits.h"

/* How the groups of one candidate look. */
struct shape {
    size_t groups, singles, longest;
    bool lines;       /* it goes on in another line */
    bool same_gaps;   /* the same between all of them */
    bool usual_gaps;  /* as numbers of other countries have them */
    bool loose_gaps;  /* blanks, and dots or dashes among them */
    bool price;       /* groups of three, and like a price otherwise too */
    bool begins_item; /* with a price, a year or a time */
    bool goes_on;     /* with an amount that began before it: "050" in "250 050" */
    bool decimal;     /* "0.5" */
    bool reference;   /* it hangs on a word: "INV-078912345" */
    bool has_currency;
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

static bool
has_gap(const struct guard_scan *s, const struct group *g, char c)
{
    return memchr(s->fold + g->gap_from, c, g->from - g->gap_from) != NULL;
}

/* One mark, or a bracket and a blank: what numbers of other countries have between their groups. */
static bool
is_usual_gap(const struct guard_scan *s, const struct group *g)
{
    size_t len = g->from - g->gap_from;

    return strspn(s->fold + g->gap_from, " .-()") >= len &&
           (len == 1 || (len == 2 && (has_gap(s, g, '(') || has_gap(s, g, ')'))));
}

/* Groups of three that are a price: money is named, or commas or three zeros say so. */
static bool
is_price(const struct guard_scan *s, const struct run *r, size_t first, size_t last, bool currency)
{
    bool commas = false;

    for (size_t g = first + 1; g <= last; g++) {
        if (!guard_list_goes_on(s, r, g))
            return false;
        commas = commas || has_gap(s, &r->groups[g], ',');
    }
    return last > first &&
           (currency || commas || strncmp(s->fold + r->groups[last].from, "000", 3) == 0);
}

/* A letter and a dash or a slash, and then the figures. */
static bool
is_reference(const struct guard_scan *s, size_t from)
{
    return from > 1 && strchr("-/", s->fold[from - 1]) != NULL && s->fold[from - 2] >= 'a' &&
           s->fold[from - 2] <= 'z';
}

static struct shape
shape_of(const struct guard_scan *s, const struct run *r, size_t first, size_t last)
{
    struct shape h = {
        .groups = last - first + 1, .same_gaps = true, .usual_gaps = true, .loose_gaps = true
    };

    for (size_t g = first; g <= last; g++) {
        const struct group *at = &r->groups[g];
        size_t len = guard_group_len(at);

        h.singles += len == 1;
        h.longest = len > h.longest ? len : h.longest;
        if (g == first)
            continue;
        h.lines = h.lines || has_gap(s, at, '\n');
        h.usual_gaps = h.usual_gaps && is_usual_gap(s, at);
        h.loose_gaps =
            h.loose_gaps && strspn(s->fold + at->gap_from, " .-") >= at->from - at->gap_from;
        h.same_gaps = h.same_gaps && (g == first + 1 || same_gap(s, at, &r->groups[first + 1]));
    }
    h.has_currency = currency_near(s, r->groups[first].from, r->groups[last].to);
    h.price = is_price(s, r, first, last, h.has_currency);
    h.goes_on = first > 0 && guard_list_goes_on(s, r, first);
    h.decimal = last > first && guard_group_len(&r->groups[first]) == 1 && !h.same_gaps &&
                (has_gap(s, &r->groups[first + 1], '.') || has_gap(s, &r->groups[first + 1], ','));
    h.reference = first == 0 && is_reference(s, r->from);
    h.begins_item = guard_list_item(s, r, first) > 0;
    return h;
}

/* As it is dialled here: 078... */
static bool
is_mobile(const char *d, size_t n)
{
    return n == 10 && d[0] == '0' && d[1] == '7' && strchr("2389", d[2]) != NULL;
}

/* The same without its zero: 78... */
static bool
is_short_mobile(const char *d, size_t n)
{
    return n == 9 && d[0] == '7' && strchr("2389", d[1]) != NULL;
}

/* 250 7..., without a plus. */
static bool
has_own_country(const char *d, size_t n)
{
    return n == 12 && strncmp(d, "250", 3) == 0 && (d[3] == '7' || d[3] == '2');
}

bool
guard_is_whole(const char *digits, size_t n)
{
    return is_mobile(digits, n) || has_own_country(digits, n);
}

/* The neighbours' codes too. */
static bool
has_country(const char *d, size_t n)
{
    return has_own_country(d, n) || (n == 12 && d[3] != '0' &&
                                     (strncmp(d, "254", 3) == 0 || strncmp(d, "255", 3) == 0 ||
                                      strncmp(d, "256", 3) == 0 || strncmp(d, "243", 3) == 0));
}

/* 7 8 8 . 1 2 3 . 4 5 6, which is no list. */
static bool
is_spelled(const char *d, size_t n, const struct shape *h)
{
    return h->singles == n && (is_mobile(d, n) || (is_short_mobile(d, n) && h->loose_gaps));
}

/* The rules; 'd' are the n digits of the candidate. */
static bool
is_phone(const char *d, size_t n, bool plus, const struct shape *h)
{
    bool mobile = is_mobile(d, n);
    bool one_by_one = h->singles > 2 && !h->same_gaps && !is_spelled(d, n, h);

    if (plus && !one_by_one)
        return n >= 8 && n <= 16 && !(h->price && n <= 10);
    if (h->groups == 1 && n >= 10 && !h->reference)
        return !(h->has_currency && n == 10 && d[0] != '0');
    if (one_by_one || (h->lines && !plus && !mobile && !has_country(d, n)))
        return false;
    if (d[0] == '0' && d[1] == '0')
        return n >= 10 && n <= 17 && !h->goes_on;
    if (d[0] == '0')
        return mobile || (!h->goes_on && !h->decimal && !h->reference && n >= 9 && n <= 11 &&
                          (h->groups <= 4 || (n == 10 && h->usual_gaps)));
    if (has_country(d, n))
        return true;
    if (is_short_mobile(d, n))
        return !h->price && (h->usual_gaps || h->same_gaps || is_spelled(d, n, h));
    return n >= 10 && n <= 15 && h->groups <= 5 && h->singles == 0 && h->longest >= 4 &&
           h->usual_gaps && !h->begins_item && !h->reference && !h->has_currency;
}

/* "*182*8*1*008080*5000#": the long parts of a code to dial stand for themselves. */
static bool
is_dialled(const struct guard_scan *s, const struct run *r, const struct shape *h)
{
    return h->groups > 1 && h->longest > 4 && r->from > 0 && s->fold[r->from - 1] == '*' &&
           s->fold[r->groups[r->n - 1].to] == '#';
}

bool
guard_run_is_phone(const struct guard_scan *s, const struct run *r, size_t first, size_t last)
{
    char digits[DIGITS_MAX + 1];
    size_t n = guard_run_digits(s, r, first, last, digits);
    struct shape h = shape_of(s, r, first, last);

    /* What begins with "07:00, 08:30, 09" is a list of times. */
    if (is_dialled(s, r, &h) || (!h.same_gaps && guard_list_splits_time(s, r, last + 1)))
        return false;
    return is_phone(digits, n, r->plus && first == 0, &h);
}
