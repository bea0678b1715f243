/*
 * voice_bridge - the service that carries the sound of WhatsApp calls: it answers an SDP offer and
 * lets the voice agent speak.
 */
#ifndef OMNI_PROVIDER_VOICE_BRIDGE_H
#define OMNI_PROVIDER_VOICE_BRIDGE_H

#include "core/config.h"
#include "provider/call_answer.h"

/* A call to be carried. */
struct bridge_session {
    const char *call_id;
    const char *sdp_offer;
    const char *from; /* E.164, or WhatsApp's own id where the number is hidden */
    const char *voice;
    const char *instructions;
};

bool voice_bridge_configured(const struct config *c);

/* POST /api/sessions. */
void voice_bridge_open(struct arena *a, const struct config *c, const struct bridge_session *s,
                       struct http_request *out);

/* CALL_TAKEN only with an SDP answer; *sdp is "" otherwise. */
struct call_answer voice_bridge_read_open(struct arena *a, const struct http_response *r,
                                          const char **sdp);

/* POST /bridge/stop. */
void voice_bridge_stop(struct arena *a, const struct config *c, const char *call_id,
                       struct http_request *out);

/* A call the bridge does not know any more is stopped. */
struct call_answer voice_bridge_read_stop(struct arena *a, const struct http_response *r);

#endif
