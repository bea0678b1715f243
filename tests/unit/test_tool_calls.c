/*
 * tool - what each verdict of the database becomes, how calls end, and what agents are told of
 * tools and results.
 */
#include "unit/tool_call_fixture.h"

static void
test_verdicts(void **state)
{
    struct tool_call call;
    struct err e;

    reset();
    fake_begun = (struct tool_begun){ .verdict = TOOL_CONFLICT };
    assert_false(execute(*state, &tool, &turn_caller, "{\"note\":\"a\"}", &call, &e));
    assert_int_equal(e.kind, ERR_CONFLICT);
    fake_begun =
        (struct tool_begun){ .verdict = TOOL_LIMIT, .limit = "messages_per_turn", .wait_s = 1234 };
    assert_false(execute(*state, &tool, &turn_caller, "{\"note\":\"a\"}", &call, &e));
    assert_int_equal(e.kind, ERR_LIMIT);
    assert_non_null(strstr(e.text, "messages_per_turn"));
    assert_non_null(strstr(e.text, "again in 1234 s"));
    assert_int_equal(e.retry_after_s, 1234);
    fake_away = true;
    assert_false(execute(*state, &tool, &turn_caller, "{\"note\":\"a\"}", &call, &e));
    assert_int_equal(e.kind, ERR_TEMP);
    assert_int_equal(call.outcome, TOOL_FAILED); /* nothing was begun */
    assert_int_equal(runs, 0);
    assert_int_equal(told.n_ended, 0);
}

static void
test_a_repeat_gets_the_same_reply(void **state)
{
    static const struct {
        const char *reply;
        enum tool_outcome outcome;
    } rows[] = {
        { "{\"success\":true,\"status\":\"sent\"}", TOOL_OK },
        { "{\"success\":false,\"status\":\"failed\"}", TOOL_FAILED },
        { "{\"success\":true,\"status\":\"unknown\"}", TOOL_UNKNOWN },
    };
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        reset();
        fake_begun =
            (struct tool_begun){ .verdict = TOOL_AGAIN, .reply = rows[i].reply, .status = 202 };
        expect_true(rows[i].reply,
                    execute(*state, &tool, &turn_caller, "{\"note\":\"a\"}", &call, &e));
        expect_text(rows[i].reply, json_print(call.arena, call.reply), rows[i].reply);
        expect_int(rows[i].reply, call.status, 202);
        expect_int(rows[i].reply, call.outcome, rows[i].outcome);
        expect_int(rows[i].reply, runs, 0);
    }
}

static void
test_what_makes_arguments_the_same(void **state)
{
    static const struct {
        const char *args;
        bool same;
    } rows[] = {
        { "{\"idempotency_key\":\"k\",\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\"}", true },
        { "{\"profile_id\":\"" ID_OTHER "\",\"note\":\"a\",\"wait\":false}", true },
        { "{\"profile_id\":\"" ID_OTHER "\",\"note\":\"a\",\"session_id\":null,\"x\":1}", true },
        { "{\"profile_id\":\"" ID_OTHER "\",\"note\":\"b\"}", false },
        { "{\"profile_id\":\"" ID_OTHER "\",\"note\":\"a\",\"call_id\":\"c\"}", false },
    };
    const char *first = "";
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        reset();
        fake_bond.session_person = "";
        expect_true(rows[i].args,
                    execute(*state, &tool, &operator_caller, rows[i].args, &call, &e));
        expect_int(rows[i].args, (int64_t)strlen(told.begun.hash), 64);
        if (i == 0)
            first = told.begun.hash;
        expect_int(rows[i].args, str_eq(first, told.begun.hash), rows[i].same);
    }
}

