/*
 * guard_words - numbers that are said in words, written out in figures: "zéro sept cent
 * quatre-vingt-huit" is "0 788". Private to flow/guard*.c.
 */
#ifndef OMNI_FLOW_GUARD_WORDS_H
#define OMNI_FLOW_GUARD_WORDS_H

#include "flow/guard_scan.h"

#define GUARD_WORD_DIGITS 12 /* room for the figures of one number in words */

/* What a word means where numbers are said. */
enum guard_word {
    GUARD_WORD_NONE,
    GUARD_WORD_UNIT,          /* 0 to 9 */
    GUARD_WORD_TEEN,          /* 10 to 19, to which nothing is added */
    GUARD_WORD_TENS,          /* 10, 20 to 90: a unit may follow */
    GUARD_WORD_TENS_OR_TEENS, /* "soixante": a teen too */
    GUARD_WORD_TENS_FIRST,    /* "mirongo inani": how many tens follows */
    GUARD_WORD_HUNDRED,       /* "sept cent": how many comes before */
    GUARD_WORD_HUNDRED_FIRST, /* "mia saba": how many follows */
    GUARD_WORD_REPEAT,        /* "double": what follows comes more than once */
    GUARD_WORD_PLUS,
};

/* The word that begins at i, its value and its length. */
enum guard_word guard_word_at(const struct guard_scan *s, size_t i, int *value, size_t *len);

/* The figures of the number in words that begins at i; 0 for none, or how many characters it is
 * long. 'split': "soixante douze" without a dash is two numbers, as two pairs of digits are said.
 */
size_t guard_words_read(const struct guard_scan *s, size_t i, bool split,
                        char out[GUARD_WORD_DIGITS]);

/* Blanks or a dash: what stands between words that belong together. */
size_t guard_words_link(const struct guard_scan *s, size_t i);

/* The same with the word that adds one number to another: " na ", " n'". */
size_t guard_words_joint(const struct guard_scan *s, size_t i);

#endif
