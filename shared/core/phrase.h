/*
 * phrase - the fixed sentences that people read, in the four languages. Every one fits GSM-7 in one
 * SMS where it stands alone.
 */
#ifndef OMNI_CORE_PHRASE_H
#define OMNI_CORE_PHRASE_H

#include "core/channel.h"

enum phrase {
    PHRASE_FALLBACK, /* the agent is not reachable: one honest sentence, "your answer will follow"
                      */
    PHRASE_STOPPED,  /* confirmation of STOP on this channel, naming how to resume (START) */
    PHRASE_STARTED,  /* confirmation of START */
    PHRASE_HELP,     /* who we are, how to stop */
    PHRASE_NO_TEXT,  /* answer to a voice note, picture, ...: please write */
    PHRASE_SUMMARY_TITLE, /* "Your call with EasyMO" */
    PHRASE_NEXT_STEPS,    /* "Next steps" */
    PHRASE_REPLY_HINT,    /* "Reply to continue." */
    PHRASE_REPLY_TO,      /* "Reply to" (a short code follows) */
    PHRASE_CALL_RECORDED, /* no text is ready: "We received your call." */
    PHRASE_MISSED_CALL,   /* "Sorry, we missed your call." */
    PHRASE_AFRESH,        /* confirmation of NEW: what was before is left behind */
    PHRASE_HANDED_OVER,   /* no machine answers here for now; a person shall look */
    PHRASE_NO_VOICE,      /* answer to a voice note: please write */
    PHRASE_NO_PICTURE,    /* answer to a picture, video, sticker or file without words */
    PHRASE_MORE,          /* the last line of an SMS that goes on: "1 for more" */
    PHRASE_MORE_WORD,     /* the same where figures are taken by options */
    PHRASE_MORE_TO,       /* "For more: 1 to" (a short code follows) */
    PHRASE_MORE_WORD_TO,  /* the same where figures are taken by options */
    PHRASE_TO,            /* "send START to": the last word of it (a short code follows) */
    PHRASE_CHOOSE,        /* on the button that opens a list, at most 20 letters */
    PHRASE_COUNT
};

/* Static text. */
const char *phrase_get(enum phrase p, enum language l);

#endif
