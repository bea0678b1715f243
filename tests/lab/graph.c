/* Meta's Graph API: see graph.h. */
#include "graph.h"

#include <stdio.h>
#include <string.h>

#include "config.h"
#include "graph_check.h"
#include "phones.h"
#include "provider.h"
#include "receipts.h"

#define INVALID_PARAMETER 100
#define BAD_TOKEN         190

/* Refuses what is wrong whatever the message; true if the request may go on. */
static bool
check_caller(struct request *r, struct json_object *o)
{
    const char *bearer = request_header(r, "Authorization");
    if (bearer == NULL || !str_has_prefix(bearer, "Bearer ") || bearer[strlen("Bearer ")] == '\0') {
        meta_refuse(r, 401, BAD_TOKEN, "Invalid OAuth access token.");
        return false;
    }
    if (*config.phone_number_id != '\0' && strcmp(r->segment[1], config.phone_number_id) != 0) {
        meta_refuse(r, 400, INVALID_PARAMETER,
                    "Unsupported post request. Object with this ID does not exist.");
        return false;
    }
    if (strcmp(json_str(o, "messaging_product", ""), "whatsapp") != 0) {
        meta_refuse(r, 400, INVALID_PARAMETER, "The parameter messaging_product is required.");
        return false;
    }
    return true;
}

static void
answer_success(struct request *r, bool names_product)
{
    struct json_object *o = json_object_new_object();
    if (names_product) {
        json_add_str(o, "messaging_product", "whatsapp");
    }
    json_add_bool(o, "success", true);
    answer_json(r, 200, o);
}

/* A call of ours: the answer names it. */
static void
answer_begun(struct request *r)
{
    char id[48];
    (void)snprintf(id, sizeof id, "wacid.%llu", (unsigned long long)id_next());
    struct json_object *call = json_object_new_object();
    json_add_str(call, "id", id);
    struct json_object *calls = json_object_new_array();
    (void)json_object_array_add(calls, call);
    struct json_object *o = json_object_new_object();
    json_add_str(o, "messaging_product", "whatsapp");
    json_add(o, "calls", calls);
    answer_json(r, 200, o);
}

static void
answer_sent(struct request *r, const char *input, const char *phone, const char *id)
{
    struct json_object *contact = json_object_new_object();
    json_add_str(contact, "input", input);
    json_add_str(contact, "wa_id", phone + 1);
    struct json_object *contacts = json_object_new_array();
    (void)json_object_array_add(contacts, contact);
    struct json_object *message = json_object_new_object();
    json_add_str(message, "id", id);
    json_add_str(message, "message_status", "accepted");
    struct json_object *messages = json_object_new_array();
    (void)json_object_array_add(messages, message);
    struct json_object *o = json_object_new_object();
    json_add_str(o, "messaging_product", "whatsapp");
    json_add(o, "contacts", contacts);
    json_add(o, "messages", messages);
    answer_json(r, 200, o);
}

static void
accept_message(struct request *r, struct json_object *o, const struct graph_view *view,
               const struct fault *f)
{
    const char *input = json_str(o, "to", json_str(o, "recipient", ""));
    char phone[32];
    char id[48];
    phone_plus(input, phone);
    (void)snprintf(id, sizeof id, "wamid.%llu", (unsigned long long)id_next());
    struct message m = { .provider = PROVIDER_META, .kind = view->kind, .to = phone };
    m.text = view->text.data;
    m.from = r->segment[1];
    m.reference = json_str(o, "biz_opaque_callback_data", "");
    m.provider_id = id;
    m.template_name = view->template_name;
    m.is_undelivered = f->kind == FAULT_ASYNC_FAILURE;
    phone_accept(&m);
    struct receipt_subject s = { .provider = PROVIDER_META, .message_id = id, .phone = phone };
    s.reference = m.reference;
    receipts_plan(&s, f);
    answer_sent(r, input, phone, id);
}

static void
take_message(struct request *r, const struct fault *f)
{
    struct json_object *o = json_parse(r->body.data, r->body.len);
    if (!check_caller(r, o)) {
        (void)json_object_put(o);
        return;
    }
    if (json_has(o, "status")) {
        answer_success(r, false);
        (void)json_object_put(o);
        return;
    }
    struct graph_view view = { 0 };
    const char *details = "";
    long code = graph_check(o, &view, &details);
    if (code != 0) {
        meta_refuse(r, 400, code, details);
    } else {
        accept_message(r, o, &view, f);
    }
    buf_free(&view.text);
    (void)json_object_put(o);
}

void
graph_serve_messages(struct request *r)
{
    /* A read mark carries no message, and does not use up a fault meant for one. */
    struct json_object *o = json_parse(r->body.data, r->body.len);
    r->is_secondary = json_has(o, "status");
    (void)json_object_put(o);
    provider_serve(r, PROVIDER_META, take_message);
}

static void
take_call(struct request *r, const struct fault *f)
{
    (void)f;
    struct json_object *o = json_parse(r->body.data, r->body.len);
    if (check_caller(r, o)) {
        const char *details = "";
        long code = graph_check_call(o, &details);
        if (code != 0) {
            meta_refuse(r, 400, code, details);
        } else if (json_has(o, "call_id")) {
            answer_success(r, true);
        } else {
            answer_begun(r);
        }
    }
    (void)json_object_put(o);
}

void
graph_serve_calls(struct request *r)
{
    r->is_secondary = true;
    provider_serve(r, PROVIDER_META, take_call);
}
