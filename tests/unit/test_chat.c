/*
 * chat - the request to the letter, and which answers are an answer to a person.
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

static void
test_read_answers(void **state)
{
    static const struct {
        const char *file;
        const char *text;
        int64_t prompt_tokens;
        int64_t completion_tokens;
    } rows[] = {
        { "openai/answer.json", "Inzu iracyahari; ni 120,000 RWF ku kwezi.", 312, 41 },
        { "openai/answer_blanks.json", "Yego.", 312, 41 },
        { "openai/answer_without_usage.json", "Yego.", 0, 0 },
        { "openai/answer_length.json", "Inzu iracyahari, kandi", 312, 41 },
        { "openai/answer_empty_refusal.json", "Yego.", 312, 41 },
        { "openai/answer_parts.json", "Yego.", 312, 41 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(200, fixture_text(*state, rows[i].file));
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        bool ok = chat_read(*state, &r, &got, &e);
        expect_text(rows[i].file, e.text, "");
        expect_true(rows[i].file, ok);
        expect_text(rows[i].file, got.text, rows[i].text);
        expect_int(rows[i].file, got.prompt_tokens, rows[i].prompt_tokens);
        expect_int(rows[i].file, got.completion_tokens, rows[i].completion_tokens);
    }
}

static void
test_read_refusals(void **state)
{
    static const struct {
        int status;
        const char *file;
        const char *code;
        enum err_kind kind;
    } rows[] = {
        { 200, "openai/answer_length_empty.json", "cut", ERR_TEMP },
        { 200, "openai/answer_no_choices.json", "nonsense", ERR_TEMP },
        { 200, "openai/answer_filtered.json", "refused", ERR_PERM },
        { 200, "openai/answer_refusal.json", "refused", ERR_PERM },
        { 200, "openai/error_rate_limit.json", "nonsense", ERR_TEMP },
        { 429, "openai/error_rate_limit.json", "http_429", ERR_TEMP },
        { 429, "openai/error_quota.json", "quota", ERR_PERM },
        { 429, "openai/error_quota_type_only.json", "quota", ERR_PERM },
        { 429, "openai/error_quota_numeric_code.json", "quota", ERR_PERM },
        { 429, "openai/error_spend_limit.json", "quota", ERR_PERM },
        { 402, "openai/error_quota.json", "quota", ERR_PERM },
        { 401, "openai/error_bad_key.json", "http_401", ERR_PERM },
        { 400, "openai/error_context_length.json", "too_long", ERR_PERM },
        { 404, "openai/error_text.json", "http_404", ERR_PERM },
        { 500, "openai/error_text.json", "http_500", ERR_TEMP },
        { 503, "openai/error_text.json", "http_503", ERR_TEMP },
        { 302, "openai/answer.json", "http_302", ERR_PERM },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *row = arena_printf(*state, "%d %s", rows[i].status, rows[i].file);
        struct http_response r = answered(rows[i].status, fixture_text(*state, rows[i].file));
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        expect_true(row, !chat_read(*state, &r, &got, &e));
        expect_text(row, e.code, rows[i].code);
        expect_int(row, e.kind, rows[i].kind);
    }
}

static void
test_read_odd_bodies(void **state)
{
    static const char *const rows[] = {
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        "{\"choices\":{}}",
        "{\"choices\":[null]}",
        "{\"choices\":[{\"message\":\"hello\"}]}",
        "{\"choices\":[{\"message\":{\"content\":7}}]}",
        "{\"choices\":[{\"message\":{\"content\":\" \\n \"}}]}",
        "{\"choices\":[{\"message\":{\"content\":\"\\u0000\"}}]}",
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(200, rows[i]);
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        expect_true(rows[i], !chat_read(*state, &r, &got, &e));
        expect_text(rows[i], e.code, "nonsense");
        expect_int(rows[i], e.kind, ERR_TEMP);
    }
}

static void
test_read_how_far_it_got(void **state)
{
    static const struct {
        const char *name;
        struct http_response r;
        const char *code;
    } rows[] = {
        { "not sent", { .reach = HTTP_NOT_SENT, .body = "", .why = "refused" }, "not_sent" },
        { "cut", { .reach = HTTP_CUT, .body = "", .why = "time-out" }, "no_answer" },
        { "cut after the header",
          { .reach = HTTP_CUT, .status = 200, .body = "{\"choices\":[", .why = "cut" },
          "no_answer" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        expect_true(rows[i].name, !chat_read(*state, &rows[i].r, &got, &e));
        expect_text(rows[i].name, e.code, rows[i].code);
        expect_int(rows[i].name, e.kind, ERR_TEMP);
    }
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

static const char *
answer_with(struct arena *a, const char *message, const char *finish)
{
    return arena_printf(a, "{\"choices\":[{\"finish_reason\":\"%s\",\"message\":%s}]}", finish,
                        message);
}

static void
test_read_calls(void **state)
{
    static const struct {
        const char *name;
        const char *finish;
        const char *message;
        const char *ids;  /* of the calls, each followed by a blank */
        const char *args; /* of the first; "" = no JSON object */
    } rows[] = {
        { "as it should be", "tool_calls",
          "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":"
          "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}}]}",
          "a ", "{\"x\":1}" },
        { "finish stop", "stop",
          "{\"content\":\"\",\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\","
          "\"arguments\":\"{}\"}}]}",
          "a ", "{}" },
        { "no id, the same id twice", "tool_calls",
          "{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},"
          "{\"id\":\"a\",\"function\":{\"name\":\"f\"}},{\"id\":\"a\",\"function\":{\"name\":"
          "\"f\"}}]}",
          "call_no_id_1 a call_no_id_3 ", "{}" },
        { "arguments as an object", "tool_calls",
          "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}}]}",
          "a ", "{\"x\":1}" },
        { "empty arguments", "tool_calls",
          "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\" \"}}]}",
          "a ", "{}" },
        { "broken arguments", "tool_calls",
          "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\"}}]"
          "}",
          "a ", "" },
        { "arguments that are a list", "tool_calls",
          "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"[1]\"}}]}",
          "a ", "" },
        { "no function at all", "tool_calls", "{\"tool_calls\":[7]}", "call_no_id_1 ", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *a = *state;
        struct http_response r = answered(200, answer_with(a, rows[i].message, rows[i].finish));
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        const char *ids = "";
        expect_true(rows[i].name, chat_read(a, &r, &got, &e));
        struct json_object *back = parsed(a, got.message);
        expect_text(rows[i].name, json_opt_str(a, back, "role", ""), "assistant");
        for (size_t k = 0; k < got.n_calls; k++) {
            const char *path = arena_printf(a, "tool_calls.%zu.id", k);
            ids = arena_printf(a, "%s%s ", ids, got.calls[k].id);
            expect_text(rows[i].name, json_opt_str(a, back, path, ""), got.calls[k].id);
        }
        expect_text(rows[i].name, ids, rows[i].ids);
        expect_text(rows[i].name, got.calls[0].args == NULL ? "" : json_print(a, got.calls[0].args),
                    rows[i].args);
        expect_text(rows[i].name, json_opt_str(a, back, "tool_calls.0.function.arguments", ""),
                    *rows[i].args == '\0' ? "{}" : rows[i].args);
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

static void
test_read_many_calls(void **state)
{
    struct arena *a = *state;
    struct json_object *message = json_new_object(a);
    struct json_object *calls = json_add_array(message, "tool_calls");
    struct chat_answer got = { 0 };
    struct err e = { 0 };

    for (int i = 0; i < 1000; i++)
        (void)json_push_object(calls);
    struct http_response r = answered(200, answer_with(a, json_print(a, message), "tool_calls"));
    assert_true(chat_read(a, &r, &got, &e));
    assert_int_equal(got.n_calls, 20);
    assert_int_equal(json_count(json_at(parsed(a, got.message), "tool_calls")), 20);
}

static void
test_read_without_thoughts(void **state)
{
    static const struct {
        const char *content;
        const char *want;
    } rows[] = {
        { "\"<think>hm</think>Yego.\"", "Yego." },
        { "\"<think>hm\\nhm</think>\\n\\nYego.\"", "Yego." },
        { "\"hm</think>Yego.\"", "Yego." },
        { "\"Yego.<think>and now\"", "Yego." },
        { "\"A<THINK>b</THINK>c<thinking>d</thinking>e\"", "Ace" },
        { "\"3 < 4 and <b>\"", "3 < 4 and <b>" },
        { "[\"Ye\",{\"type\":\"text\",\"text\":\"go\"},{\"type\":\"image_url\",\"text\":\"x\"}]",
          "Yego" },
        { "\"<think>only that</think>\"", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *message = arena_printf(*state, "{\"content\":%s}", rows[i].content);
        struct http_response r = answered(200, answer_with(*state, message, "stop"));
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        expect_int(rows[i].content, chat_read(*state, &r, &got, &e), *rows[i].want != '\0');
        expect_text(rows[i].content, got.text, rows[i].want);
    }
}

static void
test_says(void **state)
{
    static const struct {
        const char *code;
        const char *says;
    } rows[] = {
        { "", "ok" },
        { "refused", "ok" },
        { "not_sent", "fail" },
        { "no_answer", "fail" },
        { "nonsense", "fail" },
        { "http_500", "fail" },
        { "http_404", "fail" },
        { "http_400", "" },
        { "http_429", "pause" },
        { "http_401", "hard" },
        { "quota", "hard" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].code, chat_says(rows[i].code), rows[i].says);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_build_to_the_letter),
        ARENA_TEST(test_build_model_and_address),
        ARENA_TEST(test_build_without_key),
        ARENA_TEST(test_read_answers),
        ARENA_TEST(test_read_refusals),
        ARENA_TEST(test_read_odd_bodies),
        ARENA_TEST(test_read_how_far_it_got),
        ARENA_TEST(test_build_key_for_its_own_server),
        ARENA_TEST(test_build_tools),
        ARENA_TEST(test_read_calls),
        ARENA_TEST(test_calls_go_back_with_their_answers),
        ARENA_TEST(test_read_many_calls),
        ARENA_TEST(test_read_without_thoughts),
        ARENA_TEST(test_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
