/*
 * config - single values: what is taken, what is refused, and in which words.
 */
#include "unit/config_fixture.h"

/* One variable set; what --check-config then shows, or how it is refused. */
static const struct {
    const char *name;
    const char *value;
    const char *shown; /* NULL: refused */
    const char *fault;
} values[] = {
    { "TURN_QUIET_MS", "0", "TURN_QUIET_MS=0\n", "" },
    { "TURN_QUIET_MS", "60000", "TURN_QUIET_MS=60000\n", "" },
    { "TURN_QUIET_MS", "60001", NULL, "TURN_QUIET_MS: must be a whole number from 0 to 60000" },
    { "TURN_QUIET_MS", "-1", NULL, "TURN_QUIET_MS: must be a whole number from 0 to 60000" },
    { "TURN_QUIET_MS", "1.5", NULL, "TURN_QUIET_MS: must be a whole number from 0 to 60000" },
    { "TURN_QUIET_MS", "1s", NULL, "TURN_QUIET_MS: must be a whole number from 0 to 60000" },
    { "TURN_QUIET_MS", " 1", NULL, "TURN_QUIET_MS: must be a whole number from 0 to 60000" },
    { "TURN_QUIET_MS", "99999999999999999999", NULL,
      "TURN_QUIET_MS: must be a whole number from 0 to 60000" },
    { "TURN_QUIET_MS", "", "TURN_QUIET_MS=1500\n", "" },
    { "AGENT_TIMEOUT_S", "1", "AGENT_TIMEOUT_S=1\n", "" },
    { "AGENT_TIMEOUT_S", "0", NULL, "AGENT_TIMEOUT_S: must be a whole number from 1 to 600" },
    { "AGENT_TIMEOUT_S", "601", NULL, "AGENT_TIMEOUT_S: must be a whole number from 1 to 600" },
    { "LEASE_S", "2", "LEASE_S=2\n", "" },
    { "LEASE_S", "0", NULL, "LEASE_S: must be a whole number from 1 to 3600" },
    { "UNKNOWN_HOLD_S", "0", "UNKNOWN_HOLD_S=0\n", "" },
    { "UNKNOWN_HOLD_S", "86401", NULL, "UNKNOWN_HOLD_S: must be a whole number from 0 to 86400" },
    { "SUMMARY_WAIT_S", "3601", NULL, "SUMMARY_WAIT_S: must be a whole number from 0 to 3600" },
    { "FALLBACK_EVERY_S", "60", "FALLBACK_EVERY_S=60\n", "" },
    { "FALLBACK_EVERY_S", "x", NULL, "FALLBACK_EVERY_S: must be a whole number from 0 to 86400" },
    { "BACKOFF_SCALE", "0", "BACKOFF_SCALE=0\n", "" },
    { "BACKOFF_SCALE", "0.001", "BACKOFF_SCALE=0.001\n", "" },
    { "BACKOFF_SCALE", "2.5", "BACKOFF_SCALE=2.5\n", "" },
    { "BACKOFF_SCALE", "1001", NULL,
      "BACKOFF_SCALE: must be from 0 to 1000, with at most 3 decimals" },
    { "BACKOFF_SCALE", "nan", NULL,
      "BACKOFF_SCALE: must be from 0 to 1000, with at most 3 decimals" },
    { "MAX_REQUESTS", "1", "MAX_REQUESTS=1\n", "" },
    { "MAX_REQUESTS", "0", NULL, "MAX_REQUESTS: must be a whole number from 1 to 1000000000" },
    { "WAKE_SOCKET", "/tmp/w.sock", "WAKE_SOCKET=/tmp/w.sock\n", "" },
    { "WAKE_SOCKET", "/tmp/\n", NULL, "WAKE_SOCKET: must be one line without control characters" },
    { "LOG_TO", "syslog", "LOG_TO=syslog\n", "" },
    { "LOG_LEVEL", "debug", "LOG_LEVEL=debug\n", "" },
    { "LOG_LEVEL", "loud", NULL, "LOG_LEVEL: must be debug, info, warn or error" },
    { "DELIVERY_MODE", "failover", "DELIVERY_MODE=failover\n", "" },
    { "DELIVERY_MODE", "sms_only", "DELIVERY_MODE=sms_only\n", "" },
    { "DELIVERY_MODE", "SMS", NULL, "DELIVERY_MODE: must be both, failover or sms_only" },
    { "ALLOW_HTTP", "1", "ALLOW_HTTP=1\n", "" },
    { "ALLOW_HTTP", "2", NULL, "ALLOW_HTTP: must be a whole number from 0 to 1" },
    { "ALLOW_HTTP", "yes", NULL, "ALLOW_HTTP: must be a whole number from 0 to 1" },

    { "SMS_PROVIDERS", "kannel,mtn", "SMS_PROVIDERS=kannel,mtn\n", "" },
    { "SMS_PROVIDERS", " mtn-madapi , africastalking ", "SMS_PROVIDERS=mtn-madapi,africastalking\n",
      "" },
    { "SMS_PROVIDERS", "mtn,mtn-madapi,kannel,africastalking",
      "SMS_PROVIDERS=mtn,mtn-madapi,kannel,africastalking\n", "" },
    { "SMS_PROVIDERS", "mtn,twilio", NULL,
      "SMS_PROVIDERS: must be a list of mtn, mtn-madapi, kannel, africastalking" },
    { "SMS_PROVIDERS", "MTN", NULL,
      "SMS_PROVIDERS: must be a list of mtn, mtn-madapi, kannel, africastalking" },
    { "SMS_PROVIDERS", "mtn,mtn", NULL, "SMS_PROVIDERS: must name each gateway once" },
    { "SMS_PROVIDERS", "mtn,kannel,mtn,kannel,mtn,kannel", NULL,
      "SMS_PROVIDERS: must name each gateway once" },
    { "SMS_PROVIDERS", ",", NULL, "SMS_PROVIDERS: must name a gateway" },

    { "SMS_PRICE_RWF", "0", "SMS_PRICE_RWF=0.000\n", "" },
    { "SMS_PRICE_RWF", "12.5", "SMS_PRICE_RWF=12.500\n", "" },
    { "SMS_PRICE_RWF", "12.345", "SMS_PRICE_RWF=12.345\n", "" },
    { "SMS_PRICE_RWF", "0.05", "SMS_PRICE_RWF=0.050\n", "" },
    { "SMS_PRICE_RWF", "1000000", "SMS_PRICE_RWF=1000000.000\n", "" },
    { "SMS_PRICE_RWF", "1000000.001", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", "12.3456", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", "12.", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", ".5", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", "-1", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", "12,5", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", "15 RWF", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF", "99999999999999999999", NULL,
      "SMS_PRICE_RWF: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF_MTN", "9", "SMS_PRICE_RWF=9.000\n", "" },
    { "SMS_PRICE_RWF_MTN", "cheap", NULL,
      "SMS_PRICE_RWF_MTN: must be from 0 to 1000000, with at most 3 decimals" },
    { "SMS_PRICE_RWF_KANNEL", "9", "SMS_PRICE_RWF=15.000\n", "" },
    { "WHATSAPP_PRICE_RWF", "7.1", "WHATSAPP_PRICE_RWF=7.100\n", "" },

    { "SMS_ALLOWED_PREFIXES", "+250, +256 ,", "SMS_ALLOWED_PREFIXES=+250,+256\n", "" },
    { "SMS_ALLOWED_PREFIXES", "+25078", "SMS_ALLOWED_PREFIXES=+25078\n", "" },
    { "SMS_ALLOWED_PREFIXES", "+", NULL,
      "SMS_ALLOWED_PREFIXES: must be a list of country codes like +250" },
    { "SMS_ALLOWED_PREFIXES", "250", NULL,
      "SMS_ALLOWED_PREFIXES: must be a list of country codes like +250" },
    { "SMS_ALLOWED_PREFIXES", "+0250", NULL,
      "SMS_ALLOWED_PREFIXES: must be a list of country codes like +250" },
    { "SMS_ALLOWED_PREFIXES", "+250;+256", NULL,
      "SMS_ALLOWED_PREFIXES: must be a list of country codes like +250" },
    { "SMS_ALLOWED_PREFIXES", ",", NULL,
      "SMS_ALLOWED_PREFIXES: must be a list of country codes like +250" },
    { "SMS_ALLOWED_PREFIXES", "+1234567890123456", NULL,
      "SMS_ALLOWED_PREFIXES: must be a list of country codes like +250" },

    { "OPENAI_BASE_URL", "https://llm.example/v1/", "OPENAI_BASE_URL=https://llm.example/v1\n",
      "" },
    { "OPENAI_BASE_URL", "https://llm.example//", "OPENAI_BASE_URL=https://llm.example\n", "" },
    { "OPENAI_BASE_URL", "http://llm.example/v1", NULL,
      "OPENAI_BASE_URL: must begin with https:// (ALLOW_HTTP=1 permits http://)" },
    { "OPENAI_BASE_URL", "llm.example/v1", NULL, "OPENAI_BASE_URL: must begin with https://" },
    { "OPENAI_BASE_URL", "file:///etc/passwd", NULL, "OPENAI_BASE_URL: must begin with https://" },
    { "OPENAI_BASE_URL", "https://", NULL, "OPENAI_BASE_URL: must name a host" },
    { "OPENAI_BASE_URL", "https:///v1", NULL, "OPENAI_BASE_URL: must name a host" },
    { "OPENAI_BASE_URL", "https://a b/", NULL,
      "OPENAI_BASE_URL: must not hold blanks, controls or letters outside ASCII" },
    { "OPENAI_BASE_URL", "https://a/\r\nX: y", NULL,
      "OPENAI_BASE_URL: must not hold blanks, controls or letters outside ASCII" },
    { "OPENAI_BASE_URL", "https://u:p@h/", NULL,
      "OPENAI_BASE_URL: must not hold a user or a password" },
    { "MTN_SMS_API_URL", "https://sms.example/send/?x=a@b",
      "MTN_SMS_API_URL=https://sms.example/send/?x=a@b\n", "" },
    { "MTN_SMS_API_URL", "http://sms.example", NULL,
      "MTN_SMS_API_URL: must begin with https:// (ALLOW_HTTP=1 permits http://)" },
    { "WHATSAPP_API_URL", "HTTPS://graph.example", NULL,
      "WHATSAPP_API_URL: must begin with https://" },
    { "PUBLIC_URL", "http://127.0.0.1:8080/", "PUBLIC_URL=http://127.0.0.1:8080\n", "" },
    { "PUBLIC_URL", "omni.example", NULL, "PUBLIC_URL: must begin with https://" },

    { "WHATSAPP_PHONE_ID", "106540352242922", "WHATSAPP_PHONE_ID=106540352242922\n", "" },
    { "WHATSAPP_PHONE_ID", "1/../2", NULL,
      "WHATSAPP_PHONE_ID: must be made of letters, digits, '.', '_' and '-'" },
    { "WHATSAPP_TEMPLATE_SUMMARY", "my summary", NULL,
      "WHATSAPP_TEMPLATE_SUMMARY: must be made of letters, digits, '.', '_' and '-'" },
    { "MTN_SMS_SENDER_ID", "8200", "MTN_SMS_SENDER_ID=8200\n", "" },
    { "SMS_SHORT_CODE", "8200", "SMS_SHORT_CODE=8200\n", "" },
    { "OPENAI_MODEL", "llama-3.1:8b", "OPENAI_MODEL=llama-3.1:8b\n", "" },
    { "OPENAI_API_KEY", "sk-x", "OPENAI_API_KEY=***\n", "" },
    { "OPENAI_API_KEY", "sk\r\nX-Evil: 1", NULL,
      "OPENAI_API_KEY: must be one line without control characters" },
    { "MTN_WEBHOOK_SECRET_OLD", "before", "MTN_WEBHOOK_SECRET=\nMTN_WEBHOOK_SECRET_OLD=***\n", "" },
    { "MTN_WEBHOOK_SECRET_OLD", "a\tb", NULL,
      "MTN_WEBHOOK_SECRET_OLD: must be one line without control characters" },
    { "WA_APP_SECRET_FILE", "/nowhere/at/all", NULL,
      "WA_APP_SECRET_FILE: the file does not exist" },
    { "WA_APP_SECRET_FILE", "/", NULL, "WA_APP_SECRET_FILE: the file cannot be read" },
    { "WA_APP_SECRET_FILE", "/dev/null", NULL, "WA_APP_SECRET_FILE: the file is empty" },
    { "WA_APP_SECRET_FILE", "/dev/zero", NULL, "WA_APP_SECRET_FILE: the file is too long" },
    { "WA_APP_SECRET_OLD_FILE", "/", NULL, "WA_APP_SECRET_OLD_FILE: the file cannot be read" },
    { "WA_APP_SECRET_OLD_FILE", "/nowhere/at/all", "WA_APP_SECRET=\nWA_VERIFY_TOKEN=\n", "" },
    { "WA_APP_SECRET_OLD_FILE", "/dev/null", "WA_APP_SECRET=\nWA_VERIFY_TOKEN=\n", "" },
    { "DATABASE_URL", "", NULL, "DATABASE_URL: missing" },
    { "DATABASE_URL_FILE", "/dev/null", NULL, "DATABASE_URL_FILE: the file is empty" },
    { "SERVICE_ROLE_KEY", "", NULL, "SERVICE_ROLE_KEY: missing" },
    { "SERVICE_ROLE_KEY_FILE", "/dev/null", NULL, "SERVICE_ROLE_KEY_FILE: the file is empty" },
};

static void
test_config_values(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const char *row = arena_printf(f->arena, "%s=%s", values[i].name, values[i].value);
        char *before = getenv(values[i].name);
        set(values[i].name, values[i].value);
        expect_int(row, load(f, ALL), values[i].shown != NULL);
        expect_text(row, f->e.text, values[i].fault);
        expect_int(row, f->e.kind, values[i].shown != NULL ? ERR_NONE : ERR_INVALID);
        if (values[i].shown != NULL)
            expect_true(row, strstr(shown(f), values[i].shown) != NULL);
        if (before != NULL)
            set(values[i].name, before);
        else
            assert_int_equal(unsetenv(values[i].name), 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CONFIG_TEST(test_config_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
