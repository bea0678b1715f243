/*
 * guard_words - the words for numbers in English, French, Kinyarwanda and Swahili, and how they
 * make one number.
 */
#include "flow/guard_words.h"

#include <stdio.h>
#include <string.h>

#define UNIT    GUARD_WORD_UNIT
#define TEEN    GUARD_WORD_TEEN
#define TENS    GUARD_WORD_TENS
#define HUNDRED GUARD_WORD_HUNDRED
#define REPEAT  GUARD_WORD_REPEAT

static const struct {
    const char *word;
    enum guard_word kind;
    int value;
} words[] = {
    /* English */
    { "zero", UNIT, 0 },
    { "oh", UNIT, 0 },
    { "o", UNIT, 0 },
    { "nought", UNIT, 0 },
    { "nil", UNIT, 0 },
    { "one", UNIT, 1 },
    { "two", UNIT, 2 },
    { "three", UNIT, 3 },
    { "four", UNIT, 4 },
    { "five", UNIT, 5 },
    { "six", UNIT, 6 },
    { "seven", UNIT, 7 },
    { "eight", UNIT, 8 },
    { "nine", UNIT, 9 },
    { "ten", TEEN, 10 },
    { "eleven", TEEN, 11 },
    { "twelve", TEEN, 12 },
    { "thirteen", TEEN, 13 },
    { "fourteen", TEEN, 14 },
    { "fifteen", TEEN, 15 },
    { "sixteen", TEEN, 16 },
    { "seventeen", TEEN, 17 },
    { "eighteen", TEEN, 18 },
    { "nineteen", TEEN, 19 },
    { "twenty", TENS, 20 },
    { "thirty", TENS, 30 },
    { "forty", TENS, 40 },
    { "fourty", TENS, 40 },
    { "fifty", TENS, 50 },
    { "sixty", TENS, 60 },
    { "seventy", TENS, 70 },
    { "eighty", TENS, 80 },
    { "ninety", TENS, 90 },
    { "hundred", HUNDRED, 100 },
    { "double", REPEAT, 2 },
    { "triple", REPEAT, 3 },
    { "treble", REPEAT, 3 },
    { "plus", GUARD_WORD_PLUS, 0 },
    /* French */
    { "nul", UNIT, 0 },
    { "un", UNIT, 1 },
    { "une", UNIT, 1 },
    { "deux", UNIT, 2 },
    { "trois", UNIT, 3 },
    { "quatre", UNIT, 4 },
    { "cinq", UNIT, 5 },
    { "sept", UNIT, 7 },
    { "huit", UNIT, 8 },
    { "neuf", UNIT, 9 },
    { "dix", TENS, 10 },
    { "onze", TEEN, 11 },
    { "douze", TEEN, 12 },
    { "treize", TEEN, 13 },
    { "quatorze", TEEN, 14 },
    { "quinze", TEEN, 15 },
    { "seize", TEEN, 16 },
    { "vingt", TENS, 20 },
    { "vingts", TENS, 20 },
    { "trente", TENS, 30 },
    { "quarante", TENS, 40 },
    { "cinquante", TENS, 50 },
    { "soixante", GUARD_WORD_TENS_OR_TEENS, 60 },
    { "septante", TENS, 70 },
    { "huitante", TENS, 80 },
    { "octante", TENS, 80 },
    { "nonante", TENS, 90 },
    { "cent", HUNDRED, 100 },
    { "cents", HUNDRED, 100 },
    /* Swahili */
    { "sifuri", UNIT, 0 },
    { "moja", UNIT, 1 },
    { "mbili", UNIT, 2 },
    { "tatu", UNIT, 3 },
    { "nne", UNIT, 4 },
    { "tano", UNIT, 5 },
    { "sita", UNIT, 6 },
    { "saba", UNIT, 7 },
    { "nane", UNIT, 8 },
    { "tisa", UNIT, 9 },
    { "kumi", TENS, 10 },
    { "ishirini", TENS, 20 },
    { "thelathini", TENS, 30 },
    { "arobaini", TENS, 40 },
    { "arubaini", TENS, 40 },
    { "hamsini", TENS, 50 },
    { "sitini", TENS, 60 },
    { "sabini", TENS, 70 },
    { "themanini", TENS, 80 },
    { "tisini", TENS, 90 },
    { "mia", GUARD_WORD_HUNDRED_FIRST, 100 },
    /* Kinyarwanda, counting and with the prefixes of hundreds and tens */
    { "zeru", UNIT, 0 },
    { "ubusa", UNIT, 0 },
    { "rimwe", UNIT, 1 },
    { "imwe", UNIT, 1 },
    { "kabiri", UNIT, 2 },
    { "ebyiri", UNIT, 2 },
    { "abiri", UNIT, 2 },
    { "gatatu", UNIT, 3 },
    { "eshatu", UNIT, 3 },
    { "atatu", UNIT, 3 },
    { "itatu", UNIT, 3 },
    { "kane", UNIT, 4 },
    { "enye", UNIT, 4 },
    { "ane", UNIT, 4 },
    { "ine", UNIT, 4 },
    { "gatanu", UNIT, 5 },
    { "eshanu", UNIT, 5 },
    { "atanu", UNIT, 5 },
    { "itanu", UNIT, 5 },
    { "gatandatu", UNIT, 6 },
    { "esheshatu", UNIT, 6 },
    { "atandatu", UNIT, 6 },
    { "itandatu", UNIT, 6 },
    { "karindwi", UNIT, 7 },
    { "arindwi", UNIT, 7 },
    { "irindwi", UNIT, 7 },
    { "indwi", UNIT, 7 },
    { "umunani", UNIT, 8 },
    { "munani", UNIT, 8 },
    { "inani", UNIT, 8 },
    { "icyenda", UNIT, 9 },
    { "cyenda", UNIT, 9 },
    { "icumi", TENS, 10 },
    { "cumi", TENS, 10 },
    { "makumyabiri", TENS, 20 },
    { "mirongo", GUARD_WORD_TENS_FIRST, 10 },
    { "ijana", HUNDRED, 100 },
    { "magana", GUARD_WORD_HUNDRED_FIRST, 100 },
};

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == GUARD_LETTER;
}

