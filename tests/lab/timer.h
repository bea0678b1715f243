/* Things to do later, in a heap by due time; run by the loop, on its one thread. */
#ifndef OMNI_LAB_TIMER_H
#define OMNI_LAB_TIMER_H

#include <stdint.h>

struct timer;

/* The timer is gone once it has fired or was cancelled. */
struct timer *timer_start(int64_t delay_ms, void (*fire)(void *arg), void *arg);
/* NULL is allowed. */
void timer_cancel(struct timer *t);

/* Milliseconds until the next one is due, -1 if there is none. */
int64_t timers_wait_ms(void);
void timers_fire(void);
/* Forgets all without firing them. */
void timers_release(void);

#endif
