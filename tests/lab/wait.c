/* Long polls: see wait.h. */
#include "wait.h"

#include "timer.h"

static struct request *waiting;

static void
expire(void *arg)
{
    struct request *r = arg;
    r->timer = NULL;
    r->has_expired = true;
    r->serve(r);
}

bool
wait_on(struct request *r, const void *topic, int64_t wait_ms)
{
    if (r->has_expired || wait_ms <= 0) {
        return false;
    }
    if (r->topic == NULL) {
        r->topic = topic;
        r->is_abandonable = true;
        r->timer = timer_start(wait_ms, expire, r);
        r->wait_next = waiting;
        if (waiting != NULL) {
            waiting->wait_slot = &r->wait_next;
        }
        waiting = r;
        r->wait_slot = &waiting;
    }
    return true;
}

void
wait_changed(const void *topic)
{
    for (struct request *r = waiting, *next; r != NULL; r = next) {
        next = r->wait_next;
        if (r->topic == topic) {
            r->serve(r);
        }
    }
}

void
wait_forget(struct request *r)
{
    if (r->wait_slot == NULL) {
        return;
    }
    *r->wait_slot = r->wait_next;
    if (r->wait_next != NULL) {
        r->wait_next->wait_slot = r->wait_slot;
    }
    r->wait_slot = NULL;
    timer_cancel(r->timer);
    r->timer = NULL;
}
