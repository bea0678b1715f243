/*
 * config_value - parsers of single settings, without a look at the environment.
 */
#include "core/config_value.h"

#include <string.h>

#include "base/str.h"

#define MAX_ID       128
#define MAX_PREFIXES 1024

static const char *const known_providers[CONFIG_MAX_SMS_PROVIDERS] = {
    "mtn",
    "mtn-madapi",
    "kannel",
    "africastalking",
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *
config_value_line(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return "must be one line without control characters";
    }
    return NULL;
}

const char *
config_value_id(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    if (n == 0 || n > MAX_ID || text[n] != '\0')
        return "must be made of letters, digits, '.', '_' and '-'";
    return NULL;
}

const char *
config_value_url(const char *text, bool allow_http)
{
    size_t scheme = 0;

    if (str_starts(text, "https://"))
        scheme = strlen("https://");
    else if (str_starts(text, "http://"))
        scheme = strlen("http://");
    else
        return "must begin with https://";
    if (text[4] != 's' && !allow_http)
        return "must begin with https:// (ALLOW_HTTP=1 permits http://)";

    size_t host = strcspn(text + scheme, "/?#");
    if (host == 0)
        return "must name a host";
    if (memchr(text + scheme, '@', host) != NULL)
        return "must not hold a user or a password";
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7F)
            return "must not hold blanks, controls or letters outside ASCII";
    }
    return NULL;
}

const char *
config_value_decimal(struct arena *a, const char *text, int64_t min, int64_t max, int64_t *out)
{
    size_t whole = 0;
    size_t decimals = 0;
    int64_t n = 0;

    for (; whole < 15 && is_digit(text[whole]); whole++)
        n = n * 10 + (text[whole] - '0');
    const char *p = text + whole;
    if (*p == '.') {
        for (p++; is_digit(*p) && decimals < 3; p++, decimals++)
            n = n * 10 + (*p - '0');
        if (decimals == 0)
            p = ".";
    }
    for (; decimals < 3; decimals++)
        n *= 10;
    if (whole == 0 || *p != '\0' || n < min || n > max)
        return arena_printf(a, "must be from %.15g to %.15g, with at most 3 decimals",
                            (double)min / 1000, (double)max / 1000);
    *out = n;
    return NULL;
}

static const char *
provider_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(known_providers); i++) {
        if (str_eq(known_providers[i], name))
            return known_providers[i];
    }
    return NULL;
}

const char *
config_value_providers(struct arena *a, const char *text, const char *out[CONFIG_MAX_SMS_PROVIDERS])
{
    size_t n;
    char **names = str_split(a, text, ',', &n);

    for (size_t i = 0; i < CONFIG_MAX_SMS_PROVIDERS; i++)
        out[i] = "";
    if (n == 0)
        return "must name a gateway";
    for (size_t i = 0; i < n; i++) {
        const char *known = provider_find(names[i]);
        if (known == NULL)
            return "must be a list of mtn, mtn-madapi, kannel, africastalking";
        for (size_t j = 0; j < i; j++) {
            if (str_eq(out[j], known))
                return "must name each gateway once";
        }
        /* Each known name once: there is a place for all of them. */
        out[i] = known;
    }
    return NULL;
}

const char *
config_value_prefixes(struct arena *a, const char *text, const char **out)
{
    struct buf joined = buf_init(a, MAX_PREFIXES);
    size_t n;
    char **items = str_split(a, text, ',', &n);

    for (size_t i = 0; i < n; i++) {
        size_t digits = strspn(items[i] + 1, "0123456789");
        /* "+" alone would permit every number on earth. */
        if (items[i][0] != '+' || items[i][1] == '0' || digits == 0 || digits > 15 ||
            items[i][1 + digits] != '\0')
            return "must be a list of country codes like +250";
        buf_printf(&joined, "%s%s", i > 0 ? "," : "", items[i]);
    }
    if (n == 0 || buf_overflowed(&joined))
        return "must be a list of country codes like +250";
    *out = joined.data;
    return NULL;
}
