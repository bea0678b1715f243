/*
 * prompt - what the agent reads: its instructions, the person, the call, the session's context, and
 * the messages of all channels.
 */
#ifndef OMNI_FLOW_PROMPT_H
#define OMNI_FLOW_PROMPT_H

#include "model/turn.h"
#include "provider/chat.h"

/* How many messages a turn looks back, and how many characters of them at most (the older ones go
 * first). */
#define PROMPT_MAX_LINES 40
#define PROMPT_MAX_CHARS 12000

/* The messages of the request, in 'a'. What people wrote stands in messages of their own, never
 * among the instructions. */
struct chat_message *prompt_messages(struct arena *a, const struct turn_context *t, size_t *n);

#endif
