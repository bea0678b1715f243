/*
 * tool_call_log_summary - a voice agent or PBX stores a call and its summary; with ended: true the
 * caller is notified.
 */
#include "base/clk.h"
#include "base/str.h"
#include "flow/postcall.h"
#include "flow/tool.h"

static const struct param params[] = {
    { "call_id", PARAM_ID, true, 0, NULL, "The call's id." },
    { "phone_number", PARAM_PHONE, true, 0, NULL, "The caller's number, with country code." },
    { "channel", PARAM_WORD, false, 0, "sip|whatsapp", "How the call came." },
    { "summary", PARAM_TEXT, false, 8000, NULL,
      "What the call was about and what was agreed, in the caller's language." },
    { "bullets", PARAM_TEXTS, false, 500, NULL,
      "The same as three to five short points; preferred." },
    { "transcript", PARAM_TEXT, false, 65000, NULL,
      "The words of the call, if there is no summary." },
    { "next_actions", PARAM_TEXTS, false, 500, NULL, "What happens next, one short line each." },
    { "main_intent", PARAM_TEXT, false, 200, NULL, "What the caller wanted, in a few words." },
    { "language", PARAM_TEXT, false, 20, NULL, "The caller's language: rw, en, fr or sw." },
    { "started_at", PARAM_TIME, false, 0, NULL, "When the call began." },
    { "ended_at", PARAM_TIME, false, 0, NULL, "When it ended." },
    { "answered", PARAM_BOOL, false, 0, NULL, "Whether it was answered." },
    { "ended", PARAM_BOOL, false, 0, NULL,
      "True when the call is over: the caller then gets the summary." },
    { "wait", PARAM_BOOL, false, 0, NULL,
      "False: answer at once, the summary goes out by itself." },
};

static const char *
array_text(struct arena *a, struct json_object *args, const char *name)
{
    return json_has(args, name) ? json_print(a, json_at(args, name)) : "";
}

static int64_t
time_of(struct arena *a, struct json_object *args, const char *name)
{
    int64_t ms = 0;

    return clk_parse(json_opt_scalar(a, args, name, ""), &ms) ? ms : 0;
}

static bool
read_facts(struct flow *f, struct arena *a, struct json_object *args, struct call_facts *out,
           struct err *e)
{
    struct phone *phone = arena_alloc(a, sizeof(*phone));
    const char *language = json_opt_str(a, args, "language", "");

    if (!phone_parse(json_opt_scalar(a, args, "phone_number", ""), "phone_number", phone, e))
        return false;
    *out = (struct call_facts){
        .call_id = json_opt_scalar(a, args, "call_id", ""),
        .phone = phone->e164,
        .channel = json_opt_str(a, args, "channel", ""),
        .summary = json_opt_str(a, args, "summary", ""),
        .bullets = array_text(a, args, "bullets"),
        .next_actions = array_text(a, args, "next_actions"),
        .transcript = json_opt_str(a, args, "transcript", ""),
        .intent = json_opt_str(a, args, "main_intent", ""),
        .language = str_empty(language) ? "" : language_text(language_parse(language)),
        .started_ms = time_of(a, args, "started_at"),
        .ended_ms = time_of(a, args, "ended_at"),
        .answered = !json_has(args, "answered")             ? ""
                    : json_opt_bool(args, "answered", true) ? "t"
                                                            : "f",
        .is_over = json_opt_bool(args, "ended", false),
        .wait_s = f->config->summary_wait_s,
    };
    return true;
}

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    struct call_facts facts;
    struct postcall_result result;

    if (!read_facts(f, call->arena, call->args, &facts, e) ||
        !postcall_run(f, call->arena, &facts, json_opt_bool(call->args, "wait", true), &result, e))
        return false;
    json_set_str(call->reply, "call_id", result.stored.call_id);
    json_set_str(call->reply, "session_id", result.stored.session_id);
    json_set_bool(call->reply, "created", result.stored.created);
    json_set_bool(call->reply, "notified", result.is_over && result.status == POSTCALL_SENT);
    if (result.is_over) {
        json_set_str(call->reply, "status", postcall_status_text(result.status));
        postcall_channels_json(call->reply, "channels", result.channels, result.n_channels);
        if (result.status == POSTCALL_PENDING)
            call->status = 202;
    }
    return true;
}

const struct tool tool_call_log_summary = {
    .name = "call_log_summary",
    .description = "Stores what a call was about. Call it before hanging up, with ended: true, so "
                   "that the caller gets the summary in writing.",
    .params = params,
    .n_params = COUNT_OF(params),
    .run = run,
};
