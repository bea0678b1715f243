/*
 * converse - the agent's turns: claim what is due, ask the agent, commit its answer; on failure one
 * honest sentence, and again later.
 */
#ifndef OMNI_FLOW_CONVERSE_H
#define OMNI_FLOW_CONVERSE_H

#include "flow/flow.h"

struct converse;

/* Must be matched by converse_free(). 'max_turns' may wait for an agent at once; they take no
 * delivery slot. */
struct converse *converse_new(struct flow *f, int max_turns);

/* Drops turns that still wait: they are taken up again when their lease lapses. */
void converse_free(struct converse **c);

/* Claims and starts what is due, as far as there is room. *started counts it. */
bool converse_pump(struct converse *c, int *started, struct err *e) MUST_CHECK;

/* Renews the leases of the turns that wait, when a third of a lease has passed since the last time.
 */
bool converse_renew(struct converse *c, struct err *e) MUST_CHECK;

/* Turns that wait for the agent. */
int converse_busy(const struct converse *c);

#endif
