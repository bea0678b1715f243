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
        { 200, "openai/answer_null.json", "nonsense", ERR_TEMP },
        { 200, "openai/answer_no_choices.json", "nonsense", ERR_TEMP },
        { 200, "openai/answer_parts.json", "nonsense", ERR_TEMP },
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
        { 400, "openai/error_context_length.json", "http_400", ERR_PERM },
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_build_to_the_letter), ARENA_TEST(test_build_model_and_address),
        ARENA_TEST(test_build_without_key),   ARENA_TEST(test_read_answers),
        ARENA_TEST(test_read_refusals),       ARENA_TEST(test_read_odd_bodies),
        ARENA_TEST(test_read_how_far_it_got),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
