/*
 * post-call-notify - a call has ended (a voice handler or a PBX says so): its caller gets the
 * summary.
 *
 *   200 after the first attempt, or skipped   202 the text is awaited, or "wait": false
 *   400 which field   401 token   404 unknown call without a number (kept ten minutes)
 */
#include "base/clk.h"
#include "base/str.h"
#include "core/param.h"
#include "flow/postcall.h"
#include "frame/handler.h"

static const struct param params[] = {
    { "call_id", PARAM_ID, false, 0, NULL, "The provider's id of the call." },
    { "sip_call_id", PARAM_ID, false, 0, NULL, "Its SIP Call-ID." },
    { "phone_number", PARAM_PHONE, false, 0, NULL,
      "The caller; read only for a call that is not known." },
    { "channel", PARAM_WORD, false, 0, "sip|whatsapp", "How the call came." },
    { "started_at", PARAM_TIME, false, 0, NULL, "When it began." },
    { "ended_at", PARAM_TIME, false, 0, NULL, "When it ended." },
    { "answered", PARAM_BOOL, false, 0, NULL, "Whether it was answered." },
    { "wait", PARAM_BOOL, false, 0, NULL, "False: answer at once." },
};

static bool
read_facts(struct call *c, struct call_facts *out, struct err *e)
{
    struct arena *a = c->arena;
    struct phone *phone = arena_alloc(a, sizeof(*phone));
    const char *number = json_opt_scalar(a, c->body, "phone_number", "");

    if (!param_check(params, COUNT_OF(params), c->body, e))
        return false;
    *out = (struct call_facts){
        .call_id = json_opt_scalar(a, c->body, "call_id", ""),
        .sip_call_id = json_opt_scalar(a, c->body, "sip_call_id", ""),
        .channel = json_opt_str(a, c->body, "channel", ""),
        .answered = !json_has(c->body, "answered")             ? ""
                    : json_opt_bool(c->body, "answered", true) ? "t"
                                                               : "f",
        .is_over = true,
        .wait_s = c->flow->config->summary_wait_s,
    };
    if (str_empty(out->call_id) && str_empty(out->sip_call_id))
        return err_set(e, ERR_INVALID, "call_id: missing");
    if (!str_empty(number) && phone_parse(number, "phone_number", phone, e))
        out->phone = phone->e164;
    if (!clk_parse(json_opt_scalar(a, c->body, "started_at", ""), &out->started_ms))
        out->started_ms = 0;
    if (!clk_parse(json_opt_scalar(a, c->body, "ended_at", ""), &out->ended_ms))
        out->ended_ms = 0;
    return true;
}

static bool
run(struct call *c, struct err *e)
{
    bool wait = json_opt_bool(c->body, "wait", true);
    struct call_facts facts;
    struct postcall_result result;

    if (!read_facts(c, &facts, e) || !postcall_run(c->flow, c->arena, &facts, wait, &result, e))
        return false;
    if (!result.stored.found)
        return err_set(
            e, ERR_NOT_FOUND,
            "call_id: unknown call, and no phone_number; its end is kept for ten minutes");
    json_set_bool(c->reply, "success", true);
    json_set_str(c->reply, "call_id", result.stored.call_id);
    json_set_str(c->reply, "session_id", result.stored.session_id);
    json_set_str(c->reply, "status", postcall_status_text(result.status));
    if (!str_empty(result.reason))
        json_set_str(c->reply, "reason", result.reason);
    postcall_channels_json(c->reply, "channels", result.channels, result.n_channels);
    if (result.status == POSTCALL_PENDING)
        c->status = 202;
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
    .run = run,
};
