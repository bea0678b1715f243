/*
 * inbound - what a gateway brought us: every item stored once, then the worker is poked. Nobody is
 * answered here.
 */
#ifndef OMNI_FLOW_INBOUND_H
#define OMNI_FLOW_INBOUND_H

#include "flow/flow.h"
#include "provider/provider.h"

struct inbound_result {
    size_t stored; /* messages that were new; a repeat is answered like the first */
    size_t statuses;
    bool spooled;           /* it waits on the disk for the database; nothing else is known yet */
    size_t poison;          /* items that could not be read or stored; the body is kept raw */
    const char *session_id; /* of the last message; "" if none */
};

/*
 * Takes a request whose signature was good. Never fails for its content: what cannot be read is
 * kept as poison. Fails only with ERR_TEMP when the database is away, or ERR_BUG.
 */
struct inbound_request {
    const char *program;
    const struct provider *provider;
    const struct incoming_http *http;
    bool is_report;         /* brought to the address for delivery reports */
    int64_t received_at_ms; /* when it came; inbound_accept() takes the time itself */
};
bool inbound_take(struct flow *f, struct arena *a, const struct inbound_request *req,
                  struct inbound_result *out, struct err *e) MUST_CHECK;

/*
 * The same for a request that has just come: with the database away it is kept in the spool, and
 * for a while behind others that wait there, so that nothing overtakes them. ERR_TEMP: neither
 * would take it.
 */
bool inbound_accept(struct flow *f, struct arena *a, const struct inbound_request *req,
                    struct inbound_result *out, struct err *e) MUST_CHECK;

#endif
