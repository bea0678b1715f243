/*
 * answer - reading lists and choices, cutting long texts.
 */
#include "flow/answer.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "core/latin.h"
#include "core/sms_text.h"

/* Behind an item's number: ".", ")", ":" or, with blanks before it or not, a dash. How many bytes;
 * 0 for none. */
static size_t
mark_len(const char *p)
{
    static const char *const dashes[] = { "-", "\xE2\x80\x93", "\xE2\x80\x94" };
    size_t blanks = strspn(p, " \t");

    if (*p != '\0' && strchr(".):", *p) != NULL)
        return 1;
    for (size_t i = 0; i < COUNT_OF(dashes); i++) {
        if (str_starts(p + blanks, dashes[i]))
            return blanks + strlen(dashes[i]);
    }
    return 0;
}

/* "12. " or the like at the start of a line: its number, and where the words begin; 0 for none. */
static int
item_at(const char *line, const char **words)
{
    const char *p = line + strspn(line, " \t*_");
    size_t digits = strspn(p, "0123456789");
    size_t mark = mark_len(p + digits);
    int n = 0;

    if (digits < 1 || digits > 2 || mark == 0)
        return 0;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (p[i] - '0');
    p += digits + mark;
    p += strspn(p, "*_");
    if (*p != ' ' && *p != '\t')
        return 0;
    *words = p + strspn(p, " \t");
    return n;
}

/* One item's words: no marks of emphasis, no full stop. */
static const char *
title_of(struct arena *a, const char *words, size_t len)
{
    char *title = str_trim(a, arena_strndup(a, words, len));
    size_t n = 0;

    for (const char *p = title; *p != '\0'; p++) {
        if (*p != '*' && *p != '_' && *p != '`')
            title[n++] = *p;
    }
    while (n > 0 && strchr(" .;,", title[n - 1]) != NULL)
        n--;
    title[n] = '\0';
    return arena_strndup(a, title, utf8_prefix(title, ANSWER_MAX_TITLE));
}

size_t
answer_options(struct arena *a, const char *text, const char *out[ANSWER_MAX_OPTIONS])
{
    size_t n = 0;

    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *words = "";
        int number = item_at(line, &words);
        bool blank = strspn(line, " \t\r") >= len;
        bool more_of_item = *line == ' ' || *line == '\t'; /* an indented line goes on */

        if (number == (int)n + 1 && words < line + len) {
            if (n == ANSWER_MAX_OPTIONS)
                return 0; /* too many to choose from */
            out[n++] = title_of(a, words, len - (size_t)(words - line));
            if (*out[n - 1] == '\0')
                return 0;
        } else if (n > 0 && !blank && !more_of_item) {
            break;
        }
        line += len + (line[len] == '\n');
    }
    return n >= 2 ? n : 0;
}

/* Does text[0..len) and the hint fit? */
static bool
fits(struct arena *a, const char *text, size_t len, const char *hint, int segments)
{
    const char *part = arena_printf(a, "%.*s%s", (int)len, text, hint);

    return sms_text_size(part).segments <= segments;
}

/* Does a sentence or a line end before text[i]? Not behind the full stop of "A." or "2.". */
static bool
ends_sentence(const char *text, size_t i)
{
    if (text[i] == '\n')
        return true;
    return i > 0 && (text[i] == ' ' || text[i] == '\0') && strchr(".!?", text[i - 1]) != NULL &&
           !(i > 2 && text[i - 1] == '.' && (text[i - 3] == ' ' || text[i - 3] == '\n'));
}

const char *
answer_whole(struct arena *a, const char *text)
{
    for (size_t i = strlen(text); i > 0; i--) {
        if (ends_sentence(text, i))
            return str_trim(a, arena_strndup(a, text, i));
    }
    return text;
}

/* How much of the text the next part takes: up to the end of a sentence or line in the second half
 * of what fits, else of a word, else whatever fits. */
static size_t
part_len(struct arena *a, const char *text, const char *hint, int segments)
{
    size_t low = 1;
    size_t high = utf8_count(text);
    size_t room;

    while (low < high) { /* the most letters that fit */
        size_t mid = (low + high + 1) / 2;

        if (fits(a, text, utf8_prefix(text, mid), hint, segments))
            low = mid;
        else
            high = mid - 1;
    }
    room = utf8_prefix(text, low);
    for (size_t i = room; i > room / 2; i--) {
        if (ends_sentence(text, i))
            return i;
    }
    for (size_t i = room; i > room / 2; i--) {
        if (text[i] == ' ' || text[i] == '\n')
            return i;
    }
    return room;
}

