/*
 * call_actions - the engine: the actions this process holds, side by side.
 */
#include "flow/call_actions.h"

#include "base/clk.h"
#include "flow/call_run.h"

#define LEASE_MAX_S   20 /* of the minute that a caller waits */
#define AT_ONCE       50
#define AWAY_PAUSE_MS 1000
#define DRAIN_MS      10000

struct call_actions {
    struct arena *arena;
    struct call_run *runs;
    int busy;
    int64_t not_before; /* clk_mono_ms(): the database did not answer just now */
};

int
call_actions_lease_s(const struct flow *f)
{
    return f->config->lease_s < LEASE_MAX_S ? f->config->lease_s : LEASE_MAX_S;
}

int
call_actions_busy(const struct flow *f)
{
    return f->calls != NULL ? f->calls->busy : 0;
}

void
call_actions_add(struct flow *f, const char *id)
{
    struct call_run *r = call_run_new(f, id);

    if (f->calls == NULL) { /* lives as long as something is to be done */
        struct arena *own = arena_new();

        f->calls = arena_alloc(own, sizeof(*f->calls));
        f->calls->arena = own;
    }
    r->next = f->calls->runs;
    f->calls->runs = r;
    f->calls->busy++;
}

bool
call_actions_go_on(struct flow *f)
{
    struct call_actions *c = f->calls;
    bool away = c != NULL && clk_mono_ms() < c->not_before;

    if (c == NULL)
        return false;
    for (struct call_run **link = &c->runs; *link != NULL;) {
        struct call_run *r = *link;
        bool asks = r->state == RUN_ADDED || r->state == RUN_ENDED;
        struct arena *a = r->job.arena;

        if ((!asks || !away) && !call_run_advance(f, r)) {
            away = true;
            c->not_before = clk_mono_ms() + AWAY_PAUSE_MS;
        }
        if (r->state == RUN_OVER) {
            *link = r->next;
            c->busy--;
            arena_free(&a);
        } else {
            link = &r->next;
        }
    }
    if (c->runs == NULL) {
        struct arena *own = c->arena;

        f->calls = NULL;
        arena_free(&own);
    }
    return f->calls != NULL;
}

bool
call_actions_pump(struct flow *f, int *started, struct err *e)
{
    struct arena *a = arena_new();
    const char **ids;
    size_t n = 0;
    int want = AT_ONCE - call_actions_busy(f);
    bool ok = want <= 0 ||
              call_action_claim(f->db, a, f->worker, want, call_actions_lease_s(f), &ids, &n, e);

    for (size_t i = 0; ok && i < n; i++)
        call_actions_add(f, ids[i]);
    *started = (int)n;
    (void)call_actions_go_on(f);
    arena_free(&a);
    return ok;
}

void
call_actions_drain(struct flow *f)
{
    int64_t deadline = clk_mono_ms() + DRAIN_MS;

    /* What is on the wire points into its run, so it is waited for; its own time-out ends it. */
    while (call_actions_go_on(f) && (http_active(f->http) > 0 || clk_mono_ms() < deadline))
        (void)http_step(f->http, 100);
    while (f->calls != NULL) {
        f->calls->runs->state = RUN_OVER; /* the rest is somebody else's when its lease lapses */
        (void)call_actions_go_on(f);
    }
}
