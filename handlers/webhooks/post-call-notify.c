/*
 * post-call-notify - a call has ended (a voice handler or a PBX says so): its caller gets the
 * summary.
 *
 * - 200 after the first attempt, or skipped
 * - 202 the text is awaited, or "wait": false
 * - 400 which field; 401 token; 404 an unknown call without a number (its end is kept ten minutes);
 *   409 the two ids are of two calls: nothing is stored
 */
#include "base/str.h"
#include "flow/call_args.h"
#include "flow/postcall.h"
#include "frame/handler.h"

static bool
check_ids(struct call *c, const struct call_facts *facts, struct err *e)
{
    struct call_named named;

    if (str_empty(facts->call_id) || str_empty(facts->sip_call_id))
        return true;
    if (!call_log_named(c->flow->db, c->arena, facts->call_id, facts->sip_call_id, &named, e))
        return false;
    return !named.are_two || err_set(e, ERR_CONFLICT, "sip_call_id: of another call than call_id");
}

static bool
run(struct call *c, struct err *e)
{
    bool wait = json_opt_bool(c->body, "wait", true);
    struct call_facts facts;
    struct postcall_result result;

    if (!call_args_read(c->arena, c->body, &facts, e) || !check_ids(c, &facts, e))
        return false;
    facts.is_over = true;
    if (!postcall_run(c->flow, c->arena, &facts, wait, &result, e))
        return false;
    if (!result.stored.found)
        return err_set(e, ERR_NOT_FOUND,
                       "%s: unknown call, and no phone_number; its end is kept ten minutes",
                       str_empty(facts.call_id) ? "sip_call_id" : "call_id");
    json_set_bool(c->reply, "success", true);
    json_set_str(c->reply, "call_id", result.stored.call_id);
    json_set_str(c->reply, "session_id", result.stored.session_id);
    postcall_reply(c->reply, &result, &c->status);
    return true;
}

const struct handler handler = {
    .name = "post-call-notify",
    .methods = METHOD_POST,
    .max_body = 64 * 1024,
    .media = "application/json",
    .needs = CFG_SERVICE | CFG_SEND,
    .auth = AUTH_SERVICE,
    .reads_json = true,
    .params = call_args_end,
    .n_params = &call_args_end_n,
    .run = run,
};
