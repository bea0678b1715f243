/*
 * call_actions - what is to be done about calls, done: pick up by the bridge or by OpenAI, turn
 * away, end a call that lasts too long, fetch a transcript. Each is a committed row before its
 * first byte leaves.
 *
 * A voice webhook performs its own actions after its answer; the worker takes over those whose
 * process died. A call that cannot be taken is turned away, and its person is told by text, once.
 */
#ifndef OMNI_FLOW_CALL_ACTIONS_H
#define OMNI_FLOW_CALL_ACTIONS_H

#include "flow/flow.h"

/* For how long an action is leased; short, since a caller waits. */
int call_actions_lease_s(const struct flow *f);

/* An action that this process holds begins with the next call_actions_go_on(). */
void call_actions_add(struct flow *f, const char *id);

/* Claims and begins what waits or was left behind, and goes on with the rest. *started counts. */
bool call_actions_pump(struct flow *f, int *started, struct err *e) MUST_CHECK;

/* The next step of each action whose answer has come; outcomes are written, or kept and tried again
 * while the database is away. True while something is not over: http_step(), then again. */
bool call_actions_go_on(struct flow *f);

/* How many are not over. */
int call_actions_busy(const struct flow *f);

/* Goes on until all is over. */
void call_actions_drain(struct flow *f);

#endif
