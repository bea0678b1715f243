/* Africa's Talking's messaging: a form in, 201 and one result per recipient out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "gateways.h"
#include "phones.h"
#include "provider.h"
#include "receipts.h"
#include "text.h"

#define SENT 101

static void
accept_one(const char *phone, const char *text, const char *from, const char *id,
           const struct fault *f)
{
    struct message m = { .provider = PROVIDER_AFRICASTALKING, .kind = "text", .to = phone };
    m.text = text;
    m.from = from;
    m.provider_id = id;
    m.is_undelivered = f->kind == FAULT_ASYNC_FAILURE;
    phone_accept(&m);
    struct receipt_subject s = { .provider = PROVIDER_AFRICASTALKING, .message_id = id };
    s.phone = phone;
    receipts_plan(&s, f);
}

/* A refused recipient has its code inside the 201, no cost and no id. */
static struct json_object *
recipient_of(const char *number, const char *text, const char *from, const struct fault *f)
{
    bool is_taken = f->kind != FAULT_ERROR_CODE;
    char phone[32];
    char id[48] = "None";
    char cost[48] = "0";
    phone_plus(number, phone);
    if (is_taken) {
        (void)snprintf(id, sizeof id, "ATXid_%llu", (unsigned long long)id_next());
        (void)snprintf(cost, sizeof cost, "RWF %lld.0000",
                       (long long)(sms_segments(text) * config.sms_price_rwf));
        accept_one(phone, text, from, id, f);
    }
    struct json_object *o = json_object_new_object();
    json_add_int(o, "statusCode", is_taken ? SENT : fault_code_number(f, 500));
    json_add_str(o, "number", phone);
    json_add_str(o, "status", is_taken ? "Success" : "Failed");
    json_add_str(o, "cost", cost);
    json_add_str(o, "messageId", id);
    return o;
}

static void
africastalking_take(struct request *r, const struct fault *f)
{
    char *to = form_get(r->body.data, "to");
    char *text = form_get(r->body.data, "message");
    char *from = form_get(r->body.data, "from");
    if (request_header(r, "apikey") == NULL) {
        answer_text(r, 401, "text/plain", "The supplied authentication is invalid");
    } else if (to == NULL || text == NULL) {
        answer_text(r, 400, "text/plain", "Request is missing required form field 'to'");
    } else {
        struct json_object *recipients = json_object_new_array();
        char *rest = NULL;
        for (char *one = strtok_r(to, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
            (void)json_object_array_add(recipients, recipient_of(one, text, from, f));
        }
        struct json_object *data = json_object_new_object();
        json_add_str(data, "Message", "Sent");
        json_add(data, "Recipients", recipients);
        struct json_object *o = json_object_new_object();
        json_add(o, "SMSMessageData", data);
        answer_json(r, 201, o);
    }
    free(to);
    free(text);
    free(from);
}

void
africastalking_serve(struct request *r)
{
    provider_serve(r, PROVIDER_AFRICASTALKING, africastalking_take);
}
