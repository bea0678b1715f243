/*
 * guard_link - finding links as people and telephones recognise them: with a scheme, with www., as
 * a bare host, as an e-mail address, and with a dot that is spelled out or bracketed.
 */
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "flow/guard.h"
#include "flow/guard_scan.h"

/* Ends of hosts that are no words. The first SPELLED of them also count behind a dot that is
 * spelled out, bracketed or between blanks. */
#define SPELLED 13
static const char *const sure_ends[] = {
    "com", "net", "org", "rw",  "biz", "xyz",  "io",  "ly",  "gl",   "gd",   "ke",
    "tz",  "ug",  "cd",  "ru",  "cn",  "uk",   "eu",  "tk",  "ml",   "cf",   "gq",
    "ws",  "cc",  "tv",  "icu", "vip", "mobi", "edu", "gov", "club", "link", "app",
};

/* Ends that are also words, or stand at the end of sentences: only directly behind their dot, and
 * not where a new sentence begins ("house.Top floor"). */
static const char *const other_ends[] = {
    "info",   "dev",     "site",    "online",   "shop",      "store",      "click",  "live",
    "top",    "fun",     "space",   "website",  "tech",      "ai",         "page",   "web",
    "bank",   "money",   "loan",    "loans",    "win",       "bet",        "casino", "zip",
    "mov",    "int",     "africa",  "me",       "co",        "bi",         "fr",     "de",
    "be",     "us",      "id",      "in",       "to",        "ga",         "sh",     "st",
    "is",     "it",      "la",      "so",       "za",        "ng",         "gh",     "name",
    "pro",    "today",   "world",   "life",     "support",   "help",       "chat",   "email",
    "cash",   "pay",     "finance", "news",     "media",     "tel",        "cam",    "rest",
    "buzz",   "monster", "cfd",     "sbs",      "goog",      "google",     "house",  "homes",
    "rent",   "realty",  "estate",  "property", "land",      "apartments", "cars",   "taxi",
    "jobs",   "careers", "insure",  "services", "solutions", "digital",    "cloud",  "agency",
    "group",  "team",    "city",    "market",   "deals",     "sale",       "promo",  "gift",
    "gifts",  "credit",  "capital", "fund",     "gold",      "best",       "fyi",    "ink",
    "host",   "studio",  "trade",   "stream",   "download",  "review",     "party",  "work",
    "date",   "racing",  "lol",     "wtf",      "xxx",       "sex",        "porn",   "dating",
    "social", "network", "systems", "center",   "company",   "business",   "zone",   "works",
};

static const char *const schemes[] = {
    "http",   "https",      "hxxp", "hxxps",    "ftp", "mailto", "tel", "sms",  "smsto",
    "intent", "javascript", "data", "whatsapp", "tg",  "market", "geo", "file",
};

#define HOST_MAX   253 /* characters: RFC 1035, 2.3.4 */
#define SCHEME_MAX 64

/* Up to where a text was looked at in vain: what begins before ends before, and need not be read
 * again. */
struct seen {
    size_t hosts, users;
};

struct link {
    size_t end;
    size_t host_from, host_to;
    bool is_plain; /* http(s) or no scheme, nothing hidden: may be allowed by its host */
};

static bool
is_label(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == GUARD_LETTER;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\0';
}

static bool
among(const char *const *list, size_t n, const char *text, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(list[i]) == len && strncmp(list[i], text, len) == 0)
            return true;
    }
    return false;
}

/* The end of a link that is known to have begun: the next blank, less the sentence's own marks. */
static size_t
link_end(const struct guard_scan *s, size_t i)
{
    size_t from = i;
    const char *marks;

    while (i < s->n && !is_space(s->fold[i]) && strchr("<>\"", s->fold[i]) == NULL)
        i++;
    marks = memchr(s->fold + from, '(', i - from) == NULL ? ".,;:!?]}'*_)" : ".,;:!?]}'*_";
    while (i > from && strchr(marks, s->fold[i - 1]) != NULL)
        i--;
    return i;
}

/* A sentence that begins without a blank: "house.Top". */
static bool
begins_sentence(const struct guard_scan *s, size_t from, size_t to)
{
    char first = s->raw[s->at[from]];
    bool is_capital_next =
        to - from > 1 && s->raw[s->at[from + 1]] >= 'A' && s->raw[s->at[from + 1]] <= 'Z';

    return first >= 'A' && first <= 'Z' && !is_capital_next;
}

/* "evil. com/pay", "bit,ly/abc": a mark that is a dot only behind a letter, and before a
 * sure end and a path. */
