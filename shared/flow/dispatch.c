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
    int64_t next_sweep;
    int64_t next_beat;
    int64_t next_drain;
};

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
    log_event(d->flow->log, DATABASE_AWAY, LF_ERR(&e));
    int64_t took = clk_mono_ms() - began;
    d->next_drain = began + took + (took > AWAY_PAUSE_MS ? took : AWAY_PAUSE_MS);
    return false;
}

/* Starts all that is due; *started says whether there was anything. */
static bool
start_due(struct dispatch *d, int *started, struct err *e)
{
    int actions = 0; /* callers wait: they come first */
    int calls = 0;
    int texts = 0;
    int turns = 0;
    int sends = 0;

    if (!call_actions_pump(d->flow, &actions, e) || !summarise_pump(d->summarise, &texts, e) ||
        !postcall_pump(d->flow, &calls, e) || !converse_pump(d->converse, &turns, e) ||
        !deliver_pump(d->deliver, NULL, &sends, e))
        return false;
    d->counts->calls += calls;
    d->counts->turns += turns;
    d->counts->sends += sends;
    *started = actions + calls + texts + turns + sends;
    return true;
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
    int started = 0;
    bool stopping = d->options->stop != NULL && *d->options->stop;

    refresh_secrets(d->options);
    (void)call_actions_go_on(d->flow);
    bool more;

    more = !stopping && drain_spool(d);
    if (!deliver_flush(d->deliver, e) || !converse_renew(d->converse, e) ||
        !summarise_renew(d->summarise, e) || !beat_and_sweep(d, e) ||
        (!stopping && !start_due(d, &started, e)))
        return false;
    *idle = started == 0 && !more && in_flight(d) == 0;
    if (*idle && (d->options->once || stopping))
        return true;
    if (http_step(d->flow->http, started > 0 || more ? 0 : POLL_MS))
        wake_drain(d->options->wake_fd);
    return true;
}

static bool
is_over(const struct dispatch *d, bool idle, int64_t stop_since)
{
    if (d->options->once && idle)
        return true;
    return stop_since > 0 && (idle || clk_mono_ms() > stop_since + STOP_GRACE_MS);
}

bool
dispatch_run(struct flow *f, const struct dispatch_options *o, struct dispatch_counts *counts,
             struct err *e)
{
    struct dispatch d = { .flow = f, .options = o, .counts = counts };
    int64_t stop_since = 0;
    bool idle = false;
    bool ok = true;

    d.deliver = deliver_new(f, o->max_sends);
    d.converse = converse_new(f, o->max_turns);
    d.summarise = summarise_new(f, o->max_turns / 4 + 1);
    http_watch(f->http, o->wake_fd);
    while (!is_over(&d, idle, stop_since)) {
        ok = work_round(&d, &idle, e);
        if (stop_since == 0 && o->stop != NULL && *o->stop)
            stop_since = clk_mono_ms();
        if (ok)
            continue;
        idle = false;
        if (o->once || (stop_since > 0 && clk_mono_ms() > stop_since + STOP_GRACE_MS))
            break;
        log_event(f->log, DATABASE_AWAY, LF_ERR(e));
        (void)http_step(f->http, AWAY_PAUSE_MS);
    }
    call_actions_drain(f);
    deliver_free(&d.deliver);
    converse_free(&d.converse);
    summarise_free(&d.summarise);
    return ok;
}
