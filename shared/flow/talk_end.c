/*
 * talk_end - the commit of a turn, and the rows it leaves.
 */
#include "flow/talk_end.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "core/phrase.h"
#include "flow/compose.h"
#include "flow/guard.h"
#include "flow/prompt.h"

#define MUTE_S      3600 /* no turns for so long when two machines were talking */
#define PAUSE_S     20   /* when a server asks for peace without saying how long */
#define PAUSE_MAX_S 600

static enum language
language_of(const struct talk *k)
{
    const char *own = k->context.person.language;

    return language_parse(str_empty(own) ? k->context.call_language : own);
}

/* The channel of the latest message that waits: its writer expects the answer there. */
static enum channel
answer_channel(const struct turn_lines *lines)
{
    for (size_t i = lines->n; i > 0; i--) {
        if (lines->items[i - 1].waits)
            return lines->items[i - 1].channel;
    }
    return CHANNEL_SMS;
}

/* Puts into 'end' the drafts that carry 'text' to the person; none when no channel is open. */
static void
drafts_of(struct talk *k, enum message_type type, const char *text, struct turn_end *end)
{
    struct flow *f = k->flow;
    struct plan_input in = { .type = type,
                             .is_answer = true,
                             .answers = answer_channel(&k->context.lines),
                             .person = &k->context.person };
    struct plan plan = plan_make(f->config, &in);
    struct compose_message m = {
        .type = type,
        .person = &k->context.person,
        .language = language_of(k),
        .text = type == MESSAGE_REPLY ? compose_reply(k->arena, f->config, text, language_of(k),
                                                      in.answers == CHANNEL_SMS)
                                      : compose_plain(k->arena, text),
        .key = arena_printf(k->arena, "%s:%s", message_type_text(type), k->turn.id),
        .call_id = k->context.call_id,
        .turn_id = k->turn.id,
        .correlation_id = k->turn.id,
    };
    struct message_draft *drafts = arena_array(k->arena, PLAN_STEPS, sizeof(*drafts));

    log_event(f->log, DUAL_CHANNEL_ROUTING, LF_ID("session_id", k->turn.session_id),
              LF_ID("type", message_type_text(type)), LF_ID("mode", mode_text(plan.mode)),
              LF_ID("plan", plan_text(k->arena, &plan)));
    end->n_drafts = compose_drafts(k->arena, f->config, &plan, &m, drafts);
    end->drafts = drafts;
}

static void
log_outcome(struct talk *k, const struct turn_end *end)
{
    struct log *log = k->flow->log;

    if (end->ending == TURN_ENDS_PAUSED)
        log_event(log, TURN_PAUSED, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id), LF_ID("provider", end->provider),
                  LF_INT("wait_s", (int64_t)end->retry_s));
    else if (end->ending == TURN_ENDS_STOPPED)
        log_event(log, TURN_STOPPED, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id), LF_ID("code", end->error_code));
    else if (end->done)
        log_event(log, TURN_DONE, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id), LF_INT("took_ms", end->duration_ms),
                  LF_INT("rounds", k->rounds), LF_INT("calls", k->tools.calls));
    else
        log_event(log, TURN_FAILED, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id), LF_ID("code", end->error_code),
                  LF_INT("attempt", k->turn.attempt));
}

static void
commit(struct talk *k, struct turn_end *end)
{
    struct flow *f = k->flow;
    struct err e = { 0 };
    bool lost = false;

    end->provider = k->context.provider;
    end->probe = k->context.verdict == TURN_PROBE;
    end->scale = f->config->backoff_scale;
    end->rounds = k->rounds;
    end->duration_ms = clk_mono_ms() - k->began_ms;
    end->tool_calls = k->tools.log;
    end->prompt_tokens = k->prompt_tokens;
    end->completion_tokens = k->completion_tokens;
    end->fallback_every_s = f->config->fallback_every_s;
    CRASH_POINT("turn_before_finish");
    if (!turn_finish(f->db, k->arena, &k->turn, end, &lost, &e))
        log_event(f->log, DATABASE_AWAY, LF_ID("turn_id", k->turn.id),
                  LF_ERR(&e)); /* the lease lapses, the turn is taken up again */
    else if (lost)
        log_event(f->log, TURN_LOST, LF_ID("turn_id", k->turn.id),
                  LF_ID("session_id", k->turn.session_id));
    else
        log_outcome(k, end);
    CRASH_POINT("turn_after_finish");
    k->ended(k);
}

static const char *
model_of(const struct talk *k)
{
    return str_empty(k->context.model) ? k->flow->config->openai_model : k->context.model;
}

void
talk_end_answer(struct talk *k, const char *text)
{
    struct turn_end end = {
        .done = true,
        .agent = k->context.agent,
        .model = model_of(k),
        .says = chat_says(""),
    };

    const struct allowed_for whose = { .session_id = k->turn.session_id };
    struct guard_result guarded;
    struct err e = { 0 };

    text = text == NULL ? NULL : prompt_unmarked(k->arena, text);
    if (text != NULL && !guard_check(k->flow, k->arena, &whose, "answer", text, &guarded, &e)) {
        if (e.kind == ERR_FORBIDDEN) {
            (void)err_code(&e, "guarded");
            talk_end_fallback(k, &e);
            return;
        }
        log_event(k->flow->log, DATABASE_AWAY, LF_ID("turn_id", k->turn.id), LF_ERR(&e));
        k->ended(k); /* the agent did its part; the lease lapses, the turn is taken up again */
        return;
    }
    if (text != NULL)
        drafts_of(k, MESSAGE_REPLY, guarded.text, &end);
    commit(k, &end);
}

static int
pause_of(const struct talk *k)
{
    if (k->retry_after_s <= 0)
        return PAUSE_S;
    return k->retry_after_s < PAUSE_MAX_S ? k->retry_after_s : PAUSE_MAX_S;
}

void
talk_end_fallback(struct talk *k, const struct err *why)
{
    static const int retry_s[] = { 60, 300 };
    const struct config *c = k->flow->config;
    struct turn_end end = {
        .agent = k->context.agent,
        .model = model_of(k),
        .error_code = why->code,
        .says = chat_says(why->code),
        .pause_s = pause_of(k),
        .retry_s = k->turn.attempt <= (int64_t)COUNT_OF(retry_s)
                       ? retry_s[k->turn.attempt - 1] * c->backoff_scale
                       : -1,
    };

    drafts_of(k, MESSAGE_FALLBACK, phrase_get(PHRASE_FALLBACK, language_of(k)), &end);
    commit(k, &end);
}

void
talk_end_unasked(struct talk *k)
{
    struct turn_end end = { .retry_s = -1 };

    if (k->context.verdict == TURN_PAUSED) {
        end.ending = TURN_ENDS_PAUSED;
        end.retry_s = k->context.wait_s;
        end.error_code = "paused";
        drafts_of(k, MESSAGE_FALLBACK, phrase_get(PHRASE_FALLBACK, language_of(k)), &end);
    } else if (k->context.verdict == TURN_LEFT) {
        end.done = true;
        end.error_code = "began_anew";
    } else {
        end.done = true;
        end.ending = TURN_ENDS_STOPPED;
        end.error_code = k->context.verdict == TURN_LOOP ? "loop" : "muted";
        if (k->context.verdict == TURN_LOOP) {
            end.mute_s = MUTE_S;
            drafts_of(k, MESSAGE_FALLBACK, phrase_get(PHRASE_HANDED_OVER, language_of(k)), &end);
        }
    }
    commit(k, &end);
}
