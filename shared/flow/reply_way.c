/*
 * reply_way - the short code's places in texts.
 */
#include "flow/reply_way.h"

#include <string.h>

#include "base/str.h"
#include "core/phone.h"
#include "core/sms_text.h"

#define DIGITS "0123456789"

/* A name, which no phone can send to. */
static bool
sender_is_name(const struct config *c)
{
    return phone_is_service_sender(c->mtn_sms_sender_id) &&
           strspn(c->mtn_sms_sender_id, DIGITS) != strlen(c->mtn_sms_sender_id);
}

const char *
reply_way_number(const struct config *c)
{
    return sender_is_name(c) ? c->sms_short_code : "";
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool
reply_way_is_named(struct arena *a, const struct config *c, const char *text, enum language l)
{
    const char *number = reply_way_number(c);
    const char *hint =
        sms_text_plain(a, arena_printf(a, "%s %s", phrase_get(PHRASE_REPLY_TO, l), number));

    if (str_empty(number))
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (str_starts_nocase(p, hint) && !is_digit(p[strlen(hint)])) /* no longer number */
            return true;
    }
    return false;
}

const char *
reply_way_hint(struct arena *a, const struct config *c, enum language l)
{
    if (!sender_is_name(c))
        return phrase_get(PHRASE_REPLY_HINT, l);
    if (str_empty(c->sms_short_code))
        return "";
    return arena_printf(a, "%s %s.", phrase_get(PHRASE_REPLY_TO, l), c->sms_short_code);
}

const char *
reply_way_more(struct arena *a, const struct config *c, enum language l, bool has_options)
{
    const char *number = reply_way_number(c);

    if (str_empty(number))
        return phrase_get(has_options ? PHRASE_MORE_WORD : PHRASE_MORE, l);
    return arena_printf(a, "%s %s",
                        phrase_get(has_options ? PHRASE_MORE_WORD_TO : PHRASE_MORE_TO, l), number);
}

const char *
reply_way_phrase(struct arena *a, const struct config *c, enum phrase p, enum language l)
{
    const char *text = phrase_get(p, l);
    const char *number = reply_way_number(c);

    if (str_empty(number))
        return text;
    if (p == PHRASE_STOPPED || p == PHRASE_STARTED || p == PHRASE_HELP)
        /* These end in the word to send, and a full stop. */
        return arena_printf(a, "%.*s %s %s.", (int)strlen(text) - 1, text, phrase_get(PHRASE_TO, l),
                            number);
    if (p == PHRASE_AFRESH)
        return arena_printf(a, "%s %s", text, reply_way_hint(a, c, l));
    return text;
}
