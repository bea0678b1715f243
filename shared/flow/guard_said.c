/*
 * guard_said - telephone numbers in words, or half in words: one rule for all languages is to
 * write the words out as figures and to look again. What an amount, a time or a year in words
 * becomes is an amount, a time or a year in figures, and as harmless.
 */
#include "flow/guard_said.h"

#include <string.h>

#include "flow/guard_words.h"

#define SAID_MIN 7 /* digits said as words in a row */

static void
put(struct guard_scan *out, char *fold, size_t at, char c)
{
    fold[out->n] = c;
    out->at[out->n++] = at;
}

/* Is it a digit in one word, or several of the same? */
static bool
is_digit_word(const struct guard_scan *s, size_t i, size_t len)
{
    int value;
    size_t word;
    enum guard_word kind = guard_word_at(s, i, &value, &word);

    return kind == GUARD_WORD_REPEAT || (kind == GUARD_WORD_UNIT && word == len);
}

/* Puts the figures of the words at i..i+len, of which the first stands for all. Digits that are
 * said one after the other are one group: '*joins' is where the last one of them ends. */
static void
put_figures(struct guard_scan *out, char *fold, const struct guard_scan *s, size_t i, size_t len,
            const char *figures, size_t *joins)
{
    bool digit = is_digit_word(s, i, len);

    if (digit && *joins > 0 && *joins < i && *joins + guard_words_link(s, *joins) == i)
        out->n -= i - *joins;
    for (const char *d = figures; *d != '\0'; d++)
        put(out, fold, d == figures ? i : i + len, *d);
    *joins = digit ? i + len : 0;
}

/* Behind a number: the "and" that goes before another. How long; 0 for none. */
static size_t
joint_at(const struct guard_scan *s, size_t i)
{
    char figures[GUARD_WORD_DIGITS];
    size_t joint = guard_words_joint(s, i);

    if (joint <= guard_words_link(s, i) || guard_words_read(s, i + joint, false, figures) == 0)
        return 0;
    return joint;
}

bool
guard_said_scan(const struct guard_scan *s, bool split, struct guard_scan *out)
{
    char *fold = arena_alloc(s->arena, s->n + 1); /* no figures are longer than their words */
    size_t joins = 0;
    bool found = false;

    *out = (struct guard_scan){ .arena = s->arena,
                                .raw = s->fold,
                                .fold = fold,
                                .at = arena_array(s->arena, s->n + 1, sizeof(*s->at)),
                                .cut = arena_array(s->arena, s->n + 1, sizeof(*s->cut)),
                                .kept = arena_array(s->arena, s->n + 1, sizeof(*s->kept)) };
    for (size_t i = 0; i < s->n;) {
        char figures[GUARD_WORD_DIGITS];
        size_t len = guard_words_read(s, i, split, figures);
        size_t joint;

        if (len > 0) {
            put_figures(out, fold, s, i, len, figures, &joins);
            found = true;
            joint = joint_at(s, i + len);
            if (joint > 0)
                put(out, fold, i + len, '&');
            len += joint;
        } else {
            out->cut[out->n] = s->cut[i];
            out->kept[out->n] = s->kept[i];
            put(out, fold, i, s->fold[i]);
            len = 1;
        }
        i += len;
    }
    fold[out->n] = '\0';
    out->at[out->n] = s->n;
    return found;
}

void
guard_said_apply(struct guard_scan *s, const struct guard_scan *said)
{
    for (size_t i = 0; i < said->n; i++) {
        if (said->cut[i])
            guard_scan_cut(s, said->at[i], said->at[i + 1]);
        else if (said->kept[i])
            guard_scan_keep(s, said->at[i], said->at[i + 1]);
    }
}

size_t
guard_said_mark(struct guard_scan *s)
{
    size_t marked = 0;
    size_t from = 0;
    size_t to = 0;
    size_t n = 0;

    for (size_t i = 0; i <= s->n;) {
        int value;
        size_t len;

        if (guard_word_at(s, i, &value, &len) != GUARD_WORD_NONE && is_digit_word(s, i, len)) {
            from = n++ == 0 ? i : from;
            to = i + len;
        } else if (len > 0 || i == s->n || s->cut[i] || s->kept[i] ||
                   strchr("0123456789\n", s->fold[i]) != NULL) {
            if (n >= SAID_MIN) {
                guard_scan_cut(s, from, to);
                marked++;
            }
            n = 0;
        }
        i += len > 0 ? len : 1;
    }
    return marked;
}
