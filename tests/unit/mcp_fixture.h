/*
 * mcp_fixture - a server with two tools made for the purpose, and one POST to it.
 */
#ifndef OMNI_UNIT_MCP_FIXTURE_H
#define OMNI_UNIT_MCP_FIXTURE_H

#include "base/str.h"
#include "flow/mcp.h"
#include "unit/unit.h"

static int executed; /* tools run for the latest POST */

static inline bool
run_greet(struct flow *f, struct tool_call *call, struct err *e)
{
    (void)f;
    (void)e;
    json_set_str(call->reply, "text",
                 arena_printf(call->arena, "Hello %s",
                              json_opt_str(call->arena, call->args, "name", "you")));
    return true;
}

/* Fails in the way it is asked to. */
static inline bool
run_fail(struct flow *f, struct tool_call *call, struct err *e)
{
    const char *how = json_opt_str(call->arena, call->args, "how", "");

    (void)f;
    if (str_eq(how, "denied"))
        return err_set(e, ERR_FORBIDDEN, "session_id: not this conversation");
    if (str_eq(how, "limit"))
        return err_set(e, ERR_LIMIT, "too many messages, come back later");
    if (str_eq(how, "database"))
        return err_set(e, ERR_TEMP, "no route to secret-host");
    if (str_eq(how, "sql")) {
        (void)err_set(e, ERR_INVALID, "secret_table violates a check");
        return err_code(e, "23514");
    }
    if (str_eq(how, "unsent")) {
        json_set_bool(call->reply, "success", false);
        return true;
    }
    return err_set(e, ERR_BUG, "secret-insides");
}

static const struct param greet_params[] = {
    { "name", PARAM_TEXT, true, 5, NULL, "Whom to greet." },
};
static const struct param fail_params[] = {
    { "how", PARAM_WORD, false, 0, "denied|limit|database|sql|unsent|bug", "In which way." },
};
static const size_t n_params = 1;

static const struct tool tool_greet = { .name = "greet",
                                        .description = "Says \"hello\".",
                                        .params = greet_params,
                                        .n_params = &n_params,
                                        .run = run_greet };
static const struct tool tool_fail = { .name = "fail",
                                       .description = "Fails.",
                                       .params = fail_params,
                                       .n_params = &n_params,
                                       .run = run_fail };
static const struct tool *const two_tools[] = { &tool_greet, &tool_fail, NULL };

static inline bool
count_and_run(struct flow *f, const struct tool *t, struct tool_call *call, struct err *e)
{
    bool ok = tool_run(t, f, call, e);

    executed++;
    call->outcome = ok ? TOOL_OK : TOOL_FAILED;
    return ok;
}

static inline struct mcp
server_for(struct arena *a, const struct tool_caller *caller, const char *version)
{
    executed = 0;
    return (struct mcp){ .arena = a,
                         .caller = caller,
                         .version = version,
                         .tools = two_tools,
                         .execute = count_and_run };
}

/* The status and the body of the answer, "" for none. */
static inline int
post(struct arena *a, const struct tool_caller *caller, const char *version, const char *request,
     const char **body)
{
    struct mcp m = server_for(a, caller, version);
    struct mcp_answer answer = mcp_answer(&m, request, strlen(request));

    *body = answer.body != NULL ? json_print(a, answer.body) : "";
    return answer.status;
}

static const struct tool_caller service = { .is_operator = true,
                                            .profile_id = "",
                                            .session_id = "",
                                            .call_id = "",
                                            .turn_id = "",
                                            .tools = "" };

#endif
