/*
 * clk_text - points in time as text and back: the half of clk.h that reads no clock.
 *
 * The calendar is counted by hand (days of the proleptic Gregorian calendar): POSIX has no inverse
 * of gmtime() that ignores the local time zone.
 */
#include "base/clk.h"

#define DAY_MS    ((int64_t)86400000)
#define LAST_YEAR 2100
/* Counts below are seconds, from here on milliseconds: as seconds this would be the year 5138. */
#define MILLISECONDS_FROM ((int64_t)100000000000)

/* Days from 1970-01-01. Years run from March to February here, so that the leap day is the last
 * one. */
static int64_t
days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static void
civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t since = days + 719468; /* from 0000-03-01 */
    int64_t era = (since >= 0 ? since : since - 146096) / 146097;
    int64_t day_of_era = since - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

char *
clk_iso(struct arena *a, int64_t ms)
{
    int64_t days = ms >= 0 ? ms / DAY_MS : -((DAY_MS - 1 - ms) / DAY_MS);
    int rest = (int)(ms - days * DAY_MS);
    int64_t year;
    int64_t month;
    int64_t day;

    civil_from_days(days, &year, &month, &day);
    return arena_printf(a, "%04lld-%02lld-%02lldT%02d:%02d:%02d.%03dZ", (long long)year,
                        (long long)month, (long long)day, rest / 3600000, rest / 60000 % 60,
                        rest / 1000 % 60, rest % 1000);
}

/* Reads exactly n digits, moves *p behind them. */
static bool
take_digits(const char **p, int n, int64_t *out)
{
    int64_t value = 0;

    for (; n > 0; n--, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = value * 10 + (**p - '0');
    }
    *out = value;
    return true;
}

static bool
take_char(const char **p, const char *any_of)
{
    for (; *any_of != '\0'; any_of++) {
        if (**p == *any_of) {
            (*p)++;
            return true;
        }
    }
    return false;
}

/* A fraction of a second, if there is one: at least one digit, those behind the third count
 * nothing. */
static bool
take_fraction(const char **p, int64_t *ms)
{
    int64_t weight = 100;

    *ms = 0;
    if (!take_char(p, ".,"))
        return true;
    const char *first = *p;
    for (; **p >= '0' && **p <= '9'; (*p)++, weight /= 10)
        *ms += weight * (**p - '0');
    return *p > first;
}

/* "Z", "+02:00", "+0200", "+02" or nothing. */
static bool
take_offset(const char **p, int64_t *minutes)
{
    int64_t hours = 0;
    int64_t rest = 0;

    *minutes = 0;
    if (**p == '\0' || take_char(p, "Zz"))
        return true;
    int64_t sign = **p == '-' ? -1 : 1;
    if (!take_char(p, "+-") || !take_digits(p, 2, &hours))
        return false;
    if (**p != '\0') {
        (void)take_char(p, ":"); /* optional */
        if (!take_digits(p, 2, &rest))
            return false;
    }
    *minutes = sign * (hours * 60 + rest);
    return hours <= 23 && rest <= 59;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    int64_t next_year = month == 12 ? year + 1 : year;
    int64_t next_month = month == 12 ? 1 : month + 1;

    return days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1);
}

/* The date and the time of day, as if it were UTC. */
static bool
take_date_time(const char **p, int64_t *ms)
{
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t fraction;

    if (!take_digits(p, 4, &year) || !take_char(p, "-") || !take_digits(p, 2, &month) ||
        !take_char(p, "-") || !take_digits(p, 2, &day) || !take_char(p, "Tt "))
        return false;
    if (!take_digits(p, 2, &hour) || !take_char(p, ":") || !take_digits(p, 2, &minute) ||
        !take_char(p, ":") || !take_digits(p, 2, &second) || !take_fraction(p, &fraction))
        return false;
    /* 60 is a leap second (RFC 3339); it counts as the first of the next minute. */
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    *ms = days_from_civil(year, month, day) * DAY_MS + hour * 3600000 + minute * 60000 +
          second * 1000 + fraction;
    return true;
}

static bool
in_range(int64_t ms)
{
    return ms >= 0 && ms < days_from_civil(LAST_YEAR + 1, 1, 1) * DAY_MS;
}

/* A bare count of seconds (a fraction is allowed) or of milliseconds. */
static bool
parse_count(const char *text, int64_t *ms)
{
    const char *p = text;
    int64_t count = 0;
    int64_t fraction;

    for (; *p >= '0' && *p <= '9'; p++) {
        if (p - text >= 15)
            return false;
        count = count * 10 + (*p - '0');
    }
    if (p == text || !take_fraction(&p, &fraction) || *p != '\0')
        return false;
    *ms = count >= MILLISECONDS_FROM ? count : count * 1000 + fraction;
    return true;
}

bool
clk_parse(const char *text, int64_t *ms)
{
    const char *p = text;
    int64_t found;
    int64_t offset;

    if (!parse_count(text, &found)) {
        if (!take_date_time(&p, &found) || !take_offset(&p, &offset) || *p != '\0')
            return false;
        found -= offset * 60000;
    }
    if (!in_range(found))
        return false;
    *ms = found;
    return true;
}
