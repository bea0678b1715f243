/*
 * keyword - the words that govern consent, in English, Kinyarwanda, French and Swahili,
 * and those that begin another conversation.
 */
#ifndef OMNI_CORE_KEYWORD_H
#define OMNI_CORE_KEYWORD_H

#include "core/channel.h"

enum keyword { KEYWORD_NONE, KEYWORD_STOP, KEYWORD_START, KEYWORD_HELP, KEYWORD_NEW };

/*
 * The whole message must be the word: case, accents, white space and quotes around it, and emoji
 * and punctuation behind it do not matter. By SMS a stop word stops too with one or two words that
 * only ask for it ("stop please", "stop sending SMS") or a short code ("stop to 8080") behind it;
 * with any other it may be a place ("stop Kimironko") and is an ordinary message. The other words
 * may have the short code behind them, as our own lines say it ("START to 8080"). END, CANCEL,
 * SIBA, GUSIBA, REKA, QUIT may be ordinary answers in a chat, so they mean stop on SMS only, and
 * alone. INFO and HELP words mean help. NEW words leave behind what was said before.
 *
 * *language: "rw", "fr" or "sw" for a word of that language alone; "" for those that people of
 * every language write (STOP, HELP, INFO, NEW, ...), and for none.
 */
enum keyword keyword_find(const char *text, enum channel channel, const char **language);

const char *keyword_text(enum keyword k); /* "", "stop", "start", "help", "new" */

#endif
