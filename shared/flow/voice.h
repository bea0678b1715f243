/*
 * voice - what the voice webhooks bring: every event of a call is stored once, together with the
 * action that follows from it. The action itself (pick up, turn away) comes after the answer:
 * call_actions.h.
 */
#ifndef OMNI_FLOW_VOICE_H
#define OMNI_FLOW_VOICE_H

#include "core/http_msg.h"
#include "flow/flow.h"

enum voice_source {
    VOICE_WHATSAPP, /* Meta's "calls" field */
    VOICE_SIP,      /* OpenAI's realtime.call.incoming */
};

const char *voice_source_text(enum voice_source s); /* "meta-calls", "openai": as in the spool */
bool voice_source_parse(const char *text, enum voice_source *out) MUST_CHECK;

/* ERR_AUTH, or ERR_UNAVAILABLE where the secret is not set. */
bool voice_verify(struct flow *f, struct arena *a, enum voice_source s,
                  const struct incoming_http *in, struct err *e) MUST_CHECK;

struct voice_request {
    const char *program;
    enum voice_source source;
    const struct incoming_http *http;
    int64_t received_at_ms; /* when it came, if that is not now; else 0 */
};

struct voice_result {
    size_t events; /* that were new */
    size_t duplicates;
    size_t ignored; /* of a kind that asks nothing of us */
    size_t poison;  /* could not be read or stored; the body is kept raw */
    bool spooled;   /* it waits on the disk for the database; nothing else is known yet */
};

/* Takes a request whose signature was good. Never fails for its content. Fails only with ERR_TEMP
 * when the database is away, or ERR_BUG. */
bool voice_take(struct flow *f, struct arena *a, const struct voice_request *req,
                struct voice_result *out, struct err *e) MUST_CHECK;

/* The same for a request that has just come: with the database away it is kept in the spool.
 * ERR_TEMP: neither would take it. */
bool voice_accept(struct flow *f, struct arena *a, const struct voice_request *req,
                  struct voice_result *out, struct err *e) MUST_CHECK;

#endif
