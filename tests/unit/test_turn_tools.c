/*
 * turn_tools - which calls inside a turn are one: by their key, as the database is given it.
 */
#include "flow/turn_tools.h"
#include "unit/tool_fixture.h"

#define HI    "{\"message\":\"hi\"}"
#define HELLO "{\"message\":\"hello\"}"

static struct turn_tools
turn_of(struct fixture *x)
{
    return (struct turn_tools){
        .arena = x->arena,
        .caller = { .profile_id = ID_PERSON,
                    .session_id = ID_SESSION,
                    .call_id = "",
                    .turn_id = ID_TURN,
                    .turn_token = 3,
                    .tools = "messaging_send_sms,session_get_context" },
        .first_turn_id = ID_TURN,
        .log = json_new_array(x->arena),
    };
}

/* One call; the key it was begun under. */
static const char *
key_of(struct fixture *x, struct turn_tools *t, const char *given, const char *args)
{
    struct config *config = arena_alloc(x->arena, sizeof(*config));
    struct flow f = { .config = config, .log = x->log, .worker = "test" };
    struct chat_call c = { .id = "renamed", .given = given, .name = "messaging_send_sms" };
    struct err e = { 0 };

    assert_true(json_parse(x->arena, args, strlen(args), &c.args, &e));
    told.begun.key = "none";
    (void)turn_tools_run(t, &f, &c);
    return told.begun.key;
}

static void
test_the_same_id_with_the_same_arguments_is_one_call(void **state)
{
    struct fixture *x = *state;
    struct turn_tools t = turn_of(x);
    const char *first;
    const char *second;

    fake_tool_log_reset();
    first = key_of(x, &t, "call_0", HI);
    assert_string_equal(key_of(x, &t, "call_0", HI), first);
    /* Some servers number the calls of every answer from zero. */
    assert_string_not_equal(key_of(x, &t, "call_0", HELLO), first);
    second = key_of(x, &t, "call_1", HI);
    assert_string_not_equal(second, first);
    assert_string_equal(key_of(x, &t, "call_1", HI), second);
    assert_string_equal(key_of(x, &t, "call_0", HI), first);
    assert_int_equal(json_count(t.log), 6);
}

static void
test_calls_without_an_id_are_each_their_own(void **state)
{
    struct fixture *x = *state;
    struct turn_tools t = turn_of(x);
    const char *first;

    fake_tool_log_reset();
    first = key_of(x, &t, "", HI);
    assert_string_not_equal(key_of(x, &t, "", HI), first);
}

/* Another try gives other ids, and perhaps a key of its own. */
static void
test_another_try_has_the_first_one_s_keys(void **state)
{
    struct fixture *x = *state;
    struct turn_tools t = turn_of(x);
    struct turn_tools again = turn_of(x);
    const char *first;

    fake_tool_log_reset();
    first = key_of(x, &t, "call_a", HI);
    assert_string_equal(key_of(x, &again, "call_b",
                               "{\"message\":\"hi\",\"idempotency_key\":\"mine\",\"wait\":true}"),
                        first);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_the_same_id_with_the_same_arguments_is_one_call),
        LOG_TEST(test_calls_without_an_id_are_each_their_own),
        LOG_TEST(test_another_try_has_the_first_one_s_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
