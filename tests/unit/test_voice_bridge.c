/*
 * voice_bridge - opening and stopping a session, and what counts as an answer.
 */
#include "provider/voice_bridge.h"
#include "unit/provider_fixture.h"

static struct config
bridge_settings(void)
{
    struct config c = operator_settings();

    c.voice_bridge_url = "https://bridge.example.rw";
    c.openai_realtime_model = "gpt-realtime";
    return c;
}

static void
test_configured(void **state)
{
    struct config c = bridge_settings();

    (void)state;
    assert_true(voice_bridge_configured(&c));
    c.voice_bridge_url = "";
    assert_false(voice_bridge_configured(&c));
}

static void
test_open(void **state)
{
    struct config c = bridge_settings();
    struct http_request r;
    /* As JSON readers hand it over: line feeds alone. */
    const struct bridge_session s = {
        .call_id = "wacid.A",
        .sdp_offer = "v=0\no=- 7602563789789945080 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
                     "m=audio 40012 UDP/TLS/RTP/SAVPF 111\na=rtpmap:111 opus/48000/2",
        .from = "+250788000001",
        .voice = "marin",
        .instructions = "Be short.",
    };

    voice_bridge_open(*state, &c, &s, &r);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.url, "https://bridge.example.rw/api/sessions");
    assert_string_equal(header_line(&r, "Content-Type"), "Content-Type: application/json");
    assert_string_equal(header_line(&r, "Authorization"), "");
    assert_non_null(strstr(r.body, "t=0 0\\r\\nm=audio"));
    assert_int_equal(r.body_len, strlen(r.body));
    assert_string_equal(json_print(*state, parsed(*state, r.body)),
                        fixture_compact(*state, "bridge/open.json"));
}

static void
test_read_open(void **state)
{
    static const struct {
        const char *name;
        int status;
        const char *body;
        enum call_verdict want;
        const char *code;
        const char *sdp;
    } rows[] = {
        { "taken", 200, "{\"sdpAnswer\":\"v=0\",\"callId\":\"wacid.A\"}", CALL_TAKEN, "", "v=0" },
        { "created", 201, "{\"sdpAnswer\":\"v=0\"}", CALL_TAKEN, "", "v=0" },
        { "nothing to go on with", 200, "{\"callId\":\"wacid.A\"}", CALL_REFUSED, "no_sdp", "" },
        { "empty", 200, "{\"sdpAnswer\":\"\"}", CALL_REFUSED, "no_sdp", "" },
        { "not JSON", 200, "OK", CALL_REFUSED, "no_sdp", "" },
        { "refused", 400, "{\"sdpAnswer\":\"v=0\"}", CALL_REFUSED, "http_400", "" },
        { "busy", 429, "", CALL_AGAIN, "http_429", "" },
        { "broken", 502, "", CALL_AGAIN, "http_502", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(rows[i].status, rows[i].body);
        const char *sdp;
        struct call_answer got = voice_bridge_read_open(*state, &r, &sdp);
        expect_int(rows[i].name, got.verdict, rows[i].want);
        expect_text(rows[i].name, got.code, rows[i].code);
        expect_text(rows[i].name, sdp, rows[i].sdp);
    }
}

static void
test_read_reach(void **state)
{
    static const struct {
        enum http_reach reach;
        int status;
        enum call_verdict open;
        enum call_verdict stop;
        const char *code;
    } rows[] = {
        { HTTP_NOT_SENT, 0, CALL_AGAIN, CALL_AGAIN, "not_sent" },
        { HTTP_CUT, 0, CALL_UNKNOWN, CALL_UNKNOWN, "no_answer" },
        { HTTP_CUT, 200, CALL_REFUSED, CALL_TAKEN, "no_sdp" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = { .reach = rows[i].reach, .status = rows[i].status, .body = "" };
        const char *sdp;
        struct call_answer got = voice_bridge_read_open(*state, &r, &sdp);
        expect_int(rows[i].code, got.verdict, rows[i].open);
        expect_text(rows[i].code, got.code, rows[i].code);
        expect_int(rows[i].code, voice_bridge_read_stop(*state, &r).verdict, rows[i].stop);
    }
}

static void
test_stop(void **state)
{
    struct config c = bridge_settings();
    struct http_request r;
    struct http_response gone = answered(404, "");
    struct http_response broken = answered(500, "");

    voice_bridge_stop(*state, &c, "wacid.A", &r);
    assert_string_equal(r.url, "https://bridge.example.rw/bridge/stop");
    assert_string_equal(r.body, fixture_compact(*state, "bridge/stop.json"));
    assert_int_equal(voice_bridge_read_stop(*state, &gone).verdict, CALL_TAKEN);
    assert_int_equal(voice_bridge_read_stop(*state, &broken).verdict, CALL_AGAIN);
}

static void
test_sdp(void **state)
{
    assert_string_equal(call_sdp(*state, "v=0\ns=-\n"), "v=0\r\ns=-\r\n");
    assert_string_equal(call_sdp(*state, "v=0\r\ns=-\r\n"), "v=0\r\ns=-\r\n");
    assert_string_equal(call_sdp(*state, "v=0\r\ns=-"), "v=0\r\ns=-\r\n");
    assert_string_equal(call_sdp(*state, ""), "");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_configured), ARENA_TEST(test_open), ARENA_TEST(test_read_open),
        ARENA_TEST(test_read_reach), ARENA_TEST(test_stop), ARENA_TEST(test_sdp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
