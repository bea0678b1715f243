/*
 * delivery - the queue of outbound messages: claim under a lease, finish behind a fence, sweep what
 * time has overtaken.
 */
#ifndef OMNI_MODEL_DELIVERY_H
#define OMNI_MODEL_DELIVERY_H

#include "core/channel.h"
#include "core/phone.h"
#include "io/db.h"

/* A row in flight. */
struct delivery {
    const char *id;
    int64_t fence;
    enum channel channel;
    const char *provider;
    const char *type;
    const char *session_id;
    const char *call_id;
    const char *content;
    struct phone phone; /* "" where only the bsuid is known */
    const char *bsuid;
    bool is_template;
    const char *options; /* a JSON array of texts; "" for none */
    enum language language;
    const char *correlation_id;
    int64_t retry_count;
};

struct delivery_outcome {
    const char *id;
    int64_t fence;
    const char *outcome; /* accepted, retry, permanent, ambiguous, notsent, hold */
    const char *external_id;
    const char *error_code;
    const char *error_message; /* for a person to read; never a number or a text */
    int http_status;
    int retry_after_s;
    int64_t took_ms;
    const char *cost_rwf; /* as the provider says; NULL: the estimate stays */
    const char *
        new_status; /* filled in by delivery_finish; "" = the lease was lost, nothing was written */
};

/* Claims up to 'want' due rows of a provider. Whoever claims must start them all at once. */
struct delivery_want {
    const char *provider;
    const char *worker;
    int want;
    int lease_s;
    const char *ids; /* a db_array of row ids, or NULL for any */
};
bool delivery_claim(struct db *db, struct arena *a, const struct delivery_want *w,
                    struct delivery **out, size_t *n, struct err *e) MUST_CHECK;

/* Writes outcomes in one statement. */
bool delivery_finish(struct db *db, struct arena *a, struct delivery_outcome *outcomes, size_t n,
                     int hold_s, double backoff_scale, struct err *e) MUST_CHECK;

struct delivery_swept {
    int64_t to_unknown, resent, dead, expired, fallbacks;
};

/* hold_s: how long an unknown outcome is held; failover_s: when SMS follows a patient WhatsApp. */
bool delivery_sweep(struct db *db, struct arena *a, int hold_s, int failover_s,
                    struct delivery_swept *out, struct err *e) MUST_CHECK;

/* A message that was given up. */
struct dead_letter {
    const char *id;
    const char *created_at;
    const char *channel;
    const char *provider;
    const char *type;
    const char *reason; /* permanent, attempts, expired, ambiguous */
    const char *error_code;
    int64_t retries;
    bool is_replayed;
};

/* The newest 'max' dead letters. */
bool delivery_dead(struct db *db, struct arena *a, int max, struct dead_letter **out, size_t *n,
                   struct err *e) MUST_CHECK;

/* Sends a dead letter again, as a new row; once, however often it is asked. *new_id is "" when
 * there was nothing to do: not dead, replayed already, or its person has said STOP. */
bool delivery_replay(struct db *db, struct arena *a, const char *id, const char **new_id,
                     struct err *e) MUST_CHECK;

#endif
