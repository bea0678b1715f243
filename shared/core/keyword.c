/*
 * keyword - a message is reduced to capital ASCII letters and looked up in one list. Everything
 * that is not such a word, however similar, is an ordinary message and reaches the agent.
 */
#include "core/keyword.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "core/latin.h"

#define LETTERS_MAX 16 /* the longest word has 11 */

struct word {
    const char *text;
    enum keyword keyword;
    bool is_sms_only;
};

static const struct word words[] = {
    { "STOP", KEYWORD_STOP, false },        { "STOPALL", KEYWORD_STOP, false },
    { "UNSUBSCRIBE", KEYWORD_STOP, false }, { "OPTOUT", KEYWORD_STOP, false },
    { "HAGARIKA", KEYWORD_STOP, false },    { "GUHAGARIKA", KEYWORD_STOP, false },
    { "ARRET", KEYWORD_STOP, false },       { "ARRETER", KEYWORD_STOP, false },
    { "DESABONNER", KEYWORD_STOP, false },  { "STOPPER", KEYWORD_STOP, false },
    { "ACHA", KEYWORD_STOP, false },        { "SIMAMISHA", KEYWORD_STOP, false },
    { "SITISHA", KEYWORD_STOP, false },     { "END", KEYWORD_STOP, true },
    { "CANCEL", KEYWORD_STOP, true },       { "QUIT", KEYWORD_STOP, true },
    { "SIBA", KEYWORD_STOP, true },         { "GUSIBA", KEYWORD_STOP, true },
    { "REKA", KEYWORD_STOP, true },         { "START", KEYWORD_START, false },
    { "UNSTOP", KEYWORD_START, false },     { "TANGIRA", KEYWORD_START, false },
    { "SUBUKURA", KEYWORD_START, false },   { "REPRENDRE", KEYWORD_START, false },
    { "ANZA", KEYWORD_START, false },       { "HELP", KEYWORD_HELP, false },
    { "UBUFASHA", KEYWORD_HELP, false },    { "AIDE", KEYWORD_HELP, false },
    { "MSAADA", KEYWORD_HELP, false },      { "INFO", KEYWORD_HELP, false },
};

/* White space and what is not drawn (keyboards add a zero-width space or a byte order mark). */
static bool
is_blank(uint32_t code)
{
    return (code >= '\t' && code <= '\r') || code == ' ' || code == 0xA0 ||
           (code >= 0x2000 && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000 || code == 0xFEFF;
}

/* The word in capitals without accents; false when the text is not one word of Latin letters. */
static bool
word_read(const char *text, char out[LETTERS_MAX + 1])
{
    const char *end = text + strlen(text);
    size_t n = 0;
    bool ended = false;
    for (const char *p = text; p < end;) {
        uint32_t code = utf8_next(&p, end);
        char base = latin_base(code);
        if (base != '\0') {
            if (ended || n == LETTERS_MAX)
                return false;
            out[n++] = (char)(base >= 'a' ? base - 'a' + 'A' : base);
        } else if (n > 0 && (is_blank(code) || code == '.' || code == '!' || code == '?')) {
            ended = true;
        } else if (!is_blank(code) && !(n > 0 && !ended && latin_is_mark(code))) {
            return false;
        }
    }
    out[n] = '\0';
    return n > 0;
}

enum keyword
keyword_find(const char *text, enum channel channel)
{
    char letters[LETTERS_MAX + 1];
    if (!word_read(text, letters))
        return KEYWORD_NONE;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(words[i].text, letters))
            return words[i].is_sms_only && channel != CHANNEL_SMS ? KEYWORD_NONE : words[i].keyword;
    }
    return KEYWORD_NONE;
}

const char *
keyword_text(enum keyword k)
{
    switch (k) {
    case KEYWORD_NONE:
        return "";
    case KEYWORD_STOP:
        return "stop";
    case KEYWORD_START:
        return "start";
    case KEYWORD_HELP:
        return "help";
    }
    return "";
}
