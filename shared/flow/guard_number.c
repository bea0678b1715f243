/*
 * guard_number - telephone numbers: which of those that stand in a text nobody allowed, also when
 * they are said in words (guard_said.c).
 */
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/phone.h"
#include "flow/guard.h"
#include "flow/guard_digits.h"
#include "flow/guard_said.h"

#define ALLOWED_MAX 64
#define NUMBER_MAX  17 /* digits in several groups, with "00" before them */

struct numbers {
    const char *digits[ALLOWED_MAX]; /* as E.164 without '+', or as they stand */
    size_t n;
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *
canonical(struct arena *a, const char *digits)
{
    struct phone p;
    struct err ignored = { 0 };

    if (phone_parse(digits, "number", &p, &ignored))
        return arena_strdup(a, phone_digits(&p));
    return digits[0] == '0' && digits[1] == '0' ? digits + 2 : digits;
}

static void
allow(struct arena *a, struct numbers *list, const char *number)
{
    char *digits;
    size_t n = 0;

    if (str_empty(number) || list->n == ALLOWED_MAX)
        return;
    digits = arena_strdup(a, number);
    for (const char *p = number; *p != '\0'; p++) {
        if (is_digit(*p))
            digits[n++] = *p;
    }
    digits[n] = '\0';
    if (n > 0)
        list->digits[list->n++] = canonical(a, number[0] == '+' ? number : digits);
}

static void
read_allowed(struct arena *a, const struct guard_rules *r, struct numbers *out)
{
    struct json_object *list = NULL;
    struct err ignored = { 0 };

    allow(a, out, r->own_number);
    for (size_t i = 0; i < COUNT_OF(r->service_numbers); i++)
        allow(a, out, r->service_numbers[i]);
    if (str_empty(r->allowed_numbers) ||
        !json_parse(a, r->allowed_numbers, strlen(r->allowed_numbers), &list, &ignored))
        return;
    for (size_t i = 0; i < json_count(list); i++)
        allow(a, out, json_text(a, json_item(list, i)));
}

static bool
is_allowed(struct arena *a, const struct numbers *list, const char *digits, bool plus)
{
    const char *number = canonical(a, plus ? arena_printf(a, "+%s", digits) : digits);

    number += number[0] == '+';
    for (size_t i = 0; i < list->n; i++) {
        if (str_eq(list->digits[i], number) || str_eq(list->digits[i], digits))
            return true;
    }
    return false;
}

/* May a candidate begin with this group? Behind another one, but not in the middle of what hangs
 * together, unless the group alone says that it does. */
static bool
may_begin(const struct guard_scan *s, const struct run *r, size_t least, size_t g)
{
    const struct group *at = &r->groups[g];
    size_t len = guard_group_len(at);

    return g == least || len >= 9 || (len >= 4 && strncmp(s->fold + at->from, "07", 2) == 0) ||
           memchr(s->fold + at->gap_from, ' ', at->from - at->gap_from) != NULL ||
           s->fold[at->from - 1] == '*'; /* in a code to dial */
}

/* Finds the candidate that begins with group 'first' and not before 'least': an identity number,
 * which goes as a whole or stays as one; an allowed number before a foreign one, a
 * whole one of this country before anything longer, that before shorter ones. Returns the group
 * behind it, or 'first' for none. */
static size_t
candidate(const struct guard_scan *s, const struct run *r, size_t least, size_t first,
          const struct numbers *list, bool *foreign)
{
    size_t found = guard_identity_at(s, r, first, foreign);
    bool plus = r->plus && first == 0;
    char digits[DIGITS_MAX + 1];

    if (found > 0 || !may_begin(s, r, least, first))
        return first + found;
    found = first;
    for (size_t last = first; last < r->n; last++) {
        size_t n = guard_run_digits(s, r, first, last, digits);

        if (n > NUMBER_MAX && last > first)
            break;
        if (n >= 7 && is_allowed(s->arena, list, digits, plus)) {
            *foreign = false;
            return last + 1;
        }
        if (guard_run_is_phone(s, r, first, last)) {
            found = last + 1;
            *foreign = true;
            if (guard_is_whole(digits, n))
                break; /* what follows it is another number: "0788999888, 2 rooms" */
        }
    }
    return found;
}

/* Is a bracket closed in here that was opened before? */
static bool
closes_bracket(const struct guard_scan *s, size_t from, size_t to)
{
    int open = 0;

    for (size_t i = from; i < to; i++)
        open += (s->fold[i] == '(') - (s->fold[i] == ')');
    return open < 0;
}

/* Cuts groups first..behind-1, and the rest of an amount that would be left of them: part of a
 * price is another price. Nothing before group 'least'. Returns the group behind. */
static size_t
cut_groups(struct guard_scan *s, const struct run *r, size_t least, size_t first, size_t behind)
{
    size_t from;
    size_t to;

    while (first > least && guard_list_goes_on(s, r, first))
        first--;
    while (behind < r->n && guard_list_goes_on(s, r, behind))
        behind++;
    from = first == 0 ? r->from : r->groups[first].from;
    to = r->groups[behind - 1].to;
    while (from > 0 && s->fold[from - 1] == '(' && closes_bracket(s, from, to))
        from--;
    guard_scan_cut(s, from, to);
    return behind;
}

static size_t
mark_run(struct guard_scan *s, const struct run *r, const struct numbers *list)
{
    size_t marked = 0;
    size_t least = 0;

    if (guard_list_is_all(s, r) || guard_run_is_reference(s, r))
        return 0;
    for (size_t g = 0; g < r->n;) {
        bool foreign = false;
        size_t behind = candidate(s, r, least, g, list, &foreign);
        size_t item = guard_list_item(s, r, g);

        if (foreign) {
            behind = cut_groups(s, r, least, g, behind);
            marked++;
        } else if (behind > g) {
            guard_scan_keep(s, r->groups[g].from, r->groups[behind - 1].to);
        }
        least = behind > g ? behind : least;
        g = behind > g ? behind : g + (item > 0 ? item : 1);
    }
    return marked;
}

static size_t
mark_figures(struct guard_scan *s, const struct numbers *list)
{
    size_t marked = 0;

    for (size_t i = 0; i < s->n;) {
        size_t date = i == 0 || !is_digit(s->fold[i - 1]) ? guard_date_at(s, i) : 0;
        struct run run;

        if (date > 0) {
            i += date;
            continue;
        }
        if (guard_digit_at(s, i) == '\0' && s->fold[i] != '+') {
            i++;
            continue;
        }
        run = guard_run_read(s, i);
        if (run.n == 0) {
            i++;
            continue;
        }
        marked += mark_run(s, &run, list);
        i = run.groups[run.n - 1].to;
    }
    return marked;
}

size_t
guard_number_mark(struct guard_scan *s, const struct guard_rules *r)
{
    struct numbers list = { .n = 0 };
    struct guard_scan said;
    size_t marked = 0;

    read_allowed(s->arena, r, &list);
    for (int split = 0; split < 2 && guard_said_scan(s, split > 0, &said); split++) {
        marked += mark_figures(&said, &list);
        guard_said_apply(s, &said);
    }
    return marked + mark_figures(s, &list) + guard_said_mark(s);
}
