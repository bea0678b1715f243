/*
 * call_step - the single requests an action consists of: what is asked, what the answer means, what
 * comes next.
 */
#ifndef OMNI_FLOW_CALL_STEP_H
#define OMNI_FLOW_CALL_STEP_H

#include "flow/flow.h"
#include "model/call_action.h"
#include "provider/call_answer.h"

enum call_step {
    STEP_NONE,
    STEP_OPEN, /* the bridge takes the offer */
    STEP_PRE_ACCEPT,
    STEP_ACCEPT,
    STEP_REJECT,
    STEP_TERMINATE, /* a call that nobody ends */
    STEP_STOP,      /* the bridge forgets the call */
    STEP_SIP_ACCEPT,
    STEP_SIP_REJECT,
    STEP_SIP_HANGUP,
    STEP_MEDIA, /* where the transcript lies */
    STEP_DOCUMENT,
};

/* What the steps of one action hand on. */
struct call_job {
    struct arena *arena;
    const struct config *config;
    struct call_action row;
    const char *sdp; /* the bridge's answer, "" until it came */
    const char *url; /* where the transcript lies */
    const char *transcript;
    int sip_status; /* of a rejection */
};

/* STEP_NONE: something it needs is not configured. */
enum call_step call_step_first(const struct call_job *j);
enum call_step call_step_next(enum call_step s); /* STEP_NONE: that was all */

/* What is to be done, best as can be, when this step has failed for good; STEP_NONE for nothing. */
enum call_step call_step_after_failure(enum call_step s);

/* Could the call be going on although nobody said so? */
bool call_step_may_have_connected(enum call_step s);

void call_step_build(struct call_job *j, enum call_step s, struct http_request *out);
struct call_answer call_step_read(struct call_job *j, enum call_step s,
                                  const struct http_response *r);

#endif
