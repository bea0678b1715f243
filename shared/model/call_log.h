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
    const char *phone;    /* E.164; only read for a call that is not known yet */
    const char *no_phone; /* what is wrong with the number that was given; "" if it could be read */
    const char *channel;  /* "sip", "whatsapp" or "" */
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

/* What the ids somebody gave say before anything is stored. */
struct call_named {
    bool has_person; /* the call is known, and whose it is: no number is needed */
    bool are_two;    /* the two ids are of two calls */
};

/* 'sip_call_id' may be "". */
bool call_log_named(struct db *db, struct arena *a, const char *call_id, const char *sip_call_id,
                    struct call_named *out, struct err *e) MUST_CHECK;

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
    const char *began; /* "DD/MM HH:MM" in Kigali; "" if unknown */
    int64_t duration_s;
    int64_t over_for_s; /* since we learned of its end */
    bool is_over;
    bool is_missed;        /* nobody answered it, and there is nothing to tell */
    bool has_text;         /* a summary or points */
    bool was_told;         /* once already: it was believed to be over, or there was no text */
    const char *told_hash; /* another for every text */
    bool is_due;           /* its notification may be planned now */
    bool is_notified;
    bool said_since;           /* what is known of it is not what its person was told */
    const char *notify_result; /* "sent", "skipped" or "" */
    const char *notify_reason; /* why it is skipped, or no summary, or has to wait; or "" */
    struct person person;
};

bool call_log_load(struct db *db, struct arena *a, const char *id, struct call_record *out,
                   struct err *e) MUST_CHECK;

/* Row ids of calls whose notification is due; at most 'max'. */
bool call_log_due(struct db *db, struct arena *a, int max, const char ***ids, size_t *n,
                  struct err *e) MUST_CHECK;

/* The person's latest call before this one that has a summary; "" if there is none within thirty
 * days. */
bool call_log_earlier(struct db *db, struct arena *a, const char *id, const char **earlier,
                      struct err *e) MUST_CHECK;

struct call_notice {
    const struct message_draft *drafts;
    size_t n;
    const char *skip_reason; /* "" unless nothing is sent */
    const char *why;         /* what is sent is no summary of this call: a word; "" if it is */
};

/* Ends the notification: writes the drafts and marks it done. *was_first is false if it was done
 * before; then nothing is written. */
bool call_log_notify(struct db *db, struct arena *a, const char *id,
                     const struct call_notice *notice, bool *was_first, struct err *e) MUST_CHECK;

/* The notification is tried again after a while: no channel is set up at present. */
bool call_log_postpone(struct db *db, struct arena *a, const char *id, const char *why,
                       double delay_s, struct err *e) MUST_CHECK;

/* The agent of this call did something just now: it is not over. Unknown ids change nothing. */
bool call_log_heard(struct db *db, struct arena *a, const char *call_id, struct err *e) MUST_CHECK;

/* When a call that nobody ended is over. */
struct call_patience {
    int max_s;     /* known for so long */
    int silence_s; /* its agent was heard of, but not for so long */
    int wait_s;    /* how long its text is waited for then */
};

/* Ends such calls; *n counts them. */
bool call_log_close(struct db *db, struct arena *a, const struct call_patience *p, int64_t *n,
                    struct err *e) MUST_CHECK;

#endif
