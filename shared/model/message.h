/*
 * message - outbound messages before they are rows: what the planner decided, ready to be written
 * by the function that also does what they belong to (the end of a turn, the notification of a
 * call).
 */
#ifndef OMNI_MODEL_MESSAGE_H
#define OMNI_MODEL_MESSAGE_H

#include "base/uuid.h"
#include "core/channel.h"
#include "io/db.h"

/* What a person gets next who asks for more of a long SMS. */
struct message_part {
    const char *text;
    int segments;
    int64_t cost_mrwf;
};

struct message_draft {
    struct uuid id;
    struct uuid group_id; /* one logical message on all its channels */
    bool is_template;
    enum channel channel;
    enum message_type type;
    enum language language;
    int segments;
    const char *provider;
    const char *content;
    const char *recipient_phone; /* "" where only WhatsApp's own id is known */
    const char *bsuid;
    const char *idem_key;
    const char *call_id; /* "" if none */
    const char *turn_id; /* "" if none */
    int64_t cost_mrwf;   /* thousandths of a franc */
    const char *correlation_id;
    const char *const
        *options; /* what the numbers in the text stand for, "1" first; NULL for none */
    size_t n_options;
    const struct message_part
        *more; /* what follows when the person asks for it; NULL for nothing */
    size_t n_more;
    /* What goes out once WhatsApp has failed this one; NULL for none. */
    const struct message_draft *fallback_template;    /* the window was closed */
    const struct message_draft *fallback_template_en; /* no template in the person's language */
    const struct message_draft *fallback_sms;
    bool patient; /* fallback_sms goes out too when WhatsApp has not brought it in FAILOVER_AFTER_S
                   */
};

/* The drafts as the JSON that messages_enqueue() reads. "[]" for none. */
const char *message_drafts_json(struct arena *a, const struct message_draft *drafts, size_t n);

/* Thousandths of a franc as "15.000". */
const char *message_rwf(struct arena *a, int64_t mrwf);

/* The state of rows that somebody waits for. */
struct message_state {
    const char *id;
    const char *channel;
    const char *status;
    const char *external_id; /* "" until the provider gave one */
    int64_t segments;
    const char *cost_rwf;
    const char *error_code; /* "" if none */
};

/* By ids, in the order the rows were made. */
bool message_states(struct db *db, struct arena *a, const char *const *ids, size_t n_ids,
                    struct message_state **out, size_t *n, struct err *e) MUST_CHECK;

/* Of the notification of a call. */
bool message_states_of_call(struct db *db, struct arena *a, const char *call_id,
                            struct message_state **out, size_t *n, struct err *e) MUST_CHECK;

#endif
