/*
 * phone_part - picks the number out of what SIP headers and URIs wrap around it. Everything here
 * comes from strangers: display names hold digits, quotes, commas and brackets on purpose.
 */
#include "core/phone_part.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define TEXT_MAX 512 /* bytes; a SIP From with a long display name has 200 */

static const char not_a_number[] = "not a phone number";

static const char *
find(const char *from, const char *end, char c)
{
    const char *at = memchr(from, c, (size_t)(end - from));
    return at == NULL ? end : at;
}

static void
trim(struct phone_part *p)
{
    while (p->from < p->end && *p->from == ' ')
        p->from++;
    while (p->from < p->end && p->end[-1] == ' ')
        p->end--;
}

/* Behind a quoted string that starts at 'at'; 'end' when its closing quote is missing. */
static const char *
skip_quoted(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\' && at + 1 < end)
            at++;
    }
    return end;
}

/* "Aline" <sip:...>;tag=1 - leaves what is between the brackets. With several addresses
 * (P-Asserted-Identity may have two) the first one counts. */
static const char *
name_address(struct phone_part *p)
{
    const char *at = *p->from == '"' ? skip_quoted(p->from, p->end) : p->from;
    const char *open = find(at, p->end, '<');
    if (open == p->end || find(at, open, '"') != open)
        return not_a_number;
    const char *close = find(open, p->end, '>');
    if (close == p->end)
        return not_a_number;
    struct phone_part rest = { .from = close + 1, .end = p->end };
    trim(&rest);
    if (rest.from < rest.end && *rest.from != ';' && *rest.from != ',')
        return not_a_number;
    p->from = open + 1;
    p->end = close;
    trim(p);
    return NULL;
}

/* A local number in a URI says whose: "phone-context=+254" would make a Kenyan 07... look Rwandan.
 */
static bool
has_foreign_context(const char *from, const char *end)
{
    static const char name[] = ";phone-context=+";
    const size_t n = sizeof name - 1;
    for (const char *at = find(from, end, ';'); at < end; at = find(at + 1, end, ';')) {
        size_t left = (size_t)(end - at);
        if (left >= n && strncasecmp(at, name, n) == 0)
            return left < n + 3 || strncmp(at + n, "250", 3) != 0;
    }
    return false;
}

/* Leaves the number of a URI that starts behind its scheme. 'stops' end it. */
static const char *
uri_number(struct phone_part *p, const char *stops)
{
    const char *end = p->from;
    while (end < p->end && strchr(stops, *end) == NULL)
        end++;
    bool is_global = p->from < end && *p->from == '+';
    if (end - p->from >= 3 && strncasecmp(p->from, "%2B", 3) == 0) {
        p->has_plus = is_global = true;
        p->from += 3;
    }
    if (!is_global && has_foreign_context(end, p->end))
        return "a local number of another country";
    p->end = end;
    return NULL;
}

/* Leaves the number; without a scheme everything is the number. 'needs_scheme' is for what stood in
 * brackets. */
static const char *
address_number(struct phone_part *p, bool needs_scheme)
{
    static const char *const sip[] = { "sips:", "sip:" };
    size_t n = (size_t)(p->end - p->from);
    if (n >= 4 && strncasecmp(p->from, "tel:", 4) == 0) {
        p->from += 4;
        return uri_number(p, ";?");
    }
    for (size_t i = 0; i < COUNT_OF(sip); i++) {
        size_t len = strlen(sip[i]);
        if (n < len || strncasecmp(p->from, sip[i], len) != 0)
            continue;
        p->from += len;
        /* Without '@' it is a host alone, and sip:192.168.100.200 would look like 12 digits. */
        if (find(p->from, p->end, '@') == p->end)
            return not_a_number;
        return uri_number(p, "@:;");
    }
    return needs_scheme ? not_a_number : NULL;
}

const char *
phone_part_find(const char *text, struct phone_part *out)
{
    size_t n = strnlen(text, TEXT_MAX + 1);
    if (n > TEXT_MAX)
        return "too long for a phone number";
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return "holds a control character";
    }
    *out = (struct phone_part){ .from = text, .end = text + n };
    trim(out);
    if (out->from == out->end)
        return "empty";
    bool in_brackets = *out->from == '"' || find(out->from, out->end, '<') < out->end;
    const char *fault = in_brackets ? name_address(out) : NULL;
    return fault != NULL ? fault : address_number(out, in_brackets);
}