enum guard_word
guard_word_at(const struct guard_scan *s, size_t i, int *value, size_t *len)
{
    *len = 0;
    if (i > 0 && is_letter(s->fold[i - 1]))
        return GUARD_WORD_NONE;
    while (is_letter(s->fold[i + *len]) && !s->cut[i + *len] && !s->kept[i + *len])
        (*len)++;
    for (size_t k = 0; *len > 0 && k < COUNT_OF(words); k++) {
        if (strlen(words[k].word) == *len && strncmp(words[k].word, s->fold + i, *len) == 0) {
            *value = words[k].value;
            return words[k].kind;
        }
    }
    return GUARD_WORD_NONE;
}

size_t
guard_words_link(const struct guard_scan *s, size_t i)
{
    size_t blanks = strspn(s->fold + i, " ");

    return blanks > 0 ? blanks : s->fold[i] == '-';
}

size_t
guard_words_joint(const struct guard_scan *s, size_t i)
{
    static const char *const joiners[] = { "and ", "et ", "et-", "na ", "n'" };
    size_t link = guard_words_link(s, i);

    for (size_t k = 0; link > 0 && k < COUNT_OF(joiners); k++) {
        if (strncmp(s->fold + i + link, joiners[k], strlen(joiners[k])) == 0)
            return link + strlen(joiners[k]);
    }
    return link;
}

/* Adds what follows at *i, if it is a number between 'least' and 'most' that one word says. */
static bool
add_word(const struct guard_scan *s, size_t *i, int least, int most, int *total)
{
    size_t gap = guard_words_joint(s, *i);
    size_t len;
    int value = 0;
    enum guard_word kind = guard_word_at(s, *i + gap, &value, &len);

    if (gap == 0 || kind == GUARD_WORD_NONE || kind > GUARD_WORD_TENS || value < least ||
        value > most)
        return false;
    *total += value;
    *i += gap + len;
    return true;
}

/* "vingt" behind "quatre", the unit behind "mirongo" or "mia": what multiplies. */
static int
next_word(const struct guard_scan *s, size_t *i, enum guard_word wanted)
{
    size_t gap = guard_words_link(s, *i);
    size_t len;
    int value = 0;

    if (gap == 0 || guard_word_at(s, *i + gap, &value, &len) != wanted || value == 0)
        return 0;
    *i += gap + len;
    return value;
}

