/*
 * tool_call_log_summary - a voice agent or PBX stores a call and its summary; with ended: true the
 * caller is notified.
 */
#include "base/str.h"
#include "flow/call_args.h"
#include "flow/guard.h"
#include "flow/postcall.h"
#include "flow/tool.h"

/* A text that a model has worded, as it may be told to the caller; NULL if not at all. */
static const char *
guarded(struct flow *f, struct tool_call *call, const struct guard_rules *rules, const char *text)
{
    struct guard_result r = guard_text(call->arena, text, rules);

    if (!str_empty(text) && !str_empty(r.reason))
        log_event(f->log, ANSWER_GUARDED, LF_ID("call_id", call->caller->call_id),
                  LF_ID("reason", r.reason),
                  LF_ID("result", r.text == NULL ? "refused" : "cleaned"));
    return r.text;
}

static void
guard_list(struct flow *f, struct tool_call *call, const struct guard_rules *rules, const char *key)
{
    struct json_object *list = json_at(call->args, key);
    struct json_object *kept;

    if (json_count(list) == 0)
        return;
    kept = json_new_array(call->arena);
    for (size_t i = 0; i < json_count(list); i++) {
        struct json_object *item = json_item(list, i);
        const char *words = json_is_object(item) ? json_opt_str(call->arena, item, "text", "")
                                                 : json_text(call->arena, item);
        const char *text = guarded(f, call, rules, words);

        if (text != NULL)
            json_push_str(kept, text);
    }
    json_set(call->args, key, json_count(kept) > 0 ? kept : NULL);
}

/* What a voice agent writes goes to the caller's phone and into the agent's next turns, as its
 * answers do, and through the same guard. Operators and PBXs word theirs themselves; a transcript
 * is guarded when it has become points. */
static bool
guard_words(struct flow *f, struct tool_call *call, struct err *e)
{
    static const char *const texts[] = { "summary", "main_intent" };
    static const char *const lists[] = { "bullets", "next_actions" };
    const struct tool_caller *c = call->caller;
    const struct allowed_for whose = { c->session_id, c->profile_id, c->call_id };
    struct guard_rules rules;

    if (c->is_operator)
        return true;
    if (!guard_rules_read(f, call->arena, &whose, &rules, e))
        return false;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = json_opt_str(call->arena, call->args, texts[i], "");

        if (!str_empty(text))
            json_set_str(call->args, texts[i], guarded(f, call, &rules, text));
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        guard_list(f, call, &rules, lists[i]);
    return true;
}

/* Whoever called needs no number if the call is known: WhatsApp hides that of some. */
static bool
check_person(struct flow *f, struct tool_call *call, const struct call_facts *facts, struct err *e)
{
    struct call_named named;

    if (!call->caller->is_operator || !str_empty(facts->phone))
        return true;
    if (!call_log_named(f->db, call->arena, facts->call_id, "", &named, e))
        return false;
    return named.has_person || err_set(e, ERR_INVALID, "phone_number: missing");
}

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    bool wait = call->may_wait && json_opt_bool(call->args, "wait", true);
    struct call_facts facts;
    struct postcall_result result;

    if (!guard_words(f, call, e) || !call_args_read(call->arena, call->args, &facts, e) ||
        !check_person(f, call, &facts, e) ||
        !postcall_run(f, call->arena, &facts, wait, &result, e))
        return false;
    json_set_str(call->reply, "call_id", result.stored.call_id);
    json_set_str(call->reply, "session_id", result.stored.session_id);
    json_set_bool(call->reply, "created", result.stored.created);
    json_set_bool(call->reply, "notified",
                  result.n_channels > 0 && result.status != POSTCALL_SKIPPED);
    if (result.is_over)
        postcall_reply(call->reply, &result, &call->status);
    return true;
}

const struct tool tool_call_log_summary = {
    .name = "call_log_summary",
    .description = "Stores what a call was about. Call it before hanging up, with ended: true, so "
                   "that the caller gets the summary in writing.",
    .params = call_args_full,
    .n_params = &call_args_full_n,
    /* Who is in the call does not know when it began; that it is over is "ended". */
    .of_operator = "channel|started_at|ended_at|answered",
    .run = run,
};
