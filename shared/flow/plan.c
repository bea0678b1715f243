/*
 * plan - the rules of routing, one refusal per line.
 */
#include "flow/plan.h"

#include "base/str.h"
#include "provider/provider.h"

static struct plan_step
skip(enum channel channel, const char *reason)
{
    return (struct plan_step){ .channel = channel, .provider = "", .reason = reason };
}

static struct plan_step
send_by(enum channel channel, const struct provider *p, bool is_template, const char *reason)
{
    return (struct plan_step){ .channel = channel,
                               .send = true,
                               .is_template = is_template,
                               .provider = p->name,
                               .reason = reason };
}

static struct plan_step
reserve(enum channel channel, const struct provider *p, const char *reason)
{
    return (struct plan_step){
        .channel = channel, .in_reserve = true, .provider = p->name, .reason = reason
    };
}

/* Outside the 24-hour window WhatsApp takes only an approved template, and we have one for
 * summaries only. */
static struct plan_step
outside_window(const struct config *c, const struct plan_input *in, const struct provider *p)
{
    if (in->type != MESSAGE_SUMMARY)
        return skip(CHANNEL_WHATSAPP, "window_closed");
    if (str_empty(c->whatsapp_template_summary))
        return skip(CHANNEL_WHATSAPP, "no_template");
    return send_by(CHANNEL_WHATSAPP, p, true, "window_closed_template");
}

static struct plan_step
whatsapp_step(const struct config *c, const struct plan_input *in, enum mode mode)
{
    const struct person *person = in->person;
    const struct provider *p = provider_for(c, CHANNEL_WHATSAPP);
    bool answers_here = in->is_answer && in->answers == CHANNEL_WHATSAPP;

    if (mode == MODE_SMS_ONLY && !str_empty(person->phone)) /* no number, no SMS */
        return skip(CHANNEL_WHATSAPP, "mode_sms_only");
    if (p == NULL)
        return skip(CHANNEL_WHATSAPP, "whatsapp_off");
    if (!person->allows_whatsapp)
        return skip(CHANNEL_WHATSAPP, "opted_out");
    if (!person->has_whatsapp && !answers_here)
        return skip(CHANNEL_WHATSAPP, "no_whatsapp_known");
    if (str_empty(person->phone) && str_empty(person->bsuid))
        return skip(CHANNEL_WHATSAPP, "no_address");
    if (in->is_answer && !answers_here && mode != MODE_BOTH)
        return skip(CHANNEL_WHATSAPP, "answered_by_sms");
    if (!person->window_open)
        return outside_window(c, in, p);
    return send_by(CHANNEL_WHATSAPP, p, false, answers_here ? "answers_whatsapp" : "has_whatsapp");
}

static struct plan_step
sms_step(const struct config *c, const struct plan_input *in, enum mode mode, bool whatsapp_sends)
{
    const struct person *person = in->person;
    const struct provider *p = provider_for(c, CHANNEL_SMS);
    struct phone phone;
    struct err ignored = { 0 };

    if (p == NULL)
        return skip(CHANNEL_SMS, "sms_off");
    if (!phone_parse(person->phone, "phone", &phone, &ignored))
        return skip(CHANNEL_SMS, "no_number");
    if (!phone_sms_allowed(&phone, c->sms_allowed_prefixes))
        return skip(CHANNEL_SMS, "number_not_served");
    if (!person->allows_sms)
        return skip(CHANNEL_SMS, "opted_out");
    if (whatsapp_sends && in->is_answer && in->answers == CHANNEL_WHATSAPP)
        return reserve(CHANNEL_SMS, p, "answered_by_whatsapp");
    if (whatsapp_sends && mode == MODE_FAILOVER)
        return reserve(CHANNEL_SMS, p, "waits_for_whatsapp");
    return send_by(CHANNEL_SMS, p, false,
                   in->is_answer && in->answers == CHANNEL_SMS ? "answers_sms"
                   : whatsapp_sends                            ? "both_channels"
                                                               : "sms_alone");
}

struct plan
plan_make(const struct config *c, const struct plan_input *in)
{
    struct plan p = { .mode = c->delivery_mode };

    if (!mode_parse(in->person->mode, &p.mode))
        p.mode = c->delivery_mode;
    p.steps[0] = whatsapp_step(c, in, p.mode);
    p.steps[1] = sms_step(c, in, p.mode, p.steps[0].send);
    p.sends = p.steps[0].send || p.steps[1].send;
    return p;
}

const char *
plan_text(struct arena *a, const struct plan *p)
{
    const char *parts[PLAN_STEPS];

    for (size_t i = 0; i < PLAN_STEPS; i++) {
        const struct plan_step *s = &p->steps[i];

        parts[i] = arena_printf(a, "%s:%s:%s", channel_text(s->channel), s->send ? "send" : "skip",
                                s->reason);
    }
    return arena_printf(a, "%s,%s", parts[0], parts[1]);
}
