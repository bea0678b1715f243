/*
 * mcp - batches: part of one version of the protocol only.
 */
#include "base/buf.h"
#include "unit/mcp_fixture.h"

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define NOTE     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":{\"id\":[3,\"]\"]}}"
#define REFUSED(id, code, words)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" words "\"}}"
#define NO_OBJECT REFUSED("null", "-32600", "Invalid request: a message must be an object")

static void
test_batches(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *want;
    } rows[] = {
        { "[" PING("1") "]", 200, "[" PONG("1") "]" },
        { " [ " PING("12345678901234567890") " , " NOTE ",\n" PING("\"b\"") " ] ", 200,
          "[" PONG("12345678901234567890") "," PONG("\"b\"") "]" },
        { "[" NOTE "]", 202, "" },
        { "[" NOTE "," NOTE ",{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]", 202, "" },
        { "[]", 400, REFUSED("null", "-32600", "Invalid request: a batch has 1 to 50 messages") },
        { "[7,[" PING("5") "]," PING("2") "]", 200, "[" NO_OBJECT "," NO_OBJECT "," PONG("2") "]" },
        { "[" PING("null") "]", 200,
          "[" REFUSED("null", "-32600", "Invalid request: id: must be a string or a number") "]" },
        { "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"
          "{\"protocolVersion\":\"2025-03-26\"}}]",
          200, "[" REFUSED("1", "-32600", "Invalid request: initialize must stand alone") "]" },
    };
    static const char *const versions[] = { "", "2025-03-26" };
    struct arena *a = *state;

    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            const char *body;

            expect_int(rows[i].request, post(a, &service, versions[v], rows[i].request, &body),
                       rows[i].status);
            expect_text(rows[i].request, body, rows[i].want);
        }
    }
}

static void
test_no_batches_in_other_versions(void **state)
{
    static const char *const versions[] = { "2025-11-25", "2025-06-18", "2024-11-05" };

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        const char *body;

        expect_int(versions[i], post(*state, &service, versions[i], "[" PING("1") "]", &body), 400);
        expect_text(versions[i], body,
                    REFUSED("null", "-32600",
                            "Invalid request: no batches in this version of the protocol"));
    }
}

static void
test_batch_of_many(void **state)
{
    static const struct {
        const char *name;
        int n;
        int status;
    } rows[] = {
        { "fifty", 50, 200 },
        { "one more", 51, 400 },
        { "a lot", 3000, 400 },
    };
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b = buf_init(a, 1024 * 1024);
        const char *body;

        for (int k = 0; k < rows[i].n; k++)
            buf_printf(
                &b,
                "%s{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"fail\"}}",
                k == 0 ? "[" : ",", k);
        buf_adds(&b, "]");
        expect_int(rows[i].name, post(a, &service, "", b.data, &body), rows[i].status);
        expect_int(rows[i].name, executed, rows[i].status == 200 ? rows[i].n : 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_batches),
        ARENA_TEST(test_no_batches_in_other_versions),
        ARENA_TEST(test_batch_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
