/* The wording of delivery receipts: see receipt_bodies.h. */
#include "receipt_bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "webhooks.h"

#define META_UNREACHABLE 131026

/* First word, last word, the early word that comes late when reordered, and the failure. */
static const struct {
    const char *sent; /* NULL = the provider reports only the end */
    const char *delivered;
    const char *early;
    const char *failed;
} wording[PROVIDER_COUNT] = {
    [PROVIDER_MTN] = { NULL, "DELIVERED", "ACCEPTED", "UNDELIVERED" },
    [PROVIDER_META] = { "sent", "delivered", "sent", "failed" },
    [PROVIDER_AGENT] = { NULL, "", "", "" },
    [PROVIDER_KANNEL] = { "8", "1", "8", "2" },
    [PROVIDER_AFRICASTALKING] = { NULL, "Success", "Submitted", "Failed" },
    [PROVIDER_BRIDGE] = { NULL, "", "", "" },
};

static void
add_word(struct chain *c, const char *word)
{
    int at = 0;
    while (c->words[at][0] != '\0') {
        at++;
    }
    (void)snprintf(c->words[at], sizeof c->words[at], "%s", word);
}

void
receipt_words(struct chain *c, const struct fault *f)
{
    if (f->kind == FAULT_ASYNC_FAILURE) {
        add_word(c, f->receipt[0] != '\0' ? f->receipt : wording[c->provider].failed);
        return;
    }
    if (f->kind == FAULT_REORDER_RECEIPTS) {
        add_word(c, wording[c->provider].delivered);
        add_word(c, wording[c->provider].early);
        return;
    }
    if (wording[c->provider].sent != NULL) {
        add_word(c, wording[c->provider].sent);
    }
    add_word(c, wording[c->provider].delivered);
}

static struct post *
mtn_post(const struct chain *c, const char *word)
{
    char now[32];
    time_iso(clock_wall_ms(), now);
    struct json_object *o = json_object_new_object();
    json_add_str(o, "messageId", c->message_id);
    json_add_str(o, "reference", c->reference);
    json_add_str(o, "status", word);
    json_add_str(o, "timestamp", now);
    if (c->code != 0) {
        json_add_int(o, "code", c->code);
    }
    return webhook_mtn("/sms-status-webhook", o);
}

static struct json_object *
meta_errors(long code)
{
    struct json_object *data = json_object_new_object();
    json_add_str(data, "details", "Message could not be delivered.");
    struct json_object *error = json_object_new_object();
    json_add_int(error, "code", code);
    json_add_str(error, "title", "Message undeliverable");
    json_add_str(error, "message", "Message undeliverable");
    json_add(error, "error_data", data);
    json_add_str(error, "href",
                 "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/");
    struct json_object *errors = json_object_new_array();
    (void)json_object_array_add(errors, error);
    return errors;
}

static struct post *
meta_post(const struct chain *c, const char *word)
{
    char now[24];
    (void)snprintf(now, sizeof now, "%lld", (long long)(clock_wall_ms() / 1000));
    struct json_object *status = json_object_new_object();
    json_add_str(status, "id", c->message_id);
    json_add_str(status, "status", word);
    json_add_str(status, "timestamp", now);
    json_add_str(status, "recipient_id", c->phone + 1);
    if (*c->reference != '\0') {
        json_add_str(status, "biz_opaque_callback_data", c->reference);
    }
    if (strcmp(word, "failed") == 0) {
        json_add(status, "errors", meta_errors(c->code != 0 ? c->code : META_UNREACHABLE));
    }
    struct json_object *list = json_object_new_array();
    (void)json_object_array_add(list, status);
    struct json_object *value = webhook_meta_value();
    json_add(value, "statuses", list);
    return webhook_meta("/wa-webhook-core", "messages", value);
}

/* What Kannel puts for one of its escapes; NULL for those left as they are. */
static const char *
kannel_escape(const struct chain *c, char escape, const char *word, const char *epoch)
{
    switch (escape) {
    case 'd':
        return word;
    case 'p':
        return c->phone;
    case 'F':
    case 'I':
        return c->message_id;
    case 'T':
        return epoch;
    case 'A':
        return strcmp(word, "2") == 0 || strcmp(word, "16") == 0 ? "NACK/" : "ACK/";
    default:
        return NULL;
    }
}

static struct post *
kannel_post(const struct chain *c, const char *word)
{
    if ((strtol(word, NULL, 10) & c->dlr_mask) == 0) {
        return NULL;
    }
    char epoch[24];
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)(clock_wall_ms() / 1000));
    struct buf url = { 0 };
    for (const char *p = c->dlr_url; *p != '\0'; p++) {
        const char *value = *p == '%' ? kannel_escape(c, p[1], word, epoch) : NULL;
        if (value != NULL) {
            url_encode(&url, value);
            p++;
        } else {
            buf_char(&url, *p);
        }
    }
    struct post *post = post_new(url.data, NULL);
    buf_free(&url);
    return post;
}

static struct post *
africastalking_post(const struct chain *c, const char *word)
{
    struct buf form = { 0 };
    buf_str(&form, "id=");
    url_encode(&form, c->message_id);
    buf_str(&form, "&status=");
    url_encode(&form, word);
    buf_str(&form, "&phoneNumber=");
    url_encode(&form, c->phone);
    buf_str(&form, "&networkCode=63510&retryCount=0");
    if (strcmp(word, "Failed") == 0) {
        buf_str(&form, "&failureReason=UserIsInactive");
    }
    struct post *p =
        webhook_africastalking("/sms-status-webhook?provider=africastalking", form.data);
    buf_free(&form);
    return p;
}

struct post *
receipt_post(const struct chain *c, const char *word)
{
    switch (c->provider) {
    case PROVIDER_MTN:
        return mtn_post(c, word);
    case PROVIDER_META:
        return meta_post(c, word);
    case PROVIDER_KANNEL:
        return kannel_post(c, word);
    case PROVIDER_AFRICASTALKING:
        return africastalking_post(c, word);
    case PROVIDER_AGENT:
    case PROVIDER_BRIDGE:
    case PROVIDER_COUNT:
        break;
    }
    return NULL;
}
