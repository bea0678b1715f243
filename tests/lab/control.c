/* Reset, figures, and the voice bridge, which only has to say yes: see control.h. */
#include "control.h"

#include "agent.h"
#include "media.h"
#include "phones.h"
#include "provider.h"
#include "receipts.h"
#include "wait.h"

void
control_serve_stats(struct request *r)
{
    if (receipts_pending() > 0 &&
        wait_on(r, receipts_topic(), form_int(r->query, "idle_wait_ms", 0))) {
        return;
    }
    struct json_object *o = json_object_new_object();
    records_stats(o);
    receipts_stats(o);
    reply_json(r, 200, o);
}

void
control_serve_reset(struct request *r)
{
    requests_close_hung();
    faults_reset();
    agent_reset();
    receipts_reset();
    records_reset();
    phones_reset();
    media_reset();
    struct json_object *o = json_object_new_object();
    json_add_bool(o, "reset", true);
    reply_json(r, 200, o);
}

static void
take_session(struct request *r, const struct fault *f)
{
    (void)f;
    struct json_object *asked = json_parse(r->body.data, r->body.len);
    if (*json_str(asked, "callId", "") == '\0' || *json_str(asked, "sdpOffer", "") == '\0') {
        provider_refuse(r, PROVIDER_BRIDGE, 400, "");
    } else {
        struct json_object *o = json_object_new_object();
        json_add_str(o, "sdpAnswer",
                     "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=lab\r\nt=0 0\r\n"
                     "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n");
        json_add_str(o, "callId", json_str(asked, "callId", ""));
        answer_json(r, 200, o);
        record_accepted(PROVIDER_BRIDGE);
    }
    (void)json_object_put(asked);
}

void
bridge_serve_session(struct request *r)
{
    provider_serve(r, PROVIDER_BRIDGE, take_session);
}

static void
take_stop(struct request *r, const struct fault *f)
{
    (void)f;
    struct json_object *o = json_object_new_object();
    json_add_bool(o, "success", true);
    answer_json(r, 200, o);
}

void
bridge_serve_stop(struct request *r)
{
    r->is_secondary = true;
    provider_serve(r, PROVIDER_BRIDGE, take_stop);
}
