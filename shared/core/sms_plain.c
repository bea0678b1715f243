/*
 * sms_plain - sms_text_plain(): a text written for a screen becomes one for the radio. It works on
 * code points, in steps that each change the array in place; only the last one, the spelling in
 * GSM-7, may be taken back.
 */
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "core/gsm7.h"
#include "core/latin.h"
#include "core/sms_text.h"

#define REMOVED 0u /* no text holds NUL */

struct codes {
    uint32_t *at;
    size_t n;
};

struct range {
    uint32_t first, last;
};

/* What is not drawn, and what is drawn as a picture. Emoji that have a spelling (arrows, circled
 * digits, bullets) are not here; of a keycap only the frame is, so that "press 1" keeps its 1. */
static const struct range dropped[] = {
    { 0x0001, 0x0008 }, { 0x000B, 0x000C },   { 0x000E, 0x001F },   { 0x007F, 0x0084 },
    { 0x0086, 0x009F }, { 0x00AD, 0x00AD },   { 0x00B6, 0x00B6 },   { 0x034F, 0x034F },
    { 0x061C, 0x061C }, { 0x180E, 0x180E },   { 0x200B, 0x200F },   { 0x202A, 0x202E },
    { 0x2060, 0x206F }, { 0x20E3, 0x20E3 },   { 0x2139, 0x2139 },   { 0x2195, 0x2199 },
    { 0x21A9, 0x21AA }, { 0x231A, 0x231B },   { 0x2328, 0x2328 },   { 0x23CF, 0x23CF },
    { 0x23E9, 0x23F3 }, { 0x23F8, 0x23FA },   { 0x24C2, 0x24C2 },   { 0x25C0, 0x25C0 },
    { 0x2600, 0x2714 }, { 0x2717, 0x2775 },   { 0x2798, 0x2798 },   { 0x27B0, 0x27B0 },
    { 0x27BF, 0x27BF }, { 0x2934, 0x2935 },   { 0x2B06, 0x2B07 },   { 0x2B1B, 0x2B1C },
    { 0x2B50, 0x2B50 }, { 0x2B55, 0x2B55 },   { 0x3030, 0x3030 },   { 0x303D, 0x303D },
    { 0x3297, 0x3297 }, { 0x3299, 0x3299 },   { 0xFE00, 0xFE0F },   { 0xFEFF, 0xFEFF },
    { 0xFFF9, 0xFFFC }, { 0x1F000, 0x1FAFF }, { 0xE0000, 0xE01EF },
};

static bool
is_dropped(uint32_t code)
{
    if (code >= ' ' && code <= '~')
        return false;
    for (size_t i = 0; i < COUNT_OF(dropped); i++) {
        if (code >= dropped[i].first && code <= dropped[i].last)
            return true;
    }
    return false;
}

