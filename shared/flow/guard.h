/*
 * guard - what stands between a model's words and a person's phone: hidden characters, links and
 * telephone numbers that nobody allowed are taken out; an answer that gives away its instructions,
 * or is nothing without what was taken out, is refused.
 */
#ifndef OMNI_FLOW_GUARD_H
#define OMNI_FLOW_GUARD_H

#include "flow/flow.h"
#include "model/allowed.h"

/* Code points of a message, as WhatsApp takes them; by SMS it goes in parts. */
#define GUARD_MAX 4096

/* What a message may hold. Every text may be "" or NULL. */
struct guard_rules {
    const char *instructions;       /* of the agent: not to be given away */
    const char *public_url;         /* our own address: links to its host are allowed, */
    const char *allowed_links;      /* and to these hosts and what is below them: a JSON array */
    const char *allowed_numbers;    /* a JSON array, in any spelling */
    const char *own_number;         /* the person's */
    const char *service_numbers[2]; /* our short code and sender */
};

struct guard_result {
    const char *text;   /* what may be sent; NULL: refused, send the fallback sentence */
    const char *reason; /* why it is refused, or what was taken out: "empty", "leak", "internal",
                           "nothing_left"; "links", "numbers", "links_and_numbers"; "" if nothing */
};

/* Pure: the same words and rules give the same result. */
struct guard_result guard_text(struct arena *a, const char *text, const struct guard_rules *r);

/*
 * The same with the rules of the conversation's agent (one statement), and a line in the log when
 * something was done. Fails with ERR_FORBIDDEN when the words are refused: the error names 'field'
 * and the cause, and quotes nothing.
 */
bool guard_check(struct flow *f, struct arena *a, const struct allowed_for *whose,
                 const char *field, const char *text, struct guard_result *out, struct err *e)
    MUST_CHECK;

/* The rules alone, for those who have many texts. */
bool guard_rules_read(struct flow *f, struct arena *a, const struct allowed_for *whose,
                      struct guard_rules *out, struct err *e) MUST_CHECK;

#endif
