/*
 * handler - who speaks: the service key, or a bound token and then for whom.
 */
#include "base/clk.h"
#include "unit/handler_fixture.h"
#include "unit/tool_fixture.h"

static struct tool_caller seen;

static bool
run_tells(struct call *c, struct err *e)
{
    (void)e;
    runs++;
    seen = c->caller;
    return true;
}

static const struct handler for_both = {
    .name = "for-both", .methods = METHOD_POST, .auth = AUTH_CALLER, .run = run_tells
};
static const struct handler for_service = {
    .name = "for-service", .methods = METHOD_POST, .auth = AUTH_SERVICE, .run = run_tells
};

static const char *
token_of(struct fixture *f, const char *key, int64_t expires_in_s)
{
    struct secret secret = { key, "" };
    struct token t = {
        .profile_id = ID_PERSON,
        .session_id = ID_SESSION,
        .call_id = "",
        .turn_id = ID_TURN,
        .turn_token = 9,
        .tools = "a_tool",
        .expires_s = clk_now_ms() / 1000 + expires_in_s,
    };

    return token_make(f->arena, &secret, &t);
}

static struct handler_answer
ask(struct fixture *f, const struct handler *h, const char *bearer)
{
    const char *const vars[2] = { arena_printf(f->arena, "HTTP_AUTHORIZATION=%s", bearer) };

    return answer_of(f, h, "POST", "", "", vars);
}

static void
test_service_key_is_the_operator(void **state)
{
    assert_int_equal(ask(*state, &for_both, "Bearer service-key").status, 200);
    assert_true(seen.is_operator);
    assert_int_equal(ask(*state, &for_both, "Bearer old-key").status, 200);
    assert_true(seen.is_operator);
}

static void
test_token_speaks_for_its_person(void **state)
{
    struct fixture *f = *state;
    const char *bearer = arena_printf(f->arena, "bearer %s", token_of(f, "token-key", 60));

    seen = (struct tool_caller){ .is_operator = true };
    assert_int_equal(ask(f, &for_both, bearer).status, 200);
    assert_false(seen.is_operator);
    assert_string_equal(seen.profile_id, ID_PERSON);
    assert_string_equal(seen.session_id, ID_SESSION);
    assert_string_equal(seen.turn_id, ID_TURN);
    assert_int_equal(seen.turn_token, 9);
    assert_string_equal(seen.tools, "a_tool");
}

/* All of them in the same words, and the endpoint does not run. */
static void
test_everything_else_is_401(void **state)
{
    struct fixture *f = *state;
    const char *good = token_of(f, "token-key", 60);
    const struct {
        const char *name;
        const struct handler *handler;
        const char *bearer;
    } rows[] = {
        { "nothing", &for_both, "" },
        { "no scheme", &for_both, good },
        { "another scheme", &for_both, arena_printf(f->arena, "Basic %s", good) },
        { "empty", &for_both, "Bearer " },
        { "guess", &for_both, "Bearer service-ke" },
        { "expired", &for_both, arena_printf(f->arena, "Bearer %s", token_of(f, "token-key", -1)) },
        { "forged", &for_both, arena_printf(f->arena, "Bearer %s", token_of(f, "other", 60)) },
        { "signed with the service key", &for_both,
          arena_printf(f->arena, "Bearer %s", token_of(f, "service-key", 60)) },
        { "the signing key itself", &for_both, "Bearer token-key" },
        { "a token where the key is asked for", &for_service,
          arena_printf(f->arena, "Bearer %s", good) },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handler_answer r = ask(f, rows[i].handler, rows[i].bearer);

        expect_int(rows[i].name, r.status, 401);
        expect_error(f, rows[i].name, &r, "auth", "Authorization: missing or wrong");
        expect_text(rows[i].name, header_of(&r, "WWW-Authenticate"), "Bearer");
        expect_int(rows[i].name, runs, 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        LOG_TEST(test_service_key_is_the_operator),
        LOG_TEST(test_token_speaks_for_its_person),
        LOG_TEST(test_everything_else_is_401),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
