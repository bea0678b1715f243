/*
 * keyword - the words that govern consent, in English, Kinyarwanda, French and Swahili (PROTOCOLS:
 * opt-out words).
 */
#ifndef OMNI_CORE_KEYWORD_H
#define OMNI_CORE_KEYWORD_H

#include "core/channel.h"

enum keyword { KEYWORD_NONE, KEYWORD_STOP, KEYWORD_START, KEYWORD_HELP };

/*
 * The whole message must be the word: case, accents, surrounding white space and trailing . ! ? do
 * not matter. END, CANCEL, SIBA, GUSIBA, REKA, QUIT may be ordinary answers in a chat, so they mean
 * stop on SMS only. INFO and HELP words mean help.
 */
enum keyword keyword_find(const char *text, enum channel channel);

const char *keyword_text(enum keyword k); /* "", "stop", "start", "help" */

#endif
