/*
 * config - every setting of every program: one table, read once, checked together. The only caller
 * of getenv.
 *
 * A program names the groups it needs and gets only those; the rest of the struct stays empty, so
 * that a program that has no business with WhatsApp's token does not hold it. Secrets may stand in
 * a file (X_FILE) and have a predecessor that is still accepted (X_OLD); they are read again on
 * SIGHUP and when their file changes.
 */
#ifndef OMNI_CORE_CONFIG_H
#define OMNI_CORE_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "core/channel.h"
#include "core/log.h"

enum config_group {
    CFG_CORE = 1 << 0,     /* always: database, SERVICE_ROLE_KEY, log, timers, limits */
    CFG_SERVICE = 1 << 1,  /* TOKEN_SECRET */
    CFG_WHATSAPP = 1 << 2, /* sending by WhatsApp */
    CFG_WA_HOOK = 1 << 3,  /* WA_APP_SECRET, WA_VERIFY_TOKEN */
    CFG_SMS = 1 << 4,      /* sending by SMS, prices, budget */
    CFG_SMS_HOOK = 1 << 5, /* secrets of the SMS webhooks */
    CFG_AGENT = 1 << 6,    /* the language model */
    CFG_VOICE = 1 << 7,    /* answering calls: OpenAI's webhook and realtime model, the bridge */
};
#define CFG_SEND (CFG_WHATSAPP | CFG_SMS)

#define CONFIG_MAX_SMS_PROVIDERS 4

struct secret {
    const char *now; /* "" = not set */
    const char *old; /* "" = none; accepted, never sent */
};

struct config_source; /* where the secrets are read from again; only config_secret.c looks inside */

struct config {
    unsigned groups;
    struct config_source *source;

    const char *database_url;
    struct secret service_role_key;
    struct secret token_secret; /* SERVICE_ROLE_KEY where unset */
    const char *public_url;

    const char *whatsapp_phone_id;
    const char
        *whatsapp_webhook_phone_id; /* take what Meta brings for this number alone; "": all */
    struct secret whatsapp_access_token;
    const char *whatsapp_api_url;
    const char *whatsapp_template_summary;
    struct secret wa_app_secret;
    struct secret wa_verify_token;

    const char *sms_providers[CONFIG_MAX_SMS_PROVIDERS]; /* in order; unused ones "" */
    const char *mtn_sms_api_url;
    struct secret mtn_sms_api_key;
    struct secret mtn_sms_api_secret;
    const char *mtn_sms_sender_id;
    struct secret mtn_webhook_secret;
    struct secret sms_webhook_token;
    const char *sms_short_code;
    const char *sms_allowed_prefixes;
    int64_t sms_price_mrwf; /* thousandths of a franc per segment; SMS_PRICE_RWF_<FIRST PROVIDER> or
                               SMS_PRICE_RWF */
    int64_t whatsapp_price_mrwf; /* per message */

    struct secret openai_api_key;
    const char *openai_base_url;
    const char *openai_model;

    struct secret openai_webhook_secret; /* "whsec_..." (Standard Webhooks) */
    const char *openai_realtime_model;
    const char *voice_bridge_url; /* "" = WhatsApp calls are answered by somebody else */

    enum mode delivery_mode;

    int turn_quiet_ms;
    int agent_timeout_s;
    int lease_s;
    int unknown_hold_s;
    int failover_after_s;
    int summary_wait_s;
    int call_max_s;     /* a call without an end is over after so long ... */
    int call_silence_s; /* ... or when its agent's tools have been silent so long */
    int fallback_every_s;
    double backoff_scale;

    const char *wake_socket; /* the worker's datagram socket */
    const char *spool_dir;   /* where signed events wait for the database */
    int spool_max_files;
    int spool_max_mb;
    int max_requests;
    const char *log_to;
    enum log_level log_level;
    bool allow_http;
#ifdef OMNI_CRASH_POINTS
    const char *crash_at; /* CRASH_AT: see base/crash.h; NULL when unset */
#endif
};

/* Reads the settings of the groups (CFG_CORE is always among them). All faults are reported
 * together in *e, one per line of the text as far as it reaches: "NAME: what is wrong". Strings
 * live in 'a'. http:// URLs of providers are refused unless ALLOW_HTTP=1. Required: DATABASE_URL,
 * and SERVICE_ROLE_KEY with CFG_SERVICE. */
bool config_load(struct arena *a, unsigned groups, struct config *out, struct err *e) MUST_CHECK;

/* Reads the secrets that come from files again if 'force' (SIGHUP) or if their file's modification
 * time changed; looks at most once a second. A file that cannot be read, or is empty, leaves the
 * old value; but an X_OLD_FILE that is empty or was removed means that the predecessor is no longer
 * accepted. */
void config_refresh(struct config *c, bool force);

/* Looks now, for somebody whose secret did not match; true when one is another than before. */
bool config_refresh_now(struct config *c);

/* "NAME=value" lines of the groups in the table's order, secrets as "***" (or empty), for
 * --check-config. */
void config_print(const struct config *c, struct buf *out);

/* True when 'given' equals the secret's current or old value; constant time; an unset secret
 * matches nothing. */
bool secret_matches(const struct secret *s, const char *given);

/* True when 'hex' is the HMAC-SHA256 of the bytes under the current or the old value. */
bool secret_signed_hex(const struct secret *s, const void *bytes, size_t n, const char *hex);

#endif
