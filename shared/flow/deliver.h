/*
 * deliver - the delivery engine: claims due rows, puts them on the wire side by side, writes each
 * outcome as it comes.
 *
 * The worker, the cron binary and the handlers whose caller waits for a first attempt all run this
 * one engine.
 */
#ifndef OMNI_FLOW_DELIVER_H
#define OMNI_FLOW_DELIVER_H

#include "flow/flow.h"
#include "model/message.h"

struct deliver;

/* Must be matched by deliver_free(). 'max_in_flight' is per provider. */
struct deliver *deliver_new(struct flow *f, int max_in_flight);

/* The longest a send may take: half its lease, so that nobody else takes the row for lost while we
 * still wait. */
int deliver_timeout_ms(const struct config *c);

/* Drops what is in flight: its rows become 'unknown' when their lease lapses. */
void deliver_free(struct deliver **d);

/* Claims and starts what is due, as far as there is room; 'ids' (a db_array) restricts it to these
 * rows, NULL means any. *started counts them. */
bool deliver_pump(struct deliver *d, const char *ids, int *started, struct err *e) MUST_CHECK;

/* Writes the outcomes that have come. After a failure they are kept and written by the next call.
 */
bool deliver_flush(struct deliver *d, struct err *e) MUST_CHECK;

/* Sends in flight plus outcomes not written yet. */
int deliver_busy(const struct deliver *d);

/*
 * Attempts these rows now and waits until each has had its first attempt, at most timeout_ms. What
 * is still on the wire then stays in f->unfinished, and the caller, once it has answered its own
 * caller, must call deliver_go_on() whenever it has nothing else to do, and deliver_drain() in the
 * end.
 */
bool deliver_first_attempt(struct flow *f, const char *const *ids, size_t n, int timeout_ms,
                           struct err *e) MUST_CHECK;

/* Lets f->unfinished go on for up to timeout_ms and writes the outcomes that have come. Returns
 * early, and true, when 'fd' (-1 for none) becomes readable. */
bool deliver_go_on(struct flow *f, int fd, int timeout_ms);

/* Waits for f->unfinished, as long as a send may take, and writes its outcomes. Does nothing when
 * there is none. */
void deliver_drain(struct flow *f);

#endif