/* A number below a hundred at *i, -1 for none. */
static int
below_hundred(const struct guard_scan *s, size_t *i, bool split)
{
    size_t len;
    int total = 0;
    enum guard_word kind = guard_word_at(s, *i, &total, &len);
    size_t p = *i + len;
    size_t behind = p;
    bool teens = kind == GUARD_WORD_TENS_OR_TEENS;

    if (kind == GUARD_WORD_TENS_FIRST) {
        total *= next_word(s, &behind, GUARD_WORD_UNIT);
    } else if (kind == GUARD_WORD_UNIT && total == 4 && (!split || s->fold[p] == '-') &&
               next_word(s, &p, GUARD_WORD_TENS) == 20) {
        total = 80;
        teens = true;
        behind = p;
    } else if (kind == GUARD_WORD_NONE || kind > GUARD_WORD_TENS_OR_TEENS) {
        return -1;
    }
    *i = behind;
    if (total < 10 || kind == GUARD_WORD_TEEN)
        return total > 0 || kind == GUARD_WORD_UNIT ? total : -1;
    teens = teens && (!split || s->fold[*i] == '-');
    if (add_word(s, i, 1, teens ? 19 : 9, &total) && total % 20 == 10)
        add_word(s, i, 7, 9, &total); /* quatre-vingt-dix-sept */
    return total;
}

/* Adds what is below a hundred to the hundreds before it: "sept cent quatre-vingt-huit". */
static int
with_rest(const struct guard_scan *s, size_t *i, bool split, int total)
{
    size_t gap = guard_words_joint(s, *i);
    size_t p = *i + gap;
    int rest = gap > 0 ? below_hundred(s, &p, split) : -1;

    if (rest <= 0)
        return total;
    *i = p;
    return total + rest;
}

static int
number_at(const struct guard_scan *s, size_t *i, bool split)
{
    size_t len;
    int total = 0;
    enum guard_word kind = guard_word_at(s, *i, &total, &len);
    int times;

    if (kind == GUARD_WORD_HUNDRED || kind == GUARD_WORD_HUNDRED_FIRST) {
        *i += len;
        times = kind == GUARD_WORD_HUNDRED ? 1 : next_word(s, i, GUARD_WORD_UNIT);
        return with_rest(s, i, split, times > 0 ? total * times : total);
    }
    total = below_hundred(s, i, split);
    if (total > 0 && total < 10 && next_word(s, i, GUARD_WORD_HUNDRED) > 0)
        return with_rest(s, i, split, total * 100);
    return total;
}

/* "double eight", "triple 8": all of them but for one if that is a figure. */
static size_t
repeated(const struct guard_scan *s, size_t i, size_t len, int times, char out[GUARD_WORD_DIGITS])
{
    size_t at = i + len + guard_words_link(s, i + len);
    size_t word = 0;
    int digit = s->fold[at] - '0';
    bool figure = digit >= 0 && digit <= 9;

    if (at == i + len || (!figure && guard_word_at(s, at, &digit, &word) != GUARD_WORD_UNIT))
        return 0;
    times -= figure;
    memset(out, '0' + digit, (size_t)times);
    out[times] = '\0';
    return figure ? len : at + word - i;
}

size_t
guard_words_read(const struct guard_scan *s, size_t i, bool split, char out[GUARD_WORD_DIGITS])
{
    size_t len;
    size_t end = i;
    int value = 0;
    enum guard_word kind = guard_word_at(s, i, &value, &len);

    if (kind == GUARD_WORD_NONE)
        return 0;
    if (kind == GUARD_WORD_REPEAT)
        return repeated(s, i, len, value, out);
    if (kind == GUARD_WORD_PLUS) {
        end += len + guard_words_link(s, i + len);
        snprintf(out, GUARD_WORD_DIGITS, "+");
        return number_at(s, &end, split) >= 0 ? len : 0;
    }
    value = number_at(s, &end, split);
    if (value < 0)
        return 0;
    snprintf(out, GUARD_WORD_DIGITS, "%d", value);
    return end - i;
}
