/*
 * summarise - one transcript from its claim to its points. No transaction is open while the agent
 * thinks.
 */
#include "flow/summarise.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "flow/gist.h"
#include "flow/guard.h"
#include "model/transcript.h"

#define CONNECT_TIMEOUT_MS 3000
#define MAX_TOKENS         700

struct summarise {
    struct arena *arena;
    struct flow *flow;
    int max;
    int active;
    struct work *works; /* those that wait, newest first */
    int64_t renewed_ms;
};

/* One transcript that waits for the agent; lives in its own arena. */
struct work {
    struct arena *arena;
    struct summarise *owner;
    struct transcript t;
    struct gist_source source;
    struct http_request request;
    int tries;
    int64_t began_ms;
    struct work *next;
    struct work **link; /* what points at this one */
};

struct summarise *
summarise_new(struct flow *f, int max)
{
    struct arena *a = arena_new();
    struct summarise *s = arena_alloc(a, sizeof(*s));

    s->arena = a;
    s->flow = f;
    s->max = max;
    return s;
}

void
summarise_free(struct summarise **s)
{
    struct arena *a;

    if (*s == NULL)
        return;
    a = (*s)->arena;
    *s = NULL;
    arena_free(&a);
}

int
summarise_busy(const struct summarise *s)
{
    return s->active;
}

static void
drop_work(struct work *w)
{
    struct arena *a = w->arena;

    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    w->owner->active--;
    arena_free(&a);
}

static const char *
points_json(struct arena *a, const struct points *p)
{
    struct json_object *array = json_new_array(a);

    for (size_t i = 0; i < p->n; i++)
        json_push_str(array, p->lines[i]);
    return json_print(a, array);
}

/* Writes what came of it; 'code' is a word for the log. */
static void
end_work(struct work *w, const struct transcript_end *end, const char *code)
{
    struct flow *f = w->owner->flow;
    const char *result = "";
    struct err e = { 0 };

    CRASH_POINT("summary_before_finish");
    if (!transcript_finish(f->db, w->arena, &w->t, end, &result, &e))
        log_event(f->log, DATABASE_AWAY, LF_ID("call_id", w->t.call_id),
                  LF_ERR(&e)); /* the lease lapses, another takes it up */
    else if (str_eq(result, "made"))
        log_event(f->log, SUMMARY_MADE, LF_ID("call_id", w->t.call_id),
                  LF_INT("took_ms", clk_mono_ms() - w->began_ms));
    else
        log_event(f->log, SUMMARY_NOT_MADE, LF_ID("call_id", w->t.call_id), LF_ID("result", result),
                  LF_ID("code", code), LF_INT("attempt", w->t.attempt));
    drop_work(w);
}

/* A text that comes after the person was told is still worth having: the agent reads it. */
static double
retry_after(const struct work *w)
{
    static const int retry_s[] = { 2, 60, 300 };

    if (w->t.attempt > (int64_t)COUNT_OF(retry_s))
        return -1;
    return retry_s[w->t.attempt - 1] * w->owner->flow->config->backoff_scale;
}

static void
end_with_nothing(struct work *w, const char *code, double retry_s)
{
    struct transcript_end end = {
        .points = "[]", .steps = "[]", .language = "", .retry_s = retry_s
    };

    end_work(w, &end, code);
}

/* A model has worded them: what may not be sent is left out. */
static void
guard_points(struct work *w, const struct guard_rules *rules, struct points *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct guard_result r = guard_text(w->arena, p->lines[i], rules);

        if (!str_empty(r.reason))
            log_event(w->owner->flow->log, ANSWER_GUARDED, LF_ID("call_id", w->t.call_id),
                      LF_ID("reason", r.reason),
                      LF_ID("result", r.text == NULL ? "refused" : "cleaned"));
        if (r.text != NULL)
            p->lines[n++] = r.text;
    }
    p->n = n;
}

