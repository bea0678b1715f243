/*
 * provider - what one message gateway must know how to do.
 *
 * A provider is a few pure functions: bytes in, structs out. It never opens a socket, never reads
 * the environment, never touches the database or a clock. flow/deliver.c does the sending, the
 * webhooks do the receiving.
 *
 * A new one: a file here, a line in registry.c, its settings in core/config_table.c, real requests
 * and answers under tests/fixtures/providers/NAME. Nothing else changes.
 */
#ifndef OMNI_PROVIDER_PROVIDER_H
#define OMNI_PROVIDER_PROVIDER_H

#include "base/err.h"
#include "core/channel.h"
#include "core/config.h"
#include "core/http_msg.h"
#include "core/phone.h"

/* One message to send. */
struct outbound {
    const char *id; /* our row's id: sent along as reference, so that reports find back and a
                       gateway may drop doubles */
    const char *to; /* E.164, or WhatsApp's business-scoped user id where there is no number */
    bool to_is_bsuid;
    const char *text;
    bool is_template; /* WhatsApp outside the window: the approved summary template, text as its one
                         parameter */
    const char *options; /* what the numbers in the text stand for, a JSON array of texts: WhatsApp
                            makes buttons of them where they fit; "" for none */
    enum language language;
    const char *correlation_id;
};

/* One message a person sent us. */
struct inbound {
    const char *external_id; /* the gateway's id, unique per provider; made from the content where
                                it gives none */
    /* What the ids of the same words from the same sender begin with, where the gateway gives
     * neither id nor time: they may be a repeat. Else NULL. */
    const char *words_id;
    struct phone from; /* "" where WhatsApp hides the number */
    const char *wa_id; /* digits, "" if not WhatsApp */
    const char *bsuid; /* "" if none */
    const char *name;  /* the person's own display name, "" if none; never trusted */
    const char *kind;  /* "text", or what else it was: "image", "audio", "reaction", ... */
    const char *text;  /* "" for what has no words */
    int64_t at_ms;     /* the gateway's clock; 0 if it gives none */
    int part, parts;   /* of a long text that came in pieces; 1 and 1 otherwise */
    const char *ref;   /* what its pieces have in common, "" otherwise */
    int choice;        /* the number of the option that was tapped; 0 for none */
    const char *list;  /* our id of the message that offered it; "" if it says none */
    bool tapped;       /* a button or a line of a list was, whatever it stands for */
    bool answerable;   /* false: store it, say nothing (a reaction, a system notice) */
};

/* One delivery report. */
struct receipt {
    const char *external_id; /* the gateway's id, "" if none */
    const char *our_ref;     /* our row's id if the gateway gives it back, else "" */
    const char *status; /* sent, delivered, read, undelivered; another word is kept as it came and
                           changes nothing */
    const char *error_code; /* "" if none */
    int64_t at_ms;
};

/* What one webhook request held. An item that could not be read does not hold back the others. */
struct webhook_items {
    struct inbound *inbound;
    size_t n_inbound;
    struct receipt *receipts;
    size_t n_receipts;
    const char **unreadable; /* why, one per item that was no good */
    size_t n_unreadable;
    const char **unanswered; /* why, one per message (or change) that is neither stored nor
                                answered: "service_sender" (a short code or a name), "own_number",
                                "group_message", "edit_without_words", "other_number" (it is about a
                                number that is not ours) */
    size_t n_unanswered;
};

/* What a send means for its row: three outcomes and an honest fourth (ARCHITECTURE.md). */
enum outcome {
    OUTCOME_ACCEPTED,  /* the provider has it */
    OUTCOME_RETRY,     /* refused for now: send the same again later */
    OUTCOME_PERMANENT, /* refused for good */
    OUTCOME_AMBIGUOUS, /* nobody knows whether the provider has it */
    OUTCOME_NOTSENT,   /* no byte left */
    OUTCOME_HOLD,      /* our credentials are refused: wait without counting the attempt */
};

const char *outcome_text(enum outcome o); /* as stored: "accepted", "retry", ... */

struct send_result {
    enum outcome outcome;
    const char *external_id; /* with OUTCOME_ACCEPTED; "" if the answer held none */
    const char *error_code;  /* the provider's, or "http_503", "timeout", ... */
    int retry_after_s;
    const char *cost_rwf; /* what the provider says it took, a plain decimal; NULL if it does not */
};

struct provider {
    const char *name; /* as stored in message_delivery_log.provider and named by ?provider= */
    enum channel channel;

    /* Required. Is everything it needs configured? */
    bool (*configured)(const struct config *c);
    /* Required. Builds the request; strings live in 'a'. Fails only for a message that can never be
     * sent. */
    bool (*build)(struct arena *a, const struct config *c, const struct outbound *m,
                  struct http_request *out, struct err *e);
    /* Required. Reads the answer (reach ANSWERED only; the rest is the same for all and read by
     * provider_read). */
    struct send_result (*read_answer)(struct arena *a, const struct http_response *r);

    /* Optional: NULL when the gateway never calls us. verify: ERR_AUTH, or ERR_UNAVAILABLE where
     * its secret is not set. */
    bool (*verify)(struct arena *a, const struct config *c, const struct incoming_http *in,
                   struct err *e);
    bool (*read_webhook)(struct arena *a, const struct config *c, const struct incoming_http *in,
                         struct webhook_items *out, struct err *e);
    /* Optional: delivery reports, where the gateway brings them to an address of their own. */
    bool (*read_report)(struct arena *a, const struct config *c, const struct incoming_http *in,
                        struct webhook_items *out, struct err *e);
};

/* By name; NULL if there is none. */
const struct provider *provider_find(const char *name);

/* The provider a new message of this channel goes to: WhatsApp's, or the first of SMS_PROVIDERS.
 * NULL when it is not configured. */
const struct provider *provider_for(const struct config *c, enum channel channel);

/* All of them, ended by NULL. */
extern const struct provider *const provider_all[];

/* What the exchange means: how far it got first, then the provider's own reading. */
struct send_result provider_read(const struct provider *p, struct arena *a,
                                 const struct http_response *r);

/* What a plain HTTP status means where the provider says nothing better. */
enum outcome provider_status_outcome(int status);

/* "http_404". */
const char *provider_status_code(struct arena *a, int status);

#endif
