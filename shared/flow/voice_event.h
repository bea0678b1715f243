/*
 * voice_event - what the two sources of calls have in common behind voice.h.
 */
#ifndef OMNI_FLOW_VOICE_EVENT_H
#define OMNI_FLOW_VOICE_EVENT_H

#include "flow/voice.h"
#include "model/call_event.h"

#define CALL_OFFER_LIFE_S 60 /* from when it came to us: a caller does not wait longer */

/* Reads the body and stores its events. ERR_INVALID: the body cannot be read. */
bool voice_whatsapp_take(struct flow *f, struct arena *a, const struct voice_request *req,
                         struct voice_result *out, struct err *e) MUST_CHECK;
bool voice_sip_take(struct flow *f, struct arena *a, const struct voice_request *req,
                    struct voice_result *out, struct err *e) MUST_CHECK;

/* Stores one event, and notes the action it led to; 'todo' may be NULL. An event the database
 * refuses is kept as poison. */
bool voice_record(struct flow *f, struct arena *a, const struct voice_request *req,
                  const struct call_event *ev, const struct call_action_new *todo,
                  struct voice_result *out, struct err *e) MUST_CHECK;

/* Keeps the body raw. */
bool voice_poison(struct flow *f, struct arena *a, const struct voice_request *req,
                  const char *reason, struct voice_result *out, struct err *e) MUST_CHECK;

#endif
