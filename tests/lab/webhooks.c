/* Signed webhooks: see webhooks.h. */
#include "webhooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "sign.h"
#include "text.h"

#define DISPLAY_NUMBER "250788000000"
#define WABA_ID        "102290129340398"

static struct post *
post_to(const char *path, char *body)
{
    char *url = str_printf("%s%s", config.target, path);
    struct post *p = post_new(url, body);
    free(url);
    return p;
}

static void
sign(struct post *p, const char *header, const char *prefix, const char *secret)
{
    if (*secret == '\0') {
        return;
    }
    char hex[65];
    sign_hex(secret, p->body, p->body_len, hex);
    char *value = str_printf("%s%s", prefix, hex);
    post_header(p, header, value);
    free(value);
}

struct post *
webhook_mtn(const char *path, struct json_object *body)
{
    struct post *p = post_to(path, json_text(body));
    (void)json_object_put(body);
    post_header(p, "Content-Type", "application/json");
    sign(p, "X-MTN-Signature", "", config.mtn_webhook_secret);
    return p;
}

struct json_object *
webhook_meta_value(void)
{
    struct json_object *metadata = json_object_new_object();
    json_add_str(metadata, "display_phone_number", DISPLAY_NUMBER);
    json_add_str(metadata, "phone_number_id",
                 *config.phone_number_id == '\0' ? "1122334455" : config.phone_number_id);
    struct json_object *value = json_object_new_object();
    json_add_str(value, "messaging_product", "whatsapp");
    json_add(value, "metadata", metadata);
    return value;
}

struct post *
webhook_meta(const char *path, const char *field, struct json_object *value)
{
    struct json_object *change = json_object_new_object();
    json_add_str(change, "field", field);
    json_add(change, "value", value);
    struct json_object *changes = json_object_new_array();
    (void)json_object_array_add(changes, change);
    struct json_object *entry = json_object_new_object();
    json_add_str(entry, "id", WABA_ID);
    json_add(entry, "changes", changes);
    struct json_object *entries = json_object_new_array();
    (void)json_object_array_add(entries, entry);
    struct json_object *envelope = json_object_new_object();
    json_add_str(envelope, "object", "whatsapp_business_account");
    json_add(envelope, "entry", entries);

    /* Slashes stay escaped, as Meta's do; the signature is over these very bytes. */
    char *body = text_ascii(json_object_to_json_string_ext(envelope, JSON_C_TO_STRING_PLAIN));
    (void)json_object_put(envelope);
    struct post *p = post_to(path, body);
    post_header(p, "Content-Type", "application/json");
    sign(p, "X-Hub-Signature-256", "sha256=", config.wa_app_secret);
    return p;
}

struct post *
webhook_openai(const char *path, const char *id, const char *timestamp, struct json_object *body)
{
    struct post *p = post_to(path, json_text(body));
    (void)json_object_put(body);
    post_header(p, "Content-Type", "application/json");
    post_header(p, "webhook-id", id);
    post_header(p, "webhook-timestamp", timestamp);
    char signature[SIGN_BASE64_SIZE];
    char *text = str_printf("%s.%s.%s", id, timestamp, p->body);
    if (sign_standard(config.openai_webhook_secret, text, signature)) {
        char *value = str_printf("v1,%s", signature);
        post_header(p, "webhook-signature", value);
        free(value);
    }
    free(text);
    return p;
}

static void
authorize(struct post *p, const char *token)
{
    if (*token != '\0') {
        char *value = str_printf("Bearer %s", token);
        post_header(p, "Authorization", value);
        free(value);
    }
}

struct post *
webhook_africastalking(const char *path, const char *form)
{
    struct post *p = post_to(path, str_dup(form));
    post_header(p, "Content-Type", "application/x-www-form-urlencoded");
    authorize(p, config.sms_webhook_token);
    return p;
}

struct post *
webhook_kannel(const char *path, const char *query)
{
    char *target = str_printf("%s&%s", path, query);
    struct post *p = post_to(target, NULL);
    free(target);
    authorize(p, config.sms_webhook_token);
    return p;
}

struct post *
webhook_tool(const char *path, struct json_object *body)
{
    struct post *p = post_to(path, json_text(body));
    (void)json_object_put(body);
    post_header(p, "Content-Type", "application/json");
    authorize(p, config.service_role_key);
    return p;
}
