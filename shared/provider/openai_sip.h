/*
 * openai_sip - calls that come to OpenAI by SIP: the signed event (Standard Webhooks), who calls,
 * and what we answer (Realtime API with SIP).
 */
#ifndef OMNI_PROVIDER_OPENAI_SIP_H
#define OMNI_PROVIDER_OPENAI_SIP_H

#include "core/config.h"
#include "core/phone.h"
#include "provider/call_answer.h"

/* The signature, and that the event is of now: 300 seconds either way. ERR_AUTH, or ERR_UNAVAILABLE
 * where OPENAI_WEBHOOK_SECRET is not set or is no such secret. */
bool openai_sip_verify(struct arena *a, const struct config *c, const struct incoming_http *in,
                       int64_t now_s, struct err *e) MUST_CHECK;

/* The event's webhook-id, the same for every repeat of it; "" if it has none. */
const char *openai_sip_webhook_id(const struct incoming_http *in);

/* One event. */
struct sip_event {
    const char *type;
    bool is_call; /* a call is coming in; all else is to be answered 200 and forgotten */
    const char *call_id;
    const char *sip_call_id; /* the SIP header Call-ID, "" if none */
    struct phone caller;     /* "" for an anonymous one, or one without a number */
    int64_t at_ms;           /* OpenAI's clock; 0 if it gives none */
};

/* Fails for what cannot be read at all, and for a call without its id. */
bool openai_sip_read(struct arena *a, const char *body, size_t n, struct sip_event *out,
                     struct err *e) MUST_CHECK;

/* How a call is taken. */
struct sip_accept {
    const char *call_id;
    const char *instructions;
    const char *voice;
    const char *token; /* the bound token for our tools, and ... */
    const char *tools; /* ... which they are: "a,b,c" */
};

/* POST .../accept, .../reject with a SIP status, .../hangup. */
void openai_sip_accept(struct arena *a, const struct config *c, const struct sip_accept *s,
                       struct http_request *out);
void openai_sip_reject(struct arena *a, const struct config *c, const char *call_id, int status,
                       struct http_request *out);
void openai_sip_hangup(struct arena *a, const struct config *c, const char *call_id,
                       struct http_request *out);

/* The answer to accept and reject; a success has no body. */
struct call_answer openai_sip_read_answer(struct arena *a, const struct http_response *r);

/* A call that OpenAI does not know any more is hung up. */
struct call_answer openai_sip_read_hangup(struct arena *a, const struct http_response *r);

#endif