static void
test_an_empty_key_is_refused(void **state)
{
    static const struct tool_caller *const callers[] = { &operator_caller, &turn_caller };
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(callers); i++) {
        reset();
        assert_false(execute(*state, &tool, callers[i],
                             "{\"note\":\"a\",\"profile_id\":\"" ID_PERSON
                             "\",\"idempotency_key\":\"\"}",
                             &call, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_string_equal(e.text, "idempotency_key: empty");
        assert_int_equal(runs, 0);
    }
}

static void
test_outcomes(void **state)
{
    static const struct {
        enum err_kind error;
        enum tool_outcome said;
        const char *noted;
    } rows[] = {
        { ERR_NONE, TOOL_OK, "ok" },           { ERR_NONE, TOOL_FAILED, "failed" },
        { ERR_NONE, TOOL_UNKNOWN, "unknown" }, { ERR_NOT_FOUND, TOOL_OK, "failed" },
        { ERR_TEMP, TOOL_OK, "unknown" },
    };
    struct fixture *x = *state;
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool ok;

        reset();
        run_outcome = rows[i].said;
        run_error = rows[i].error;
        ok = execute(x, &tool, &turn_caller, "{\"note\":\"a\"}", &call, &e);
        expect_int(rows[i].noted, ok, rows[i].error == ERR_NONE);
        expect_text(rows[i].noted, told.ended.outcome, rows[i].noted);
        expect_text(rows[i].noted, told.ended.error, ok ? "" : err_kind_text(rows[i].error));
        expect_text(rows[i].noted,
                    json_opt_str(x->arena, tool_result(&call, ok ? NULL : &e), "result", ""),
                    rows[i].noted);
    }
}

static void
test_result_of_a_failure(void **state)
{
    struct fixture *x = *state;
    struct tool_call call = { .arena = x->arena, .outcome = TOOL_FAILED };
    struct err e = { .kind = ERR_LIMIT, .text = "messages_per_turn: enough" };
    struct err ours = { .kind = ERR_BUG, .text = "canary" };
    struct err theirs = { .kind = ERR_INVALID, .code = "22P02", .text = "canary" };

    assert_string_equal(json_print(x->arena, tool_result(&call, &e)),
                        "{\"result\":\"failed\",\"success\":false,\"error\":{\"code\":\"limit\","
                        "\"message\":\"messages_per_turn: enough\"}}");
    assert_null(strstr(json_print(x->arena, tool_result(&call, &ours)), "canary"));
    assert_null(strstr(json_print(x->arena, tool_result(&call, &theirs)), "canary"));
}

/* S68: nothing in a bound schema could name another recipient. */
static void
test_schemas(void **state)
{
    static const char *const bound_fields[] = { "profile_id", "phone_number", "session_id",
                                                "call_id" };
    static const char *const times[] = { "started_at", "ended_at", "answered", "channel" };
    struct fixture *x = *state;
    const struct tool_caller everything = { .tools = "messaging_send_sms,operator_send" };

    for (size_t i = 0; tool_all[i] != NULL; i++) {
        const char *name = tool_all[i]->name;
        struct json_object *full = tool_describe(x->arena, tool_all[i], false);
        struct json_object *bound = tool_describe(x->arena, tool_all[i], true);

        expect_true(name, tool_find(name) == tool_all[i]);
        expect_text(name, json_opt_str(x->arena, full, "function.name", ""), name);
        expect_true(name, json_has(full, "type") &&
                              !str_empty(json_opt_str(x->arena, full, "function.description", "")));
        for (size_t j = 0; j < COUNT_OF(bound_fields); j++)
            expect_true(name, strstr(json_print(x->arena, json_at(bound, "function.parameters")),
                                     bound_fields[j]) == NULL);
        for (size_t j = 0; j < *tool_all[i]->n_params; j++)
            expect_true(name, json_has(json_at(full, "function.parameters.properties"),
                                       tool_all[i]->params[j].name));
    }
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct json_object *bound = tool_describe(x->arena, &tool_call_log_summary, true);

        expect_true(times[i], strstr(json_print(x->arena, bound), times[i]) == NULL);
    }
    assert_null(tool_find("no_such_tool"));
    assert_true(tool_allowed(&everything, &tool_messaging_send_sms));
    assert_false(tool_allowed(&everything, &tool_operator_send));
    assert_false(tool_allowed(&everything, &tool_messaging_send_whatsapp));
    assert_true(tool_allowed(&operator_caller, &tool_operator_send));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_verdicts),
        LOG_TEST(test_a_repeat_gets_the_same_reply),
        LOG_TEST(test_what_makes_arguments_the_same),
        LOG_TEST(test_an_empty_key_is_refused),
        LOG_TEST(test_outcomes),
        LOG_TEST(test_result_of_a_failure),
        LOG_TEST(test_schemas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
