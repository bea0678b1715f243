/*
 * phone - from any spelling of a telephone number to E.164, in three steps: find the part of the
 * text that is the number (phone_part.c), read its digits, decide what they mean. The words of a
 * refusal never hold the number.
 */
#include "core/phone.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/phone_part.h"

#define DIGITS_MAX 17 /* "00" and the 15 digits of E.164 */

struct digits {
    char text[DIGITS_MAX + 1];
    size_t n;
    bool has_plus;
    bool has_separators;
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_separator(char c)
{
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')';
}

/* NULL, or why these characters are no number. */
static const char *
digits_read(const struct phone_part *part, struct digits *d)
{
    d->has_plus = part->has_plus;
    for (const char *at = part->from; at < part->end; at++) {
        if (is_digit(*at)) {
            if (d->n == DIGITS_MAX)
                return "too many digits";
            d->text[d->n++] = *at;
        } else if (*at == '+' && d->n == 0 && !d->has_plus) {
            d->has_plus = true;
        } else if (is_separator(*at)) {
            d->has_separators = true;
        } else {
            return "not a phone number";
        }
    }
    return d->n == 0 ? "empty" : NULL;
}

/* The national part, as dialled after +250. */
static bool
fits_rwandan_plan(const char *national)
{
    size_t n = strlen(national);
    if (n == 8)
        return str_starts(national, "06");
    if (n != 9)
        return false;
    if (national[0] == '7')
        return strchr("23789", national[1]) != NULL;
    if (national[0] == '2')
        return strchr("23568", national[1]) != NULL;
    return str_starts(national, "800") || str_starts(national, "900");
}

static const char *
rwandan_number(const char *national, struct phone *out)
{
    /* The trunk 0 of 0788... and +250 (0) 788...; the 0 of 06... stays, it has 8 digits. */
    if (national[0] == '0' && strlen(national) == 10)
        national++;
    if (!fits_rwandan_plan(national))
        return "not a number of Rwanda's plan";
    (void)snprintf(out->e164, sizeof out->e164, "+250%.9s", national);
    return NULL;
}

/* What trunks and voice platforms write for a caller without a number: ANONYMOUS, RESTRICTED,
 * UNAVAILABLE, BLOCKED and UNKNOWN on a telephone's keys. No plan has these numbers. */
static bool
is_withheld(const char *digits)
{
    static const char *const keyed[] = { "266696687", "7378742833", "86282452253",
                                         "2562533",   "8656696",    "8566696" };
    for (size_t i = 0; i < COUNT_OF(keyed); i++) {
        if (str_eq(digits, keyed[i]))
            return true;
    }
    return false;
}

static const char *
foreign_number(const char *digits, struct phone *out)
{
    size_t n = strlen(digits);
    if (n < 7 || digits[0] == '0')
        return "not an international number";
    if (n > 15)
        return "too many digits";
    if (digits[0] == '7' && n != 11)
        return "not a number of Rwanda's plan, nor one of zone 7";
    (void)snprintf(out->e164, sizeof out->e164, "+%.15s", digits);
    return NULL;
}

/* Digits without '+' or 00; the header explains the order. */
static const char *
bare_number(const struct digits *d, struct phone *out)
{
    if (d->n <= 6)
        return "a short code, not a phone number";
    if (str_starts(d->text, "250"))
        return rwandan_number(d->text + 3, out);
    if (d->text[0] == '0' || (d->text[0] == '7' && d->n == 9))
        return rwandan_number(d->text, out);
    if (fits_rwandan_plan(d->text))
        return "ambiguous without a leading 0 or +";
    if (d->has_separators || d->n < 8)
        return "not a number of Rwanda's plan, and without + no foreign one";
    return foreign_number(d->text, out);
}

static const char *
number_decide(const struct digits *d, struct phone *out)
{
    bool has_00 = !d->has_plus && str_starts(d->text, "00");
    const char *digits = has_00 ? d->text + 2 : d->text;
    if (is_withheld(digits))
        return "the caller withholds the number";
    if (!d->has_plus && !has_00)
        return bare_number(d, out);
    if (str_starts(digits, "250"))
        return rwandan_number(digits + 3, out);
    return foreign_number(digits, out);
}

bool
phone_parse(const char *text, const char *field, struct phone *out, struct err *e)
{
    struct phone_part part = { 0 };
    struct digits digits = { 0 };
    *out = (struct phone){ 0 };
    const char *fault = phone_part_find(text, &part);
    if (fault == NULL)
        fault = digits_read(&part, &digits);
    if (fault == NULL)
        fault = number_decide(&digits, out);
    return fault == NULL || err_set(e, ERR_INVALID, "%s: %s", field, fault);
}

bool
phone_is_service_sender(const char *text)
{
    size_t digits = 0;
    if (str_starts_nocase(text, "tel:"))
        text += strlen("tel:");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80)
            return true;
        if (is_digit(*text))
            digits++;
    }
    return digits >= 3 && digits <= 6;
}

bool
phone_is_rw_mobile(const struct phone *p)
{
    return str_starts(p->e164, "+2507") && fits_rwandan_plan(p->e164 + 4);
}

/* Do the digits of p start with those of one item of the list? An item without digits allows
 * nothing. */
static bool
prefix_matches(const struct phone *p, const char *item, size_t n)
{
    char prefix[sizeof p->e164] = "+";
    size_t len = 1;
    for (size_t i = 0; i < n; i++) {
        if (is_digit(item[i])) {
            if (len == sizeof prefix - 1)
                return false;
            prefix[len++] = item[i];
        } else if (item[i] != '+' && item[i] != ' ') {
            return false;
        }
    }
    return len > 1 && strncmp(p->e164, prefix, len) == 0;
}

bool
phone_sms_allowed(const struct phone *p, const char *prefixes)
{
    if (str_starts(p->e164, "+250") && !phone_is_rw_mobile(p))
        return false;
    for (const char *item = prefixes; *item != '\0';) {
        size_t n = strcspn(item, ",");
        if (prefix_matches(p, item, n))
            return true;
        item += n;
        item += *item == ',';
    }
    return false;
}

const char *
phone_digits(const struct phone *p)
{
    return p->e164[0] == '+' ? p->e164 + 1 : p->e164;
}

void
phone_mask(const struct phone *p, char out[20])
{
    const size_t tail = 2;
    size_t n = strlen(p->e164);
    size_t head = n < tail + 4 ? 0 : n - tail - 4;
    if (head > strlen("+2507"))
        head = strlen("+2507");
    memcpy(out, p->e164, n + 1);
    for (size_t i = head; i + tail < n; i++)
        out[i] = '*';
}
