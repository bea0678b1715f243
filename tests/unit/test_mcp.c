/*
 * mcp - requests and the exact answers; and each way to be wrong.
 */
#include "unit/mcp_fixture.h"

#define REQUEST(id, rest)  "{\"jsonrpc\":\"2.0\",\"id\":" id "," rest "}"
#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"
#define ERROR(id, code, message)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message "\"}" \
    "}"
#define PING            "\"method\":\"ping\""
#define CALL(arguments) "\"method\":\"tools/call\",\"params\":{\"name\":\"greet\"" arguments "}"

struct row {
    const char *request;
    int status;
    const char *want;
};

static void
expect_rows(struct arena *a, const char *version, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *body;

        expect_int(rows[i].request, post(a, &service, version, rows[i].request, &body),
                   rows[i].status);
        expect_text(rows[i].request, body, rows[i].want);
    }
}

static void
test_ping(void **state)
{
    static const struct row rows[] = {
        { REQUEST("1", PING), 200, RESULT("1", "{}") },
        { REQUEST("1", PING ",\"params\":{}"), 200, RESULT("1", "{}") },
        { REQUEST("1", PING ",\"params\":{\"_meta\":{\"progressToken\":7}}"), 200,
          RESULT("1", "{}") },
        { REQUEST("1", PING ",\"params\":null"), 200, RESULT("1", "{}") },
        { REQUEST("1", PING ",\"params\":[]"), 200,
          ERROR("1", "-32602", "Invalid params: params: must be an object") },
        { " \r\n\t" REQUEST("1", PING) "\n", 200, RESULT("1", "{}") },
    };

    expect_rows(*state, "2025-11-25", rows, COUNT_OF(rows));
}

static void
test_id_comes_back_as_it_was(void **state)
{
    static const char *const ids[] = {
        "0",
        "-1",
        "-0",
        "1.0",
        "1.50",
        "1e3",
        "1E400",
        "9007199254740993",
        "18446744073709551616",
        "-123456789012345678901234567890",
        "\"\"",
        "\"0\"",
        "\"18446744073709551616\"",
        "\"call a/1 \\\"\\\\ {[,\"",
        "\"Mwaramutse \xC3\xA9\"",
        "\"null\"",
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        const char *want = arena_printf(a, RESULT("%s", "{}"), ids[i]);
        const char *body;

        (void)post(a, &service, "", arena_printf(a, REQUEST("%s", PING), ids[i]), &body);
        expect_text(ids[i], body, want);
        (void)post(a, &service, "",
                   arena_printf(a,
                                "{\"params\":{\"id\":[7,\"}\",{\"id\":8}]},\"x\\\"id\":9 ,"
                                "\"method\" : \"ping\", \"\\u0069d\"\n:\t%s ,\"jsonrpc\":\"2.0\"}",
                                ids[i]),
                   &body);
        expect_text(ids[i], body, want);
    }
}

static void
test_invalid_requests(void **state)
{
    static const struct row rows[] = {
        { "{}", 400, ERROR("null", "-32600", "Invalid request: jsonrpc: must be \\\"2.0\\\"") },
        { "7", 400, ERROR("null", "-32600", "Invalid request: a message must be an object") },
        { "null", 400, ERROR("null", "-32600", "Invalid request: a message must be an object") },
        { "{\"id\":1,\"method\":\"ping\"}", 400,
          ERROR("1", "-32600", "Invalid request: jsonrpc: must be \\\"2.0\\\"") },
        { "{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"ping\"}", 400,
          ERROR("\"a\"", "-32600", "Invalid request: jsonrpc: must be \\\"2.0\\\"") },
        { "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", 400,
          ERROR("1", "-32600", "Invalid request: jsonrpc: must be \\\"2.0\\\"") },
        { REQUEST("null", PING), 400,
          ERROR("null", "-32600", "Invalid request: id: must be a string or a number") },
        { REQUEST("true", PING), 400,
          ERROR("null", "-32600", "Invalid request: id: must be a string or a number") },
        { REQUEST("{}", PING), 400,
          ERROR("null", "-32600", "Invalid request: id: must be a string or a number") },
        { REQUEST("[1]", PING), 400,
          ERROR("null", "-32600", "Invalid request: id: must be a string or a number") },
        { REQUEST("1", "\"x\":2"), 400,
          ERROR("1", "-32600", "Invalid request: method: must be text") },
        { REQUEST("1", "\"method\":7"), 400,
          ERROR("1", "-32600", "Invalid request: method: must be text") },
        { REQUEST("1", "\"method\":\"\""), 400,
          ERROR("1", "-32600", "Invalid request: method: must be text") },
        { "{\"jsonrpc\":\"2.0\"}", 400,
          ERROR("null", "-32600", "Invalid request: method: must be text") },
    };

    expect_rows(*state, "2025-11-25", rows, COUNT_OF(rows));
}

