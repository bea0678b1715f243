/*
 * turn_tools - the tools inside one turn: which are offered, and running those the model asks for.
 */
#ifndef OMNI_FLOW_TURN_TOOLS_H
#define OMNI_FLOW_TURN_TOOLS_H

#include "flow/tool.h"
#include "provider/chat.h"

#define TURN_MAX_ROUNDS 5 /* of calls; then the model must answer in words */
#define TURN_MAX_CALLS  10

/* A call that has had its key. */
struct turn_keyed {
    const char *given;  /* the model's own id of it, "" if none */
    const char *digest; /* of what it asks for */
    const char *key;
};

struct turn_tools {
    struct arena *arena; /* the turn's */
    struct tool_caller caller;
    const char *first_turn_id; /* the first try at what waits: see call_key() */
    struct json_object *log;   /* [{tool, outcome}]: the turn's evidence */
    int calls;
    struct turn_keyed keyed[TURN_MAX_CALLS];
    size_t n_keyed;
    bool has_handed_over; /* once a turn */
    bool has_sent;        /* at least one message is written */
};

/* Sets which tools there are: those of "a,b,c" that exist and have a place in a turn. To be called
 * again after a handover, with the next agent's. */
void turn_tools_allow(struct turn_tools *t, const char *names);

/* Their definitions, in the turn's arena. */
struct json_object *turn_tools_describe(const struct turn_tools *t);

/* Runs one call, bound to the turn's person and conversation, without waiting for any network.
 * Returns what the model is told, whatever became of it; never NULL. */
const char *turn_tools_run(struct turn_tools *t, struct flow *f, const struct chat_call *c);

#endif
