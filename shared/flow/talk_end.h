/*
 * talk_end - the ways a turn ends, each one commit. The talk is gone when they return.
 */
#ifndef OMNI_FLOW_TALK_END_H
#define OMNI_FLOW_TALK_END_H

#include "flow/talk.h"

/* With the agent's words, or, where NULL, with what its tools have written. */
void talk_end_answer(struct talk *k, const char *text);

/* With one honest sentence now, and the real answer later: after 1 and 5 minutes, then a person
 * must see to it. */
void talk_end_fallback(struct talk *k, const struct err *why);

/* By a verdict other than TURN_GO and TURN_PROBE. */
void talk_end_unasked(struct talk *k);

#endif
