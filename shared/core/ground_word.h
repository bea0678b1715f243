/*
 * ground_word - the parts of a text that ground.c compares: words, folded to small ASCII letters
 * where they are Latin, and runs of digits; and what a word means as a number or a date, in
 * English, French, Kinyarwanda and Kiswahili.
 */
#ifndef OMNI_CORE_GROUND_WORD_H
#define OMNI_CORE_GROUND_WORD_H

#include "base/base.h"

#define GROUND_WORD_MAX 48

enum ground_kind { GROUND_END, GROUND_WORD, GROUND_NUMBER };

struct ground_token {
    enum ground_kind kind;
    char word[GROUND_WORD_MAX]; /* folded; long ones are cut */
    bool is_capital;            /* begins with a capital letter */
    bool opens;                 /* the first of its sentence */
    uint64_t milli;             /* a number's thousandfold; wraps, which only makes it another */
    uint64_t joined;            /* with the runs of digits that follow after single blanks:
                                   "0788 123 456" is one number too; else the same */
};

struct ground_text {
    const char *p;
    const char *end;
    bool opens;
};

struct ground_text ground_text_of(const char *text);
void ground_next(struct ground_text *t, struct ground_token *out);

/* What a word means in a number. */
enum number_role {
    NUMBER_NONE,
    NUMBER_VALUE,  /* "twenty": adds */
    NUMBER_BEHIND, /* "thousand": multiplies what stands before it */
    NUMBER_BEFORE, /* "elfu", "ibihumbi": multiplies what follows */
    NUMBER_AND,    /* "and", "et", "na": joins */
};
enum number_role ground_number_word(const char *word, int64_t *value);

/* A day of the week (1 to 7, from Monday) or a month (101 to 112); 0 for neither. *is_common: the
 * word means something else where it has no capital ("may", "march"). */
int ground_date_word(const char *word, bool *is_common);

/* "ku wa gatanu": what follows "wa"; 1 to 6, else 0. */
int ground_rw_day(const char *word);

#endif
