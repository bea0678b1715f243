/*
 * tool - what an AI agent may ask us to do: a name, a sentence, a table of arguments, and a
 * function over the flows.
 *
 * The same tool runs behind its endpoint, behind /mcp and inside the worker's own turns; all three
 * go through tool_execute().
 */
#ifndef OMNI_FLOW_TOOL_H
#define OMNI_FLOW_TOOL_H

#include "core/param.h"
#include "core/token.h"
#include "flow/flow.h"

/* Who calls a tool, and what it may touch. */
struct tool_caller {
    bool
        is_operator; /* came with the service key: any person, any conversation. Otherwise bound: */
    const char *profile_id; /* to this person ... */
    const char *session_id; /* ... this conversation, "" while there is none ... */
    const char *call_id;    /* ... a call's provider id, or "" ... */
    const char *turn_id;    /* ... or a turn, or "" ... */
    int64_t turn_token;     /* ... with its fence ... */
    const char *tools;      /* ... and to these tools, "a,b,c" */
};

/* What became of a call, in the word its caller may repeat: done, not done, or nobody knows yet. */
enum tool_outcome { TOOL_OK, TOOL_FAILED, TOOL_UNKNOWN };

struct tool_call {
    struct arena *arena;
    const struct tool_caller *caller; /* must be set */
    struct json_object *args; /* as given; tool_execute() checks them, and adds what the caller is
                                 bound to */
    struct json_object
        *reply;    /* an empty object; filled in, with "success", when true comes back */
    int status;    /* HTTP status of a success: 200 unless run() says 202 */
    bool may_wait; /* sends may be waited for, up to 8 s. Not in the worker, which sends
                      by itself what is written */
    enum tool_outcome outcome; /* set whatever comes back */
    const char *id;            /* of the call's evidence row; set before run() */
};

struct tool {
    const char *name;
    const char *description; /* for the agent */
    const struct param *params;
    const size_t *n_params;
    const char *of_operator; /* arguments that a bound caller does not give, "a|b"; NULL for none */
    bool operator_only;      /* never for a bound caller, and not in its catalog */
    bool sends;              /* messages, which are counted, and not written twice under one key */
    bool (*run)(struct flow *f, struct tool_call *call, struct err *e);
};

/*
 * The one door: binding, arguments, limits, repeats, run, evidence. Fails with
 *
 * - ERR_FORBIDDEN: not this caller's person, conversation, call or tool, or its turn is over.
 * - ERR_INVALID, ERR_NOT_FOUND: the arguments; the words name the field.
 * - ERR_LIMIT: too many; the words name the limit.
 * - ERR_CONFLICT: the same idempotency key with other arguments.
 * - what the tool itself fails with, and ERR_TEMP, ERR_BUG of the database.
 *
 * A repeat (same idempotency key; inside a turn flow/turn_tools.c makes it) gets the same reply and
 * sends nothing. Never waits for a network unless call->may_wait.
 */
bool tool_execute(struct flow *f, const struct tool *t, struct tool_call *call, struct err *e)
    MUST_CHECK;

/* The inner step of tool_execute(): checks the arguments and runs. */
bool tool_run(const struct tool *t, struct flow *f, struct tool_call *call, struct err *e)
    MUST_CHECK;

/* What a model is told of an executed call: the reply, or {error: {code, message}}, with "result":
 * ok, failed or unknown. 'e' is NULL when it succeeded. */
struct json_object *tool_result(const struct tool_call *call, const struct err *e);

/* The tool as OpenAI's function definition: {type: "function", function: {name, description,
 * parameters}}. For a bound caller without the fields it is bound to: person, phone, conversation
 * and call. */
struct json_object *tool_describe(struct arena *a, const struct tool *t, bool bound);

/* The caller a bound token speaks for; its texts are the token's. */
struct tool_caller tool_caller_of(const struct token *t);

/* Whether this caller may call this tool at all: the rule of the catalog and of tool_execute(). */
bool tool_allowed(const struct tool_caller *caller, const struct tool *t);

/* There is one variable per tool, in flow/tool_<name>.c, and a line in flow/tool_list.c. */
extern const struct tool tool_call_log_summary;
extern const struct tool tool_messaging_send_whatsapp;
extern const struct tool tool_messaging_send_sms;
extern const struct tool tool_messaging_send_dual_channel;
extern const struct tool tool_session_get_or_create;
extern const struct tool tool_session_update_status;
extern const struct tool tool_session_add_context;
extern const struct tool tool_session_get_context;
extern const struct tool tool_agent_handover;
extern const struct tool tool_session_pause;
extern const struct tool tool_session_resume;
extern const struct tool tool_operator_send;

/* All of them, ended by NULL. */
extern const struct tool *const tool_all[];

/* By name; NULL if there is none. */
const struct tool *tool_find(const char *name);

#endif
