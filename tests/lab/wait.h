/*
 * Long polls. A handler whose answer is not complete yet waits on a topic (any address) and is run
 * again whenever that topic changes, and a last time with has_expired set when its time is over.
 */
#ifndef OMNI_LAB_WAIT_H
#define OMNI_LAB_WAIT_H

#include "request.h"

/* False when there is nothing left to wait for: answer with what there is. The first call of a
 * request starts its clock. */
bool wait_on(struct request *r, const void *topic, int64_t wait_ms);
void wait_changed(const void *topic);
void wait_forget(struct request *r);

#endif
