/*
 * openai_sip - who calls, and what is answered.
 */
#include "provider/openai_sip.h"
#include "unit/provider_fixture.h"

static struct sip_event
event_of(struct arena *a, const char *row, const char *body)
{
    struct sip_event s;
    struct err e = { 0 };

    if (!openai_sip_read(a, body, strlen(body), &s, &e))
        fail_msg("%s: %s", row, e.text);
    return s;
}

static void
test_read(void **state)
{
    struct sip_event s =
        event_of(*state, "incoming", fixture_text(*state, "openai/sip_incoming.json"));

    assert_true(s.is_call);
    assert_string_equal(s.call_id, "rtc_u0_9f4c");
    assert_string_equal(s.caller.e164, "+250788000001");
    assert_string_equal(s.sip_call_id, "a84b4c76e66710@sip.carrier.rw");
    assert_int_equal(s.at_ms, 1790000000000);
}

/* An event whose headers are the given JSON. */
static const char *
with_headers(struct arena *a, const char *headers)
{
    return arena_printf(a,
                        "{\"id\":\"evt_1\",\"type\":\"realtime.call.incoming\",\"data\":"
                        "{\"call_id\":\"rtc_1\",\"sip_headers\":%s}}",
                        headers);
}

#define FROM(value) "[{\"name\":\"From\",\"value\":\"" value "\"}]"

static void
test_caller(void **state)
{
    static const struct {
        const char *headers;
        const char *want;
    } rows[] = {
        { FROM("<sip:+250788000001@sip.carrier.rw>;tag=1"), "+250788000001" },
        { FROM("sip:+250788000001@sip.carrier.rw;tag=1"), "+250788000001" },
        { FROM("sips:0788000001@carrier.rw"), "+250788000001" },
        { FROM("<SIP:250788000001@10.0.0.1:5060;user=phone>"), "+250788000001" },
        { FROM("<sip:+250788000001;npdi=yes@carrier.rw>"), "+250788000001" },
        { FROM("<sip:+250788000001:secret@carrier.rw>"), "+250788000001" },
        { FROM("<sip:%2B250788000001@carrier.rw>"), "+250788000001" },
        { FROM("<tel:+250-788-000-001;phone-context=+250>"), "+250788000001" },
        { FROM("tel:+250788000001"), "+250788000001" },
        { FROM("\\\"Aline <sip:+250788999999@x>\\\" <sip:+250788000001@x>"), "+250788000001" },
        { FROM("\\\"say \\\\\\\" <tel:+250788999999>\\\" <sip:+250788000001@x>"), "+250788000001" },
        { FROM("Aline Uwase <sip:+250788000001@x>"), "+250788000001" },
        { "[{\"name\":\"f\",\"value\":\"<sip:+250788000001@x>\"}]", "+250788000001" },
        { "[{\"name\":\"FROM\",\"value\":\"<sip:+250788000001@x>\"}]", "+250788000001" },
        { "[{\"name\":\"from\",\"value\":\"<sip:1001@x>\"},"
          "{\"name\":\"P-Asserted-Identity\",\"value\":\"<tel:+250788000001>\"}]",
          "+250788000001" },
        { "[{\"name\":\"From\",\"value\":\"<sip:anonymous@anonymous.invalid>\"},"
          "{\"name\":\"p-asserted-identity\",\"value\":\"\\\"A, B\\\" <sip:+250788000001@x>, "
          "<tel:+250788000002>\"}]",
          "+250788000001" },
        { "[{\"name\":\"P-Asserted-Identity\",\"value\":\"<sip:+250788000002@x>\"},"
          "{\"name\":\"From\",\"value\":\"<sip:+250788000001@x>\"}]",
          "+250788000001" },
        { "[{\"name\":\"P-Asserted-Identity\",\"value\":\"<sip:alice@x>, <tel:+250788000001>\"}]",
          "+250788000001" },
        { "[{\"name\":\"P-Asserted-Identity\",\"value\":\"sip:alice@x , tel:+250788000001\"}]",
          "+250788000001" },
        { "[{\"name\":\"P-Asserted-Identity\",\"value\":\"\\\"x, <tel:+250788999999>\\\" "
          "<sip:alice@x>,\"}]",
          "" },
        { FROM("\\\"Anonymous\\\" <sip:anonymous@anonymous.invalid>;tag=2"), "" },
        { FROM("\\\"+250788999999\\\" <sip:anonymous@anonymous.invalid>"), "" },
        { FROM("\\\"+250788999999"), "" },
        { FROM("+250788000001"), "" },
        { FROM("<sip:carrier.rw>"), "" },
        { FROM("<sip:+250788000001>"), "" },
        { FROM("<sip:+250788000000,wa_id.neq.x@y>"), "" },
        { FROM("<sip:%s%n@y>"), "" },
        { FROM("<sip:1001@pbx>"), "" },
        { FROM("<sip:192.168.1.20@pbx>"), "" },
        { FROM("<mailto:+250788000001@x>"), "" },
        { FROM(""), "" },
        { "[{\"name\":\"From\"},{\"value\":\"<sip:+250788000001@x>\"},7,null]", "" },
        { "[]", "" },
        { "{}", "" },
        { "null", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sip_event s =
            event_of(*state, rows[i].headers, with_headers(*state, rows[i].headers));
        expect_true(rows[i].headers, s.is_call);
        expect_text(rows[i].headers, s.caller.e164, rows[i].want);
    }
}

static void
test_long_header(void **state)
{
    char *value = arena_alloc(*state, 8192);

    memset(value, '7', 8191);
    struct sip_event s = event_of(*state, "long",
                                  with_headers(*state, arena_printf(*state,
                                                                    "[{\"name\":\"From\",\"value\":"
                                                                    "\"<sip:%s@x>\"},{\"name\":"
                                                                    "\"i\",\"value\":\"%s\"}]",
                                                                    value, value)));
    assert_string_equal(s.caller.e164, "");
    assert_string_equal(s.sip_call_id, "");
}

static void
test_sip_call_id(void **state)
{
    static const struct {
        const char *headers;
        const char *want;
    } rows[] = {
        { "[{\"name\":\"Call-ID\",\"value\":\" a84b@x \"}]", "a84b@x" },
        { "[{\"name\":\"i\",\"value\":\"a84b@x\"}]", "a84b@x" },
        { "[{\"name\":\"CALL-ID\",\"value\":\"\"},{\"name\":\"I\",\"value\":\"b\"}]", "b" },
        { "[{\"name\":\"X-Call-ID\",\"value\":\"a\"}]", "" },
        { "[]", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sip_event s =
            event_of(*state, rows[i].headers, with_headers(*state, rows[i].headers));
        expect_text(rows[i].headers, s.sip_call_id, rows[i].want);
    }
}

static void
test_other_events(void **state)
{
    static const char *const types[] = { "live.call.incoming",       "live.transport.incoming",
                                         "live.transport.connected", "realtime.call.ended",
                                         "response.completed",       "tomorrow's" };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *body = arena_printf(*state, "{\"type\":\"%s\"}", types[i]);
        struct sip_event s = event_of(*state, types[i], body);
        expect_int(types[i], s.is_call, false);
        expect_text(types[i], s.type, types[i]);
    }
}

static void
test_unreadable(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"realtime.call.incoming\"}",
        "{\"type\":\"realtime.call.incoming\",\"data\":{\"call_id\":\"\"}}",
        "{\"type\":\"realtime.call.incoming\",\"data\":{\"call_id\":7}}",
    };

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct sip_event s;
        struct err e = { 0 };
        expect_int(bodies[i], openai_sip_read(*state, bodies[i], strlen(bodies[i]), &s, &e), false);
        expect_int(bodies[i], e.kind, ERR_INVALID);
    }
}