static bool
is_break(uint32_t code)
{
    return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

static bool
is_blank(uint32_t code)
{
    return code == ' ' || code == '\t' || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Letters and digits of any script; marks of WhatsApp count only at their edges. */
static bool
is_word(uint32_t code)
{
    if (code < 0x80)
        return (code >= '0' && code <= '9') || latin_base(code) != '\0';
    return code >= 0xC0 && !is_blank(code) && !is_break(code) &&
           !(code >= 0x2010 && code <= 0x2BFF);
}

/* Is it one of these ASCII characters? */
static bool
is_one_of(uint32_t code, const char *characters)
{
    return code != 0 && code < 0x80 && strchr(characters, (int)code) != NULL;
}

static struct codes
codes_read(struct arena *a, const char *text)
{
    const char *end = text + strlen(text);
    struct codes c = { .at = arena_array(a, (size_t)(end - text) + 1, sizeof(uint32_t)) };
    for (const char *p = text; p < end;) {
        uint32_t code = utf8_next(&p, end);
        if (code != '\r' || p == end || *p != '\n')
            c.at[c.n++] = code;
    }
    return c;
}

static void
codes_compose(struct codes *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint32_t composed =
            n > 0 && latin_is_mark(c->at[i]) ? latin_compose(c->at[n - 1], c->at[i]) : 0;
        if (composed != 0)
            c->at[n - 1] = composed;
        else
            c->at[n++] = c->at[i];
    }
    c->n = n;
}

static void
codes_drop(struct codes *c)
{
    size_t n = 0;
    bool gap = false;
    for (size_t i = 0; i < c->n; i++) {
        uint32_t code = c->at[i];
        if (is_dropped(code)) {
            gap = true;
            continue;
        }
        /* "Thank you <emoji>." must not become "Thank you ." */
        if (gap && n > 0 && c->at[n - 1] == ' ' && is_one_of(code, ".,;:!?)"))
            n--;
        gap = false;
        c->at[n++] = code;
    }
    c->n = n;
}

/* How often the mark at i is repeated. */
static size_t
run_length(const struct codes *c, size_t i)
{
    size_t n = 1;
    while (i + n < c->n && c->at[i + n] == c->at[i])
        n++;
    return n;
}

static bool
starts_line(const struct codes *c, size_t i)
{
    while (i > 0 && is_blank(c->at[i - 1]))
        i--;
    return i == 0 || is_break(c->at[i - 1]);
}

/* Can the n marks at i begin something? Not inside a word, nor inside a URL. */
static bool
can_open(const struct codes *c, size_t i, size_t n)
{
    if (i + n >= c->n || is_blank(c->at[i + n]) || is_break(c->at[i + n]))
        return false;
    return i == 0 || !(is_word(c->at[i - 1]) || is_one_of(c->at[i - 1], "/=&?#@%+$.\\"));
}

static bool
can_close(const struct codes *c, size_t i, size_t n)
{
    return !is_blank(c->at[i - 1]) && !is_break(c->at[i - 1]) &&
           (i + n == c->n || !(is_word(c->at[i + n]) || is_one_of(c->at[i + n], "/=&#@%+$\\")));
}

/* *182*8*1# and *131* are what people dial, not bold numbers. */
static bool
is_dialled(const struct codes *c, size_t from, size_t to)
{
    if (c->at[from - 1] != '*')
        return false;
    while (from < to && is_one_of(c->at[from], "0123456789#"))
        from++;
    return from == to;
}

/* Removes the n marks at i and their partners, if they are a pair. Between them the mark must not
 * occur. */
static void
pair_remove(struct codes *c, size_t i, size_t n)
{
    uint32_t mark = c->at[i];
    bool is_block = mark == '`' && n == 3;
    size_t close = i + n;
    if (n > 3 || (!is_block && !can_open(c, i, n)))
        return;
    while (close < c->n && c->at[close] != mark && (is_block || !is_break(c->at[close])))
        close++;
    if (close == c->n || c->at[close] != mark || run_length(c, close) != n)
        return;
    if ((!is_block && !can_close(c, close, n)) || is_dialled(c, i + n, close))
        return;
    for (size_t k = 0; k < n; k++)
        c->at[i + k] = c->at[close + k] = REMOVED;
}

static void
codes_unmark(struct codes *c)
{
    for (size_t i = 0; i < c->n;) {
        if (!is_one_of(c->at[i], "*_~`")) {
            i++;
            continue;
        }
        size_t n = run_length(c, i);
        if (c->at[i] == '*' && n == 1 && i + 1 < c->n && is_blank(c->at[i + 1]) &&
            starts_line(c, i))
            c->at[i] = '-';
        else
            pair_remove(c, i, n);
        i += n;
    }
}

/* A combining mark that lost its letter would change the one it now stands behind. */
static bool
is_orphan(uint32_t code, bool behind_letter)
{
    return !behind_letter && latin_is_mark(code);
}

/* One blank between words, none at the edges of a line, at most one empty line. White space is
 * counted and written only when a letter follows. */
static void
codes_fold(struct codes *c)
{
    size_t n = 0, blanks = 0, breaks = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint32_t code = c->at[i];
        if (is_break(code)) {
            breaks++;
        } else if (is_blank(code)) {
            blanks++;
        } else if (code != REMOVED && !is_orphan(code, n > 0 && blanks + breaks == 0)) {
            if (n > 0 && breaks > 0)
                c->at[n++] = '\n';
            if (n > 0 && breaks > 1)
                c->at[n++] = '\n';
            if (n > 0 && breaks == 0 && blanks > 0)
                c->at[n++] = ' ';
            c->at[n++] = code;
            blanks = breaks = 0;
        }
    }
    c->n = n;
}

static char *
codes_write(struct arena *a, const struct codes *c)
{
    struct buf out = buf_init(a, c->n * 4 + 1);
    for (size_t i = 0; i < c->n; i++) {
        char letter[4];
        buf_add(&out, letter, utf8_put(c->at[i], letter));
    }
    return out.data;
}

/* The text in GSM-7, NULL when a character has no spelling there. */
static char *
codes_spell(struct arena *a, const struct codes *c)
{
    struct buf out = buf_init(a, c->n * GSM7_SPELLING_MAX + 1);
    for (size_t i = 0; i < c->n; i++) {
        char spelling[GSM7_SPELLING_MAX + 1];
        if (!gsm7_spell(c->at[i], spelling))
            return NULL;
        /* French sets blanks inside its quotation marks. */
        if (c->at[i] == 0xBB && out.len > 0 && out.data[out.len - 1] == ' ')
            buf_cut(&out, out.len - 1);
        buf_adds(&out, spelling);
        if (c->at[i] == 0xAB && i + 1 < c->n && c->at[i + 1] == ' ')
            i++;
    }
    return out.data;
}

char *
sms_text_plain(struct arena *a, const char *text)
{
    struct codes c = codes_read(a, text);
    codes_drop(&c);
    codes_compose(&c);
    codes_unmark(&c);
    codes_fold(&c);
    char *spelled = codes_spell(a, &c);
    return spelled != NULL ? spelled : codes_write(a, &c);
}
