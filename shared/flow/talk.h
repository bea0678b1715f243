/*
 * talk - one turn from its reading to its commit: asks the agent, runs its tools, asks again, and
 * writes the answer, the fallback sentence or nothing. Lives in its own arena.
 */
#ifndef OMNI_FLOW_TALK_H
#define OMNI_FLOW_TALK_H

#include "flow/turn_tools.h"
#include "model/turn.h"

struct converse;

struct talk {
    struct arena *arena;
    struct flow *flow;
    struct converse *owner;
    bool *new_limit_name; /* the owner's: whether OPENAI_BASE_URL's server wants max_tokens' new
                             name */
    void (*ended)(struct talk *k); /* the last thing that happens; frees the arena */

    struct turn turn;
    struct turn_context context;
    struct turn_tools tools;
    struct json_object *offered;
    struct chat_message *messages;
    size_t n_messages;
    size_t room;
    const char *said; /* words that came along with calls; "" if none */
    int rounds;
    int tries; /* of a request that did not get out */
    int retry_after_s;
    bool is_short; /* the agent could not read all */
    bool wants_new_limit_name;
    bool is_last; /* request of the turn: an answer in words, no more calls */
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t began_ms;

    struct talk *next;
    struct talk **link; /* what points at this one; both are the owner's */
};

/* Reads and asks. The talk may have ended when this returns. */
void talk_start(struct talk *k);

#endif
