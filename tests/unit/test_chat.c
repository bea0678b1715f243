/*
 * chat - the request to the letter: words, tools, and the answers of tools.
 */
#include "provider/chat.h"
#include "unit/provider_fixture.h"

static const struct chat_message talk[] = {
    { "system", "You are EasyMO's assistant." },
    { "user", "[by sms at 2026-11-22T18:05] Ni \"angahe\"?" },
    { "assistant", "Ni 120,000 RWF." },
};

static struct chat_ask
ask_of(const char *model, const char *base_url)
{
    return (struct chat_ask){ .model = model,
                              .base_url = base_url,
                              .messages = talk,
                              .n_messages = COUNT_OF(talk),
                              .max_tokens = 500,
                              .correlation_id = "turn-7" };
}

static void
test_build_to_the_letter(void **state)
{
    struct config c = operator_settings();
    struct chat_ask ask = ask_of("", "");
    struct http_request r;

    chat_build(*state, &c, &ask, &r);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.url, "https://api.openai.com/v1/chat/completions");
    assert_string_equal(r.body, fixture_compact(*state, "openai/request.json"));
    assert_int_equal(r.body_len, strlen(r.body));
    assert_string_equal(header_line(&r, "Content-Type"), "Content-Type: application/json");
    assert_string_equal(header_line(&r, "Authorization"), "Authorization: Bearer sk-test");
    assert_string_equal(header_line(&r, "X-Correlation-Id"), "X-Correlation-Id: turn-7");
}

static void
test_build_model_and_address(void **state)
{
    static const struct {
        const char *model;
        const char *base_url;
        const char *want_model;
        const char *want_url;
    } rows[] = {
        { "", "", "gpt-4o-mini", "https://api.openai.com/v1/chat/completions" },
        { "qwen2.5", "", "qwen2.5", "https://api.openai.com/v1/chat/completions" },
        { "", "http://127.0.0.1:8080/v1", "gpt-4o-mini",
          "http://127.0.0.1:8080/v1/chat/completions" },
        { "", "http://127.0.0.1:8080/v1/", "gpt-4o-mini",
          "http://127.0.0.1:8080/v1/chat/completions" },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct chat_ask ask = ask_of(rows[i].model, rows[i].base_url);
        struct http_request r;
        chat_build(*state, &c, &ask, &r);
        expect_text(rows[i].want_url, r.url, rows[i].want_url);
        expect_text(rows[i].want_url, json_opt_str(*state, parsed(*state, r.body), "model", "-"),
                    rows[i].want_model);
    }
}

static void
test_build_without_key(void **state)
{
    struct config c = operator_settings();
    struct chat_ask ask = ask_of("", "");
    struct http_request r;

    c.openai_api_key = (struct secret){ "", "" };
    chat_build(*state, &c, &ask, &r);
    assert_string_equal(header_line(&r, "Authorization"), "");
}

/* The key is for the server of OPENAI_BASE_URL, and for nobody else. */
static void
test_build_key_for_its_own_server(void **state)
{
    static const struct {
        const char *base_url;
        bool has_key;
    } rows[] = {
        { "", true },
        { "https://api.openai.com/v1", true },
        { "https://API.openai.com/other/v1", true },
        { "https://api.openai.com:8443/v1", false },
        { "http://api.openai.com/v1", false },
        { "https://api.openai.com.example.org/v1", false },
        { "https://example.org/api.openai.com/v1", false },
        { "https://api.openai.com@example.org/v1", false },
        { "http://127.0.0.1:8080/v1", false },
        { "api.openai.com", false },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct chat_ask ask = ask_of("", rows[i].base_url);
        struct http_request r;
        chat_build(*state, &c, &ask, &r);
        expect_text(rows[i].base_url, header_line(&r, "Authorization"),
                    rows[i].has_key ? "Authorization: Bearer sk-test" : "");
    }
}

static void
test_build_tools(void **state)
{
    static const char *const names[] = { "auto", "none" };
    struct config c = operator_settings();
    struct json_object *tools = parsed(*state, "[{\"type\":\"function\"}]");

    for (int last = 0; last <= 1; last++) {
        struct chat_ask ask = ask_of("", "");
        struct http_request r;
        ask.tools = tools;
        ask.no_more_tools = last == 1;
        ask.new_limit_name = last == 1;
        chat_build(*state, &c, &ask, &r);
        struct json_object *body = parsed(*state, r.body);
        expect_text("choice", json_opt_str(*state, body, "tool_choice", ""), names[last]);
        expect_text("tools", json_opt_str(*state, body, "tools.0.type", ""), "function");
        expect_int("limit", json_opt_int(body, last ? "max_completion_tokens" : "max_tokens", 0),
                   500);
        expect_true("the other limit",
                    !json_has(body, last ? "max_tokens" : "max_completion_tokens"));
    }
}

static void
test_calls_go_back_with_their_answers(void **state)
{
    struct config c = operator_settings();
    struct chat_call call = { .id = "a", .name = "f" };
    struct chat_answer said = { .message =
                                    "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}" };
    struct chat_message messages[] = { { "user", "x" },
                                       chat_said(&said),
                                       chat_told(*state, &call, "{\"ok\":true}") };
    struct chat_ask ask = ask_of("", "");
    struct http_request r;

    ask.messages = messages;
    ask.n_messages = COUNT_OF(messages);
    chat_build(*state, &c, &ask, &r);
    struct json_object *body = parsed(*state, r.body);
    assert_string_equal(json_opt_str(*state, body, "messages.1.tool_calls.0.id", ""), "a");
    assert_string_equal(json_opt_str(*state, body, "messages.2.role", ""), "tool");
    assert_string_equal(json_opt_str(*state, body, "messages.2.tool_call_id", ""), "a");
    assert_string_equal(json_opt_str(*state, body, "messages.2.content", ""), "{\"ok\":true}");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_build_to_the_letter), ARENA_TEST(test_build_model_and_address),
        ARENA_TEST(test_build_without_key),   ARENA_TEST(test_build_key_for_its_own_server),
        ARENA_TEST(test_build_tools),         ARENA_TEST(test_calls_go_back_with_their_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
