/*
 * guard_reference - digits that are no telephone number because the words in front of them say
 * what they are ("Meter 01234567890"), or because they are grouped like a national identity number.
 */
#include <string.h>

#include "flow/guard_digits.h"

#define FILLERS_MAX 5 /* words between the name and its number: "ya konti yanyu ni nimero" */

/* What has a number that is no telephone's. */
static const char *const names[] = {
    "account",    "policy",
    "invoice",    "order",
    "meter",      "id",
    "reference",  "ref",
    "plot",       "tin",
    "receipt",    "booking",
    "ticket",     "contract",
    "claim",      "passport",
    "file",       "serial",
    "chassis",    "compte",
    "police",     "facture",
    "commande",   "compteur",
    "identite",   "identifiant",
    "parcelle",   "recu",
    "dossier",    "contrat",
    "passeport",  "konti",
    "polisi",     "fagitire",
    "mubazi",     "indangamuntu",
    "ikibanza",   "inyemezabuguzi",
    "akaunti",    "ankara",
    "oda",        "mita",
    "bima",       "kitambulisho",
    "kumbukumbu", "kiwanja",
    "risiti",     "cashpower",
};

/* What may stand between. */
static const char *const fillers[] = {
    "number", "no",   "nr",   "num",   "n",  "numero", "nimero", "namba", "nambari",
    "code",   "is",   "est",  "ni",    "ya", "y",      "yawe",   "yanyu", "yako",
    "yenu",   "wako", "your", "votre", "la", "le",     "de",     "card",  "national",
};

static bool
among(const char *const *list, size_t n, const char *word, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(list[i]) == len && strncmp(list[i], word, len) == 0)
            return true;
    }
    return false;
}

/* Do the words in front of 'at' say what is numbered here? A dot may only stand behind "no.". */
static bool
is_named(const struct guard_scan *s, size_t at)
{
    for (int words = 0; words <= FILLERS_MAX; words++) {
        size_t to = at;
        size_t from;

        while (to > 0 && strchr(" :#.'\x01", s->fold[to - 1]) != NULL)
            to--;
        for (from = to; from > 0 && s->fold[from - 1] >= 'a' && s->fold[from - 1] <= 'z';)
            from--;
        if (s->fold[to] == '.' && to - from > 3)
            return false;
        if (among(names, COUNT_OF(names), s->fold + from, to - from))
            return true;
        if (!among(fillers, COUNT_OF(fillers), s->fold + from, to - from))
            return false;
        at = from;
    }
    return false;
}

/* As numbers of this country begin, with or without it; or of any other, with "00". */
static bool
begins_number(const char *d, size_t n)
{
    return strncmp(d, "07", 2) == 0 || strncmp(d, "00", 2) == 0 || strncmp(d, "2507", 4) == 0 ||
           (n == 10 && strncmp(d, "02", 2) == 0) || (n == 12 && strncmp(d, "2502", 4) == 0) ||
           (n == 9 && d[0] == '7' && strchr("2389", d[1]) != NULL);
}

/* Is a whole number of this country among these groups, but for the first? */
static bool
hides_number(const struct guard_scan *s, const struct run *r, size_t first, size_t behind)
{
    char d[DIGITS_MAX + 1];

    for (size_t from = first + 1; from < behind; from++) {
        for (size_t last = from; last < behind; last++) {
            size_t n = guard_run_digits(s, r, from, last, d);

            if (guard_is_whole(d, n) || (n == 9 && begins_number(d, n)))
                return true;
        }
    }
    return false;
}

static bool
is_year(const struct guard_scan *s, const struct group *g)
{
    return guard_group_len(g) == 4 &&
           (strncmp(s->fold + g->from, "19", 2) == 0 || strncmp(s->fold + g->from, "20", 2) == 0);
}

/* 07-2026-0045: the branch, the year, and the number in it. */
static bool
has_year(const struct guard_scan *s, const struct run *r)
{
    return r->n == 3 && guard_group_len(&r->groups[0]) == 2 && is_year(s, &r->groups[1]) &&
           strchr("-/", s->fold[r->groups[1].from - 1]) != NULL &&
           strchr("-/", s->fold[r->groups[2].from - 1]) != NULL;
}

bool
guard_run_is_reference(const struct guard_scan *s, const struct run *r)
{
    char d[DIGITS_MAX + 1];
    size_t n;

    if (r->plus || !is_named(s, r->from) || hides_number(s, r, 0, r->n))
        return false;
    n = guard_run_digits(s, r, 0, r->n - 1, d);
    return has_year(s, r) || !begins_number(d, n);
}

size_t
guard_identity_at(const struct guard_scan *s, const struct run *r, size_t g, bool *hides)
{
    static const size_t lengths[] = { 1, 4, 1, 7, 1, 2 };
    size_t n = COUNT_OF(lengths);

    if (g + n > r->n || (g == 0 && r->plus) || !is_year(s, &r->groups[g + 1]))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (guard_group_len(&r->groups[g + i]) != lengths[i])
            return 0;
    }
    *hides = hides_number(s, r, g, g + n);
    return n;
}
