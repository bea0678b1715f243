/*
 * config_table - every setting: where it is kept, who gets it, its default and its bounds.
 */
#include "core/config_table.h"

#define TEXT(kind, groups, field, name, fallback)                                                  \
    {                                                                                              \
        name, KIND_##kind, groups, offsetof(struct config, field), fallback, 0, 0                  \
    }
#define NUMBER(kind, groups, field, name, fallback, min, max)                                      \
    {                                                                                              \
        name, KIND_##kind, groups, offsetof(struct config, field), fallback, min, max              \
    }
#define MAX_MONEY 1000000000 /* a million francs, in thousandths */

/* ALLOW_HTTP and SMS_PROVIDERS stand before what depends on them. */
const struct config_setting config_settings[] = {
    NUMBER(BOOL, CFG_CORE, allow_http, "ALLOW_HTTP", "0", 0, 1),
    TEXT(PRIVATE, CFG_CORE, database_url, "DATABASE_URL", NULL),
    TEXT(OUR_URL, CFG_CORE, public_url, "PUBLIC_URL", ""),
    TEXT(MODE, CFG_CORE, delivery_mode, "DELIVERY_MODE", "both"),
    NUMBER(INT, CFG_CORE, turn_quiet_ms, "TURN_QUIET_MS", "1500", 0, 60000),
    NUMBER(INT, CFG_CORE, agent_timeout_s, "AGENT_TIMEOUT_S", "20", 1, 600),
    NUMBER(INT, CFG_CORE, lease_s, "LEASE_S", "90", 1, 3600),
    NUMBER(INT, CFG_CORE, unknown_hold_s, "UNKNOWN_HOLD_S", "90", 0, 86400),
    NUMBER(INT, CFG_CORE, failover_after_s, "FAILOVER_AFTER_S", "120", 0, 86400),
    NUMBER(INT, CFG_CORE, summary_wait_s, "SUMMARY_WAIT_S", "6", 0, 3600),
    NUMBER(INT, CFG_CORE, call_max_s, "CALL_MAX_S", "7200", 1, 604800),
    NUMBER(INT, CFG_CORE, call_silence_s, "CALL_SILENCE_S", "120", 1, 604800),
    NUMBER(INT, CFG_CORE, fallback_every_s, "FALLBACK_EVERY_S", "900", 0, 86400),
    NUMBER(SCALE, CFG_CORE, backoff_scale, "BACKOFF_SCALE", "1", 0, 1000000),
    TEXT(TEXT, CFG_CORE, wake_socket, "WAKE_SOCKET", "/run/omni/worker.sock"),
    TEXT(TEXT, CFG_CORE, spool_dir, "SPOOL_DIR", "/var/lib/omni/spool"),
    NUMBER(INT, CFG_CORE, spool_max_files, "SPOOL_MAX_FILES", "20000", 1, 10000000),
    NUMBER(INT, CFG_CORE, spool_max_mb, "SPOOL_MAX_MB", "256", 1, 1000000),
    NUMBER(INT, CFG_CORE, max_requests, "MAX_REQUESTS", "100000", 1, 1000000000),
    TEXT(TEXT, CFG_CORE, log_to, "LOG_TO", "stderr"),
    TEXT(LEVEL, CFG_CORE, log_level, "LOG_LEVEL", "info"),

    TEXT(SECRET, CFG_CORE, service_role_key, "SERVICE_ROLE_KEY", NULL),
    TEXT(SECRET, CFG_SERVICE, token_secret, "TOKEN_SECRET", ""),

    TEXT(ID, CFG_WHATSAPP, whatsapp_phone_id, "WHATSAPP_PHONE_ID", ""),
    TEXT(ID, CFG_WHATSAPP | CFG_WA_HOOK, whatsapp_webhook_phone_id, "WHATSAPP_WEBHOOK_PHONE_ID",
         ""),
    TEXT(SECRET, CFG_WHATSAPP, whatsapp_access_token, "WHATSAPP_ACCESS_TOKEN", ""),
    TEXT(BASE_URL, CFG_WHATSAPP, whatsapp_api_url, "WHATSAPP_API_URL",
         "https://graph.facebook.com/v25.0"),
    TEXT(ID, CFG_WHATSAPP, whatsapp_template_summary, "WHATSAPP_TEMPLATE_SUMMARY", "call_summary"),
    NUMBER(MONEY, CFG_WHATSAPP | CFG_WA_HOOK, whatsapp_price_mrwf, "WHATSAPP_PRICE_RWF", "6", 0,
           MAX_MONEY),
    TEXT(SECRET, CFG_WA_HOOK, wa_app_secret, "WA_APP_SECRET", ""),
    TEXT(SECRET, CFG_WA_HOOK, wa_verify_token, "WA_VERIFY_TOKEN", ""),

    TEXT(PROVIDERS, CFG_SMS | CFG_SMS_HOOK, sms_providers, "SMS_PROVIDERS", "mtn"),
    TEXT(URL, CFG_SMS, mtn_sms_api_url, "MTN_SMS_API_URL", "https://api.mtn.rw/v1/sms/send"),
    TEXT(SECRET, CFG_SMS, mtn_sms_api_key, "MTN_SMS_API_KEY", ""),
    TEXT(SECRET, CFG_SMS, mtn_sms_api_secret, "MTN_SMS_API_SECRET", ""),
    TEXT(TEXT, CFG_SMS | CFG_SMS_HOOK | CFG_WA_HOOK, mtn_sms_sender_id, "MTN_SMS_SENDER_ID",
         "EasyMO"), /* the webhooks' too: our own numbers are never answered */
    TEXT(TEXT, CFG_SMS | CFG_SMS_HOOK | CFG_WA_HOOK, sms_short_code, "SMS_SHORT_CODE", ""),
    TEXT(PREFIXES, CFG_SMS, sms_allowed_prefixes, "SMS_ALLOWED_PREFIXES", "+250"),
    NUMBER(SMS_MONEY, CFG_SMS | CFG_SMS_HOOK, sms_price_mrwf, "SMS_PRICE_RWF", "15", 0, MAX_MONEY),
    TEXT(SECRET, CFG_SMS_HOOK, mtn_webhook_secret, "MTN_WEBHOOK_SECRET", ""),
    TEXT(SECRET, CFG_SMS_HOOK, sms_webhook_token, "SMS_WEBHOOK_TOKEN", ""),

    TEXT(SECRET, CFG_AGENT, openai_api_key, "OPENAI_API_KEY", ""),
    TEXT(BASE_URL, CFG_AGENT, openai_base_url, "OPENAI_BASE_URL", "https://api.openai.com/v1"),
    TEXT(TEXT, CFG_AGENT, openai_model, "OPENAI_MODEL", "gpt-4o-mini"),

    TEXT(SECRET, CFG_VOICE, openai_webhook_secret, "OPENAI_WEBHOOK_SECRET", ""),
    TEXT(TEXT, CFG_VOICE, openai_realtime_model, "OPENAI_REALTIME_MODEL", "gpt-realtime"),
    TEXT(BASE_URL, CFG_VOICE, voice_bridge_url, "VOICE_BRIDGE_URL", ""),
};

_Static_assert(COUNT_OF(config_settings) == CONFIG_SETTINGS, "CONFIG_SETTINGS counts the table");

void *
config_member(struct config *c, const struct config_setting *s)
{
    return (char *)c + s->offset;
}
