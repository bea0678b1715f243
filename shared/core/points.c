/*
 * points - one line out of anything.
 */
#include "core/points.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"

/* What separates words: ASCII's white space, NEL, and Unicode's spaces and line breaks. */
static bool
is_space(uint32_t c)
{
    return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* What takes no room on any screen. */
static bool
is_invisible(uint32_t c)
{
    return c < ' ' || c == 0x7F || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF;
}

const char *
points_flat(struct arena *a, const char *text)
{
    const char *p = text;
    const char *end = text + strlen(text);
    struct buf b = buf_init(a, 4 * strlen(text) + 4);
    bool gap = false;
    bool seen = false;

    while (p < end) {
        uint32_t c = utf8_next(&p, end);
        char letter[4];

        if (is_space(c)) {
            gap = b.len > 0;
            continue;
        }
        if (is_invisible(c) && c < 0x200B)
            continue;
        if (gap)
            buf_addc(&b, ' ');
        gap = false;
        seen = seen || !is_invisible(c); /* joiners stay between letters that need them */
        buf_add(&b, letter, utf8_put(c, letter));
    }
    return seen ? b.data : "";
}

/* Where the text begins behind a list's mark. */
static const char *
behind_mark(const char *text)
{
    static const char *const marks[] = { "-",
                                         "*",
                                         "\xE2\x80\xA2",
                                         "\xE2\x80\x93",
                                         "\xE2\x80\x94",
                                         "\xC2\xB7",
                                         "\xE2\x97\xA6",
                                         "\xE2\x96\xAA" };
    const char *p = text;

    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        size_t n = strlen(marks[i]);

        if (strncmp(text, marks[i], n) == 0 &&
            (text[n] == ' ' || text[n] == '\0' || str_eq(marks[i], "\xE2\x80\xA2")))
            return text + n + strspn(text + n, " ");
    }
    while (isdigit((unsigned char)*p))
        p++;
    if (p > text && p - text <= 2 && (*p == '.' || *p == ')') && p[1] == ' ')
        return p + 2;
    return text;
}

const char *
points_line(struct arena *a, const char *text)
{
    return points_flat(a, behind_mark(points_flat(a, text)));
}

struct points
points_of_array(struct arena *a, struct json_object *array)
{
    struct points out = { .lines = arena_array(a, json_count(array) + 1, sizeof(*out.lines)) };

    for (size_t i = 0; i < json_count(array); i++) {
        struct json_object *item = json_item(array, i);
        const char *line = points_line(a, json_opt_str(a, item, "text", json_text(a, item)));

        if (!str_empty(line))
            out.lines[out.n++] = line;
    }
    return out;
}

struct points
points_of_json(struct arena *a, const char *json)
{
    struct json_object *array = NULL;
    struct err ignored = { 0 };

    if (str_empty(json) || !json_parse(a, json, strlen(json), &array, &ignored))
        return (struct points){ 0 };
    return points_of_array(a, array);
}
