/*
 * ground_word - cutting a text, and two small dictionaries.
 */
#include "core/ground_word.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "core/latin.h"

struct ground_text
ground_text_of(const char *text)
{
    return (struct ground_text){ .p = text, .end = text + strlen(text), .opens = true };
}

/* Letters of any script; of what is above ASCII, the punctuation is left out. */
static bool
is_letter(uint32_t c)
{
    if (c < 0x80)
        return isalpha((int)c) != 0;
    return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) &&
           !(c >= 0x3000 && c <= 0x303F) && c < 0x1F000 && c != 0xFEFF && c != UTF8_REPLACEMENT;
}

static bool
is_digit_at(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static size_t
digits_at(const char *p, const char *end)
{
    size_t n = 0;

    while (is_digit_at(p + n, end))
        n++;
    return n;
}

/* How long a separator of thousands at p is; 0 for none. */
static size_t
separator_at(const char *p, const char *end)
{
    static const char *const marks[] = { ",", ".", " ", "'", "\xC2\xA0", "\xE2\x80\xAF" };

    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        size_t n = strlen(marks[i]);

        if ((size_t)(end - p) >= n && strncmp(p, marks[i], n) == 0)
            return n;
    }
    return 0;
}

static uint64_t
value_of(const char *digits, size_t n, uint64_t before)
{
    for (size_t i = 0; i < n; i++)
        before = before * 10 + (uint64_t)(digits[i] - '0');
    return before;
}

/* Tenths, hundredths, thousandths behind a point or comma, unless it is a date's ("12.03.2026"). */
static uint64_t
read_fraction(struct ground_text *t)
{
    uint64_t milli;
    size_t n;

    if (t->p >= t->end || (*t->p != '.' && *t->p != ','))
        return 0;
    n = digits_at(t->p + 1, t->end);
    if (n < 1 || n > 3 ||
        (t->p + 1 + n < t->end && strchr("./", t->p[1 + n]) != NULL &&
         is_digit_at(t->p + 2 + n, t->end)))
        return 0;
    milli = value_of(t->p + 1, n, 0);
    for (size_t i = n; i < 3; i++)
        milli *= 10;
    t->p += 1 + n;
    return milli;
}

static void
read_number(struct ground_text *t, struct ground_token *out)
{
    size_t first = digits_at(t->p, t->end);
    uint64_t value = value_of(t->p, first, 0);
    uint64_t joined;
    const char *q;

    t->p += first;
    while (first <= 3) { /* groups of three */
        size_t gap = separator_at(t->p, t->end);

        if (gap == 0 || digits_at(t->p + gap, t->end) != 3)
            break;
        value = value_of(t->p + gap, 3, value);
        t->p += gap + 3;
    }
    joined = value;
    for (q = t->p; q + 1 < t->end && (*q == ' ' || *q == '-') && is_digit_at(q + 1, t->end);) {
        size_t n = digits_at(q + 1, t->end);

        joined = value_of(q + 1, n, joined);
        q += 1 + n;
    }
    out->kind = GROUND_NUMBER;
    out->milli = value * 1000 + read_fraction(t);
    out->joined = joined == value ? out->milli : joined * 1000;
}

/* Adds a letter to the word's first n bytes, small and without its marks, while there is room; how
 * many bytes it has then. */
static size_t
add_letter(struct ground_token *out, size_t n, uint32_t c)
{
    char base = latin_base(c);
    char letter[4] = { (char)tolower((unsigned char)base) };
    size_t size = base != 0 ? 1 : utf8_put(c, letter);

    if (n + size >= sizeof(out->word))
        return n;
    memcpy(out->word + n, letter, size);
    return n + size;
}

static void
read_word(struct ground_text *t, struct ground_token *out)
{
    const char *began = t->p;
    size_t n = 0;

    while (t->p < t->end) {
        const char *next = t->p;
        uint32_t c = utf8_next(&next, t->end);

        if (!is_letter(c))
            break;
        if (t->p == began)
            out->is_capital = latin_base(c) >= 'A' && latin_base(c) <= 'Z';
        t->p = next;
        if (!latin_is_mark(c))
            n = add_letter(out, n, c);
    }
    out->kind = GROUND_WORD;
}

void
ground_next(struct ground_text *t, struct ground_token *out)
{
    *out = (struct ground_token){ .kind = GROUND_END };
    while (t->p < t->end) {
        const char *next = t->p;
        uint32_t c = utf8_next(&next, t->end);

        if (is_letter(c) || is_digit_at(t->p, t->end)) {
            out->opens = t->opens;
            t->opens = false;
            if (is_letter(c))
                read_word(t, out);
            else
                read_number(t, out);
            return;
        }
        if (c < 0x80 && strchr(".!?:;\n\"(*", (int)c) != NULL)
            t->opens = true;
        if (c == 0x201C || c == 0xAB || c == 0x2022)
            t->opens = true;
        t->p = next;
    }
}

