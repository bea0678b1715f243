/*
 * config - defaults, groups, and faults reported together.
 */
#include "base/str.h"
#include "unit/config_fixture.h"

static void
test_config_defaults(void **state)
{
    struct fixture *f = *state;
    struct config *c = &f->config;

    assert_true(load(f, ALL));
    assert_int_equal(c->groups, ALL);
    assert_string_equal(c->database_url, "postgresql://omni_app:hush@db/omni");
    assert_string_equal(shown(f), "ALLOW_HTTP=0\n"
                                  "DATABASE_URL=***\n"
                                  "PUBLIC_URL=\n"
                                  "DELIVERY_MODE=both\n"
                                  "TURN_QUIET_MS=1500\n"
                                  "AGENT_TIMEOUT_S=20\n"
                                  "LEASE_S=90\n"
                                  "UNKNOWN_HOLD_S=90\n"
                                  "FAILOVER_AFTER_S=120\n"
                                  "SUMMARY_WAIT_S=6\n"
                                  "CALL_MAX_S=7200\n"
                                  "CALL_SILENCE_S=120\n"
                                  "FALLBACK_EVERY_S=900\n"
                                  "BACKOFF_SCALE=1\n"
                                  "WAKE_SOCKET=/run/omni/worker.sock\n"
                                  "SPOOL_DIR=/var/lib/omni/spool\n"
                                  "SPOOL_MAX_FILES=20000\n"
                                  "SPOOL_MAX_MB=256\n"
                                  "MAX_REQUESTS=100000\n"
                                  "LOG_TO=stderr\n"
                                  "LOG_LEVEL=info\n"
                                  "SERVICE_ROLE_KEY=***\n"
                                  "TOKEN_SECRET=***\n"
                                  "WHATSAPP_PHONE_ID=\n"
                                  "WHATSAPP_WEBHOOK_PHONE_ID=\n"
                                  "WHATSAPP_ACCESS_TOKEN=\n"
                                  "WHATSAPP_API_URL=https://graph.facebook.com/v25.0\n"
                                  "WHATSAPP_TEMPLATE_SUMMARY=call_summary\n"
                                  "WHATSAPP_PRICE_RWF=6.000\n"
                                  "WA_APP_SECRET=\n"
                                  "WA_VERIFY_TOKEN=\n"
                                  "SMS_PROVIDERS=mtn\n"
                                  "MTN_SMS_API_URL=https://api.mtn.rw/v1/sms/send\n"
                                  "MTN_SMS_API_KEY=\n"
                                  "MTN_SMS_API_SECRET=\n"
                                  "MTN_SMS_SENDER_ID=EasyMO\n"
                                  "SMS_SHORT_CODE=\n"
                                  "SMS_ALLOWED_PREFIXES=+250\n"
                                  "SMS_PRICE_RWF=15.000\n"
                                  "MTN_WEBHOOK_SECRET=\n"
                                  "SMS_WEBHOOK_TOKEN=\n"
                                  "OPENAI_API_KEY=\n"
                                  "OPENAI_BASE_URL=https://api.openai.com/v1\n"
                                  "OPENAI_MODEL=gpt-4o-mini\n"
                                  "OPENAI_WEBHOOK_SECRET=\n"
                                  "OPENAI_REALTIME_MODEL=gpt-realtime\n"
                                  "VOICE_BRIDGE_URL=\n");
    assert_int_equal(c->sms_price_mrwf, 15000);
    assert_int_equal(c->whatsapp_price_mrwf, 6000);
    assert_int_equal(c->turn_quiet_ms, 1500);
    assert_true(c->backoff_scale > 0.999 && c->backoff_scale < 1.001);
    assert_int_equal(c->delivery_mode, MODE_BOTH);
    assert_int_equal(c->log_level, LOG_INFO);
    assert_false(c->allow_http);
    assert_string_equal(c->wa_app_secret.now, "");
    assert_string_equal(c->wa_app_secret.old, "");
    assert_string_equal(c->sms_providers[0], "mtn");
    assert_string_equal(c->sms_providers[1], "");
    assert_string_equal(c->sms_providers[3], "");
}

