/* What people do with their phones: see people.h. */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "burst.h"
#include "config.h"
#include "records.h"
#include "webhooks.h"

#define SHORT_CODE "8080"

struct json_object *
people_begin(struct request *r, char phone[32])
{
    phone_plus(r->segment[0], phone);
    struct json_object *o = json_parse(r->body.data, r->body.len);
    const char *why = *phone == '\0'                              ? "the path names no phone number"
                      : !json_object_is_type(o, json_type_object) ? "the body is no JSON object"
                      : *config.target == '\0'                    ? "no target is configured"
                                                                  : NULL;
    if (why != NULL) {
        (void)json_object_put(o);
        reply_error(r, 400, why);
        return NULL;
    }
    return o;
}

static void
new_id(struct json_object *o, const char *prefix, char out[128])
{
    char fresh[64];
    (void)snprintf(fresh, sizeof fresh, "%s%llu", prefix, (unsigned long long)id_next());
    (void)snprintf(out, 128, "%s", json_str(o, "message_id", fresh));
}

static struct post *
mtn_inbound(struct json_object *o, const char *phone, const char *to, const char *id)
{
    static const char *const optional[] = { "part", "parts", "ref" };
    char now[32];
    time_iso(clock_wall_ms(), now);
    struct json_object *body = json_object_new_object();
    json_add_str(body, "from", json_str(o, "from", phone));
    json_add_str(body, "to", to);
    json_add_str(body, "message", json_str(o, "text", ""));
    json_add_str(body, "messageId", id);
    json_add_str(body, "timestamp", json_str(o, "timestamp", now));
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        if (json_has(o, optional[i])) {
            json_add(body, optional[i], json_object_get(json_get(o, optional[i])));
        }
    }
    return webhook_mtn("/sms-inbound-webhook", body);
}

static void
add_pair(struct buf *form, const char *name, const char *value)
{
    buf_str(form, form->len > 0 ? "&" : "");
    buf_str(form, name);
    buf_char(form, '=');
    url_encode(form, value);
}

static struct post *
kannel_inbound(struct json_object *o, const char *phone, const char *to, const char *id)
{
    char epoch[24];
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)(clock_wall_ms() / 1000));
    struct buf query = { 0 };
    add_pair(&query, "from", json_str(o, "from", phone));
    add_pair(&query, "to", to);
    add_pair(&query, "text", json_str(o, "text", ""));
    add_pair(&query, "ts", epoch);
    add_pair(&query, "id", id);
    add_pair(&query, "coding", "0");
    add_pair(&query, "charset", "UTF-8");
    add_pair(&query, "smsc", "lab");
    struct post *p = webhook_kannel("/sms-inbound-webhook?provider=kannel", query.data);
    buf_free(&query);
    return p;
}

static struct post *
africastalking_inbound(struct json_object *o, const char *phone, const char *to, const char *id)
{
    char now[32];
    time_iso(clock_wall_ms(), now);
    struct buf form = { 0 };
    add_pair(&form, "id", id);
    add_pair(&form, "linkId", "");
    add_pair(&form, "text", json_str(o, "text", ""));
    add_pair(&form, "from", json_str(o, "from", phone));
    add_pair(&form, "to", to);
    add_pair(&form, "date", now);
    add_pair(&form, "networkCode", "63510");
    struct post *p =
        webhook_africastalking("/sms-inbound-webhook?provider=africastalking", form.data);
    buf_free(&form);
    return p;
}

void
people_serve_sms(struct request *r)
{
    char phone[32];
    struct json_object *o = people_begin(r, phone);
    if (o == NULL) {
        return;
    }
    char id[128];
    new_id(o, "lab-", id);
    const char *code = *config.sms_short_code == '\0' ? SHORT_CODE : config.sms_short_code;
    const char *to = json_str(o, "to", code);
    int gateway = provider_parse(json_str(o, "provider", "mtn"));
    struct burst *burst = burst_new(r, o, "message_id", id);
    while (burst_wants_more(burst)) {
        struct post *p = gateway == PROVIDER_KANNEL ? kannel_inbound(o, phone, to, id)
                         : gateway == PROVIDER_AFRICASTALKING
                             ? africastalking_inbound(o, phone, to, id)
                             : mtn_inbound(o, phone, to, id);
        burst_add(burst, p);
    }
    burst_start(burst);
    (void)json_object_put(o);
}

