/*
 * plan - which channels one message goes out on, and why. A pure function: the same facts give the
 * same plan.
 */
#ifndef OMNI_FLOW_PLAN_H
#define OMNI_FLOW_PLAN_H

#include "core/config.h"
#include "model/person.h"

struct plan_input {
    enum message_type type;
    bool is_answer;       /* it answers a message the person sent ... */
    enum channel answers; /* ... on this channel */
    const struct person *person;
};

struct plan_step {
    enum channel channel;
    bool send;
    bool is_template;
    bool in_reserve;      /* not sent now, but if WhatsApp does not bring it */
    const char *provider; /* "" when it is skipped for want of one */
    const char *reason;   /* a word, the same in logs, answers and /plan */
};

#define PLAN_STEPS 2

struct plan {
    struct plan_step steps[PLAN_STEPS]; /* WhatsApp, then SMS */
    enum mode mode;
    bool sends; /* at least one step does */
};

/* The person's own wish for the mode goes before DELIVERY_MODE. */
struct plan plan_make(const struct config *c, const struct plan_input *in);

/* "whatsapp:text,sms:opted_out": the plan in one word, for the log. */
const char *plan_text(struct arena *a, const struct plan *p);

#endif
