/*
 * chat_words - the words of a model's message: text, or parts of text, without what it thought
 * aloud.
 */
#ifndef OMNI_PROVIDER_CHAT_WORDS_H
#define OMNI_PROVIDER_CHAT_WORDS_H

#include "core/json.h"

/* In 'a', trimmed; "" when there are none. */
const char *chat_words(struct arena *a, struct json_object *content);

#endif