/* {profile{name}, wa_id, user_id}: wa_id without the plus, user_id as stable as the number. */
static struct json_object *
contact_json(struct json_object *o, const char *phone, const char *user_id)
{
    struct json_object *profile = json_object_new_object();
    json_add_str(profile, "name", json_str(o, "name", "Lab"));
    struct json_object *contact = json_object_new_object();
    json_add(contact, "profile", profile);
    json_add_str(contact, "wa_id", phone + 1);
    json_add_str(contact, "user_id", user_id);
    return contact;
}

/* The message of the body's own "message" object if it has one, else a text. */
static struct json_object *
whatsapp_message(struct json_object *o, const char *phone, const char *user_id, const char *id)
{
    char now[24];
    (void)snprintf(now, sizeof now, "%lld", (long long)(clock_wall_ms() / 1000));
    struct json_object *message = json_object_new_object();
    json_add_str(message, "id", id);
    json_add_str(message, "from", phone + 1);
    json_add_str(message, "from_user_id", user_id);
    json_add_str(message, "timestamp", json_str(o, "timestamp", now));
    struct json_object *own = json_get(o, "message");
    if (json_object_is_type(own, json_type_object)) {
        json_object_object_foreach(own, key, value)
        {
            json_add(message, key, json_object_get(value));
        }
        return message;
    }
    struct json_object *text = json_object_new_object();
    json_add_str(text, "body", json_str(o, "text", ""));
    json_add_str(message, "type", "text");
    json_add(message, "text", text);
    return message;
}

static struct post *
whatsapp_inbound(struct json_object *o, const char *phone, const char *id)
{
    char user_id[48];
    (void)snprintf(user_id, sizeof user_id, "RW.%s", phone + 1);
    struct json_object *contacts = json_object_new_array();
    (void)json_object_array_add(contacts, contact_json(o, phone, user_id));
    struct json_object *messages = json_object_new_array();
    (void)json_object_array_add(messages, whatsapp_message(o, phone, user_id, id));
    struct json_object *value = webhook_meta_value();
    json_add(value, "contacts", contacts);
    json_add(value, "messages", messages);
    return webhook_meta("/wa-webhook-core", "messages", value);
}

void
people_serve_whatsapp(struct request *r)
{
    char phone[32];
    struct json_object *o = people_begin(r, phone);
    if (o == NULL) {
        return;
    }
    char id[128];
    new_id(o, "wamid.lab", id);
    struct burst *burst = burst_new(r, o, "message_id", id);
    while (burst_wants_more(burst)) {
        burst_add(burst, whatsapp_inbound(o, phone, id));
    }
    burst_start(burst);
    (void)json_object_put(o);
}

/* The tool's own answer, whatever it is. */
static void
on_tool_answer(struct post *p, void *arg)
{
    struct request *r = arg;
    if (p->status == 0) {
        reply_error(r, 502, "the target did not answer");
        return;
    }
    bool is_json = str_has_prefix(p->answer_type, "application/json");
    buf_add(&p->answer, "", 0);
    answer_bytes(r, (unsigned)p->status, is_json ? "application/json" : "text/plain", &p->answer);
    request_send(r);
}

static void
add_default_str(struct json_object *o, const char *key, const char *value)
{
    if (!json_has(o, key)) {
        json_add_str(o, key, value);
    }
}

void
people_serve_call(struct request *r)
{
    char phone[32];
    struct json_object *o = people_begin(r, phone);
    if (o == NULL) {
        return;
    }
    char id[64];
    char started[32];
    char ended[32];
    (void)snprintf(id, sizeof id, "call-lab-%llu", (unsigned long long)id_next());
    time_iso(clock_wall_ms() - 60000, started);
    time_iso(clock_wall_ms(), ended);
    add_default_str(o, "call_id", id);
    add_default_str(o, "phone_number", phone);
    add_default_str(o, "channel", "sip");
    add_default_str(o, "started_at", started);
    add_default_str(o, "ended_at", ended);
    if (!json_has(o, "answered")) {
        json_add_bool(o, "answered", true);
    }
    if (!json_has(o, "ended")) {
        json_add_bool(o, "ended", true);
    }
    struct post *p = webhook_tool("/tools/call_log_summary", o);
    p->done = on_tool_answer;
    p->arg = r;
    p->is_urgent = true;
    post_start(p);
}
