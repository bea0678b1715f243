/* A binary heap of timers: see timer.h. */
#include "timer.h"

#include <stdlib.h>

#include "util.h"

struct timer {
    int64_t due_us;
    uint64_t order; /* equal times fire in the order they were started */
    void (*fire)(void *arg);
    void *arg;
    size_t at;
};

static struct {
    struct timer **items;
    size_t count;
    size_t capacity;
    uint64_t started;
} heap;

static bool
is_before(const struct timer *a, const struct timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void
put(struct timer *t, size_t at)
{
    heap.items[at] = t;
    t->at = at;
}

static void
sift_up(struct timer *t)
{
    size_t at = t->at;
    while (at > 0 && is_before(t, heap.items[(at - 1) / 2])) {
        put(heap.items[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    put(t, at);
}

static void
sift_down(struct timer *t)
{
    size_t at = t->at;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child + 1 < heap.count && is_before(heap.items[child + 1], heap.items[child])) {
            child++;
        }
        if (child >= heap.count || !is_before(heap.items[child], t)) {
            break;
        }
        put(heap.items[child], at);
        at = child;
    }
    put(t, at);
}

static void
heap_remove(struct timer *t)
{
    size_t at = t->at;
    struct timer *last = heap.items[--heap.count];
    if (last != t) {
        put(last, at);
        sift_up(last);
        sift_down(last);
    }
}

struct timer *
timer_start(int64_t delay_ms, void (*fire)(void *arg), void *arg)
{
    if (heap.count == heap.capacity) {
        heap.capacity = heap.capacity == 0 ? 256 : heap.capacity * 2;
        heap.items = mem_grow(heap.items, heap.capacity * sizeof(struct timer *));
    }
    struct timer *t = mem_new(sizeof *t);
    t->due_us = clock_mono_us() + (delay_ms > 0 ? delay_ms * 1000 : 0);
    t->order = heap.started++;
    t->fire = fire;
    t->arg = arg;
    put(t, heap.count++);
    sift_up(t);
    return t;
}

void
timer_cancel(struct timer *t)
{
    if (t != NULL) {
        heap_remove(t);
        free(t);
    }
}

int64_t
timers_wait_ms(void)
{
    if (heap.count == 0) {
        return -1;
    }
    int64_t left = heap.items[0]->due_us - clock_mono_us();
    return left <= 0 ? 0 : (left + 999) / 1000;
}

void
timers_fire(void)
{
    int64_t now = clock_mono_us();
    while (heap.count > 0 && heap.items[0]->due_us <= now) {
        struct timer t = *heap.items[0];
        timer_cancel(heap.items[0]);
        t.fire(t.arg);
    }
}

void
timers_release(void)
{
    for (size_t i = 0; i < heap.count; i++) {
        free(heap.items[i]);
    }
    free(heap.items);
    heap.items = NULL;
    heap.count = 0;
    heap.capacity = 0;
}
