/*
 * summarise - calls that left a transcript and no summary: the agent is asked for the points, on
 * the worker's loop, as soon as the call is over and the transcript is there.
 */
#ifndef OMNI_FLOW_SUMMARISE_H
#define OMNI_FLOW_SUMMARISE_H

#include "flow/flow.h"

struct summarise;

/* Must be matched by summarise_free(). 'max' may wait for the agent at once. */
struct summarise *summarise_new(struct flow *f, int max);

/* Drops those that still wait: they are taken up again when their lease lapses. */
void summarise_free(struct summarise **s);

/* Claims and starts what is due, as far as there is room. *started counts it. */
bool summarise_pump(struct summarise *s, int *started, struct err *e) MUST_CHECK;

/* Renews the leases of those that wait, when a third of a lease has passed since the last time. */
bool summarise_renew(struct summarise *s, struct err *e) MUST_CHECK;

/* How many wait for the agent. */
int summarise_busy(const struct summarise *s);

#endif
