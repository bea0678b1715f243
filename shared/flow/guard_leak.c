/*
 * guard_leak - does a text give away its instructions, or the machinery behind it? Long runs of the
 * same words, however they are spaced and capitalised; names of tools, keys, ids and JSON. What an
 * agent knows it knows from its instructions too: a run that gives no rule may be a good deal
 * longer.
 */
#include <string.h>

#include "base/str.h"
#include "flow/guard_scan.h"
#include "flow/tool.h"

#define BLOCK     16 /* a shared run longer than two of these holds one whole, aligned */
#define RUN_WORDS 8
#define RUN_CHARS 40  /* of those words: eight tiny ones prove nothing */
#define RUN_LONG  60  /* enough by itself */
#define FACT_LONG 120 /* of what is no rule: who we are, what we do, what counts */
#define KEY_MIN   32  /* characters of a key, a hash or encoded text in one piece */

/* How the machinery is called, in guard_scan_words' spelling. */
static const char *const inner_words[] = {
    "system prompt",
    "system message",
    "system instruction",
    "developer message",
    "developer instruction",
    "hidden instruction",
    "internal instruction",
    "initial prompt",
    "my instructions",
    "my prompt",
    "prompt systeme",
    "message systeme",
    "instructions systeme",
    "instruction systeme",
    "instructions internes",
    "mes instructions",
    "instructions cachees",
    "consignes internes",
    "maagizo ya mfumo",
    "maagizo yangu",
    "maelekezo ya mfumo",
    "maelekezo yangu",
    "amabwiriza ya sisitemu",
    "amabwiriza yanjye",
    "amabwiriza nahawe",
    "ibanga rya sisitemu",
    "data not instructions",
    "service role key",
    "api key",
    "access token",
    "token secret",
    "bearer token",
    "function call",
    "tool call",
    "tool calls",
    "idempotency key",
    "profile id",
    "session id",
    "as their phone gives it",
};

/* Marks of chat templates, tool calls and JSON, as they stand. */
static const char *const inner_marks[] = {
    "<|",
    "|>",
    "<tool",
    "</tool",
    "<function",
    "<system",
    "</system",
    "[inst]",
    "[/inst]",
    "<<sys",
    "{\"",
    "{'",
    "{ \"",
    "{\n",
    "\"name\":",
    "\"arguments\"",
    "\"role\":",
    "\"content\":",
    "tool_call",
    "function_call",
    "```json",
    "profile_id",
    "session_id",
    "call_id",
    "turn_id",
    "idempotency_key",
    "###instruction",
    "### instruction",
    "database_url",
    "service_role",
    "_secret",
    "_token",
    "api_key",
};

/* "word word" at the edges of words. */
static bool
has_words(const char *text, const char *words)
{
    size_t len = strlen(words);

    for (const char *p = strstr(text, words); p != NULL; p = strstr(p + 1, words)) {
        bool begins = p == text || p[-1] == ' ';

        if (begins &&
            (p[len] == '\0' || p[len] == ' ' || str_starts(p + len, "s ") || str_eq(p + len, "s")))
            return true;
    }
    return false;
}

/* Is the mark in the text? An underscore is one only behind a letter: "_secret_" is emphasis. */
static bool
has_mark(const char *text, const char *mark)
{
    for (const char *p = strstr(text, mark); p != NULL; p = strstr(p + 1, mark)) {
        if (*mark != '_' || (p > text && p[-1] >= 'a' && p[-1] <= 'z'))
            return true;
    }
    return false;
}

/* Words of somebody who tells an agent how to behave, and not of one who tells a person something.
 */
static const char *const rule_words[] = {
    "you",   "your",     "never",     "always",    "unless",   "must",     "tool",
    "tools", "vous",     "votre",     "jamais",    "toujours", "dois",     "devez",
    "outil", "outils",   "tu",        "kamwe",     "lazima",   "usiseme",  "usimwambie",
    "daima", "na rimwe", "ntuzigere", "buri gihe", "ugomba",   "ntugomba",
};

/* Does the run give a rule? Without blanks, short ones are found in any word, and say nothing. */
static bool
has_rule(const char *run, size_t n, bool spaced)
{
    for (size_t i = 0; i < COUNT_OF(rule_words); i++) {
        size_t len = strlen(rule_words[i]);

        for (size_t at = 0; at + len <= n; at++) {
            bool edges = !spaced || ((at == 0 || run[at - 1] == ' ') &&
                                     (at + len == n || run[at + len] == ' '));

            if (edges && (spaced || len > 4) && strncmp(run + at, rule_words[i], len) == 0)
                return true;
        }
    }
    return false;
}

