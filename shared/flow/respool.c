/*
 * respool - stored bytes through the same gate as a request's.
 */
#include "flow/respool.h"

#include "base/clk.h"
#include "base/crash.h"
#include "flow/inbound.h"
#include "flow/voice.h"

/* The signature was good when the event was kept. */
static bool
take_again(struct flow *f, struct arena *a, const struct spool_record *r, struct err *e)
{
    static const char *const no_vars[] = { NULL };
    const struct incoming_http http = { .method = "POST",
                                        .query = r->query,
                                        .content_type = r->content_type,
                                        .vars = no_vars,
                                        .body = r->body,
                                        .body_len = r->body_len };
    const struct provider *p = provider_find(r->provider);
    struct inbound_result result;
    struct voice_result calls;
    enum voice_source source;

    if (voice_source_parse(r->provider, &source))
        return voice_take(f, a,
                          &(struct voice_request){ r->program, source, &http, r->received_at_ms },
                          &calls, e);
    if (p == NULL || (r->is_report ? p->read_report : p->read_webhook) == NULL)
        return err_set(e, ERR_INVALID, "spool: an event of an unknown provider");
    return inbound_take(
        f, a, &(struct inbound_request){ r->program, p, &http, r->is_report, r->received_at_ms },
        &result, e);
}

/* False only with ERR_TEMP: it stays where it is. */
static bool
drain_one(struct flow *f, struct arena *a, const char *name, struct err *e)
{
    struct spool_record r;
    bool ok = spool_read(f->spool, a, name, &r, e);

    if (ok) {
        log_set_correlation(f->log, r.correlation_id);
        CRASH_POINT("respool_read");
        ok = take_again(f, a, &r, e);
    }
    if (ok) {
        CRASH_POINT("respool_taken");
        ok = spool_done(f->spool, name, e);
        CRASH_POINT("respool_done");
        return ok;
    }
    if (e->kind == ERR_TEMP)
        return false;
    log_event(f->log, SPOOL_CORRUPT, LF_ID("file", name), LF_ERR(e));
    return spool_set_aside(f->spool, name, e);
}

static bool
drain(struct flow *f, int64_t until, size_t *done, bool *more, struct err *e)
{
    struct arena *names_arena = arena_new();
    struct arena *a = arena_new();
    const char **names;
    size_t n = 0;
    size_t i = 0;
    bool ok = spool_list(f->spool, names_arena, &names, &n, e);

    while (ok && i < n && clk_mono_ms() < until) {
        ok = drain_one(f, a, names[i], e);
        i += ok;
        arena_reset(a);
    }
    *done += i;
    *more = i < n;
    arena_free(&a);
    arena_free(&names_arena);
    return ok;
}

bool
respool_run(struct flow *f, int budget_ms, bool *more, struct err *e)
{
    int64_t until = clk_mono_ms() + budget_ms;
    size_t done = 0;
    size_t before;
    bool ok = true;

    *more = false;
    if (!spool_waiting(f->spool) || !spool_lock(f->spool))
        return true;
    do { /* more may have come meanwhile */
        before = done;
        ok = drain(f, until, &done, more, e);
    } while (ok && !*more && done > before);
    spool_unlock(f->spool);
    log_set_correlation(f->log, "");
    if (done > 0)
        log_event(f->log, SPOOL_DRAINED, LF_INT("events", (int64_t)done));
    return ok;
}
