/*
 * dispatch - the worker's loop: notifications that are due, turns, sends, sweeping; all on one
 * event loop.
 */
#ifndef OMNI_FLOW_DISPATCH_H
#define OMNI_FLOW_DISPATCH_H

#include <signal.h>

#include "flow/flow.h"

struct dispatch_options {
    const char *job; /* the name of its heartbeat: "message-worker", "message-retry" */
    bool once;       /* until nothing is due and nothing is in flight; else until *stop */
    int wake_fd;     /* the datagram socket, -1 for none */
    int max_sends;   /* in flight per provider */
    int max_turns;   /* waiting for an agent */
    const volatile sig_atomic_t *stop;
    struct config *settings;       /* whose secrets are read again when their files change ... */
    volatile sig_atomic_t *hangup; /* ... or when this is set; both may be NULL */
};

struct dispatch_counts {
    int64_t sends;
    int64_t turns;
    int64_t calls;
};

/* Runs. A database that is away is waited for (not with 'once': then it fails with ERR_TEMP). */
bool dispatch_run(struct flow *f, const struct dispatch_options *o, struct dispatch_counts *counts,
                  struct err *e) MUST_CHECK;

#endif
