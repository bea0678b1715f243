/*
 * registry - which provider a message goes to, and what an exchange means before the provider
 * itself is asked.
 */
#include "provider/providers.h"
#include "unit/provider_fixture.h"

static void
test_provider_find(void **state)
{
    (void)state;
    assert_ptr_equal(provider_find("meta"), &provider_meta);
    assert_ptr_equal(provider_find("mtn"), &provider_mtn);
    assert_null(provider_find(""));
    assert_null(provider_find("MTN"));
    assert_null(provider_find("mtn "));
}

static void
test_provider_all_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; provider_all[i] != NULL; i++) {
        const struct provider *p = provider_all[i];
        expect_true(p->name, provider_find(p->name) == p);
        expect_true(p->name, p->channel != CHANNEL_VOICE);
        expect_true(p->name, p->configured != NULL && p->build != NULL && p->read_answer != NULL);
        /* Whoever reads webhooks must verify them. */
        expect_int(p->name, p->verify != NULL, p->read_webhook != NULL);
    }
}

static void
test_provider_for(void **state)
{
    static const struct {
        const char *name;
        enum channel channel;
        const char *providers[2];
        const char *mtn_key;
        const char *wa_token;
        const struct provider *want;
    } rows[] = {
        { "WhatsApp", CHANNEL_WHATSAPP, { "mtn", "" }, "k", "t", &provider_meta },
        { "WhatsApp off", CHANNEL_WHATSAPP, { "mtn", "" }, "k", "", NULL },
        { "WhatsApp without SMS", CHANNEL_WHATSAPP, { "", "" }, "", "t", &provider_meta },
        { "SMS", CHANNEL_SMS, { "mtn", "" }, "k", "t", &provider_mtn },
        { "SMS off", CHANNEL_SMS, { "mtn", "" }, "", "t", NULL },
        { "no SMS provider", CHANNEL_SMS, { "", "" }, "k", "t", NULL },
        { "unknown SMS provider", CHANNEL_SMS, { "pigeon", "mtn" }, "k", "t", NULL },
        { "voice", CHANNEL_VOICE, { "mtn", "" }, "k", "t", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config c = operator_settings();
        c.sms_providers[0] = rows[i].providers[0];
        c.sms_providers[1] = rows[i].providers[1];
        c.mtn_sms_api_key.now = rows[i].mtn_key;
        c.whatsapp_access_token.now = rows[i].wa_token;
        expect_true(rows[i].name, provider_for(&c, rows[i].channel) == rows[i].want);
    }
}

static void
test_provider_status_outcome(void **state)
{
    static const struct {
        int status;
        enum outcome want;
    } rows[] = {
        { 200, OUTCOME_ACCEPTED },  { 201, OUTCOME_ACCEPTED },  { 202, OUTCOME_ACCEPTED },
        { 204, OUTCOME_ACCEPTED },  { 299, OUTCOME_ACCEPTED },  { 301, OUTCOME_HOLD },
        { 302, OUTCOME_HOLD },      { 400, OUTCOME_PERMANENT }, { 401, OUTCOME_HOLD },
        { 403, OUTCOME_HOLD },      { 404, OUTCOME_PERMANENT }, { 408, OUTCOME_PERMANENT },
        { 409, OUTCOME_PERMANENT }, { 413, OUTCOME_PERMANENT }, { 422, OUTCOME_PERMANENT },
        { 429, OUTCOME_RETRY },     { 500, OUTCOME_AMBIGUOUS }, { 501, OUTCOME_AMBIGUOUS },
        { 502, OUTCOME_AMBIGUOUS }, { 503, OUTCOME_RETRY },     { 504, OUTCOME_AMBIGUOUS },
        { 599, OUTCOME_AMBIGUOUS }, { 308, OUTCOME_HOLD },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *row = provider_status_code(*state, rows[i].status);
        expect_text(row, row, arena_printf(*state, "http_%d", rows[i].status));
        expect_int(row, provider_status_outcome(rows[i].status), rows[i].want);
    }
}

static void
test_provider_read_how_far_it_got(void **state)
{
    static const struct {
        const char *name;
        struct http_response r;
        enum outcome outcome;
        const char *error_code;
    } rows[] = {
        { "not sent",
          { .reach = HTTP_NOT_SENT, .body = "", .why = "refused" },
          OUTCOME_NOTSENT,
          "not_sent" },
        { "no answer",
          { .reach = HTTP_CUT, .body = "", .why = "" },
          OUTCOME_AMBIGUOUS,
          "no_answer" },
        { "cut after 200",
          { .reach = HTTP_CUT, .status = 200, .body = "{\"message_id\":", .why = "" },
          OUTCOME_ACCEPTED,
          "" },
        { "cut after 202",
          { .reach = HTTP_CUT, .status = 202, .body = "", .why = "" },
          OUTCOME_ACCEPTED,
          "" },
        { "cut after 100",
          { .reach = HTTP_CUT, .status = 100, .body = "", .why = "" },
          OUTCOME_AMBIGUOUS,
          "no_answer" },
        { "cut after 400",
          { .reach = HTTP_CUT, .status = 400, .body = "", .why = "" },
          OUTCOME_AMBIGUOUS,
          "no_answer" },
        { "cut after 503",
          { .reach = HTTP_CUT, .status = 503, .body = "", .why = "" },
          OUTCOME_AMBIGUOUS,
          "no_answer" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; provider_all[k] != NULL; k++) {
            struct send_result got = provider_read(provider_all[k], *state, &rows[i].r);
            expect_int(rows[i].name, got.outcome, rows[i].outcome);
            expect_text(rows[i].name, got.error_code, rows[i].error_code);
            expect_text(rows[i].name, got.external_id, "");
            expect_int(rows[i].name, got.retry_after_s, 0);
        }
    }
}

static void
test_provider_read_asks_the_provider(void **state)
{
    struct http_response mtn = answered(200, fixture_text(*state, "mtn/answer_message_id.json"));
    struct http_response meta = answered(400, fixture_text(*state, "meta/error_pair_limit.json"));

    assert_string_equal(provider_read(&provider_mtn, *state, &mtn).external_id, "mtn-7001");
    assert_string_equal(provider_read(&provider_meta, *state, &meta).error_code, "131056");
}

/* A gateway's id that no index takes is none; the message was accepted all the same. */
static void
test_provider_read_drops_ids_that_cannot_be_kept(void **state)
{
    static const struct {
        size_t length;
        size_t want;
    } rows[] = { { 255, 255 }, { 256, 0 }, { 6000, 0 } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *id = arena_alloc(*state, rows[i].length + 1);
        struct http_response mtn;
        struct http_response meta;

        memset(id, 'x', rows[i].length);
        mtn = answered(200, arena_printf(*state, "{\"message_id\":\"%s\"}", id));
        meta = answered(200, arena_printf(*state, "{\"messages\":[{\"id\":\"%s\"}]}", id));
        expect_int("mtn", provider_read(&provider_mtn, *state, &mtn).outcome, OUTCOME_ACCEPTED);
        expect_int("mtn", (int64_t)strlen(provider_read(&provider_mtn, *state, &mtn).external_id),
                   (int64_t)rows[i].want);
        expect_int("meta",
                   (int64_t)strlen(provider_read(&provider_meta, *state, &meta).external_id),
                   (int64_t)rows[i].want);
    }
}

static void
test_outcome_text(void **state)
{
    static const struct {
        enum outcome outcome;
        const char *want;
    } rows[] = {
        { OUTCOME_ACCEPTED, "accepted" },   { OUTCOME_RETRY, "retry" },
        { OUTCOME_PERMANENT, "permanent" }, { OUTCOME_AMBIGUOUS, "ambiguous" },
        { OUTCOME_NOTSENT, "notsent" },     { OUTCOME_HOLD, "hold" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].want, outcome_text(rows[i].outcome), rows[i].want);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_provider_find),
        cmocka_unit_test(test_provider_all_are_complete),
        cmocka_unit_test(test_provider_for),
        ARENA_TEST(test_provider_status_outcome),
        ARENA_TEST(test_provider_read_how_far_it_got),
        ARENA_TEST(test_provider_read_asks_the_provider),
        ARENA_TEST(test_provider_read_drops_ids_that_cannot_be_kept),
        cmocka_unit_test(test_outcome_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
