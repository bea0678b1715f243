/*
 * tool - what an AI agent may ask us to do: a name, a sentence, a table of arguments, and a
 * function over the flows.
 *
 * The same tool runs behind its endpoint and inside the worker's own turns.
 */
#ifndef OMNI_FLOW_TOOL_H
#define OMNI_FLOW_TOOL_H

#include "core/param.h"
#include "flow/flow.h"

/* Who calls a tool, and what it may touch. */
struct tool_caller {
    bool
        is_operator; /* came with the service key: any person, any conversation. Otherwise bound: */
    const char *profile_id;   /* to this person ... */
    const char *session_id;   /* ... this conversation, "" while there is none ... */
    const char *call_id;      /* ... a call's provider id, or "" ... */
    const char *turn_id;      /* ... or a turn, or "" */
    const char *tool_call_id; /* inside a turn: the model's id of this call; "" otherwise */
};

struct tool_call {
    struct arena *arena;
    const struct tool_caller *caller;
    struct json_object *args; /* checked against the tool's table */
    struct json_object
        *reply; /* an object to fill in; "success" is set for it when run() returns true */
    int status; /* HTTP status of a success: 200 unless run() says 202 */
};

struct tool {
    const char *name;
    const char *description; /* for the agent */
    const struct param *params;
    const size_t *n_params;
    bool (*run)(struct flow *f, struct tool_call *call, struct err *e);
};

/* Checks the arguments and runs. */
bool tool_run(const struct tool *t, struct flow *f, struct tool_call *call, struct err *e)
    MUST_CHECK;

/* The tool as OpenAI's function definition: {type: "function", function: {name, description,
 * parameters}}. */
struct json_object *tool_describe(struct arena *a, const struct tool *t);

/* There is one variable per tool, in flow/tool_<name>.c, and a line in flow/tool_list.c. */
extern const struct tool tool_call_log_summary;

/* All of them, ended by NULL. */
extern const struct tool *const tool_all[];

/* By name; NULL if there is none. */
const struct tool *tool_find(const char *name);

#endif
