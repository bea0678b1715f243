/*
 * tool - who may touch what: the binding of a call to the person of its token, and what operators
 * may name.
 */
#include "unit/tool_call_fixture.h"

static const struct tool for_operators = { .name = "a_tool",
                                           .description = "For this test.",
                                           .params = params,
                                           .n_params = &n_params,
                                           .operator_only = true,
                                           .run = run };

static const struct tool_caller call_caller = {
    .profile_id = ID_PERSON, .session_id = "", .call_id = CALL, .turn_id = "", .tools = "a_tool"
};

static void
test_bound_arguments_are_filled_in(void **state)
{
    struct tool_call call;
    struct err e;

    reset();
    assert_true(execute(*state, &tool, &turn_caller, "{\"note\":\"a\"}", &call, &e));
    assert_string_equal(json_print(call.arena, call.reply),
                        "{\"who\":\"" ID_PERSON "\",\"where\":\"" ID_SESSION
                        "\",\"call\":\"-\",\"number\":\"" NUMBER "\",\"success\":true}");
    assert_int_equal(told.named.turn_token, 3);
    assert_string_equal(told.begun.caller, "turn");
    assert_string_equal(told.begun.profile_id, ID_PERSON);
    assert_true(told.begun.counts);
    assert_string_equal(told.ended.outcome, "ok");
    assert_string_equal(told.ended.reply, json_print(call.arena, call.reply));
}

/* A token may be older than what is known of its person: then it is that person's. */
static void
test_somebody_who_is_one_with_another(void **state)
{
    struct tool_caller hidden = turn_caller;
    struct tool_call call;
    struct err e;

    hidden.profile_id = ID_OTHER;
    reset();
    assert_true(execute(*state, &tool, &hidden, "{\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\"}",
                        &call, &e));
    assert_string_equal(json_opt_str(call.arena, call.reply, "who", "-"), ID_PERSON);
    assert_string_equal(told.begun.profile_id, ID_PERSON);
}

/* However an operator writes a person's id, it is one call. */
static void
test_capitals_make_no_other_call(void **state)
{
    const char *hash;
    struct tool_call call;
    struct err e;

    reset();
    fake_bond.session_person = "";
    assert_true(execute(*state, &tool, &operator_caller,
                        "{\"note\":\"a\",\"profile_id\":\"" ID_PERSON "\"}", &call, &e));
    hash = told.begun.hash;
    assert_true(execute(*state, &tool, &operator_caller,
                        "{\"note\":\"a\",\"profile_id\":"
                        "\"01990000-0000-7000-8000-00000000000A\"}",
                        &call, &e));
    assert_string_equal(told.begun.hash, hash);
}

/* A token may be older than its call's conversation. */
static void
test_conversation_of_a_call(void **state)
{
    static const struct {
        const char *name;
        const char *call_session;
        const char *open_session;
        const char *want;
    } rows[] = {
        { "the call's", ID_NEWER, ID_SESSION, ID_NEWER },
        { "the person's", "", ID_SESSION, ID_SESSION },
        { "none yet", "", "", "-" },
    };
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        reset();
        fake_bond.session_person = "";
        fake_bond.call_session = rows[i].call_session;
        fake_bond.open_session = rows[i].open_session;
        expect_true(rows[i].name,
                    execute(*state, &tool, &call_caller, "{\"note\":\"a\"}", &call, &e));
        expect_text(rows[i].name, json_opt_str(call.arena, call.reply, "where", "-"), rows[i].want);
        expect_text(rows[i].name, json_opt_str(call.arena, call.reply, "call", "-"), CALL);
        expect_text(rows[i].name, told.begun.caller, "call");
        expect_text(rows[i].name, told.begun.key, "");
    }
}

static void
test_what_a_bound_caller_may_name(void **state)
{
    static const struct {
        const char *name;
        const struct tool_caller *caller;
        const char *more;
        bool fine;
        const char *words;
    } rows[] = {
        { "own person", &turn_caller, "\"profile_id\":\"" ID_PERSON "\"", true, "" },
        { "own, in capitals", &turn_caller,
          "\"profile_id\":\"01990000-0000-7000-8000-00000000000A\"", true, "" },
        { "other person", &turn_caller, "\"profile_id\":\"" ID_OTHER "\"", false,
          "profile_id: not of this conversation" },
        { "no id at all", &turn_caller, "\"profile_id\":\"*\"", false,
          "profile_id: not of this conversation" },
        { "own session", &turn_caller, "\"session_id\":\"" ID_SESSION "\"", true, "" },
        { "a newer one, in a turn", &turn_caller, "\"session_id\":\"" ID_NEWER "\"", false,
          "session_id: not of this conversation" },
        { "the call's session", &call_caller, "\"session_id\":\"" ID_NEWER "\"", true, "" },
        { "the person's session", &call_caller, "\"session_id\":\"" ID_SESSION "\"", true, "" },
        { "a stranger's session", &call_caller, "\"session_id\":\"" ID_STRANGE "\"", false,
          "session_id: not of this conversation" },
        { "own call", &call_caller, "\"call_id\":\"" CALL "\"", true, "" },
        { "other call", &call_caller, "\"call_id\":\"rtc_8\"", false,
          "call_id: not of this conversation" },
        { "any call, in a turn", &turn_caller, "\"call_id\":\"" CALL "\"", false,
          "call_id: not of this conversation" },
        { "own number", &turn_caller, "\"phone_number\":\"0788 100 001\"", true, "" },
        { "other number", &turn_caller, "\"phone_number\":\"+250788100002\"", false,
          "phone_number: not of this conversation" },
        { "no number", &turn_caller, "\"phone_number\":\"0\"", false,
          "phone_number: not of this conversation" },
        { "nothing", &turn_caller, "\"session_id\":null,\"profile_id\":\"\"", true, "" },
    };
    struct fixture *x = *state;
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *args = arena_printf(x->arena, "{\"note\":\"a\",%s}", rows[i].more);

        reset();
        fake_bond.call_session = ID_NEWER;
        fake_bond.phone_person = strstr(args, "100 001") != NULL ? ID_PERSON : ID_OTHER;
        expect_int(rows[i].name, execute(x, &tool, rows[i].caller, args, &call, &e), rows[i].fine);
        expect_int(rows[i].name, runs, rows[i].fine);
        if (rows[i].fine)
            continue;
        expect_int(rows[i].name, e.kind, ERR_FORBIDDEN);
        expect_text(rows[i].name, e.text, rows[i].words);
        expect_text(rows[i].name, told.refused_as, "denied");
        expect_int(rows[i].name, told.n_begun, 0);
        expect_true(rows[i].name, strstr(written(x), "TOOL_DENIED") != NULL);
    }
}

