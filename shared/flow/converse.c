/*
 * converse - one turn from its claim to its commit. No transaction is open while the agent thinks.
 */
#include "flow/converse.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "base/utf8.h"
#include "core/phrase.h"
#include "flow/compose.h"
#include "flow/prompt.h"
#include "model/turn.h"

#define AGENT_CONNECT_TIMEOUT_MS 3000
#define AGENT_MAX_TOKENS         500
#define REPLY_MAX_CHARS          3000

struct converse {
    struct arena *arena;
    struct flow *flow;
    int max_turns;
    int active;
    struct talk *talks; /* those that wait, newest first */
    int64_t renewed_ms;
};

/* One turn that waits for the agent; lives in its own arena. */
struct talk {
    struct arena *arena;
    struct converse *owner;
    struct turn turn;
    struct turn_context context;
    struct http_request request;
    int tries;
    int64_t began_ms;
    struct talk *next;
    struct talk **link; /* what points at this one */
};

struct converse *
converse_new(struct flow *f, int max_turns)
{
    struct arena *a = arena_new();
    struct converse *c = arena_alloc(a, sizeof(*c));

    c->arena = a;
    c->flow = f;
    c->max_turns = max_turns;
    return c;
}

void
converse_free(struct converse **c)
{
    struct arena *a;

    if (*c == NULL)
        return;
    a = (*c)->arena;
    *c = NULL;
    arena_free(&a);
}

int
converse_busy(const struct converse *c)
{
    return c->active;
}

/* The channel of the latest message that waits: its writer expects the answer there. */
static enum channel
answer_channel(const struct turn_context *t)
{
    for (size_t i = t->n_lines; i > 0; i--) {
        if (t->lines[i - 1].waits)
            return t->lines[i - 1].channel;
    }
    return CHANNEL_SMS;
}

/* The drafts that carry 'text' to the person of this turn; *n = 0 when no channel is open to them.
 */
static struct message_draft *
drafts_of(struct talk *k, enum message_type type, const char *text, size_t *n)
{
    struct flow *f = k->owner->flow;
    enum language l =
        language_parse(str_empty(k->context.person.language) ? k->context.call_language
                                                             : k->context.person.language);
    struct plan_input in = { .type = type,
                             .is_answer = true,
                             .answers = answer_channel(&k->context),
                             .person = &k->context.person };
    struct plan plan = plan_make(f->config, &in);
    struct compose_message m = {
        .type = type,
        .person = &k->context.person,
        .language = l,
        .text = compose_plain(k->arena, text != NULL ? text : phrase_get(PHRASE_FALLBACK, l)),
        .key = arena_printf(k->arena, "%s:%s", message_type_text(type), k->turn.id),
        .call_id = k->context.call_id,
        .turn_id = k->turn.id,
        .correlation_id = k->turn.id,
    };
    struct message_draft *drafts = arena_array(k->arena, PLAN_STEPS, sizeof(*drafts));

    log_event(f->log, DUAL_CHANNEL_ROUTING, LF_ID("session_id", k->turn.session_id),
              LF_ID("type", message_type_text(type)), LF_ID("mode", mode_text(plan.mode)),
              LF_ID("plan", plan_text(k->arena, &plan)));
    *n = compose_drafts(k->arena, f->config, &plan, &m, drafts);
    return drafts;
}

static void
add_talk(struct converse *c, struct talk *k)
{
    k->next = c->talks;
    k->link = &c->talks;
    if (k->next != NULL)
        k->next->link = &k->next;
    c->talks = k;
    c->active++;
}

/* Forgets a talk and its memory. */
static void
drop_talk(struct talk *k)
{
    struct arena *a = k->arena;

    *k->link = k->next;
    if (k->next != NULL)
        k->next->link = k->link;
    k->owner->active--;
    arena_free(&a);
}

static void
end_talk(struct talk *k, const struct turn_end *end)
{
    struct flow *f = k->owner->flow;
    struct err e = { 0 };
    bool lost = false;

    CRASH_POINT("turn_before_finish");
    if (!turn_finish(f->db, k->arena, &k->turn, end, &lost, &e))
        log_event(f->log, DATABASE_AWAY, LF_ID("turn_id", k->turn.id),
                  LF_ERR(&e)); /* the lease lapses, the turn is taken up again */
    else if (lost)
        log_event(f->log, TURN_LOST, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id));
    else if (end->done)
        log_event(f->log, TURN_DONE, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id),
                  LF_INT("took_ms", clk_mono_ms() - k->began_ms));
    else
        log_event(f->log, TURN_FAILED, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id), LF_ID("code", end->error_code),
                  LF_INT("attempt", k->turn.attempt));
    CRASH_POINT("turn_after_finish");
    drop_talk(k);
}

