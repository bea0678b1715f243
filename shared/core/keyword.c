/*
 * keyword - a message is reduced to capital ASCII letters and looked up in one list. Everything
 * that is not such a word, however similar, is an ordinary message and reaches the agent.
 */
#include "core/keyword.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "core/latin.h"

#define LETTERS_MAX 16 /* the longest word has 11 */
#define WORDS_MAX   3  /* of a message that says no more than stop */

struct word {
    const char *text;
    enum keyword keyword;
    const char *language; /* "" for a word that people of every language write */
    bool is_sms_only;
};

/* Words of a message, in capitals without accents, and whether a short code is behind them: our own
 * texts say "send STOP to 8080". */
struct said {
    char words[WORDS_MAX][LETTERS_MAX + 1];
    size_t n;
    bool has_code;
};

static const struct word words[] = {
    { "STOP", KEYWORD_STOP, "", false },         { "STOPALL", KEYWORD_STOP, "", false },
    { "UNSUBSCRIBE", KEYWORD_STOP, "", false },  { "OPTOUT", KEYWORD_STOP, "", false },
    { "HAGARIKA", KEYWORD_STOP, "rw", false },   { "GUHAGARIKA", KEYWORD_STOP, "rw", false },
    { "ARRET", KEYWORD_STOP, "fr", false },      { "ARRETER", KEYWORD_STOP, "fr", false },
    { "DESABONNER", KEYWORD_STOP, "fr", false }, { "STOPPER", KEYWORD_STOP, "fr", false },
    { "ACHA", KEYWORD_STOP, "sw", false },       { "SIMAMISHA", KEYWORD_STOP, "sw", false },
    { "SITISHA", KEYWORD_STOP, "sw", false },    { "END", KEYWORD_STOP, "", true },
    { "CANCEL", KEYWORD_STOP, "", true },        { "QUIT", KEYWORD_STOP, "", true },
    { "SIBA", KEYWORD_STOP, "rw", true },        { "GUSIBA", KEYWORD_STOP, "rw", true },
    { "REKA", KEYWORD_STOP, "rw", true },        { "START", KEYWORD_START, "", false },
    { "UNSTOP", KEYWORD_START, "", false },      { "TANGIRA", KEYWORD_START, "rw", false },
    { "SUBUKURA", KEYWORD_START, "rw", false },  { "REPRENDRE", KEYWORD_START, "fr", false },
    { "ANZA", KEYWORD_START, "sw", false },      { "HELP", KEYWORD_HELP, "", false },
    { "UBUFASHA", KEYWORD_HELP, "rw", false },   { "AIDE", KEYWORD_HELP, "fr", false },
    { "MSAADA", KEYWORD_HELP, "sw", false },     { "INFO", KEYWORD_HELP, "", false },
    { "NEW", KEYWORD_NEW, "", false },           { "BISHYA", KEYWORD_NEW, "rw", false },
    { "BUSHYA", KEYWORD_NEW, "rw", false },      { "NOUVEAU", KEYWORD_NEW, "fr", false },
    { "MPYA", KEYWORD_NEW, "sw", false },
};

