/*
 * compose - words for people: rich on WhatsApp, plain and within its segments by SMS; and the
 * drafts of a plan's steps.
 */
#ifndef OMNI_FLOW_COMPOSE_H
#define OMNI_FLOW_COMPOSE_H

#include "flow/plan.h"
#include "model/call_log.h"
#include "model/message.h"

#define COMPOSE_SMS_SEGMENTS 2 /* of a summary and of a reply */

/* One logical message, in its wording for each channel. */
struct compose_text {
    const char *rich;      /* WhatsApp */
    const char *plain;     /* SMS: transliterated, cut, counted */
    const char *paragraph; /* the template's one parameter: title and hint are the template's own */
    const char *const *options; /* what the numbers in it stand for; NULL for none */
    size_t n_options;
    const char *const *more; /* by SMS: what follows 'plain' when the person asks for it */
    size_t n_more;
};

/* A call's summary: from its bullets, else its prose, else the short honest sentence that we know
 * of the call. */
struct compose_text compose_summary(struct arena *a, const struct config *c,
                                    const struct call_record *call, enum language l);

/* To whom nobody answered: that we know of the call, and how to write to us. */
struct compose_text compose_missed(struct arena *a, const struct config *c, enum language l);

/* Words that are the same on both channels. */
struct compose_text compose_plain(struct arena *a, const char *text);

/* The same for what an agent or a person words: a list in it can be chosen from, and what is too
 * long for one SMS waits until the person asks for more. An SMS that cannot be replied to says
 * where to write, unless it answers an SMS: who wrote one knows the number. */
struct compose_text compose_reply(struct arena *a, const struct config *c, const char *text,
                                  enum language l, bool answers_sms);

/* What the drafts of one message have in common. */
struct compose_message {
    enum message_type type;
    const struct person *person;
    enum language language;
    struct compose_text text;
    const char
        *key; /* "summary:<call_id>": the start of each row's idem_key, ":<channel>:1" follows */
    const char *call_id;
    const char *turn_id;
    const char *correlation_id;
};

/* One draft per step that sends; 'out' has room for PLAN_STEPS. Returns how many. */
size_t compose_drafts(struct arena *a, const struct config *c, const struct plan *p,
                      const struct compose_message *m, struct message_draft *out);

#endif
