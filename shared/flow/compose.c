/*
 * compose - summaries and replies as people read them.
 */
#include "flow/compose.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"
#include "core/json.h"
#include "core/phrase.h"
#include "core/sms_text.h"

#define LIST_MAX       (64 * 1024)
#define TEXT_MAX       (4 * LIST_MAX) /* a body and a list of steps always fit */
#define PARAGRAPH_MAX  900            /* so that the filled template stays under 1024 */
#define RICH_MAX_CHARS 4000
#define SMS_MAX_CHARS  160 /* letters in one SMS, at most */

/* A JSON array of texts, or of {text: ...}, as stored in bullets and next_actions. */
static struct json_object *
list_of(struct arena *a, const char *json)
{
    struct json_object *list = NULL;
    struct err ignored = { 0 };

    if (str_empty(json) || !json_parse(a, json, strlen(json), &list, &ignored) ||
        !json_is_array(list))
        return NULL;
    return list;
}

static void
add_list(struct arena *a, struct buf *b, struct json_object *list)
{
    for (size_t i = 0; i < json_count(list) && !buf_overflowed(b); i++) {
        struct json_object *item = json_item(list, i);
        const char *line = str_trim(a, json_opt_str(a, item, "text", json_text(a, item)));

        if (!str_empty(line))
            buf_printf(b, "%s- %s", b->len > 0 ? "\n" : "", line);
    }
}

/* The points of the summary as lines, or its prose, or the sentence that stands in for both. */
static const char *
body_of(struct arena *a, const struct call_record *call, enum language l)
{
    struct buf b = buf_init(a, LIST_MAX);
    const char *prose = str_trim(a, call->summary);

    add_list(a, &b, list_of(a, call->bullets));
    if (b.len > 0)
        return b.data;
    if (!str_empty(prose))
        return arena_strndup(a, prose, utf8_prefix(prose, RICH_MAX_CHARS));
    return phrase_get(PHRASE_CALL_RECORDED, l);
}

static const char *
rich_summary(struct arena *a, const struct call_record *call, enum language l)
{
    struct json_object *next = list_of(a, call->next_actions);
    struct buf b = buf_init(a, TEXT_MAX);
    struct buf steps = buf_init(a, LIST_MAX);

    buf_printf(&b, "*%s*\n\n%s", phrase_get(PHRASE_SUMMARY_TITLE, l), body_of(a, call, l));
    add_list(a, &steps, next);
    if (steps.len > 0)
        buf_printf(&b, "\n\n*%s*\n%s", phrase_get(PHRASE_NEXT_STEPS, l), steps.data);
    buf_cut(&b, utf8_prefix(b.data, RICH_MAX_CHARS));
    buf_printf(&b, "\n\n%s", phrase_get(PHRASE_REPLY_HINT, l));
    return b.data;
}

/* How to answer: an alphanumeric sender cannot receive, so the short code is named; without one
 * nothing is promised. */
static const char *
reply_hint(struct arena *a, const struct config *c, enum language l)
{
    bool named_sender = phone_is_service_sender(c->mtn_sms_sender_id) &&
                        strspn(c->mtn_sms_sender_id, "0123456789") != strlen(c->mtn_sms_sender_id);

    if (!named_sender)
        return phrase_get(PHRASE_REPLY_HINT, l);
    if (str_empty(c->sms_short_code))
        return "";
    return arena_printf(a, "%s %s.", phrase_get(PHRASE_REPLY_TO, l), c->sms_short_code);
}

/* body + tail within the segments: the body gives way, at a word's edge, never the tail. */
static const char *
fit_with_tail(struct arena *a, const char *body, const char *tail, int segments)
{
    const char *whole = arena_printf(a, "%s%s", body, tail);
    size_t low = 0;
    size_t high = (size_t)segments * SMS_MAX_CHARS;

    if (sms_text_size(whole).segments <= segments)
        return whole;
    while (low < high) { /* the most letters that fit */
        size_t mid = (low + high + 1) / 2;
        const char *cut = arena_printf(a, "%.*s...%s", (int)utf8_prefix(body, mid), body, tail);

        if (sms_text_size(cut).segments <= segments)
            low = mid;
        else
            high = mid - 1;
    }
    low = utf8_prefix(body, low);
    for (size_t i = low; i > low / 2; i--) {
        if (body[i] == ' ' || body[i] == '\n') {
            low = i;
            break;
        }
    }
    while (low > 0 && (body[low - 1] == ' ' || body[low - 1] == '\n'))
        low--;
    return arena_printf(a, "%.*s...%s", (int)low, body, tail);
}

static const char *
plain_summary(struct arena *a, const struct config *c, const struct call_record *call,
              enum language l)
{
    struct buf b = buf_init(a, TEXT_MAX);
    struct buf steps = buf_init(a, LIST_MAX);
    const char *hint = sms_text_plain(a, reply_hint(a, c, l));

    buf_printf(&b, "EasyMO: %s", body_of(a, call, l));
    add_list(a, &steps, list_of(a, call->next_actions));
    if (steps.len > 0)
        buf_printf(&b, "\n%s:\n%s", phrase_get(PHRASE_NEXT_STEPS, l), steps.data);
    return fit_with_tail(a, sms_text_plain(a, b.data),
                         str_empty(hint) ? "" : arena_printf(a, "\n%s", hint),
                         COMPOSE_SMS_SEGMENTS);
}

/* One paragraph of at most PARAGRAPH_MAX characters; line breaks are not allowed in a parameter. */
static const char *
paragraph_summary(struct arena *a, const struct call_record *call, enum language l)
{
    struct buf b = buf_init(a, TEXT_MAX);
    struct buf steps = buf_init(a, TEXT_MAX);
    char *text;

    buf_adds(&b, body_of(a, call, l));
    add_list(a, &steps, list_of(a, call->next_actions));
    if (steps.len > 0)
        buf_printf(&b, "\n%s:\n%s", phrase_get(PHRASE_NEXT_STEPS, l), steps.data);
    text = str_replace(a, str_trim(a, b.data), "\n", " ");
    if (utf8_count(text) <= PARAGRAPH_MAX)
        return text;
    return arena_printf(a, "%.*s...", (int)utf8_prefix(text, PARAGRAPH_MAX - 3), text);
}

struct compose_text
compose_summary(struct arena *a, const struct config *c, const struct call_record *call,
                enum language l)
{
    return (struct compose_text){ rich_summary(a, call, l), plain_summary(a, c, call, l),
                                  paragraph_summary(a, call, l) };
}

struct compose_text
compose_plain(struct arena *a, const char *text)
{
    return (struct compose_text){
        arena_strndup(a, text, utf8_prefix(text, RICH_MAX_CHARS)),
        sms_text_fit(a, sms_text_plain(a, text), COMPOSE_SMS_SEGMENTS),
        arena_strndup(a, text, utf8_prefix(text, PARAGRAPH_MAX)),
    };
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
