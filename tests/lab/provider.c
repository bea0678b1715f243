/* The common way of provider requests: see provider.h. */
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META_RATE     130429
#define META_INTERNAL 131000
#define META_AWAY     131016
#define META_INVALID  100
#define META_TOKEN    190

/* Meta's HTTP status follows the code, and most codes come with 400. */
static unsigned
meta_status(long code)
{
    switch (code) {
    case 0:
    case META_TOKEN:
        return 401;
    case 3:
    case META_INTERNAL:
    case META_AWAY:
        return 500;
    case 10:
    case 368:
    case 131005:
    case 131031:
        return 403;
    case 2:
    case 131057:
    case 133004:
        return 503;
    case 131048:
    case 131056:
    case META_RATE:
        return 429;
    default:
        return code >= 200 && code < 300 ? 403 : 400;
    }
}

void
meta_refuse(struct request *r, unsigned status, long code, const char *details)
{
    char *message = str_printf("(#%ld) %s", code, details);
    char trace[32];
    (void)snprintf(trace, sizeof trace, "A%llu", (unsigned long long)id_next());
    struct json_object *data = json_object_new_object();
    json_add_str(data, "messaging_product", "whatsapp");
    json_add_str(data, "details", details);
    struct json_object *error = json_object_new_object();
    json_add_str(error, "message", message);
    json_add_str(error, "type", "OAuthException");
    json_add_int(error, "code", code);
    json_add(error, "error_data", data);
    json_add_bool(error, "is_transient", code == 2 || code == META_AWAY);
    json_add_str(error, "fbtrace_id", trace);
    struct json_object *o = json_object_new_object();
    json_add(o, "error", error);
    answer_json(r, status != 0 ? status : meta_status(code), o);
    free(message);
}

static long
meta_code(unsigned status)
{
    switch (status) {
    case 401:
        return META_TOKEN;
    case 429:
        return META_RATE;
    case 500:
        return META_INTERNAL;
    case 503:
        return META_AWAY;
    default:
        return META_INVALID;
    }
}

static void
agent_refuse(struct request *r, unsigned status, const char *code)
{
    const char *usual = status == 429   ? "rate_limit_exceeded"
                        : status == 401 ? "invalid_api_key"
                        : status < 500  ? "invalid_request_error"
                                        : "server_error";
    struct json_object *error = json_object_new_object();
    json_add_str(error, "message", "The lab was told to refuse this request.");
    json_add_str(error, "type", *code != '\0' ? code : usual);
    json_add(error, "param", NULL);
    json_add_str(error, "code", *code != '\0' ? code : usual);
    struct json_object *o = json_object_new_object();
    json_add(o, "error", error);
    answer_json(r, status, o);
}

static void
mtn_refuse(struct request *r, unsigned status, const char *code)
{
    struct json_object *error = json_object_new_object();
    json_add_str(error, "code", code);
    json_add_str(error, "message", "The request was refused.");
    struct json_object *o = json_object_new_object();
    json_add(o, "error", error);
    answer_json(r, status, o);
}

static void
kannel_refuse(struct request *r, unsigned status)
{
    const char *text = status >= 500   ? "Temporal failure, try again later."
                       : status == 401 ? "Authorization failed for sendsms"
                       : status == 400 ? "Missing receiver number, rejected"
                                       : "Sender missing and no global set, rejected";
    answer_text(r, status == 401 ? 403 : status, "text/plain", text);
}

void
provider_refuse(struct request *r, enum provider p, unsigned status, const char *code)
{
    char *end;
    long number = strtol(code, &end, 10);
    bool is_number = *code != '\0' && *end == '\0';
    unsigned http = status != 0                                  ? status
                    : is_number && number >= 300 && number < 600 ? (unsigned)number
                                                                 : 400;
    switch (p) {
    case PROVIDER_META:
        meta_refuse(r, status, is_number ? number : meta_code(status),
                    "The lab was told to refuse this request.");
        break;
    case PROVIDER_MTN:
        mtn_refuse(r, http, code);
        break;
    case PROVIDER_AGENT:
        agent_refuse(r, strcmp(code, "insufficient_quota") == 0 ? 429 : http, code);
        break;
    case PROVIDER_KANNEL:
        kannel_refuse(r, http);
        break;
    case PROVIDER_AFRICASTALKING:
    case PROVIDER_BRIDGE:
    case PROVIDER_COUNT:
        answer_text(r, http, "text/plain", "The request was refused.");
        break;
    }
}

/* Africa's Talking refuses a recipient inside a 201, so its handler deals with error codes itself.
 */
static bool
is_refusal(enum provider p, const struct fault *f)
{
    return f->kind == FAULT_STATUS || (f->kind == FAULT_ERROR_CODE && p != PROVIDER_AFRICASTALKING);
}

static void
answer_garbage(struct request *r)
{
    answer_text(r, 200, "text/html", "<html><body>It works!</body></html>{\"half\":");
}

void
provider_serve(struct request *r, enum provider p,
               void (*take)(struct request *r, const struct fault *f))
{
    record_add(r, p);
    struct fault f = faults_draw(p, r);
    if (f.kind == FAULT_HANG) {
        record_hung(p);
        request_hang(r);
        return;
    }
    if (is_refusal(p, &f)) {
        provider_refuse(r, p, f.http_status, f.code);
    } else {
        take(r, &f);
    }
    if (r->status >= 400) {
        record_refused(p);
    } else if (f.kind == FAULT_ACCEPT_THEN_HANG) {
        record_hung(p);
        request_hang(r);
        return;
    } else if (f.kind == FAULT_ACCEPT_THEN_CLOSE) {
        request_close(r);
        return;
    } else if (f.kind == FAULT_GARBAGE) {
        answer_garbage(r);
    }
    r->retry_after = f.retry_after > 0 ? f.retry_after : r->retry_after;
    request_send_later(r, r->delay_ms + fault_answer_delay(&f));
}