static void
test_unreadable(void **state)
{
    static const struct {
        const char *name;
        const char *request;
        const char *want;
    } rows[] = {
        { "empty", "", "Parse error: not JSON: a value is expected (byte 1)" },
        { "cut", "{\"jsonrpc\":\"2.0\"", "Parse error: not JSON: a comma or the closing bracket" },
        { "two", REQUEST("1", PING) "{}", "Parse error: not JSON: more text behind the value" },
        { "twice", "{\"id\":1,\"id\":2}", "Parse error: not JSON: a key stands twice" },
        { "deep", REQUEST("1", PING ",\"params\":{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}"),
          "Parse error: not JSON: too many levels" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body;

        expect_int(rows[i].name, post(a, &service, "", rows[i].request, &body), 400);
        expect_true(rows[i].name, str_starts(body, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":"
                                                   "{\"code\":-32700,\"message\":\""));
        expect_true(rows[i].name, strstr(body, rows[i].want) != NULL);
    }
}

static void
test_what_gets_no_answer(void **state)
{
    static const struct row rows[] = {
        { "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", 202, "" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
          "{\"requestId\":1}}",
          202, "" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"unknown\"}", 202, "" },
        { "{\"jsonrpc\":\"2.0\"," CALL(",\"arguments\":{\"name\":\"A\"}") "}", 202, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 202, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"\"}}", 202, "" },
    };

    expect_rows(*state, "2025-11-25", rows, COUNT_OF(rows));
    assert_int_equal(executed, 0);
}

static void
test_unknown_methods(void **state)
{
    static const char *const names[] = {
        "tools",        "tools/List",       "resources/list",
        "prompts/list", "logging/setLevel", "notifications/initialized"
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *body;
        const char *request =
            arena_printf(a, REQUEST("1", "\"method\":\"%s\",\"params\":[]"), names[i]);

        expect_int(names[i], post(a, &service, "", request, &body), 200);
        expect_text(names[i], body,
                    ERROR("1", "-32601", "Method not found: this server has tools only"));
    }
}

static void
test_initialize_agrees_on_a_version(void **state)
{
    static const struct {
        const char *asked;
        const char *given;
    } rows[] = {
        { "2025-11-25", "2025-11-25" }, { "2025-06-18", "2025-06-18" },
        { "2025-03-26", "2025-03-26" }, { "2024-11-05", "2024-11-05" },
        { "2024-10-07", "2024-10-07" }, { "2031-01-01", "2025-11-25" },
        { "1.0", "2025-11-25" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body;
        const char *request = arena_printf(
            a,
            REQUEST("0", "\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"%s\","
                         "\"capabilities\":{\"roots\":{}},\"clientInfo\":{\"name\":\"c\"}}"),
            rows[i].asked);
        const char *want =
            arena_printf(a,
                         "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"%s\","
                         "\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"omni\","
                         "\"version\":\"" OMNI_VERSION "\"},\"instructions\":\"Messages to people",
                         rows[i].given);

        expect_int(rows[i].asked, post(a, &service, "", request, &body), 200);
        expect_true(rows[i].asked, str_starts(body, want));
    }
}

static void
test_initialize_without_a_version(void **state)
{
    static const struct row rows[] = {
        { REQUEST("1", "\"method\":\"initialize\""), 200,
          ERROR("1", "-32602", "Invalid params: protocolVersion: missing") },
        { REQUEST("1", "\"method\":\"initialize\",\"params\":{\"protocolVersion\":7}"), 200,
          ERROR("1", "-32602", "Invalid params: protocolVersion: must be text") },
    };

    expect_rows(*state, "", rows, COUNT_OF(rows));
}

static void
test_version_known(void **state)
{
    (void)state;
    assert_true(mcp_version_known("2025-11-25"));
    assert_true(mcp_version_known("2024-11-05"));
    assert_true(mcp_version_known("2024-10-07"));
    assert_false(mcp_version_known("2025-11-26"));
    assert_false(mcp_version_known(""));
    assert_false(mcp_version_known("2025-11-25 "));
}

static void
test_tools_list(void **state)
{
    static const struct row rows[] = {
        { REQUEST("1", "\"method\":\"tools/list\""), 200,
          RESULT("1",
                 "{\"tools\":[{\"name\":\"greet\",\"description\":\"Says \\\"hello\\\".\","
                 "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
                 "\"string\",\"maxLength\":5,\"description\":\"Whom to greet.\"}},\"required\":"
                 "[\"name\"]}},{\"name\":\"fail\",\"description\":\"Fails.\",\"inputSchema\":"
                 "{\"type\":\"object\",\"properties\":{\"how\":{\"type\":\"string\",\"enum\":"
                 "[\"denied\",\"limit\",\"database\",\"sql\",\"unsent\",\"bug\"],\"description\":"
                 "\"In which way.\"}},\"required\":[]}}]}") },
        { REQUEST("1", "\"method\":\"tools/list\",\"params\":{\"cursor\":\"abc\"}"), 200,
          ERROR("1", "-32602", "Invalid params: cursor: there is one page only") },
        { REQUEST("1", "\"method\":\"tools/list\",\"params\":{\"cursor\":3}"), 200,
          ERROR("1", "-32602", "Invalid params: cursor: there is one page only") },
    };

    expect_rows(*state, "2025-11-25", rows, COUNT_OF(rows));
}

static void
test_tools_call(void **state)
{
    static const struct row rows[] = {
        { REQUEST("1", CALL(",\"arguments\":{\"name\":\"Aline\"}")), 200,
          RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"text\\\":\\\"Hello "
                      "Aline\\\",\\\"success\\\":true,\\\"result\\\":\\\"ok\\\"}\"}],"
                      "\"structuredContent\":{\"text\":\"Hello "
                      "Aline\",\"success\":true,\"result\":\"ok\"},\"isError\":false}") },
        { REQUEST("1", CALL("")), 200,
          RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"result\\\":\\\"failed\\\","
                      "\\\"success\\\":false,"
                      "\\\"error\\\":{\\\"code\\\":\\\"invalid\\\",\\\"message\\\":\\\"name: "
                      "missing\\\"}}\"}],\"structuredContent\":{\"result\":\"failed\",\"success\":"
                      "false,\"error\":{\"code\":"
                      "\"invalid\",\"message\":\"name: missing\"}},\"isError\":true}") },
    };

    expect_rows(*state, "2025-06-18", rows, COUNT_OF(rows));
    assert_int_equal(executed, 1);
}

