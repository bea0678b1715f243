/*
 * compose - replies as people read them, and the drafts that carry any message. Summaries are in
 * compose_summary.c.
 */
#include "flow/compose.h"

#include "base/str.h"
#include "base/utf8.h"
#include "core/sms_text.h"
#include "flow/answer.h"
#include "flow/reply_way.h"

#define PARAGRAPH_MAX  900  /* so that the filled template stays under 1024 */
#define RICH_MAX_CHARS 4096 /* what WhatsApp takes */

struct compose_text
compose_plain(struct arena *a, const char *text)
{
    return (struct compose_text){
        .rich = arena_strndup(a, text, utf8_prefix(text, RICH_MAX_CHARS)),
        .plain = sms_text_fit(a, sms_text_plain(a, text), COMPOSE_SMS_SEGMENTS),
        .paragraph = arena_strndup(a, text, utf8_prefix(text, PARAGRAPH_MAX)),
    };
}

struct compose_text
compose_reply(struct arena *a, const struct config *c, const char *text, enum language l,
              bool answers_sms)
{
    struct compose_text t = compose_plain(a, text);
    const char **options = arena_array(a, ANSWER_MAX_OPTIONS, sizeof(*options));
    const char **parts = arena_array(a, ANSWER_MAX_PARTS, sizeof(*parts));
    const char *plain = sms_text_plain(a, text);
    struct answer_lines lines = { .last = "" };
    size_t n_parts;

    t.n_options = answer_options(a, text, options);
    lines.more = sms_text_plain(a, reply_way_more(a, c, l, t.n_options > 0));
    if (!answers_sms && !str_empty(reply_way_number(c)) && !reply_way_is_named(a, c, plain, l))
        lines.last = sms_text_plain(a, reply_way_hint(a, c, l));
    n_parts = answer_parts(a, plain, COMPOSE_SMS_SEGMENTS, &lines, parts);
    t.options = options;
    t.plain = parts[0];
    t.more = parts + 1;
    t.n_more = n_parts - 1;
    return t;
}

/* The parts that follow an SMS, each with its price. */
static void
add_more(struct arena *a, const struct config *c, const struct compose_text *t,
         struct message_draft *d)
{
    struct message_part *parts = arena_array(a, t->n_more + 1, sizeof(*parts));

    for (size_t i = 0; i < t->n_more; i++) {
        parts[i].text = t->more[i];
        parts[i].segments = sms_text_size(t->more[i]).segments;
        parts[i].cost_mrwf = parts[i].segments * c->sms_price_mrwf;
    }
    d->more = parts;
    d->n_more = t->n_more;
}

static struct message_draft
draft_of(struct arena *a, const struct config *c, const struct plan_step *s,
         const struct compose_message *m)
{
    bool is_sms = s->channel == CHANNEL_SMS;
    struct message_draft d = {
        .id = uuid_new(),
        .channel = s->channel,
        .type = m->type,
        .provider = s->provider,
        .content = is_sms ? m->text.plain : m->text.rich,
        .recipient_phone = m->person->phone,
        .bsuid = is_sms ? "" : m->person->bsuid,
        .is_template = s->is_template,
        .language = m->language,
        .idem_key = arena_printf(a, "%s:%s:1", m->key, channel_text(s->channel)),
        .call_id = m->call_id,
        .turn_id = m->turn_id,
        .segments = is_sms ? sms_text_size(m->text.plain).segments : 1,
        .correlation_id = m->correlation_id,
    };

    /* The template has its own title and hint: its parameter is the summary alone. */
    if (s->is_template)
        d.content = m->text.paragraph;
    if (is_sms)
        add_more(a, c, &m->text, &d);
    if (!s->is_template) {
        d.options = m->text.options;
        d.n_options = m->text.n_options;
    }
    d.cost_mrwf = is_sms ? d.segments * c->sms_price_mrwf : c->whatsapp_price_mrwf;
    return d;
}

/* Messages that were planned for a person are worth a second way; a confirmation or a fallback is
 * not. */
static bool
has_second_way(enum message_type t)
{
    return t == MESSAGE_SUMMARY || t == MESSAGE_REPLY || t == MESSAGE_MISSED_CALL;
}

/* A WhatsApp message's second ways: the template if the window turns out closed, the template in
 * English if it is missing in the person's language, the SMS that is held in reserve. */
static void
add_second_ways(struct arena *a, const struct config *c, const struct plan *p,
                const struct compose_message *m, struct message_draft *d)
{
    struct plan_step as_template = p->steps[0];
    struct message_draft *ways = arena_array(a, 3, sizeof(*ways));
    bool templated = m->type == MESSAGE_SUMMARY && !str_empty(c->whatsapp_template_summary);

    as_template.is_template = true;
    for (size_t i = 0; templated && i < 2; i++) {
        ways[i] = draft_of(a, c, &as_template, m);
        ways[i].group_id = d->group_id;
        ways[i].idem_key = arena_printf(a, "%s:template%s", d->idem_key, i == 0 ? "" : ":en");
    }
    ways[1].language = LANG_EN;
    if (templated && !d->is_template)
        d->fallback_template = &ways[0];
    if (templated && d->language != LANG_EN)
        d->fallback_template_en = &ways[1];
    if (p->steps[1].in_reserve) {
        ways[2] = draft_of(a, c, &p->steps[1], m);
        ways[2].group_id = d->group_id;
        d->fallback_sms = &ways[2];
        d->patient = p->mode == MODE_FAILOVER;
    }
}

size_t
compose_drafts(struct arena *a, const struct config *c, const struct plan *p,
               const struct compose_message *m, struct message_draft *out)
{
    struct uuid group = uuid_new();
    size_t n = 0;

    for (size_t i = 0; i < PLAN_STEPS; i++) {
        if (!p->steps[i].send)
            continue;
        out[n] = draft_of(a, c, &p->steps[i], m);
        out[n].group_id = group;
        if (out[n].channel == CHANNEL_WHATSAPP && has_second_way(m->type))
            add_second_ways(a, c, p, m, &out[n]);
        n++;
    }
    return n;
}