static void
test_config_allow_http(void **state)
{
    struct fixture *f = *state;

    set("ALLOW_HTTP", "1");
    set("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/");
    set("MTN_SMS_API_URL", "http://127.0.0.1:9/send");
    set("WHATSAPP_API_URL", "http://127.0.0.1:9/graph");
    assert_true(load(f, ALL));
    assert_true(f->config.allow_http);
    assert_string_equal(f->config.openai_base_url, "http://127.0.0.1:9/v1");
    assert_string_equal(f->config.mtn_sms_api_url, "http://127.0.0.1:9/send");
    assert_string_equal(f->config.whatsapp_api_url, "http://127.0.0.1:9/graph");
    set("MTN_SMS_API_URL", "ftp://127.0.0.1/");
    assert_false(load(f, ALL));
}

static void
test_config_price_of_the_first_gateway(void **state)
{
    struct fixture *f = *state;

    set("SMS_PRICE_RWF", "15");
    set("SMS_PRICE_RWF_MTN_MADAPI", "9.5");
    set("SMS_PRICE_RWF_MTN", "1");
    set("SMS_PROVIDERS", "mtn-madapi,mtn");
    assert_true(load(f, CFG_SMS));
    assert_int_equal(f->config.sms_price_mrwf, 9500);
    set("SMS_PROVIDERS", "africastalking,mtn");
    assert_true(load(f, CFG_SMS));
    assert_int_equal(f->config.sms_price_mrwf, 15000);
}

static void
test_config_reports_all_faults_together(void **state)
{
    struct fixture *f = *state;

    clear_environment();
    set("LEASE_S", "x");
    set("OPENAI_BASE_URL", "nonsense");
    assert_false(load(f, CFG_SERVICE | CFG_AGENT));
    assert_string_equal(f->e.text, "DATABASE_URL: missing\n"
                                   "LEASE_S: must be a whole number from 1 to 3600\n"
                                   "SERVICE_ROLE_KEY: missing\n"
                                   "OPENAI_BASE_URL: must begin with https://");
    assert_int_equal(f->e.kind, ERR_INVALID);
}

static void
test_config_reports_whole_lines_as_far_as_they_fit(void **state)
{
    static const char *const names[] = { "TURN_QUIET_MS",    "AGENT_TIMEOUT_S",  "LEASE_S",
                                         "UNKNOWN_HOLD_S",   "FAILOVER_AFTER_S", "SUMMARY_WAIT_S",
                                         "FALLBACK_EVERY_S", "BACKOFF_SCALE",    "MAX_REQUESTS",
                                         "LOG_LEVEL" };
    struct fixture *f = *state;
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(names); i++)
        set(names[i], "wrong");
    assert_false(load(f, CFG_CORE));
    char **lines = str_split(f->arena, f->e.text, '\n', &n);
    assert_in_range(n, 3, 5);
    for (size_t i = 0; i < n; i++) {
        expect_true(names[i], str_starts(lines[i], names[i]));
        expect_true(names[i], strchr("0123456789", lines[i][strlen(lines[i]) - 1]) != NULL);
    }
}

static void
test_config_never_shows_a_value_in_a_fault(void **state)
{
    struct fixture *f = *state;

    set("SERVICE_ROLE_KEY", "CANARY\n");
    set("OPENAI_BASE_URL", "https://CANARY@h/");
    set("LEASE_S", "CANARY");
    assert_false(load(f, ALL));
    assert_null(strstr(f->e.text, "CANARY"));
}

