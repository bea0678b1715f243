/*
 * talk - the turn's own course. No transaction is open while the agent thinks.
 */
#include "flow/talk.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "flow/answer.h"
#include "flow/prompt.h"
#include "flow/talk_end.h"

#define AGENT_CONNECT_TIMEOUT_MS 3000
#define AGENT_MAX_TOKENS         500
#define TALK_MAX_TIMEOUTS        3 /* a turn with all its rounds takes so many AGENT_TIMEOUT_S */

static void ask(struct talk *k);

static void
add_message(struct talk *k, struct chat_message m)
{
    if (k->n_messages == k->room) {
        struct chat_message *more = arena_array(k->arena, 2 * k->room + 8, sizeof(*more));

        if (k->n_messages > 0)
            memcpy(more, k->messages, k->n_messages * sizeof(*more));
        k->messages = more;
        k->room = 2 * k->room + 8;
    }
    k->messages[k->n_messages++] = m;
}

static int64_t
left_ms(const struct talk *k)
{
    return k->began_ms + TALK_MAX_TIMEOUTS * k->flow->config->agent_timeout_s * 1000LL -
           clk_mono_ms();
}

static bool
read_context(struct talk *k, bool again, struct err *e)
{
    const struct config *c = k->flow->config;
    struct turn_read r = { .max_lines = PROMPT_MAX_LINES,
                           .base_url = c->openai_base_url,
                           .scale = c->backoff_scale,
                           .again = again };

    return turn_context(k->flow->db, k->arena, &k->turn, &r, &k->context, e);
}

/* The agent changes in the middle of the turn: the next one reads what has happened so far under
 * its own instructions. */
static void
change_agent(struct talk *k)
{
    enum turn_verdict verdict = k->context.verdict;
    struct turn_context before = k->context;
    struct err e = { 0 };

    if (!read_context(k, true, &e)) {
        log_event(k->flow->log, DATABASE_AWAY, LF_ID("turn_id", k->turn.id), LF_ERR(&e));
        k->context = before; /* the first agent answers; the next turn is the other's */
        return;
    }
    k->context.verdict = verdict;
    k->messages[0].content = prompt_system(k->arena, &k->context);
    turn_tools_allow(&k->tools, k->context.tools);
    k->offered = turn_tools_describe(&k->tools);
    log_event(k->flow->log, ROUTING_TO_AGENT, LF_ID("session_id", k->turn.session_id),
              LF_ID("turn_id", k->turn.id), LF_ID("agent", k->context.agent),
              LF_INT("attempt", k->turn.attempt));
}

static void
run_calls(struct talk *k, const struct chat_answer *answer)
{
    bool had_handed_over = k->tools.has_handed_over;

    add_message(k, chat_said(answer));
    for (size_t i = 0; i < answer->n_calls; i++) {
        const struct chat_call *call = &answer->calls[i];

        CRASH_POINT("turn_tool");
        add_message(k, chat_told(k->arena, call, turn_tools_run(&k->tools, k->flow, call)));
    }
    if (!str_empty(answer->text))
        k->said = answer->text;
    if (k->tools.has_handed_over && !had_handed_over)
        change_agent(k);
    k->is_last = k->rounds >= TURN_MAX_ROUNDS || k->tools.calls >= TURN_MAX_CALLS ||
                 left_ms(k) < k->flow->config->agent_timeout_s * 1000LL;
}

/* Without last words: those that came along with calls, or the message that a tool has written. */
static bool
end_with_what_there_is(struct talk *k)
{
    if (str_empty(k->said) && !k->tools.has_sent)
        return false;
    talk_end_answer(k, str_empty(k->said) ? NULL : k->said);
    return true;
}

static void
take_answer(struct talk *k, const struct chat_answer *answer)
{
    static const struct err no_words = { .kind = ERR_TEMP,
                                         .code = "nonsense",
                                         .text = "agent: calls instead of words" };

    k->rounds++;
    k->prompt_tokens += answer->prompt_tokens;
    k->completion_tokens += answer->completion_tokens;
    if (answer->n_calls > 0 && !k->is_last) {
        run_calls(k, answer);
        ask(k);
    } else if (!str_empty(answer->text)) {
        talk_end_answer(k, answer->text);
    } else if (!end_with_what_there_is(k)) {
        talk_end_fallback(k, &no_words);
    }
}

