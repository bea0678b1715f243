/* MTN's JSON gateway: POST {sender, recipient, message, reference}. */
#include <stdio.h>

#include "config.h"
#include "gateways.h"
#include "phones.h"
#include "provider.h"
#include "receipts.h"
#include "text.h"

static void
mtn_accept(struct request *r, struct json_object *o, const struct fault *f)
{
    char id[40];
    char phone[32];
    (void)snprintf(id, sizeof id, "mtn-%llu", (unsigned long long)id_next());
    phone_plus(json_str(o, "recipient", ""), phone);
    struct message m = { .provider = PROVIDER_MTN, .kind = "text", .to = phone };
    m.text = json_str(o, "message", "");
    m.from = json_str(o, "sender", "");
    m.reference = json_str(o, "reference", "");
    m.provider_id = id;
    m.is_undelivered = f->kind == FAULT_ASYNC_FAILURE;
    phone_accept(&m);
    struct receipt_subject s = { .provider = PROVIDER_MTN, .message_id = id, .phone = phone };
    s.reference = m.reference;
    receipts_plan(&s, f);

    struct json_object *answer = json_object_new_object();
    json_add_str(answer, "message_id", id);
    json_add_int(answer, "cost", (int64_t)sms_segments(m.text) * config.sms_price_rwf);
    answer_json(r, 200, answer);
}

static void
mtn_take(struct request *r, const struct fault *f)
{
    const char *bearer = request_header(r, "Authorization");
    if (bearer == NULL || !str_has_prefix(bearer, "Bearer ") ||
        request_header(r, "X-API-Secret") == NULL) {
        provider_refuse(r, PROVIDER_MTN, 401, "unauthorized");
        return;
    }
    struct json_object *o = json_parse(r->body.data, r->body.len);
    char phone[32];
    phone_plus(json_str(o, "recipient", ""), phone);
    if (*phone == '\0' || *json_str(o, "message", "") == '\0' ||
        *json_str(o, "sender", "") == '\0') {
        provider_refuse(r, PROVIDER_MTN, 400, "invalid_request");
    } else {
        mtn_accept(r, o, f);
    }
    (void)json_object_put(o);
}

void
mtn_serve(struct request *r)
{
    provider_serve(r, PROVIDER_MTN, mtn_take);
}