static void
test_who_is_refused_altogether(void **state)
{
    static const struct tool_caller unlisted = { .profile_id = ID_PERSON,
                                                 .session_id = ID_SESSION,
                                                 .call_id = "",
                                                 .turn_id = ID_TURN,
                                                 .tools = "a_tool_more,a_too, a_toolx" };
    static const struct {
        const char *name;
        const struct tool_caller *caller;
        const struct tool *tool;
        struct tool_bond bond;
    } rows[] = {
        { "not listed", &unlisted, &tool, { .person = ID_PERSON, .turn_runs = true } },
        { "operators only",
          &turn_caller,
          &for_operators,
          { .person = ID_PERSON, .turn_runs = true } },
        { "nobody", &turn_caller, &tool, { .turn_runs = true } },
        { "the turn is over", &turn_caller, &tool, { .person = ID_PERSON, .turn_runs = false } },
        { "another's session",
          &turn_caller,
          &tool,
          { .person = ID_PERSON, .turn_runs = true, .session_person = ID_OTHER } },
        { "another's call", &call_caller, &tool, { .person = ID_PERSON, .call_person = ID_OTHER } },
    };
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        reset();
        fake_bond = rows[i].bond;
        expect_true(rows[i].name,
                    !execute(*state, rows[i].tool, rows[i].caller, "{\"note\":\"a\"}", &call, &e));
        expect_int(rows[i].name, e.kind, ERR_FORBIDDEN);
        expect_int(rows[i].name, runs, 0);
        expect_int(rows[i].name, told.n_refused, 1);
        expect_int(rows[i].name, told.n_begun, 0);
        expect_int(rows[i].name, call.outcome, TOOL_FAILED);
    }
}

static void
test_operator_names_whom_it_likes(void **state)
{
    static const struct {
        const char *name;
        const char *args;
        struct tool_bond bond;
        enum err_kind kind;
    } rows[] = {
        { "somebody",
          "{\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\"}",
          { .person = ID_OTHER },
          ERR_NONE },
        { "nobody",
          "{\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\"}",
          { .person = "" },
          ERR_NOT_FOUND },
        { "somebody, no such session",
          "{\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\",\"session_id\":\"" ID_SESSION "\"}",
          { .person = ID_OTHER },
          ERR_NOT_FOUND },
        { "somebody, another's session",
          "{\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\",\"session_id\":\"" ID_SESSION "\"}",
          { .person = ID_OTHER, .session_person = ID_PERSON },
          ERR_INVALID },
        { "somebody, another's number",
          "{\"note\":\"a\",\"profile_id\":\"" ID_OTHER "\",\"phone_number\":\"" NUMBER "\"}",
          { .person = ID_OTHER, .phone_person = ID_PERSON },
          ERR_INVALID },
        { "no person", "{\"note\":\"a\"}", { .person = "" }, ERR_INVALID },
        { "no id", "{\"note\":\"a\",\"profile_id\":\"x\"}", { .person = "" }, ERR_INVALID },
    };
    struct tool_call call;
    struct err e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool fine = rows[i].kind == ERR_NONE;

        reset();
        fake_bond = rows[i].bond;
        expect_int(rows[i].name, execute(*state, &tool, &operator_caller, rows[i].args, &call, &e),
                   fine);
        expect_int(rows[i].name, e.kind, rows[i].kind);
        expect_int(rows[i].name, runs, fine);
        expect_int(rows[i].name, told.n_refused, !fine);
    }
    reset();
    fake_bond.session_person = "";
    assert_true(execute(*state, &for_operators, &operator_caller, rows[0].args, &call, &e));
    assert_string_equal(told.begun.caller, "operator");
    assert_false(told.begun.counts);
    assert_string_equal(told.ended.reply, ""); /* it sends nothing that a repeat could double */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_bound_arguments_are_filled_in),
        LOG_TEST(test_somebody_who_is_one_with_another),
        LOG_TEST(test_capitals_make_no_other_call),
        LOG_TEST(test_conversation_of_a_call),
        LOG_TEST(test_what_a_bound_caller_may_name),
        LOG_TEST(test_who_is_refused_altogether),
        LOG_TEST(test_operator_names_whom_it_likes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