/* Whether the same can be asked in another way, once: less of it, or with the limit's newer name.
 */
static bool
ask_otherwise(struct talk *k, const struct err *why)
{
    if (str_eq(why->code, "too_long") && !k->is_short && k->rounds == 0) {
        k->is_short = true;
        k->messages = prompt_messages(k->arena, &k->context, PROMPT_MAX_TOKENS / 2, &k->n_messages);
        k->room = k->n_messages;
    } else if (str_eq(why->code, "limit_name") && !k->wants_new_limit_name) {
        k->wants_new_limit_name = true;
        if (str_empty(k->context.base_url))
            *k->new_limit_name = true;
    } else {
        return false;
    }
    ask(k);
    return true;
}

static void
on_answer(void *ctx, const struct http_response *r)
{
    struct talk *k = ctx;
    struct chat_answer answer;
    struct err e = { 0 };

    CRASH_POINT("turn_answered");
    log_set_correlation(k->flow->log, k->turn.id);
    if (r->reach == HTTP_NOT_SENT &&
        k->tries++ == 0) { /* nothing was asked yet: once more, at once */
        ask(k);
        return;
    }
    k->retry_after_s = r->retry_after_s;
    if (chat_read(k->arena, r, &answer, &e)) {
        if (answer.is_cut)
            answer.text = answer_whole(k->arena, answer.text);
        take_answer(k, &answer);
    } else if (!ask_otherwise(k, &e) && !(str_eq(e.code, "nonsense") && end_with_what_there_is(k)))
        talk_end_fallback(k, &e);
}

static void
ask(struct talk *k)
{
    const struct config *c = k->flow->config;
    struct arena *a = arena_new(); /* the request is copied when it starts */
    struct chat_ask ask = { .model = k->context.model,
                            .base_url = k->context.base_url,
                            .messages = k->messages,
                            .n_messages = k->n_messages,
                            .tools = k->offered,
                            .no_more_tools = k->is_last,
                            .max_tokens = AGENT_MAX_TOKENS,
                            .new_limit_name = k->wants_new_limit_name,
                            .correlation_id = k->turn.id };
    int64_t left = left_ms(k);
    int64_t timeout = c->agent_timeout_s * 1000LL;
    struct http_request request;

    chat_build(a, c, &ask, &request);
    request.connect_timeout_ms = AGENT_CONNECT_TIMEOUT_MS;
    request.timeout_ms = (int)(left < timeout ? (left > 1000 ? left : 1000) : timeout);
    http_start(k->flow->http, &request, on_answer, k);
    arena_free(&a);
    CRASH_POINT("turn_asked");
}

static void
prepare(struct talk *k)
{
    k->tools = (struct turn_tools){
        .arena = k->arena,
        .caller = { .profile_id = k->context.person.profile_id,
                    .session_id = k->turn.session_id,
                    .call_id = "",
                    .turn_id = k->turn.id,
                    .turn_token = k->turn.token },
        .first_turn_id = k->context.first_turn_id,
        .log = json_new_array(k->arena),
    };
    turn_tools_allow(&k->tools, k->context.tools);
    k->offered = turn_tools_describe(&k->tools);
    k->messages = prompt_messages(k->arena, &k->context, PROMPT_MAX_TOKENS, &k->n_messages);
    k->room = k->n_messages;
    k->wants_new_limit_name = str_empty(k->context.base_url) && *k->new_limit_name;
}

void
talk_start(struct talk *k)
{
    struct flow *f = k->flow;
    struct err e = { 0 };

    log_set_correlation(f->log, k->turn.id);
    k->began_ms = clk_mono_ms();
    k->said = "";
    if (!read_context(k, false, &e)) {
        log_event(f->log, DATABASE_AWAY, LF_ID("turn_id", k->turn.id), LF_ERR(&e));
        k->ended(k); /* its lease lapses */
        return;
    }
    CRASH_POINT("turn_read");
    if (k->context.verdict != TURN_GO && k->context.verdict != TURN_PROBE) {
        talk_end_unasked(k);
        return;
    }
    prepare(k);
    log_event(f->log, ROUTING_TO_AGENT, LF_ID("session_id", k->turn.session_id),
              LF_ID("turn_id", k->turn.id), LF_ID("agent", k->context.agent),
              LF_INT("attempt", k->turn.attempt));
    ask(k);
}
