/* Target and shared secrets, from the environment and from /lab/config: see config.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#define RECEIPT_DELAY_MS 20
#define SMS_PRICE_RWF    15

struct config config;

static const struct field {
    const char *name;
    const char *variable; /* NULL = not from the environment */
    char **value;
    bool is_secret;
} fields[] = {
    { "target", NULL, &config.target, false },
    { "mtn_webhook_secret", "MTN_WEBHOOK_SECRET", &config.mtn_webhook_secret, true },
    { "wa_app_secret", "WA_APP_SECRET", &config.wa_app_secret, true },
    { "phone_number_id", "WHATSAPP_PHONE_ID", &config.phone_number_id, false },
    { "service_role_key", "SERVICE_ROLE_KEY", &config.service_role_key, true },
    { "sms_webhook_token", "SMS_WEBHOOK_TOKEN", &config.sms_webhook_token, true },
    { "openai_webhook_secret", "OPENAI_WEBHOOK_SECRET", &config.openai_webhook_secret, true },
    { "sms_short_code", "SMS_SHORT_CODE", &config.sms_short_code, false },
};

#define FIELDS (sizeof fields / sizeof fields[0])

static void
set_target(const char *url)
{
    str_set(&config.target, url);
    size_t len = strlen(config.target);
    if (len > 0 && config.target[len - 1] == '/') {
        config.target[len - 1] = '\0';
    }
}

void
config_init(const char *target)
{
    for (size_t i = 0; i < FIELDS; i++) {
        str_set(fields[i].value, fields[i].variable == NULL ? "" : getenv(fields[i].variable));
    }
    set_target(target);
    const char *price = getenv("SMS_PRICE_RWF");
    config.sms_price_rwf = price == NULL ? SMS_PRICE_RWF : strtol(price, NULL, 10);
    config.receipts = true;
    config.receipt_delay_ms = RECEIPT_DELAY_MS;
}

void
config_release(void)
{
    for (size_t i = 0; i < FIELDS; i++) {
        free(*fields[i].value);
        *fields[i].value = NULL;
    }
}

static void
config_change(struct json_object *o)
{
    for (size_t i = 0; i < FIELDS; i++) {
        str_set(fields[i].value, json_str(o, fields[i].name, *fields[i].value));
    }
    char *target = str_dup(config.target);
    set_target(target);
    free(target);
    config.receipts = json_flag(o, "receipts", config.receipts);
    config.receipt_delay_ms = json_int(o, "receipt_delay_ms", config.receipt_delay_ms);
    config.sms_price_rwf = json_int(o, "sms_price_rwf", config.sms_price_rwf);
}

void
config_serve(struct request *r)
{
    if (strcmp(r->method, "POST") == 0) {
        struct json_object *o = json_parse(r->body.data, r->body.len);
        if (!json_object_is_type(o, json_type_object)) {
            (void)json_object_put(o);
            reply_error(r, 400, "the body is no JSON object");
            return;
        }
        config_change(o);
        (void)json_object_put(o);
    }
    struct json_object *answer = json_object_new_object();
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].is_secret) {
            json_add_bool(answer, fields[i].name, **fields[i].value != '\0');
        } else {
            json_add_str(answer, fields[i].name, *fields[i].value);
        }
    }
    json_add_bool(answer, "receipts", config.receipts);
    json_add_int(answer, "receipt_delay_ms", config.receipt_delay_ms);
    json_add_int(answer, "sms_price_rwf", config.sms_price_rwf);
    reply_json(r, 200, answer);
}