static void
test_tools_call_refused(void **state)
{
    static const struct row rows[] = {
        { REQUEST("1", "\"method\":\"tools/call\""), 200,
          ERROR("1", "-32602", "Invalid params: name: missing") },
        { REQUEST("1", "\"method\":\"tools/call\",\"params\":{\"name\":7}"), 200,
          ERROR("1", "-32602", "Invalid params: name: must be text") },
        { REQUEST("1", "\"method\":\"tools/call\",\"params\":{\"name\":\"greets\"}"), 200,
          ERROR("1", "-32602", "Invalid params: name: no such tool") },
        { REQUEST("1", CALL(",\"arguments\":[]")), 200,
          ERROR("1", "-32602", "Invalid params: arguments: must be an object") },
        { REQUEST("1", CALL(",\"arguments\":\"{}\"")), 200,
          ERROR("1", "-32602", "Invalid params: arguments: must be an object") },
        { REQUEST("1", CALL(",\"arguments\":0")), 200,
          ERROR("1", "-32602", "Invalid params: arguments: must be an object") },
    };

    expect_rows(*state, "2025-11-25", rows, COUNT_OF(rows));
    assert_int_equal(executed, 0);
}

/* What a tool says of its failure; nothing of our insides. */
static void
test_tool_that_fails(void **state)
{
    static const struct {
        const char *how;
        const char *code;
        const char *words;
    } rows[] = {
        { "denied", "forbidden", "session_id: not this conversation" },
        { "limit", "limit", "too many messages, come back later" },
        { "database", "temp", "temporarily unavailable, try again" },
        { "sql", "invalid", "invalid data" },
        { "bug", "bug", "internal error" },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body;
        const char *request = arena_printf(
            a,
            REQUEST("1", "\"method\":\"tools/call\",\"params\":{\"name\":\"fail\",\"arguments\":"
                         "{\"how\":\"%s\"}}"),
            rows[i].how);
        const char *want =
            arena_printf(a,
                         "\"structuredContent\":{\"result\":\"failed\",\"success\":false,\"error\":"
                         "{\"code\":\"%s\",\"message\":\"%s\"}},\"isError\":true}}",
                         rows[i].code, rows[i].words);

        expect_int(rows[i].how, post(a, &service, "", request, &body), 200);
        expect_true(rows[i].how, str_ends(body, want));
        expect_true(rows[i].how, strstr(body, "secret") == NULL);
    }
}

/* One that ran, and says itself that nothing came of it. */
static void
test_tool_without_success(void **state)
{
    static const struct row rows[] = {
        { REQUEST("1", "\"method\":\"tools/call\",\"params\":{\"name\":\"fail\",\"arguments\":"
                       "{\"how\":\"unsent\"}}"),
          200,
          RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"success\\\":false,"
                      "\\\"result\\\":\\\"ok\\\"}\"}],\"structuredContent\":{\"success\":false,"
                      "\"result\":\"ok\"},\"isError\":true}") },
    };

    expect_rows(*state, "2025-11-25", rows, COUNT_OF(rows));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_ping),
        ARENA_TEST(test_id_comes_back_as_it_was),
        ARENA_TEST(test_invalid_requests),
        ARENA_TEST(test_unreadable),
        ARENA_TEST(test_what_gets_no_answer),
        ARENA_TEST(test_unknown_methods),
        ARENA_TEST(test_initialize_agrees_on_a_version),
        ARENA_TEST(test_initialize_without_a_version),
        ARENA_TEST(test_version_known),
        ARENA_TEST(test_tools_list),
        ARENA_TEST(test_tools_call),
        ARENA_TEST(test_tools_call_refused),
        ARENA_TEST(test_tool_that_fails),
        ARENA_TEST(test_tool_without_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
