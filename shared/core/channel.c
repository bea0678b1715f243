/*
 * channel - the words of the enumerations, each in one table that is read in both directions.
 */
#include "core/channel.h"

#include <string.h>

#include "base/str.h"

#define HOUR_S 3600

static const char *const channels[] = {
    [CHANNEL_VOICE] = "voice",
    [CHANNEL_WHATSAPP] = "whatsapp",
    [CHANNEL_SMS] = "sms",
};

static const char *const modes[] = {
    [MODE_BOTH] = "both",
    [MODE_FAILOVER] = "failover",
    [MODE_SMS_ONLY] = "sms_only",
};

static const char *const message_types[] = {
    [MESSAGE_SUMMARY] = "summary",
    [MESSAGE_REPLY] = "reply",
    [MESSAGE_FALLBACK] = "fallback",
    [MESSAGE_MISSED_CALL] = "missed_call",
    [MESSAGE_CONFIRMATION] = "confirmation",
    [MESSAGE_FOLLOW_UP] = "follow_up",
    [MESSAGE_TOOL] = "tool",
    [MESSAGE_OPERATOR] = "operator",
};

static const char *const languages[] = {
    [LANG_RW] = "rw",
    [LANG_EN] = "en",
    [LANG_FR] = "fr",
    [LANG_SW] = "sw",
};

/* Other spellings of the languages: ISO 639-2 codes, and names as people and models write them. */
static const struct {
    const char *word;
    enum language language;
} language_words[] = {
    { "rw", LANG_RW },           { "kin", LANG_RW },      { "kinyarwanda", LANG_RW },
    { "ikinyarwanda", LANG_RW }, { "rwandan", LANG_RW },  { "rwanda", LANG_RW },
    { "en", LANG_EN },           { "eng", LANG_EN },      { "english", LANG_EN },
    { "fr", LANG_FR },           { "fra", LANG_FR },      { "fre", LANG_FR },
    { "french", LANG_FR },       { "francais", LANG_FR }, { "français", LANG_FR },
    { "igifaransa", LANG_FR },   { "sw", LANG_SW },       { "swa", LANG_SW },
    { "swh", LANG_SW },          { "swahili", LANG_SW },  { "kiswahili", LANG_SW },
    { "igiswahili", LANG_SW },
};

/* The index of the word, or -1. */
static int
word_find(const char *const *words, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(words[i], text))
            return (int)i;
    }
    return -1;
}

const char *
channel_text(enum channel c)
{
    return channels[c];
}

bool
channel_parse(const char *text, enum channel *out)
{
    int i = word_find(channels, COUNT_OF(channels), text);

    if (i >= 0)
        *out = (enum channel)i;
    return i >= 0;
}

const char *
mode_text(enum mode m)
{
    return modes[m];
}

bool
mode_parse(const char *text, enum mode *out)
{
    int i = word_find(modes, COUNT_OF(modes), text);

    if (i >= 0)
        *out = (enum mode)i;
    return i >= 0;
}

const char *
message_type_text(enum message_type t)
{
    return message_types[t];
}

bool
message_type_parse(const char *text, enum message_type *out)
{
    int i = word_find(message_types, COUNT_OF(message_types), text);

    if (i >= 0)
        *out = (enum message_type)i;
    return i >= 0;
}

int
message_type_expiry_s(enum message_type t)
{
    return t == MESSAGE_REPLY ? HOUR_S / 4 : 6 * HOUR_S;
}

const char *
language_text(enum language l)
{
    return languages[l];
}

/* True when 'text' begins with the word, and the word ends there: at the end, before a region
 * ("fr_FR", "en-GB"), or before another language ("en/rw"). */
static bool
begins_with_word(const char *text, const char *word)
{
    size_t n = 0;

    if (!str_starts_nocase(text, word))
        return false;
    while (word[n] != '\0')
        n++;
    return text[n] == '\0' || strchr("-_ ,/;", text[n]) != NULL;
}

bool
language_find(const char *text, enum language *out)
{
    while (*text == ' ')
        text++;
    for (size_t i = 0; i < COUNT_OF(language_words); i++) {
        if (begins_with_word(text, language_words[i].word)) {
            *out = language_words[i].language;
            return true;
        }
    }
    return false;
}

enum language
language_parse(const char *text)
{
    enum language l;

    return language_find(text, &l) ? l : LANG_EN;
}
