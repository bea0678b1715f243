/*
 * postcall - every call ends in a summary, once: record what is known, plan and write the
 * notification, attempt it.
 */
#ifndef OMNI_FLOW_POSTCALL_H
#define OMNI_FLOW_POSTCALL_H

#include "flow/flow.h"
#include "model/call_log.h"

struct json_object;

/* Writes the notification of a call that is due; does nothing if it was done before or is not due.
 */
bool postcall_notify(struct flow *f, struct arena *a, const char *call_row, struct err *e)
    MUST_CHECK;

/* Notifies what is due: calls whose handler died, and calls whose text was awaited. *n counts them.
 */
bool postcall_pump(struct flow *f, int *n, struct err *e) MUST_CHECK;

/* Ends the calls whose end nobody reported; what follows from the end is postcall_pump's. */
bool postcall_close(struct flow *f, struct err *e) MUST_CHECK;

/* The state of a call's notification, as answered to whoever ended the call. */
enum postcall_status { POSTCALL_SENT, POSTCALL_PENDING, POSTCALL_SKIPPED };

struct postcall_result {
    enum postcall_status status;
    const char *reason; /* "" if none */
    struct call_stored stored;
    bool is_over; /* false: the call goes on, nothing was notified */
    struct message_state *channels;
    size_t n_channels;
};

/*
 * Records the facts and, if the call is over, notifies: with 'attempt' the first attempt is made
 * and waited for (at most 8 s), without it the worker is poked. out->stored.found is false for an
 * unknown call without a number; the rest of 'out' is empty then. ERR_INVALID: an unknown call, and
 * a number that cannot be read.
 */
bool postcall_run(struct flow *f, struct arena *a, const struct call_facts *facts, bool attempt,
                  struct postcall_result *out, struct err *e) MUST_CHECK;

/* Adds {status, reason?, channels[]} to an answer; *status becomes 202 where the outcome is open.
 */
void postcall_reply(struct json_object *reply, const struct postcall_result *r, int *status);

#endif