static void
end_with_answer(struct talk *k, const struct chat_answer *answer)
{
    const char *text = utf8_clean(k->arena, answer->text, strlen(answer->text), REPLY_MAX_CHARS);
    struct turn_end end = {
        .done = true,
        .agent = k->context.agent,
        .model =
            str_empty(k->context.model) ? k->owner->flow->config->openai_model : k->context.model,
        .prompt_tokens = answer->prompt_tokens,
        .completion_tokens = answer->completion_tokens,
    };

    end.drafts = drafts_of(k, MESSAGE_REPLY, text, &end.n_drafts);
    end_talk(k, &end);
}

/* One sentence now, the real answer later: after 1 and 5 minutes, then a person must see to it. */
static void
end_with_fallback(struct talk *k, const struct err *why)
{
    static const int retry_s[] = { 60, 300 };
    const struct config *c = k->owner->flow->config;
    struct turn_end end = {
        .agent = k->context.agent,
        .model = k->context.model,
        .error_code = why->code,
        .retry_s = k->turn.attempt <= (int64_t)COUNT_OF(retry_s)
                       ? retry_s[k->turn.attempt - 1] * c->backoff_scale
                       : -1,
        .fallback_every_s = c->fallback_every_s,
    };

    end.drafts = drafts_of(k, MESSAGE_FALLBACK, NULL, &end.n_drafts);
    end_talk(k, &end);
}

static void
on_answer(void *ctx, const struct http_response *r)
{
    struct talk *k = ctx;
    struct flow *f = k->owner->flow;
    struct chat_answer answer;
    struct err e = { 0 };

    CRASH_POINT("turn_answered");
    if (r->reach == HTTP_NOT_SENT &&
        k->tries++ == 0) { /* nothing was asked yet: once more, at once */
        http_start(f->http, &k->request, on_answer, k);
        return;
    }
    log_set_correlation(f->log, k->turn.id);
    if (chat_read(k->arena, r, &answer, &e))
        end_with_answer(k, &answer);
    else
        end_with_fallback(k, &e);
}

static void
start_talk(struct converse *c, const struct turn *t)
{
    struct flow *f = c->flow;
    struct arena *a = arena_new();
    struct talk *k = arena_alloc(a, sizeof(*k));
    struct chat_ask ask = { .max_tokens = AGENT_MAX_TOKENS };
    struct err e = { 0 };

    *k = (struct talk){ .arena = a, .owner = c, .turn = *t, .began_ms = clk_mono_ms() };
    k->turn.id = arena_strdup(a, t->id);
    k->turn.session_id = arena_strdup(a, t->session_id);
    add_talk(c, k);
    log_set_correlation(f->log, k->turn.id);
    if (!turn_context(f->db, a, &k->turn, PROMPT_MAX_LINES, &k->context, &e)) {
        log_event(f->log, DATABASE_AWAY, LF_ID("turn_id", k->turn.id), LF_ERR(&e));
        drop_talk(k); /* its lease lapses */
        return;
    }
    CRASH_POINT("turn_read");
    ask.model = k->context.model;
    ask.base_url = k->context.base_url;
    ask.messages = prompt_messages(a, &k->context, &ask.n_messages);
    ask.correlation_id = k->turn.id;
    chat_build(a, f->config, &ask, &k->request);
    k->request.connect_timeout_ms = AGENT_CONNECT_TIMEOUT_MS;
    k->request.timeout_ms = f->config->agent_timeout_s * 1000;
    log_event(f->log, ROUTING_TO_AGENT, LF_ID("session_id", k->turn.session_id),
              LF_ID("turn_id", k->turn.id), LF_ID("agent", k->context.agent),
              LF_INT("attempt", k->turn.attempt));
    http_start(f->http, &k->request, on_answer, k);
    CRASH_POINT("turn_asked");
}

bool
converse_renew(struct converse *c, struct err *e)
{
    struct arena *a;
    struct turn *turns;
    size_t n = 0;
    bool ok;

    if (clk_mono_ms() - c->renewed_ms < c->flow->config->lease_s * 1000LL / 3)
        return true;
    c->renewed_ms = clk_mono_ms();
    if (c->active == 0)
        return true;
    a = arena_new();
    turns = arena_array(a, (size_t)c->active, sizeof(*turns));
    for (struct talk *k = c->talks; k != NULL; k = k->next)
        turns[n++] = k->turn;
    ok = turn_renew(c->flow->db, a, turns, n, c->flow->config->lease_s, e);
    arena_free(&a);
    return ok;
}

bool
converse_pump(struct converse *c, int *started, struct err *e)
{
    struct arena *a = arena_new();
    struct turn_want want = { .worker = c->flow->worker,
                              .want = c->max_turns - c->active,
                              .lease_s = c->flow->config->lease_s };
    struct turn *turns;
    size_t n = 0;
    bool ok = want.want <= 0 || turn_claim(c->flow->db, a, &want, &turns, &n, e);

    if (n > 0)
        CRASH_POINT("turn_claimed");
    for (size_t i = 0; ok && i < n; i++)
        start_talk(c, &turns[i]);
    *started = (int)n;
    arena_free(&a);
    return ok;
}
