/*
 * wa_calls_action - what we ask of Meta about a call, and what it answers.
 */
#include "base/str.h"
#include "core/json.h"
#include "provider/wa_calls.h"

/* Room for one more. */
static const char **
headers_of(struct arena *a, const struct config *c)
{
    const char **headers = arena_array(a, 3, sizeof(*headers));

    headers[0] = arena_printf(a, "Authorization: Bearer %s", c->whatsapp_access_token.now);
    return headers;
}

/* 'sdp' NULL: an action without a session. */
static void
build_action(struct arena *a, const struct config *c, const char *call_id, const char *action,
             const char *sdp, struct http_request *out)
{
    struct json_object *body = json_new_object(a);
    const char **headers = headers_of(a, c);

    json_set_str(body, "messaging_product", "whatsapp");
    json_set_str(body, "call_id", call_id);
    json_set_str(body, "action", action);
    if (sdp != NULL) {
        struct json_object *session = json_add_object(body, "session");

        json_set_str(session, "sdp_type", "answer");
        json_set_str(session, "sdp", call_sdp(a, sdp));
    }
    headers[1] = "Content-Type: application/json";
    *out = (struct http_request){ .method = "POST", .headers = headers };
    out->url = arena_printf(a, "%s/%s/calls", c->whatsapp_api_url, c->whatsapp_phone_id);
    out->body = json_print(a, body);
    out->body_len = strlen(out->body);
}

void
wa_calls_pre_accept(struct arena *a, const struct config *c, const char *call_id, const char *sdp,
                    struct http_request *out)
{
    build_action(a, c, call_id, "pre_accept", sdp, out);
}

void
wa_calls_accept(struct arena *a, const struct config *c, const char *call_id, const char *sdp,
                struct http_request *out)
{
    build_action(a, c, call_id, "accept", sdp, out);
}

void
wa_calls_reject(struct arena *a, const struct config *c, const char *call_id,
                struct http_request *out)
{
    build_action(a, c, call_id, "reject", NULL, out);
}

void
wa_calls_terminate(struct arena *a, const struct config *c, const char *call_id,
                   struct http_request *out)
{
    build_action(a, c, call_id, "terminate", NULL, out);
}

/* The answer by its HTTP status, but Meta's own code where it gives one. *body is NULL where there
 * is nothing to read. */
static struct call_answer
read_graph(struct arena *a, const struct http_response *r, struct json_object **body)
{
    struct call_answer answer = call_answer_read(a, r);
    struct err ignored = { 0 };
    int64_t code;

    *body = NULL;
    if (r->reach != HTTP_ANSWERED || !json_parse(a, r->body, r->body_len, body, &ignored))
        return answer;
    code = json_opt_int(json_at(*body, "error"), "code", -1);
    if (code < 0)
        return answer;
    answer.code = arena_printf(a, "%lld", (long long)code);
    if (answer.verdict == CALL_TAKEN)
        answer.verdict = CALL_REFUSED;
    if (json_opt_bool(json_at(*body, "error"), "is_transient", false))
        answer.verdict = CALL_AGAIN;
    return answer;
}

struct call_answer
wa_calls_read_action(struct arena *a, const struct http_response *r)
{
    struct json_object *body;
    struct call_answer answer = read_graph(a, r, &body);

    if (answer.verdict == CALL_TAKEN && !json_opt_bool(body, "success", true))
        return (struct call_answer){ CALL_REFUSED, "no_success" };
    return answer;
}

void
wa_calls_media(struct arena *a, const struct config *c, const char *media_id,
               struct http_request *out)
{
    *out = (struct http_request){ .method = "GET", .headers = headers_of(a, c) };
    out->url = arena_printf(a, "%s/%s", c->whatsapp_api_url, str_url_encode(a, media_id));
}

struct call_answer
wa_calls_read_media(struct arena *a, const struct http_response *r, const char **url)
{
    struct json_object *body;
    struct call_answer answer = read_graph(a, r, &body);

    *url = answer.verdict == CALL_TAKEN ? json_opt_str(a, body, "url", "") : "";
    if (answer.verdict == CALL_TAKEN && str_empty(*url))
        return (struct call_answer){ CALL_REFUSED, "no_url" };
    return answer;
}

void
wa_calls_document(struct arena *a, const struct config *c, const char *url,
                  struct http_request *out)
{
    *out = (struct http_request){ .method = "GET", .headers = headers_of(a, c) };
    out->url = url;
}

struct call_answer
wa_calls_read_document(struct arena *a, const struct http_response *r, struct wa_transcript *out)
{
    struct call_answer answer = call_answer_read(a, r);
    struct json_object *body = NULL;
    struct err ignored = { 0 };

    *out = (struct wa_transcript){ "", "" };
    if (answer.verdict != CALL_TAKEN)
        return answer;
    if (r->reach != HTTP_ANSWERED) /* its end is missing */
        return (struct call_answer){ CALL_AGAIN, "cut" };
    if (!json_parse(a, r->body, r->body_len, &body, &ignored))
        return (struct call_answer){ CALL_REFUSED, "unreadable" };
    out->text = json_opt_str(a, body, "transcript.text", "");
    out->language = json_opt_str(a, body, "transcript.language", "");
    return answer;
}
