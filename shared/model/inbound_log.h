/*
 * inbound_log - what came in: messages stored once with everything that follows, statuses, and what
 * could not be read.
 */
#ifndef OMNI_MODEL_INBOUND_LOG_H
#define OMNI_MODEL_INBOUND_LOG_H

#include "core/channel.h"
#include "core/keyword.h"
#include "io/db.h"

/* A message as it is stored. */
struct inbound_entry {
    enum channel channel;
    const char *provider;
    const char *external_id;
    /* What the ids of the same words begin with; NULL: it has an id of its own. */
    const char *words_id;
    const char *phone; /* E.164 or "" */
    const char *wa_id; /* digits or "" */
    const char *bsuid; /* or "" */
    const char *name;  /* or "" */
    const char *content;
    int64_t at_ms;    /* 0: unknown, the database's clock is taken */
    int part, parts;  /* 1 and 1 for a text that came whole */
    const char *ref;  /* of a text that came in parts */
    const char *kind; /* "text", "image", ... */
    int choice;       /* the option it names by its number; 0 for none */
    const char *list; /* the id of the message that offered it; "": the latest that did */
    bool tapped;      /* nobody wrote it: a button was tapped */
    bool wants_more;  /* it may ask for the rest of a long SMS */
    const char *correlation_id;
    enum keyword keyword;
    const char *language; /* the keyword's; "" if it tells none */
    bool wants_turn;
    const char *answers[LANG_SW + 1]; /* the fixed answer in place of a turn; NULL for none */
    const char *answer_provider;
    int64_t answer_cost_mrwf;
    int quiet_ms;
};

struct inbound_stored {
    bool is_new;
    const char *message_id;
    const char *session_id;
    bool session_created;
    bool consent_changed;
};

/* One round trip, one transaction; repeated, nothing happens twice and is_new is false. */
bool inbound_log_message(struct db *db, struct arena *a, const struct inbound_entry *in,
                         struct inbound_stored *out, struct err *e) MUST_CHECK;

struct status_entry {
    const char *external_id;
    const char *our_ref; /* "" if none */
    const char *status;
    const char *error_code;
    int64_t at_ms; /* 0: unknown */
};

/* Stores and applies reported statuses of one provider. *moved: how many messages changed. */
bool inbound_log_statuses(struct db *db, struct arena *a, const char *provider,
                          const struct status_entry *s, size_t n, int64_t *moved, struct err *e)
    MUST_CHECK;

/* Keeps raw bytes that were signed and could not be read. *is_new is false for bytes that are kept
 * already. */
bool inbound_log_poison(struct db *db, struct arena *a, const char *program, const char *provider,
                        const char *reason, const char *body, size_t body_len, bool *is_new,
                        struct err *e) MUST_CHECK;

#endif
