/*
 * sms_mtn - the request to the letter, what its answers mean, and whose webhooks are believed.
 */
#include "provider/providers.h"
#include "unit/provider_fixture.h"

#define ID "01900000-0000-7000-8000-000000000001"

static void
test_configured(void **state)
{
    static const struct {
        const char *name;
        const char *key;
        const char *url;
        bool want;
    } rows[] = {
        { "key and address", "k", "https://api.mtn.rw/v1/sms/send", true },
        { "no key", "", "https://api.mtn.rw/v1/sms/send", false },
        { "no address", "k", "", false },
    };
    struct config c = operator_settings();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        c.mtn_sms_api_key.now = rows[i].key;
        c.mtn_sms_api_url = rows[i].url;
        expect_int(rows[i].name, provider_mtn.configured(&c), rows[i].want);
    }
}

static void
test_build_to_the_letter(void **state)
{
    struct config c = operator_settings();
    struct http_request r = { 0 };
    struct err e = { 0 };
    const struct outbound m = { .id = ID,
                                .to = "+250788000001",
                                .text = "Muraho Aline, inzu ya Kimironko iracyahari.",
                                .correlation_id = "req-7" };

    assert_true(provider_mtn.build(*state, &c, &m, &r, &e));
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.url, "https://api.mtn.rw/v1/sms/send");
    assert_string_equal(r.body, fixture_compact(*state, "mtn/send_request.json"));
    assert_int_equal(r.body_len, strlen(r.body));
    assert_string_equal(header_line(&r, "Content-Type"), "Content-Type: application/json");
    assert_string_equal(header_line(&r, "Authorization"), "Authorization: Bearer mtn-key");
    assert_string_equal(header_line(&r, "X-API-Secret"), "X-API-Secret: mtn-secret");
    assert_string_equal(header_line(&r, "X-Correlation-Id"), "X-Correlation-Id: req-7");
}

static void
test_build_keeps_any_text(void **state)
{
    static const char *const rows[] = {
        "a\nb",
        "\"quoted\" \\ and {json}",
        "/ and \xC3\xA9 and \xF0\x9F\x98\x80",
        "%s%n",
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct outbound m = {
            .id = ID, .to = "+250788000001", .text = rows[i], .correlation_id = ""
        };
        struct http_request r = { 0 };
        struct err e = { 0 };
        expect_true(rows[i], provider_mtn.build(*state, &c, &m, &r, &e));
        expect_text(rows[i], json_opt_str(*state, parsed(*state, r.body), "message", "-"), rows[i]);
    }
}

static void
test_build_refuses(void **state)
{
    static const struct {
        const char *name;
        struct outbound m;
    } rows[] = {
        { "nobody", { .id = ID, .to = "", .text = "a", .correlation_id = "" } },
        { "a WhatsApp name",
          { .id = ID, .to = "RW.1", .to_is_bsuid = true, .text = "a", .correlation_id = "" } },
        { "no words", { .id = ID, .to = "+250788000001", .text = "", .correlation_id = "" } },
    };
    struct config c = operator_settings();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_request r = { 0 };
        struct err e = { 0 };
        expect_true(rows[i].name, !provider_mtn.build(*state, &c, &rows[i].m, &r, &e));
        expect_int(rows[i].name, e.kind, ERR_PERM);
        expect_true(rows[i].name, strstr(e.text, "RW.1") == NULL);
    }
}

