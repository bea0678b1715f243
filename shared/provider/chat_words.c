/*
 * chat_words - reading "content". Models that reason on local servers leave their thoughts in the
 * text, between marks; nobody but them shall read those.
 */
#include "provider/chat_words.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"

#define WORDS_MAX (1024 * 1024)

static const char *const marks[] = { "think", "thinking", "reasoning" };

/* Where the mark is in the text ("<think>" or "</think>"), NULL if nowhere. */
static const char *
find_mark(const char *text, const char *mark)
{
    size_t n = strlen(mark);

    for (const char *p = strchr(text, '<'); p != NULL; p = strchr(p + 1, '<')) {
        if (strncasecmp(p, mark, n) == 0)
            return p;
    }
    return NULL;
}

/* A thought that was begun before the text starts ends at its closing mark; one that is not closed
 * goes to the end. */
static const char *
without_thoughts(struct arena *a, const char *text, const char *mark)
{
    const char *begin = arena_printf(a, "<%s>", mark);
    const char *end = arena_printf(a, "</%s>", mark);
    const char *from = find_mark(text, begin);
    const char *to = find_mark(text, end);
    struct buf b;

    if (from == NULL && to == NULL)
        return text;
    b = buf_init(a, strlen(text) + 1);
    while (from != NULL || to != NULL) {
        if (from == NULL || (to != NULL && to < from))
            buf_cut(&b, 0);
        else
            buf_add(&b, text, (size_t)(from - text));
        if (to == NULL)
            return b.data;
        text = to + strlen(end);
        if (from != NULL && from < text)
            from = find_mark(text, begin);
        to = find_mark(text, end);
    }
    buf_adds(&b, text);
    return b.data;
}

const char *
chat_words(struct arena *a, struct json_object *content)
{
    struct buf b = buf_init(a, WORDS_MAX);
    const char *text;

    if (json_is_string(content))
        buf_adds(&b, json_text(a, content));
    for (size_t i = 0; i < json_count(content); i++) {
        struct json_object *part = json_item(content, i);
        const char *type = json_opt_str(a, part, "type", "text");

        if (json_is_string(part))
            buf_adds(&b, json_text(a, part));
        else if (str_eq(type, "text") || str_eq(type, "output_text"))
            buf_adds(&b, json_opt_str(a, part, "text", ""));
    }
    text = b.data;
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        text = without_thoughts(a, text, marks[i]);
    return str_trim(a, text);
}