/* White space and what is not drawn (keyboards add a zero-width space or a byte order mark). */
static bool
is_blank(uint32_t code)
{
    return (code >= '\t' && code <= '\r') || code == ' ' || code == 0xA0 ||
           (code >= 0x2000 && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
           code == 0x202F || code == 0x205F || code == 0x3000 || code == 0xFEFF;
}

/* Drawn, but says nothing: emoji, symbols, punctuation. */
static bool
is_ornament(uint32_t code)
{
    return (code < 0x80 && code > ' ' && strchr(".!?,;:*\"'()-_~", (int)code) != NULL) ||
           (code >= 0x2010 && code <= 0x2027) || (code >= 0x2030 && code <= 0x2BFF) ||
           (code >= 0x3001 && code <= 0x303F) || (code >= 0xFE00 && code <= 0xFE0F) ||
           code == 0x20E3 || (code >= 0x1F000 && code <= 0x1FAFF) || code == 0xBF || code == 0xA1 ||
           code == 0xAB || code == 0xBB || code == 0x2026;
}

/* May stand in front of the first word: what quotes it or sets it in bold. */
static bool
is_opening(uint32_t code)
{
    return (code < 0x80 && code > ' ' && strchr("*\"'(_~", (int)code) != NULL) || code == 0xAB ||
           code == 0x2039 || (code >= 0x2018 && code <= 0x201F);
}

/* Adds a letter, as a capital, to the word we are in, or begins the next one; false when there are
 * too many of either. */
static bool
add_letter(struct said *out, size_t *letters, bool inside, char base)
{
    if (!inside) {
        if (out->n == WORDS_MAX)
            return false;
        out->n++;
        *letters = 0;
    }
    if (*letters == LETTERS_MAX)
        return false;
    out->words[out->n - 1][(*letters)++] = (char)toupper((unsigned char)base);
    return true;
}

/* Steps over the rest of a short code; false when it has not 3 to 6 digits. */
static bool
code_read(const char **p, const char *end)
{
    size_t digits = 1;

    while (*p < end && isdigit((unsigned char)**p)) {
        digits++;
        (*p)++;
    }
    return digits >= 3 && digits <= 6;
}

/* Up to WORDS_MAX words of Latin letters, perhaps a short code behind them; false when there is
 * more, or something else than what is blank or an ornament. */
static bool
words_read(const char *text, struct said *out)
{
    const char *end = text + strlen(text);
    size_t letters = 0;
    bool inside = false;

    *out = (struct said){ .n = 0 };
    for (const char *p = text; p < end;) {
        uint32_t code = utf8_next(&p, end);
        char base = latin_base(code);

        if (base != '\0') {
            if (out->has_code || !add_letter(out, &letters, inside, base))
                return false;
            inside = true;
        } else if (latin_is_mark(code)) {
            if (!inside)
                return false;
        } else if (is_blank(code)) {
            inside = false;
        } else if (out->n > 0 && is_ornament(code)) {
            const char *next = p;

            if (inside && p < end && latin_base(utf8_next(&next, end)) != '\0')
                return false; /* "ST.OP" is no word */
            inside = false;
        } else if (code >= '0' && code <= '9' && out->n > 0 && !inside && !out->has_code) {
            if (!code_read(&p, end))
                return false;
            out->has_code = true;
        } else if (out->n > 0 || !is_opening(code)) {
            return false;
        }
    }
    return out->n > 0;
}

/* A stop word with other words behind it may be a place ("stop Kimironko", "arret Nyabugogo") or
 * begin a sentence with another sense ("acha nione"): it stops only with these. */
static const char *const courtesies[] = {
    "PLEASE",   "PLZ",        "PLS",        "NOW",        "SMS",          "MESSAGE",
    "MESSAGES", "MSG",        "MSGS",       "THIS",       "THESE",        "IT",
    "THAT",     "THANKS",     "ALL",        "STOP",       "ME",           "YOUR",
    "TEXT",     "TEXTS",      "TEXTING",    "SENDING",    "MESSAGING",    "WRITING",
    "CALLING",  "CONTACTING", "BOTHERING",  "DISTURBING", "SPAM",         "SPAMMING",
    "ADS",      "OK",         "LES",        "CES",        "VOS",          "MERCI",
    "SVP",      "STP",        "MAINTENANT", "UBU",        "NONAHA",       "BUTUMWA",
    "UBUTUMWA", "BWANYU",     "MURAKOZE",   "NYAMUNEKA",  "KUNYANDIKIRA", "KUNYOHEREREZA",
    "SASA",     "UJUMBE",     "ASANTE",     "TAFADHALI",
};

/* Between a word and the short code. */
static const char *const ways[] = { "TO", "A", "AU", "KURI", "KWA" };

static bool
among(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(list[i], text))
            return true;
    }
    return false;
}

/* Does a stop word with something behind it mean stop? */
static bool
is_short_stop(const struct word *w, const struct said *said)
{
    static const char *const plain[] = { "STOPALL", "UNSUBSCRIBE", "OPTOUT", "DESABONNER" };
    size_t n = said->n;

    if (w->keyword != KEYWORD_STOP || w->is_sms_only)
        return false;
    if (among(plain, COUNT_OF(plain), w->text))
        return true; /* they have no other sense */
    if (said->has_code && n > 1 && among(ways, COUNT_OF(ways), said->words[n - 1]))
        n--;
    for (size_t i = 1; i < n; i++) {
        if (!among(courtesies, COUNT_OF(courtesies), said->words[i]))
            return false;
    }
    return true;
}

/* "START to 8080": the word and where to send it, as it stands in our own lines. */
static bool
is_addressed(const struct word *w, const struct said *said)
{
    if (!said->has_code || w->is_sms_only)
        return false;
    return said->n == 2 ? among(ways, COUNT_OF(ways), said->words[1])
                        : said->n == 1 && w->keyword == KEYWORD_START;
}

enum keyword
keyword_find(const char *text, enum channel channel, const char **language)
{
    struct said said;

    *language = "";
    if (!words_read(text, &said))
        return KEYWORD_NONE;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const struct word *w = &words[i];

        if (!str_eq(w->text, said.words[0]) || (w->is_sms_only && channel != CHANNEL_SMS))
            continue;
        if ((said.n == 1 && !said.has_code) ||
            (channel == CHANNEL_SMS && (is_short_stop(w, &said) || is_addressed(w, &said)))) {
            *language = w->language;
            return w->keyword;
        }
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
    case KEYWORD_NEW:
        return "new";
    }
    return "";
}
