/*
 * dispatch - poll, start, wait, write. Woken by a datagram, by an answer, or by the clock.
 */
#include "flow/dispatch.h"

#include "base/clk.h"
#include "base/crash.h"
#include "flow/call_actions.h"
#include "flow/converse.h"
#include "flow/deliver.h"
#include "flow/postcall.h"
#include "flow/respool.h"
#include "flow/summarise.h"
#include "model/delivery.h"
#include "model/health.h"

#define POLL_MS        250
#define SWEEP_EVERY_MS 1000
#define BEAT_EVERY_MS  10000
#define AWAY_PAUSE_MS  1000
#define DRAIN_MS       500   /* of the spool, before other work gets its turn */
#define STOP_GRACE_MS  45000 /* what is on the wire when we are asked to stop may finish */

struct dispatch {
    struct flow *flow;
    const struct dispatch_options *options;
    struct deliver *deliver;
    struct converse *converse;
    struct summarise *summarise;
    struct dispatch_counts *counts;
    bool stopping; /* what is in flight is finished, nothing is begun */
    int started;   /* in this round */
    int64_t next_sweep;
    int64_t next_beat;
    int64_t next_drain;
    int64_t next_complaint;
};

/* One line a second is enough to say that the database is away. */
static void
complain(struct dispatch *d, const struct err *e)
{
    int64_t now = clk_mono_ms();

    if (now < d->next_complaint)
        return;
    log_event(d->flow->log, DATABASE_AWAY, LF_ERR(e));
    d->next_complaint = now + AWAY_PAUSE_MS;
}

static bool
beat_and_sweep(struct dispatch *d, struct err *e)
{
    int64_t now = clk_mono_ms();
    struct arena *a = arena_new();
    struct delivery_swept s = { 0 };
    bool ok = true;

    if (now >= d->next_beat) {
        ok = health_beat(d->flow->db, a, d->options->job, e);
        d->next_beat = now + BEAT_EVERY_MS;
    }
    if (ok && now >= d->next_sweep) {
        CRASH_POINT("sweep_before");
        ok = delivery_sweep(d->flow->db, a, d->flow->config->unknown_hold_s,
                            d->flow->config->failover_after_s, &s, e);
        CRASH_POINT("sweep_after");
        ok = ok && postcall_close(d->flow, e);
        d->next_sweep = now + SWEEP_EVERY_MS;
    }
    if (ok && s.to_unknown + s.resent + s.dead + s.expired + s.fallbacks > 0)
        log_event(d->flow->log, SWEEP, LF_INT("to_unknown", s.to_unknown),
                  LF_INT("resent", s.resent), LF_INT("dead", s.dead), LF_INT("expired", s.expired),
                  LF_INT("fallbacks", s.fallbacks));
    arena_free(&a);
    return ok;
}

/* What waited for the database goes first, so that nothing is answered before it. True when some is
 * left. What fails must not take all of our time: the pause is as long as the try. */
static bool
drain_spool(struct dispatch *d)
{
    int64_t began = clk_mono_ms();
    struct err e = { 0 };
    bool more = false;

    if (began < d->next_drain)
        return false;
    if (respool_run(d->flow, DRAIN_MS, &more, &e)) {
        d->next_drain = clk_mono_ms() + (more ? 0 : POLL_MS);
        return more;
    }
    spool_note_away(d->flow->spool);
    complain(d, &e);
    int64_t took = clk_mono_ms() - began;
    d->next_drain = began + took + (took > AWAY_PAUSE_MS ? took : AWAY_PAUSE_MS);
    return false;
}

static bool
flush_sends(struct dispatch *d, struct err *e)
{
    return deliver_flush(d->deliver, e);
}

static bool
renew_leases(struct dispatch *d, struct err *e)
{
    bool ok = converse_renew(d->converse, e);

    return (ok || e->kind != ERR_TEMP) && summarise_renew(d->summarise, e) && ok;
}

static bool
start_actions(struct dispatch *d, struct err *e)
{
    int n = 0;
    bool ok = d->stopping || call_actions_pump(d->flow, &n, e);

    d->started += n;
    return ok;
}

static bool
start_summaries(struct dispatch *d, struct err *e)
{
    int n = 0;
    bool ok = d->stopping || summarise_pump(d->summarise, &n, e);

    d->started += n;
    return ok;
}

static bool
start_calls(struct dispatch *d, struct err *e)
{
    int n = 0;
    bool ok = d->stopping || postcall_pump(d->flow, &n, e);

    d->counts->calls += n;
    d->started += n;
    return ok;
}

static bool
start_turns(struct dispatch *d, struct err *e)
{
    int n = 0;
    bool ok = d->stopping || converse_pump(d->converse, &n, e);

    d->counts->turns += n;
    d->started += n;
    return ok;
}

