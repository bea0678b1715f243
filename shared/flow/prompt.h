/*
 * prompt - what the agent reads: its instructions, and as data the person, the call, the session's
 * context, an earlier conversation, and the messages of all channels.
 */
#ifndef OMNI_FLOW_PROMPT_H
#define OMNI_FLOW_PROMPT_H

#include "model/turn.h"
#include "provider/chat.h"

/* How many messages a turn looks back, and how many tokens it reads in all; the older messages go
 * first. A token is taken for four bytes. */
#define PROMPT_MAX_LINES  40
#define PROMPT_MAX_TOKENS 6000

/*
 * The messages of the request, in 'a', within max_tokens. What is always there, whatever it takes:
 * instructions, call, and what waits for the answer (of which each, when it does not fit, is cut at
 * its share of the room, between PROMPT_WAIT_LEAST and PROMPT_WAIT_CHARS). What people wrote stands
 * in messages of their own or between the marks for data, never among the instructions.
 */
#define PROMPT_WAIT_CHARS 2000
#define PROMPT_WAIT_LEAST 200
struct chat_message *prompt_messages(struct arena *a, const struct turn_context *t,
                                     size_t max_tokens, size_t *n);

/* A model's words without the marks that stand before messages in what it reads (channel and time,
 * staff, not delivered), should it have copied them. In 'a'. */
const char *prompt_unmarked(struct arena *a, const char *text);

/* The first of them alone: after a handover the others stay. */
const char *prompt_system(struct arena *a, const struct turn_context *t);

#endif