static const struct {
    const char *words; /* of one value, in all languages */
    int64_t value;
    enum number_role role;
} numbers[] = {
    { "one un une moja rimwe umwe kimwe imwe", 1, NUMBER_VALUE },
    { "two deux mbili kabiri babiri bibiri ebyiri abiri biri", 2, NUMBER_VALUE },
    { "three trois tatu gatatu batatu bitatu itatu atatu eshatu", 3, NUMBER_VALUE },
    { "four quatre nne kane bane bine ine ane enye", 4, NUMBER_VALUE },
    { "five cinq tano gatanu batanu bitanu itanu atanu eshanu", 5, NUMBER_VALUE },
    { "six sita gatandatu batandatu bitandatu itandatu atandatu esheshatu", 6, NUMBER_VALUE },
    { "seven sept saba karindwi barindwi birindwi irindwi arindwi", 7, NUMBER_VALUE },
    { "eight huit nane umunani inani munani", 8, NUMBER_VALUE },
    { "nine neuf tisa icyenda cyenda", 9, NUMBER_VALUE },
    { "ten dix kumi icumi", 10, NUMBER_VALUE },
    { "eleven onze", 11, NUMBER_VALUE },
    { "twelve douze", 12, NUMBER_VALUE },
    { "thirteen treize", 13, NUMBER_VALUE },
    { "fourteen quatorze", 14, NUMBER_VALUE },
    { "fifteen quinze", 15, NUMBER_VALUE },
    { "sixteen seize", 16, NUMBER_VALUE },
    { "seventeen", 17, NUMBER_VALUE },
    { "eighteen", 18, NUMBER_VALUE },
    { "nineteen", 19, NUMBER_VALUE },
    { "twenty vingt vingts ishirini makumyabiri", 20, NUMBER_VALUE },
    { "thirty trente thelathini", 30, NUMBER_VALUE },
    { "forty quarante arobaini", 40, NUMBER_VALUE },
    { "fifty cinquante hamsini", 50, NUMBER_VALUE },
    { "sixty soixante sitini", 60, NUMBER_VALUE },
    { "seventy sabini", 70, NUMBER_VALUE },
    { "eighty themanini", 80, NUMBER_VALUE },
    { "ninety tisini", 90, NUMBER_VALUE },
    { "ijana", 100, NUMBER_VALUE },
    { "igihumbi", 1000, NUMBER_VALUE },
    { "hundred cent cents", 100, NUMBER_BEHIND },
    { "thousand mille milliers k", 1000, NUMBER_BEHIND },
    { "million millions", 1000000, NUMBER_BEHIND },
    { "mirongo", 10, NUMBER_BEFORE },
    { "mia magana", 100, NUMBER_BEFORE },
    { "elfu ibihumbi", 1000, NUMBER_BEFORE },
    { "laki", 100000, NUMBER_BEFORE },
    { "milioni miliyoni miriyoni", 1000000, NUMBER_BEFORE },
    { "and et na", 0, NUMBER_AND },
};

/* Whether the word is one of a list that is parted by blanks. */
static bool
is_among(const char *word, const char *list)
{
    size_t n = strlen(word);

    for (const char *p = n > 0 ? strstr(list, word) : NULL; p != NULL; p = strstr(p + 1, word)) {
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    }
    return false;
}

enum number_role
ground_number_word(const char *word, int64_t *value)
{
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (is_among(word, numbers[i].words)) {
            *value = numbers[i].value;
            return numbers[i].role;
        }
    }
    return NUMBER_NONE;
}

static const char *const days[] = {
    "monday lundi jumatatu",    "tuesday mardi jumanne",  "wednesday mercredi jumatano",
    "thursday jeudi alhamisi",  "friday vendredi ijumaa", "saturday samedi jumamosi",
    "sunday dimanche jumapili",
};

static const char *const months[] = {
    "january janvier januari mutarama",
    "february fevrier februari gashyantare",
    "march mars machi werurwe",
    "april avril aprili mata",
    "may mai mei gicurasi",
    "june juin juni kamena",
    "july juillet julai nyakanga",
    "august aout agosti kanama",
    "september septembre septemba nzeri",
    "october octobre oktoba ukwakira",
    "november novembre novemba ugushyingo",
    "december decembre desemba ukuboza",
};

int
ground_date_word(const char *word, bool *is_common)
{
    *is_common = is_among(word, "may march mars mata mei mai august");
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        if (is_among(word, days[i]))
            return (int)i + 1;
    }
    for (size_t i = 0; i < COUNT_OF(months); i++) {
        if (is_among(word, months[i]))
            return (int)i + 101;
    }
    return 0;
}

int
ground_rw_day(const char *word)
{
    static const char *const after_wa[] = { "mbere", "kabiri", "gatatu",
                                            "kane",  "gatanu", "gatandatu" };

    for (size_t i = 0; i < COUNT_OF(after_wa); i++) {
        if (str_eq(word, after_wa[i]))
            return (int)i + 1;
    }
    return 0;
}