static void
end_with_answer(struct work *w, const char *answer)
{
    const struct allowed_for whose = { .call_id = w->t.call_id };
    struct transcript_end end = { .retry_s = -1 };
    struct guard_rules rules;
    struct err e = { 0 };
    struct gist g;
    size_t dropped;

    if (!gist_read(w->arena, answer, &g)) {
        end_with_nothing(w, "nonsense", retry_after(w));
        return;
    }
    if (!guard_rules_read(w->owner->flow, w->arena, &whose, &rules, &e)) {
        log_event(w->owner->flow->log, DATABASE_AWAY, LF_ID("call_id", w->t.call_id), LF_ERR(&e));
        drop_work(w); /* the lease lapses, another takes it up */
        return;
    }
    dropped = gist_ground(w->arena, &w->source, &g);
    guard_points(w, &rules, &g.points);
    guard_points(w, &rules, &g.steps);
    end.points = points_json(w->arena, &g.points);
    end.steps = points_json(w->arena, &g.steps);
    end.language = g.language;
    end_work(w, &end, dropped > 0 ? "not_said" : "nothing_said");
}

static void
on_answer(void *ctx, const struct http_response *r)
{
    struct work *w = ctx;
    struct flow *f = w->owner->flow;
    struct chat_answer answer;
    struct err e = { 0 };

    CRASH_POINT("summary_answered");
    if (r->reach == HTTP_NOT_SENT && w->tries++ == 0) { /* nothing was asked yet: once more */
        http_start(f->http, &w->request, on_answer, w);
        return;
    }
    log_set_correlation(f->log, w->t.id);
    if (chat_read(w->arena, r, &answer, &e))
        end_with_answer(w, answer.text);
    else
        end_with_nothing(w, e.code, retry_after(w));
}

static void
ask(struct work *w)
{
    struct flow *f = w->owner->flow;
    struct chat_ask question = {
        .model = "", .base_url = "", .max_tokens = MAX_TOKENS, .correlation_id = w->t.id
    };

    question.messages = gist_messages(w->arena, &w->source, &question.n_messages);
    chat_build(w->arena, f->config, &question, &w->request);
    w->request.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    w->request.timeout_ms = f->config->agent_timeout_s * 1000;
    http_start(f->http, &w->request, on_answer, w);
    CRASH_POINT("summary_asked");
}

static void
start_work(struct summarise *s, const struct transcript *t)
{
    struct arena *a = arena_new();
    struct work *w = arena_alloc(a, sizeof(*w));

    *w = (struct work){ .arena = a, .owner = s, .t = *t, .began_ms = clk_mono_ms() };
    w->t.id = arena_strdup(a, t->id);
    w->t.call_id = arena_strdup(a, t->call_id);
    w->t.text = arena_strdup(a, t->text);
    w->source = (struct gist_source){ .transcript = w->t.text,
                                      .known = arena_strdup(a, t->known),
                                      .language = arena_strdup(a, t->language),
                                      .fence = w->t.id };
    w->next = s->works;
    w->link = &s->works;
    if (w->next != NULL)
        w->next->link = &w->next;
    s->works = w;
    s->active++;
    log_set_correlation(s->flow->log, w->t.id);
    if (gist_is_worth_it(w->t.text))
        ask(w);
    else
        end_with_nothing(w, "too_short", -1);
}

bool
summarise_renew(struct summarise *s, struct err *e)
{
    struct arena *a;
    struct transcript *held;
    size_t n = 0;
    bool ok;

    if (clk_mono_ms() - s->renewed_ms < s->flow->config->lease_s * 1000LL / 3)
        return true;
    s->renewed_ms = clk_mono_ms();
    if (s->active == 0)
        return true;
    a = arena_new();
    held = arena_array(a, (size_t)s->active, sizeof(*held));
    for (struct work *w = s->works; w != NULL; w = w->next)
        held[n++] = w->t;
    ok = transcript_renew(s->flow->db, a, held, n, s->flow->config->lease_s, e);
    arena_free(&a);
    return ok;
}

bool
summarise_pump(struct summarise *s, int *started, struct err *e)
{
    struct arena *a = arena_new();
    struct transcript_want want = { .worker = s->flow->worker,
                                    .want = s->max - s->active,
                                    .lease_s = s->flow->config->lease_s };
    struct transcript *found;
    size_t n = 0;
    bool ok = want.want <= 0 || transcript_claim(s->flow->db, a, &want, &found, &n, e);

    if (n > 0)
        CRASH_POINT("summary_claimed");
    for (size_t i = 0; ok && i < n; i++)
        start_work(s, &found[i]);
    *started = (int)n;
    arena_free(&a);
    return ok;
}
