/*
 * call_step - requests and answers of the actions on a call.
 */
#include "flow/call_step.h"

#include "base/clk.h"
#include "base/str.h"
#include "core/token.h"
#include "flow/voice_words.h"
#include "provider/openai_sip.h"
#include "provider/voice_bridge.h"
#include "provider/wa_calls.h"

#define TOKEN_GRACE_S 600 /* the agent may log the summary a little after the longest call */

/* What the voice agent of a call may use. */
static const char tools[] =
    "call_log_summary,messaging_send_whatsapp,messaging_send_sms,messaging_send_dual_channel,"
    "session_get_context,session_add_context,agent_handover";

/* What ends the call where it may be going on. Meta knows of an end that it has told. */
static enum call_step
first_of_stop(const struct call_job *j, bool graph)
{
    if (j->row.is_sip)
        return str_empty(j->config->openai_api_key.now) ? STEP_NONE : STEP_SIP_HANGUP;
    if (!voice_bridge_configured(j->config))
        return STEP_NONE;
    return graph && !j->row.is_terminated ? STEP_TERMINATE : STEP_STOP;
}

enum call_step
call_step_first(const struct call_job *j)
{
    const struct config *c = j->config;
    bool graph = !str_empty(c->whatsapp_phone_id) && !str_empty(c->whatsapp_access_token.now);

    switch (j->row.kind) {
    case CALL_ACTION_ANSWER:
        return graph && voice_bridge_configured(c) ? STEP_OPEN : STEP_NONE;
    case CALL_ACTION_ACCEPT:
        return str_empty(c->openai_api_key.now) ? STEP_NONE : STEP_SIP_ACCEPT;
    case CALL_ACTION_STOP:
        return first_of_stop(j, graph);
    case CALL_ACTION_TRANSCRIPT:
        if (!graph)
            return STEP_NONE;
        return str_empty(j->row.media_id) ? STEP_DOCUMENT : STEP_MEDIA;
    }
    return STEP_NONE;
}

enum call_step
call_step_next(enum call_step s)
{
    switch (s) {
    case STEP_OPEN:
        return STEP_PRE_ACCEPT;
    case STEP_PRE_ACCEPT:
        return STEP_ACCEPT;
    case STEP_TERMINATE:
        return STEP_STOP;
    case STEP_MEDIA:
        return STEP_DOCUMENT;
    case STEP_NONE:
    case STEP_ACCEPT:
    case STEP_REJECT:
    case STEP_STOP:
    case STEP_SIP_ACCEPT:
    case STEP_SIP_REJECT:
    case STEP_SIP_HANGUP:
    case STEP_DOCUMENT:
        return STEP_NONE;
    }
    return STEP_NONE;
}

enum call_step
call_step_after_failure(enum call_step s)
{
    switch (s) {
    case STEP_OPEN:
    case STEP_PRE_ACCEPT:
    case STEP_ACCEPT:
        return STEP_REJECT;
    case STEP_REJECT:
    case STEP_TERMINATE:
        return STEP_STOP;
    case STEP_SIP_ACCEPT:
        return STEP_SIP_REJECT;
    case STEP_NONE:
    case STEP_STOP:
    case STEP_SIP_REJECT:
    case STEP_SIP_HANGUP:
    case STEP_MEDIA:
    case STEP_DOCUMENT:
        return STEP_NONE;
    }
    return STEP_NONE;
}

bool
call_step_may_have_connected(enum call_step s)
{
    return s == STEP_ACCEPT || s == STEP_SIP_ACCEPT;
}

static const char *
instructions_of(const struct call_job *j)
{
    enum language l = str_empty(j->row.language) ? LANG_RW : language_parse(j->row.language);

    return voice_instructions(j->arena, j->row.voice_instructions, l,
                              !str_empty(j->row.phone) || !str_empty(j->row.bsuid));
}

static void
build_open(struct call_job *j, struct http_request *out)
{
    const struct bridge_session s = {
        .call_id = j->row.call_id,
        .sdp_offer = j->row.sdp,
        .from = str_empty(j->row.phone) ? j->row.bsuid : j->row.phone,
        .voice = VOICE_NAME,
        .instructions = instructions_of(j),
    };

    voice_bridge_open(j->arena, j->config, &s, out);
}

static void
build_sip_accept(struct call_job *j, struct http_request *out)
{
    const struct token t = {
        .profile_id = j->row.profile_id,
        .session_id = j->row.session_id,
        .call_id = j->row.call_id,
        .turn_id = "",
        .tools = tools,
        .expires_s = clk_now_ms() / 1000 + j->config->call_max_s + TOKEN_GRACE_S,
    };
    const struct sip_accept s = {
        .call_id = j->row.call_id,
        .instructions = instructions_of(j),
        .voice = VOICE_NAME,
        .token = token_make(j->arena, &j->config->token_secret, &t),
        .tools = tools,
    };

    openai_sip_accept(j->arena, j->config, &s, out);
}

void
call_step_build(struct call_job *j, enum call_step s, struct http_request *out)
{
    struct arena *a = j->arena;
    const struct config *c = j->config;
    const char *id = j->row.call_id;

    switch (s) {
    case STEP_OPEN:
        build_open(j, out);
        break;
    case STEP_PRE_ACCEPT:
        wa_calls_pre_accept(a, c, id, j->sdp, out);
        break;
    case STEP_ACCEPT:
        wa_calls_accept(a, c, id, j->sdp, out);
        break;
    case STEP_REJECT:
        wa_calls_reject(a, c, id, out);
        break;
    case STEP_TERMINATE:
        wa_calls_terminate(a, c, id, out);
        break;
    case STEP_STOP:
    case STEP_NONE:
        voice_bridge_stop(a, c, id, out);
        break;
    case STEP_SIP_ACCEPT:
        build_sip_accept(j, out);
        break;
    case STEP_SIP_REJECT:
        openai_sip_reject(a, c, id, j->sip_status, out);
        break;
    case STEP_SIP_HANGUP:
        openai_sip_hangup(a, c, id, out);
        break;
    case STEP_MEDIA:
        wa_calls_media(a, c, j->row.media_id, out);
        break;
    case STEP_DOCUMENT:
        wa_calls_document(a, c, str_empty(j->url) ? j->row.url : j->url, out);
        break;
    }
}

struct call_answer
call_step_read(struct call_job *j, enum call_step s, const struct http_response *r)
{
    struct wa_transcript t;
    struct call_answer answer;

    switch (s) {
    case STEP_OPEN:
        return voice_bridge_read_open(j->arena, r, &j->sdp);
    case STEP_PRE_ACCEPT:
    case STEP_ACCEPT:
    case STEP_REJECT:
    case STEP_TERMINATE:
        return wa_calls_read_action(j->arena, r);
    case STEP_STOP:
    case STEP_NONE:
        return voice_bridge_read_stop(j->arena, r);
    case STEP_SIP_ACCEPT:
    case STEP_SIP_REJECT:
        return openai_sip_read_answer(j->arena, r);
    case STEP_SIP_HANGUP:
        return openai_sip_read_hangup(j->arena, r);
    case STEP_MEDIA:
        return wa_calls_read_media(j->arena, r, &j->url);
    case STEP_DOCUMENT:
        answer = wa_calls_read_document(j->arena, r, &t);
        j->transcript = t.text;
        return answer;
    }
    return (struct call_answer){ CALL_REFUSED, "unknown_step" };
}
