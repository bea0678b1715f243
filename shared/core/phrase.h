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
    PHRASE_CALL_RECORDED, /* no text is ready: "We received your call. Reply here and we will go on
                             from there." */
    PHRASE_COUNT
};

/* Static text. */
const char *phrase_get(enum phrase p, enum language l);

#endif