static struct config
sip_settings(void)
{
    struct config c = operator_settings();

    c.public_url = "https://calls.example.rw";
    c.openai_realtime_model = "gpt-realtime";
    return c;
}

static void
test_accept(void **state)
{
    const struct sip_accept s = { .call_id = "rtc_1",
                                  .instructions = "Be short.",
                                  .voice = "marin",
                                  .token = "bound.token",
                                  .tools = "call_log_summary,agent_handover" };
    struct config c = sip_settings();
    struct http_request r;

    openai_sip_accept(*state, &c, &s, &r);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.url, "https://api.openai.com/v1/realtime/calls/rtc_1/accept");
    assert_string_equal(header_line(&r, "Authorization"), "Authorization: Bearer sk-test");
    assert_string_equal(header_line(&r, "Content-Type"), "Content-Type: application/json");
    assert_string_equal(r.body, fixture_compact(*state, "openai/sip_accept.json"));
    assert_int_equal(r.body_len, strlen(r.body));
    c.public_url = ""; /* nobody outside could reach our tools */
    openai_sip_accept(*state, &c, &s, &r);
    assert_null(json_at(parsed(*state, r.body), "tools"));
    assert_null(strstr(r.body, "bound.token"));
}

static void
test_other_actions(void **state)
{
    struct config c = sip_settings();
    struct http_request r;

    openai_sip_reject(*state, &c, "rtc_1", 486, &r);
    assert_string_equal(r.url, "https://api.openai.com/v1/realtime/calls/rtc_1/reject");
    assert_string_equal(r.body, "{\"status_code\":486}");
    openai_sip_hangup(*state, &c, "rtc_../1", &r);
    assert_string_equal(r.url, "https://api.openai.com/v1/realtime/calls/rtc_..%2F1/hangup");
    assert_string_equal(r.method, "POST");
    assert_int_equal(r.body_len, 0);
    assert_string_equal(header_line(&r, "Content-Type"), "");
}

static void
test_read_answer(void **state)
{
    const struct {
        const char *name;
        int status;
        const char *body;
        enum call_verdict want;
        const char *code;
    } rows[] = {
        { "taken, an empty body", 200, "", CALL_TAKEN, "" },
        { "gone", 404, fixture_text(*state, "openai/sip_error.json"), CALL_REFUSED,
          "session_id_not_found" },
        { "no code", 400, "{\"error\":{\"code\":null}}", CALL_REFUSED, "http_400" },
        { "key", 401, "", CALL_REFUSED, "http_401" },
        { "slow down", 429, "", CALL_AGAIN, "http_429" },
        { "broken", 500, "", CALL_AGAIN, "http_500" },
    };
    struct http_response cut = { .reach = HTTP_CUT, .body = "" };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(rows[i].status, rows[i].body);
        struct call_answer got = openai_sip_read_answer(*state, &r);
        expect_int(rows[i].name, got.verdict, rows[i].want);
        expect_text(rows[i].name, got.code, rows[i].code);
    }
    assert_int_equal(openai_sip_read_answer(*state, &cut).verdict, CALL_UNKNOWN);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_read),        ARENA_TEST(test_caller),        ARENA_TEST(test_long_header),
        ARENA_TEST(test_sip_call_id), ARENA_TEST(test_other_events),  ARENA_TEST(test_unreadable),
        ARENA_TEST(test_accept),      ARENA_TEST(test_other_actions), ARENA_TEST(test_read_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
