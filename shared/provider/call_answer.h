/*
 * call_answer - what the far end said to an action on a call: pick up, turn away, stop.
 */
#ifndef OMNI_PROVIDER_CALL_ANSWER_H
#define OMNI_PROVIDER_CALL_ANSWER_H

#include "base/arena.h"
#include "core/http_msg.h"

enum call_verdict {
    CALL_TAKEN,   /* it is done */
    CALL_AGAIN,   /* nothing left, or refused for now: the same once more */
    CALL_REFUSED, /* for good */
    CALL_UNKNOWN, /* it may have been done: nobody answered */
};

struct call_answer {
    enum call_verdict verdict;
    const char *code; /* "" when taken; the far end's, or "http_503", "not_sent", "no_answer" */
};

/* By reach and HTTP status alone. */
struct call_answer call_answer_read(struct arena *a, const struct http_response *r);

/* SDP as it must go on the wire: every line ends in CRLF, the last one too. */
const char *call_sdp(struct arena *a, const char *sdp);

#endif
