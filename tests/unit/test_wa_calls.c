/*
 * wa_calls - Meta's call events in their official shapes, the actions on a call, the transcript.
 */
#include "provider/wa_calls.h"
#include "unit/provider_fixture.h"

static struct wa_call_items
items_of(struct arena *a, const char *name)
{
    const char *body = fixture_text(a, arena_printf(a, "meta/calls_%s.json", name));
    struct config c = operator_settings();
    struct wa_call_items items;
    struct err e = { 0 };

    if (!wa_calls_read(a, &c, body, strlen(body), &items, &e))
        fail_msg("%s: %s", name, e.text);
    return items;
}

static void
test_read_kinds(void **state)
{
    static const struct {
        const char *file;
        enum wa_call_kind kind;
        bool answered;
        int64_t at_ms, started_ms, ended_ms;
        const char *name;
    } rows[] = {
        { "connect", WA_CALL_CONNECT, false, 1790000000000, 0, 0, "Aline" },
        { "connect_connection", WA_CALL_CONNECT, false, 1790000000000, 0, 0, "Aline" },
        { "terminate", WA_CALL_TERMINATE, true, 1790000130000, 1790000010000, 1790000130000, "" },
        { "terminate_missed", WA_CALL_TERMINATE, false, 1790000130000, 0, 0, "" },
        { "terminate_failed", WA_CALL_TERMINATE, false, 1790000130000, 0, 0, "" },
        { "transcription", WA_CALL_TRANSCRIPT, false, 1790000190000, 0, 0, "" },
        { "transcript", WA_CALL_TRANSCRIPT, false, 1790000190000, 0, 0, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wa_call_items items = items_of(*state, rows[i].file);
        const struct wa_call *c = &items.calls[0];
        expect_int(rows[i].file, (int64_t)items.n_calls, 1);
        expect_int(rows[i].file, (int64_t)(items.n_unreadable + items.n_unknown), 0);
        expect_text(rows[i].file, c->id, "wacid.A");
        expect_text(rows[i].file, c->from.e164, "+250788000001");
        expect_text(rows[i].file, c->name, rows[i].name);
        expect_int(rows[i].file, c->kind, rows[i].kind);
        expect_int(rows[i].file, c->is_ours, false);
        expect_int(rows[i].file, c->answered, rows[i].answered);
        expect_int(rows[i].file, c->at_ms, rows[i].at_ms);
        expect_int(rows[i].file, c->started_ms, rows[i].started_ms);
        expect_int(rows[i].file, c->ended_ms, rows[i].ended_ms);
        expect_int(rows[i].file, str_starts(c->sdp, "v=0\n"), c->kind == WA_CALL_CONNECT);
        expect_text(rows[i].file, c->media_id, c->kind == WA_CALL_TRANSCRIPT ? "998877" : "");
        expect_int(rows[i].file, str_empty(c->url), c->kind != WA_CALL_TRANSCRIPT);
    }
}

static void
test_read_hidden_number(void **state)
{
    struct wa_call_items items = items_of(*state, "connect_bsuid");

    assert_int_equal(items.n_calls, 1);
    assert_string_equal(items.calls[0].from.e164, "");
    assert_string_equal(items.calls[0].bsuid, "RW.13491208655302741918");
    assert_string_equal(items.calls[0].name, "Aline");
    assert_int_equal(items.calls[0].at_ms, 1790000000000);
}

static void
test_read_calls_of_ours(void **state)
{
    struct wa_call_items items = items_of(*state, "business");

    assert_int_equal(items.n_calls, 1);
    assert_true(items.calls[0].is_ours);
    assert_string_equal(items.calls[0].from.e164, "+250788000001");
    assert_int_equal(items.n_statuses, 2);
}

static void
test_read_batch(void **state)
{
    static const char *const why[] = { "call: id: must be text", "call: event: missing",
                                       "call: from: a short code, not a phone number",
                                       "call: call_transcript: no document" };
    struct wa_call_items items = items_of(*state, "batch");

    assert_int_equal(items.n_calls, 3);
    assert_string_equal(items.calls[0].id, "wacid.A");
    assert_string_equal(items.calls[1].id, "wacid.B");
    assert_string_equal(items.calls[2].id, "wacid.C");
    assert_int_equal(items.n_unknown, 1);
    assert_int_equal(items.n_unreadable, COUNT_OF(why));
    for (size_t i = 0; i < COUNT_OF(why); i++)
        assert_string_equal(items.unreadable[i], why[i]);
}

/* The end of a call that has these facts, as it is read. */
static struct wa_call
read_terminate(struct arena *a, const char *facts)
{
    const char *body = arena_printf(
        a,
        "{\"entry\":[{\"changes\":[{\"field\":\"calls\",\"value\":{\"calls\":[{\"id\":\"x\","
        "\"event\":\"terminate\",%s}]}}]}]}",
        facts);
    struct config c = operator_settings();
    struct wa_call_items items;
    struct err e = { 0 };

    expect_true(facts, wa_calls_read(a, &c, body, strlen(body), &items, &e));
    expect_int(facts, (int64_t)items.n_calls, 1);
    return items.calls[0];
}

/* Meta gives the times of a call that was answered, or at least how long it was. */
static void
test_read_times(void **state)
{
    static const struct {
        const char *facts;
        int64_t started_s;
        int64_t ended_s;
    } rows[] = {
        { "\"start_time\":1790000010,\"end_time\":1790000030,\"duration\":9", 1790000010,
          1790000030 },
        { "\"end_time\":1790000030,\"duration\":20", 1790000010, 1790000030 },
        { "\"timestamp\":1790000040,\"duration\":30", 1790000010, 1790000040 },
        { "\"timestamp\":1790000040,\"duration\":0", 0, 0 },
        { "\"timestamp\":1790000040,\"duration\":9223372036854775807", 0, 1790000040 },
        { "\"duration\":30", 0, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wa_call c = read_terminate(*state, rows[i].facts);

        expect_int(rows[i].facts, c.started_ms, rows[i].started_s * 1000);
        expect_int(rows[i].facts, c.ended_ms, rows[i].ended_s * 1000);
    }
}

static void
test_read_answered(void **state)
{
    static const struct {
        const char *facts;
        bool want;
    } rows[] = {
        { "\"status\":\"COMPLETED\"", false },
        { "\"status\":\"COMPLETED\",\"duration\":0", false },
        { "\"status\":\"COMPLETED\",\"duration\":1", true },
        { "\"status\":\"COMPLETED\",\"duration\":\"12\"", true },
        { "\"status\":\"COMPLETED\",\"duration\":9223372036854775807", true },
        { "\"status\":\"COMPLETED\",\"start_time\":\"1790000010\"", true },
        { "\"status\":\"COMPLETED\",\"start_time\":1790000010", true },
        { "\"status\":\"COMPLETED\",\"start_time\":null", false },
        { "\"status\":\"COMPLETED\",\"start_time\":\"soon\"", false },
        { "\"status\":\"FAILED\",\"end_time\":\"1790000010\"", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_int(rows[i].facts, read_terminate(*state, rows[i].facts).answered, rows[i].want);
    }
}

static void
test_another_number_is_not_ours(void **state)
{
    const char *body = fixture_text(*state, "meta/calls_batch.json");
    struct config c = operator_settings();
    struct wa_call_items ours;
    struct wa_call_items theirs;
    struct err e = { 0 };

    assert_true(wa_calls_read(*state, &c, body, strlen(body), &ours, &e));
    assert_int_equal(ours.n_other_number, 0);
    c.whatsapp_webhook_phone_id = "5544332211";
    assert_true(wa_calls_read(*state, &c, body, strlen(body), &theirs, &e));
    assert_int_equal(theirs.n_other_number, ours.n_calls + ours.n_unknown + ours.n_unreadable);
    assert_int_equal(theirs.n_calls + theirs.n_unknown + theirs.n_unreadable, 0);
}

static void
test_read_nonsense(void **state)
{
    static const char *const bodies[] = { "", "[]", "null", "{}", "{\"entry\":{}}", "{\"entry\":" };

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct config c = operator_settings();
        struct wa_call_items items;
        struct err e = { 0 };
        expect_int(bodies[i], wa_calls_read(*state, &c, bodies[i], strlen(bodies[i]), &items, &e),
                   false);
        expect_int(bodies[i], e.kind, ERR_INVALID);
    }
}

static void
test_actions(void **state)
{
    static const char sdp[] = "v=0\no=- 7602563789789945080 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
                              "m=audio 40012 UDP/TLS/RTP/SAVPF 111\na=rtpmap:111 opus/48000/2\n";
    static const char *const names[] = { "pre_accept", "accept", "reject", "terminate" };
    struct config c = operator_settings();
    struct http_request r[4];

    wa_calls_pre_accept(*state, &c, "wacid.A", sdp, &r[0]);
    wa_calls_accept(*state, &c, "wacid.A", sdp, &r[1]);
    wa_calls_reject(*state, &c, "wacid.A", &r[2]);
    wa_calls_terminate(*state, &c, "wacid.A", &r[3]);
    for (size_t i = 0; i < COUNT_OF(r); i++) {
        expect_text(names[i], r[i].method, "POST");
        expect_text(names[i], r[i].url, "https://graph.facebook.com/v25.0/1122334455/calls");
        expect_text(names[i], header_line(&r[i], "Authorization"),
                    "Authorization: Bearer wa-token");
        expect_text(names[i], header_line(&r[i], "Content-Type"), "Content-Type: application/json");
        expect_int(names[i], (int64_t)r[i].body_len, (int64_t)strlen(r[i].body));
        expect_int(names[i], strstr(r[i].body, "\\r\\n") != NULL, i < 2);
        expect_text(names[i], json_print(*state, parsed(*state, r[i].body)),
                    fixture_compact(*state, arena_printf(*state, "meta/call_%s.json", names[i])));
    }
}

static void
test_read_action(void **state)
{
    const struct {
        const char *name;
        int status;
        const char *body;
        enum call_verdict want;
        const char *code;
    } rows[] = {
        { "taken", 200, "{\"messaging_product\":\"whatsapp\",\"success\":true}", CALL_TAKEN, "" },
        { "named", 200, "{\"calls\":[{\"id\":\"wacid.A\"}]}", CALL_TAKEN, "" },
        { "no success", 200, "{\"success\":false}", CALL_REFUSED, "no_success" },
        { "error", 400, fixture_text(*state, "meta/calls_error.json"), CALL_REFUSED, "138007" },
        { "error with 200", 200, "{\"error\":{\"code\":100}}", CALL_REFUSED, "100" },
        { "transient", 400, "{\"error\":{\"code\":2,\"is_transient\":true}}", CALL_AGAIN, "2" },
        { "error of the server", 500, "{\"error\":{\"code\":131000}}", CALL_AGAIN, "131000" },
        { "no words", 503, "", CALL_AGAIN, "http_503" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(rows[i].status, rows[i].body);
        struct call_answer got = wa_calls_read_action(*state, &r);
        expect_int(rows[i].name, got.verdict, rows[i].want);
        expect_text(rows[i].name, got.code, rows[i].code);
    }
}

static void
test_media(void **state)
{
    struct config c = operator_settings();
    struct http_response r = answered(200, fixture_text(*state, "meta/calls_media.json"));
    struct http_response empty = answered(200, "{}");
    struct http_response gone = answered(404, "{\"error\":{\"code\":100}}");
    struct http_request req;
    const char *url;

    wa_calls_media(*state, &c, "99/..", &req);
    assert_string_equal(req.method, "GET");
    assert_string_equal(req.url, "https://graph.facebook.com/v25.0/99%2F..");
    assert_string_equal(header_line(&req, "Authorization"), "Authorization: Bearer wa-token");
    assert_int_equal(wa_calls_read_media(*state, &r, &url).verdict, CALL_TAKEN);
    wa_calls_document(*state, &c, url, &req);
    assert_string_equal(req.url, "https://lookaside.fbsbx.com/whatsapp_business/attachments/"
                                 "?mid=998877&ext=1790000500&hash=ATs");
    assert_string_equal(header_line(&req, "Authorization"), "Authorization: Bearer wa-token");
    assert_string_equal(wa_calls_read_media(*state, &empty, &url).code, "no_url");
    assert_string_equal(url, "");
    assert_int_equal(wa_calls_read_media(*state, &gone, &url).verdict, CALL_REFUSED);
}

static void
test_read_document(void **state)
{
    const struct {
        const char *name;
        int status;
        const char *body;
        enum call_verdict want;
        const char *text;
    } rows[] = {
        { "full", 200, fixture_text(*state, "meta/calls_document.json"), CALL_TAKEN,
          "[Business] Hello, this is EasyMO. [Customer] I look for a house in Kimironko." },
        { "empty", 200, fixture_text(*state, "meta/calls_document_empty.json"), CALL_TAKEN, "" },
        { "another shape", 200, "{\"transcript\":[1]}", CALL_TAKEN, "" },
        { "no text", 200, "{\"transcript\":{\"text\":7}}", CALL_TAKEN, "" },
        { "not JSON", 200, "<html>", CALL_REFUSED, "" },
        { "old address", 403, "", CALL_REFUSED, "" },
        { "broken", 500, "", CALL_AGAIN, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(rows[i].status, rows[i].body);
        struct wa_transcript t;
        expect_int(rows[i].name, wa_calls_read_document(*state, &r, &t).verdict, rows[i].want);
        expect_text(rows[i].name, t.text, rows[i].text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_read_kinds),
        ARENA_TEST(test_read_hidden_number),
        ARENA_TEST(test_read_calls_of_ours),
        ARENA_TEST(test_read_batch),
        ARENA_TEST(test_read_answered),
        ARENA_TEST(test_read_times),
        ARENA_TEST(test_another_number_is_not_ours),
        ARENA_TEST(test_read_nonsense),
        ARENA_TEST(test_actions),
        ARENA_TEST(test_read_action),
        ARENA_TEST(test_media),
        ARENA_TEST(test_read_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
