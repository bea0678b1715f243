/*
 * chat - which answers are an answer to a person, which call tools, and what the others tell.
 */
#include "provider/chat.h"
#include "unit/provider_fixture.h"

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
            /* How the model itself called it is not lost. */
            expect_true(rows[i].name,
                        str_eq(got.calls[k].given, "a") || str_empty(got.calls[k].given));
            expect_true(rows[i].name,
                        !str_eq(got.calls[k].id, "a") || str_eq(got.calls[k].given, "a"));
        }
        expect_text(rows[i].name, ids, rows[i].ids);
        expect_text(rows[i].name, got.calls[0].args == NULL ? "" : json_print(a, got.calls[0].args),
                    rows[i].args);
        expect_text(rows[i].name, json_opt_str(a, back, "tool_calls.0.function.arguments", ""),
                    *rows[i].args == '\0' ? "{}" : rows[i].args);
    }
}

static void
test_read_where_the_limit_cut(void **state)
{
    static const char *const finish[] = { "stop", "length" };

    for (size_t i = 0; i < COUNT_OF(finish); i++) {
        struct arena *a = *state;
        struct http_response r =
            answered(200, answer_with(a, "{\"content\":\"Half a\"}", finish[i]));
        struct chat_answer got = { 0 };
        struct err e = { 0 };
        expect_true(finish[i], chat_read(a, &r, &got, &e));
        expect_text(finish[i], got.text, "Half a");
        expect_int(finish[i], got.is_cut, i == 1);
    }
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
        { "\"<think>[no]</think>{\\\"points\\\":[\\\"One\\\"]}\"", "{\"points\":[\"One\"]}" },
        { "\"a</think>b</think><think>c</think>d<think>e</think>\"", "d" },
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
        ARENA_TEST(test_read_answers),
        ARENA_TEST(test_read_refusals),
        ARENA_TEST(test_read_odd_bodies),
        ARENA_TEST(test_read_how_far_it_got),
        ARENA_TEST(test_read_calls),
        ARENA_TEST(test_read_where_the_limit_cut),
        ARENA_TEST(test_read_many_calls),
        ARENA_TEST(test_read_without_thoughts),
        ARENA_TEST(test_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
