/*
 * tool_call_fixture - a tool made for the purpose, who may call it, and one call of it through the
 * door that every tool has.
 */
#ifndef OMNI_UNIT_TOOL_CALL_FIXTURE_H
#define OMNI_UNIT_TOOL_CALL_FIXTURE_H

#include "flow/tool.h"
#include "unit/tool_fixture.h"

static int runs;
static enum tool_outcome run_outcome;
static enum err_kind run_error;

static const struct param params[] = {
    { "profile_id", PARAM_UUID, true, 0, NULL, "Who." },
    { "session_id", PARAM_UUID, false, 0, NULL, "Where." },
    { "call_id", PARAM_ID, false, 0, NULL, "Which call." },
    { "phone_number", PARAM_PHONE, false, 0, NULL, "Which number." },
    { "note", PARAM_TEXT, true, 5, NULL, "A few letters." },
    { "idempotency_key", PARAM_ID, false, 0, NULL, "Once." },
    { "wait", PARAM_BOOL, false, 0, NULL, "Or not." },
};
static const size_t n_params = COUNT_OF(params);

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    (void)f;
    runs++;
    if (run_error != ERR_NONE)
        return err_set(e, run_error, "its own words");
    json_set_str(call->reply, "who", json_opt_str(call->arena, call->args, "profile_id", "-"));
    json_set_str(call->reply, "where", json_opt_str(call->arena, call->args, "session_id", "-"));
    json_set_str(call->reply, "call", json_opt_str(call->arena, call->args, "call_id", "-"));
    json_set_str(call->reply, "number", json_opt_str(call->arena, call->args, "phone_number", "-"));
    call->outcome = run_outcome;
    return true;
}

static const struct tool tool = { .name = "a_tool",
                                  .description = "For this test.",
                                  .params = params,
                                  .n_params = &n_params,
                                  .sends = true,
                                  .run = run };
static const struct tool_caller operator_caller = { .is_operator = true };
static const struct tool_caller turn_caller = { .profile_id = ID_PERSON,
                                                .session_id = ID_SESSION,
                                                .call_id = "",
                                                .turn_id = ID_TURN,
                                                .turn_token = 3,
                                                .tools = "other,a_tool" };
/* One call of the tool; the arguments as JSON. */
static inline bool
execute(struct fixture *x, const struct tool *t, const struct tool_caller *caller, const char *args,
        struct tool_call *call, struct err *e)
{
    struct config *config = arena_alloc(x->arena, sizeof(*config));
    struct flow f = { .config = config, .log = x->log, .worker = "test" };
    bool ok;

    runs = 0;
    *e = (struct err){ 0 };
    *call = (struct tool_call){
        .arena = x->arena, .caller = caller, .reply = json_new_object(x->arena), .status = 200
    };
    assert_true(json_parse(x->arena, args, strlen(args), &call->args, e));
    f.db = db_new("host=/nonexistent", "unit-test", 50); /* a call's last sign of life goes there */
    ok = tool_execute(&f, t, call, e);
    db_close(&f.db);
    return ok;
}

static inline void
reset(void)
{
    fake_tool_log_reset();
    run_outcome = TOOL_OK;
    run_error = ERR_NONE;
}

#endif