static size_t
torn_dot_at(const struct guard_scan *s, size_t i)
{
    size_t to;
    size_t len = s->fold[i] == '.' || s->fold[i] == ',' ? 1 : 0;

    if (len == 0 || i == 0 || s->fold[i - 1] < 'a' || s->fold[i - 1] > 'z')
        return 0;
    len += s->fold[i + 1] == ' ';
    for (to = i + len; is_label(s->fold[to]);)
        to++;
    if (s->fold[to] != '/' || is_space(s->fold[to + 1]) || begins_sentence(s, i + len, to) ||
        !among(sure_ends, SPELLED, s->fold + i + len, to - i - len))
        return 0;
    return len;
}

/* How long a dot is that begins here; 0 for none. *plain: an ordinary one. */
static size_t
dot_at(const struct guard_scan *s, size_t i, bool *plain)
{
    static const char *const dots[] = {
        "[.]",   "(.)",   "{.}",      "[dot]",   "(dot)",     " dot ",    " point ",     " nukta ",
        " . ",   " .",    " period ", " punto ", " akadomo ", " ponto ",  " full stop ", " -dot- ",
        "_dot_", "<dot>", "(point)",  "[point]", "(nukta)",   "(akadomo)"
    };

    *plain = s->fold[i] == '.' && is_label(s->fold[i + 1]);
    if (*plain)
        return 1;
    for (size_t k = 0; k < COUNT_OF(dots); k++) {
        size_t len = strlen(dots[k]);

        if (strncmp(s->fold + i, dots[k], len) == 0 && is_label(s->fold[i + len]))
            return len;
    }
    return torn_dot_at(s, i);
}

/* Is the last label one that ends a host? */
static bool
ends_host(const struct guard_scan *s, size_t from, size_t to, size_t label_before, bool plain)
{
    const char *label = s->fold + from;
    size_t len = to - from;
    bool has_path = s->fold[to] == '/' && !is_space(s->fold[to + 1]);

    if (len < 2 || strspn(label, "0123456789-") >= len)
        return false;
    if (!plain)
        return among(sure_ends, SPELLED, label, len) || (has_path && len <= 6);
    if (among(sure_ends, COUNT_OF(sure_ends), label, len))
        return !begins_sentence(s, from, to) || len == 3 || has_path;
    if (memchr(label, GUARD_LETTER, len) != NULL)
        return true;
    if (has_path)
        return strspn(label, "abcdefghijklmnopqrstuvwxyz") >= len;
    return among(other_ends, COUNT_OF(other_ends), label, len) && label_before >= 2 &&
           !begins_sentence(s, from, to);
}

/* Four numbers up to 255. */
static bool
is_ip(const char *text, size_t len)
{
    int parts = 0;

    for (size_t i = 0; i < len; parts++) {
        size_t digits = strspn(text + i, "0123456789");
        int value = 0;

        if (digits < 1 || digits > 3 || (digits > 1 && text[i] == '0'))
            return false;
        for (size_t k = 0; k < digits; k++)
            value = value * 10 + (text[i + k] - '0');
        i += digits;
        if (value > 255 || (i < len && text[i] != '.'))
            return false;
        i++;
    }
    return parts == 4;
}

/* The longest host among the labels that hang together from here on; out->end is where they end.
 * *next: a host that is none of these begins there or later. */
static bool
host_among_labels(const struct guard_scan *s, size_t i, struct link *out, size_t *next)
{
    size_t from = i;
    size_t p = i;
    size_t half = i; /* the last label of the first half of what may be a host */
    size_t label_before = 0;
    bool plain = true;
    bool found = false;

    *next = i;
    for (;;) {
        size_t dot;

        while (is_label(s->fold[p]))
            p++;
        if (p == from || p - i > HOST_MAX)
            break;
        if (from > i && ends_host(s, from, p, label_before, plain)) {
            found = true;
            out->host_to = p;
            out->is_plain = *next == i;
        }
        dot = dot_at(s, p, &plain);
        if (dot == 0 || (found && !plain))
            break; /* maybe a sentence that goes on */
        label_before = p - from;
        p += dot;
        from = p;
        half = p - i <= HOST_MAX / 2 ? p : half;
        *next = plain ? *next : p;
    }
    if (p - i > HOST_MAX)
        *next = half > i ? half : from;
    out->end = p;
    if (*next == i)
        *next = p;
    return found;
}

/* A host without a scheme. */
static bool
bare_host(const struct guard_scan *s, size_t i, struct seen *seen, struct link *out)
{
    if (i < seen->hosts)
        return false;
    out->host_from = i;
    if (!host_among_labels(s, i, out, &seen->hosts)) {
        if ((i > 0 && s->fold[i - 1] == '.') || !is_ip(s->fold + i, out->end - i))
            return false;
        out->host_to = out->end;
        out->is_plain = false;
    }
    out->end = link_end(s, out->host_to);
    return true;
}

