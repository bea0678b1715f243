/*
 * voice_bridge - the bridge's two requests and their answers.
 */
#include "provider/voice_bridge.h"

#include "base/str.h"
#include "core/json.h"

bool
voice_bridge_configured(const struct config *c)
{
    return !str_empty(c->voice_bridge_url);
}

static void
post(struct arena *a, const struct config *c, const char *path, struct json_object *body,
     struct http_request *out)
{
    const char **headers = arena_array(a, 2, sizeof(*headers));

    headers[0] = "Content-Type: application/json";
    *out = (struct http_request){ .method = "POST", .headers = headers };
    out->url = arena_printf(a, "%s%s", c->voice_bridge_url, path);
    out->body = json_print(a, body);
    out->body_len = strlen(out->body);
}

void
voice_bridge_open(struct arena *a, const struct config *c, const struct bridge_session *s,
                  struct http_request *out)
{
    struct json_object *body = json_new_object(a);
    struct json_object *config;

    json_set_str(body, "callId", s->call_id);
    json_set_str(body, "sdpOffer", call_sdp(a, s->sdp_offer));
    json_set_str(body, "from", s->from);
    config = json_add_object(body, "config");
    json_set_str(config, "voice", s->voice);
    json_set_str(config, "instructions", s->instructions);
    json_set_str(config, "model", c->openai_realtime_model);
    post(a, c, "/api/sessions", body, out);
}

struct call_answer
voice_bridge_read_open(struct arena *a, const struct http_response *r, const char **sdp)
{
    struct call_answer answer = call_answer_read(a, r);
    struct json_object *body = NULL;
    struct err ignored = { 0 };

    *sdp = "";
    if (answer.verdict != CALL_TAKEN)
        return answer;
    if (r->reach == HTTP_ANSWERED && json_parse(a, r->body, r->body_len, &body, &ignored))
        *sdp = json_opt_str(a, body, "sdpAnswer", "");
    if (str_empty(*sdp)) /* it says yes and gives nothing to go on with */
        return (struct call_answer){ CALL_REFUSED, "no_sdp" };
    return answer;
}

void
voice_bridge_stop(struct arena *a, const struct config *c, const char *call_id,
                  struct http_request *out)
{
    struct json_object *body = json_new_object(a);

    json_set_str(body, "callId", call_id);
    post(a, c, "/bridge/stop", body, out);
}

struct call_answer
voice_bridge_read_stop(struct arena *a, const struct http_response *r)
{
    if (r->reach == HTTP_ANSWERED && r->status == 404)
        return (struct call_answer){ CALL_TAKEN, "" };
    return call_answer_read(a, r);
}