/* Is what the two have in common around t[i] = w[k] long enough? */
static bool
is_long_run(const char *t, size_t i, const char *w, size_t k, bool spaced)
{
    size_t from = 0;
    size_t to = 0;
    size_t words = 0;

    while (i > from && k > from && t[i - from - 1] == w[k - from - 1])
        from++;
    while (t[i + to] != '\0' && t[i + to] == w[k + to])
        to++;
    if (!has_rule(t + i - from, from + to, spaced))
        return from + to >= (spaced ? FACT_LONG : FACT_LONG - 20);
    if (!spaced)
        return from + to >= RUN_LONG - 10;
    if (from + to >= RUN_LONG)
        return true;
    for (size_t p = i - from; p < i + to; p++)
        words += t[p] == ' ' && p > i - from && p + 1 < i + to;
    return words + 1 >= RUN_WORDS && from + to >= RUN_CHARS;
}

/* Do the two share a long run? Looks for aligned blocks of 't' in 'w' and measures around them. */
static bool
shares_run(const char *t, const char *w, bool spaced)
{
    size_t n = strlen(t);
    char block[BLOCK + 1];

    for (size_t i = 0; i + BLOCK <= n; i += BLOCK) {
        memcpy(block, t + i, BLOCK);
        block[BLOCK] = '\0';
        for (const char *p = strstr(w, block); p != NULL; p = strstr(p + 1, block)) {
            if (is_long_run(t, i, w, (size_t)(p - w), spaced))
                return true;
        }
    }
    return false;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool
is_uuid(const char *p)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? p[i] != '-' : !is_hex(p[i]))
            return false;
    }
    return true;
}

/* A piece of KEY_MIN characters that is no word: digits in the middle of letters, and not only
 * before them ("8h-17h/2-bedroom"). */
static bool
is_key(const char *p, size_t len)
{
    size_t mixed = 0;

    for (size_t i = 1; i < len; i++)
        mixed += p[i] >= '0' && p[i] <= '9' && p[i - 1] >= 'a' && p[i - 1] <= 'z';
    return len >= KEY_MIN && mixed >= 2;
}

/* name_of_a_tool( or {: a call written out; 'behind' is what follows the name. */
static bool
is_call(const char *p, size_t len, const char *behind)
{
    behind += strspn(behind, " ");
    return memchr(p, '_', len) != NULL && (*behind == '(' || *behind == '{');
}

static bool
is_tool_name(const char *p, size_t len)
{
    for (size_t i = 0; tool_all[i] != NULL; i++) {
        if (strlen(tool_all[i]->name) == len && strncmp(tool_all[i]->name, p, len) == 0)
            return true;
    }
    return false;
}

/* Underscores around a word are emphasis and none of its letters. */
static bool
is_inner_name(const char *p, size_t len)
{
    const char *behind = p + len;

    while (len > 0 && *p == '_') {
        p++;
        len--;
    }
    while (len > 0 && p[len - 1] == '_')
        len--;
    return len > 0 && (is_call(p, len, behind) || is_tool_name(p, len));
}

static bool
begins(const struct guard_scan *s, size_t i, const char *letters)
{
    return i == 0 || strchr(letters, s->fold[i - 1]) == NULL;
}

/* Looks at every piece without blanks. */
static bool
has_inner_piece(const struct guard_scan *s)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    static const char piece[] = "abcdefghijklmnopqrstuvwxyz0123456789_+/=-";

    for (size_t i = 0; i < s->n; i++) {
        const char *p = s->fold + i;

        if (begins(s, i, name) && (is_inner_name(p, strspn(p, name)) || is_uuid(p)))
            return true;
        if (begins(s, i, piece) && !s->kept[i] && is_key(p, strspn(p, piece)))
            return true;
    }
    return false;
}

/* guard_scan_words without the numbers of lists. */
static const char *
words_of(struct arena *a, const char *text)
{
    const char *words = guard_scan_words(a, text);
    char *out = arena_alloc(a, strlen(words) + 2);
    size_t n = 0;

    for (const char *p = words; *p != '\0';) {
        size_t len = strcspn(p, " ");

        if (strspn(p, "0123456789") < len) {
            memcpy(out + n, p, len);
            n += len;
            out[n++] = ' ';
        }
        p += len + (p[len] == ' ');
    }
    out[n > 0 ? n - 1 : 0] = '\0';
    return out;
}

static char *
without_blanks(struct arena *a, const char *text)
{
    char *out = arena_alloc(a, strlen(text) + 1);
    size_t n = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p != ' ')
            out[n++] = *p;
    }
    out[n] = '\0';
    return out;
}

const char *
guard_leak_find(const struct guard_scan *s, const char *instructions)
{
    const char *words = words_of(s->arena, s->raw);

    if (!str_empty(instructions)) {
        const char *inner = words_of(s->arena, instructions);

        if (shares_run(words, inner, true) ||
            shares_run(without_blanks(s->arena, words), without_blanks(s->arena, inner), false))
            return "leak";
    }
    for (size_t i = 0; i < COUNT_OF(inner_words); i++) {
        if (has_words(words, inner_words[i]))
            return "internal";
    }
    for (size_t i = 0; i < COUNT_OF(inner_marks); i++) {
        if (has_mark(s->fold, inner_marks[i]))
            return "internal";
    }
    return has_inner_piece(s) ? "internal" : NULL;
}