size_t
answer_parts(struct arena *a, const char *plain, int segments, const struct answer_lines *lines,
             const char *out[ANSWER_MAX_PARTS])
{
    const char *hint = arena_printf(a, "\n%s", lines->more);
    const char *last = str_empty(lines->last) ? "" : arena_printf(a, "\n%s", lines->last);
    const char *rest = plain;
    size_t n = 0;

    if (fits(a, plain, strlen(plain), last, segments)) {
        out[0] = arena_printf(a, "%s%s", plain, last);
        return 1;
    }
    do {
        size_t len = part_len(a, rest, hint, segments);
        const char *next = rest + len + strspn(rest + len, " \n");

        while (len > 0 && (rest[len - 1] == ' ' || rest[len - 1] == '\n'))
            len--;
        out[n++] = arena_printf(a, "%.*s%s", (int)len, rest, hint);
        rest = next;
    } while (n + 1 < ANSWER_MAX_PARTS && sms_text_size(rest).segments > segments);
    out[n++] = sms_text_fit(a, rest, segments);
    return n;
}

/* A letter without its marks, small, or a digit; NUL for anything else. */
static char
small_or_digit(uint32_t code)
{
    char base = latin_base(code);

    if (code >= '0' && code <= '9')
        return (char)code;
    return (char)(base >= 'A' && base <= 'Z' ? base - 'A' + 'a' : base);
}

/* What people write around a choice: blanks, ornaments, marks; not a letter of another script. */
static bool
is_around(uint32_t code)
{
    if (code < 0x80)
        return strchr(" \t\r\n.!?)(#:\"'*", (int)code) != NULL;
    return code >= 0x2000 || latin_is_mark(code) || code == 0xA0;
}

/* Small ASCII letters and digits, single blanks between words; false when something else is in it
 * than what people write around a choice, or it is too long. */
static bool
plain_words(const char *text, char out[24])
{
    const char *end = text + strlen(text);
    size_t n = 0;

    for (const char *p = text; p < end;) {
        uint32_t code = utf8_next(&p, end);
        char c = small_or_digit(code);

        if (c != '\0') {
            if (n + 1 >= 24)
                return false;
            out[n++] = c;
            continue;
        }
        if (!is_around(code))
            return false;
        if (n > 0 && out[n - 1] != ' ' && !latin_is_mark(code) && n + 1 < 24)
            out[n++] = ' ';
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    return n > 0;
}

int
answer_choice(const char *text)
{
    static const char *const before[] = { "option ", "choice ",  "choix ", "number ", "numero ",
                                          "nimero ", "nambari ", "no ",    "nr ",     "chaguo ",
                                          "icya ",   "ya ",      "la ",    "the " };
    char words[24];
    const char *p = words;
    int64_t n;

    if (!plain_words(text, words))
        return 0;
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        if (str_starts(words, before[i]))
            p = words + strlen(before[i]);
    }
    return str_parse_int(p, 1, ANSWER_MAX_OPTIONS, &n) && p[0] != '0' ? (int)n : 0;
}

/* "1 to 8080", as it stands in our own line: the short code and the word before it go. */
static void
drop_address(char *words)
{
    static const char *const ways[] = { " to", " a", " au", " kuri", " kwa" };
    size_t n = strlen(words);
    size_t digits = 0;

    while (digits < n && words[n - digits - 1] >= '0' && words[n - digits - 1] <= '9')
        digits++;
    if (digits < 3 || digits > 6 || digits == n || words[n - digits - 1] != ' ')
        return;
    n -= digits + 1;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        size_t len = strlen(ways[i]);

        if (n > len && strncmp(words + n - len, ways[i], len) == 0) {
            words[n - len] = '\0';
            return;
        }
    }
}

bool
answer_wants_more(const char *text)
{
    static const char *const wishes[] = {
        "1",      "more",   "read more",   "suite", "la suite", "plus",        "continue", "next",
        "ibindi", "komeza", "ibikurikira", "zaidi", "endelea",  "more please", "suivant",
    };
    char words[24];

    if (!plain_words(text, words))
        return false;
    drop_address(words);
    for (size_t i = 0; i < COUNT_OF(wishes); i++) {
        if (str_eq(wishes[i], words))
            return true;
    }
    return false;
}
