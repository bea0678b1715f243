/*
 * turn - the agent's turns: who waits for an answer, what the agent reads, what came of it.
 */
#ifndef OMNI_MODEL_TURN_H
#define OMNI_MODEL_TURN_H

#include "model/message.h"
#include "model/person.h"

struct turn {
    const char *id;
    const char *session_id;
    int64_t token;
    int64_t upto;
    int64_t attempt; /* 1 for the first */
};

struct turn_want {
    const char *worker;
    int want;
    int lease_s;
};

/* Leases up to w->want due turns. */
bool turn_claim(struct db *db, struct arena *a, const struct turn_want *w, struct turn **out,
                size_t *n, struct err *e) MUST_CHECK;

/* Renews the leases of turns that are still waited for. */
bool turn_renew(struct db *db, struct arena *a, const struct turn *turns, size_t n, int lease_s,
                struct err *e) MUST_CHECK;

struct turn_line {
    bool is_inbound;
    bool waits; /* for this turn's answer */
    enum channel channel;
    const char *text;
    const char *at; /* ISO 8601 */
};

struct turn_context {
    struct person person;
    const char *call_id;
    const char *context; /* the session's, as JSON text */
    const char *agent;   /* slug */
    const char *instructions;
    const char *model;    /* "" = the configured one */
    const char *base_url; /* "" = the configured one */
    const char *summary;  /* of the call; "" if none */
    const char *bullets;  /* JSON text; "" if none */
    const char *next_actions;
    const char *intent;
    const char *call_language;
    const char *call_ended_at;
    struct turn_line *lines; /* oldest first */
    size_t n_lines;
};

/* What the turn is about. ERR_NOT_FOUND when the session is gone. */
bool turn_context(struct db *db, struct arena *a, const struct turn *t, int max_lines,
                  struct turn_context *out, struct err *e) MUST_CHECK;

struct turn_end {
    bool done; /* false: the drafts are the fallback, and the turn is due again */
    const struct message_draft *drafts;
    size_t n_drafts;
    const char *agent;
    const char *model;
    const char *error_code;
    int64_t prompt_tokens;
    int64_t completion_tokens;
    double retry_s; /* < 0: not again, a person must see to it */
    int fallback_every_s;
};

/* Ends the turn. *lost: its lease was taken over meanwhile and nothing was written. */
bool turn_finish(struct db *db, struct arena *a, const struct turn *t, const struct turn_end *end,
                 bool *lost, struct err *e) MUST_CHECK;

#endif
