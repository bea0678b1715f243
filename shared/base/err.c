/*
 * err - filling in struct err. Words are cut at a letter's edge, so that a cut one is still valid
 * UTF-8.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Copies as much of 'words' as fits. */
static void
put_text(struct err *e, const char *words)
{
    size_t n = strlen(words);

    if (n >= sizeof(e->text))
        n = sizeof(e->text) - 1;
    /* At most three bytes of a cut letter can be left at the end. */
    for (int i = 0; i < 3 && n > 0 && !utf8_valid(words, n); i++)
        n--;
    memcpy(e->text, words, n);
    e->text[n] = '\0';
}

bool
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    char words[sizeof(e->text) + 4]; /* composed aside: the arguments may point into *e */
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);

    e->kind = kind;
    e->code[0] = '\0';
    e->retry_after_s = 0;
    put_text(e, n < 0 ? "unknown" : words);
    return false;
}

bool
err_wrap(struct err *e, const char *context)
{
    char words[2 * sizeof(e->text)];

    int n = snprintf(words, sizeof(words), "%s: %s", context, e->text);
    if (n >= 0)
        put_text(e, words);
    return false;
}

bool
err_code(struct err *e, const char *code)
{
    (void)snprintf(e->code, sizeof(e->code), "%s", code);
    return false;
}

bool
err_retry(struct err *e, int after_s)
{
    e->retry_after_s = after_s;
    return false;
}

const char *
err_kind_text(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "none";
    case ERR_INVALID:
        return "invalid";
    case ERR_AUTH:
        return "auth";
    case ERR_FORBIDDEN:
        return "forbidden";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_TOO_LARGE:
        return "too_large";
    case ERR_MEDIA_TYPE:
        return "media_type";
    case ERR_DUPLICATE:
        return "duplicate";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_LIMIT:
        return "limit";
    case ERR_UNAVAILABLE:
        return "unavailable";
    case ERR_TEMP:
        return "temp";
    case ERR_PERM:
        return "perm";
    case ERR_BUG:
        return "bug";
    }
    return "bug";
}
