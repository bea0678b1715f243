/*
 * tool_session_get_or_create - the conversation of a person, who may be known by a number only.
 */
#include "base/str.h"
#include "flow/tool.h"
#include "model/session.h"

static const struct param params[] = {
    { "profile_id", PARAM_UUID, false, 0, NULL, "The person; or ..." },
    { "phone_number", PARAM_PHONE, false, 0, NULL, "... the number, with country code." },
    { "primary_channel", PARAM_WORD, false, 0, "voice|whatsapp|sms", "How the person came." },
    { "call_id", PARAM_ID, false, 0, NULL, "The call it is about." },
    { "agent_id", PARAM_ID, false, 0, NULL, "The agent that goes on with it." },
    { "intent", PARAM_TEXT, false, 2000, NULL, "What the person wants, in a few words." },
};
static const size_t n_params = COUNT_OF(params);

static bool
read_wish(struct tool_call *call, struct session_wish *out, struct err *e)
{
    struct arena *a = call->arena;
    struct phone *phone = arena_alloc(a, sizeof(*phone));
    const char *number = json_opt_scalar(a, call->args, "phone_number", "");

    *out = (struct session_wish){
        .profile_id = json_opt_str(a, call->args, "profile_id", ""),
        .channel = json_opt_str(a, call->args, "primary_channel", ""),
        .call_id = json_opt_str(a, call->args, "call_id", ""),
        .agent = json_opt_str(a, call->args, "agent_id", ""),
        .intent = json_opt_str(a, call->args, "intent", ""),
    };
    if (!str_empty(number) && !phone_parse(number, "phone_number", phone, e))
        return false;
    out->phone = phone->e164;
    if (str_empty(out->profile_id) && str_empty(out->phone))
        return err_set(e, ERR_INVALID, "profile_id: missing, and no phone_number");
    return true;
}

static bool
run(struct flow *f, struct tool_call *call, struct err *e)
{
    struct session_wish wish;
    struct session_found found;
    struct json_object *context = NULL;

    if (!read_wish(call, &wish, e) || !session_find_or_open(f->db, call->arena, &wish, &found, e) ||
        !json_parse(call->arena, found.context, strlen(found.context), &context, e))
        return false;
    if (found.created)
        log_event(f->log, SESSION_CREATED, LF_ID("session_id", found.id),
                  LF_ID("channel", wish.channel));
    json_set_str(call->reply, "session_id", found.id);
    json_set_str(call->reply, "profile_id", found.profile_id);
    json_set_str(call->reply, "status", found.status);
    json_set_bool(call->reply, "created", found.created);
    json_set(call->reply, "context", context);
    return true;
}

const struct tool tool_session_get_or_create = {
    .name = "session_get_or_create",
    .description = "The person's open conversation with what was noted in it; a new one if there "
                   "is none.",
    .params = params,
    .n_params = &n_params,
    .run = run,
};
