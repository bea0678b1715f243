/*
 * call_event - one event of a call, stored once with all that follows from it.
 */
#ifndef OMNI_MODEL_CALL_EVENT_H
#define OMNI_MODEL_CALL_EVENT_H

#include "io/db.h"
#include "model/call_action.h"

/* "" and 0: not known. */
struct call_event {
    const char *channel; /* "sip", "whatsapp" */
    const char *call_id;
    const char *event; /* "connect", "terminate", "transcript" */
    const char *sip_call_id;
    const char *phone;
    const char *bsuid;
    const char *name;
    const char *webhook_id; /* acted on once; "" where the event itself is enough */
    int64_t at_ms;          /* by the sender's clock */
    int64_t received_ms;    /* when it came, if that is not now */
    int64_t started_ms;
    int64_t ended_ms;
    const char *answered; /* "t", "f" or "" */
    bool is_over;
    bool anonymous; /* a person is made for it even without any address */
    int wait_s;     /* how long a call that is over waits for its text */
};

struct call_event_stored {
    bool is_new; /* false: it was here before, nothing was done */
    bool found;  /* false: a call nobody knows, without a number; its end is kept ten minutes */
    const char *session_id;
    bool session_created;
    const char *action_id; /* "" if there is nothing to do */
};

/* 'todo' may be NULL. With an 'owner' the action is leased to it at once, NULL leaves it to whoever
 * claims it. */
bool call_event_record(struct db *db, struct arena *a, const struct call_event *ev,
                       const struct call_action_new *todo, const char *owner, int lease_s,
                       struct call_event_stored *out, struct err *e) MUST_CHECK;

#endif