static void
test_read_answer(void **state)
{
    static const struct {
        int status;
        const char *file;
        enum outcome outcome;
        const char *external_id;
        const char *error_code;
    } rows[] = {
        { 200, "mtn/answer_message_id.json", OUTCOME_ACCEPTED, "mtn-7001", "" },
        { 201, "mtn/answer_id.json", OUTCOME_ACCEPTED, "mtn-7002", "" },
        { 200, "mtn/answer_numeric_id.json", OUTCOME_ACCEPTED, "900719925474099312", "" },
        { 202, "mtn/answer_without_id.json", OUTCOME_ACCEPTED, "", "" },
        { 200, "mtn/report_array.json", OUTCOME_ACCEPTED, "", "" },
        { 400, "mtn/answer_refused.json", OUTCOME_PERMANENT, "", "http_400" },
        { 404, "mtn/answer_refused.json", OUTCOME_PERMANENT, "", "http_404" },
        { 401, "mtn/answer_refused.json", OUTCOME_HOLD, "", "http_401" },
        { 403, "mtn/answer_refused.json", OUTCOME_HOLD, "", "http_403" },
        { 429, "mtn/answer_refused.json", OUTCOME_RETRY, "", "http_429" },
        { 503, "mtn/answer_refused.json", OUTCOME_RETRY, "", "http_503" },
        { 500, "mtn/answer_message_id.json", OUTCOME_AMBIGUOUS, "", "http_500" },
        { 502, "mtn/answer_refused.json", OUTCOME_AMBIGUOUS, "", "http_502" },
        { 504, "mtn/answer_refused.json", OUTCOME_AMBIGUOUS, "", "http_504" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *row = arena_printf(*state, "%d %s", rows[i].status, rows[i].file);
        struct http_response r = answered(rows[i].status, fixture_text(*state, rows[i].file));
        r.retry_after_s = 17;
        struct send_result got = provider_mtn.read_answer(*state, &r);
        expect_int(row, got.outcome, rows[i].outcome);
        expect_text(row, got.external_id, rows[i].external_id);
        expect_text(row, got.error_code, rows[i].error_code);
        expect_int(row, got.retry_after_s, 17);
    }
}

static void
test_read_answer_accepts_without_words(void **state)
{
    static const char *const rows[] = {
        "", "OK", "{\"message_id\":", "null", "7", "{\"message_id\":null}", "{\"message_id\":{}}"
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_response r = answered(200, rows[i]);
        struct send_result got = provider_mtn.read_answer(*state, &r);
        expect_int(rows[i], got.outcome, OUTCOME_ACCEPTED);
        expect_text(rows[i], got.external_id, "");
    }
}

static void
test_read_answer_cost(void **state)
{
    static const struct {
        const char *cost;
        const char *want; /* NULL: none was told */
    } rows[] = {
        { "15", "15" },        { "24.50", "24.50" },   { "0", "0" },
        { "\"30\"", "30" },    { "\" 7.5 \"", "7.5" }, { "999999", "999999" },
        { "1000000", NULL },   { "-1", NULL },         { "1e3", NULL },
        { "\"\"", NULL },      { "\"RWF 15\"", NULL }, { "\"15.\"", NULL },
        { "\".5\"", NULL },    { "null", NULL },       { "{}", NULL },
        { "\"1.2.3\"", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *body = arena_printf(*state, "{\"id\":\"m\",\"cost\":%s}", rows[i].cost);
        struct http_response r = answered(200, body);
        struct send_result got = provider_mtn.read_answer(*state, &r);
        expect_true(body, (got.cost_rwf == NULL) == (rows[i].want == NULL));
        if (rows[i].want != NULL)
            expect_text(body, got.cost_rwf, rows[i].want);
        expect_text(body, got.external_id, "m");
    }
}

static void
test_verify(void **state)
{
    struct arena *a = *state;
    const char *body = fixture_text(a, "mtn/inbound.json");
    const char *good = signature(a, "hook-secret", body);
    const struct {
        const char *name;
        const char *now;
        const char *old;
        const char *given;
        enum err_kind want;
    } rows[] = {
        { "hex", "hook-secret", "", good, ERR_NONE },
        { "with prefix", "hook-secret", "", arena_printf(a, "sha256=%s", good), ERR_NONE },
        { "predecessor", "new", "hook-secret", good, ERR_NONE },
        { "other key", "new", "", good, ERR_AUTH },
        { "one digit short", "hook-secret", "", good + 1, ERR_AUTH },
        { "of nothing", "hook-secret", "", signature(a, "hook-secret", ""), ERR_AUTH },
        { "empty", "hook-secret", "", "", ERR_AUTH },
        { "prefix alone", "hook-secret", "", "sha256=", ERR_AUTH },
        { "the secret itself", "hook-secret", "", "hook-secret", ERR_AUTH },
        { "no secret set", "", "", signature(a, "", body), ERR_UNAVAILABLE },
        { "only a predecessor", "", "hook-secret", good, ERR_UNAVAILABLE },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = operator_settings();
        const char *header = arena_printf(a, "HTTP_X_MTN_SIGNATURE=%s", rows[i].given);
        struct incoming_http in = webhook(a, body, header);
        struct err e = { 0 };
        c.mtn_webhook_secret = (struct secret){ rows[i].now, rows[i].old };
        bool ok = provider_mtn.verify(a, &c, &in, &e);
        expect_int(rows[i].name, e.kind, rows[i].want);
        expect_int(rows[i].name, ok, rows[i].want == ERR_NONE);
        expect_true(rows[i].name, strstr(e.text, "secret") == NULL && strstr(e.text, good) == NULL);
    }
}

static void
test_verify_needs_the_header(void **state)
{
    struct config c = operator_settings();
    struct incoming_http in = webhook(*state, fixture_text(*state, "mtn/inbound.json"), "");
    struct err e = { 0 };

    assert_false(provider_mtn.verify(*state, &c, &in, &e));
    assert_int_equal(e.kind, ERR_AUTH);
}

static void
test_verify_sees_every_byte(void **state)
{
    struct config c = operator_settings();
    char *body = arena_strdup(*state, fixture_text(*state, "mtn/inbound.json"));
    const char *header =
        arena_printf(*state, "HTTP_X_MTN_SIGNATURE=%s", signature(*state, "hook-secret", body));
    struct incoming_http in = webhook(*state, body, header);
    struct err e = { 0 };

    for (size_t i = 0; i < in.body_len; i++) {
        body[i] ^= 1;
        expect_true("one bit", !provider_mtn.verify(*state, &c, &in, &e));
        body[i] ^= 1;
    }
    assert_true(provider_mtn.verify(*state, &c, &in, &e));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_configured),
        ARENA_TEST(test_build_to_the_letter),
        ARENA_TEST(test_build_keeps_any_text),
        ARENA_TEST(test_build_refuses),
        ARENA_TEST(test_read_answer),
        ARENA_TEST(test_read_answer_accepts_without_words),
        ARENA_TEST(test_read_answer_cost),
        ARENA_TEST(test_verify),
        ARENA_TEST(test_verify_needs_the_header),
        ARENA_TEST(test_verify_sees_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
