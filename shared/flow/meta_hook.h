/*
 * meta_hook - what Meta posts. All fields that are subscribed come to one address, so either of
 * ours takes messages, statuses and calls.
 */
#ifndef OMNI_FLOW_META_HOOK_H
#define OMNI_FLOW_META_HOOK_H

#include "core/http_msg.h"
#include "flow/flow.h"

struct meta_hook {
    const char *program;
    bool is_for_calls; /* what cannot be read is kept as a webhook of calls */
    const struct incoming_http *http;
};

/* Checks the signature and takes what the request holds: inbound.h, voice.h. *spooled: it waits on
 * the disk for the database. ERR_AUTH, ERR_UNAVAILABLE where no secret is set, ERR_TEMP when
 * neither database nor spool takes it. */
bool meta_hook_accept(struct flow *f, struct arena *a, const struct meta_hook *hook, bool *spooled,
                      struct err *e) MUST_CHECK;

#endif
