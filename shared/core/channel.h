/*
 * channel - the ways people reach us, and what kinds of message we send.
 *
 * The words are those of the database's checks and of the JSON interfaces.
 */
#ifndef OMNI_CORE_CHANNEL_H
#define OMNI_CORE_CHANNEL_H

#include "base/base.h"

enum channel { CHANNEL_VOICE, CHANNEL_WHATSAPP, CHANNEL_SMS };

const char *channel_text(enum channel c); /* "voice", "whatsapp", "sms" */
bool channel_parse(const char *text, enum channel *out) MUST_CHECK;

/* How a planned message goes out. */
enum mode { MODE_BOTH, MODE_FAILOVER, MODE_SMS_ONLY };

const char *mode_text(enum mode m); /* "both", "failover", "sms_only" */
bool mode_parse(const char *text, enum mode *out) MUST_CHECK;

enum message_type {
    MESSAGE_SUMMARY,
    MESSAGE_REPLY,
    MESSAGE_FALLBACK,
    MESSAGE_MISSED_CALL,
    MESSAGE_CONFIRMATION,
    MESSAGE_FOLLOW_UP,
    MESSAGE_TOOL,
    MESSAGE_OPERATOR,
};

const char *message_type_text(enum message_type t); /* "summary", "reply", ... */
bool message_type_parse(const char *text, enum message_type *out) MUST_CHECK;

/* Seconds after which a message is no longer worth sending: summary 6 h, reply 15 min, else 6 h. */
int message_type_expiry_s(enum message_type t);

enum language { LANG_RW, LANG_EN, LANG_FR, LANG_SW };

const char *language_text(enum language l); /* "rw", "en", "fr", "sw" */

/* From a code like "fr", "fr_FR", "FR-be", "kinyarwanda", "French"; false for any other. */
bool language_find(const char *text, enum language *out) MUST_CHECK;

/* The same; unknown or empty gives LANG_EN. */
enum language language_parse(const char *text);

#endif