static void
test_config_gives_only_the_groups_asked_for(void **state)
{
    struct fixture *f = *state;
    struct config *c = &f->config;

    set("WHATSAPP_ACCESS_TOKEN", "wa-token");
    set("OPENAI_API_KEY", "sk-x");
    set("MTN_SMS_API_KEY", "mtn-key");
    set("MTN_WEBHOOK_SECRET", "hook");
    set("OPENAI_BASE_URL", "not looked at");
    set("SMS_PROVIDERS", "kannel");
    assert_true(load(f, CFG_SMS_HOOK));
    assert_int_equal(c->groups, CFG_CORE | CFG_SMS_HOOK);
    assert_string_equal(c->mtn_webhook_secret.now, "hook");
    assert_string_equal(c->sms_providers[0], "kannel");
    assert_string_equal(c->token_secret.now, "");
    assert_string_equal(c->token_secret.old, "");
    assert_string_equal(c->whatsapp_access_token.now, "");
    assert_string_equal(c->whatsapp_access_token.old, "");
    assert_string_equal(c->whatsapp_api_url, "");
    assert_string_equal(c->openai_api_key.now, "");
    assert_string_equal(c->openai_base_url, "");
    assert_string_equal(c->mtn_sms_api_key.now, "");
    assert_string_equal(c->mtn_sms_sender_id, "EasyMO"); /* the hooks answer none of our numbers */
    assert_int_equal(c->whatsapp_price_mrwf, 0);
    assert_int_equal(c->sms_price_mrwf, 15000); /* the hooks count what a fallback costs */
    assert_null(strstr(shown(f), "OPENAI"));
    assert_null(strstr(shown(f), "TOKEN_SECRET"));
    assert_non_null(strstr(shown(f), "SMS_PROVIDERS=kannel\n"));

    clear_environment();
    set("DATABASE_URL", "dbname=x");
    set("SMS_SHORT_CODE", "+250788000000");
    assert_false(load(f, CFG_WA_HOOK));
    assert_string_equal(f->e.text, "SERVICE_ROLE_KEY: missing");
    set("SERVICE_ROLE_KEY", "key");
    assert_true(load(f, CFG_WA_HOOK));
    assert_string_equal(c->sms_short_code, "+250788000000");
    assert_string_equal(c->sms_providers[0], "");
    assert_true(load(f, 0));
    assert_int_equal(c->groups, CFG_CORE);
}

static void
test_config_token_secret(void **state)
{
    struct fixture *f = *state;
    struct config *c = &f->config;

    set("SERVICE_ROLE_KEY_OLD", "older-key");
    assert_true(load(f, CFG_SERVICE));
    assert_string_equal(c->token_secret.now, "service-key");
    assert_string_equal(c->token_secret.old, "older-key");
    set("TOKEN_SECRET", "own");
    assert_true(load(f, CFG_SERVICE));
    assert_string_equal(c->token_secret.now, "own");
    assert_string_equal(c->token_secret.old, "");
}

static void
test_config_copies_its_strings(void **state)
{
    struct fixture *f = *state;

    set("OPENAI_MODEL", "one");
    set("OPENAI_API_KEY", "key-one");
    assert_true(load(f, ALL));
    set("OPENAI_MODEL", "two");
    set("OPENAI_API_KEY", "key-two");
    clear_environment();
    assert_string_equal(f->config.openai_model, "one");
    assert_string_equal(f->config.openai_api_key.now, "key-one");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CONFIG_TEST(test_config_defaults),
        CONFIG_TEST(test_config_allow_http),
        CONFIG_TEST(test_config_price_of_the_first_gateway),
        CONFIG_TEST(test_config_reports_all_faults_together),
        CONFIG_TEST(test_config_reports_whole_lines_as_far_as_they_fit),
        CONFIG_TEST(test_config_never_shows_a_value_in_a_fault),
        CONFIG_TEST(test_config_gives_only_the_groups_asked_for),
        CONFIG_TEST(test_config_token_secret),
        CONFIG_TEST(test_config_copies_its_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