static bool
start_sends(struct dispatch *d, struct err *e)
{
    int n = 0;
    bool ok = d->stopping || deliver_pump(d->deliver, NULL, &n, e);

    d->counts->sends += n;
    d->started += n;
    return ok;
}

/* Writes what has come, starts what is due. A step that the database refuses costs the others
 * nothing: one sick row must not stop all work for good. Without the database there is no point in
 * going on. *e is that, or else the first failure. */
static bool
take_steps(struct dispatch *d, struct err *e)
{
    static bool (*const steps[])(struct dispatch *, struct err *) = {
        flush_sends,     renew_leases, beat_and_sweep, start_actions, /* callers wait */
        start_summaries, start_calls,  start_turns,    start_sends,
    };
    struct err why = { 0 };
    bool ok = true;

    d->started = 0;
    for (size_t i = 0; i < COUNT_OF(steps) && why.kind != ERR_TEMP; i++) {
        if (steps[i](d, &why))
            continue;
        if (ok || why.kind == ERR_TEMP)
            *e = why;
        ok = false;
    }
    return ok;
}

static void
refresh_secrets(const struct dispatch_options *o)
{
    if (o->settings == NULL || o->hangup == NULL)
        return;
    config_refresh(o->settings, *o->hangup != 0);
    *o->hangup = 0;
}

static int
in_flight(const struct dispatch *d)
{
    return call_actions_busy(d->flow) + converse_busy(d->converse) + summarise_busy(d->summarise) +
           deliver_busy(d->deliver);
}

/* One round: write what has come, start what is due, wait for the next thing to happen. */
static bool
work_round(struct dispatch *d, bool *idle, struct err *e)
{
    bool more;

    d->stopping = d->stopping || (d->options->stop != NULL && *d->options->stop);
    refresh_secrets(d->options);
    (void)call_actions_go_on(d->flow);
    more = !d->stopping && drain_spool(d);
    if (!take_steps(d, e))
        return false;
    *idle = d->started == 0 && !more && in_flight(d) == 0;
    if (*idle && (d->options->once || d->stopping))
        return true;
    if (http_step(d->flow->http, d->started > 0 || more ? 0 : POLL_MS))
        wake_drain(d->options->wake_fd);
    return true;
}

/* Those who wake us go on doing so while the database is away: a pause that ended with each of them
 * would be none. Answers are taken meanwhile. What is only refused holds up nobody. */
static void
pause_after_failure(struct dispatch *d, const struct err *e)
{
    int64_t until = clk_mono_ms() + (e->kind == ERR_TEMP ? AWAY_PAUSE_MS : POLL_MS);
    int64_t left;

    if (e->kind != ERR_TEMP && d->started > 0)
        return;
    while ((left = until - clk_mono_ms()) > 0) {
        if (http_step(d->flow->http, (int)left))
            wake_drain(d->options->wake_fd);
    }
}

static bool
is_over(const struct dispatch *d, bool idle, int64_t stop_since)
{
    if (d->options->once && idle)
        return true;
    return stop_since > 0 && (idle || clk_mono_ms() > stop_since + STOP_GRACE_MS);
}

/* Rounds until it is over. A single run that has lost the database begins nothing more, but what is
 * on the wire gets its answer written. */
static bool
work(struct dispatch *d, struct err *e)
{
    int64_t stop_since = 0;
    bool failed = false; /* a single run, at any time */
    bool idle = false;
    bool ok = true;

    while (!is_over(d, idle, stop_since)) {
        struct err why = { 0 };

        ok = work_round(d, &idle, &why);
        failed = failed || (!ok && d->options->once);
        d->stopping = d->stopping || (!ok && d->options->once && why.kind == ERR_TEMP);
        if (stop_since == 0 && d->stopping)
            stop_since = clk_mono_ms();
        if (ok)
            continue;
        *e = why;
        idle = in_flight(d) == 0 && (d->stopping || (d->options->once && d->started == 0));
        if (idle)
            break;
        complain(d, &why);
        pause_after_failure(d, &why);
    }
    return ok && !failed;
}

bool
dispatch_run(struct flow *f, const struct dispatch_options *o, struct dispatch_counts *counts,
             struct err *e)
{
    struct dispatch d = { .flow = f, .options = o, .counts = counts };
    bool ok;

    d.deliver = deliver_new(f, o->max_sends);
    d.converse = converse_new(f, o->max_turns);
    d.summarise = summarise_new(f, o->max_turns / 4 + 1);
    http_watch(f->http, o->wake_fd);
    ok = work(&d, e);
    call_actions_drain(f);
    deliver_free(&d.deliver);
    converse_free(&d.converse);
    summarise_free(&d.summarise);
    return ok;
}
