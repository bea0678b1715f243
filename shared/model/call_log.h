/*
 * call_log - calls: what is known of them, and whether their people have been told.
 */
#ifndef OMNI_MODEL_CALL_LOG_H
#define OMNI_MODEL_CALL_LOG_H

#include "model/message.h"
#include "model/person.h"

/* Facts about a call; "" or NULL-like members are not known and leave what is stored. */
struct call_facts {
    const char *call_id; /* at least one of the two ids */
    const char *sip_call_id;
    const char *phone;   /* E.164; only read for a call that is not known yet */
    const char *channel; /* "sip", "whatsapp" or "" */
    const char *summary;
    const char *bullets; /* JSON array of texts, or "" */
    const char *next_actions;
    const char *transcript;
    const char *intent;
    const char *language;
    int64_t started_ms;   /* 0: unknown */
    int64_t ended_ms;     /* 0: unknown */
    const char *answered; /* "t", "f" or "" */
    bool is_over;
    int wait_s; /* how long a call that is over waits for its text */
};

struct call_stored {
    bool found; /* false: unknown, and no number to make it from; its end, if it came, is kept ten
                   minutes */
    const char *id;
    const char *call_id;
    const char *session_id;
    bool created;
    bool session_created;
};

bool call_log_record(struct db *db, struct arena *a, const struct call_facts *f,
                     struct call_stored *out, struct err *e) MUST_CHECK;

/* A call and its person. */
struct call_record {
    const char *id;
    const char *call_id;
    const char *session_id;
    const char *channel;
    const char *status;
    const char *summary;
    const char *bullets;
    const char *next_actions;
    const char *language;
    int64_t duration_s;
    bool is_over;
    bool is_due; /* its notification may be planned now */
    bool is_notified;
    const char *notify_result; /* "sent", "skipped" or "" */
    const char *notify_reason;
    struct person person;
};

bool call_log_load(struct db *db, struct arena *a, const char *id, struct call_record *out,
                   struct err *e) MUST_CHECK;

/* Row ids of calls whose notification is due; at most 'max'. */
bool call_log_due(struct db *db, struct arena *a, int max, const char ***ids, size_t *n,
                  struct err *e) MUST_CHECK;

struct call_notice {
    const struct message_draft *drafts;
    size_t n;
    const char *skip_reason; /* "" unless nothing is sent */
};

/* Ends the notification: writes the drafts and marks it done. *was_first is false if it was done
 * before; then nothing is written. */
bool call_log_notify(struct db *db, struct arena *a, const char *id,
                     const struct call_notice *notice, bool *was_first, struct err *e) MUST_CHECK;

#endif