/* Something with a scheme, or "www." */
static bool
with_scheme(const struct guard_scan *s, size_t i, struct link *out)
{
    size_t p = i;
    size_t len;
    bool web;

    if (strncmp(s->fold + i, "www.", 4) == 0 && is_label(s->fold[i + 4])) {
        *out = (struct link){ link_end(s, i), i, i, true };
        while (is_label(s->fold[out->host_to]) || s->fold[out->host_to] == '.')
            out->host_to++;
        return true;
    }
    while (p - i < SCHEME_MAX && (is_label(s->fold[p]) || s->fold[p] == '+'))
        p++;
    len = p - i;
    if (len < 2 || s->fold[p] != ':')
        return false;
    web = (len == 4 || len == 5) && strncmp(s->fold + i, "https", len) == 0;
    if (s->fold[p + 1] == '/' && s->fold[p + 2] == '/')
        p += 3;
    else if (!among(schemes, COUNT_OF(schemes), s->fold + i, len) || is_space(s->fold[p + 1]))
        return false;
    else
        web = false;
    *out = (struct link){ link_end(s, p), p, p, web };
    if (out->end == p)
        return false;
    while (is_label(s->fold[out->host_to]) || s->fold[out->host_to] == '.')
        out->host_to++;
    return true;
}

/* user@host: the whole of it. */
static bool
address(const struct guard_scan *s, size_t i, struct seen *seen, struct link *out)
{
    struct seen behind = { 0 };
    size_t p = i;

    if (i < seen->users)
        return false;
    while (is_label(s->fold[p]) || (s->fold[p] != '\0' && strchr("._%+", s->fold[p]) != NULL))
        p++;
    seen->users = p;
    if (p == i || s->fold[p] != '@' || !bare_host(s, p + 1, &behind, out))
        return false;
    out->is_plain = false;
    return true;
}

/* Is 'host' the one that is allowed, or below it? */
static bool
covers(const char *allowed, const char *host, size_t len)
{
    size_t n = strlen(allowed);

    while (len > 0 && host[len - 1] == '.')
        len--;
    return n > 0 && n <= len && strncmp(host + len - n, allowed, n) == 0 &&
           (n == len || host[len - n - 1] == '.');
}

/* The host in an address or in an entry of the list, in small letters. */
static const char *
host_of(struct arena *a, const char *text)
{
    const char *from = strstr(text, "://");
    char *host = str_trim(a, from != NULL ? from + 3 : text);

    host[strcspn(host, "/:?#")] = '\0';
    for (char *p = host; *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    return host;
}

static bool
is_allowed(const struct guard_scan *s, const struct link *l, const struct guard_rules *r)
{
    const char *host = s->fold + l->host_from;
    size_t len = l->host_to - l->host_from;
    char after = s->fold[l->host_to];
    struct json_object *list = NULL;
    struct err ignored = { 0 };

    /* A host in strange letters, or with something else in front of or behind it, is another. */
    if (!l->is_plain || s->at[l->host_to] - s->at[l->host_from] != len ||
        (l->host_to < l->end && strchr("/?#.", after) == NULL))
        return false;
    if (!str_empty(r->public_url) && covers(host_of(s->arena, r->public_url), host, len))
        return true;
    if (str_empty(r->allowed_links) ||
        !json_parse(s->arena, r->allowed_links, strlen(r->allowed_links), &list, &ignored))
        return false;
    for (size_t i = 0; i < json_count(list); i++) {
        if (covers(host_of(s->arena, json_text(s->arena, json_item(list, i))), host, len))
            return true;
    }
    return false;
}

size_t
guard_link_mark(struct guard_scan *s, const struct guard_rules *r)
{
    struct seen seen = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < s->n;) {
        struct link l = { 0 };

        if (!is_label(s->fold[i]) || s->fold[i] == '-' ||
            (i > 0 && (is_label(s->fold[i - 1]) || s->fold[i - 1] == '_'))) {
            i++;
        } else if (!with_scheme(s, i, &l) && !address(s, i, &seen, &l) &&
                   !bare_host(s, i, &seen, &l)) {
            while (is_label(s->fold[i]))
                i++;
        } else {
            if (is_allowed(s, &l, r)) {
                guard_scan_keep(s, i, l.end);
            } else {
                guard_scan_cut(s, i, l.end);
                n++;
            }
            i = l.end;
        }
    }
    return n;
}
